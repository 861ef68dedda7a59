package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** WebSockets: accept, refuse, messages, fragments, control frames. */
class EchoTest extends EngineTest {
    @Test
    void messagesComeBack() throws Exception {
        Client client = Client.connect(serve(request -> request.accept(new Echo())), "/echo");
        client.socket.sendText("grüße 🦀", true).join();
        assertThat(client.next()).isEqualTo("text grüße 🦀");
        client.socket.sendBinary(ByteBuffer.wrap(new byte[3]), true).join();
        assertThat(client.next()).isEqualTo("binary 3");
        assertThat(engine.stats().messagesIn()).isEqualTo(2);
        assertThat(engine.stats().get("open_websockets")).isEqualTo(1);
    }

    @Test
    void messagesLargerThanTheBufferOfAPoll() throws Exception {
        Client client = Client.connect(serve(request -> request.accept(new Echo())), "/echo");
        for (int size : new int[] {250_000, 524_256, 524_257, 800_000, 5_000_000, 1}) {
            client.socket.sendBinary(ByteBuffer.wrap(new byte[size]), true).join();
            assertThat(client.next()).isEqualTo("binary " + size);
        }
    }

    @Test
    void messagesOfEverySmallSize() throws Exception {
        Client client = Client.connect(serve(request -> request.accept(new Echo())), "/echo");
        for (int size = 0; size < 300; size++) {
            client.socket.sendBinary(ByteBuffer.wrap(new byte[size]), true).join();
            assertThat(client.next()).isEqualTo("binary " + size);
        }
    }

    @Test
    void whatTheRequestSays() throws Exception {
        List<Object> seen = new ArrayList<>();
        Client.Place place = serve(request -> {
            seen.addAll(List.of(
                    request.isWebSocket(),
                    request.method(),
                    request.scheme(),
                    request.authority(),
                    request.path(),
                    request.version(),
                    request.subprotocols(),
                    request.tls().isPresent(),
                    request.remoteSocketAddress().orElseThrow().getAddress().isLoopbackAddress(),
                    request.headers().get("Sec-WebSocket-Version").orElse("")));
            request.accept(AcceptOptions.defaults().subprotocol("echo"), new Echo());
        });
        Client client = Client.connect(place, "/a?b=c", "other", "echo");
        assertThat(client.socket.getSubprotocol()).isEqualTo("echo");
        assertThat(seen)
                .containsExactly(
                        true,
                        "GET",
                        "http",
                        place.authority(),
                        "/a?b=c",
                        "HTTP/1.1",
                        List.of("other", "echo"),
                        false,
                        true,
                        "13");
    }

    @Test
    void aHandshakeIsRefusedWithStatusFieldsAndBody() {
        Client.Place place = serve(request -> {
            request.onClosed(closed::add);
            request.reject(403, Headers.of("x-why", "because"), "no\n".getBytes(StandardCharsets.UTF_8));
        });
        assertThatThrownBy(() -> Client.connect(place, "/"))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(WebSocketHandshakeException.class, e -> {
                    assertThat(e.getResponse().statusCode()).isEqualTo(403);
                    assertThat(e.getResponse().headers().firstValue("x-why")).contains("because");
                });
        assertThat(engine.stats().get("rejected_by_host")).isEqualTo(1);
    }

    @Test
    void acceptedLaterOnAnotherThread() throws Exception {
        Client.Place place = serve(request -> new Thread(() -> {
                    sleep(100);
                    request.accept(new Echo() {
                        @Override
                        public void open(WebSocket socket) {
                            socket.sendText("open");
                        }
                    });
                })
                .start());
        Client client = Client.connect(place, "/");
        assertThat(client.next()).isEqualTo("text open");
        client.socket.sendText("hello", true).join();
        assertThat(client.next()).isEqualTo("text hello");
    }

    @Test
    void fragmentsBothWays() throws Exception {
        Client.Place place = serve(request -> request.accept(AcceptOptions.defaults().fragments(), new Echo() {
            @Override
            public void fragment(WebSocket socket, Fragment part) {
                if (part.text()) {
                    socket.sendTextFragment(part.data(), part.last());
                } else {
                    socket.sendBinaryFragment(part.data(), part.last());
                }
            }
        }));
        Client client = Client.connect(place, "/");
        client.socket.sendText("he", false).join();
        client.socket.sendText("llo", true).join();
        assertThat(client.next()).isEqualTo("text hello");
        client.socket.sendBinary(ByteBuffer.wrap(new byte[1_000_000]), true).join();
        assertThat(client.next()).isEqualTo("binary 1000000");
    }

    @Test
    void fragmentsAboveALengthAreOneBelowIt() throws Exception {
        Client.Place place = serve(request -> request.accept(AcceptOptions.defaults().fragmentsAbove(1000), new Echo() {
            @Override
            public void fragment(WebSocket socket, Fragment part) {
                socket.sendText(part.first() + " " + part.last() + " " + (part.data().length > 1000));
            }
        }));
        Client client = Client.connect(place, "/");
        client.socket.sendText("a".repeat(400), false).join();
        client.socket.sendText("b".repeat(600), true).join();
        assertThat(client.next()).isEqualTo("text true true false");
        client.socket.sendText("a".repeat(400), false).join();
        client.socket.sendText("b".repeat(601), false).join();
        assertThat(client.next()).isEqualTo("text true false true");
        client.socket.sendText("c", true).join();
        assertThat(client.next()).isEqualTo("text false true false");
        assertThatThrownBy(() -> AcceptOptions.defaults().fragmentsAbove(0)).hasMessage("fragmentsAbove(0): from 1 on");
    }

    @Test
    void fragmentsAfterwardsAreAllOfThem() throws Exception {
        AcceptOptions options = AcceptOptions.defaults().fragmentsAbove(1000).fragments();
        Client.Place place = serve(request -> request.accept(options, new Echo() {
            @Override
            public void fragment(WebSocket socket, Fragment part) {
                socket.sendText(part.first() + " " + part.last());
            }
        }));
        Client client = Client.connect(place, "/");
        client.socket.sendText("a", false).join();
        assertThat(client.next()).isEqualTo("text true false");
    }

    @Test
    void aMessageBetweenFragmentsIsAMistake() throws Exception {
        List<Throwable> thrown = new ArrayList<>();
        Client.Place place = serve(request -> request.accept(new Echo() {
            @Override
            public void open(WebSocket socket) {
                socket.sendTextFragment("a".getBytes(StandardCharsets.UTF_8), false);
                try {
                    socket.sendText("between");
                } catch (H2wsException e) {
                    thrown.add(e);
                }
                socket.sendTextFragment("b".getBytes(StandardCharsets.UTF_8), true);
                socket.sendText("behind");
            }
        }));
        Client client = Client.connect(place, "/mistake");
        assertThat(client.next()).isEqualTo("text ab");
        assertThat(client.next()).isEqualTo("text behind");
        assertThat(thrown).singleElement().satisfies(t -> assertThat(t)
                .hasMessageContaining("GET /mistake")
                .extracting("status")
                .isEqualTo(Status.WRONG_STATE));
    }

    @Test
    void pingsAndPongs() throws Exception {
        List<String> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
        Client.Place place = serve(request -> request.accept(new Echo() {
            @Override
            public void open(WebSocket socket) {
                socket.sendPing(new byte[4]);
            }

            @Override
            public void ping(WebSocket socket, byte[] data) {
                heard.add("ping " + data.length);
            }

            @Override
            public void pong(WebSocket socket, byte[] data) {
                heard.add("pong " + data.length);
                try {
                    socket.sendPing(new byte[126]);
                } catch (H2wsException e) {
                    heard.add(e.status().toString());
                }
            }
        }));
        Client client = Client.connect(place, "/");
        assertThat(client.next()).isEqualTo("ping 4");
        client.socket.sendPing(ByteBuffer.wrap(new byte[5])).join();
        assertThat(client.next()).isEqualTo("pong 5");
        client.socket.sendText("end", true).join();
        assertThat(client.next()).isEqualTo("text end");
        assertThat(heard).containsExactlyInAnyOrder("pong 4", "TOO_LARGE", "ping 5");
    }

    @Test
    void buffersOfAllKindsAreSentAndUsedUp() throws Exception {
        Client.Place place = serve(request -> request.accept(new Echo() {
            @Override
            public void open(WebSocket socket) {
                ByteBuffer direct = ByteBuffer.allocateDirect(10).position(2);
                ByteBuffer heap = ByteBuffer.allocate(20).position(3).limit(10);
                ByteBuffer readOnly = ByteBuffer.allocate(9).asReadOnlyBuffer();
                for (ByteBuffer buffer : List.of(direct, heap, readOnly)) {
                    assertThat(socket.sendBinary(buffer)).isEqualTo(SendResult.SENT);
                    assertThat(buffer.hasRemaining()).isFalse();
                }
            }
        }));
        Client client = Client.connect(place, "/");
        assertThat(List.of(client.next(), client.next(), client.next()))
                .containsExactly("binary 8", "binary 7", "binary 9");
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
