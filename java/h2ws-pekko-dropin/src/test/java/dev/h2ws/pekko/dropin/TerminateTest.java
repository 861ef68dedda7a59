package dev.h2ws.pekko.dropin;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.completeWithFuture;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.handleWebSocketMessages;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.h2ws.TestKeys;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How connections of HTTP/1.1 end with their server: as stock ends them, since they are its own. */
class TerminateTest {
    /** Longer than {@link #get} waits. */
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    private final CountDownLatch asked = new CountDownLatch(1);

    /** null: cleartext. */
    private SSLContext context;

    private final Route routes = concat(
            path("hello", () -> complete("hello")),
            path("later", () -> {
                asked.countDown();
                return completeWithFuture(answer);
            }),
            path("ws", () -> handleWebSocketMessages(Flow.<Message>create())));

    /** A connection that has said its request. */
    private final class Client implements AutoCloseable {
        private final Socket socket;
        private final InputStream in;

        Client(ServerBinding binding, String path, String... fields) throws IOException {
            int port = binding.localAddress().getPort();
            socket = context == null
                    ? new Socket("localhost", port)
                    : context.getSocketFactory().createSocket("localhost", port);
            socket.setSoTimeout(20_000);
            in = socket.getInputStream();
            say("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + String.join("", fields) + "\r\n");
        }

        Client(ServerBinding binding) throws IOException {
            this(binding, "/ws", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
                    "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
            hear("\r\n\r\n");
        }

        void say(String bytes) throws IOException {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        }

        void echo() throws IOException {
            say("\u0081\u0081\u0000\u0000\u0000\u0000x");
            hear("\u0081\u0001x");
        }

        /** Reads up to this. */
        void hear(String until) throws IOException {
            StringBuilder heard = new StringBuilder();
            while (heard.indexOf(until) < 0) {
                int read = in.read();
                assertThat(read).as("after %s", heard).isNotNegative();
                heard.append((char) read);
            }
        }

        /** Reads to the end. */
        String rest() {
            StringBuilder heard = new StringBuilder();
            try {
                for (int read = in.read(); read >= 0; read = in.read()) {
                    heard.append((char) read);
                }
                return heard + "[end]";
            } catch (IOException e) {
                return heard + "[" + e.getMessage() + "]";
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /**
     * On one thread: each connection hears of the end by itself, and one that were answered just before it heard would be
     * cut, in stock too. There, when one is seen to be cut, the others have been told.
     */
    private static ActorSystem system(String server) {
        return ActorSystem.create(
                "application",
                ConfigFactory.parseString("pekko.loglevel = OFF\npekko.stdout-loglevel = OFF\nh2ws.loops = 2\n"
                                + "pekko.actor.default-dispatcher.executor = thread-pool-executor\n"
                                + "pekko.actor.default-dispatcher.thread-pool-executor.fixed-pool-size = 1\n"
                                + "pekko.coordinated-shutdown.phases.service-requests-done.timeout = 60s\n"
                                + "h2ws.pekko.replace-http-server = " + (server.equals("stock") ? "off" : "on"))
                        .withFallback(ConfigFactory.load()));
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource({"stock, false", "h2ws, false", "stock, true", "h2ws, true"})
    void whatWaitsIsCutWhatIsServedIsAnsweredAndWebSocketsGoOn(String server, boolean tls) throws Exception {
        ActorSystem system = system(server);
        try {
            ServerBuilder builder = Http.get(system).newServerAt("localhost", 0);
            if (tls) {
                context = TestKeys.context(TestKeys.store(directory));
                builder = builder.enableHttps(ConnectionContext.httpsServer(context));
            }
            ServerBinding binding = get(builder.bind(routes));
            try (Client idle = new Client(binding, "/hello");
                    Client served = new Client(binding, "/later");
                    Client socket = new Client(binding)) {
                idle.hear("hello");
                asked.await();
                socket.echo();
                CompletionStage<?> terminated = binding.terminate(DEADLINE);
                assertThat(idle.rest()).isEqualTo("[Connection reset]");
                assertThat(terminated.toCompletableFuture()).as("one request is being served").isNotDone();
                answer.complete(HttpResponse.create().withEntity("answered"));
                assertThat(served.rest()).contains("200 OK", "Connection: close").endsWith("answered[end]");
                get(terminated);
                socket.echo();
                system.terminate();
                assertThat(socket.rest()).isEqualTo("[Connection reset]");
            }
        } finally {
            system.terminate();
            get(system.getWhenTerminated());
        }
    }

    @ParameterizedTest
    @CsvSource({"stock", "h2ws"})
    void coordinatedShutdownDoesNotWaitForWebSockets(String server) throws Exception {
        ActorSystem system = system(server);
        try {
            ServerBinding binding = get(Http.get(system).newServerAt("localhost", 0).bind(routes));
            binding.addToCoordinatedShutdown(DEADLINE, system);
            try (Client idle = new Client(binding, "/hello");
                    Client socket = new Client(binding)) {
                idle.hear("hello");
                socket.echo();
                CompletionStage<?> down = CoordinatedShutdown.get(system).runAll(CoordinatedShutdown.unknownReason());
                assertThat(idle.rest()).isEqualTo("[Connection reset]");
                assertThat(socket.rest()).isEqualTo("[Connection reset]");
                get(down);
            }
        } finally {
            system.terminate();
            get(system.getWhenTerminated());
        }
    }
}
