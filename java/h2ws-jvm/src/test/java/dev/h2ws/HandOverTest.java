package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What can be handed over and what cannot, with real clients and by the byte. */
@Timeout(60)
class HandOverTest {
    private HandOverFixture fixture;

    @BeforeEach
    void start() throws IOException {
        fixture = new HandOverFixture();
    }

    @AfterEach
    void stop() throws IOException {
        fixture.close();
        assertThat(fixture.errors).isEmpty();
    }

    /** An accept loop of the program, which gives all away until its listening socket is closed. */
    private Thread acceptAll() {
        Thread accepting = new Thread(() -> {
            try {
                while (true) {
                    fixture.adopt(fixture.server.accept());
                }
            } catch (AsynchronousCloseException end) {
                // the test is over
            } catch (IOException | RuntimeException e) {
                fixture.errors.add(e.toString());
            }
        });
        accepting.start();
        return accepting;
    }

    @Test
    void requestsAndSocketsOfTheJdksClient() throws Exception {
        Thread accepting = acceptAll();
        String at = "127.0.0.1:" + fixture.address().getPort();
        HttpClient client = HttpClient.newHttpClient();
        for (int i = 0; i < 20; i++) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create("http://" + at + "/request/" + i)).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("/request/" + i);
        }

        CompletableFuture<String> echo = new CompletableFuture<>();
        CompletableFuture<Integer> closed = new CompletableFuture<>();
        WebSocket socket = client.newWebSocketBuilder()
                .buildAsync(URI.create("ws://" + at + "/chat"), new WebSocket.Listener() {
                    @Override
                    public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
                        echo.complete(text.toString());
                        return WebSocket.Listener.super.onText(from, text, last);
                    }

                    @Override
                    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                        closed.complete(code);
                        return null;
                    }
                })
                .get(30, TimeUnit.SECONDS);
        socket.sendText("grüß dich", true).get(30, TimeUnit.SECONDS);
        assertThat(echo.get(30, TimeUnit.SECONDS)).isEqualTo("grüß dich");
        socket.sendClose(1000, "enough").get(30, TimeUnit.SECONDS);
        assertThat(closed.get(30, TimeUnit.SECONDS)).isEqualTo(1000);
        fixture.server.close();
        accepting.join();
    }

    @Test
    void bytesThatTheProgramHasReadTravelAndTheOthersFollow() throws IOException {
        byte[] greeting = Http2Peer.greeting();
        for (int read = 0; read <= greeting.length; read += 7) {
            try (Http2Peer peer = fixture.connect()) {
                SocketChannel channel = fixture.server.accept();
                peer.write(greeting);
                ByteBuffer already = ByteBuffer.allocateDirect(read);
                while (already.hasRemaining()) {
                    assertThat(channel.read(already)).isPositive();
                }
                already.flip();
                fixture.adopt(channel, already);
                assertThat(already.hasRemaining()).isFalse();
                peer.greeted();
                peer.write(Http2Peer.get(1, "/" + read));
                assertThat(peer.answer(1)).isEqualTo("/" + read);
            }
        }
    }

    @Test
    void socketOfAServerSocketAndOfAChannelAndOneThatConnected() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Http2Peer peer = new Http2Peer(listening.getLocalSocketAddress())) {
            Socket socket = listening.accept();
            fixture.engine.adopt(socket, HandOverFixture::serve);
            assertThat(socket.isClosed()).isTrue();
            peer.greet();
            peer.ping();
        }
        try (Http2Peer peer = fixture.connect()) {
            SocketChannel channel = fixture.server.accept();
            fixture.engine.adopt(channel.socket(), HandOverFixture::serve);
            assertThat(channel.isOpen()).isFalse();
            peer.greet();
            peer.ping();
        }
        Socket connected = new Socket(fixture.address().getAddress(), fixture.address().getPort());
        try (Http2Peer peer = new Http2Peer(fixture.server.accept())) {
            fixture.engine.adopt(connected, HandOverFixture::serve);
            peer.greet();
            peer.ping();
        }
    }

    @Test
    void unixChannel(@TempDir Path folder) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("socket"));
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(address);
            try (Http2Peer peer = new Http2Peer(address)) {
                fixture.adopt(listening.accept());
                peer.greet();
                peer.ping();
            }
        }
    }

    @Test
    void whatCannotBeTakenOverSaysWhyAndWhatToDo() throws IOException {
        try (Socket tls = SSLSocketFactory.getDefault().createSocket()) {
            assertThat(refusal(tls)).contains("TLS is in the JVM", "plain ServerSocket", "ListenOptions.tls");
        }
        Socket socket = new Socket();
        assertThat(refusal(socket)).contains("not connected", "ServerSocket.accept");
        socket.close();
        assertThat(refusal(socket)).contains("closed");

        SocketChannel channel = SocketChannel.open();
        assertThat(refusal(channel)).contains("not connected", "accept");
        assertThat(refusal(channel.socket())).contains("not connected");
        channel.close();
        assertThat(refusal(channel)).contains("closed");
    }

    @Test
    void closedChannelDoesNotGiveAwayWhoHasItsNumberNow() throws IOException {
        try (Http2Peer peer = fixture.connect()) {
            SocketChannel channel = fixture.server.accept();
            channel.close();
            assertThat(peer.readToEnd()).isEmpty();
            // takes the number that has become free
            try (Http2Peer next = fixture.connect();
                    SocketChannel other = fixture.server.accept()) {
                assertThat(refusal(channel)).contains("closed");
                next.write(new byte[] {1});
                assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(1);
            }
        }
    }

    @Test
    void descriptorThatIsNoConnectedSocketIsLeftAlone() {
        assertThatExceptionOfType(H2wsException.class)
                .isThrownBy(() -> fixture.engine.adoptDescriptor(
                        0, HandOverFixture::serve, ByteBuffer.allocate(0), ListenOptions.defaults()))
                .matches(e -> e.status() == Status.NOT_A_SOCKET);
        assertThatExceptionOfType(H2wsException.class)
                .isThrownBy(() -> fixture.engine.adoptDescriptor(
                        -1, HandOverFixture::serve, ByteBuffer.allocate(0), ListenOptions.defaults()))
                .matches(e -> e.status() == Status.NOT_A_SOCKET);
    }

    @Test
    void engineThatHasEndedClosesTheConnection() throws IOException {
        try (Http2Peer peer = fixture.connect()) {
            SocketChannel channel = fixture.server.accept();
            fixture.engine.close();
            assertThatExceptionOfType(H2wsException.class).isThrownBy(() -> fixture.adopt(channel));
            assertThat(channel.isOpen()).isFalse();
            assertThat(peer.readToEnd()).isEmpty();
        }
    }

    private String refusal(Object socket) {
        H2wsException refused = catchThrowableOfType(H2wsException.class, () -> {
            if (socket instanceof SocketChannel channel) {
                fixture.adopt(channel);
            } else {
                fixture.engine.adopt((Socket) socket, HandOverFixture::serve);
            }
        });
        assertThat(refused).isNotNull();
        assertThat(refused.status()).isEqualTo(Status.NOT_A_SOCKET);
        return refused.getMessage();
    }
}
