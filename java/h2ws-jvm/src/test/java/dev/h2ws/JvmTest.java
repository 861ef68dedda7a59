package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library beside itself in one JVM, and the end of a JVM with an engine in it. */
class JvmTest extends EngineTest {
    /** Starts an engine, listens, and returns: the JVM's last ordinary thread is gone. */
    public static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            H2ws.builder().loops(2).start().listen("127.0.0.1:0", request -> {});
            System.out.println("listening");
        }
    }

    @Test
    void eachClassLoaderHasItsOwn() throws Exception {
        Assumptions.assumeTrue(System.getProperty("dev.h2ws.native") == null, "one file is for one class loader");
        URL[] classes = {H2ws.class.getProtectionDomain().getCodeSource().getLocation()};
        for (int i = 0; i < 3; i++) {
            try (URLClassLoader loader = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
                Class<?> other = loader.loadClass("dev.h2ws.H2ws");
                assertThat(other).isNotEqualTo(H2ws.class);
                Object builder = other.getMethod("builder").invoke(null);
                Object started = builder.getClass().getMethod("start").invoke(builder);
                ((AutoCloseable) started).close();
            }
        }
    }

    /** How a JVM ends while sockets are open and messages are on their way in both directions. */
    public static final class Busy {
        private Busy() {}

        public static void main(String[] arguments) throws Exception {
            String end = arguments[0];
            H2ws engine = H2ws.builder().loops(2).start();
            Client.Place place = Client.Place.of(engine.listen("127.0.0.1:0", request -> request.accept(new Echoes())));
            List<java.net.http.WebSocket> clients = new ArrayList<>();
            CountDownLatch heard = new CountDownLatch(20);
            for (int i = 0; i < 20; i++) {
                clients.add(Client.HTTP.newWebSocketBuilder().buildAsync(place.ws("/"), new Hears(heard)).join());
            }
            for (java.net.http.WebSocket client : clients) {
                client.sendText("go", true).join();
            }
            heard.await();
            System.out.println("busy " + engine.stats().openWebSockets());
            switch (end) {
                case "return" -> {}
                case "exit" -> System.exit(0);
                case "callback" -> {
                    clients.get(0).sendBinary(ByteBuffer.allocate(1), true);
                    Thread.sleep(TimeUnit.MINUTES.toMillis(1));
                }
                case "hook" -> {
                    Runtime.getRuntime().addShutdownHook(new Thread(engine::close));
                    System.exit(0);
                }
                default -> throw new IllegalArgumentException(end);
            }
        }

        /** A client that keeps nothing of what it hears. */
        private static final class Hears implements java.net.http.WebSocket.Listener {
            private final CountDownLatch heard;
            private boolean first = true;

            Hears(CountDownLatch heard) {
                this.heard = heard;
            }

            @Override
            public CompletionStage<?> onText(java.net.http.WebSocket from, CharSequence data, boolean last) {
                if (first) {
                    first = false;
                    heard.countDown();
                }
                from.request(1);
                return null;
            }
        }

        /** Says something at each chance once it has been told to; ends the JVM when it hears bytes. */
        private static final class Echoes implements WebSocketListener {
            @Override
            public void text(WebSocket socket, String text) {
                writable(socket);
            }

            @Override
            public void writable(WebSocket socket) {
                while (socket.sendText("on and on") == SendResult.SENT) {
                    Thread.onSpinWait();
                }
            }

            @Override
            public void binary(WebSocket socket, byte[] data) {
                System.exit(0);
            }
        }
    }

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"return", "exit", "callback", "hook"})
    void aJvmEndsUnderLoad(String end) throws Exception {
        String said = new ChildJvm(directory).run(Busy.class, end);
        assertThat(said).contains("busy 20");
    }

    @Test
    void anEngineDoesNotKeepTheJvmAliveNorBreakItsEnd() throws Exception {
        assertThat(new ChildJvm(directory).run(Main.class)).contains("listening");
    }
}
