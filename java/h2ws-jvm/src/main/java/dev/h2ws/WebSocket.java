package dev.h2ws;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.h2ws.internal.Native;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A WebSocket, over HTTP/2 or HTTP/1.1. All methods may be called on any thread, also in callbacks, and none blocks.
 *
 * <p>What is given to send is copied before the call returns. That a socket has ended, or that its queue is full, is no
 * mistake of the program and is told by a {@link SendResult}; a mistake, as a Ping that is too long, is a
 * {@link H2wsException} with the socket's id.
 */
public final class WebSocket {
    /** A normal closure (RFC 6455 section 7.4.1). */
    public static final int NORMAL_CLOSURE = 1000;
    /** Stands for a Close without a code (RFC 6455 section 7.4.1); it is never sent as such. */
    public static final int NO_CODE = 1005;

    private static final int INTERNAL_ERROR = 1011;

    private final Exchange exchange;
    private final String subprotocol;
    private volatile boolean closes;
    private volatile boolean tooLate;
    private volatile boolean inFragments;
    private volatile Object attachment;

    WebSocket(Exchange exchange, String subprotocol) {
        this.exchange = exchange;
        this.subprotocol = subprotocol;
    }

    /**
     * The handshake that it came from.
     *
     * @return the request
     */
    public Request request() {
        return exchange.request;
    }

    /**
     * The subprotocol that was chosen.
     *
     * @return its name, if one was chosen
     */
    public Optional<String> subprotocol() {
        return Optional.ofNullable(subprotocol);
    }

    /**
     * Whether messages may still be sent: neither side has closed. Only a snapshot.
     *
     * @return true if so
     */
    public boolean isOpen() {
        return !closes && !exchange.isClosed();
    }

    /**
     * Whether the client had gone before the handshake was accepted. Then no answer has gone out, and the listener hears
     * {@link WebSocketListener#closed} alone: whoever holds something for the socket need not begin with it.
     *
     * @return true if so
     */
    public boolean isTooLate() {
        return tooLate;
    }

    /** The handshake has ended before it was accepted. */
    void tooLate() {
        tooLate = true;
    }

    /**
     * Sends a text message.
     *
     * @param text the message; half of a surrogate pair becomes a question mark
     * @return what became of it
     */
    public SendResult sendText(CharSequence text) {
        return sendText(text.toString().getBytes(UTF_8));
    }

    /**
     * Sends a text message that is encoded already.
     *
     * @param utf8 the message in UTF-8; it is checked
     * @return what became of it
     * @throws H2wsException with {@link Status#NOT_UTF8}
     */
    public SendResult sendText(byte[] utf8) {
        return send(Native.TEXT, utf8, true);
    }

    /**
     * Sends a text message, never compressed: for secrets that stand beside text which an attacker chooses.
     *
     * @param text the message
     * @return what became of it
     */
    public SendResult sendTextUncompressed(CharSequence text) {
        return send(Native.TEXT, text.toString().getBytes(UTF_8), false);
    }

    /**
     * Sends a binary message.
     *
     * @param data the message
     * @return what became of it
     */
    public SendResult sendBinary(byte[] data) {
        return send(Native.BINARY, data, true);
    }

    /**
     * Sends a binary message.
     *
     * @param data the message, from its position to its limit; the position is moved to the limit if it was
     *     {@link SendResult#SENT}, and else left
     * @return what became of it
     */
    public SendResult sendBinary(ByteBuffer data) {
        return send(data, true);
    }

    /**
     * Sends a text message that is encoded already and that lies in several buffers: it need not be put together first.
     *
     * @param utf8 the message in UTF-8, each buffer from its position to its limit; it is checked. The positions are left
     * @return what became of it
     * @throws H2wsException with {@link Status#NOT_UTF8}
     */
    public SendResult sendText(List<ByteBuffer> utf8) {
        return send(Native.TEXT, utf8);
    }

    /**
     * Sends a binary message that lies in several buffers: it need not be put together first.
     *
     * @param data the message, each buffer from its position to its limit; the positions are left
     * @return what became of it
     */
    public SendResult sendBinary(List<ByteBuffer> data) {
        return send(Native.BINARY, data);
    }

    private SendResult send(int kind, List<ByteBuffer> data) {
        byte[][] pieces = new byte[data.size()][];
        int[] ranges = new int[2 * pieces.length];
        int next = 0;
        for (ByteBuffer buffer : data) {
            Bytes bytes = buffer.isDirect() ? Bytes.copied(buffer) : Bytes.of(buffer);
            pieces[next] = bytes.array();
            ranges[2 * next] = bytes.offset();
            ranges[2 * next + 1] = bytes.length();
            next++;
        }
        return result(Native.sendPieces(engine(), stream(), kind, pieces, ranges, true), "send");
    }

    /**
     * Sends a binary message, never compressed: for what is compressed already.
     *
     * @param data the message
     * @return what became of it
     */
    public SendResult sendBinaryUncompressed(byte[] data) {
        return send(Native.BINARY, data, false);
    }

    /**
     * Sends a binary message, never compressed: for what is compressed already.
     *
     * @param data the message, as for {@link #sendBinary(ByteBuffer)}
     * @return what became of it
     */
    public SendResult sendBinaryUncompressed(ByteBuffer data) {
        return send(data, false);
    }

    private SendResult send(int kind, byte[] data, boolean compress) {
        return result(Native.send(engine(), stream(), kind, data, 0, data.length, compress), "send");
    }

    private SendResult send(ByteBuffer data, boolean compress) {
        Bytes bytes = Bytes.of(data);
        int status = data.isDirect()
                ? Native.sendBuffer(
                        engine(), stream(), Native.BINARY, data, data.position(), data.remaining(), compress)
                : Native.send(
                        engine(), stream(), Native.BINARY, bytes.array(), bytes.offset(), bytes.length(), compress);
        SendResult result = result(status, "sendBinary");
        if (result == SendResult.SENT) {
            data.position(data.limit());
        }
        return result;
    }

    /**
     * Sends a part of a text message, as a frame of its own. Until the last part no other message can be sent.
     *
     * @param utf8 the part; it may end inside a character
     * @param last whether the message is complete
     * @return what became of it
     */
    public SendResult sendTextFragment(byte[] utf8, boolean last) {
        return sendFragment(Native.TEXT, utf8, last);
    }

    /**
     * Sends a part of a binary message, as a frame of its own. Until the last part no other message can be sent.
     *
     * @param data the part
     * @param last whether the message is complete
     * @return what became of it
     */
    public SendResult sendBinaryFragment(byte[] data, boolean last) {
        return sendFragment(Native.BINARY, data, last);
    }

    private SendResult sendFragment(int kind, byte[] data, boolean last) {
        boolean before = inFragments;
        // set first: another thread's message in between is a mistake, and told as one
        inFragments = true;
        int status = Native.sendFragment(engine(), stream(), kind, data, 0, data.length, last);
        if (status == Native.OK) {
            inFragments = !last;
        } else if (!before) {
            inFragments = false;
        }
        return result(status, "sendFragment");
    }

    /**
     * Sends a Ping.
     *
     * @param data its payload, at most 125 bytes
     * @return what became of it
     * @throws H2wsException with {@link Status#TOO_LARGE}
     */
    public SendResult sendPing(byte[] data) {
        return result(Native.ping(engine(), stream(), data), "sendPing");
    }

    /**
     * Sends a Pong. Pings are answered by h2ws unless the socket was accepted with
     * {@link AcceptOptions#manualControl()}.
     *
     * @param data its payload, at most 125 bytes
     * @return what became of it
     * @throws H2wsException with {@link Status#TOO_LARGE}
     */
    public SendResult sendPong(byte[] data) {
        return result(Native.pong(engine(), stream(), data), "sendPong");
    }

    /** Closes with 1000: {@code close(NORMAL_CLOSURE, "")}. */
    public void close() {
        close(NORMAL_CLOSURE, "");
    }

    /**
     * Begins the closing handshake with a Close, after what waits to be sent; or answers the peer's, with
     * {@link AcceptOptions#manualControl()}. {@link WebSocketListener#closed} follows. Nothing happens if it was closed
     * or has ended already.
     *
     * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999; {@link #NO_CODE} sends a Close without code and reason
     * @param reason at most 123 bytes of UTF-8
     * @throws H2wsException with {@link Status#INVALID_ARGUMENT} or {@link Status#TOO_LARGE}
     */
    public void close(int code, String reason) {
        int status = Native.close(engine(), stream(), code == NO_CODE ? -1 : code, reason);
        if (status == Native.OK) {
            closes = true;
        } else {
            result(status, "close(" + code + ")");
        }
    }

    /**
     * Ends it at once with RST_STREAM, as a TCP RST ends a connection (RFC 8441 section 5). What waits to be sent is
     * dropped. {@link WebSocketListener#closed} follows. Nothing happens if it has ended already.
     *
     * @param h2Code the HTTP/2 error code (RFC 9113 section 7); 8 is CANCEL
     */
    public void abort(int h2Code) {
        exchange.abort(h2Code);
        closes = true;
    }

    /**
     * Asks for more messages or fragments, on a socket accepted with {@link AcceptOptions#demand()}. What was asked for
     * adds up.
     *
     * @param n how many more
     * @throws IllegalArgumentException if {@code n} is not positive
     */
    public void demand(long n) {
        if (n <= 0) {
            throw new IllegalArgumentException(exchange.name() + ": a demand of " + n + "; it must be positive");
        }
        exchange.demand(n);
    }

    /**
     * What other threads than the socket's loop send and ask for from now on need not reach the peer before
     * {@link #uncork()}: the loop is not woken for each, and writes all of it at once. For a thread that answers many
     * messages in a row, and for no longer than that takes. {@link SendResult#BUSY} is said as ever, and followed by
     * {@link WebSocketListener#writable}. Nothing happens if the socket has ended.
     */
    public void cork() {
        Native.cork(engine(), stream());
    }

    /** Ends what {@link #cork()} began: what waits goes out. Nothing happens if it did not, or if the socket has ended. */
    public void uncork() {
        Native.uncork(engine(), stream());
    }

    /**
     * What was attached.
     *
     * @return the object, or null
     */
    public Object attachment() {
        return attachment;
    }

    /**
     * Attaches an object of the program's own, in place of the one before.
     *
     * @param attachment the object; may be null
     */
    public void attach(Object attachment) {
        this.attachment = attachment;
    }

    @Override
    public String toString() {
        return exchange.name();
    }

    /** The peer's Close is there. */
    void peerCloses() {
        closes = true;
    }

    /** After an exception out of a callback. */
    void fail() {
        Native.close(engine(), stream(), INTERNAL_ERROR, "");
        closes = true;
    }

    private SendResult result(int status, String call) {
        if (status == Native.OK) {
            return SendResult.SENT;
        }
        Status why = Status.of(status);
        switch (why) {
            case BUSY:
                return SendResult.BUSY;
            case GONE, SHUTTING_DOWN:
                return SendResult.CLOSED;
            case WRONG_STATE:
                // a Close of either side may have been quicker than whoever sends, but an unfinished message of our own
                // cannot
                if (!inFragments || closes) {
                    return SendResult.CLOSED;
                }
                break;
            default:
                break;
        }
        throw H2wsException.last(status, exchange.name() + ": " + call);
    }

    private long engine() {
        return exchange.engine.id;
    }

    private long stream() {
        return exchange.stream();
    }
}
