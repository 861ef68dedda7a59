package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.impl.engine.ws.FrameEvent;
import org.apache.pekko.http.impl.engine.ws.FrameHeader;
import org.apache.pekko.http.impl.engine.ws.FrameStart;
import org.apache.pekko.http.impl.engine.ws.UpgradeToWebSocketLowLevel;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Graph;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import scala.Option;

/** Flows of frames, which Play uses: Ping and Close are theirs, the upgrade is found as a header. */
class FrameTest {
    private static ActorSystem system;

    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    @BeforeAll
    static void start() {
        system = ActorSystem.create("frames", TestConfig.quiet());
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** Sends back what it hears, Pings and the Close too, without masks. */
    private Flow<FrameEvent, FrameEvent, NotUsed> echo() {
        return Flow.<FrameEvent>create()
                .map(event -> {
                    FrameStart start = (FrameStart) event;
                    FrameHeader header = start.header();
                    heard.add(header.opcode().code() + (header.fin() ? " " : " part ") + header.mask().isDefined());
                    return (FrameEvent) new FrameStart(
                            new FrameHeader(
                                    header.opcode(), Option.empty(), header.length(), header.fin(), false, false, false),
                            inPieces(start.data()));
                })
                .watchTermination((unused, end) -> {
                    end.whenComplete((done, failure) -> heard.add(failure == null ? "complete" : "fail " + failure));
                    return unused;
                });
    }

    /** As Play makes it of what came in parts. */
    private static ByteString inPieces(ByteString data) {
        int third = data.length() / 3;
        ByteString rest = data.drop(third);
        return data.take(third).concat(rest.take(third)).concat(rest.drop(third));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private HttpResponse upgrade(HttpRequest request) {
        for (var header : request.getHeaders()) {
            if ((Object) header instanceof UpgradeToWebSocketLowLevel upgrade) {
                Graph<FlowShape<FrameEvent, FrameEvent>, Object> flow = (Graph) echo();
                return upgrade.handleFrames(flow, Option.empty());
            }
        }
        return HttpResponse.create().withStatus(400);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void theFlowAnswersForItself(Door door) throws Exception {
        ServerBinding binding = bind(door, system);
        try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
            wire.text("hello");
            assertThat(wire.next()).isEqualTo("text hello");
            wire.frame(Wire.TEXT, false, new byte[] {'a'});
            wire.frame(Wire.PING, true, new byte[] {'p'});
            assertThat(wire.next()).isEqualTo("ping p");
            wire.frame(Wire.CONTINUATION, true, new byte[] {'b'});
            assertThat(wire.next()).isEqualTo("text ab");
            wire.close(4000, "bye");
            assertThat(wire.next()).isEqualTo("close 4000 bye");
            assertThat(wire.next()).isEqualTo("end");
            wire.end();
            for (String expected : new String[] {"1 true", "9 true", "1 true", "8 true", "complete"}) {
                assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo(expected);
            }
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    private ServerBinding bind(Door door, ActorSystem system) throws Exception {
        return door.builder(system).bindSync(this::upgrade).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** Play takes a frame between the parts of a message for a violation, and the parts are often ours: those that arrive. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void aPingBehindALargeMessageStaysBehindIt(Door door) throws Exception {
        int rounds = 50;
        ServerBinding binding = bind(door, system);
        try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
            for (int i = 0; i < rounds; i++) {
                wire.frame(Wire.BINARY, true, new byte[100_000]);
                wire.frame(Wire.PING, true, new byte[] {'p'});
            }
            for (int pings = 0, inside = 0; pings < rounds || inside > 0; ) {
                String frame = wire.next();
                if (frame.startsWith("ping")) {
                    assertThat(inside).as("in a message after %d Pings", pings).isZero();
                    pings++;
                } else {
                    assertThat(frame).matches("(part )?(binary|more).*");
                    inside = frame.startsWith("part") ? 1 : 0;
                }
            }
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void aMessageInPiecesIsSentAsOne(Door door) throws Exception {
        ServerBinding binding = bind(door, system);
        try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
            wire.text("hello");
            assertThat(wire.next()).isEqualTo("text hello");
            for (int times : new int[] {2_000, 2_049, 7_000, 8_000}) {
                // the pieces end inside characters: in any other order they would be no UTF-8
                byte[] text = "a\u20ac\ud83d\ude00".repeat(times).getBytes(StandardCharsets.UTF_8);
                wire.frame(Wire.TEXT, true, text);
                assertThat(wire.next()).isEqualTo("text " + text.length + " bytes");
            }
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    /** It is not complete, and will not be, so there is no frame to show to Play that it would not take for a violation. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void aCloseInsideALargeMessageIsTheEndOfTheFlow(Door door) throws Exception {
        ServerBinding binding = bind(door, system);
        try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
            wire.frame(Wire.BINARY, false, new byte[100_000]);
            assertThat(wire.next()).startsWith("part binary");
            wire.close(4000, "bye");
            String frame = wire.next();
            while (frame.startsWith("part more")) {
                frame = wire.next();
            }
            assertThat(frame).isEqualTo("close 4000 bye");
            String told = heard.poll(10, TimeUnit.SECONDS);
            while (told.matches("[20] part true")) {
                told = heard.poll(10, TimeUnit.SECONDS);
            }
            assertThat(told).isEqualTo("complete");
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    /** Play looks at the length of parts alone, so what is above its limit comes in parts, and what is not, whole. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void partsBeginAtPlaysLimit(Door door) throws Exception {
        ActorSystem limited =
                ActorSystem.create("limited", TestConfig.with("play.server.websocket.frame.maxLength = 1000"));
        ServerBinding binding = bind(door, limited);
        try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
            wire.frame(Wire.BINARY, true, new byte[1000]);
            assertThat(wire.next()).isEqualTo("binary 1000 bytes");
            wire.frame(Wire.BINARY, false, new byte[500]);
            wire.frame(Wire.CONTINUATION, true, new byte[500]);
            assertThat(wire.next()).isEqualTo("binary 1000 bytes");
            wire.frame(Wire.BINARY, true, "x".repeat(1001).getBytes(StandardCharsets.US_ASCII));
            assertThat(wire.next()).isEqualTo("part binary 1000 bytes");
            assertThat(wire.next()).isEqualTo("more x");
            wire.frame(Wire.PING, true, new byte[] {'p'});
            assertThat(wire.next()).isEqualTo("ping p");
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
        limited.terminate();
        limited.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }
}
