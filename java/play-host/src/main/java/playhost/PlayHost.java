package playhost;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import play.core.server.ProdServerStart;
import play.core.server.RealServerProcess;
import play.core.server.Server;
import scala.jdk.javaapi.CollectionConverters;
import sun.misc.Signal;

/**
 * The test host as an ordinary Play application: the fixed paths of all test hosts as controllers, so that one set of suites
 * compares what serves them. What it serves, and the variables that it reads, are those of {@code tests/host/host.c}, save for what
 * a controller cannot express: resets, and what only the server knows of a connection. Where a path is less for that, it says so.
 * SIGHUP is left out: Play asks for its {@code SSLContext} once.
 */
public final class PlayHost {
    private static final int BAD_SETTINGS = 2;

    private PlayHost() {}

    /** Serves until SIGTERM or SIGINT. */
    public static void main(String[] args) throws InterruptedException {
        Settings settings = null;
        try {
            settings = Settings.read(System.getenv());
            if (settings.tls()) {
                // Play would serve without TLS, and log why
                Identity.load(settings);
            }
        } catch (IllegalArgumentException e) {
            fail(e.getMessage());
        } catch (GeneralSecurityException | IOException e) {
            fail("TLS_CERT, TLS_KEY or TLS_CLIENT_CA: " + e);
        }
        configure(settings);
        CountDownLatch end = new CountDownLatch(1);
        for (String name : new String[] {"TERM", "INT"}) {
            Signal.handle(new Signal(name), signal -> end.countDown());
        }
        // Play's own start in production; ends the process if it fails
        Server server = (Server) ProdServerStart.start(
                new RealServerProcess(CollectionConverters.asScala(List.of(args)).toSeq()));
        String scheme = settings.tls() ? "https" : "http";
        System.out.println("listening on " + scheme + "://127.0.0.1:" + server.mainAddress().getPort());
        end.await();
        server.stop();
        System.exit(0);
    }

    private static void configure(Settings settings) {
        String port = Integer.toString(settings.port);
        System.setProperty("play.server.http.port", settings.tls() ? "disabled" : port);
        if (settings.tls()) {
            System.setProperty("play.server.https.port", port);
            System.setProperty("play.server.https.wantClientAuth", Boolean.toString(settings.clientRoots != null));
        }
    }

    private static void fail(String text) {
        System.err.println("host-play: " + text);
        System.exit(BAD_SETTINGS);
    }
}
