package dev.h2ws.testhost;

import dev.h2ws.SendResult;
import java.util.ArrayDeque;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * What a stream was too busy to take, in its order. A stream has {@link #CREDIT} credits, and gets those back that it has used when
 * nothing waits: a peer that sends and does not read gets no further. Used by one thread at a time.
 */
final class Outbox {
    /** What a turn of the loop brings of one socket at most. Each may be a message of the largest size. */
    static final int CREDIT = 64;

    private final ArrayDeque<Supplier<SendResult>> waiting = new ArrayDeque<>();
    private final LongConsumer demand;
    private int used;

    Outbox(LongConsumer demand) {
        this.demand = demand;
    }

    /** Sends now, or when there is room and what waits has gone. */
    void send(Supplier<SendResult> send) {
        if (!waiting.isEmpty() || send.get() == SendResult.BUSY) {
            waiting.add(send);
        }
    }

    /** Whether something waits, behind which everything else has to. */
    boolean waits() {
        return !waiting.isEmpty();
    }

    /** One event is dealt with. */
    void used() {
        used++;
        giveBack();
    }

    /** There is room. */
    void flush() {
        while (!waiting.isEmpty() && waiting.peek().get() != SendResult.BUSY) {
            waiting.remove();
        }
        giveBack();
    }

    private void giveBack() {
        if (waiting.isEmpty() && used >= CREDIT / 2) {
            int n = used;
            used = 0;
            demand.accept(n);
        }
    }
}
