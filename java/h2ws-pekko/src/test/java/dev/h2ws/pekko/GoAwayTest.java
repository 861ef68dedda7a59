package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Http2Peer;
import dev.h2ws.Http2Peer.Frame;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client of HTTP/2 sees of {@code terminate}: the two steps of RFC 9113 section 6.8, and the answers it waits for. */
@Timeout(60)
class GoAwayTest {
    private static final int NO_ERROR = 0;

    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    private final AtomicInteger hellos = new AtomicInteger();
    private final Route routes = Directives.concat(
            Directives.path("later", () -> {
                asked.complete(null);
                return Directives.completeWithFuture(answer);
            }),
            Directives.path("hello", () -> {
                hellos.incrementAndGet();
                return Directives.complete("hello");
            }));

    private ActorSystem system;

    @BeforeEach
    void start() {
        system = ActorSystem.create("goaway", TestConfig.quiet());
    }

    @AfterEach
    void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static void goAway(Http2Peer peer, int lastStream) throws Exception {
        ByteBuffer payload = ByteBuffer.wrap(peer.next(Http2Peer.GOAWAY).payload());
        assertThat(payload.getInt()).as("last stream").isEqualTo(lastStream);
        assertThat(payload.getInt()).as("error code").isEqualTo(NO_ERROR);
    }

    @Test
    void rfc9113_6_8_twoStepsAndWhatIsUnderWayIsAnswered() throws Exception {
        ServerBinding binding = H2ws.get(system)
                .newServerAt("127.0.0.1", 0)
                .bind(routes)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        InetSocketAddress address = binding.localAddress();
        try (Http2Peer peer = new Http2Peer(SocketChannel.open(address))) {
            peer.greet();
            peer.write(Http2Peer.get(1, "/later"));
            asked.get(10, TimeUnit.SECONDS);
            CompletionStage<?> terminated = binding.terminate(Duration.ofSeconds(50));

            goAway(peer, Integer.MAX_VALUE);
            // what tells the server that the client has heard it
            Frame ping = peer.next(Http2Peer.PING);
            peer.write(Http2Peer.frame(Http2Peer.PING, Http2Peer.ACK, 0, ping.payload()));
            goAway(peer, 1);

            peer.write(Http2Peer.get(3, "/hello"));
            peer.ping();
            assertThat(hellos).as("requests behind the last stream").hasValue(0);
            assertThat(terminated.toCompletableFuture()).as("one is under way").isNotDone();

            answer.complete(HttpResponse.create().withEntity("answered"));
            assertThat(peer.answer(1)).isEqualTo("answered");
            terminated.toCompletableFuture().get(10, TimeUnit.SECONDS);
            peer.readFramesToEnd();
        }
    }
}
