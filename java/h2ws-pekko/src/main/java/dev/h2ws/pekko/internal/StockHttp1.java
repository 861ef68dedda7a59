package dev.h2ws.pekko.internal;

import dev.h2ws.Duplex;
import dev.h2ws.FallbackConnection;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSession;
import org.apache.pekko.Done;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.impl.engine.HttpConnectionIdleTimeoutBidi;
import org.apache.pekko.http.impl.engine.server.GracefulTerminatorStage;
import org.apache.pekko.http.impl.engine.server.MasterServerTerminator;
import org.apache.pekko.http.impl.engine.server.ServerTerminator;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.http.scaladsl.HttpExt;
import org.apache.pekko.http.scaladsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.TLSProtocol;
import org.apache.pekko.stream.javadsl.BidiFlow;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.util.ByteString;
import scala.Function1;
import scala.Option;
import scala.concurrent.ExecutionContext;
import scala.concurrent.Future;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.FutureConverters;

/**
 * Connections of HTTP/1.1 for Pekko HTTP's own engine, {@code Http().serverLayer}: time-outs, pipelining, HEAD, Expect
 * and WebSockets are then what they are in stock.
 */
final class StockHttp1 {
    /** Stock's own: it cuts connections that wait for a request, and ends the others when they have answered. */
    private final MasterServerTerminator ending;
    /** Connections that have not ended, WebSockets among them. */
    private final AtomicInteger open = new AtomicInteger();

    private final Function1<HttpRequest, Future<HttpResponse>> handler;
    private final ServerSettings settings;
    private final Materializer materializer;
    private final LoggingAdapter log;
    private final boolean tellsPeer;

    StockHttp1(
            Function1<HttpRequest, Future<HttpResponse>> handler,
            ServerSettings settings,
            Materializer materializer,
            LoggingAdapter log) {
        this.handler = handler;
        this.settings = settings;
        this.materializer = materializer;
        this.log = log;
        ending = new MasterServerTerminator(log);
        // Http.scala, prepareAttributes: else the engine must not know it, since its own answers would name it
        tellsPeer = settings.remoteAddressAttribute() || RemoteHeader.of(settings) != null;
    }

    /** Serves a connection. */
    void serve(FallbackConnection connection) {
        serve(
                connection.duplex(),
                connection.remoteSocketAddress().orElse(null),
                connection.tls().map(TlsSession::of).orElse(null));
    }

    /**
     * Serves a connection: what {@code fuseServerBidiFlow} puts together in {@code Http.scala}, but with TLS taken off.
     *
     * @param remote its peer; null if it has none that IP knows
     * @param session of the TLS; null for cleartext
     */
    void serve(Duplex duplex, InetSocketAddress remote, SSLSession session) {
        HttpExt http = (HttpExt) Http.get(materializer.system());
        BidiFlow<HttpResponse, TLSProtocol.SslTlsOutbound, TLSProtocol.SslTlsInbound, HttpRequest, ?> layer =
                http.serverLayer(settings, Option.apply(tellsPeer ? remote : null), log, session != null).asJava();
        Flow<HttpRequest, HttpResponse, CompletionStage<Done>> handled = Flow.<HttpRequest>create()
                .mapAsync(settings.pipeliningLimit(), request -> FutureConverters.asJava(handler.apply(request)))
                .watchTermination(Keep.right());
        BidiFlow<HttpResponse, HttpResponse, HttpRequest, HttpRequest, ServerTerminator> graceful =
                GracefulTerminatorStage.apply(materializer.system(), settings).asJava();
        BidiFlow<ByteString, ByteString, ByteString, ByteString, ?> idle = HttpConnectionIdleTimeoutBidi.apply(
                        settings.timeouts().idleTimeout(), Option.empty())
                .asJava();
        open.incrementAndGet();
        Flow<ByteString, ByteString, ?> bytes = Flow.fromGraph(new DuplexStage(duplex, open::decrementAndGet));
        BidiFlow<TLSProtocol.SslTlsOutbound, ByteString, ByteString, TLSProtocol.SslTlsInbound, ?> tls =
                session == null ? plain() : secure(session);
        handled.joinMat(graceful.atop(layer).atop(tls).atop(idle).join(bytes), this::attend).run(materializer);
    }

    /** A connection hears of the end as long as it has requests: from its handshake on, a WebSocket does not. */
    private ServerTerminator attend(CompletionStage<Done> requests, ServerTerminator connection) {
        ExecutionContext executor = materializer.executionContext();
        ending.registerConnection(connection, executor);
        requests.whenComplete((done, failure) -> ending.removeConnection(connection));
        return connection;
    }

    /** Ends all but WebSockets; the future says when. */
    Future<Http.HttpTerminated> terminate(FiniteDuration deadline) {
        return ending.terminate(deadline, materializer.executionContext());
    }

    /** How many connections have not ended. */
    int open() {
        return open.get();
    }

    /** TLS is off already, and this was its session. */
    private static BidiFlow<TLSProtocol.SslTlsOutbound, ByteString, ByteString, TLSProtocol.SslTlsInbound, ?> secure(
            SSLSession session) {
        return BidiFlow.fromFlows(
                Flow.of(TLSProtocol.SslTlsOutbound.class)
                        .collectType(TLSProtocol.SendBytes.class)
                        .map(TLSProtocol.SendBytes::bytes),
                Flow.of(ByteString.class).map(bytes -> new TLSProtocol.SessionBytes(session, bytes)));
    }

    /** Cleartext; a SessionBytes is a SslTlsInbound, which Java's generics are not told. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static BidiFlow<TLSProtocol.SslTlsOutbound, ByteString, ByteString, TLSProtocol.SslTlsInbound, ?> plain() {
        return (BidiFlow) org.apache.pekko.stream.javadsl.TLSPlacebo.getInstance();
    }
}
