import dev.h2ws.H2ws;
import dev.h2ws.H2wsException;
import dev.h2ws.Request;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * A server that accepts its connections itself and hands them to h2ws: for programs that have their own accept loop,
 * look at a connection first, or take it from somewhere else.
 *
 * <pre>java -cp h2ws-jvm-0.1.0.jar Adopt.java 8080</pre>
 *
 * <p>The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it.
 */
public class Adopt {
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments.length > 0 ? arguments[0] : System.getenv().getOrDefault("PORT", "8080"));
        H2ws engine = H2ws.builder().start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            engine.drain(Duration.ofSeconds(5));
            engine.close();
        }));
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress("127.0.0.1", port), 1024);
            int bound = ((InetSocketAddress) server.getLocalAddress()).getPort();
            System.out.println("listening on http://127.0.0.1:" + bound);
            while (true) {
                handOver(engine, server.accept());
            }
        }
    }

    /** From here on the connection is the engine's. Bytes that have been read from it already could go along. */
    private static void handOver(H2ws engine, SocketChannel channel) throws IOException {
        try {
            engine.adopt(channel, Adopt::serve);
        } catch (H2wsException e) {
            // say the peer is gone already
            System.err.println(e.getMessage());
            channel.close();
        }
    }

    private static void serve(Request request) {
        if (!request.isWebSocket()) {
            request.respond(200, "hello\n");
            return;
        }
        request.accept(new WebSocketListener() {
            @Override
            public void text(WebSocket socket, String text) {
                socket.sendText(text);
            }

            @Override
            public void binary(WebSocket socket, byte[] data) {
                socket.sendBinary(data);
            }
        });
    }
}
