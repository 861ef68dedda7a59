package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.ws.BinaryMessage;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Handshakes and messages of ordinary routes, on stock Pekko HTTP and on h2ws. */
class MessageTest {
    /** Of what only some interleavings of threads would break; fewer over TLS, below the same code. */
    private static final int RUNS = Integer.getInteger("h2ws.test.runs", 20);

    private static ActorSystem system;

    @BeforeAll
    static void start() {
        system = ActorSystem.create("messages", TestConfig.quiet());
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private interface Case {
        void run(Wire wire) throws Exception;
    }

    private static void with(Door door, Route route, Map<String, String> fields, Case test) throws Exception {
        ServerBinding binding = door.bind(system, Directives.path("ws", () -> route));
        try (Wire wire = door.open(binding.localAddress().getPort(), "/ws", fields)) {
            test.run(wire);
        } finally {
            binding.terminate(java.time.Duration.ofSeconds(1));
        }
    }

    private static void with(Door door, Flow<Message, Message, NotUsed> flow, Case test) throws Exception {
        with(door, Directives.handleWebSocketMessages(flow), Map.of(), test);
    }

    private static Flow<Message, Message, NotUsed> echo() {
        return Flow.create();
    }

    @ParameterizedTest
    @EnumSource
    void echoes(Door door) throws Exception {
        with(door, echo(), wire -> {
            wire.text("grüße 🦀");
            assertThat(wire.next()).isEqualTo("text grüße 🦀");
            wire.text("");
            assertThat(wire.next()).isEqualTo("text");
            wire.frame(Wire.BINARY, true, new byte[300]);
            assertThat(wire.next()).isEqualTo("binary 300 bytes");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aThousandInOrder(Door door) throws Exception {
        with(door, echo(), wire -> {
            for (int i = 0; i < 1000; i++) {
                wire.text("message " + i);
            }
            for (int i = 0; i < 1000; i++) {
                assertThat(wire.next()).isEqualTo("text message " + i);
            }
        });
    }

    /** So that they come to the flow at once. */
    private static void together(Wire wire, int count) throws Exception {
        java.io.ByteArrayOutputStream frames = new java.io.ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            frames.write(Wire.encode(Wire.TEXT, true, ("" + i).getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
        }
        wire.send(frames.toByteArray(), false);
    }

    @ParameterizedTest
    @EnumSource
    void messagesThatComeTogetherAreAnsweredAsFarAsTheFlowGoes(Door door) throws Exception {
        CompletableFuture<Void> go = new CompletableFuture<>();
        AtomicInteger heard = new AtomicInteger();
        Flow<Message, Message, NotUsed> stops = Flow.<Message>create()
                .mapAsync(1, message -> heard.getAndIncrement() < 3
                        ? CompletableFuture.completedFuture(message)
                        : go.thenApply(unused -> message));
        with(door, stops, wire -> {
            together(wire, 10);
            for (int i = 0; i < 10; i++) {
                if (i == 3) {
                    go.complete(null);
                }
                assertThat(wire.next()).isEqualTo("text " + i);
            }
        });
    }

    /** A step that takes its time holds up what was said right before it; those behind it hold up nothing. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void messagesThatComeTogetherToASlowFlow(Door door) throws Exception {
        Semaphore answers = new Semaphore(0);
        AtomicInteger heard = new AtomicInteger();
        Flow<Message, Message, NotUsed> slow = Flow.<Message>create().map(message -> {
            int i = heard.getAndIncrement();
            if (i == 1) {
                // longer than answers may wait for others
                answers.tryAcquire(10, 50, TimeUnit.MILLISECONDS);
            } else if (i > 1 && !answers.tryAcquire(i == 2 ? 2 : 1, 10, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the answer to " + (i - 1) + " is not out");
            }
            return message;
        });
        with(door, slow, wire -> {
            together(wire, 10);
            for (int i = 0; i < 10; i++) {
                assertThat(wire.next()).isEqualTo("text " + i);
                answers.release();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void fragmentsAreOneMessage(Door door) throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        with(door, probe.flow(), wire -> {
            byte[] text = "grüße".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            // inside the ü
            wire.frame(Wire.TEXT, false, java.util.Arrays.copyOf(text, 3));
            wire.frame(Wire.PING, true, new byte[] {'x'});
            wire.frame(Wire.CONTINUATION, true, java.util.Arrays.copyOfRange(text, 3, text.length));
            assertThat(wire.next()).isEqualTo("pong x");
            // stock hands over a stream, on which getStrictText fails
            assertThat(probe.next()).isEqualTo(door.isStock() ? "text streamed" : "text grüße");
            if (door.isStock()) {
                assertThat(probe.next()).isEqualTo("whole grüße");
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void aLongMessageIsStreamed(Door door) throws Exception {
        Probe probe = new Probe(SystemMaterializer.get(system).materializer());
        with(door, probe.flow(), wire -> {
            int length = 3 << 20;
            byte[] bytes = new byte[length];
            java.util.Arrays.fill(bytes, (byte) 'a');
            for (int i = 0; i + 1 < length; i += 7) {
                bytes[i] = (byte) 0xc3;
                bytes[i + 1] = (byte) 0xbc;
            }
            int characters = new String(bytes, java.nio.charset.StandardCharsets.UTF_8).length();
            wire.frame(Wire.TEXT, true, bytes);
            assertThat(probe.next()).isEqualTo("text streamed");
            assertThat(probe.next()).isEqualTo("whole " + characters);
            wire.text("next");
            assertThat(probe.next()).isEqualTo("text next");
        });
    }

    /** Nothing comes behind it that would wake the stage. */
    @ParameterizedTest
    @EnumSource
    void aMessageInPartsThatWasCompleteBeforeTheFlowAsked(Door door) throws Exception {
        CompletableFuture<Void> go = new CompletableFuture<>();
        Flow<Message, Message, NotUsed> slow = Flow.<Message>create()
                .mapAsync(1, message -> go.thenCompose(unused -> message.asBinaryMessage()
                        .toStrict(10_000, SystemMaterializer.get(system).materializer())
                        .thenApply(strict -> (Message) strict)));
        with(door, slow, wire -> {
            wire.frame(Wire.BINARY, true, new byte[] {'a'});
            wire.frame(Wire.BINARY, false, new byte[] {'b'});
            wire.frame(Wire.CONTINUATION, true, new byte[] {'c'});
            if (!door.isStock()) {
                // there a Pong waits behind messages
                wire.frame(Wire.PING, true, new byte[] {'x'});
                assertThat(wire.next()).isEqualTo("pong x");
            }
            go.complete(null);
            assertThat(wire.next()).isEqualTo("binary a");
            assertThat(wire.next()).isEqualTo("binary bc");
        });
    }

    /** Longer than what is put together, so both ways are streams; the client reads when it has sent a good deal. */
    @ParameterizedTest
    @EnumSource
    void longMessagesAreEchoed(Door door) throws Exception {
        int count = 8;
        int length = 300_000;
        byte[] message = "a".repeat(length).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        ServerBinding binding =
                door.bind(system, Directives.path("ws", () -> Directives.handleWebSocketMessages(echo())));
        try {
            for (int run = 0; run < RUNS / (door.context() == null ? 1 : 4); run++) {
                try (Wire wire = door.open(binding.localAddress().getPort(), "/ws", Map.of())) {
                    wire.pause();
                    Sender sender = new Sender(wire, count, message);
                    // the server is held back by then, or has everything in its buffers: either is good
                    sender.untilItRests();
                    wire.resume();
                    assertThat(wire.readMessages(count)).as("run %d", run).containsOnly(length).hasSize(count);
                    sender.join();
                }
            }
        } finally {
            binding.terminate(java.time.Duration.ofSeconds(1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void streamedMessagesAreFrames(Door door) throws Exception {
        // the crab's surrogates in two strings
        Source<Message, NotUsed> source = Source.from(List.of(
                TextMessage.create(Source.from(List.of("a", "b\ud83e", "\udd80"))),
                BinaryMessage.create(Source.from(List.of(ByteString.fromString("x"), ByteString.fromString("y"))))));
        with(door, Flow.fromSinkAndSource(Sink.ignore(), source.concat(Source.maybe())), wire -> {
            StringBuilder text = new StringBuilder();
            String next = wire.next();
            assertThat(next).startsWith("part text");
            while (next.startsWith("part")) {
                text.append(next.replaceAll("part (text|more) ?", ""));
                next = wire.next();
            }
            // a frame for each element; the crab is in one, whichever
            assertThat(text.toString() + next.replace("more", "").trim()).isEqualTo("ab🦀");
            assertThat(wire.next()).isEqualTo("part binary x");
            assertThat(wire.next()).isEqualTo("part more y");
            assertThat(wire.next()).isEqualTo("more");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aStreamedMessageThatFailsIsClose1011(Door door) throws Exception {
        Source<Message, NotUsed> source = Source.single(
                TextMessage.create(Source.single("a").concat(Source.failed(new IllegalStateException("test")))));
        with(door, Flow.fromSinkAndSource(Sink.ignore(), source.concat(Source.maybe())), wire -> {
            // whether the first part still goes out is the source's own matter
            String next = wire.next();
            assertThat(next.equals("part text a") ? wire.next() : next).isEqualTo("close 1011 internal error");
        });
    }

    /** In stock it does: that reads nothing any more after the first message (pekko's issue of ignoreTerminateOutput). */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void aCancelledSinkHoldsNothingUp(Door door) throws Exception {
        with(door, Flow.fromSinkAndSource(Sink.cancelled(), Source.maybe()), wire -> {
            for (int i = 0; i < 100; i++) {
                wire.text("nobody hears this");
            }
            wire.frame(Wire.PING, true, new byte[] {'x'});
            assertThat(wire.next()).isEqualTo("pong x");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aSinkThatDoesNotAskHoldsThePeerBack(Door door) throws Exception {
        CompletableFuture<Void> go = new CompletableFuture<>();
        AtomicInteger heard = new AtomicInteger();
        Sink<Message, ?> slow = Flow.<Message>create()
                // stock makes streamed ones of those that the network parts, and stalls if nobody reads them
                .mapAsync(1, message -> go.thenCompose(unused -> message.asBinaryMessage()
                        .toStrict(10_000, SystemMaterializer.get(system).materializer())))
                .to(Sink.foreach(message -> heard.incrementAndGet()));
        with(door, Flow.fromSinkAndSource(slow, Source.maybe()), wire -> {
            int count = 20_000;
            Sender sender = new Sender(wire, count, new byte[1000]);
            // 20 MB: more than all buffers on the way
            sender.untilItRests();
            assertThat(sender.isThrough()).isFalse();
            go.complete(null);
            sender.join();
            assertThat(sender.isThrough()).isTrue();
            LifecycleTest.eventually(() -> heard.get() == count);
        });
    }

    @ParameterizedTest
    @EnumSource
    void aFloodComesWhole(Door door) throws Exception {
        AtomicInteger sent = new AtomicInteger();
        int count = 30_000;
        Source<Message, NotUsed> source = Source.range(1, count)
                .map(i -> {
                    sent.incrementAndGet();
                    return (Message) BinaryMessage.create(ByteString.fromArray(new byte[1000]));
                });
        with(door, Flow.fromSinkAndSource(Sink.ignore(), source), wire -> {
            for (int i = 0; i < count; i++) {
                assertThat(wire.next()).isEqualTo("binary 1000 bytes");
            }
            assertThat(wire.next()).isEqualTo("close 1000");
        });
        assertThat(sent.get()).isEqualTo(count);
    }

    /**
     * The Pong waits for room like what the flow sends (RFC 6455 section 5.5.2: it has to come). Over HTTP/1.1 the Ping
     * waits as well: who does not read is not read from.
     */
    @ParameterizedTest
    @EnumSource(names = {"H2WS_HTTP2", "JVM_TLS_HTTP2", "NATIVE_TLS_HTTP2"})
    void aPingIsAnsweredThoughThePeerDidNotReadForAWhile(Door door) throws Exception {
        AtomicInteger sent = new AtomicInteger();
        int count = 30_000;
        Source<Message, NotUsed> source = Source.range(1, count).map(i -> {
            sent.incrementAndGet();
            return (Message) BinaryMessage.create(ByteString.fromArray(new byte[1000]));
        });
        CompletableFuture<Message> heard = new CompletableFuture<>();
        with(door, Flow.fromSinkAndSource(Sink.foreach(heard::complete), source), wire -> {
            wire.pause();
            Sender.untilItRests(sent::get);
            assertThat(sent.get()).isLessThan(count);
            wire.frame(Wire.PING, true, new byte[] {'x'});
            wire.text("behind the Ping");
            heard.get(10, TimeUnit.SECONDS);
            wire.resume();
            String next = wire.next();
            while (next.equals("binary 1000 bytes")) {
                next = wire.next();
            }
            assertThat(next).isEqualTo("pong x");
        });
    }

    @ParameterizedTest
    @EnumSource
    void theSubprotocolAndTheRoutesHeaders(Door door) throws Exception {
        Route route = Directives.respondWithHeader(
                RawHeader.create("x-route", "here"), () -> Directives.handleWebSocketMessagesForProtocol(echo(), "chat"));
        with(door, route, Map.of("Sec-WebSocket-Protocol", "other, chat"), wire -> {
            assertThat(wire.isAccepted()).isTrue();
            assertThat(wire.head).containsEntry("sec-websocket-protocol", "chat").containsEntry("x-route", "here");
            assertThat(wire.head).containsKeys("date", "server");
            wire.text("hello");
            assertThat(wire.next()).isEqualTo("text hello");
        });
    }

    @ParameterizedTest
    @EnumSource
    void anUnknownSubprotocolIsRejected(Door door) throws Exception {
        Route route = Directives.handleWebSocketMessagesForProtocol(echo(), "chat");
        with(door, route, Map.of("Sec-WebSocket-Protocol", "other"), wire -> {
            assertThat(wire.head).containsEntry(":status", "400").containsEntry("sec-websocket-protocol", "chat");
        });
    }

    @ParameterizedTest
    @EnumSource
    void rejectionsAndFailuresAreResponses(Door door) throws Exception {
        Route route = Directives.parameterOptional("how", how -> how.orElse("").equals("fail")
                ? Directives.failWith(new IllegalStateException("test"))
                : Directives.complete(org.apache.pekko.http.javadsl.model.StatusCodes.FORBIDDEN, "no"));
        ServerBinding binding = door.bind(system, Directives.path("ws", () -> route));
        try (Wire wire = door.open(binding.localAddress().getPort(), "/ws", Map.of());
                Wire failed = door.open(binding.localAddress().getPort(), "/ws?how=fail", Map.of());
                Wire unknown = door.open(binding.localAddress().getPort(), "/nowhere", Map.of())) {
            assertThat(wire.head).containsEntry(":status", "403");
            assertThat(failed.head).containsEntry(":status", "500");
            assertThat(unknown.head).containsEntry(":status", "404");
        } finally {
            binding.terminate(java.time.Duration.ofSeconds(1));
        }
    }

    /** Over HTTP/2 a 2xx would accept the socket (RFC 8441 section 5). */
    @ParameterizedTest
    @EnumSource
    void aHandshakeThatIsAnsweredWithAnOrdinaryResponse(Door door) throws Exception {
        Route route = Directives.respondWithHeader(RawHeader.create("x-route", "here"), () -> Directives.complete("page"));
        with(door, route, Map.of(), wire -> {
            assertThat(wire.head).containsEntry(":status", door.isStock() ? "200" : "400").containsEntry("x-route", "here");
            assertThat(wire.head).containsEntry("content-length", "4");
        });
    }

    @ParameterizedTest
    @EnumSource
    void keepAlive(Door door) throws Exception {
        ActorSystem impatient = ActorSystem.create(
                "impatient", TestConfig.with("pekko.http.server.websocket.periodic-keep-alive-max-idle = 200ms"));
        try {
            ServerBinding binding = door.bind(impatient, Directives.handleWebSocketMessages(echo()));
            try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
                assertThat(wire.next()).isEqualTo("ping");
                assertThat(wire.next()).isEqualTo("ping");
            }
        } finally {
            impatient.terminate();
            impatient.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void idle(Door door) throws Exception {
        ActorSystem impatient =
                ActorSystem.create("impatient", TestConfig.with("pekko.http.server.idle-timeout = 500ms"));
        try {
            Probe probe = new Probe(SystemMaterializer.get(impatient).materializer());
            ServerBinding binding = door.bind(impatient, Directives.handleWebSocketMessages(probe.flow()));
            try (Wire wire = door.open(binding.localAddress().getPort(), "/", Map.of())) {
                // stock cuts the connection; h2ws says why first
                if (!door.isStock()) {
                    assertThat(wire.next()).isEqualTo("close 1001 idle");
                }
                assertThat(probe.next()).startsWith("fail").contains("Timeout");
                assertThat(probe.outEnd.get(10, TimeUnit.SECONDS)).isNotNull();
            }
        } finally {
            impatient.terminate();
            impatient.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
