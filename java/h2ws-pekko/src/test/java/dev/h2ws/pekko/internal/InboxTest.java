package dev.h2ws.pekko.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Closed;
import dev.h2ws.Fragment;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

class InboxTest {
    private static final byte[] DATA = {'p'};

    private final Inbox inbox = new Inbox(true);
    private final ArrayDeque<Object> ofStage = new ArrayDeque<>();

    /** A peer may send as many as it likes, and the window of its stream is given back for them. */
    @Test
    void controlsThatAFlowDoesNotTakeAreBounded() {
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 100; i++) {
                inbox.ping(null, DATA);
                inbox.pong(null, DATA);
            }
            inbox.take(ofStage);
        }
        assertThat(ofStage).hasSize(64);
        for (int i = 0; i < 10; i++) {
            ofStage.remove();
            inbox.shown();
        }
        for (int i = 0; i < 100; i++) {
            inbox.ping(null, DATA);
        }
        inbox.take(ofStage);
        assertThat(ofStage).hasSize(64);
    }

    @Test
    void whatComesAfterTheStageHasStoppedIsNothing() {
        inbox.closing(null, 1000, "before");
        inbox.detach();
        inbox.fragment(null, new Fragment(true, true, true, DATA));
        inbox.ping(null, DATA);
        inbox.ended(null, false);
        inbox.violated(null, 1002, "after");
        inbox.writable(null);
        inbox.closed(null, new Closed(1000, "", Closed.Cause.CLOSE_FRAME, 0, Closed.Side.REMOTE));
        inbox.take(ofStage);
        assertThat(ofStage).isEmpty();
        assertThat(inbox.closed()).isNull();
        assertThat(inbox.awake()).as("told of room").isFalse();
    }
}
