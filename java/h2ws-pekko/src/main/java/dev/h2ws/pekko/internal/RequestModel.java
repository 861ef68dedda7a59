package dev.h2ws.pekko.internal;

import dev.h2ws.Request;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.RequestEntity;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.scaladsl.model.HttpMethods;
import org.apache.pekko.http.scaladsl.model.HttpProtocol;
import org.apache.pekko.http.scaladsl.model.HttpProtocols;
import org.apache.pekko.http.scaladsl.settings.ParserSettings;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A request of h2ws as Pekko HTTP has it: what {@code RequestParsing.scala} makes of one over HTTP/2, and
 * {@code HttpRequestParser.scala} of one over HTTP/1.1. A handshake is a GET in either case, with an {@link Upgrade} as
 * attribute and as header: Pekko looks for the one, Play up to 3.0.10 for the other.
 */
final class RequestModel {
    /** Of stock's HTTP/2 ({@code Http2.scala}). */
    static final AttributeKey<Integer> STREAM_ID = streamId();

    private final ServerSettings settings;
    private final ParserSettings parsing;
    private final HeaderModel headers;
    private final RemoteHeader remoteHeader;
    private final Targets targets;

    RequestModel(ServerSettings settings) {
        this.settings = settings;
        parsing = settings.parserSettings();
        headers = new HeaderModel(parsing.modeledHeaderParsing());
        remoteHeader = RemoteHeader.of(settings);
        targets = new Targets(parsing.uriParsingMode());
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static AttributeKey<Integer> streamId() {
        // the key of Scala's Int, which is the primitive class
        return (AttributeKey) AttributeKey.create("x-http2-stream-id", int.class);
    }

    /**
     * The request.
     *
     * @throws Refused with the status to answer
     */
    HttpRequest of(RequestBody body, int stream) throws Refused {
        Request request = body.request();
        boolean http2 = request.version().equals("HTTP/2");
        List<HttpHeader> fields = new ArrayList<>();
        HttpRequest model = HttpRequest.create()
                .withMethod(method(request, http2))
                .withUri(uri(request))
                .withProtocol(protocol(request));
        if (request.isWebSocket()) {
            Upgrade upgrade = new Upgrade(request);
            fields.add(upgrade);
            model = model.addAttribute(AttributeKeys.webSocketUpgrade, upgrade);
        }
        Optional<InetSocketAddress> remote = request.remoteSocketAddress();
        if (remote.isPresent()) {
            if (remoteHeader != null) {
                fields.add(remoteHeader.of(remote.get()));
            }
            if (settings.remoteAddressAttribute()) {
                model = model.addAttribute(AttributeKeys.remoteAddress, RemoteAddress.create(remote.get()));
            }
        }
        if (settings.rawRequestUriHeader()) {
            fields.add(org.apache.pekko.http.javadsl.model.headers.RawRequestURI.create(request.path()));
        }
        String type = headers.add(request.headers(), fields);
        if (http2 && settings.rawRequestUriHeader() && request.headers().get("host").isEmpty()) {
            // who goes by the target as it came, as Play does, looks there for the host
            fields.add(headers.header("host", request.authority()));
        }
        if (http2) {
            model = model.addAttribute(STREAM_ID, stream);
        }
        if (request.tls().isPresent()) {
            model = TlsSession.add(model, request.tls().get(), parsing, fields);
        }
        model = model.withHeaders(fields);
        return request.hasBody() ? model.withEntity(entity(body, stream, type)) : model;
    }

    private HttpMethod method(Request request, boolean http2) throws Refused {
        Option<?> known = HttpMethods.getForKey(request.method());
        if (known.isEmpty()) {
            known = parsing.customMethods().apply(request.method());
        }
        if (known.isEmpty()) {
            // as the stock engine of either version has it
            throw new Refused(http2 ? 400 : 501, "Unsupported HTTP method");
        }
        return (HttpMethod) known.get();
    }

    private Uri uri(Request request) throws Refused {
        if (request.path().length() > parsing.maxUriLength()) {
            throw new Refused(
                    414, "URI length exceeds the configured limit of " + parsing.maxUriLength() + " characters");
        }
        String path = request.path().equals("*") ? "" : request.path();
        String authority = request.authority();
        try {
            return targets.of(request.scheme() + "://" + authority + path);
        } catch (RuntimeException e) {
            throw new Refused(400, "Illegal request-target");
        }
    }

    private HttpProtocol protocol(Request request) {
        return switch (request.version()) {
            case "HTTP/1.0" -> HttpProtocols.HTTP$div1$u002E0();
            case "HTTP/1.1" -> HttpProtocols.HTTP$div1$u002E1();
            default -> HttpProtocols.HTTP$div2$u002E0();
        };
    }

    /** Stock's HTTP/2 makes chunks of a body whose length is known; here it keeps its length. */
    private RequestEntity entity(RequestBody body, int stream, String type) throws Refused {
        ContentType model = type == null ? ContentTypes.APPLICATION_OCTET_STREAM : headers.contentType(type, body.request().version().equals("HTTP/2"));
        Source<ByteString, ?> data = Source.fromGraph(new BodySource(body, stream));
        String length = body.request().headers().get("content-length").orElse(null);
        long known = length == null ? -1 : Long.parseLong(length);
        if (known == 0) {
            return HttpEntities.create(model, ByteString.emptyByteString());
        }
        RequestEntity entity = known < 0 ? chunked(model, data, body) : HttpEntities.create(model, known, data);
        return (RequestEntity) entity.withSizeLimit(parsing.maxContentLength());
    }

    /** Trailers are in the last chunk, as stock has them over HTTP/1.1; over HTTP/2 it drops them. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private RequestEntity chunked(ContentType type, Source<ByteString, ?> data, RequestBody body) {
        Source<HttpEntity.ChunkStreamPart, ?> chunks = data.map(HttpEntity.ChunkStreamPart::create)
                .concatLazy(Source.lazySource(() -> {
                    if (body.trailers().isEmpty()) {
                        return Source.<HttpEntity.ChunkStreamPart>empty();
                    }
                    List<HttpHeader> fields = new ArrayList<>();
                    headers.add(body.trailers(), fields);
                    HttpEntity.ChunkStreamPart last = new org.apache.pekko.http.scaladsl.model.HttpEntity.LastChunk(
                            "", (scala.collection.immutable.Seq) CollectionConverters.asScala(fields).toList());
                    return Source.single(last);
                }));
        return new org.apache.pekko.http.scaladsl.model.HttpEntity.Chunked(
                (org.apache.pekko.http.scaladsl.model.ContentType) type,
                (org.apache.pekko.stream.scaladsl.Source<
                                org.apache.pekko.http.scaladsl.model.HttpEntity.ChunkStreamPart, Object>)
                        (Object) chunks.asScala());
    }

    /** A request that no route hears of. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        private final int status;

        Refused(int status, String message) {
            super(message, null, false, false);
            this.status = status;
        }

        int status() {
            return status;
        }
    }
}
