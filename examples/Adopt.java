import dev.h2ws.H2ws;
import dev.h2ws.Handler;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;

/**
 * A server that accepts its connections itself and hands them to h2ws: for programs that have their own accept loop, or
 * take connections from somewhere else.
 *
 * <pre>java -cp h2ws-jvm-0.1.0.jar Adopt.java 8080</pre>
 */
public class Adopt {
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments.length > 0 ? arguments[0] : System.getenv().getOrDefault("PORT", "8080"));
        Handler handler = request -> {
            if (request.isWebSocket()) {
                request.accept(new WebSocketListener() {
                    @Override
                    public void text(WebSocket socket, String text) {
                        socket.sendText(text);
                    }
                });
            } else {
                request.respond(200, "hello, world");
            }
        };
        try (H2ws engine = H2ws.builder().start();
                ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress("127.0.0.1", port));
            System.out.println("listening on http:/" + server.getLocalAddress());
            while (true) {
                // the channel is the engine's from here on
                engine.adopt(server.accept(), handler);
            }
        }
    }
}
