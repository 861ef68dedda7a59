package playhost;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import play.http.websocket.Message;
import play.libs.F;
import play.mvc.Controller;
import play.mvc.Http;
import play.mvc.Result;
import play.mvc.WebSocket;

/**
 * The WebSocket paths, as flows of Play's messages, of which Close is one. A flow that fails is a Close with 1011, which is all that
 * {@code /abort} can do: it resets nothing. The subprotocol is Play's choice, the first that is offered.
 */
public final class SocketController extends Controller {
    private static final int NORMAL = 1000;
    private static final int MAX_FLOOD_SIZE = 16 << 20;
    private static final Pattern CLOSE = Pattern.compile("!close (\\d{1,5}) ?(.*)", Pattern.DOTALL);
    /** About as far as the scheduler looks. */
    private static final Duration NEVER = Duration.ofDays(200);

    private final ActorSystem system;
    private final Report report;

    SocketController(ActorSystem system, Report report) {
        this.system = system;
        this.report = report;
    }

    public WebSocket echo() {
        return accept(request -> echoing());
    }

    public WebSocket connection() {
        return accept(request -> echoing()
                .prepend(Source.<Message>single(new Message.Text(Report.connection(request)))));
    }

    public WebSocket close(int code) {
        return accept(request -> answering(Source.single(new Message.Close(code, "bye"))));
    }

    public WebSocket abort() {
        return accept(request -> answering(Source.failed(new IllegalStateException("as asked"))));
    }

    public WebSocket reject(int status) {
        Result refusal = status >= MULTIPLE_CHOICES && status < 600
                ? status(status, "refused as asked\n")
                : internalServerError("not a status to refuse with\n");
        return refuse(refusal.withHeader("x-refused", "as asked"));
    }

    public WebSocket later(long delay) {
        if (delay > PageController.MAX_DELAY_MS) {
            return refuse(badRequest("at most 600000 ms\n"));
        }
        return decide(request -> Patterns.after(
                Duration.ofMillis(delay), system, () -> accepted(request, echoing())));
    }

    public WebSocket never() {
        return decide(request -> new CompletableFuture<>());
    }

    public WebSocket sink() {
        return accept(request -> answering(Source.maybe()));
    }

    /** Takes nothing: a stage that waits asks for nothing. */
    public WebSocket stall() {
        return accept(request -> Flow.fromSinkAndSourceCoupled(
                Flow.of(Message.class).initialDelay(NEVER).to(Sink.ignore()), Source.<Message>maybe()));
    }

    public WebSocket flood(long count, int size) {
        if (size > MAX_FLOOD_SIZE) {
            return refuse(badRequest("at most 16777216 bytes each\n"));
        }
        Message message = new Message.Binary(ByteString.fromArrayUnsafe(new byte[size]));
        return accept(request -> answering(
                Source.repeat(message).take(count).concat(Source.single(new Message.Close(NORMAL, "done")))));
    }

    private static Flow<Message, Message, ?> echoing() {
        return Flow.of(Message.class).filter(SocketController::isData).map(SocketController::answer);
    }

    /** A flow hears of Ping, Pong and Close too, which Play answers. */
    private static boolean isData(Message message) {
        return message instanceof Message.Text || message instanceof Message.Binary;
    }

    private static Message answer(Message message) {
        if (message instanceof Message.Text text && text.data().startsWith("!close ")) {
            Matcher told = CLOSE.matcher(text.data());
            if (told.matches()) {
                return new Message.Close(Integer.parseInt(told.group(1)), told.group(2));
            }
        }
        return message;
    }

    /** Takes all, and sends what is told. */
    private static Flow<Message, Message, ?> answering(Source<Message, ?> answers) {
        return Flow.fromSinkAndSource(Sink.ignore(), answers);
    }

    private WebSocket accept(Function<Http.RequestHeader, Flow<Message, Message, ?>> flow) {
        return decide(request -> accepted(request, flow.apply(request)));
    }

    private WebSocket refuse(Result result) {
        return decide(request -> CompletableFuture.completedFuture(F.Either.Left(result)));
    }

    private CompletionStage<F.Either<Result, Flow<Message, Message, ?>>> accepted(
            Http.RequestHeader request, Flow<Message, Message, ?> flow) {
        return CompletableFuture.completedFuture(F.Either.Right(report.recorded(request, flow)));
    }

    private WebSocket decide(
            Function<Http.RequestHeader, CompletionStage<F.Either<Result, Flow<Message, Message, ?>>>> decision) {
        return new WebSocket() {
            @Override
            public CompletionStage<F.Either<Result, Flow<Message, Message, ?>>> apply(Http.RequestHeader request) {
                report.handshake();
                return decision.apply(request);
            }
        };
    }
}
