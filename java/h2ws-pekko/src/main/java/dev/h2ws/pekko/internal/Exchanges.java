package dev.h2ws.pekko.internal;

import dev.h2ws.AcceptOptions;
import dev.h2ws.H2ws;
import dev.h2ws.Handler;
import dev.h2ws.Headers;
import dev.h2ws.Request;
import dev.h2ws.ResponseBody;
import dev.h2ws.WebSocket;
import dev.h2ws.pekko.internal.RequestModel.Refused;
import dev.h2ws.pekko.internal.Upgrade.Accept;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.HttpEntity;
import org.apache.pekko.http.scaladsl.model.HttpMethods;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import scala.Function1;
import scala.concurrent.ExecutionContextExecutor;
import scala.concurrent.Future;
import scala.concurrent.duration.Duration;
import scala.util.Try;

/** From a request of h2ws to the application's handler, and from its response back. */
final class Exchanges implements Handler {
    private static final int H2_INTERNAL_ERROR = 2;
    /** Stock's words. */
    private static final HttpResponse LATE = (HttpResponse) org.apache.pekko.http.javadsl.model.HttpResponse.create()
            .withStatus(503)
            .withEntity("The server was not able to produce a timely response to your request.\r\n"
                    + "Please try again in a short while!");

    private static final String INTERNAL_ERROR = "There was an internal server error.";

    /**
     * Messages up to this size are put together natively, so that they cross to the JVM once. Longer ones cross in parts: what
     * a stage has asked for ahead counts fragments, and is not to be so much memory.
     */
    private static final int GATHERED = 64 << 10;

    private final Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, Future<HttpResponse>> handler;
    private final ServerSettings settings;
    private final RequestModel requests;
    private final ResponseHead heads;
    private final SocketSettings sockets;
    private final int gatheredMessages;
    private final int gatheredFrames;
    private final int frameLimit;
    private final Materializer materializer;
    private final ExecutionContextExecutor executor;
    private final LoggingAdapter log;
    /** Of each loop: the one that was begun last. */
    private final ThreadLocal<Burst<Request>> bursts = new ThreadLocal<>();

    Exchanges(
            Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, Future<HttpResponse>> handler,
            ServerSettings settings,
            Options options,
            Materializer materializer,
            LoggingAdapter log) {
        this.handler = handler;
        this.settings = settings;
        this.materializer = materializer;
        this.log = log;
        executor = materializer.executionContext();
        requests = new RequestModel(settings);
        String server = settings.serverHeader().isEmpty() ? null : settings.serverHeader().get().value();
        heads = new ResponseHead(server, new HttpDate(), log);
        sockets = SocketSettings.of(settings, options.strictMessageLimit());
        gatheredMessages = gathered(options.strictMessageLimit());
        frameLimit = options.playMessageLimit();
        gatheredFrames = gathered(frameLimit);
    }

    private static int gathered(int limit) {
        return Math.max(1, Math.min(limit, GATHERED));
    }

    /** On the loop's thread, where no code of the application may run. */
    @Override
    public void handle(Request request) {
        long connection = request.connectionId();
        Burst<Request> last = bursts.get();
        if (last != null && last.add(connection, request)) {
            return;
        }
        Burst<Request> burst = new Burst<>(connection, request, this::run, executor);
        bursts.set(burst);
        H2ws.afterTurn(() -> execute(burst));
    }

    private void execute(Burst<Request> burst) {
        try {
            executor.execute(burst);
        } catch (RejectedExecutionException e) {
            // the actor system has ended before its binding
            burst.forEach(late -> refuse(new RequestBody(late, 0), 503, "The service is shutting down."));
        }
    }

    private void run(Request request) {
        run(new RequestBody(request, settings.parserSettings().maxContentLength()));
    }

    private void run(RequestBody body) {
        int stream = body.request().http2StreamId();
        Future<HttpResponse> response;
        RequestTimeout timeout = timeout(body, stream);
        try {
            HttpRequest model = requests.of(body, stream);
            if (settings.transparentHeadRequests() && body.request().method().equals("HEAD")) {
                model = model.withMethod(HttpMethods.GET());
            }
            if (timeout != null) {
                model = timeout.of(model);
                body.whenWhole(timeout::begin);
            }
            response = handler.apply((org.apache.pekko.http.scaladsl.model.HttpRequest) model);
        } catch (Refused e) {
            log.warning("Illegal request, responding with status '{}': {}", e.status(), e.getMessage());
            refuse(body, e.status(), e.getMessage());
            return;
        } catch (Throwable t) {
            if (timeout == null || timeout.answered()) {
                failed(body, t);
            }
            if (t instanceof VirtualMachineError) {
                throw t;
            }
            return;
        }
        if (response.isCompleted()) {
            answer(body, stream, response.value().get(), timeout);
        } else {
            if (timeout != null) {
                timeout.waits();
            }
            response.onComplete(
                    outcome -> {
                        answer(body, stream, outcome, timeout);
                        return null;
                    },
                    executor);
        }
    }

    /** Null over HTTP/2 and where the time is zero: there stock has none. */
    private RequestTimeout timeout(RequestBody body, int stream) {
        Duration time = settings.timeouts().requestTimeout();
        if (body.request().version().equals("HTTP/2") || time.equals(Duration.Zero())) {
            return null;
        }
        return new RequestTimeout(
                time,
                materializer,
                request -> {
                    log.info("Request timeout encountered for {} {}", request.method().value(), request.uri());
                    return LATE;
                },
                late -> answer(body, stream, Try.apply(late::get)));
    }

    private void answer(RequestBody body, int stream, Try<HttpResponse> outcome, RequestTimeout timeout) {
        if (timeout == null || timeout.answered()) {
            answer(body, stream, outcome);
        } else if (outcome.isSuccess()) {
            discard(outcome.get().entity());
        }
    }

    private void answer(RequestBody body, int stream, Try<HttpResponse> outcome) {
        if (outcome.isFailure()) {
            failed(body, outcome.failed().get());
            return;
        }
        try {
            answer(body, stream, outcome.get());
        } catch (RuntimeException e) {
            failed(body, e);
            discard(outcome.get().entity());
        }
    }

    private void answer(RequestBody requestBody, int stream, HttpResponse response) {
        Request request = requestBody.request();
        int status = response.status().intValue();
        Accept accept = response.getAttribute(Upgrade.ACCEPT).orElse(null);
        if (status == 101 && accept != null && request.isWebSocket()) {
            accept(request, stream, response, accept);
        } else if (status < 200) {
            throw new IllegalStateException("a response with status " + status
                    + (status == 101 ? " that is not of handleMessages or handleFrames" : " is not final"));
        } else if (request.isWebSocket()) {
            reject(request, status, response);
        } else {
            respond(requestBody, status, response);
        }
    }

    private void accept(Request request, int stream, HttpResponse response, Accept accept) {
        boolean frames = accept.frames() != null;
        AcceptOptions options = AcceptOptions.defaults()
                .headers(heads.ofHandshake(response))
                .manualControl()
                .demand();
        options = options.fragmentsAbove(frames ? gatheredFrames : gatheredMessages);
        if (accept.subprotocol() != null) {
            options = options.subprotocol(accept.subprotocol());
        }
        Inbox inbox = new Inbox(frames);
        WebSocket socket = request.accept(options, inbox);
        if (socket.isTooLate()) {
            // as in stock, a flow is not materialized for a response that does not go out
            return;
        }
        SocketLogic.Link link = new SocketLogic.Link(socket, inbox, sockets, log, stream);
        // the response is on its way; if the peer goes meanwhile, the flow hears that at once
        try {
            if (frames) {
                Flow.fromGraph(accept.frames()).join(new FrameStage(link, frameLimit)).run(materializer);
            } else {
                Flow.fromGraph(accept.messages()).join(new MessageStage(link)).run(materializer);
            }
        } catch (RuntimeException e) {
            log.error(e, "The flow of a WebSocket cannot be run");
            inbox.detach();
            socket.close(1011, "internal error");
            socket.demand(Integer.MAX_VALUE);
        }
    }

    private void reject(Request request, int status, HttpResponse response) {
        // 2xx accepts an extended CONNECT (RFC 8441 section 5), which nobody here did
        int said = status < 300 ? 400 : status;
        if (said != status) {
            log.warning("A WebSocket handshake was answered with {} and no upgrade; the client gets {}.", status, said);
        }
        Headers head = heads.of(response, false);
        if (response.entity() instanceof HttpEntity.Strict strict) {
            request.reject(said, head, strict.data().toArrayUnsafe());
            return;
        }
        long patience = 10_000;
        long most = 1 << 20;
        response.entity().toStrict(patience, most, materializer).whenComplete((strict, failure) -> {
            if (failure != null) {
                log.error(failure, "The body of a refused handshake failed");
            }
            request.reject(said, head, failure == null ? strict.getData().toArray() : new byte[0]);
        });
    }

    private void respond(RequestBody requestBody, int status, HttpResponse response) {
        Request request = requestBody.request();
        Headers trailers = ResponseHead.trailers(response);
        boolean bodiless = request.method().equals("HEAD") || status == 204 || status == 304;
        if (response.entity() instanceof HttpEntity.Strict strict && (trailers.isEmpty() || bodiless)) {
            byte[] data = strict.data().toArrayUnsafe();
            if (requestBody.isUnread() && !bodiless) {
                whole(requestBody, status, heads.of(response, true), data);
            } else {
                request.respond(status, heads.of(response, false), data);
            }
            return;
        }
        if (bodiless) {
            discard(response.entity());
            request.respond(status, heads.of(response, status != 204), new byte[0]);
            return;
        }
        ResponseBody body = request.respondStart(status, heads.of(response, true));
        BodySink sink = new BodySink(requestBody, body, trailers, log);
        parts(response).runWith(sink, materializer);
    }

    /** A whole answer to a request that is still sending. */
    private static void whole(RequestBody requestBody, int status, Headers head, byte[] data) {
        Request request = requestBody.request();
        if (!request.version().equals("HTTP/2")) {
            // there its length is its end
            requestBody.answered(() -> request.respond(status, head, data));
            return;
        }
        ResponseBody body = request.respondStart(status, head);
        // the first piece always has room
        if (data.length > 0) {
            body.send(data);
        }
        requestBody.answered(body::finish);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Source<Object, Object> parts(HttpResponse response) {
        return response.entity() instanceof HttpEntity.Chunked chunked
                ? (Source) chunked.getChunks()
                : (Source) response.entity().getDataBytes();
    }

    /** A source that is never run would keep what it holds. */
    private void discard(org.apache.pekko.http.scaladsl.model.ResponseEntity entity) {
        if (!entity.isStrict()) {
            entity.getDataBytes().runWith(Sink.cancelled(), materializer);
        }
    }

    private void failed(RequestBody requestBody, Throwable cause) {
        if (cause.getClass().getName().endsWith("EntityStreamSizeException")) {
            refuse(requestBody, 413, "Request too large.");
            return;
        }
        log.error(cause, "Internal server error, sending 500 response");
        refuse(requestBody, 500, INTERNAL_ERROR);
    }

    /** An answer of ours; nothing happens if there was one already. */
    private void refuse(RequestBody requestBody, int status, String text) {
        Request request = requestBody.request();
        Headers head = Headers.of("content-type", "text/plain; charset=UTF-8");
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        try {
            if (request.isWebSocket()) {
                request.reject(status, head, body);
            } else if (requestBody.isUnread()) {
                whole(requestBody, status, head.with("content-length", String.valueOf(body.length)), body);
            } else {
                request.respond(status, head, body);
            }
        } catch (dev.h2ws.H2wsException e) {
            log.debug("{}: {} came too late: {}", request, status, e.getMessage());
            // nobody may take for whole what had begun; nothing happens if it has ended
            request.abort(H2_INTERNAL_ERROR);
        }
    }
}
