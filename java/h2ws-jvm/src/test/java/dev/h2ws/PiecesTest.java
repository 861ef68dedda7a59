package dev.h2ws;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Messages that lie in several buffers. */
class PiecesTest extends EngineTest {
    private final CompletableFuture<WebSocket> opened = new CompletableFuture<>();

    private Client connect() {
        return Client.connect(serve(request -> opened.complete(request.accept(new WebSocketListener() {}))), "/");
    }

    /** In turn all of an array, a piece of one, one that does not show its array, memory of no array, and nothing. */
    private static List<ByteBuffer> pieces(byte[] message, int length) {
        List<ByteBuffer> pieces = new ArrayList<>();
        for (int at = 0, n = 0; at < message.length; n++) {
            int end = Math.min(at + length, message.length);
            ByteBuffer piece = ByteBuffer.wrap(message, at, end - at);
            pieces.add(
                    switch (n % 5) {
                        case 0 -> ByteBuffer.wrap(Bytes.copy(piece));
                        case 1 -> piece.slice();
                        case 2 -> piece.asReadOnlyBuffer();
                        case 3 -> ByteBuffer.allocateDirect(end - at).put(piece).flip();
                        default -> ByteBuffer.allocate(0);
                    });
            at = n % 5 == 4 ? at : end;
        }
        return pieces;
    }

    @Test
    void arriveAsOne() throws Exception {
        Client client = connect();
        for (int size : new int[] {0, 1, 9, 1000, 70_000, 2_000_000}) {
            String text = "a\u20acz".repeat(size / 3 + 1).substring(0, size);
            assertThat(opened.join().sendText(text.getBytes(UTF_8))).isEqualTo(SendResult.SENT);
            assertThat(client.next().equals("text " + text)).as("%d characters in one array", size).isTrue();
            for (int length : new int[] {7, 16_384, 100_000}) {
                if (size / length > 1000) {
                    continue;
                }
                List<ByteBuffer> pieces = pieces(text.getBytes(UTF_8), length);
                List<ByteBuffer> before = pieces.stream().map(ByteBuffer::duplicate).toList();
                assertThat(opened.join().sendText(pieces)).isEqualTo(SendResult.SENT);
                assertThat(client.next().equals("text " + text)).as("%d characters, pieces of %d", size, length).isTrue();
                assertThat(pieces).as("positions are left").isEqualTo(before);
                assertThat(opened.join().sendBinary(pieces)).isEqualTo(SendResult.SENT);
                assertThat(client.next()).isEqualTo("binary " + text.getBytes(UTF_8).length);
            }
        }
    }

    @Test
    void areCheckedAndRefusedAsOne() throws Exception {
        Client client = connect();
        ByteBuffer half = ByteBuffer.wrap("\u20ac".getBytes(UTF_8), 0, 2);
        assertThatThrownBy(() -> opened.join().sendText(List.of(half, half)))
                .isInstanceOfSatisfying(
                        H2wsException.class, refused -> assertThat(refused.status()).isEqualTo(Status.NOT_UTF8));
        ByteBuffer megabyte = ByteBuffer.allocate(1 << 20);
        assertThatThrownBy(() -> opened.join().sendBinary(Collections.nCopies(2048, megabyte)))
                .isInstanceOf(H2wsException.class)
                .hasMessageContaining("a message of 2147483648 bytes; there may be 2147483647");
        opened.join().close();
        assertThat(opened.join().sendBinary(List.of(half))).isEqualTo(SendResult.CLOSED);
        assertThat(client.next()).startsWith("close 1000");
    }
}
