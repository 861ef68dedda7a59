import dev.h2ws.Closed;
import dev.h2ws.H2ws;
import dev.h2ws.Listener;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.time.Duration;

/**
 * An echo server: WebSockets over HTTP/2 and HTTP/1.1, and a page, on one port.
 *
 * <pre>java -cp h2ws-jvm-0.1.0.jar Echo.java 8080</pre>
 *
 * <p>The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it.
 */
public class Echo {
    public static void main(String[] arguments) throws InterruptedException {
        String port = arguments.length > 0 ? arguments[0] : System.getenv().getOrDefault("PORT", "8080");
        H2ws engine = H2ws.builder().start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            engine.drain(Duration.ofSeconds(5));
            engine.close();
        }));
        Listener listener = engine.listen("127.0.0.1:" + port, request -> {
            if (request.isWebSocket()) {
                request.accept(new Echoes());
            } else {
                request.respond(200, "hello, world");
            }
        });
        System.out.println("listening on http://" + listener.address());
        // the engine's threads are daemons
        Thread.currentThread().join();
    }

    private static final class Echoes implements WebSocketListener {
        @Override
        public void text(WebSocket socket, String text) {
            socket.sendText(text);
        }

        @Override
        public void binary(WebSocket socket, byte[] data) {
            socket.sendBinary(data);
        }

        @Override
        public void closed(WebSocket socket, Closed closed) {
            System.out.println(socket + " ended: " + closed);
        }
    }
}
