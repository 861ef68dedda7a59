package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How sockets end, row by row of docs/pekko.md, on stock Pekko HTTP and on h2ws. Where they differ the test says so.
 */
class CloseTest {
    private static ActorSystem system;

    @BeforeAll
    static void start() {
        system = ActorSystem.create("close", TestConfig.quiet());
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** A socket with both its ends in the test's hands. */
    private interface Case {
        void run(Wire wire, Probe probe) throws Exception;
    }

    private void with(Door door, Case test) throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        ServerBinding binding = door.bind(
                system, Directives.path("ws", () -> Directives.get(() -> Directives.handleWebSocketMessages(probe.flow()))));
        try (Wire wire = door.open(binding.localAddress().getPort(), "/ws", Map.of())) {
            assertThat(wire.isAccepted()).isTrue();
            probe.out();
            test.run(wire, probe);
        } finally {
            binding.terminate(java.time.Duration.ofSeconds(1));
        }
    }

    private interface EchoCase {
        void run(Wire wire) throws Exception;
    }

    private void withEcho(Door door, EchoCase test) throws Exception {
        ServerBinding binding = door.bind(
                system, Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.of(Message.class))));
        try (Wire wire = door.open(binding.localAddress().getPort(), "/ws", Map.of())) {
            assertThat(wire.isAccepted()).isTrue();
            test.run(wire);
        } finally {
            binding.terminate(java.time.Duration.ofSeconds(1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePeersCloseCompletesAndTheFlowGoesOnSending(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.text("hello");
            wire.close(1000, "bye");
            assertThat(probe.next()).isEqualTo("text hello");
            assertThat(probe.next()).isEqualTo("complete");
            probe.say("one more");
            assertThat(wire.next()).isEqualTo("text one more");
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("close 1000 bye");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void goingAwayIsEchoedAfterTheFlow(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.close(1001, "");
            assertThat(probe.next()).isEqualTo("complete");
            probe.say("still here");
            assertThat(wire.next()).isEqualTo("text still here");
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("close 1001");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aCloseWithoutACodeIsAnsweredWith1000(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.CLOSE, true, new byte[0]);
            assertThat(probe.next()).isEqualTo("complete");
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("close 1000");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aCloseWithAnotherCodeFailsAndIsEchoedAtOnce(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.close(4001, "why");
            assertThat(wire.next()).isEqualTo("close 4001 why");
            assertThat(probe.next()).startsWith("fail PeerClosedConnectionException").contains("4001", "why");
            assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void anInvalidCloseCodeIs1002(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.close(999, "");
            assertThat(wire.next()).startsWith("close 1002");
            wire.end();
            assertThat(probe.next())
                    .startsWith("fail PeerClosedConnectionException")
                    .contains("1002", "Peer sent illegal close frame");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aCloseOfOneByteIs1002(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.CLOSE, true, new byte[1]);
            assertThat(wire.next()).startsWith("close 1002");
            wire.end();
            assertThat(probe.next()).startsWith("fail PeerClosedConnectionException").contains("illegal close frame");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aCloseInsideAMessageFailsButTheFlowGoesOnSending(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.TEXT, false, "unfini".getBytes());
            wire.close(1000, "");
            // stock has handed the message over by then, as a streamed one
            if (door.isStock()) {
                assertThat(probe.next()).isEqualTo("text streamed");
                assertThat(List.of(probe.next(), probe.next()))
                        .anyMatch(s -> s.startsWith("broken Truncated message"))
                        .anyMatch(s -> s.startsWith("fail ProtocolException Truncated message"));
            } else {
                assertThat(probe.next()).startsWith("fail ProtocolException Truncated message");
            }
            probe.say("still here");
            assertThat(wire.next()).isEqualTo("text still here");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theFlowCompletes(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.say("last");
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("text last");
            assertThat(wire.next()).isEqualTo("close 1000");
            wire.text("crossed");
            assertThat(probe.next()).isEqualTo("text crossed");
            wire.close(1000, "");
            assertThat(probe.next()).isEqualTo("complete");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    /** All doors at once, since each takes the 3 s of the time-out. */
    @Test
    void theFlowCompletesAndThePeerDoesNotAnswer() throws Exception {
        List<CompletableFuture<Void>> runs = new ArrayList<>();
        for (Door door : Door.values()) {
            runs.add(CompletableFuture.runAsync(() -> notAnswered(door), command -> new Thread(command).start()));
        }
        for (CompletableFuture<Void> run : runs) {
            run.get(30, TimeUnit.SECONDS);
        }
    }

    private void notAnswered(Door door) {
        try {
            notAnsweredOver(door);
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    private void notAnsweredOver(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("close 1000");
            assertThat(probe.next()).isEqualTo("complete");
            // h2ws resets what does not answer (docs/close.md)
            assertThat(wire.next()).startsWith(door.isStock() ? "end" : "reset");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theFlowFails(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.out().fail(new IllegalStateException("test"));
            assertThat(wire.next()).startsWith("close 1011");
            wire.text("crossed");
            assertThat(probe.next()).isEqualTo("text crossed");
            wire.close(1011, "");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aViolationIs1002(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.CONTINUATION, true, new byte[1]);
            assertThat(wire.next()).startsWith("close 1002");
            wire.end();
            assertThat(probe.next()).startsWith("fail ProtocolException");
        });
    }

    @ParameterizedTest
    @EnumSource
    void textThatIsNotUtf8Is1007(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.TEXT, true, new byte[] {(byte) 0xff});
            assertThat(wire.next()).startsWith("close 1007");
            wire.end();
            String heard = probe.next();
            // what exception it is differs between versions of stock
            assertThat(heard).startsWith(door.isStock() ? "fail " : "fail ProtocolException");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theEndWithoutACloseCompletes(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.text("hello");
            wire.end();
            assertThat(probe.next()).isEqualTo("text hello");
            assertThat(probe.next()).isEqualTo("complete");
            probe.say("one more");
            assertThat(wire.next()).isEqualTo("text one more");
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("close 1000");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void anEchoGivesItsAnswersBeforeItTellsOfAViolation(Door door) throws Exception {
        withEcho(door, wire -> {
            wire.text("one");
            wire.text("two");
            wire.frame(Wire.CONTINUATION, true, new byte[1]);
            assertThat(wire.next()).isEqualTo("text one");
            assertThat(wire.next()).isEqualTo("text two");
            assertThat(wire.next()).startsWith("close 1002");
        });
    }

    @ParameterizedTest
    @EnumSource
    void anEchoThatIsCutInsideAMessageGivesTheCloseBack(Door door) throws Exception {
        withEcho(door, wire -> {
            wire.frame(Wire.TEXT, false, "unfini".getBytes());
            wire.close(1000, "");
            String answer = wire.next();
            // stock has begun to give the message back by then
            if (door.isStock() && !answer.startsWith("close")) {
                answer = wire.next();
            }
            assertThat(answer).isEqualTo("close 1000");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aResetFails(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.text("hello");
            assertThat(probe.next()).isEqualTo("text hello");
            wire.reset();
            assertThat(probe.next())
                    .startsWith(door.isHttp2() ? "fail PeerClosedStreamException" : "fail StreamTcpException");
            assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
        });
    }

    /** TCP's RST, which over HTTP/1.1 is the reset above. */
    @Test
    void aConnectionThatBreaksFails() throws Exception {
        with(Door.H2WS_HTTP2, (wire, probe) -> {
            wire.text("hello");
            assertThat(probe.next()).isEqualTo("text hello");
            ((Http2Wire) wire).loseConnection();
            assertThat(probe.next()).startsWith("fail StreamTcpException");
            assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
        });
    }

    @ParameterizedTest
    @EnumSource
    void aPingIsAnswered(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.PING, true, "abc".getBytes());
            assertThat(wire.next()).isEqualTo("pong abc");
        });
    }
}
