package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import controllers.Probe;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Sender;
import dev.h2ws.pekko.Wire;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a controller's socket does with frames that break a rule, with many at once, and with a peer that goes on regardless. */
class FrameRuleTest {
    private static final byte MASKED = (byte) 0x80;

    @RegisterExtension
    static final Servers servers = new Servers();

    private interface Case {
        void run(Wire wire, Probe probe) throws Exception;
    }

    /** A socket with both its ends in the test's hands. */
    private static void with(Door door, Case test) throws Exception {
        String name = servers.name();
        Probe probe = servers.of(door).probe(name);
        try (Wire wire = servers.open(door, "/flow/" + name)) {
            assertThat(wire.isAccepted()).as("%s", wire.head).isTrue();
            probe.out();
            test.run(wire, probe);
        }
    }

    /** Nothing was negotiated that would give them a meaning (RFC 6455 section 5.2): 0xC1 is what a compressed text would begin with. */
    @ParameterizedTest
    @ValueSource(ints = {0xc1, 0xa1, 0x91, 0xc2, 0xc9, 0x83, 0x8b})
    void reservedBitsAndOpcodes(int first) throws Exception {
        with(Door.H2WS_HTTP2, (wire, probe) -> {
            wire.send(new byte[] {(byte) first, MASKED | 1, 0, 0, 0, 0, 'x'}, false);
            assertThat(wire.next()).startsWith("close 1002");
            assertThat(probe.next()).isEqualTo("fail ProtocolException");
        });
    }

    /** On Pekko's own engine Play passes some over (RFC 6455 section 5.5.3 lets it answer the last one alone). */
    @ParameterizedTest
    @EnumSource
    void pingsInOneWrite(Door door) throws Exception {
        int count = 20;
        with(door, (wire, probe) -> {
            ByteArrayOutputStream pings = new ByteArrayOutputStream();
            for (int i = 0; i < count; i++) {
                byte[] number = ("" + i).getBytes(StandardCharsets.US_ASCII);
                pings.write(new byte[] {MASKED | Wire.PING, (byte) (MASKED | number.length), 0, 0, 0, 0});
                pings.write(number);
            }
            wire.send(pings.toByteArray(), false);
            List<String> pongs = new ArrayList<>();
            while (!pongs.contains("pong " + (count - 1)) && pongs.size() < count) {
                pongs.add(wire.next());
            }
            List<String> each = IntStream.range(0, count).mapToObj(i -> "pong " + i).toList();
            if (door.isHttp2()) {
                assertThat(pongs).isEqualTo(each);
            } else {
                assertThat(each).containsSubsequence(pongs);
            }
            for (int i = 0; i < count; i++) {
                assertThat(probe.next()).isEqualTo("ping " + i);
            }
            // and none is answered twice
            wire.close(1000, "");
            assertThat(wire.next()).isEqualTo("close 1000");
        });
    }

    /** A peer that takes no notice of our Close is cut, however much it sends, and the controller hears nothing of that. */
    @ParameterizedTest
    @ValueSource(ints = {1002, 1007})
    void aPeerThatGoesOnAfterAViolationIsCut(int code) throws Exception {
        with(Door.H2WS_HTTP2, (wire, probe) -> {
            if (code == 1002) {
                wire.send(new byte[] {(byte) 0xc1, MASKED, 0, 0, 0, 0}, false);
            } else {
                wire.frame(Wire.TEXT, true, new byte[] {(byte) 0xff});
            }
            assertThat(wire.next()).startsWith("close " + code);
            assertThat(probe.next()).isEqualTo("fail ProtocolException");
            assertThat(wire.next()).isEqualTo("end");
            goesOn(wire, probe);
        });
    }

    /** That Close is Play's own, and Play waits for an answer without a limit. */
    @Test
    void aPeerThatGoesOnAfterAMessageThatWasTooLongIsCut() throws Exception {
        with(Door.H2WS_HTTP2, (wire, probe) -> {
            wire.frame(Wire.BINARY, true, new byte[(64 << 10) + 1]);
            assertThat(wire.next()).startsWith("close 1009");
            goesOn(wire, probe);
            assertThat(probe.next()).isEqualTo("complete");
        });
    }

    private static void goesOn(Wire wire, Probe probe) throws Exception {
        new Sender(wire, Integer.MAX_VALUE, new byte[10_000]);
        String first = wire.next();
        // the message that the reset came upon may be told of first
        assertThat(first.startsWith("sending failed") ? wire.next() : first).startsWith("reset");
        assertThat(probe.heard()).noneMatch(heard -> heard.startsWith("binary"));
    }

    /** Without a GOAWAY, a FIN or a RST_STREAM. */
    @Test
    void theConnectionIsResetUnderneath() throws Exception {
        PlayServer server = servers.of(Door.H2WS_HTTP2);
        String name = servers.name();
        Probe probe = server.probe(name);
        try (Http2Wire wire = new Http2Wire(server.port(), "/flow/" + name, Map.of(), null)) {
            probe.out();
            wire.text("last");
            assertThat(probe.next()).isEqualTo("text last");
            wire.loseConnection();
            assertThat(probe.next()).startsWith("fail");
            probe.outEnd();
        }
    }
}
