package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import controllers.Probe;
import dev.h2ws.pekko.Sender;
import dev.h2ws.pekko.Wire;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import play.http.websocket.Message;

/** Handshakes and messages of controllers, on Play's own server and on h2ws; where they differ the test says so. */
class SocketTest {
    private static final int LIMIT = 64 << 10;

    @RegisterExtension
    static final Servers servers = new Servers();

    private static Wire accepted(Door door, String path) throws Exception {
        Wire wire = servers.open(door, path);
        assertThat(wire.isAccepted()).as("%s", wire.head).isTrue();
        return wire;
    }

    private interface Case {
        void run(Wire wire, Probe probe) throws Exception;
    }

    /** A socket with both its ends in the test's hands. */
    private static void with(Door door, Case test) throws Exception {
        String name = servers.name();
        Probe probe = servers.of(door).probe(name);
        try (Wire wire = accepted(door, "/flow/" + name)) {
            test.run(wire, probe);
        }
    }

    @ParameterizedTest
    @EnumSource
    void text(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = accepted(door, "/" + language + "/text")) {
                wire.text("grüße €");
                assertThat(wire.next()).isEqualTo("text " + language + " grüße €");
                wire.text("");
                assertThat(wire.next()).isEqualTo("text " + language);
                wire.text("x".repeat(LIMIT));
                assertThat(wire.next()).isEqualTo("text " + (LIMIT + language.length() + 1) + " bytes");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void binary(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = accepted(door, "/" + language + "/binary")) {
                wire.frame(Wire.BINARY, true, "ab".getBytes(StandardCharsets.US_ASCII));
                assertThat(wire.next()).isEqualTo("binary abab");
                wire.frame(Wire.BINARY, true, new byte[0]);
                assertThat(wire.next()).isEqualTo("binary");
                wire.frame(Wire.BINARY, true, new byte[LIMIT]);
                assertThat(wire.next()).isEqualTo("binary " + 2 * LIMIT + " bytes");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void json(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = accepted(door, "/" + language + "/json")) {
                wire.text("{\"a\":[1,null]}");
                assertThat(wire.next()).isEqualTo("text {\"" + language + "\":{\"a\":[1,null]}}");
                // binary JSON is JSON too
                wire.frame(Wire.BINARY, true, "7".getBytes(StandardCharsets.US_ASCII));
                assertThat(wire.next()).isEqualTo("text {\"" + language + "\":7}");
                wire.text("{");
                assertThat(wire.next()).startsWith("close 1003");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void anActor(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = accepted(door, "/" + language + "/actor")) {
                wire.text("a");
                assertThat(wire.next()).isEqualTo("text 1 a");
                wire.text("b");
                assertThat(wire.next()).isEqualTo("text 2 b");
                wire.text("stop");
                assertThat(wire.next()).isEqualTo("close 1000");
            }
        }
    }

    /** A controller of Scala's that has the frames of all kinds; it answers texts alone, and Play the rest. */
    @ParameterizedTest
    @EnumSource
    void messagesOfEachKind(Door door) throws Exception {
        try (Wire wire = accepted(door, "/scala/messages")) {
            wire.frame(Wire.BINARY, true, new byte[] {1});
            wire.text("a");
            assertThat(wire.next()).isEqualTo("text a");
            wire.frame(Wire.PING, true, "p".getBytes(StandardCharsets.US_ASCII));
            assertThat(wire.next()).isEqualTo("pong p");
            wire.close(4000, "enough");
            assertThat(wire.next()).isEqualTo("close 4000 enough");
        }
    }

    @ParameterizedTest
    @EnumSource
    void theWrongKindOfMessage(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = accepted(door, "/" + language + "/text")) {
                wire.frame(Wire.BINARY, true, new byte[1]);
                assertThat(wire.next()).startsWith("close 1003 This");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aMessageInFragments(Door door) throws Exception {
        try (Wire wire = accepted(door, "/scala/text")) {
            wire.frame(Wire.TEXT, false, "a €".getBytes(StandardCharsets.UTF_8));
            wire.frame(Wire.CONTINUATION, false, new byte[0]);
            wire.frame(Wire.CONTINUATION, true, "c".getBytes(StandardCharsets.UTF_8));
            assertThat(wire.next()).isEqualTo("text scala a €c");
        }
    }

    /** Play takes the first that is offered. */
    @ParameterizedTest
    @EnumSource
    void aSubprotocol(Door door) throws Exception {
        try (Wire wire = servers.open(door, "/java/text", Map.of("sec-websocket-protocol", "chat, other"))) {
            assertThat(wire.isAccepted()).isTrue();
            assertThat(wire.head).containsEntry("sec-websocket-protocol", "chat");
            wire.text("x");
            assertThat(wire.next()).isEqualTo("text java x");
        }
        try (Wire wire = servers.open(door, "/java/text")) {
            assertThat(wire.head).doesNotContainKey("sec-websocket-protocol");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRefusal(Door door) throws Exception {
        for (String language : List.of("scala", "java")) {
            try (Wire wire = servers.open(door, "/" + language + "/known")) {
                assertThat(wire.head).containsEntry(":status", "401").containsEntry("x-why", "no name");
                assertThat(wire.head).containsEntry("content-type", "text/plain; charset=UTF-8");
                assertThat(wire.head).containsEntry("content-length", "13");
            }
            try (Wire wire = accepted(door, "/" + language + "/known?name=ann")) {
                wire.text("hi");
                assertThat(wire.next()).isEqualTo("text ann: hi");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void noRoute(Door door) throws Exception {
        try (Wire wire = servers.open(door, "/nowhere")) {
            assertThat(wire.head).containsEntry(":status", "404");
        }
    }

    /** Over HTTP/2 a 200 would accept the socket (RFC 8441 section 5). */
    @ParameterizedTest
    @EnumSource
    void aHandshakeThatAPageAnswers(Door door) throws Exception {
        try (Wire wire = servers.open(door, "/hello")) {
            assertThat(wire.head).containsEntry(":status", door.isHttp2() ? "400" : "200");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPingIsHeardAndAnswered(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.PING, true, "are you there".getBytes(StandardCharsets.US_ASCII));
            assertThat(probe.next()).isEqualTo("ping are you there");
            assertThat(wire.next()).isEqualTo("pong are you there");
            wire.text("x");
            assertThat(probe.next()).isEqualTo("text x");
        });
    }

    /** Play's rule (RFC 6455 section 5.5.3 lets it answer the last one alone): none is answered twice. */
    @ParameterizedTest
    @EnumSource
    void pingsInARow(Door door) throws Exception {
        with(door, (wire, probe) -> {
            for (int i = 0; i < 20; i++) {
                wire.frame(Wire.PING, true, ("" + i).getBytes(StandardCharsets.US_ASCII));
                assertThat(probe.next()).isEqualTo("ping " + i);
                assertThat(wire.next()).isEqualTo("pong " + i);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void aPingOfTheControllersIsAnswered(Door door) throws Exception {
        with(door, (wire, probe) -> {
            probe.say(new Message.Ping(ByteString.fromString("you?")));
            assertThat(wire.next()).isEqualTo("ping you?");
            wire.frame(10, true, "you?".getBytes(StandardCharsets.US_ASCII));
            assertThat(probe.next()).isEqualTo("pong you?");
            probe.say(new Message.Pong(ByteString.fromString("here")));
            assertThat(wire.next()).isEqualTo("pong here");
        });
    }

    @ParameterizedTest
    @EnumSource
    void messagesKeepTheirOrder(Door door) throws Exception {
        int count = 2000;
        try (Wire wire = accepted(door, "/java/text")) {
            for (int i = 0; i < count; i++) {
                wire.text(i + " " + "x".repeat(i % 50));
            }
            for (int i = 0; i < count; i++) {
                assertThat(wire.next().trim()).isEqualTo(("text java " + i + " " + "x".repeat(i % 50)).trim());
            }
        }
    }

    /** Of parts: stock checks where the network has parted a message, h2ws above the limit always. */
    @ParameterizedTest
    @EnumSource
    void aMessageInFragmentsThatIsTooLong(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.TEXT, false, "x".repeat(LIMIT).getBytes(StandardCharsets.US_ASCII));
            wire.frame(Wire.CONTINUATION, true, "x".repeat(1).getBytes(StandardCharsets.US_ASCII));
            assertThat(wire.next()).isEqualTo("close 1009 Message was too big");
        });
    }

    @ParameterizedTest
    @EnumSource(names = "H2WS_HTTP2")
    void aMessageThatIsTooLong(Door door) throws Exception {
        with(door, (wire, probe) -> {
            wire.frame(Wire.BINARY, true, new byte[LIMIT + 1]);
            assertThat(wire.next()).startsWith("close 1009");
        });
    }

    /** A flow that does not ask holds its peer back; when it asks, all is there. */
    @ParameterizedTest
    @EnumSource
    void aFlowThatDoesNotAskHoldsThePeerBack(Door door) throws Exception {
        int count = 2000;
        int size = 20_000;
        CompletableFuture<Boolean> gate = new CompletableFuture<>();
        AtomicInteger heard = new AtomicInteger();
        CompletableFuture<Integer> all = new CompletableFuture<>();
        Flow<Message, Message, NotUsed> flow = Flow.fromSinkAndSource(
                Flow.of(Message.class)
                        .mapAsync(1, message -> gate.thenApply(open -> message))
                        .to(Sink.foreach(message -> {
                            assertThat(((Message.Binary) message).data().size()).isEqualTo(size);
                            if (heard.incrementAndGet() == count) {
                                all.complete(count);
                            }
                        })),
                Source.maybe());
        String name = servers.name();
        servers.of(door).put(name, flow);
        try (Wire wire = accepted(door, "/flow/" + name)) {
            Sender sender = new Sender(wire, count, new byte[size]);
            sender.untilItRests();
            assertThat(sender.isThrough()).isFalse();
            assertThat(heard).hasValue(0);
            gate.complete(true);
            assertThat(all.get(30, TimeUnit.SECONDS)).isEqualTo(count);
        }
    }

    /** A peer that does not read holds the flow back. */
    @ParameterizedTest
    @EnumSource
    void aPeerThatDoesNotReadHoldsTheFlowBack(Door door) throws Exception {
        int count = 3000;
        int size = 20_000;
        AtomicInteger made = new AtomicInteger();
        String name = servers.name();
        servers.of(door).put(name, Flow.fromSinkAndSource(
                Sink.ignore(),
                Source.range(1, count)
                        .map(i -> {
                            made.incrementAndGet();
                            return (Message) new Message.Binary(ByteString.fromArray(new byte[size]));
                        })
                        .concat(Source.maybe())));
        try (Wire wire = accepted(door, "/flow/" + name)) {
            wire.pause();
            Sender.untilItRests(made::get);
            assertThat(made).hasValueLessThan(count);
            wire.resume();
            List<Integer> expected = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                expected.add(size);
            }
            assertThat(wire.readMessages(count)).isEqualTo(expected);
        }
    }
}
