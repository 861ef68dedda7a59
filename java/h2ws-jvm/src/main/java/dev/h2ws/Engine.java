package dev.h2ws;

import dev.h2ws.internal.EngineEvents;
import dev.h2ws.internal.EventLoop;
import dev.h2ws.internal.Native;
import dev.h2ws.internal.RequestHead;
import dev.h2ws.internal.RequestHead.TlsHead;
import dev.h2ws.internal.StreamEvents;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What the loops and streams of an engine have in common. It knows nothing of the {@link H2ws} that the program holds,
 * but by an open listener: so a {@code H2ws} that the program lost without closing it is noticed.
 */
final class Engine implements EngineEvents {
    final long id;
    final Executor executor;
    final Log log;
    final Handlers handlers = new Handlers();
    final Duplexes duplexes = new Duplexes();
    private final Consumer<FallbackConnection> fallback;
    private final List<EventLoop> loops = new ArrayList<>();

    Engine(long id, Executor executor, Log log, Consumer<FallbackConnection> fallback) {
        this.id = id;
        this.executor = executor;
        this.log = guarded(log);
        this.fallback = fallback;
    }

    /** Starts the loops; when one cannot be, none is left. */
    void start() {
        int count = Native.loops(id);
        AtomicInteger running = new AtomicInteger(count);
        for (int i = 0; i < count; i++) {
            EventLoop loop = new EventLoop(id, i, this, running);
            int status;
            try {
                status = loop.start();
            } catch (RuntimeException | Error e) {
                abandon(running, count - i - 1);
                throw e;
            }
            if (status != Native.OK) {
                H2wsException refused = H2wsException.last(status, "loop " + i + " cannot be started");
                abandon(running, count - i - 1);
                throw refused;
            }
            loops.add(loop);
        }
    }

    private void abandon(AtomicInteger running, int unstarted) {
        stop();
        if (unstarted > 0 && running.addAndGet(-unstarted) == 0) {
            Native.release(id);
        }
    }

    void stop() {
        Native.stop(id);
        handlers.allClosed();
    }

    boolean onLoop() {
        for (EventLoop loop : loops) {
            if (loop.isCurrent()) {
                return true;
            }
        }
        return false;
    }

    void join() {
        loops.forEach(EventLoop::join);
    }

    @Override
    public StreamEvents request(RequestHead head) {
        Exchange exchange = new Exchange(this, head);
        Handler handler = handlers.of(head);
        if (handler == null) {
            throw new IllegalStateException(exchange.name() + ": listener " + head.listener() + " has no handler");
        }
        exchange.handle(handler);
        return exchange;
    }

    @Override
    public void disconnected(long connection) {
        handlers.disconnected(connection);
        NativeDuplex duplex = duplexes.of(connection);
        if (duplex != null) {
            duplex.disconnected();
        }
    }

    @Override
    public void duplex(long connection, boolean readable, boolean writable) {
        NativeDuplex duplex = duplexes.of(connection);
        if (duplex != null) {
            duplex.ready(readable, writable);
        }
    }

    @Override
    public void log(int level, String text) {
        Level weight =
                switch (level) {
                    case 1 -> Level.ERROR;
                    case 2 -> Level.WARNING;
                    case 3 -> Level.INFO;
                    default -> Level.DEBUG;
                };
        log.accept(weight, text, null);
    }

    @Override
    public void fallback(long id, long listener, String peer, TlsHead tls) {
        Duplex duplex = duplexes.add(this, id);
        FallbackConnection connection = new FallbackConnection(duplex, peer, tls == null ? null : new TlsInfo(tls));
        Consumer<FallbackConnection> taker = handlers.takerOf(listener, fallback);
        if (taker == null) {
            connection.close();
            return;
        }
        try {
            if (executor == null || handlers.isRaw(listener)) {
                handBack(connection, taker);
            } else {
                executor.execute(() -> handBack(connection, taker));
            }
        } catch (RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private void handBack(FallbackConnection connection, Consumer<FallbackConnection> taker) {
        try {
            taker.accept(connection);
        } catch (Throwable t) {
            connection.close();
            log.accept(Level.ERROR, "the fallback of a connection threw", t);
        }
    }

    @Override
    public void failed(String text, Throwable cause) {
        log.accept(Level.ERROR, text, cause);
    }

    @Override
    public void ended() {
        handlers.allClosed();
    }

    /** A log that throws must not take a loop with it. */
    private static Log guarded(Log log) {
        return (level, text, thrown) -> {
            try {
                log.accept(level, text, thrown);
            } catch (Throwable t) {
                System.getLogger(H2wsBuilder.LOGGER).log(Level.ERROR, "the log that onLog() set threw", t);
            }
        };
    }
}
