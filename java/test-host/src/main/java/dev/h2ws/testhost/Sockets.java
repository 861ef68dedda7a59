package dev.h2ws.testhost;

import dev.h2ws.AcceptOptions;
import dev.h2ws.H2wsException;
import dev.h2ws.Headers;
import dev.h2ws.Request;
import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The WebSocket paths. */
final class Sockets {
    private static final int CANCEL = 8;
    private static final long MAX_DELAY_MS = 600_000;
    private static final int MAX_FLOOD_SIZE = 16 << 20;

    private final TestHost host;

    Sockets(TestHost host) {
        this.host = host;
    }

    void open(Request request) {
        long[] n;
        if (TestHost.arguments(request, "/echo", 0) != null) {
            String subprotocol = request.subprotocols().contains("echo") ? "echo" : null;
            echo(request, subprotocol);
        } else if (TestHost.arguments(request, "/connection", 0) != null) {
            echo(request, null).sendText(Report.connection(request));
        } else if ((n = TestHost.arguments(request, "/close/", 1)) != null) {
            close(accept(request, new Silent()), n[0]);
        } else if (TestHost.arguments(request, "/abort", 0) != null) {
            accept(request, new Silent()).abort(CANCEL);
        } else if ((n = TestHost.arguments(request, "/reject/", 1)) != null) {
            reject(request, n[0]);
        } else if ((n = TestHost.arguments(request, "/later/", 1)) != null) {
            if (n[0] > MAX_DELAY_MS) {
                refuse(request, 400, "at most 600000 ms\n");
            } else {
                host.clock.schedule(() -> echo(request, null), n[0], TimeUnit.MILLISECONDS);
            }
        } else if (TestHost.arguments(request, "/sink", 0) != null) {
            accept(request, new Silent());
        } else if (TestHost.arguments(request, "/stall", 0) != null) {
            // and never a credit
            request.accept(options().demand(), new Silent());
        } else if ((n = TestHost.arguments(request, "/flood/", 2)) != null) {
            if (n[1] > MAX_FLOOD_SIZE) {
                refuse(request, 400, "at most 16777216 bytes each\n");
            } else {
                accept(request, new Flood(n[0], (int) n[1]));
            }
        } else if (TestHost.arguments(request, "/never", 0) == null) {
            refuse(request, 404, "not found\n");
        }
    }

    private AcceptOptions options() {
        return host.settings.manual ? AcceptOptions.defaults().manualControl() : AcceptOptions.defaults();
    }

    private WebSocket accept(Request request, WebSocketListener listener) {
        return request.accept(options(), listener);
    }

    private static void refuse(Request request, int status, String text) {
        request.reject(status, Headers.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    private static void reject(Request request, long status) {
        Headers headers = Headers.of("x-refused", "as asked");
        try {
            request.reject((int) status, headers, "refused as asked\n".getBytes(StandardCharsets.UTF_8));
        } catch (H2wsException e) {
            request.reject(500, headers, "not a status to refuse with\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void close(WebSocket socket, long code) {
        try {
            // a Close without a code has no reason either
            socket.close(code == 0 ? WebSocket.NO_CODE : (int) Math.min(code, 65536), code == 0 ? "" : "bye");
        } catch (H2wsException e) {
            socket.close(1011, "not a code that may be sent");
        }
    }

    /** Echoes in demand mode. */
    private WebSocket echo(Request request, String subprotocol) {
        AcceptOptions options = options().demand();
        if (subprotocol != null) {
            options = options.subprotocol(subprotocol);
        }
        WebSocket socket = request.accept(options, new Echo());
        socket.demand(Outbox.CREDIT);
        return socket;
    }

    /** Takes all and says nothing; with manual control, answers what the protocol wants answered. */
    private class Silent implements WebSocketListener {
        @Override
        public void ping(WebSocket socket, byte[] data) {
            if (host.settings.manual) {
                answer(socket, () -> socket.sendPong(data));
            }
        }

        @Override
        public void closing(WebSocket socket, int code, String reason) {
            if (host.settings.manual) {
                answer(socket, () -> {
                    socket.close(code, "");
                    return SendResult.SENT;
                });
            }
        }

        void answer(WebSocket socket, java.util.function.Supplier<SendResult> send) {
            send.get();
        }
    }

    private final class Echo extends Silent {
        private Outbox outbox;

        private Outbox outbox(WebSocket socket) {
            if (outbox == null) {
                outbox = new Outbox(socket::demand);
            }
            return outbox;
        }

        @Override
        void answer(WebSocket socket, java.util.function.Supplier<SendResult> send) {
            outbox(socket).send(send);
        }

        @Override
        public void text(WebSocket socket, String text) {
            if (text.startsWith("!close ")) {
                closeAsTold(socket, text.substring("!close ".length()));
            } else {
                outbox(socket).send(() -> socket.sendText(text));
            }
            outbox.used();
        }

        /** From the loop's own memory; a copy is made of what has to wait. */
        @Override
        public void binary(WebSocket socket, ByteBuffer data) {
            if (outbox(socket).waits() || socket.sendBinary(data) == SendResult.BUSY) {
                byte[] copy = new byte[data.remaining()];
                data.get(copy);
                outbox.send(() -> socket.sendBinary(copy));
            }
            outbox.used();
        }

        @Override
        public void writable(WebSocket socket) {
            outbox(socket).flush();
        }

        /** "4000 because": closes so, and says what is wrong if it cannot. */
        private void closeAsTold(WebSocket socket, String command) {
            String[] words = command.split(" ", 2);
            int code = words[0].matches("[0-9]{1,6}") ? Integer.parseInt(words[0]) : 0;
            String reason = words.length > 1 ? words[1] : "";
            outbox(socket).send(() -> {
                try {
                    socket.close(code, reason);
                    return SendResult.SENT;
                } catch (H2wsException e) {
                    return socket.sendText("!close: " + e.getMessage());
                }
            });
        }
    }

    /** Sends as fast as the stream takes it. */
    private final class Flood extends Silent {
        private long left;
        private final byte[] payload;

        Flood(long count, int size) {
            left = count;
            payload = new byte[size];
        }

        @Override
        public void open(WebSocket socket) {
            writable(socket);
        }

        @Override
        public void writable(WebSocket socket) {
            for (; left > 0; left--) {
                if (socket.sendBinary(payload) != SendResult.SENT) {
                    return;
                }
            }
            socket.close(1000, "done");
        }
    }
}
