package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;

/** What the tests with an engine share: one engine each, what it logged, and that nothing is left of it. */
abstract class EngineTest {
    final List<String> logged = new CopyOnWriteArrayList<>();
    final BlockingQueue<Closed> closed = new LinkedBlockingQueue<>();
    H2ws engine;

    /** The native library is in the class path, or named. Without it there is nothing to test here. */
    EngineTest() {
        Assumptions.assumeTrue(
                System.getProperty("dev.h2ws.native") != null
                        || getClass().getResource("/META-INF/native/linux-x86_64/libh2ws_jni.so") != null,
                "no native library");
    }

    H2wsBuilder builder() {
        return H2ws.builder().loops(2).onLog((level, text, thrown) -> logged.add(level + " " + text + " " + thrown));
    }

    Client.Place serve(H2wsBuilder builder, Handler handler) {
        engine = builder.start();
        return Client.Place.of(engine.listen("127.0.0.1:0", handler));
    }

    Client.Place serve(Handler handler) {
        return serve(builder(), handler);
    }

    Closed closed() throws InterruptedException {
        Closed how = closed.poll(10, TimeUnit.SECONDS);
        assertThat(how).as("closed in 10 s").isNotNull();
        return how;
    }

    static boolean loopThreads() {
        return Thread.getAllStackTraces().keySet().stream().anyMatch(t -> t.getName().startsWith("h2ws-loop-"));
    }

    @AfterEach
    void nothingIsLeft() {
        if (engine != null) {
            engine.close();
        }
        assertThat(loopThreads()).as("loop threads after close()").isFalse();
    }

    /** Echoes, and tells the test how it ended. */
    class Echo implements WebSocketListener {
        @Override
        public void text(WebSocket socket, String text) {
            socket.sendText(text);
        }

        @Override
        public void binary(WebSocket socket, byte[] data) {
            socket.sendBinary(data);
        }

        @Override
        public void closed(WebSocket socket, Closed how) {
            closed.add(how);
        }
    }
}
