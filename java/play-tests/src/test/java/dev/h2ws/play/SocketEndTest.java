package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import controllers.Probe;
import dev.h2ws.pekko.Wire;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import play.http.websocket.Message;

/** How sockets of controllers end, on Play's own server and on h2ws; where they differ the test says so. */
class SocketEndTest {
    @RegisterExtension
    static final Servers servers = new Servers();

    private interface Case {
        void run(Wire wire, Probe probe) throws Exception;
    }

    /** A socket with both its ends in the test's hands. */
    private static void with(Door door, Case test) throws Exception {
        with(servers.of(door), door, servers.name(), test);
    }

    private static void with(PlayServer server, Door door, String name, Case test) throws Exception {
        Probe probe = server.probe(name);
        try (Wire wire = door.open(server, "/flow/" + name)) {
            assertThat(wire.isAccepted()).as("%s", wire.head).isTrue();
            probe.out();
            test.run(wire, probe);
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePeersClose(Door door) throws Exception {
        for (int code : new int[] {1000, 1001, 3000, 4999}) {
            with(door, (wire, probe) -> {
                wire.close(code, "bye");
                assertThat(probe.next()).isEqualTo("close " + code + " bye");
                assertThat(probe.next()).isEqualTo("complete");
                assertThat(wire.next()).isEqualTo("close " + code + " bye");
                assertThat(wire.next()).isEqualTo("end");
                probe.outEnd();
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePeersCloseWithoutACode(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.CLOSE, true, new byte[0]);
            // Play has 1005 for none, which is not for the wire
            assertThat(probe.next()).startsWith("close");
            assertThat(probe.next()).isEqualTo("complete");
            assertThat(wire.next()).startsWith("close");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theControllersClose(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.say(new Message.Close(4000, "done"));
            assertThat(wire.next()).isEqualTo("close 4000 done");
            wire.close(4000, "done");
            assertThat(wire.next()).isEqualTo("end");
            assertThat(probe.next()).isEqualTo("complete");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theFlowCompletes(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.say(new Message.Text("last"));
            probe.out().complete();
            assertThat(wire.next()).isEqualTo("text last");
            assertThat(wire.next()).isEqualTo("close 1000");
            wire.text("late");
            // Play hands over what comes before the answer
            assertThat(probe.next()).isEqualTo("text late");
            wire.close(1000, "");
            assertThat(wire.next()).isEqualTo("end");
            assertThat(probe.next()).isEqualTo("complete");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theFlowFails(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.out().fail(new IllegalStateException("as asked"));
            assertThat(wire.next()).isEqualTo("close 1011");
            wire.close(1011, "");
            assertThat(wire.next()).isEqualTo("end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theFlowTakesNoMore(Door door) throws Exception {
        String name = servers.name();
        servers.of(door).put(name, Flow.fromSinkAndSource(Sink.cancelled(), Source.<Message>maybe()));
        try (Wire wire = servers.open(door, "/flow/" + name)) {
            assertThat(wire.next()).isEqualTo("close 1000");
            wire.close(1000, "");
            assertThat(wire.next()).isEqualTo("end");
        }
    }

    /** Stock waits for it without a limit. */
    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void thePeerDoesNotAnswerAClose(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.say(new Message.Close(1000, ""));
            assertThat(wire.next()).isEqualTo("close 1000");
            assertThat(wire.next()).startsWith("reset");
            assertThat(probe.next()).startsWith("complete");
        });
    }

    /** FIN of HTTP/1.1; stock sends no Close. */
    @ParameterizedTest
    @EnumSource
    void endWithoutAClose(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.text("x");
            wire.end();
            assertThat(probe.next()).isEqualTo("text x");
            assertThat(probe.next()).isEqualTo("complete");
            if (door.isHttp2()) {
                assertThat(wire.next()).isEqualTo("close 1000");
            }
            assertThat(wire.next()).isEqualTo("end");
            probe.outEnd();
        });
    }

    /** RST_STREAM of HTTP/2, RST of HTTP/1.1. */
    @ParameterizedTest
    @EnumSource
    void aReset(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.reset();
            assertThat(probe.next()).startsWith("fail");
            probe.outEnd();
        });
    }

    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void theConnectionIsLost(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.close();
            assertThat(probe.next()).startsWith("fail");
            probe.outEnd();
        });
    }

    /** In stock what is no UTF-8 becomes other letters. */
    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void textThatIsNoUtf8(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.TEXT, true, new byte[] {(byte) 0xff});
            assertThat(wire.next()).startsWith("close 1007");
            assertThat(probe.next()).isEqualTo("fail ProtocolException");
        });
    }

    /** In stock the controller hears the code, and the socket fails when Play answers with it. */
    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void aCloseCodeThatCannotBe(Door door) throws Exception {
        for (int code : new int[] {872, 1004, 1005, 1006, 5000}) {
            with(door, (wire, probe) -> {
                wire.close(code, "");
                assertThat(wire.next()).startsWith("close 1002");
                assertThat(probe.next()).isEqualTo("fail PeerClosedConnectionException");
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFrameWithoutAMask(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.send(new byte[] {(byte) 0x81, 1, 'x'}, false);
            assertThat(wire.next()).startsWith("close 1002");
            if (door.isHttp2()) {
                assertThat(probe.next()).isEqualTo("fail ProtocolException");
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void aContinuationOfNothing(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.CONTINUATION, true, "x".getBytes(StandardCharsets.US_ASCII));
            assertThat(wire.next()).startsWith("close 1002");
            if (door.isHttp2()) {
                assertThat(probe.next()).isEqualTo("fail ProtocolException");
            }
        });
    }

    /** What was said before it has its answer. */
    @ParameterizedTest
    @EnumSource
    void aViolationBehindMessages(Door door) throws Exception {
        try (Wire wire = servers.open(door, "/java/text")) {
            wire.text("a");
            wire.text("b");
            assertThat(wire.next()).isEqualTo("text java a");
            assertThat(wire.next()).isEqualTo("text java b");
            wire.frame(Wire.CONTINUATION, true, new byte[0]);
            assertThat(wire.next()).startsWith("close 1002");
        }
    }

    /** Play on Pekko's own engine has no Close at its end, so neither has HTTP/1.1 by the drop-in. */
    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void theServerStops(Door door) throws Exception {
        PlayServer server = door.start("play.server.terminationTimeout = 2s");
        with(server, door, "stopping", (wire, probe) -> {
            Thread stop = new Thread(server::close);
            stop.start();
            assertThat(wire.next()).startsWith("close 1001");
            // what the controller hears is the answer to it
            wire.close(1001, "");
            assertThat(probe.next()).isEqualTo("close 1001");
            assertThat(probe.next()).isEqualTo("complete");
            assertThat(wire.next()).isEqualTo("end");
            stop.join();
        });
    }

    @ParameterizedTest
    @EnumSource
    void keepAlive(Door door) throws Exception {
        for (String mode : new String[] {"ping", "pong"}) {
            try (PlayServer server = door.start("play.server.websocket { periodic-keep-alive-mode = " + mode
                    + ", periodic-keep-alive-max-idle = 200ms }")) {
                with(server, door, "idle", (wire, probe) -> {
                    assertThat(wire.next()).isEqualTo(mode);
                    assertThat(wire.next()).isEqualTo(mode);
                    wire.close(1000, "");
                });
            }
        }
    }

    /** Without a Close on Pekko's own engine. */
    @ParameterizedTest
    @EnumSource
    void idle(Door door) throws Exception {
        try (PlayServer server = door.start("play.server.http.idleTimeout = 1s")) {
            with(server, door, "idle", (wire, probe) -> {
                if (door.isHttp2()) {
                    assertThat(wire.next()).startsWith("close 1001");
                } else {
                    assertThat(wire.next()).matches("end|reset.*");
                }
                assertThat(probe.next()).matches(door.isHttp2() ? "fail TimeoutException" : "complete|fail.*");
            });
        }
    }

    /** 64 KiB unless it is configured. */
    @ParameterizedTest
    @EnumSource
    void theLimitIsConfigured(Door door) throws Exception {
        try (PlayServer server = door.start("play.server.websocket.frame.maxLength = 100k")) {
            with(server, door, "long", (wire, probe) -> {
                wire.frame(Wire.BINARY, true, new byte[100 << 10]);
                assertThat(probe.next()).isEqualTo("binary " + (100 << 10));
                wire.frame(Wire.BINARY, false, new byte[100 << 10]);
                wire.frame(Wire.CONTINUATION, true, new byte[1]);
                assertThat(wire.next()).startsWith("close 1009");
            });
        }
    }
}
