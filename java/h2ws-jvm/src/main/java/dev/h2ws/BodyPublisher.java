package dev.h2ws;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;

/**
 * A body for a subscriber: {@link Request#bodyPublisher}. The end of a body costs demand as a piece does, and a
 * subscriber need not ask for it: so one piece more is asked for than the subscriber did, and waits here.
 */
final class BodyPublisher implements Publisher<ByteBuffer> {
    private static final int H2_CANCEL = 8;

    private final Request request;
    private boolean subscribed;

    BodyPublisher(Request request) {
        this.request = request;
    }

    @Override
    public void subscribe(Subscriber<? super ByteBuffer> subscriber) {
        Objects.requireNonNull(subscriber, "subscriber");
        synchronized (this) {
            if (subscribed) {
                subscriber.onSubscribe(new Subscription() {
                    @Override
                    public void request(long n) {}

                    @Override
                    public void cancel() {}
                });
                subscriber.onError(new IllegalStateException(request + ": its body has a subscriber already"));
                return;
            }
            subscribed = true;
        }
        Delivery delivery = new Delivery(subscriber);
        subscriber.onSubscribe(delivery);
        // only now: nothing may come before onSubscribe
        try {
            request.body(delivery, 1);
        } catch (H2wsException e) {
            // somebody else hears the body
            delivery.fail(e);
            return;
        }
        delivery.begin();
    }

    /**
     * Between the body and its subscriber, whose calls are one at a time: whoever finds nobody at it does what there is
     * to do.
     */
    private final class Delivery implements Subscription, BodyListener {
        private final Subscriber<? super ByteBuffer> subscriber;
        // all guarded by this
        private final ArrayDeque<byte[]> pieces = new ArrayDeque<>(2);
        private long wanted;
        private long early;
        private boolean begun;
        private boolean ended;
        private Throwable error;
        private boolean done;
        private boolean delivering;

        Delivery(Subscriber<? super ByteBuffer> subscriber) {
            this.subscriber = subscriber;
        }

        void begin() {
            long asked;
            synchronized (this) {
                begun = true;
                asked = early;
            }
            if (asked > 0) {
                request.demand(asked);
            }
        }

        void fail(Throwable why) {
            synchronized (this) {
                ended = true;
                error = why;
            }
            deliver();
        }

        @Override
        public void request(long n) {
            boolean now;
            synchronized (this) {
                if (n <= 0) {
                    ended = true;
                    pieces.clear();
                    error = new IllegalArgumentException(request + ": a demand of " + n + "; it must be positive");
                    now = false;
                } else {
                    wanted = wanted + n < 0 ? Long.MAX_VALUE : wanted + n;
                    early = begun ? 0 : wanted;
                    now = begun && !ended;
                }
            }
            if (now) {
                request.demand(n);
            }
            deliver();
        }

        @Override
        public void cancel() {
            synchronized (this) {
                if (done) {
                    return;
                }
                done = true;
                pieces.clear();
                if (ended) {
                    return;
                }
            }
            request.cancelBody(H2_CANCEL);
        }

        @Override
        public void data(Request of, byte[] data) {
            synchronized (this) {
                if (done || ended) {
                    return;
                }
                pieces.add(data);
            }
            deliver();
        }

        @Override
        public void end(Request of, Headers trailers) {
            synchronized (this) {
                ended = true;
            }
            deliver();
        }

        @Override
        public void aborted(Request of, Closed closed) {
            synchronized (this) {
                if (ended) {
                    return;
                }
            }
            fail(new IOException(request + " ended before its body: " + closed));
        }

        private void deliver() {
            synchronized (this) {
                if (delivering) {
                    return;
                }
                delivering = true;
            }
            while (true) {
                byte[] piece = null;
                Throwable failure;
                synchronized (this) {
                    boolean more = !pieces.isEmpty();
                    if (done || (more ? wanted == 0 : !ended)) {
                        delivering = false;
                        return;
                    }
                    if (more) {
                        piece = pieces.poll();
                        wanted -= wanted == Long.MAX_VALUE ? 0 : 1;
                    } else {
                        done = true;
                    }
                    failure = error;
                }
                if (piece != null) {
                    subscriber.onNext(ByteBuffer.wrap(piece));
                } else if (failure != null) {
                    subscriber.onError(failure);
                } else {
                    subscriber.onComplete();
                }
            }
        }
    }
}
