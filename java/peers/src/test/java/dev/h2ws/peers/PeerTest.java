package dev.h2ws.peers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.Closed;
import dev.h2ws.TestKeys;
import dev.h2ws.Tls;
import dev.h2ws.peers.Peer.Heard;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each client must be able to do with h2ws; the classes beside it say which client, over what. */
abstract class PeerTest {
    @TempDir
    static Path directory;

    private static KeyStore keys;

    private final boolean secure;
    private Server server;
    private Peer peer;

    PeerTest(boolean secure) {
        this.secure = secure;
    }

    /**
     * A client of a server on this port.
     *
     * @param trusted whom to trust over TLS; null: no TLS
     */
    abstract Peer peer(int port, KeyStore trusted) throws Exception;

    @BeforeEach
    void start() throws Exception {
        if (secure) {
            if (keys == null) {
                keys = TestKeys.store(directory);
            }
            try (Tls tls = Tls.builder().keyStore(keys, TestKeys.PASSWORD).load()) {
                server = new Server(tls);
            }
        } else {
            server = new Server(null);
        }
        peer = peer(server.port(), secure ? keys : null);
    }

    @AfterEach
    void stop() throws Exception {
        try {
            peer.close();
        } finally {
            server.close();
        }
        assertThat(server.logged).isEmpty();
    }

    private static <T> T take(BlockingQueue<T> from) throws InterruptedException {
        T taken = from.poll(Peer.SECONDS, TimeUnit.SECONDS);
        assertThat(taken).as("nothing in %d s", Peer.SECONDS).isNotNull();
        return taken;
    }

    /** Letters of one, two and three bytes, so that frames part them. */
    private static String letters(int bytes) {
        StringBuilder text = new StringBuilder();
        for (int left = bytes; left > 0; ) {
            String letter = left % 7 == 0 && left >= 3 ? "\u20ac" : left % 5 == 0 && left >= 2 ? "\u00e4" : "a";
            text.append(letter);
            left -= letter.getBytes(StandardCharsets.UTF_8).length;
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 125, 126, 64 << 10, 1 << 20})
    void echoesText(int bytes) throws Exception {
        Peer.Socket socket = peer.connect("/echo");
        String text = letters(bytes);
        socket.text(text);
        Heard heard = socket.next();
        assertThat(heard.kind()).as(heard.toString()).isEqualTo(Heard.Kind.TEXT);
        // not isEqualTo on the texts: a failure would print a megabyte
        assertThat(heard.text().equals(text)).as("the text came back as it was").isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 125, 126, 64 << 10, 1 << 20})
    void echoesBinary(int bytes) throws Exception {
        Peer.Socket socket = peer.connect("/echo");
        byte[] data = new byte[bytes];
        new Random(bytes).nextBytes(data);
        socket.binary(data);
        Heard heard = socket.next();
        assertThat(heard.kind()).as(heard.toString()).isEqualTo(Heard.Kind.BINARY);
        assertThat(java.util.Arrays.equals(heard.data(), data)).as("the bytes came back as they were").isTrue();
    }

    @Test
    void manySocketsAndRequestsShareAConnection() throws Exception {
        List<Peer.Socket> sockets = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            sockets.add(peer.connect("/echo"));
        }
        assertThat(server.engine.stats().openWebSockets()).isEqualTo(50);
        byte[] body = new byte[300_000];
        new Random(1).nextBytes(body);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < sockets.size(); i++) {
                sockets.get(i).text("socket " + i + " round " + round);
            }
            assertThat(peer.post("/body", body)).isEqualTo(body);
            for (int i = 0; i < sockets.size(); i++) {
                assertThat(sockets.get(i).next()).isEqualTo(Heard.text("socket " + i + " round " + round));
            }
        }
        assertThat(peer.post("/hello", new byte[0])).asString().isEqualTo("hello");
        assertThat(server.engine.stats().connections()).isEqualTo(1);
    }

    @Test
    void theSubprotocolIsTheServers() throws Exception {
        assertThat(peer.connect("/echo", "first", "second").subprotocol()).isEqualTo("second");
    }

    @Test
    void theServersCloseHasItsCodeAndReason() throws Exception {
        Peer.Socket socket = peer.connect("/close");
        socket.text("enough: gr\u00fc\u00dfe");
        assertThat(socket.next()).isEqualTo(Heard.close(Server.CLOSE_CODE, "enough: gr\u00fc\u00dfe"));
        Closed closed = take(server.closed);
        assertThat(closed.cause()).as(closed.toString()).isEqualTo(Closed.Cause.CLOSE_FRAME);
        assertThat(closed.code()).as(closed.toString()).isEqualTo(Server.CLOSE_CODE);
        assertThat(closed.side()).as(closed.toString()).isEqualTo(Closed.Side.LOCAL);
    }

    @Test
    void theClientsCloseHasItsCodeAndReason() throws Exception {
        Peer.Socket socket = peer.connect("/echo");
        socket.close(4002, "seen enough");
        Closed closed = take(server.closed);
        assertThat(closed).isEqualTo(new Closed(4002, "seen enough", Closed.Cause.CLOSE_FRAME, 0, Closed.Side.REMOTE));
    }

    @Test
    void aRefusalHasItsStatus() throws Exception {
        Peer.Refusal refusal = peer.refused("/reject");
        assertThat(refusal.status()).isEqualTo(403);
        if (refusal.body() != null) {
            assertThat(refusal.body()).isEqualTo(Server.REFUSAL);
        }
        assertThat(peer.refused("/nowhere").status()).isEqualTo(404);
        // a refusal is the end of a stream and of nothing else
        Peer.Socket socket = peer.connect("/echo");
        socket.text("still here");
        assertThat(socket.next()).isEqualTo(Heard.text("still here"));
        assertThat(server.engine.stats().connections()).isEqualTo(1);
    }

    @Test
    void aPingIsAnswered() throws Exception {
        Peer.Socket socket = peer.connect("/echo");
        byte[] data = {1, 2, 3};
        socket.ping(data);
        Heard heard = socket.next();
        assertThat(heard.kind()).as(heard.toString()).isEqualTo(Heard.Kind.PONG);
        assertThat(heard.data()).isEqualTo(data);
    }

    @Test
    void theServersPingIsAnswered() throws Exception {
        peer.connect("/ping").text("are you there");
        assertThat(take(server.pongs)).isEqualTo("are you there");
    }

    @Test
    void aFloodComesWholeAndInOrder() throws Exception {
        Peer.Socket socket = peer.connect("/flood");
        int count = 20_000;
        socket.text(String.valueOf(count));
        for (int i = 0; i < count; i++) {
            assertThat(socket.next()).isEqualTo(Heard.text(Server.message(i)));
        }
    }

    @Test
    void aDrainIsHeardAsClose1001() throws Exception {
        Peer.Socket socket = peer.connect("/echo");
        socket.text("hello");
        assertThat(socket.next()).isEqualTo(Heard.text("hello"));
        server.engine.drain(java.time.Duration.ofSeconds(Peer.SECONDS));
        Heard heard = socket.next();
        assertThat(heard.kind()).as(heard.toString()).isEqualTo(Heard.Kind.CLOSE);
        assertThat(heard.code()).as(heard.toString()).isEqualTo(1001);
    }
}
