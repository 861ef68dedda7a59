package dev.h2ws;

import static dev.h2ws.HandOverFixture.await;
import static dev.h2ws.HandOverFixture.openDescriptors;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hand-over while bytes come in, and often. */
@Timeout(180)
class HandOverLoadTest {
    private static final int CLIENTS = 8;
    private static final int CONNECTIONS = 25;
    private static final int REQUESTS = 400;
    /** Fewer than the engine allows at once. */
    private static final int AT_ONCE = 50;

    private static final int HAND_OVERS = 10_000;

    @Test
    void nothingIsLostOfWhatIsInFlight() throws Exception {
        try (HandOverFixture fixture = new HandOverFixture()) {
            AtomicInteger prefixed = new AtomicInteger();
            Thread accepting = new Thread(() -> acceptAndReadSome(fixture, prefixed));
            accepting.start();
            ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
            try {
                List<Future<?>> running = new ArrayList<>();
                for (int i = 0; i < CLIENTS; i++) {
                    int client = i;
                    running.add(clients.submit(() -> {
                        for (int j = 0; j < CONNECTIONS; j++) {
                            sendAndHearAll(fixture, "/" + client + "/" + j + "/");
                        }
                        return null;
                    }));
                }
                for (Future<?> each : running) {
                    each.get(150, TimeUnit.SECONDS);
                }
            } finally {
                clients.shutdownNow();
            }
            fixture.server.close();
            accepting.join();
            assertThat(fixture.errors).isEmpty();
            assertThat(prefixed).as("connections of which bytes had been read").hasValueGreaterThan(0);
            assertThat(fixture.engine.stats().requests()).isEqualTo((long) CLIENTS * CONNECTIONS * REQUESTS);
        }
    }

    /** Each connection is handed over at another place of its stream, up to some thousand bytes in. */
    private static void acceptAndReadSome(HandOverFixture fixture, AtomicInteger prefixed) {
        Random random = new Random(8441);
        try {
            while (true) {
                SocketChannel channel = fixture.server.accept();
                ByteBuffer read = ByteBuffer.allocate(random.nextInt(1500));
                if (read.hasRemaining() && channel.read(read) > 0) {
                    prefixed.incrementAndGet();
                }
                fixture.adopt(channel, read.flip());
            }
        } catch (AsynchronousCloseException end) {
            // the test is over
        } catch (IOException | RuntimeException e) {
            fixture.errors.add(e.toString());
        }
    }

    /** One burst that nobody has confirmed yet, then a request for each answer. */
    private static void sendAndHearAll(HandOverFixture fixture, String path) throws IOException {
        try (Http2Peer peer = fixture.connect()) {
            ByteArrayOutputStream burst = new ByteArrayOutputStream();
            burst.writeBytes(Http2Peer.greeting());
            int sent = 0;
            while (sent < AT_ONCE) {
                burst.writeBytes(Http2Peer.get(2 * sent + 1, path + sent++));
            }
            peer.write(burst.toByteArray());

            Map<Integer, String> bodies = new HashMap<>();
            int answered = 0;
            while (answered < REQUESTS) {
                Http2Peer.Frame frame = peer.read();
                if (frame.type() == Http2Peer.DATA) {
                    bodies.merge(frame.stream(), new String(frame.payload(), ISO_8859_1), String::concat);
                } else {
                    assertThat(frame.type()).isNotIn(Http2Peer.RST_STREAM, Http2Peer.GOAWAY);
                }
                if (frame.type() <= Http2Peer.HEADERS && frame.has(Http2Peer.END_STREAM)) {
                    answered++;
                    assertThat(bodies.remove(frame.stream())).isEqualTo(path + (frame.stream() - 1) / 2);
                    if (sent < REQUESTS) {
                        peer.write(Http2Peer.get(2 * sent + 1, path + sent++));
                    }
                }
            }
            assertThat(bodies).isEmpty();
        }
    }

    @Test
    void tenThousandHandOversLeaveNoDescriptorBehind() throws IOException {
        try (HandOverFixture fixture = new HandOverFixture()) {
            byte[] request = "GET /one HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".getBytes(ISO_8859_1);
            long before = 0;
            for (int i = 0; i < HAND_OVERS; i++) {
                try (Http2Peer peer = fixture.connect()) {
                    peer.write(request);
                    fixture.adopt(fixture.server.accept());
                    assertThat(peer.readToEnd()).startsWith("HTTP/1.1 200 ").endsWith("/one");
                }
                if (i == 100) {
                    // what opens once for all is open by now
                    before = openDescriptors();
                } else if (i > 100 && i % 1000 == 0) {
                    long most = before + 8;
                    await("at most " + most + " descriptors after " + i, () -> openDescriptors() <= most);
                }
            }
            long all = before;
            await("as many descriptors as in the beginning", () -> openDescriptors() <= all);
            assertThat(fixture.engine.stats().connections()).isEqualTo(HAND_OVERS);
            assertThat(fixture.errors).isEmpty();
        }
    }
}
