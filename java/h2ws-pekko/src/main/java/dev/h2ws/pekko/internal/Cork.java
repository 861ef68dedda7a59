package dev.h2ws.pekko.internal;

import dev.h2ws.WebSocket;
import java.util.Collection;
import org.apache.pekko.stream.stage.AsyncCallback;

/**
 * Holds back what a stage says to its socket while it goes through several events that came at once: the answers leave in one
 * write, and the loop is woken once.
 *
 * <p>Until the flow has had its turn with all of them, or takes no more of them. A step of a flow that takes its time holds the
 * answers before it up once, and then no more for a while.
 */
final class Cork {
    /** Nanoseconds that answers may take before they go out one by one. */
    private static final long LIMIT = 2_000_000;
    /** So many times they do, after they have taken longer. */
    private static final int PENALTY = 16;

    private final WebSocket socket;
    private final Collection<?> events;
    private final AsyncCallback<Cork> later;
    private boolean in;
    private boolean looks;
    private int left;
    private long since;
    private int penalty;

    /**
     * @param events those that the flow has not taken
     * @param later calls {@link #look} when the stage has had its turn
     */
    Cork(WebSocket socket, Collection<?> events, AsyncCallback<Cork> later) {
        this.socket = socket;
        this.events = events;
        this.later = later;
    }

    /** There are several events. */
    void put() {
        if (penalty > 0) {
            penalty--;
        } else if (!in) {
            in = true;
            since = System.nanoTime();
            socket.cork();
            if (!looks) {
                await();
            }
        }
    }

    private void await() {
        left = events.size();
        looks = true;
        later.invoke(this);
    }

    /** Something has been sent. */
    void sent(long now) {
        if (in && now - since > LIMIT) {
            penalty = PENALTY;
            pull();
        }
    }

    /** The stage has had its turn; a long one is cut into pieces. */
    void look() {
        looks = false;
        if (in && !events.isEmpty() && events.size() < left) {
            await();
        } else {
            pull();
        }
    }

    /** What was held back goes out. */
    void pull() {
        if (in) {
            in = false;
            socket.uncork();
        }
    }
}
