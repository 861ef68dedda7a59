package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.h2ws.Http2Peer;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Wire;
import java.io.IOException;
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

    /** For a load balancer that has yet to hear of it ({@code play.server.waitBeforeTermination}). */
    @Test
    void aServerThatWaitsBeforeItEndsServesWhoeverComes() throws Exception {
        List<String> heard = new CopyOnWriteArrayList<>();
        PlayServer server = Door.H2WS_HTTP2.start("play.server.waitBeforeTermination = 1 s");
        int port = server.port();
        long begun = System.nanoTime();
        server.application.coordinatedShutdown().addTask(CoordinatedShutdown.PhaseBeforeServiceUnbind(), "whoever comes", () ->
                CompletableFuture.supplyAsync(() -> {
                    try (Wire wire = new Http2Wire(port, "/java/text", Map.of(), null)) {
                        wire.text("hello");
                        heard.add(wire.next());
                    } catch (Exception e) {
                        heard.add(e.toString());
                    }
                    return Done.getInstance();
                }));
        server.close();
        assertThat(heard).containsExactly("text java hello");
        assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(TimeUnit.SECONDS.toNanos(1));
    }

    @Test
    void anAnswerThatTakesLongerThanItMayIsCut() throws Exception {
        PlayServer server = Door.H2WS_HTTP2.start("play.server.terminationTimeout = 200 ms");
        try (Http2Peer peer = new Http2Peer(new InetSocketAddress("127.0.0.1", server.port()))) {
            peer.greet();
            peer.write(Http2Peer.get(1, "/later/one"));
            server.sockets.asked.get(10, TimeUnit.SECONDS);
            server.close();
            peer.next(Http2Peer.GOAWAY);
            assertThat(server.sockets.later).isNotDone();
            assertThatThrownBy(() -> peer.answer(1)).isInstanceOf(IOException.class);
        } finally {
            server.sockets.later.complete("too late");
        }
    }
}
