package dev.h2ws.pekko.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Fragment;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.junit.jupiter.api.Test;
import scala.concurrent.Future;

/** What comes while the stage has its turn, step by step as the loop's thread may come in between. */
class InboxTest {
    private static final Fragment FRAGMENT = new Fragment(false, true, true, new byte[1]);

    private final Inbox inbox = new Inbox(false);
    private final AtomicInteger woken = new AtomicInteger();

    InboxTest() {
        inbox.attach(new AsyncCallback<>() {
            @Override
            public void invoke(Inbox from) {
                woken.incrementAndGet();
            }

            @Override
            public Future<Done> invokeWithFeedback(Inbox from) {
                throw new UnsupportedOperationException();
            }
        });
    }

    @Test
    void wakesOnceUntilTheStageHasItsTurn() {
        inbox.fragment(null, FRAGMENT);
        inbox.fragment(null, FRAGMENT);
        inbox.writable(null);
        assertThat(woken).hasValue(1);
        assertThat(inbox.awake()).isTrue();
        assertThat(take()).hasSize(2);
    }

    @Test
    void roomThatComesWhileTheStageLooksWakesItAgain() {
        inbox.fragment(null, FRAGMENT);
        assertThat(inbox.awake()).isFalse();
        inbox.writable(null);
        take();
        assertThat(woken).hasValue(2);
        assertThat(inbox.awake()).isTrue();
    }

    @Test
    void anEventThatComesWhileTheStageLooksIsTakenOrWakesIt() {
        inbox.writable(null);
        assertThat(inbox.awake()).isTrue();
        inbox.fragment(null, FRAGMENT);
        assertThat(take()).containsExactly(FRAGMENT);
        inbox.fragment(null, FRAGMENT);
        assertThat(inbox.awake()).isFalse();
        assertThat(take()).containsExactly(FRAGMENT);
        assertThat(woken).hasValue(2);
    }

    private ArrayDeque<Object> take() {
        ArrayDeque<Object> events = new ArrayDeque<>();
        inbox.take(events);
        return events;
    }
}
