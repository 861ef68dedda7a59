package dev.h2ws.play;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import controllers.JavaSockets;
import controllers.Probe;
import java.io.File;
import javax.net.ssl.SSLContext;
import org.apache.pekko.stream.javadsl.Flow;
import play.ApplicationLoader;
import play.Environment;
import play.Mode;
import play.api.Application;
import play.api.Play;
import play.core.server.PekkoHttpServerProvider;
import play.core.server.Server;
import play.core.server.ServerConfig;
import play.http.websocket.Message;
import playtests.Site;
import scala.Option;

/** The application, served by what its configuration says, on free ports of loopback. */
final class PlayServer implements AutoCloseable {
    final JavaSockets sockets = new JavaSockets();
    final Application application;
    private final Server server;

    private PlayServer(boolean http, boolean https, String lines) {
        application = application(sockets, lines);
        Play.start(application);
        server = new PekkoHttpServerProvider().createServer(
                new ServerConfig(
                        new File("."), port(http), port(https), "127.0.0.1", Mode.TEST.asScala(), System.getProperties(),
                        application.configuration()),
                application);
    }

    /** The application, which has not been started. */
    static Application application(JavaSockets sockets, String lines) {
        ApplicationLoader.Context context =
                ApplicationLoader.create(new Environment(new File("."), PlayServer.class.getClassLoader(), Mode.TEST));
        Config config = ConfigFactory.parseString(lines).withFallback(context.initialConfig()).resolve();
        return new Site(context.withConfig(config).asScala(), sockets).application();
    }

    private static Option<Object> port(boolean wanted) {
        return Option.when(wanted, () -> (Object) 0);
    }

    /** Without TLS. */
    static PlayServer http(String lines) {
        return new PlayServer(true, false, lines);
    }

    /** With TLS alone. */
    static PlayServer https(String lines) {
        return new PlayServer(false, true, lines);
    }

    int port() {
        return server.mainAddress().getPort();
    }

    /** Its TLS; what Play tells its own test clients. */
    SSLContext context() {
        return server.serverEndpoints().httpsEndpoint().get().ssl().get();
    }

    /** A socket at {@code /flow/NAME} is the flow's, once. */
    void put(String name, Flow<Message, Message, ?> flow) {
        sockets.put(name, flow);
    }

    Probe probe(String name) {
        Probe probe = new Probe();
        put(name, probe.flow());
        return probe;
    }

    /** By Play's coordinated shutdown. */
    @Override
    public void close() {
        server.stop();
    }
}
