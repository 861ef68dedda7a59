package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections whose bytes the program moves: fallback, raw listeners, attached ones. */
class DuplexTest extends EngineTest {
    private static final String REQUEST = "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

    /** Sends back what comes, as far as there is room, and ends when the other side does. */
    private static final class EchoBytes implements Duplex.Listener {
        private final Duplex duplex;
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(50_000).limit(0);
        final CompletableFuture<Integer> ended = new CompletableFuture<>();

        EchoBytes(Duplex duplex) {
            this.duplex = duplex;
            duplex.listen(this);
            readable();
        }

        @Override
        public void readable() {
            while (true) {
                if (buffer.hasRemaining()) {
                    duplex.write(buffer);
                    if (buffer.hasRemaining()) {
                        return;
                    }
                }
                int n = duplex.read(buffer.clear());
                buffer.flip();
                if (n < 0) {
                    duplex.close();
                    ended.complete(n);
                    return;
                }
                if (n == 0) {
                    return;
                }
            }
        }

        @Override
        public void writable() {
            readable();
        }
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Test
    void whatIsNoHttp2GoesToTheProgramAsBytes() throws Exception {
        CompletableFuture<EchoBytes> taken = new CompletableFuture<>();
        Client.Place place = serve(
                builder().fallback(connection -> taken.complete(new EchoBytes(connection.duplex()))), request -> {});
        String[] address = place.authority().split(":");
        try (Socket client = new Socket(address[0], Integer.parseInt(address[1]))) {
            client.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            byte[] large = new byte[3_000_000];
            Thread writer = new Thread(() -> {
                try {
                    client.getOutputStream().write(large);
                    client.shutdownOutput();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            writer.start();
            assertThat(client.getInputStream().readAllBytes()).hasSize(REQUEST.length() + large.length);
            writer.join();
        }
        assertThat(taken.get(10, TimeUnit.SECONDS).ended.get(10, TimeUnit.SECONDS)).isEqualTo(Duplex.END);
        assertThat(engine.stats().get("fallbacks")).isEqualTo(1);
    }

    @Test
    void aRawListenerGivesEverythingUnread() throws Exception {
        engine = builder().start();
        CompletableFuture<String> peer = new CompletableFuture<>();
        Listener listener = engine.listenRaw(
                loopback(),
                connection -> {
                    peer.complete(connection.peer());
                    new EchoBytes(connection.duplex());
                },
                ListenOptions.defaults());
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), listener.port())) {
            assertThat(peer.get(10, TimeUnit.SECONDS)).isEqualTo("127.0.0.1:" + client.getLocalPort());
            client.getOutputStream().write("PRI * HTTP/2.0".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().readNBytes(14)).asString(StandardCharsets.US_ASCII)
                    .isEqualTo("PRI * HTTP/2.0");
        }
    }

    @Test
    void aRawTakerThatThrowsClosesTheConnection() throws Exception {
        engine = builder().start();
        Listener listener = engine.listenRaw(
                loopback(),
                connection -> {
                    throw new IllegalStateException("as the test asked");
                },
                ListenOptions.defaults());
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), listener.port());
                InputStream in = client.getInputStream()) {
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @Test
    void anAttachedConnectionIsServed() throws Exception {
        engine = builder().start();
        Duplex duplex = engine.attach(
                request -> request.respond(200, "to " + request.remoteAddress() + "\n"), AttachOptions.of("192.0.2.1:7"));
        StringBuilder answer = new StringBuilder();
        CompletableFuture<Integer> ended = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        Duplex.Listener reader = new Duplex.Listener() {
            @Override
            public synchronized void readable() {
                // a buffer on the heap, smaller than the answer
                ByteBuffer some = ByteBuffer.allocate(16);
                int n = duplex.read(some);
                while (n > 0) {
                    answer.append(StandardCharsets.US_ASCII.decode(some.flip()));
                    n = duplex.read(some.clear());
                }
                if (n < 0) {
                    ended.complete(n);
                    duplex.shutdownOutput();
                }
            }

            @Override
            public void closed() {
                closed.complete(null);
            }
        };
        duplex.listen(reader);
        assertThat(duplex.write(ByteBuffer.wrap(REQUEST.getBytes(StandardCharsets.US_ASCII)))).isEqualTo(REQUEST.length());
        assertThat(ended.get(10, TimeUnit.SECONDS)).isEqualTo(Duplex.END);
        assertThat(answer.toString()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("to 192.0.2.1:7\n");
        closed.get(10, TimeUnit.SECONDS);
        assertThat(duplex.write(ByteBuffer.wrap(new byte[1]))).isEqualTo(Duplex.GONE);
        duplex.close();
        assertThat(duplex.read(ByteBuffer.allocate(1))).isNegative();
    }

    @Test
    void anAbortEndsTheRequest() throws Exception {
        engine = builder().start();
        CompletableFuture<Closed> closed = new CompletableFuture<>();
        CompletableFuture<Void> came = new CompletableFuture<>();
        Duplex duplex = engine.attach(
                request -> {
                    request.onClosed(closed::complete);
                    came.complete(null);
                },
                AttachOptions.of(""));
        duplex.write(ByteBuffer.wrap(REQUEST.getBytes(StandardCharsets.US_ASCII)));
        came.get(10, TimeUnit.SECONDS);
        duplex.abort();
        assertThat(closed.get(10, TimeUnit.SECONDS).cause()).isEqualTo(Closed.Cause.DISCONNECTED);
    }

    /** What {@code writable} and the end have told. */
    private static final class Told implements Duplex.Listener {
        private final Semaphore writable = new Semaphore(0);
        private final CompletableFuture<Void> closed = new CompletableFuture<>();

        @Override
        public void writable() {
            writable.release();
        }

        @Override
        public void closed() {
            closed.complete(null);
        }
    }

    /** The n bytes that continue the pattern at a place of it. */
    private static byte[] pattern(int at, int n) {
        byte[] bytes = new byte[n];
        for (int i = 0; i < n; i++) {
            bytes[i] = (byte) (at + i);
        }
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aShortWriteIsFollowedByRoomAndAResetIsTold(boolean direct) throws Exception {
        engine = builder().start();
        CompletableFuture<Duplex> taken = new CompletableFuture<>();
        Listener listener = engine.listenRaw(
                loopback(), connection -> taken.complete(connection.duplex()), ListenOptions.defaults());
        Told told = new Told();
        Duplex duplex;
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), listener.port())) {
            client.setSoTimeout(10_000);
            client.getOutputStream().write(1);
            duplex = taken.get(10, TimeUnit.SECONDS);
            duplex.listen(told);
            int piece = 65_536;
            ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(piece) : ByteBuffer.allocate(piece);
            int written = 0;
            // the client reads nothing: its window, the kernel's buffers and our own 256 KiB fill up
            do {
                buffer.clear().put(pattern(written, piece)).flip();
                int n = duplex.write(buffer);
                assertThat(buffer.position()).isEqualTo(n);
                written += n;
                assertThat(written).isLessThan(64 << 20);
            } while (!buffer.hasRemaining());
            assertThat(client.getInputStream().readNBytes(written)).isEqualTo(pattern(0, written));
            assertThat(told.writable.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
            int rest = buffer.remaining();
            assertThat(duplex.write(buffer)).isEqualTo(rest);
            assertThat(client.getInputStream().readNBytes(rest)).isEqualTo(pattern(written, rest));
            client.setSoLinger(true, 0);
        }
        told.closed.get(10, TimeUnit.SECONDS);
        ByteBuffer all = ByteBuffer.allocate(8);
        assertThat(duplex.read(all)).as("what came before is not lost").isEqualTo(1);
        assertThat(duplex.read(all)).isEqualTo(Duplex.RESET);
        assertThat(duplex.write(ByteBuffer.allocate(1))).isEqualTo(Duplex.GONE);
        duplex.close();
    }

    @Test
    void afterTheEndNothingIsAttached() {
        engine = builder().start();
        engine.close();
        assertThatThrownBy(() -> engine.attach(request -> {}, AttachOptions.of(""))).isInstanceOf(H2wsException.class);
    }
}
