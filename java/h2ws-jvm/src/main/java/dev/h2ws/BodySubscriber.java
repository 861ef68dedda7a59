package dev.h2ws;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;

/**
 * Sends what a publisher gives as the body of a response: {@link Request#respond(int, Headers,
 * java.util.concurrent.Flow.Publisher)}. One piece is asked for at a time, the next one when the last was taken.
 */
final class BodySubscriber implements Subscriber<ByteBuffer> {
    private static final int H2_INTERNAL_ERROR = 2;

    private final Exchange exchange;
    private final ResponseBody body;
    // all guarded by this
    private Subscription subscription;
    /** A piece that there was no room for. */
    private ByteBuffer waits;
    private boolean complete;
    private boolean over;

    BodySubscriber(Exchange exchange, ResponseBody body) {
        this.exchange = exchange;
        this.body = body;
        body.onWritable(this::again);
        exchange.onClosed(how -> cancel());
    }

    @Override
    public void onSubscribe(Subscription given) {
        Objects.requireNonNull(given, "subscription");
        boolean first;
        synchronized (this) {
            first = subscription == null && !over;
            if (first) {
                subscription = given;
            }
        }
        if (first) {
            given.request(1);
        } else {
            given.cancel();
        }
    }

    @Override
    public void onNext(ByteBuffer piece) {
        send(Objects.requireNonNull(piece, "piece"));
    }

    private void send(ByteBuffer piece) {
        Subscription from;
        synchronized (this) {
            if (over) {
                return;
            }
            switch (body.send(piece)) {
                case SENT -> waits = null;
                case BUSY -> {
                    waits = piece;
                    return;
                }
                case CLOSED -> {
                    // its end is told, or is about to be: cancel() follows
                    return;
                }
            }
            if (complete) {
                over = true;
                body.finish();
                return;
            }
            from = subscription;
        }
        from.request(1);
    }

    /** There is room. */
    private void again() {
        ByteBuffer piece;
        synchronized (this) {
            piece = waits;
        }
        if (piece != null) {
            send(piece);
        }
    }

    @Override
    public void onError(Throwable error) {
        Objects.requireNonNull(error, "error");
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
            waits = null;
        }
        exchange.engine.log.accept(System.Logger.Level.ERROR, exchange.name() + ": the publisher of its body failed", error);
        exchange.abort(H2_INTERNAL_ERROR);
    }

    @Override
    public void onComplete() {
        synchronized (this) {
            complete = true;
            if (over || waits != null) {
                return;
            }
            over = true;
            body.finish();
        }
    }

    /** Nobody takes it any more. */
    private void cancel() {
        Subscription from;
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
            waits = null;
            from = subscription;
        }
        if (from != null) {
            from.cancel();
        }
    }
}
