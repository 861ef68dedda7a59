package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ports begin and end. */
class LifecycleTest {
    static final Route ROUTE = Directives.concat(
            Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.<Message>create())),
            Directives.complete("hello"));

    private ActorSystem system;

    @BeforeEach
    void start() {
        system = ActorSystem.create("lifecycle", TestConfig.quiet());
    }

    @AfterEach
    void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        eventually(() -> loops() == 0);
    }

    static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private ServerBinding bind(int port) throws Exception {
        return get(H2ws.get(system).newServerAt("127.0.0.1", port).bind(ROUTE));
    }

    static long loops() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("h2ws-"))
                .count();
    }

    private static int descriptors() {
        String[] open = new File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }

    static void eventually(BooleanSupplier condition) {
        for (int i = 0; i < 1000 && !condition.getAsBoolean(); i++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @Test
    void aPortThatIsTakenIsAFailedFuture() throws Exception {
        int port = bind(0).localAddress().getPort();
        assertThat(port).isPositive();
        CompletionStage<ServerBinding> second = H2ws.get(system).newServerAt("127.0.0.1", port).bind(ROUTE);
        assertThatThrownBy(() -> get(second))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(org.apache.pekko.stream.BindFailedException.class)
                .hasMessageContaining(":" + port);
    }

    @Test
    void aWrongSettingIsAFailedFutureWithItsPath() throws Exception {
        for (String wrong : new String[] {
            "h2ws.loops = 0", "h2ws.loops = 65", "h2ws.loops = many", "h2ws.websocket.compression = 7",
            "h2ws.websocket.strict-message-limit = lots", "h2ws.websocket.strict-message-limit = 2 GiB",
            "h2ws.pekko.http1 = both", "h2ws.websocket.send-queue = 1",
            "h2ws.websocket-over-http2 = maybe"
        }) {
            ActorSystem other = ActorSystem.create("wrong", com.typesafe.config.ConfigFactory.parseString(wrong)
                    .withFallback(TestConfig.quiet()));
            try {
                assertThatThrownBy(() -> get(H2ws.get(other).newServerAt("127.0.0.1", 0).bind(ROUTE)))
                        .as(wrong)
                        .isInstanceOf(ExecutionException.class)
                        .hasMessageContaining(wrong.substring(0, wrong.indexOf(' ')));
            } finally {
                other.terminate();
                get(other.getWhenTerminated());
            }
        }
    }

    @Test
    void unboundTwiceItsConnectionsGoOn() throws Exception {
        ServerBinding binding = bind(0);
        int port = binding.localAddress().getPort();
        try (Wire wire = Door.H2WS_HTTP2.open(port, "/ws", Map.of())) {
            get(binding.unbind());
            get(binding.unbind());
            wire.text("still here");
            assertThat(wire.next()).isEqualTo("text still here");
            assertThatThrownBy(() -> Door.H2WS_HTTP1.open(port, "/ws", Map.of()))
                    .isInstanceOf(java.io.IOException.class);
        }
        // its last connection is gone
        eventually(() -> loops() == 0);
    }

    @Test
    void terminateSaysGoingAway() throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        ServerBinding binding = get(H2ws.get(system)
                .newServerAt("127.0.0.1", 0)
                .bind(Directives.handleWebSocketMessages(probe.flow())));
        try (Wire wire = Door.H2WS_HTTP2.open(binding.localAddress().getPort(), "/", Map.of())) {
            probe.out();
            CompletionStage<?> terminated = binding.terminate(Duration.ofSeconds(10));
            assertThat(wire.next()).startsWith("close 1001");
            wire.close(1001, "");
            assertThat(wire.next()).isEqualTo("end");
            wire.end();
            assertThat(probe.next()).isEqualTo("complete");
            assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
            get(terminated);
            get(binding.whenTerminated());
        }
        eventually(() -> loops() == 0);
    }

    @Test
    void terminateCutsAtItsDeadline() throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        ServerBinding binding = get(H2ws.get(system)
                .newServerAt("127.0.0.1", 0)
                .bind(Directives.handleWebSocketMessages(probe.flow())));
        try (Wire wire = Door.H2WS_HTTP1.open(binding.localAddress().getPort(), "/", Map.of())) {
            probe.out();
            get(binding.terminate(Duration.ofMillis(200)));
            assertThat(wire.next()).startsWith("close 1001");
            assertThat(probe.next()).isNotEmpty();
            assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
        }
    }

    /** Its head is out by then. */
    @Test
    void aResponseWhoseBodyCannotBeRunIsReset() throws Exception {
        Materializer materializer = Materializer.createMaterializer(system);
        ServerBinding binding = get(H2ws.get(system)
                .newServerAt("127.0.0.1", 0)
                .withMaterializer(materializer)
                .bindSync(request -> HttpResponse.create()
                        .withEntity(HttpEntities.createChunked(
                                ContentTypes.TEXT_PLAIN_UTF8, Source.single(ByteString.fromString("never"))))));
        materializer.shutdown();
        int port = binding.localAddress().getPort();
        assertThat(RawPost.send(Door.H2WS_HTTP2, port, "/", "", true, Map.of())).isEqualTo("reset 2");
    }

    @Test
    void coordinatedShutdown() throws Exception {
        ServerBinding binding = bind(0).addToCoordinatedShutdown(Duration.ofSeconds(5), system);
        try (Wire wire = Door.H2WS_HTTP2.open(binding.localAddress().getPort(), "/ws", Map.of())) {
            CompletionStage<?> done =
                    CoordinatedShutdown.get(system).runAll(CoordinatedShutdown.actorSystemTerminateReason());
            assertThat(wire.next()).startsWith("close 1001");
            wire.close(1001, "");
            wire.end();
            get(done);
        }
        assertThat(loops()).isZero();
    }

    @Test
    void theActorSystemDiesFirst() throws Exception {
        ServerBinding binding = bind(0);
        try (Wire wire = Door.H2WS_HTTP2.open(binding.localAddress().getPort(), "/ws", Map.of())) {
            wire.text("hello");
            assertThat(wire.next()).isEqualTo("text hello");
            system.terminate();
            get(system.getWhenTerminated());
            eventually(() -> loops() == 0);
            assertThat(wire.next()).matches("close 1001.*|reset.*|end");
        }
    }

    /** As in Play's dev mode, where the server's system has a shutdown of its own. */
    @ParameterizedTest
    @ValueSource(strings = {"native", "stock"})
    void terminateHasNothingLeftToDoOnceTheActorSystemDied(String http1) throws Exception {
        ActorSystem dead = ActorSystem.create("dead", TestConfig.with("h2ws.pekko.http1 = " + http1));
        ServerBinding binding = get(H2ws.get(dead).newServerAt("127.0.0.1", 0).bind(ROUTE));
        dead.terminate();
        get(dead.getWhenTerminated());
        get(binding.terminate(Duration.ofSeconds(5)));
    }

    @Test
    void twoHundredTimes() throws Exception {
        get(bind(0).unbind());
        eventually(() -> loops() == 0);
        int before = descriptors();
        for (int i = 0; i < 200; i++) {
            ServerBinding binding = bind(0);
            Door door = i % 20 == 0 ? Door.H2WS_HTTP2 : Door.H2WS_HTTP1;
            int port = binding.localAddress().getPort();
            try (Wire wire = door.open(port, "/ws", Map.of())) {
                wire.text("hello");
                assertThat(wire.next()).isEqualTo("text hello");
            }
            assertThat(RawPost.send(door, port, "/", "", true, Map.of())).isEqualTo("200 hello");
            if (i % 2 == 0) {
                get(binding.unbind());
            } else {
                get(binding.terminate(Duration.ofSeconds(1)));
            }
        }
        eventually(() -> loops() == 0);
        assertThat(descriptors()).isLessThanOrEqualTo(before + 3);
    }

    @Test
    void theFlowIsRunOnceTheResponseIsThroughAndFailsWithItsConnection() throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        java.util.concurrent.CompletableFuture<Void> decided = new java.util.concurrent.CompletableFuture<>();
        java.util.concurrent.CountDownLatch asked = new java.util.concurrent.CountDownLatch(1);
        Route route = Directives.extractWebSocketUpgrade(upgrade -> Directives.onSuccess(
                () -> {
                    asked.countDown();
                    return decided;
                },
                unused -> Directives.complete(upgrade.handleMessagesWith(probe.flow()))));
        ServerBinding binding = get(H2ws.get(system).newServerAt("127.0.0.1", 0).bind(route));
        try (java.net.Socket socket = new java.net.Socket("127.0.0.1", binding.localAddress().getPort())) {
            socket.getOutputStream().write(("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").getBytes());
            assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(probe.started).isNotDone();
            decided.complete(null);
            probe.started.get(10, TimeUnit.SECONDS);
            socket.setSoLinger(true, 0);
        }
        assertThat(probe.next()).startsWith("fail ");
        assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
    }
}
