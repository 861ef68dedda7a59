import dev.h2ws.Closed;
import dev.h2ws.H2ws;
import dev.h2ws.Listener;
import dev.h2ws.SendResult;
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
                request.respond(200, "hello\n");
            }
        });
        System.out.println("listening on http://" + listener.address());
        // the engine's threads are daemons
        Thread.currentThread().join();
    }

    private static final class Echoes implements WebSocketListener {
        @Override
        public void text(WebSocket socket, String text) {
            sent(socket, socket.sendText(text));
        }

        @Override
        public void binary(WebSocket socket, byte[] data) {
            sent(socket, socket.sendBinary(data));
        }

        /**
         * Sending never waits. BUSY means that this peer takes nothing just now: 1 MiB is on its way to it. A server that
         * may lose nothing keeps the message and sends it in {@code writable}; this one gives up on such a peer.
         */
        private static void sent(WebSocket socket, SendResult result) {
            if (result == SendResult.BUSY) {
                socket.close(1013, "you do not read");
            }
        }

        @Override
        public void closed(WebSocket socket, Closed closed) {
            System.out.println("closed: " + closed.code() + " " + closed.reason());
        }
    }
}
