package dev.h2ws.pekko.internal;

import dev.h2ws.Deflate;
import dev.h2ws.H2ws;
import dev.h2ws.H2wsBuilder;
import dev.h2ws.H2wsException;
import dev.h2ws.Status;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.http.scaladsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import scala.Function1;
import scala.concurrent.Future;
import scala.concurrent.Promise;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.FutureConverters;
import scala.runtime.BoxedUnit;

/**
 * A bound port: an engine of its own, since settings, drain and end are a binding's own too. The engine ends when the
 * binding is terminated, when it was unbound and its last connection has gone, or with the actor system.
 */
public final class Binding {
    /** The most that the engine takes, where in Pekko HTTP any number means "as many as come". */
    private static final int MOST_CONNECTIONS = 16_000_000;
    private static final int MOST_STREAMS = 1 << 20;
    private static final int MOST_FIELDS = 10_000;

    /** How often an unbound port looks whether its last connection has gone. */
    private static final Duration LOOK = Duration.ofMillis(500);
    /** How often one that is terminated looks whether none is left but stock's. */
    private static final Duration LOOK_WHILE_ENDING = Duration.ofMillis(20);

    private static final Http.HttpTerminated TERMINATED = (Http.HttpTerminated) (Object) Http.HttpServerTerminated$.MODULE$;

    private final ActorSystem system;
    private final Bindings all;
    private final H2ws engine;
    private final Security.Port port;
    /** null: HTTP/1.1 is the engine's own. */
    private final StockHttp1 http1;
    // guarded by this
    private boolean unbound;
    private boolean ended;
    private Promise<Http.HttpTerminated> termination;
    private boolean terminated;

    private Binding(ActorSystem system, Bindings all, H2ws engine, Security.Port port, StockHttp1 http1) {
        this.system = system;
        this.all = all;
        this.engine = engine;
        this.port = port;
        this.http1 = http1;
    }

    /**
     * Binds.
     *
     * @param security who speaks TLS, if anybody
     * @param dropIn whether it is {@code Http()} that binds
     * @return the binding as Pekko HTTP's own; a failure is in the future
     */
    public static Future<Http.ServerBinding> bind(
            Function1<HttpRequest, Future<HttpResponse>> handler,
            String host,
            int port,
            Security security,
            boolean dropIn,
            ServerSettings settings,
            LoggingAdapter log,
            Materializer materializer) {
        try {
            return scala.concurrent.Future$.MODULE$.successful(
                    open(handler, host, port, security, dropIn, settings, log, materializer));
        } catch (Exception | LinkageError e) {
            return scala.concurrent.Future$.MODULE$.failed(e);
        }
    }

    private static Http.ServerBinding open(
            Function1<HttpRequest, Future<HttpResponse>> handler,
            String host,
            int port,
            Security security,
            boolean dropIn,
            ServerSettings settings,
            LoggingAdapter log,
            Materializer materializer) {
        ActorSystem system = materializer.system();
        Options options = Options.of(system.settings().config());
        StockHttp1 http1 =
                options.stockHttp1(dropIn) ? new StockHttp1(handler, settings, materializer, log) : null;
        Exchanges exchanges = new Exchanges(handler, settings, options, materializer, log);
        Bindings all = Bindings.of(system);
        H2wsBuilder builder = engine(settings, options, log);
        if (http1 != null) {
            builder.fallback(http1::serve);
        }
        H2ws engine = builder.start();
        try {
            InetSocketAddress address = new InetSocketAddress(host, port);
            Security.Port at = security.listen(engine, address, exchanges, options.webSockets(), http1);
            Binding binding = new Binding(system, all, engine, at, http1);
            all.add(binding);
            InetSocketAddress bound = new InetSocketAddress(address.getAddress(), at.listener().port());
            log.info("h2ws serves HTTP/2{} on {}{}; HTTP/1.1 is {}", options.webSockets() ? " with WebSockets" : "", bound,
                    security.name(), http1 == null ? "its own" : "Pekko HTTP's");
            return new Http.ServerBinding(bound, binding::unbind, binding::terminate);
        } catch (H2wsException e) {
            engine.close();
            throw e.status() == Status.ADDRESS_IN_USE || e.status() == Status.IO ? new BindFailure(e) : e;
        } catch (RuntimeException | LinkageError e) {
            engine.close();
            throw e;
        }
    }

    private static H2wsBuilder engine(ServerSettings settings, Options options, LoggingAdapter log) {
        Duration idle = Durations.finite(settings.timeouts().idleTimeout());
        H2wsBuilder engine = dev.h2ws.H2ws.builder()
                .maxConnections(Math.min(settings.maxConnections(), MOST_CONNECTIONS))
                .maxStreams(Math.min(settings.http2Settings().maxConcurrentStreams(), MOST_STREAMS))
                .sendQueue(options.sendQueue())
                .closeTimeout(Duration.ofSeconds(3)) // WebSocket.scala has it so, fixed
                .keepAliveTimeout(idle == null ? Duration.ZERO : idle)
                // a connection that says nothing is idle too
                .prefaceTimeout(idle == null ? Duration.ZERO : idle)
                .set("max_header_fields", Math.min(Math.max(8, settings.parserSettings().maxHeaderCount()), MOST_FIELDS))
                .onLog((level, text, thrown) -> {
                    switch (level) {
                        case ERROR -> log.error(thrown == null ? new H2wsLog(text) : thrown, text);
                        case WARNING -> log.warning(text);
                        case INFO -> log.info(text);
                        default -> log.debug(text);
                    }
                });
        if (options.loops() > 0) {
            engine.loops(options.loops());
        }
        if (options.compression()) {
            engine.deflate(Deflate.defaults());
        }
        return engine;
    }

    private Future<BoxedUnit> unbind() {
        synchronized (this) {
            if (unbound) {
                return scala.concurrent.Future$.MODULE$.successful(BoxedUnit.UNIT);
            }
            unbound = true;
            port.listener().close();
        }
        endIfIdle();
        return scala.concurrent.Future$.MODULE$.successful(BoxedUnit.UNIT);
    }

    /** Connections outlive their port, as in stock; the engine must not outlive them. */
    private void endIfIdle() {
        synchronized (this) {
            if (ended || termination != null && !terminated) {
                return;
            }
        }
        if (openConnections() == 0) {
            end();
        } else {
            later(LOOK, this::endIfIdle);
        }
    }

    /** The system may end in between, and the engine with it. */
    private long openConnections() {
        try {
            return engine.stats().openConnections();
        } catch (H2wsException e) {
            if (e.status() != Status.GONE) {
                throw e;
            }
            return 0;
        }
    }

    private void later(Duration wait, Runnable what) {
        system.scheduler().scheduleOnce(wait, what, system.dispatcher());
    }

    private Future<Http.HttpTerminated> terminate(FiniteDuration deadline) {
        Promise<Http.HttpTerminated> done;
        synchronized (this) {
            if (termination != null) {
                return termination.future();
            }
            if (ended) {
                // nothing is left, and if it ended with its system, nothing runs there any more
                return scala.concurrent.Future$.MODULE$.successful(TERMINATED);
            }
            termination = scala.concurrent.Promise$.MODULE$.apply();
            done = termination;
        }
        unbind();
        CompletionStage<?> stock = http1 == null
                ? CompletableFuture.completedStage(null)
                : FutureConverters.asJava(http1.terminate(deadline));
        CompletableFuture<Void> ours = new CompletableFuture<>();
        // drain blocks until all have gone
        Thread drain = new Thread(
                () -> {
                    try {
                        engine.drain(Duration.ofNanos(deadline.toNanos()));
                    } catch (RuntimeException e) {
                        system.log().debug("drain: {}", e.getMessage());
                    }
                    ours.complete(null);
                },
                "h2ws-drain");
        drain.setDaemon(true);
        drain.start();
        if (http1 != null) {
            completeWithoutStock(ours);
        }
        stock.thenCombine(ours, (a, b) -> b).whenComplete((both, failure) -> {
            synchronized (this) {
                terminated = true;
            }
            endIfIdle();
            done.success(TERMINATED);
        });
        return done.future();
    }

    /** Stock's WebSockets of HTTP/1.1 go on until their system ends, and its `terminate` does not wait for them. */
    private void completeWithoutStock(CompletableFuture<Void> ours) {
        if (ours.isDone()) {
            return;
        }
        // in this order: what ends in between is waited for once more
        long open = openConnections();
        if (open <= http1.open()) {
            ours.complete(null);
        } else {
            later(LOOK_WHILE_ENDING, () -> completeWithoutStock(ours));
        }
    }

    /** Cuts what is left. Any thread; twice is once. */
    void end() {
        synchronized (this) {
            ended = true;
        }
        all.remove(this);
        engine.close();
        port.close();
    }

    /** Stock's exception for a port that cannot be bound, with the reason that stock leaves out. */
    private static final class BindFailure extends org.apache.pekko.stream.BindFailedException {
        private static final long serialVersionUID = 1L;

        private final String reason;

        BindFailure(H2wsException cause) {
            reason = cause.getMessage();
            initCause(cause);
        }

        @Override
        public String getMessage() {
            return reason;
        }
    }

    /** What {@link LoggingAdapter#error} wants for a line that comes without an exception. */
    private static final class H2wsLog extends RuntimeException {
        private static final long serialVersionUID = 1L;

        H2wsLog(String text) {
            super(text, null, false, false);
        }
    }
}
