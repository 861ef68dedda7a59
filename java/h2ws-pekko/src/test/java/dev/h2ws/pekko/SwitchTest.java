package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code h2ws.websocket-over-http2 = off} is about HTTP/2 alone: sockets over HTTP/1.1 are served as without h2ws. */
class SwitchTest {
    private static final Route ROUTE = Directives.concat(
            Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.<Message>create())),
            Directives.path("page", () -> Directives.complete("page")));

    @ParameterizedTest
    @EnumSource
    void webSocketsOverHttp2AreOff(Door door) throws Exception {
        ActorSystem system = ActorSystem.create("off", TestConfig.with("h2ws.websocket-over-http2 = off"));
        try {
            ServerBinding binding = door.bind(system, ROUTE);
            int port = binding.localAddress().getPort();
            if (door.isHttp2()) {
                assertThatThrownBy(() -> door.open(port, "/ws", Map.of()))
                        .hasMessage("no SETTINGS_ENABLE_CONNECT_PROTOCOL");
            } else {
                try (Wire wire = door.open(port, "/ws", Map.of())) {
                    assertThat(wire.isAccepted()).isTrue();
                    wire.text("hello");
                    assertThat(wire.next()).isEqualTo("text hello");
                    wire.close(1000, "");
                    assertThat(wire.next()).isEqualTo("close 1000");
                }
            }
            assertThat(RawPost.send(door, port, "/page", "", true, Map.of())).isEqualTo("200 page");
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
