package dev.h2ws.peers;

import dev.h2ws.AcceptOptions;
import dev.h2ws.Closed;
import dev.h2ws.H2ws;
import dev.h2ws.Headers;
import dev.h2ws.ListenOptions;
import dev.h2ws.Listener;
import dev.h2ws.Request;
import dev.h2ws.SendResult;
import dev.h2ws.Tls;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The h2ws side of the tests: an engine with a page for each thing that a client may meet, and what it saw of its
 * sockets.
 *
 * <p>{@code /echo} takes the last subprotocol that is offered; {@code /reject} answers 403 with a body; {@code /close}
 * closes with 4001 when it hears a text, with the text as the reason; {@code /flood} sends as many messages as the text
 * says; {@code /ping} sends a text back as a Ping. Requests: {@code /hello}, and any other page sends the body back.
 */
final class Server implements AutoCloseable {
    static final int CLOSE_CODE = 4001;
    static final String REFUSAL = "not for you";

    final BlockingQueue<Closed> closed = new LinkedBlockingQueue<>();
    final BlockingQueue<String> pongs = new LinkedBlockingQueue<>();
    /** Must be empty at the end: no client may make the engine complain. */
    final List<String> logged = new CopyOnWriteArrayList<>();

    final H2ws engine;
    private final Listener listener;

    Server(Tls tls) {
        engine = H2ws.builder()
                .loops(2)
                .onLog((level, text, thrown) -> {
                    if (level.compareTo(Level.INFO) >= 0) {
                        logged.add(level + " " + text + (thrown == null ? "" : " " + thrown));
                    }
                })
                .start();
        // what is to be tested would not be if a client fell back to HTTP/1.1
        ListenOptions clear = ListenOptions.defaults().withoutHttp1();
        ListenOptions options = tls == null ? clear : clear.tls(tls);
        listener = engine.listen("127.0.0.1:0", this::handle, options);
    }

    int port() {
        return listener.port();
    }

    private void handle(Request request) {
        if (!request.isWebSocket()) {
            if (request.path().equals("/hello")) {
                request.respond(200, "hello");
            } else {
                request.bodyBytes(8 << 20).thenAccept(body -> request.respond(200, body));
            }
            return;
        }
        switch (request.path()) {
            case "/echo" -> {
                List<String> offered = request.subprotocols();
                AcceptOptions options = AcceptOptions.defaults();
                if (!offered.isEmpty()) {
                    options = options.subprotocol(offered.get(offered.size() - 1));
                }
                request.accept(options, new Echo());
            }
            case "/reject" -> request.reject(
                    403, Headers.of("x-reason", "test"), REFUSAL.getBytes(StandardCharsets.UTF_8));
            case "/close" -> request.accept(new Closes());
            case "/flood" -> request.accept(new Flood());
            case "/ping" -> request.accept(new Pings());
            default -> request.reject(404);
        }
    }

    @Override
    public void close() {
        engine.close();
    }

    /** What all sockets have in common: their end is kept. */
    private class Recorded implements WebSocketListener {
        @Override
        public void closed(WebSocket socket, Closed how) {
            closed.add(how);
        }
    }

    private final class Echo extends Recorded {
        @Override
        public void text(WebSocket socket, String text) {
            socket.sendText(text);
        }

        @Override
        public void binary(WebSocket socket, byte[] data) {
            socket.sendBinary(data);
        }
    }

    private final class Closes extends Recorded {
        @Override
        public void text(WebSocket socket, String text) {
            socket.close(CLOSE_CODE, text);
        }
    }

    private final class Pings extends Recorded {
        @Override
        public void text(WebSocket socket, String text) {
            socket.sendPing(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void pong(WebSocket socket, byte[] data) {
            pongs.add(new String(data, StandardCharsets.UTF_8));
        }
    }

    private final class Flood extends Recorded {
        private int next;
        private int end;

        @Override
        public void text(WebSocket socket, String text) {
            end = Integer.parseInt(text);
            writable(socket);
        }

        @Override
        public void writable(WebSocket socket) {
            while (next < end && socket.sendText(message(next)) == SendResult.SENT) {
                next++;
            }
        }
    }

    /** The message of a flood with this number. */
    static String message(int number) {
        return "message " + number + " of a flood";
    }
}
