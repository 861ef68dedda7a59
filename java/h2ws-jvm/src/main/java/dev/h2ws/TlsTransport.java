package dev.h2ws;

import dev.h2ws.internal.Native;
import java.lang.System.Logger.Level;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * TLS that ends in the JVM: for a program whose keys are in an {@link SSLContext}, or who makes its {@link SSLEngine}s itself.
 * Sockets and HTTP stay native; only the records of TLS pass through the engines, on the loops' threads. Native TLS
 * ({@link Tls}) is the faster way where the key can be had.
 *
 * <p>ALPN chooses {@code h2} before {@code http/1.1}, and {@code h2} only with what HTTP/2 allows of TLS (RFC 9113 section 9.2).
 * An engine to which the program has given protocols or a selector of its own chooses by those, with whichever suites it has. All
 * methods may be called on any thread.
 */
public final class TlsTransport implements AutoCloseable {
    private static final int MOST_TASKS = 10_000;

    private final H2ws h2ws;
    private final Function<String, SSLEngine> engines;
    private final Duration handshakeTimeout;
    private final Consumer<FallbackConnection> http1;
    private final ListenOptions options;
    private final ThreadPoolExecutor tasks;
    private final ScheduledThreadPoolExecutor deadlines;
    /** Those whose handshakes are under way, each with its deadline. */
    private final Set<TlsDuplex> shaking = ConcurrentHashMap.newKeySet();

    private TlsTransport(Builder builder) {
        h2ws = builder.h2ws;
        engines = builder.engines;
        handshakeTimeout = builder.handshakeTimeout;
        http1 = builder.http1;
        options = builder.options;
        int threads = Runtime.getRuntime().availableProcessors();
        tasks = new ThreadPoolExecutor(
                threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_TASKS), named("h2ws-tls-"));
        tasks.allowCoreThreadTimeOut(true);
        // a flood of handshakes is held back where it comes from; and open connections outlive the threads
        tasks.setRejectedExecutionHandler((task, pool) -> task.run());
        deadlines = new ScheduledThreadPoolExecutor(1, named("h2ws-tls-deadline-"));
        deadlines.setRemoveOnCancelPolicy(true);
        deadlines.setKeepAliveTime(10, TimeUnit.SECONDS);
        deadlines.allowCoreThreadTimeOut(true);
    }

    private static ThreadFactory named(String prefix) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(null, task, prefix + count.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        };
    }

    /**
     * Begins a transport whose engines come from a context, with its defaults. Who agrees on TLS below 1.2, or on a cipher suite
     * that HTTP/2 forbids (RFC 9113 appendix A), as far as the JVM allows them, gets HTTP/1.1.
     *
     * @param h2ws serves
     * @param context has the key
     * @return a builder with the defaults
     */
    public static Builder builder(H2ws h2ws, SSLContext context) {
        Objects.requireNonNull(context, "context");
        return new Builder(h2ws, peer -> context.createSSLEngine());
    }

    /**
     * Begins a transport whose engines the program makes.
     *
     * @param h2ws serves
     * @param engines makes one for each connection, given the peer's address as text; called on a loop's thread. The mode of
     *     the engine becomes that of a server
     * @return a builder with the defaults
     */
    public static Builder builder(H2ws h2ws, Function<String, SSLEngine> engines) {
        return new Builder(h2ws, engines);
    }

    /** What a transport is made of. */
    public static final class Builder {
        private final H2ws h2ws;
        private final Function<String, SSLEngine> engines;
        private Duration handshakeTimeout = Duration.ofSeconds(10);
        private Consumer<FallbackConnection> http1;
        private ListenOptions options = ListenOptions.defaults();

        private Builder(H2ws h2ws, Function<String, SSLEngine> engines) {
            this.h2ws = Objects.requireNonNull(h2ws, "h2ws");
            this.engines = Objects.requireNonNull(engines, "engines");
        }

        /**
         * How long a handshake may take before the connection is cut. Default 10 s.
         *
         * @param timeout more than 0
         * @return this
         */
        public Builder handshakeTimeout(Duration timeout) {
            if (timeout.isZero() || timeout.isNegative()) {
                throw new IllegalArgumentException("handshakeTimeout is " + timeout + "; it must be more than 0");
            }
            handshakeTimeout = timeout;
            return this;
        }

        /**
         * Gives connections that do not agree on {@code h2} to the program, decrypted, in place of serving HTTP/1.1.
         *
         * @param taker gets each, on a loop's or a handshake's thread, and has to close it in the end
         * @return this
         */
        public Builder http1(Consumer<FallbackConnection> taker) {
            http1 = Objects.requireNonNull(taker, "taker");
            return this;
        }

        /**
         * What the connections may do.
         *
         * @param options without native TLS
         * @return this
         */
        public Builder options(ListenOptions options) {
            AttachOptions.of("").options(options);
            this.options = options;
            return this;
        }

        /**
         * Makes the transport.
         *
         * @return it; has to be closed
         */
        public TlsTransport build() {
            return new TlsTransport(this);
        }
    }

    /**
     * Listens. Does not block.
     *
     * @param address as for {@link H2ws#listen(SocketAddress, Handler)}
     * @param handler hears of the requests
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listen(SocketAddress address, Handler handler) {
        Objects.requireNonNull(handler, "handler");
        return h2ws.listenRaw(
                address, connection -> serve(connection, handler), ListenOptions.defaults());
    }

    /**
     * Shakes hands on a connection whose bytes the program has, and serves it.
     *
     * @param connection in the encrypted; is closed by this
     * @param handler hears of the requests
     */
    public void serve(FallbackConnection connection, Handler handler) {
        String peer = connection.peer();
        SSLEngine ssl = engines.apply(peer);
        ssl.setUseClientMode(false);
        offer(ssl);
        // the log is the program's: not under the lock
        TlsDuplex clear = new TlsDuplex(
                connection.duplex(), ssl, tasks, wrong -> tasks.execute(() -> failed(peer, wrong)));
        shaking.add(clear);
        ScheduledFuture<?> deadline = deadlines.schedule(
                () -> {
                    if (shaking.remove(clear)) {
                        log(Level.INFO, peer, "no TLS handshake within " + handshakeTimeout.toMillis() + " ms", null);
                        clear.abort();
                    }
                },
                handshakeTimeout.toMillis(),
                TimeUnit.MILLISECONDS);
        clear.shake(wrong -> {
            deadline.cancel(false);
            if (!shaking.remove(clear)) {
                // too late, and cut
                return;
            }
            if (wrong == null) {
                begin(clear, peer, handler);
            } else {
                failed(peer, wrong);
                clear.close();
            }
        });
    }

    private void offer(SSLEngine ssl) {
        if (ssl.getSSLParameters().getApplicationProtocols().length == 0
                && ssl.getHandshakeApplicationProtocolSelector() == null) {
            ssl.setHandshakeApplicationProtocolSelector((engine, offered) -> {
                if (http2() && offered.contains("h2") && CipherSuites.goodForHttp2(engine.getHandshakeSession())) {
                    return "h2";
                }
                // null is the alert no_application_protocol
                return http1() && offered.contains("http/1.1") ? "http/1.1" : null;
            });
        }
    }

    private boolean http2() {
        return (options.flags & Native.NO_HTTP2) == 0;
    }

    private boolean http1() {
        return http1 != null || (options.flags & Native.NO_HTTP1) == 0;
    }

    private void begin(TlsDuplex clear, String peer, Handler handler) {
        try {
            SSLEngine ssl = clear.ssl();
            String alpn = Objects.requireNonNullElse(ssl.getApplicationProtocol(), "");
            AttachOptions attach = AttachOptions.of(peer).options(options).tls(ssl.getSession(), serverName(ssl), alpn);
            if (http1 != null && !alpn.equals("h2")) {
                http1.accept(new FallbackConnection(clear, peer, new TlsInfo(attach.tls)));
                return;
            }
            // without ALPN the first bytes choose the protocol
            boolean http2 = !alpn.isEmpty() || CipherSuites.goodForHttp2(ssl.getSession());
            if (!http2 && !http1()) {
                failed(peer, new SSLException("HTTP/2 is not spoken with " + attach.tls.cipher()));
                clear.close();
                return;
            }
            Splice.join(clear, h2ws.attach(handler, http2 ? attach : attach.options(options.withoutHttp2())));
        } catch (RuntimeException | Error e) {
            log(Level.ERROR, peer, "it could not be served", e);
            clear.abort();
        }
    }

    private static String serverName(SSLEngine ssl) {
        if (ssl.getSession() instanceof ExtendedSSLSession session) {
            for (SNIServerName name : session.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName();
                }
            }
        }
        return "";
    }

    private void failed(String peer, SSLException wrong) {
        log(Level.INFO, peer, "TLS failed: " + wrong.getMessage(), null);
    }

    private void log(Level level, String peer, String what, Throwable thrown) {
        h2ws.log(level, "connection of " + peer + ": " + what, thrown);
    }

    /** Ends its threads. Connections that are open go on; handshakes under way do not. Listeners are closed on their own. */
    @Override
    public void close() {
        deadlines.shutdownNow();
        tasks.shutdown();
        for (TlsDuplex clear : shaking) {
            if (shaking.remove(clear)) {
                clear.abort();
            }
        }
    }
}
