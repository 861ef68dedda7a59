package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Connections that the program accepted. */
class AdoptTest extends EngineTest {
    private static final byte[] REQUEST =
            "GET /adopted HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static String exchange(Socket client, byte[] request) throws Exception {
        client.setSoTimeout(10_000);
        client.getOutputStream().write(request);
        return new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }

    @Test
    void aChannel() throws Exception {
        engine = builder().start();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(loopback());
                Socket client = connect(server.getLocalAddress())) {
            SocketChannel accepted = server.accept();
            engine.adopt(accepted, request -> request.respond(200, request.path()));
            assertThat(accepted.isOpen()).isFalse();
            assertThat(exchange(client, REQUEST)).startsWith("HTTP/1.1 200").endsWith("/adopted");
        }
    }

    @Test
    void aSocket() throws Exception {
        engine = builder().start();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = connect(server.getLocalSocketAddress())) {
            Socket accepted = server.accept();
            engine.adopt(accepted, request -> request.respond(200, request.path()));
            assertThat(accepted.isClosed()).isTrue();
            assertThat(exchange(client, REQUEST)).startsWith("HTTP/1.1 200").endsWith("/adopted");
        }
    }

    @Test
    void theSocketOfAChannel() throws Exception {
        engine = builder().start();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(loopback());
                Socket client = connect(server.getLocalAddress())) {
            engine.adopt(server.accept().socket(), request -> request.respond(200, request.path()));
            assertThat(exchange(client, REQUEST)).endsWith("/adopted");
        }
    }

    @Test
    void whatWasReadAlready() throws Exception {
        engine = builder().start();
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(loopback());
                Socket client = connect(server.getLocalAddress())) {
            SocketChannel accepted = server.accept();
            client.getOutputStream().write(REQUEST, 0, 10);
            ByteBuffer read = ByteBuffer.allocateDirect(100);
            while (read.position() < 10) {
                accepted.read(read);
            }
            read.flip();
            engine.adopt(accepted, request -> request.respond(200, request.path()), read, ListenOptions.defaults());
            assertThat(read.hasRemaining()).isFalse();
            byte[] rest = java.util.Arrays.copyOfRange(REQUEST, 10, REQUEST.length);
            assertThat(exchange(client, rest)).endsWith("/adopted");
        }
    }

    @Test
    void eachConnectionHasItsHandler() throws Exception {
        Client.Place place = serve(request -> request.respond(200, "listener"));
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(loopback())) {
            for (int i = 0; i < 200; i++) {
                try (Socket client = connect(server.getLocalAddress())) {
                    // there before the connection is adopted: the request may be read before adopt has returned
                    client.getOutputStream().write(REQUEST);
                    String name = "handler " + i;
                    engine.adopt(server.accept(), request -> request.respond(200, name));
                    assertThat(exchange(client, new byte[0])).endsWith(name);
                }
            }
        }
        assertThat(Client.get(place, "/").body()).isEqualTo("listener");
    }

    @Test
    void eachListenerHasItsHandlerAlsoAfterItWasClosed() throws Exception {
        Client.Place first = serve(request -> request.respond(200, "first"));
        Listener second = engine.listen("127.0.0.1:0", request -> request.respond(200, "second"));
        assertThat(Client.get(first, "/").body()).isEqualTo("first");
        assertThat(Client.get(Client.Place.of(second), "/").body()).isEqualTo("second");
        second.close();
        // on the connection of before
        assertThat(Client.get(Client.Place.of(second), "/").body()).isEqualTo("second");
        assertThatThrownBy(() -> connect(new InetSocketAddress("127.0.0.1", second.port())))
                .isInstanceOf(java.net.ConnectException.class);
    }

    @Test
    void aSocketThatIsNotConnectedIsRefusedAndLeftAsItWas() throws Exception {
        engine = builder().start();
        try (SocketChannel channel = SocketChannel.open()) {
            assertThatThrownBy(() -> engine.adopt(channel, request -> {})).isInstanceOf(H2wsException.class);
        }
        Socket closed = new Socket();
        closed.close();
        assertThatThrownBy(() -> engine.adopt(closed, request -> {})).isInstanceOf(H2wsException.class);
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static Socket connect(java.net.SocketAddress address) throws java.io.IOException {
        Socket socket = new Socket();
        socket.connect(address);
        return socket;
    }
}
