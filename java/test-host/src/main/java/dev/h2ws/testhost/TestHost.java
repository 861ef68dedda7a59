package dev.h2ws.testhost;

import dev.h2ws.H2ws;
import dev.h2ws.H2wsException;
import dev.h2ws.Listener;
import dev.h2ws.Request;
import dev.h2ws.Status;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import sun.misc.Signal;

/**
 * The test host on the Java API: a small server with fixed paths, so that one set of suites runs against every binding. What it
 * serves, and the variables that it reads, are those of {@code tests/host/host.c}; and TLS_BY=jvm has TLS end in the JVM.
 */
public final class TestHost {
    private static final int BAD_SETTINGS = 2;
    private static final Duration DRAIN = Duration.ofSeconds(5);

    final Settings settings;
    final Report report = new Report();
    /** For what happens later, from another thread. */
    final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "clock");
        thread.setDaemon(true);
        return thread;
    });
    private final Pages pages = new Pages(this);
    private final Sockets sockets = new Sockets(this);
    H2ws engine;

    private TestHost(Settings settings) {
        this.settings = settings;
    }

    /** Serves until SIGTERM or SIGINT. */
    public static void main(String[] args) throws InterruptedException {
        TestHost host;
        try {
            host = new TestHost(Settings.read(System.getenv()));
            host.start();
        } catch (IllegalArgumentException e) {
            fail(e);
            return;
        } catch (H2wsException e) {
            fail(e);
            return;
        }
        host.serve();
    }

    private static void fail(RuntimeException e) {
        System.err.println("host-java: " + Settings.named(e.getMessage(), System.getenv()));
        boolean settings = !(e instanceof H2wsException refused) || refused.status() == Status.INVALID_CONFIG;
        System.exit(settings ? BAD_SETTINGS : 1);
    }

    private void start() {
        engine = settings.engine().start();
    }

    private void serve() throws InterruptedException {
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
        int code = 0;
        try {
            Listener listener = settings.listen(engine, this::handle);
            System.out.println("listening on " + (settings.tls() ? "https" : "http") + "://" + listener.address());
            while (signals.take().equals("HUP")) {
                reload();
            }
            engine.drain(DRAIN);
        } catch (H2wsException | IllegalArgumentException e) {
            System.err.println("host-java: " + e.getMessage());
            code = 1;
        }
        engine.close();
        System.exit(code);
    }

    private void reload() {
        try {
            if (settings.reload()) {
                System.err.println("host-java: the certificate was loaded anew");
            }
        } catch (H2wsException | IllegalArgumentException e) {
            System.err.println("host-java: " + e.getMessage());
        }
    }

    private void handle(Request request) {
        request.onClosed(closed -> report.closed(request, closed));
        if (request.isWebSocket()) {
            sockets.open(request);
        } else {
            pages.open(request);
        }
    }

    /** The numbers at the end of a path, {@code /flood/10/125}; null if it is another path. The query plays no part. */
    static long[] arguments(Request request, String prefix, int count) {
        String path = request.path().split("\\?", 2)[0];
        if (!path.startsWith(prefix)) {
            return null;
        }
        String rest = path.substring(prefix.length());
        if (count == 0) {
            return rest.isEmpty() ? new long[0] : null;
        }
        String[] parts = rest.split("/", -1);
        long[] values = new long[count];
        if (parts.length != count) {
            return null;
        }
        for (int i = 0; i < count; i++) {
            if (!parts[i].matches("[0-9]{1,12}")) {
                return null;
            }
            values[i] = Long.parseLong(parts[i]);
        }
        return values;
    }
}
