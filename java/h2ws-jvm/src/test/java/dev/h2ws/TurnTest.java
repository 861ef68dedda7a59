package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is done after a turn of a loop ({@link H2ws#afterTurn}). */
class TurnTest extends EngineTest {
    private final AtomicInteger told = new AtomicInteger();
    private final BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();

    /** Requests that come at once; how many had been told when the task ran that the first one left. */
    private int toldBefore(int requests, Runnable task) throws Exception {
        Client.Place place = serve(request -> {
            if (told.incrementAndGet() == 1) {
                H2ws.afterTurn(task);
                H2ws.afterTurn(() -> seen.add(told.get()));
            }
            request.respond(200, "ok");
        });
        int port = Integer.parseInt(place.authority().split(":")[1]);
        try (Http2Peer peer = new Http2Peer(new InetSocketAddress("127.0.0.1", port))) {
            peer.greet();
            ByteArrayOutputStream burst = new ByteArrayOutputStream();
            for (int i = 0; i < requests; i++) {
                burst.writeBytes(Http2Peer.get(2 * i + 1, "/"));
            }
            peer.write(burst.toByteArray());
            Integer before = seen.poll(10, TimeUnit.SECONDS);
            assertThat(before).as("the task ran in 10 s").isNotNull();
            return before;
        }
    }

    @Test
    void aTaskRunsBehindAllThatCameAtOnce() throws Exception {
        assertThat(toldBefore(10, () -> {})).isEqualTo(10);
    }

    @Test
    void aTaskWaitsForNoMoreThan64Events() throws Exception {
        assertThat(toldBefore(100, () -> {})).isEqualTo(64);
    }

    @Test
    void aTaskThatThrowsIsLoggedAndTheNextOneRuns() throws Exception {
        int before = toldBefore(1, () -> {
            throw new IllegalStateException("on purpose");
        });
        assertThat(before).isEqualTo(1);
        assertThat(logged).anySatisfy(line -> assertThat(line).contains("after a turn").contains("on purpose"));
    }

    @Test
    void aTaskOfAnotherThreadRunsAtOnce() {
        Thread[] ran = new Thread[1];
        H2ws.afterTurn(() -> ran[0] = Thread.currentThread());
        assertThat(ran[0]).isSameAs(Thread.currentThread());
    }
}
