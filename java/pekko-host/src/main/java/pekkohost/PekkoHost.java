package pekkohost;

import com.typesafe.config.ConfigException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.SynchronousQueue;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import sun.misc.Signal;

/**
 * The test host as an ordinary Pekko HTTP application: the fixed paths of all test hosts as a route, so that one set of suites
 * compares what serves it. What it serves, and the variables that it reads, are those of {@code tests/host/host.c}, save for what a
 * route cannot express: close codes, resets, and what only the server knows of a connection. Where a path is less for that, it says so.
 */
public final class PekkoHost {
    private static final int BAD_SETTINGS = 2;
    private static final Duration DRAIN = Duration.ofSeconds(5);

    private final Settings settings;
    private final ActorSystem system = ActorSystem.create("host");
    private Identity identity;

    private PekkoHost(Settings settings) {
        this.settings = settings;
    }

    /** Serves until SIGTERM or SIGINT. */
    public static void main(String[] args) throws InterruptedException {
        int code;
        try {
            code = new PekkoHost(Settings.read(System.getenv())).serve();
        } catch (IllegalArgumentException | ConfigException e) {
            code = fail(e);
        } catch (GeneralSecurityException | IOException e) {
            say("TLS_CERT, TLS_KEY or TLS_CLIENT_CA: " + e);
            code = BAD_SETTINGS;
        } catch (CompletionException e) {
            code = fail(e.getCause());
        }
        System.exit(code);
    }

    private static int fail(Throwable e) {
        say(e.getCause() == null ? e.getMessage() : e.getMessage() + ": " + e.getCause().getMessage());
        return e instanceof IllegalArgumentException || e instanceof ConfigException ? BAD_SETTINGS : 1;
    }

    private static void say(String text) {
        System.err.println("host-pekko: " + text);
    }

    private int serve() throws GeneralSecurityException, IOException, InterruptedException {
        SynchronousQueue<String> signals = new SynchronousQueue<>();
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            Signal.handle(new Signal(name), signal -> {
                try {
                    signals.put(signal.getName());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        ServerBuilder server = Http.get(system).newServerAt("127.0.0.1", settings.port);
        if (settings.tls()) {
            identity = new Identity(settings);
            server = server.enableHttps(ConnectionContext.httpsServer(identity::engine));
        }
        ServerBinding binding = server.bind(route()).toCompletableFuture().join();
        binding.addToCoordinatedShutdown(DRAIN, system);
        String scheme = settings.tls() ? "https" : "http";
        System.out.println("listening on " + scheme + "://127.0.0.1:" + binding.localAddress().getPort());
        while (signals.take().equals("HUP")) {
            reload();
        }
        CoordinatedShutdown.get(system).runAll().toCompletableFuture().join();
        return 0;
    }

    private Route route() {
        Report report = new Report();
        return report.counting(Directives.concat(
                new Pages(system, report).route(),
                new Sockets(system, report).route()));
    }

    private void reload() {
        if (identity == null) {
            return;
        }
        try {
            identity.load();
            say("the certificate was loaded anew");
        } catch (GeneralSecurityException | IOException e) {
            say("the certificate stays as it was: " + e);
        }
    }
}
