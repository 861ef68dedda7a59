package playhost;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import play.mvc.BodyParser;
import play.mvc.Controller;
import play.mvc.Http;
import play.mvc.Result;

/** The paths of ordinary requests. */
public final class PageController extends Controller {
    static final long MAX_DELAY_MS = 600_000;
    private static final String OCTETS = "application/octet-stream";
    private static final ByteString ZEROS = ByteString.fromArray(new byte[16 << 10]);

    private final ActorSystem system;
    private final Report report;
    private final byte[] page;

    PageController(ActorSystem system, Report report) {
        this.system = system;
        this.report = report;
        try (InputStream file = PageController.class.getResourceAsStream("/page.html")) {
            page = file.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Clients that check HTTP/2 closely send bodies and trailers to it, so it waits for the end of the request. */
    @BodyParser.Of(Bodies.ThrownAway.class)
    public Result index(Http.Request request) {
        return ok(page).as("text/html; charset=utf-8");
    }

    public Result hello(Http.Request request) {
        return ok("hello, world");
    }

    public Result bytes(Http.Request request, long count) {
        if (count <= ZEROS.size()) {
            return ok(new byte[(int) count]).as(OCTETS);
        }
        Source<ByteString, NotUsed> whole = Source.repeat(ZEROS).take(count / ZEROS.size());
        Source<ByteString, NotUsed> all = whole.concat(Source.single(ZEROS.take((int) (count % ZEROS.size()))));
        return ok().streamed(all, Optional.of(count), Optional.of(OCTETS));
    }

    /** The body as it comes. Play passes no trailers of a request on. */
    @BodyParser.Of(Bodies.Streamed.class)
    public Result echo(Http.Request request) {
        @SuppressWarnings("unchecked")
        Source<ByteString, ?> body = request.body().as(Source.class);
        return ok().chunked(body, Optional.of(OCTETS));
    }

    public CompletionStage<Result> slow(Http.Request request, long delay) {
        if (delay > MAX_DELAY_MS) {
            return CompletableFuture.completedFuture(badRequest("at most 600000 ms\n"));
        }
        return Patterns.after(
                Duration.ofMillis(delay), system, () -> CompletableFuture.completedFuture(ok("slow\n")));
    }

    public Result stats(Http.Request request) {
        return json(report.stats());
    }

    public Result closed(Http.Request request) {
        return json(report.closed());
    }

    public Result connection(Http.Request request) {
        return json(Report.connection(request));
    }

    /** Play's routes have a 404 for a path with another method; it is a route of its own here. */
    public Result notAllowed(Http.Request request) {
        return status(METHOD_NOT_ALLOWED, "not with this method\n");
    }

    private static Result json(String text) {
        return ok(text).as("application/json");
    }
}
