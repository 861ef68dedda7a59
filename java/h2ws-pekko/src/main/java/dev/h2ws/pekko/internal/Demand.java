package dev.h2ws.pekko.internal;

import dev.h2ws.Fragment;
import dev.h2ws.WebSocket;

/** How many fragments a stage asks for ahead: more and more while they are small, few once a large one was seen. */
final class Demand {
    /** What those that were asked for come to, if they are as long as the last one. */
    private static final int BYTES = 128 << 10;

    private static final int LEAST = 4;
    private static final int FIRST = 8;
    private static final int MOST = 64;

    private final WebSocket socket;
    private int ahead = FIRST;
    private int asked;

    Demand(WebSocket socket) {
        this.socket = socket;
    }

    void begin() {
        asked = ahead;
        socket.demand(ahead);
    }

    /** A fragment has left the queue: the peer may send another one. */
    void taken(Fragment fragment) {
        int fit = Math.min(Math.max(BYTES / Math.max(fragment.data().length, 1), LEAST), MOST);
        if (ahead > fit) {
            ahead = fit;
        } else if (ahead < fit && fragment.last()) {
            ahead++;
        }
        asked--;
        if (asked <= ahead / 2) {
            socket.demand(ahead - asked);
            asked = ahead;
        }
    }
}
