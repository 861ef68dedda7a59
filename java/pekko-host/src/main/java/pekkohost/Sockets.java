package pekkohost;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.completeWithFuture;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.extractWebSocketUpgrade;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.integerSegment;
import static org.apache.pekko.http.javadsl.server.PathMatchers.longSegment;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.ws.BinaryMessage;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.http.javadsl.model.ws.WebSocketUpgrade;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * The WebSocket paths. Messages are all that a flow speaks of: that it completes is a Close with 1000, that it fails one with 1011, and
 * there is no third way to end. So {@code !close CODE REASON}, {@code /close/CODE} and {@code /flood} close with one of these two and
 * no reason of theirs, and {@code /abort} fails its flow, which resets nothing.
 */
final class Sockets {
    private static final int MAX_FLOOD_SIZE = 16 << 20;
    /** About as far as the scheduler looks. */
    private static final Duration NEVER = Duration.ofDays(200);

    private final ActorSystem system;
    private final Report report;

    Sockets(ActorSystem system, Report report) {
        this.system = system;
        this.report = report;
    }

    Route route() {
        return concat(
                path("echo", () -> accept((request, upgrade) -> echo())),
                path("connection", () -> accept((request, upgrade) -> echo()
                        .prepend(Source.single(TextMessage.create(Report.connection(request)))))),
                path(segment("close").slash(integerSegment()), code -> accept((request, upgrade) -> close(code))),
                path("abort", () -> accept((request, upgrade) -> failed())),
                path(segment("reject").slash(integerSegment()), Sockets::reject),
                path(segment("later").slash(longSegment()), this::later),
                path("never", () -> extractWebSocketUpgrade(
                        upgrade -> completeWithFuture(new CompletableFuture<HttpResponse>()))),
                path("sink", () -> accept((request, upgrade) -> sink())),
                path("stall", () -> accept((request, upgrade) -> stall())),
                path(segment("flood").slash(longSegment()).slash(integerSegment()), this::flood));
    }

    private Route accept(BiFunction<HttpRequest, WebSocketUpgrade, Flow<Message, Message, NotUsed>> socket) {
        return extractRequest(request -> extractWebSocketUpgrade(
                upgrade -> complete(accept(request, upgrade, socket.apply(request, upgrade)))));
    }

    private HttpResponse accept(HttpRequest request, WebSocketUpgrade upgrade, Flow<Message, Message, NotUsed> flow) {
        Flow<Message, Message, NotUsed> recorded = report.recorded(request, flow);
        for (String offered : upgrade.getRequestedProtocols()) {
            if (offered.equals("echo")) {
                return upgrade.handleMessagesWith(recorded, offered);
            }
        }
        return upgrade.handleMessagesWith(recorded);
    }

    /** A message that comes in parts goes out in parts; one that tells it to close is short, and comes in one. */
    private static Flow<Message, Message, NotUsed> echo() {
        return Flow.of(Message.class).takeWhile(message -> !isClose(message));
    }

    private static boolean isClose(Message message) {
        return message.isText() && message.isStrict() && message.asTextMessage().getStrictText().startsWith("!close ");
    }

    private Flow<Message, Message, NotUsed> close(int code) {
        return code == 1011 ? failed() : answering(Source.empty());
    }

    private Flow<Message, Message, NotUsed> failed() {
        return answering(Source.failed(new IllegalStateException("as asked")));
    }

    private static Route reject(int status) {
        RawHeader header = RawHeader.create("x-refused", "as asked");
        HttpResponse refusal = HttpResponse.create().addHeader(header);
        return extractWebSocketUpgrade(upgrade -> complete(StatusCodes.lookup(status)
                .map(known -> refusal.withStatus(known).withEntity("refused as asked\n"))
                .orElse(refusal.withStatus(500).withEntity("not a status to refuse with\n"))));
    }

    private Route later(long delay) {
        if (delay > Pages.MAX_DELAY_MS) {
            return refuse("at most 600000 ms\n");
        }
        return extractRequest(request -> extractWebSocketUpgrade(upgrade -> completeWithFuture(Patterns.after(
                Duration.ofMillis(delay),
                system,
                () -> CompletableFuture.completedFuture(accept(request, upgrade, echo()))))));
    }

    private Flow<Message, Message, NotUsed> sink() {
        return answering(Source.maybe());
    }

    /** Takes nothing: a stage that waits asks for nothing. */
    private static Flow<Message, Message, NotUsed> stall() {
        return Flow.fromSinkAndSourceCoupled(
                Flow.of(Message.class).initialDelay(NEVER).to(Sink.ignore()), Source.<Message>maybe());
    }

    private Route flood(long count, int size) {
        if (size > MAX_FLOOD_SIZE) {
            return refuse("at most 16777216 bytes each\n");
        }
        Message message = BinaryMessage.create(ByteString.fromArrayUnsafe(new byte[size]));
        return accept((request, upgrade) -> answering(Source.repeat(message).take(count)));
    }

    private static Route refuse(String text) {
        return extractWebSocketUpgrade(upgrade -> complete(StatusCodes.BAD_REQUEST, text));
    }

    /** Takes all, and sends what is told; the end of either is the end of both. */
    private Flow<Message, Message, NotUsed> answering(Source<Message, ?> answers) {
        Sink<Message, NotUsed> all = Flow.of(Message.class).mapAsync(1, this::drained).to(Sink.ignore());
        return Flow.fromSinkAndSourceCoupled(all, answers);
    }

    /** The next message comes after the whole of a streamed one. */
    private CompletionStage<Done> drained(Message message) {
        if (message.isStrict()) {
            return CompletableFuture.completedFuture(Done.done());
        }
        Supplier<Source<?, ?>> parts = () -> message.isText()
                ? message.asTextMessage().getStreamedText()
                : message.asBinaryMessage().getStreamedData();
        return parts.get().runWith(Sink.ignore(), system);
    }
}
