package dev.h2ws.pekko.dropin;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.completeWithFuture;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.extractMaterializer;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.handleWebSocketMessages;
import static org.apache.pekko.http.javadsl.server.Directives.handleWebSocketMessagesForProtocol;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.withRequestTimeout;
import static org.apache.pekko.http.javadsl.server.Directives.withSizeLimit;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpEntity.ChunkStreamPart;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.headers.TimeoutAccess;
import org.apache.pekko.http.javadsl.model.headers.TlsSessionInfo;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import scala.concurrent.duration.Duration;

/** Routes of an application that knows nothing of h2ws: one of each kind of answer. */
final class PlainRoutes {
    private static final Duration SHORT = Duration.create(100, TimeUnit.MILLISECONDS);

    private PlainRoutes() {}

    static final Route ALL = concat(
            path("hello", () -> complete("hello")),
            path("request", () -> extractRequest(request -> complete(told(request)))),
            path("session", () -> extractRequest(request -> complete(session(request)))),
            path("length", () -> entity(Unmarshaller.entityToByteString(), body -> complete("" + body.size()))),
            path("small", () -> withSizeLimit(
                    4, () -> entity(Unmarshaller.entityToString(), body -> complete(body)))),
            path("unread", () -> complete("did not read")),
            path("trailers", () -> extractMaterializer(materializer -> extractRequest(request -> onSuccess(
                    request.entity() instanceof HttpEntity.Chunked chunked
                            ? chunked.getChunks().runFold("", PlainRoutes::told, materializer)
                            : CompletableFuture.completedFuture("not chunked"),
                    text -> complete(text))))),
            path("chunked", () -> complete(HttpResponse.create().withEntity(chunked()))),
            path("until-the-end", () -> complete(HttpResponse.create()
                    .withEntity(HttpEntities.createCloseDelimited(ContentTypes.TEXT_PLAIN_UTF8, parts())))),
            path("default", () -> complete(
                    StatusCodes.OK, HttpEntities.create(ContentTypes.TEXT_PLAIN_UTF8, 6, parts()))),
            path("empty", () -> complete(StatusCodes.NO_CONTENT)),
            path("fails", () -> extractRequest(request -> {
                throw new IllegalStateException("test");
            })),
            path("breaks", () -> complete(StatusCodes.OK, HttpEntities.createChunked(
                    ContentTypes.TEXT_PLAIN_UTF8,
                    parts().concat(Source.lazySource(() -> Source.failed(new IllegalStateException("test"))))))),
            path("never", () -> completeWithFuture(new CompletableFuture<HttpResponse>())),
            path("impatient", () -> withRequestTimeout(
                    SHORT, () -> completeWithFuture(new CompletableFuture<HttpResponse>()))),
            path("polite", () -> withRequestTimeout(
                    SHORT,
                    request -> HttpResponse.create().withStatus(503).withEntity("not today, " + request.getUri().path()),
                    () -> completeWithFuture(new CompletableFuture<HttpResponse>()))),
            path("ws", () -> handleWebSocketMessages(Flow.<Message>create())),
            path("ws-strict", () -> handleWebSocketMessages(Flow.<Message>create()
                    .map(message -> TextMessage.create("got " + message.asTextMessage().getStrictText())))),
            path("ws-chat", () -> handleWebSocketMessagesForProtocol(Flow.<Message>create(), "chat")),
            path("ws-bye", () -> handleWebSocketMessages(
                    Flow.fromSinkAndSource(Sink.<Message>ignore(), Source.<Message>single(TextMessage.create("bye"))))),
            path("ws-fails", () -> handleWebSocketMessages(
                    Flow.fromSinkAndSource(Sink.<Message>ignore(), Source.<Message>failed(new IllegalStateException("test"))))),
            path("ws-parts", () -> handleWebSocketMessages(Flow.fromSinkAndSource(
                    Sink.<Message>ignore(),
                    Source.<Message>single(TextMessage.create(Source.from(List.of("a", "b"))))
                            .concat(Source.maybe())))),
            path("ws-no", () -> complete(StatusCodes.FORBIDDEN, "no")));

    /** The request line and fields that a route sees, but for what differs from connection to connection. */
    private static String told(HttpRequest request) {
        return request.method().value() + " " + request.getUri() + " " + request.protocol().value() + " "
                + request.entity().getContentType() + "\n"
                + StreamSupport.stream(request.getHeaders().spliterator(), false)
                        .map(header -> header instanceof TimeoutAccess || header instanceof TlsSessionInfo
                                ? header.name()
                                : header.toString())
                        .sorted()
                        .collect(Collectors.joining("\n"));
    }

    private static String session(HttpRequest request) {
        return request.getAttribute(AttributeKeys.sslSession)
                        .map(info -> told(info.getSession()))
                        .orElse("no attribute")
                + ", "
                + request.getHeader(TlsSessionInfo.class)
                        .map(header -> told(header.getSession()))
                        .orElse("no header");
    }

    private static String told(SSLSession session) {
        try {
            return session.getProtocol() + " " + session.getCipherSuite() + " " + session.getPeerPrincipal() + " "
                    + session.getPeerCertificates().length;
        } catch (SSLPeerUnverifiedException e) {
            return session.getProtocol() + " nobody";
        }
    }

    private static Source<ByteString, ?> parts() {
        return Source.from(List.of("abc", "def")).map(ByteString::fromString);
    }

    private static String told(String before, ChunkStreamPart part) {
        StringBuilder text = new StringBuilder(before).append(part.data().utf8String()).append(part.extension());
        if (part.isLastChunk()) {
            for (HttpHeader field : part.getTrailerHeaders()) {
                text.append(" ").append(field);
            }
        }
        return text.toString();
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static ResponseEntity chunked() {
        Source parts = Source.from(List.of(
                ChunkStreamPart.create(ByteString.fromString("parts"), "with=extension"),
                ChunkStreamPart.createLast("", List.of(RawHeader.create("X-Sum", "2")))));
        return new org.apache.pekko.http.scaladsl.model.HttpEntity.Chunked(
                org.apache.pekko.http.scaladsl.model.ContentTypes.text$divplain$u0028UTF$minus8$u0029(), parts.asScala());
    }
}
