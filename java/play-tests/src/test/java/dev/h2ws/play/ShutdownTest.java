package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Http2Peer;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Wire;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** In which order an application ends, with an answer under way and a socket open. */
@Timeout(60)
class ShutdownTest {
    private static void note(CoordinatedShutdown shutdown, String phase, List<String> order) {
        shutdown.addTask(phase, "noted", () -> {
            order.add(phase);
            return CompletableFuture.completedFuture(Done.getInstance());
        });
    }

    @Test
    void whatIsUnderWayIsAnsweredBeforeTheApplicationStops() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        PlayServer server = Door.H2WS_HTTP2.start("");
        CoordinatedShutdown shutdown = server.application.coordinatedShutdown();
        String unbound = CoordinatedShutdown.PhaseServiceRequestsDone();
        // where the hooks of play.api.inject.ApplicationLifecycle run
        String stops = CoordinatedShutdown.PhaseServiceStop();
        note(shutdown, unbound, order);
        note(shutdown, stops, order);
        try (Http2Peer peer = new Http2Peer(new InetSocketAddress("127.0.0.1", server.port()));
                Wire socket = new Http2Wire(server.port(), "/java/text", Map.of(), null)) {
            peer.greet();
            peer.write(Http2Peer.get(1, "/later/one"));
            server.sockets.asked.get(10, TimeUnit.SECONDS);
            Thread end = new Thread(server::close, "end");
            end.start();

            assertThat(socket.next()).startsWith("close 1001");
            socket.close(1001, "");
            assertThat(socket.next()).isEqualTo("end");
            peer.next(Http2Peer.GOAWAY);
            assertThat(order).as("while an answer is under way").doesNotContain(stops);

            server.sockets.later.complete("answered");
            assertThat(peer.answer(1)).isEqualTo("answered");
            end.join();
            assertThat(order).containsExactly(unbound, stops);
        } finally {
            server.sockets.later.complete("too late");
            server.close();
        }
    }
}
