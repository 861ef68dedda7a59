package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.Test;

/** Real clients against an ordinary route. */
class ClientTest {
    private static final Route ROUTE = Directives.concat(
            Directives.path("echo", () -> Directives.get(() -> Directives.handleWebSocketMessages(echo()))),
            Directives.path("hello", () -> Directives.get(() -> Directives.complete("hello"))));

    private static Flow<Message, Message, NotUsed> echo() {
        return Flow.create();
    }

    @Test
    void jettyOverHttp2() throws Exception {
        ActorSystem system = ActorSystem.create("client", TestConfig.quiet());
        try {
            ServerBinding binding = H2ws.get(system)
                    .newServerAt("127.0.0.1", 0)
                    .bind(ROUTE)
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            try (Jetty jetty = new Jetty(binding.localAddress().getPort())) {
                Jetty.Socket socket = jetty.connect("/echo");
                socket.session.sendText("grüße", org.eclipse.jetty.websocket.api.Callback.NOOP);
                assertThat(socket.next()).isEqualTo("text grüße");
                assertThat(jetty.http.GET("http://localhost:" + binding.localAddress().getPort() + "/hello")
                                .getContentAsString())
                        .isEqualTo("hello");
                socket.session.close(1000, "bye", org.eclipse.jetty.websocket.api.Callback.NOOP);
                assertThat(socket.next()).isEqualTo("close 1000");
            }
            binding.terminate(Duration.ofSeconds(5)).toCompletableFuture().get(10, TimeUnit.SECONDS);
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
