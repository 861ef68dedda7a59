package dev.h2ws;

import dev.h2ws.internal.Native;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/**
 * A request, or a WebSocket handshake ({@link #isWebSocket()}), over HTTP/2 or HTTP/1.1. Answer it once, now or later,
 * on any thread: a handshake with {@code accept} or {@link #reject}, a request with {@code respond} or
 * {@link #respondStart}.
 *
 * <p>No method blocks. A second answer, or one of the wrong kind, is a {@link H2wsException} with
 * {@link Status#WRONG_STATE}. An answer to a client that is gone is none: nothing happens. All that is given is copied
 * before the call returns.
 */
public final class Request {
    private static final Headers PLAIN_TEXT = Headers.of("content-type", "text/plain; charset=utf-8");

    private final Exchange exchange;
    private final Headers headers;
    private final List<String> subprotocols;
    private final TlsInfo tls;

    Request(Exchange exchange) {
        this.exchange = exchange;
        headers = Headers.own(exchange.head.headers());
        subprotocols = List.of(exchange.head.subprotocols());
        tls = exchange.head.tls() == null ? null : new TlsInfo(exchange.head.tls());
    }

    /**
     * Whether it is a WebSocket handshake: an extended CONNECT (RFC 8441) or an HTTP/1.1 Upgrade.
     *
     * @return true if so
     */
    public boolean isWebSocket() {
        return exchange.head.webSocket();
    }

    /**
     * The method; {@code GET} for a WebSocket handshake, whichever HTTP version carried it.
     *
     * @return the method
     */
    public String method() {
        return exchange.head.method();
    }

    /**
     * The scheme.
     *
     * @return {@code http} or {@code https}
     */
    public String scheme() {
        return exchange.head.scheme();
    }

    /**
     * The {@code :authority}, or the {@code host} field where there was none.
     *
     * @return the authority; may be empty
     */
    public String authority() {
        return exchange.head.authority();
    }

    /**
     * Path and query.
     *
     * @return as sent
     */
    public String path() {
        return exchange.head.path();
    }

    /**
     * The header fields; names are lower-case.
     *
     * @return the headers
     */
    public Headers headers() {
        return headers;
    }

    /**
     * What the client offered in {@code sec-websocket-protocol}.
     *
     * @return the subprotocols in its order; empty if there are none
     */
    public List<String> subprotocols() {
        return subprotocols;
    }

    /**
     * The peer's address as text.
     *
     * @return as {@code 127.0.0.1:4711}, {@code [::1]:4711} or {@code unix}
     */
    public String remoteAddress() {
        return exchange.head.peer();
    }

    /**
     * The peer's address.
     *
     * @return the address, unless it is a UNIX socket
     */
    public Optional<InetSocketAddress> remoteSocketAddress() {
        return Addresses.parse(exchange.head.peer());
    }

    /**
     * Its connection: what came over the same one has the same id, and no other connection of the engine ever has it.
     *
     * @return the id
     */
    public long connectionId() {
        return exchange.head.connection();
    }

    /**
     * The number of its HTTP/2 stream (RFC 9113 section 5.1.1), for logs and for who is asked for it.
     *
     * @return the number; 0 over HTTP/1.1
     */
    public int http2StreamId() {
        return exchange.head.h2Stream();
    }

    /**
     * The HTTP version that carried it.
     *
     * @return {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2}
     */
    public String version() {
        return switch (exchange.head.version()) {
            case 10 -> "HTTP/1.0";
            case 11 -> "HTTP/1.1";
            default -> "HTTP/2";
        };
    }

    /**
     * The TLS of its connection.
     *
     * @return empty on cleartext
     */
    public Optional<TlsInfo> tls() {
        return Optional.ofNullable(tls);
    }

    /**
     * Accepts a handshake with the defaults.
     *
     * @param listener hears what happens on the socket
     * @return the socket; messages can be sent at once
     */
    public WebSocket accept(WebSocketListener listener) {
        return accept(AcceptOptions.defaults(), listener);
    }

    /**
     * Accepts a handshake. If the client is gone, the listener hears {@link WebSocketListener#closed} alone, and the socket
     * is {@linkplain WebSocket#isTooLate too late}.
     *
     * @param options how
     * @param listener hears what happens on the socket
     * @return the socket; messages can be sent at once
     * @throws H2wsException if it is a request or was answered already, or the subprotocol was not offered
     */
    public WebSocket accept(AcceptOptions options, WebSocketListener listener) {
        Objects.requireNonNull(listener, "listener");
        return exchange.accept(options, listener);
    }

    /**
     * Refuses a handshake.
     *
     * @param status 300 to 999
     */
    public void reject(int status) {
        reject(status, Headers.of(), new byte[0]);
    }

    /**
     * Refuses a handshake with a response.
     *
     * @param status 300 to 999
     * @param headers fields of the response
     * @param body its body; may be empty
     */
    public void reject(int status, Headers headers, byte[] body) {
        exchange.answering(true, "reject");
        exchange.answered(Native.reject(engine(), stream(), status, Headers.raw(headers), body), "reject");
    }

    /**
     * Answers a request with text: {@code text/plain; charset=utf-8}.
     *
     * @param status 200 to 999
     * @param text the body
     */
    public void respond(int status, String text) {
        respond(status, PLAIN_TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Answers a request with bytes.
     *
     * @param status 200 to 999
     * @param body the body; may be empty
     */
    public void respond(int status, byte[] body) {
        respond(status, Headers.of(), body);
    }

    /**
     * Answers a request. A {@code content-length} is added where there is none; for HEAD, 204 and 304 the body is not
     * sent.
     *
     * @param status 200 to 999
     * @param headers fields of the response
     * @param body the body; may be empty
     */
    public void respond(int status, Headers headers, byte[] body) {
        exchange.answering(false, "respond");
        exchange.answered(Native.respond(engine(), stream(), status, Headers.raw(headers), body), "respond");
    }

    /**
     * Answers a request with the body that a publisher gives, piece by piece as the client takes it: the next one is
     * asked for when the last was taken. A publisher that fails is logged and the answer cut; if the client goes, the
     * subscription is cancelled. For trailers see {@link #respondStart}.
     *
     * @param status 200 to 999
     * @param headers fields of the response
     * @param body the body; subscribed to before this returns
     */
    public void respond(int status, Headers headers, Flow.Publisher<? extends ByteBuffer> body) {
        Objects.requireNonNull(body, "body");
        body.subscribe(new BodySubscriber(exchange, respondStart(status, headers)));
    }

    /**
     * Begins the answer to a request; its body follows piece by piece.
     *
     * @param status 200 to 999
     * @param headers fields of the response
     * @return takes the body; has to be finished
     */
    public ResponseBody respondStart(int status, Headers headers) {
        exchange.answering(false, "respondStart");
        ResponseBody body = new ResponseBody(exchange);
        exchange.responding(body);
        exchange.answered(Native.respondStart(engine(), stream(), status, Headers.raw(headers)), "respondStart");
        return body;
    }

    /**
     * Sends an informational response before the final one.
     *
     * @param status 100 to 199 but not 101
     * @param headers its fields
     */
    public void inform(int status, Headers headers) {
        int code = Native.inform(engine(), stream(), status, Headers.raw(headers));
        if (code != Native.OK && Status.of(code) != Status.GONE) {
            throw H2wsException.last(code, exchange.name() + ": inform");
        }
    }

    /**
     * Whether a body may follow the head: false if the head was the end of the request.
     *
     * @return true if there may be one
     */
    public boolean hasBody() {
        return !exchange.head.webSocket() && !exchange.head.end();
    }

    /**
     * Sets who hears the body. Until then the client is held back; a body that nobody hears stays where it is.
     *
     * @param listener hears it, as it comes
     * @throws H2wsException with {@link Status#WRONG_STATE} if the body has a listener
     */
    public void body(BodyListener listener) {
        exchange.listen(listener, -1);
    }

    /**
     * Sets who hears the body, so many pieces of it; more come as {@link #demand} asks.
     *
     * @param listener hears it
     * @param demand how many pieces may come; may be 0
     * @throws H2wsException with {@link Status#WRONG_STATE} if the body has a listener
     */
    public void body(BodyListener listener, long demand) {
        if (demand < 0) {
            throw new IllegalArgumentException(exchange.name() + ": a demand of " + demand);
        }
        exchange.listen(listener, demand);
    }

    /**
     * Asks for more pieces of the body; the end counts as one. What was asked for adds up.
     *
     * @param n how many more
     */
    public void demand(long n) {
        if (n <= 0) {
            throw new IllegalArgumentException(exchange.name() + ": a demand of " + n + "; it must be positive");
        }
        exchange.demand(n);
    }

    /**
     * The body as a publisher, for one subscriber. Its calls come where callbacks come. A request that ends before its
     * body is complete is an {@link java.io.IOException}; to cancel aborts the request, unless it was answered.
     *
     * @return the publisher
     */
    public Flow.Publisher<ByteBuffer> bodyPublisher() {
        return new BodyPublisher(this);
    }

    /**
     * The whole body.
     *
     * @param most how many bytes it may have
     * @return completes where callbacks come; exceptionally with an {@link java.io.IOException} if the body is longer
     *     or the request ends before it is complete
     */
    public CompletionStage<byte[]> bodyBytes(int most) {
        WholeBody whole = new WholeBody(most);
        body(whole);
        return whole.stage();
    }

    /**
     * Ends it at once with RST_STREAM. What waits to be sent is dropped. Nothing happens if it has ended already.
     *
     * @param h2Code the HTTP/2 error code (RFC 9113 section 7); 8 is CANCEL
     */
    public void abort(int h2Code) {
        exchange.abort(h2Code);
    }

    /**
     * Adds what runs when the exchange has ended, where callbacks run: also the socket's, if it was accepted. Runs soon
     * if it has ended already.
     *
     * @param action gets how it ended
     */
    public void onClosed(Consumer<Closed> action) {
        exchange.onClosed(action);
    }

    /** Nobody wants the rest of the body: without an answer that is the end, with one it is the answer's own matter. */
    void cancelBody(int h2Code) {
        if (!exchange.isAnswered()) {
            exchange.abort(h2Code);
        }
    }

    @Override
    public String toString() {
        return exchange.name();
    }

    private long engine() {
        return exchange.engine.id;
    }

    private long stream() {
        return exchange.stream();
    }
}
