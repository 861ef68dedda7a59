package dev.h2ws.pekko.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.event.NoLogging;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.StreamTcpException;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A connection's bytes as a flow, and Pekko's own engine on it. */
class DuplexStageTest {
    private static ActorSystem system;
    private static Materializer materializer;

    @BeforeAll
    static void start() {
        system = ActorSystem.create(
                "duplex",
                com.typesafe.config.ConfigFactory.parseString("pekko.loglevel = OFF\npekko.stdout-loglevel = OFF")
                        .withFallback(com.typesafe.config.ConfigFactory.load()));
        materializer = Materializer.matFromSystem(system);
    }

    private static final AtomicInteger open = new AtomicInteger();

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        get(system.getWhenTerminated());
        assertThat(open).as("connections that have not ended").hasValue(0);
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static void eventually(BooleanSupplier condition) {
        for (int i = 0; i < 1000 && !condition.getAsBoolean(); i++) {
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    private static Flow<ByteString, ByteString, ?> flow(MemoryDuplex duplex) {
        open.incrementAndGet();
        return Flow.fromGraph(new DuplexStage(duplex, open::decrementAndGet));
    }

    private static CompletionStage<String> whole(MemoryDuplex duplex, Source<ByteString, ?> source) {
        return source.via(flow(duplex))
                .runFold("", (text, bytes) -> text + bytes.utf8String(), materializer);
    }

    @Test
    void bytesGoBothWaysAndBothEndsEnd() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(1 << 20);
        CompletionStage<String> read = whole(duplex, Source.single(ByteString.fromString("to the peer")));
        duplex.arrives("from the peer");
        get(duplex.shut);
        assertThat(duplex.written()).isEqualTo("to the peer");
        assertThat(duplex.closed).isNotDone();
        duplex.arrives(", and more");
        duplex.ends();
        assertThat(get(read)).isEqualTo("from the peer, and more");
        get(duplex.closed);
        assertThat(duplex.aborted).isNotDone();
    }

    @Test
    void thePeersEndLeavesTheOtherWayOpen() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(1 << 20);
        CompletableFuture<ByteString> last = new CompletableFuture<>();
        CompletionStage<String> read = whole(duplex, Source.completionStage(last));
        duplex.ends();
        assertThat(get(read)).isEmpty();
        last.complete(ByteString.fromString("still"));
        get(duplex.closed);
        assertThat(duplex.written()).isEqualTo("still");
    }

    @Test
    void aConnectionThatIsFullHoldsTheFlowBack() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(10);
        CompletableFuture<Integer> pulled = new CompletableFuture<>();
        Source<ByteString, ?> source = Source.range(1, 3).map(i -> {
            if (i == 3) {
                pulled.complete(i);
            }
            return ByteString.fromString("12345678");
        });
        whole(duplex, source);
        eventually(() -> duplex.written().length() == 10);
        assertThat(pulled).isNotDone();
        duplex.drained(100);
        get(duplex.shut);
        assertThat(duplex.written()).isEqualTo("123456781234567812345678");
    }

    @Test
    void aFlowThatFailsCuts() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(10);
        whole(duplex, Source.failed(new IllegalStateException("test")));
        get(duplex.aborted);
    }

    @Test
    void aConnectionThatBreaksFails() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(10);
        Pair<CompletableFuture<java.util.Optional<ByteString>>, CompletionStage<String>> run =
                Source.<ByteString>maybe().via(flow(duplex)).toMat(Sink.fold("", (text, bytes) -> text), Keep.both()).run(materializer);
        duplex.arrives("x");
        duplex.breaks();
        assertThatThrownBy(() -> get(run.second())).hasCauseInstanceOf(StreamTcpException.class);
    }

    @Test
    void pekkosOwnEngineServesIt() throws Exception {
        MemoryDuplex duplex = new MemoryDuplex(1 << 20);
        ServerSettings settings =
                (ServerSettings) org.apache.pekko.http.javadsl.settings.ServerSettings.create(system);
        StockHttp1 http1 = new StockHttp1(
                request -> scala.concurrent.Future$.MODULE$.successful((HttpResponse)
                        org.apache.pekko.http.javadsl.model.HttpResponse.create()
                                .withEntity("you asked for " + request.getUri().path())),
                settings,
                materializer,
                NoLogging.getInstance());
        http1.serve(duplex, null, null);
        duplex.arrives("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        get(duplex.shut);
        assertThat(duplex.written()).contains("you asked for /first", "you asked for /second");
    }
}
