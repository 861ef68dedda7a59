package dev.h2ws;

import dev.h2ws.internal.Native;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * The body of a response that {@link Request#respondStart} began. All methods may be called on any thread, also in
 * callbacks, and none blocks. What is given is copied before the call returns.
 */
public final class ResponseBody {
    private final Exchange exchange;
    // guarded by this
    private boolean finished;
    private boolean missed;
    private Runnable onWritable;

    ResponseBody(Exchange exchange) {
        this.exchange = exchange;
    }

    /**
     * Sends a piece.
     *
     * @param data the piece
     * @return what became of it
     * @throws H2wsException with {@link Status#WRONG_STATE} after {@link #finish()}
     */
    public SendResult send(byte[] data) {
        return send(data, 0, data.length);
    }

    /**
     * Sends a piece.
     *
     * @param data has the piece
     * @param offset where it begins
     * @param length how long it is
     * @return what became of it
     * @throws H2wsException with {@link Status#WRONG_STATE} after {@link #finish()}
     */
    public SendResult send(byte[] data, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, data.length);
        unfinished("send");
        return result(Native.sendBody(exchange.engine.id, exchange.stream(), data, offset, length), "send");
    }

    /**
     * Sends a piece.
     *
     * @param data the piece, from its position to its limit; the position is moved to the limit if it was
     *     {@link SendResult#SENT}, and else left
     * @return what became of it
     * @throws H2wsException with {@link Status#WRONG_STATE} after {@link #finish()}
     */
    public SendResult send(ByteBuffer data) {
        SendResult result;
        if (data.isDirect()) {
            unfinished("send");
            result = result(
                    Native.sendBodyBuffer(
                            exchange.engine.id, exchange.stream(), data, data.position(), data.remaining()),
                    "send");
        } else {
            Bytes bytes = Bytes.of(data);
            result = send(bytes.array(), bytes.offset(), bytes.length());
        }
        if (result == SendResult.SENT) {
            data.position(data.limit());
        }
        return result;
    }

    /**
     * Sets what runs after {@link SendResult#BUSY}, once there is room: where callbacks run, once for each time it was
     * busy. If there is room already by now, it runs soon.
     *
     * @param action what to run
     */
    public void onWritable(Runnable action) {
        boolean now;
        synchronized (this) {
            onWritable = action;
            now = missed;
            missed = false;
        }
        if (now) {
            exchange.lane.execute(action::run);
        }
    }

    /** Ends the body. */
    public void finish() {
        finish(Headers.of());
    }

    /**
     * Ends the body with trailers. Nothing happens if the client is gone.
     *
     * @param trailers the fields
     * @throws H2wsException with {@link Status#WRONG_STATE} if it was finished already
     */
    public void finish(Headers trailers) {
        synchronized (this) {
            unfinished("finish");
            finished = true;
        }
        int status = Native.finish(exchange.engine.id, exchange.stream(), Headers.raw(trailers));
        if (result(status, "finish") == SendResult.BUSY) {
            synchronized (this) {
                finished = false;
            }
            throw H2wsException.last(status, exchange.name() + ": finish");
        }
    }

    /** On the lane. */
    void writable() {
        Runnable action;
        synchronized (this) {
            action = onWritable;
            missed = action == null;
        }
        if (action != null) {
            action.run();
        }
    }

    private synchronized void unfinished(String call) {
        if (finished) {
            throw new H2wsException(
                    Status.WRONG_STATE, exchange.name() + ": " + call + ", but the response was finished already");
        }
    }

    private SendResult result(int status, String call) {
        if (status == Native.OK) {
            return SendResult.SENT;
        }
        switch (Status.of(status)) {
            case BUSY:
                return SendResult.BUSY;
            case GONE, SHUTTING_DOWN, WRONG_STATE:
                return SendResult.CLOSED;
            default:
                throw H2wsException.last(status, exchange.name() + ": " + call);
        }
    }
}
