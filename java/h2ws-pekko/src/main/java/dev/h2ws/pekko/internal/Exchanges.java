package dev.h2ws.pekko.internal;

import dev.h2ws.AcceptOptions;
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
import scala.util.Try;

/** From a request of h2ws to the application's handler, and from its response back. */
final class Exchanges implements Handler {
    private static final String INTERNAL_ERROR = "There was an internal server error.";

    private final Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, Future<HttpResponse>> handler;
    private final ServerSettings settings;
    private final RequestModel requests;
    private final ResponseHead heads;
    private final SocketSettings sockets;
    private final Materializer materializer;
    private final ExecutionContextExecutor executor;
    private final LoggingAdapter log;

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
    }

    /** On the loop's thread, where no code of the application may run. */
    @Override
    public void handle(Request request) {
        try {
            executor.execute(() -> run(request));
        } catch (RejectedExecutionException e) {
            // the actor system has ended before its binding
            refuse(request, 503, "The service is shutting down.");
        }
    }

    private void run(Request request) {
        int stream = requests.nextStream();
        Future<HttpResponse> response;
        try {
            HttpRequest model = requests.of(request, stream);
            if (settings.transparentHeadRequests() && request.method().equals("HEAD")) {
                model = model.withMethod(HttpMethods.GET());
            }
            response = handler.apply((org.apache.pekko.http.scaladsl.model.HttpRequest) model);
        } catch (Refused e) {
            log.warning("Illegal request, responding with status '{}': {}", e.status(), e.getMessage());
            refuse(request, e.status(), e.getMessage());
            return;
        } catch (Throwable t) {
            failed(request, t);
            if (t instanceof VirtualMachineError) {
                throw t;
            }
            return;
        }
        if (response.isCompleted()) {
            answer(request, stream, response.value().get());
        } else {
            response.onComplete(
                    outcome -> {
                        answer(request, stream, outcome);
                        return null;
                    },
                    executor);
        }
    }

    private void answer(Request request, int stream, Try<HttpResponse> outcome) {
        if (outcome.isFailure()) {
            failed(request, outcome.failed().get());
            return;
        }
        try {
            answer(request, stream, outcome.get());
        } catch (RuntimeException e) {
            failed(request, e);
            discard(outcome.get().entity());
        }
    }

    private void answer(Request request, int stream, HttpResponse response) {
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
            respond(request, status, response);
        }
    }

    private void accept(Request request, int stream, HttpResponse response, Accept accept) {
        AcceptOptions options = AcceptOptions.defaults()
                .headers(heads.ofHandshake(response))
                .manualControl()
                .fragments()
                .demand();
        if (accept.subprotocol() != null) {
            options = options.subprotocol(accept.subprotocol());
        }
        boolean frames = accept.frames() != null;
        Inbox inbox = new Inbox(frames);
        WebSocket socket = request.accept(options, inbox);
        SocketLogic.Link link = new SocketLogic.Link(socket, inbox, sockets, log, stream);
        // the response is on its way, or the peer has gone; then the flow hears that at once and gives up what it holds
        try {
            if (frames) {
                Flow.fromGraph(accept.frames()).join(new FrameStage(link)).run(materializer);
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

    private void respond(Request request, int status, HttpResponse response) {
        Headers trailers = ResponseHead.trailers(response);
        boolean bodiless = request.method().equals("HEAD") || status == 204 || status == 304;
        if (response.entity() instanceof HttpEntity.Strict strict && (trailers.isEmpty() || bodiless)) {
            request.respond(status, heads.of(response, false), strict.data().toArrayUnsafe());
            return;
        }
        ResponseBody body = request.respondStart(status, heads.of(response, status != 204));
        if (bodiless) {
            discard(response.entity());
            body.finish();
            return;
        }
        BodySink sink = new BodySink(request, body, trailers, log);
        parts(response).runWith(sink, materializer);
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

    private void failed(Request request, Throwable cause) {
        if (cause.getClass().getName().endsWith("EntityStreamSizeException")) {
            refuse(request, 413, "Request too large.");
            return;
        }
        log.error(cause, "Internal server error, sending 500 response");
        refuse(request, 500, INTERNAL_ERROR);
    }

    /** An answer of ours; nothing happens if there was one already. */
    private void refuse(Request request, int status, String text) {
        Headers head = Headers.of("content-type", "text/plain; charset=UTF-8");
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        try {
            if (request.isWebSocket()) {
                request.reject(status, head, body);
            } else {
                request.respond(status, head, body);
            }
        } catch (dev.h2ws.H2wsException e) {
            log.debug("{}: {} came too late: {}", request, status, e.getMessage());
        }
    }
}
