package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Closed.Cause;
import dev.h2ws.Closed.Side;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How sockets end, as docs/close.md has it for HTTP/1.1. */
class CloseTest extends EngineTest {
    private final CompletableFuture<WebSocket> opened = new CompletableFuture<>();

    private Client client(AcceptOptions options) {
        return Client.connect(
                serve(request -> opened.complete(request.accept(options, new Echo() {
                    @Override
                    public void closing(WebSocket socket, int code, String reason) {
                        logged.add("closing " + code + " " + reason);
                    }
                }))),
                "/");
    }

    private Client client() {
        return client(AcceptOptions.defaults());
    }

    @Test
    void thePeersCloseIsAnswered() throws Exception {
        Client client = client();
        client.socket.sendClose(4001, "bye").join();
        assertThat(closed()).isEqualTo(new Closed(4001, "bye", Cause.CLOSE_FRAME, 0, Side.REMOTE));
        assertThat(client.next()).isEqualTo("close 4001");
        assertThat(logged).contains("closing 4001 bye");
    }

    @Test
    void ourCloseIsAnswered() throws Exception {
        Client client = client();
        WebSocket socket = opened.join();
        socket.close(4002, "enough");
        assertThat(socket.isOpen()).isFalse();
        assertThat(socket.sendText("late")).isEqualTo(SendResult.CLOSED);
        socket.close();
        assertThat(client.next()).isEqualTo("close 4002 enough");
        assertThat(closed().code()).isEqualTo(4002);
        assertThat(socket.sendText("later")).isEqualTo(SendResult.CLOSED);
        assertThat(socket.sendPing(new byte[0])).isEqualTo(SendResult.CLOSED);
    }

    @Test
    void aCloseWithoutACode() throws Exception {
        Client client = client();
        opened.join().close(WebSocket.NO_CODE, "");
        assertThat(client.next()).isEqualTo("close 1005");
        closed();
    }

    @Test
    void aWrongCodeIsAMistake() throws Exception {
        Client client = client();
        WebSocket socket = opened.join();
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> socket.close(1006, ""))
                .isInstanceOfSatisfying(
                        H2wsException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID_ARGUMENT));
        assertThat(socket.isOpen()).isTrue();
        client.socket.sendText("on", true).join();
        assertThat(client.next()).isEqualTo("text on");
    }

    @Test
    void anAbort() throws Exception {
        Client client = client();
        opened.join().abort(8);
        Closed how = closed();
        assertThat(how.code()).isEqualTo(1006);
        assertThat(how.cause()).isEqualTo(Cause.RESET);
        assertThat(how.h2Code()).isEqualTo(8);
        assertThat(how.side()).isEqualTo(Side.LOCAL);
        assertThat(client.next()).matches("error .*|close 1006");
    }

    @Test
    void anHttp2CodeHasNoSign() throws Exception {
        client();
        opened.join().abort(0xdead_beef);
        assertThat(closed().h2Code()).isEqualTo(0xdead_beefL);
    }

    @Test
    void thePeerIsGone() throws Exception {
        Client client = client();
        client.socket.abort();
        Closed how = closed();
        assertThat(how.code()).isEqualTo(1006);
        assertThat(how.side()).isEqualTo(Side.REMOTE);
    }

    @Test
    void withManualControlThePeersCloseIsOursToAnswer() throws Exception {
        Client client = client(AcceptOptions.defaults().manualControl());
        client.socket.sendClose(4003, "").join();
        EchoTest.sleep(200);
        assertThat(closed).isEmpty();
        opened.join().close(4003, "");
        assertThat(client.next()).isEqualTo("close 4003");
        assertThat(closed().code()).isEqualTo(4003);
    }

    @Test
    void aDrainClosesWith1001() throws Exception {
        Client client = client();
        engine.drain(Duration.ofSeconds(5));
        assertThat(client.next()).isEqualTo("close 1001 going away");
        assertThat(closed().cause()).isEqualTo(Cause.DRAIN);
    }

    @Test
    void theEndOfTheEngineIsTheEndOfTheSocket() throws Exception {
        client();
        opened.join();
        engine.close();
        assertThat(closed().cause()).isEqualTo(Cause.DRAIN);
        assertThat(opened.join().sendText("late")).isEqualTo(SendResult.CLOSED);
    }

    @Test
    void anAcceptBehindTheClientsEndIsTooLate() throws Exception {
        CompletableFuture<Request> asked = new CompletableFuture<>();
        CompletableFuture<Closed> ended = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            if (request.path().equals("/late")) {
                request.onClosed(ended::complete);
                asked.complete(request);
            } else {
                assertThat(request.accept(new Echo()).isTooLate()).isFalse();
            }
        });
        String[] address = place.authority().split(":");
        try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            socket.getOutputStream()
                    .write(("GET /late HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                                    + "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            asked.get(10, TimeUnit.SECONDS);
            socket.setSoLinger(true, 0);
        }
        ended.get(10, TimeUnit.SECONDS);
        WebSocket late = asked.join().accept(new Echo());
        assertThat(late.isTooLate()).isTrue();
        assertThat(late.isOpen()).isFalse();
        assertThat(late.sendText("to nobody")).isEqualTo(SendResult.CLOSED);
        assertThat(closed().code()).isZero();
        Client client = Client.connect(place, "/");
        client.socket.sendText("in time", true).join();
        assertThat(client.next()).isEqualTo("text in time");
    }
}
