package dev.h2ws.pekko.scaladsl;

import dev.h2ws.Tls;
import dev.h2ws.pekko.internal.Binding;
import dev.h2ws.pekko.internal.Security;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Objects;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.event.Logging;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.http.scaladsl.HttpExt;
import org.apache.pekko.http.scaladsl.HttpsConnectionContext;
import org.apache.pekko.http.scaladsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.scaladsl.Flow;
import org.apache.pekko.stream.scaladsl.Source;
import scala.Function1;
import scala.concurrent.Future;

/**
 * Pekko HTTP's {@code ServerBuilder}, which binds by h2ws. Immutable; any thread; nothing blocks but
 * {@code withTls}, which reads files.
 */
public final class ServerBuilder implements org.apache.pekko.http.scaladsl.ServerBuilder {
    private final ClassicActorSystemProvider system;
    private final String host;
    private final int port;
    private final ServerSettings settings;
    private final LoggingAdapter log;
    private final Materializer materializer;
    private final Tls tls;
    private final HttpsConnectionContext https;

    private ServerBuilder(
            ClassicActorSystemProvider system,
            String host,
            int port,
            ServerSettings settings,
            LoggingAdapter log,
            Materializer materializer,
            Tls tls,
            HttpsConnectionContext https) {
        this.system = system;
        this.host = Objects.requireNonNull(host, "host");
        this.port = port;
        this.settings = settings;
        this.log = log;
        this.materializer = materializer;
        this.tls = tls;
        this.https = https;
    }

    /**
     * Begins one, with the settings of the actor system's configuration.
     *
     * @param system the actor system
     * @param host the interface's name or address
     * @param port 0: a free one
     * @return a builder
     */
    public static ServerBuilder at(ClassicActorSystemProvider system, String host, int port) {
        return new ServerBuilder(
                system,
                host,
                port,
                (ServerSettings) org.apache.pekko.http.javadsl.settings.ServerSettings.create(system.classicSystem()),
                Logging.getLogger(system.classicSystem(), "dev.h2ws.pekko"),
                Materializer.matFromSystem(system),
                null,
                null);
    }

    /**
     * TLS by h2ws, with keys that are loaded already.
     *
     * @param tls may serve other ports too; not closed by this
     * @return a builder with it
     */
    public ServerBuilder withTls(Tls tls) {
        return new ServerBuilder(system, host, port, settings, log, materializer, Objects.requireNonNull(tls), null);
    }

    /**
     * TLS by h2ws, with all keys of a key store.
     *
     * @param store the store, loaded
     * @param password of its keys
     * @return a builder with it
     * @throws dev.h2ws.H2wsException if a key cannot be used, with its alias
     */
    public ServerBuilder withTls(KeyStore store, char[] password) {
        return withTls(Tls.builder().keyStore(store, password).load());
    }

    /**
     * TLS by h2ws, with a certificate and its key in PEM files, which are read now.
     *
     * @param chain the server's certificate, then those that vouch for it
     * @param key its key, not encrypted
     * @return a builder with it
     * @throws dev.h2ws.H2wsException if they cannot be used, with the file
     */
    public ServerBuilder withTls(Path chain, Path key) {
        return withTls(Tls.of(chain, key));
    }

    @Override
    public ServerBuilder onInterface(String newHost) {
        return new ServerBuilder(system, newHost, port, settings, log, materializer, tls, https);
    }

    @Override
    public ServerBuilder onPort(int newPort) {
        return new ServerBuilder(system, host, newPort, settings, log, materializer, tls, https);
    }

    @Override
    public ServerBuilder logTo(LoggingAdapter newLog) {
        return new ServerBuilder(system, host, port, settings, newLog, materializer, tls, https);
    }

    @Override
    public ServerBuilder withSettings(ServerSettings newSettings) {
        return new ServerBuilder(system, host, port, newSettings, log, materializer, tls, https);
    }

    @Override
    public ServerBuilder adaptSettings(Function1<ServerSettings, ServerSettings> adapt) {
        return withSettings(adapt.apply(settings));
    }

    @Override
    public ServerBuilder withMaterializer(Materializer newMaterializer) {
        return new ServerBuilder(system, host, port, settings, log, newMaterializer, tls, https);
    }

    /** TLS by the JVM, with the application's own context; {@code withTls} is native, and faster. */
    @Override
    public ServerBuilder enableHttps(HttpsConnectionContext context) {
        return new ServerBuilder(
                system, host, port, settings, log, materializer, null, Objects.requireNonNull(context, "context"));
    }

    @Override
    public Future<Http.ServerBinding> bind(Function1<HttpRequest, Future<HttpResponse>> handler) {
        Security security = https == null ? Security.of(tls) : Security.of(https);
        return Binding.bind(handler, host, port, security, false, settings, log, materializer);
    }

    @Override
    public Future<Http.ServerBinding> bindSync(Function1<HttpRequest, HttpResponse> handler) {
        return bind(request -> scala.concurrent.Future$.MODULE$.successful(handler.apply(request)));
    }

    /** Pekko HTTP's own engine, HTTP/1.1 only, as there. */
    @Override
    public Future<Http.ServerBinding> bindFlow(Flow<HttpRequest, HttpResponse, ?> flow) {
        return stock().bindFlow(flow);
    }

    /** Pekko HTTP's own engine, HTTP/1.1 only, as there. */
    @Override
    public Source<Http.IncomingConnection, Future<Http.ServerBinding>> connectionSource() {
        return stock().connectionSource();
    }

    private org.apache.pekko.http.scaladsl.ServerBuilder stock() {
        if (tls != null) {
            throw new UnsupportedOperationException("bindFlow and connectionSource are Pekko HTTP's own, which cannot use"
                    + " the keys of withTls: use enableHttps");
        }
        HttpExt http = (HttpExt) Http.get(system.classicSystem());
        org.apache.pekko.http.scaladsl.ServerBuilder stock = http.newServerAt(host, port)
                .withSettings(settings)
                .logTo(log)
                .withMaterializer(materializer);
        return https == null ? stock : stock.enableHttps(https);
    }
}
