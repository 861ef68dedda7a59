package pekkohost;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.completeWithFuture;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequestEntity;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathSingleSlash;
import static org.apache.pekko.http.javadsl.server.Directives.post;
import static org.apache.pekko.http.javadsl.server.Directives.put;
import static org.apache.pekko.http.javadsl.server.Directives.reject;
import static org.apache.pekko.http.javadsl.server.Directives.withoutRequestTimeout;
import static org.apache.pekko.http.javadsl.server.Directives.withoutSizeLimit;
import static org.apache.pekko.http.javadsl.server.PathMatchers.longSegment;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** The paths of ordinary requests. */
final class Pages {
    static final long MAX_DELAY_MS = 600_000;
    private static final ByteString ZEROS = ByteString.fromArray(new byte[16 << 10]);
    private static final HttpResponse HELLO = HttpResponse.create().withEntity("hello, world");
    private static final HttpResponse SLOW = HttpResponse.create().withEntity("slow\n");

    private final ActorSystem system;
    private final Report report;
    private final HttpResponse index;

    Pages(ActorSystem system, Report report) {
        this.system = system;
        this.report = report;
        try (InputStream page = Pages.class.getResourceAsStream("/page.html")) {
            index = HttpResponse.create().withEntity(ContentTypes.TEXT_HTML_UTF8, page.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Route route() {
        return concat(
                path("hello", () -> get(() -> complete(HELLO))),
                pathSingleSlash(this::index),
                path(segment("bytes").slash(longSegment()), n -> get(() -> complete(bytes(n)))),
                path("echo-body", () -> concat(post(Pages::echo), put(Pages::echo))),
                path(segment("slow").slash(longSegment()), ms -> get(() -> slow(ms))),
                path("stats", () -> get(() -> json(report.stats()))),
                path("closed", () -> get(() -> json(report.closed()))),
                path("connection", this::connection));
    }

    /** Clients that check HTTP/2 closely send bodies and trailers to it, so it waits for the end of the request. */
    private Route index() {
        return withoutSizeLimit(() -> extractRequest(request -> completeWithFuture(
                request.discardEntityBytes(system).completionStage().thenApply(done -> index))));
    }

    private static ResponseEntity bytes(long count) {
        if (count <= ZEROS.size()) {
            return HttpEntities.create(ContentTypes.APPLICATION_OCTET_STREAM, ZEROS.take((int) count));
        }
        Source<ByteString, NotUsed> whole = Source.repeat(ZEROS).take(count / ZEROS.size());
        Source<ByteString, NotUsed> all = whole.concat(Source.single(ZEROS.take((int) (count % ZEROS.size()))));
        return HttpEntities.create(ContentTypes.APPLICATION_OCTET_STREAM, count, all);
    }

    /** The entity as it came: strict, of known length, or in chunks, whose last one has the trailers. */
    private static Route echo() {
        return withoutSizeLimit(() -> extractRequestEntity(
                entity -> complete(HttpResponse.create().withEntity(entity))));
    }

    private Route slow(long delay) {
        if (delay > MAX_DELAY_MS) {
            return complete(StatusCodes.BAD_REQUEST, "at most 600000 ms\n");
        }
        return withoutRequestTimeout(() -> completeWithFuture(Patterns.after(
                Duration.ofMillis(delay), system, () -> CompletableFuture.completedFuture(SLOW))));
    }

    /** The page; the socket of this path is one of {@link Sockets}. */
    private Route connection() {
        return extractRequest(request -> request.getAttribute(AttributeKeys.webSocketUpgrade).isPresent()
                ? reject()
                : get(() -> json(Report.connection(request))));
    }

    private static Route json(String text) {
        return complete(HttpEntities.create(ContentTypes.APPLICATION_JSON, text));
    }
}
