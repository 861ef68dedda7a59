package dev.h2ws.pekko.internal;

import dev.h2ws.Headers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.model.ContentType;
import org.apache.pekko.http.scaladsl.model.ContentTypes;
import org.apache.pekko.http.scaladsl.model.HttpHeader;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.ResponseEntity;
import org.apache.pekko.http.scaladsl.model.Trailer;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** The fields of a response, by the rules of {@code HttpMessageRendering.scala}. */
final class ResponseHead {
    /** What the entity or the protocol says, and a header must not. */
    private static final Set<String> NOT_FROM_HEADERS =
            Set.of("content-type", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade");

    /** What a 101 has for HTTP/1.1 only; h2ws writes what belongs to the handshake itself. */
    private static final Set<String> OF_THE_HANDSHAKE = Set.of(
            "sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions");

    private final String serverHeader;
    private final HttpDate date;
    private final LoggingAdapter log;

    /** @param serverHeader null for none */
    ResponseHead(String serverHeader, HttpDate date, LoggingAdapter log) {
        this.serverHeader = serverHeader;
        this.date = date;
        this.log = log;
    }

    Headers ofHandshake(HttpResponse response) {
        List<String> fields = new ArrayList<>();
        add(fields, response, true);
        return Headers.of(fields.toArray(new String[0]));
    }

    /** @param length whether to tell a length that the entity knows and h2ws does not add by itself */
    Headers of(HttpResponse response, boolean length) {
        List<String> fields = new ArrayList<>();
        add(fields, response, false);
        ResponseEntity entity = response.entity();
        ContentType type = entity.contentType();
        if (type != ContentTypes.NoContentType()) {
            fields.add("content-type");
            fields.add(type.toString());
        }
        if (length && entity.contentLengthOption().isDefined()) {
            fields.add("content-length");
            fields.add(entity.contentLengthOption().get().toString());
        }
        return Headers.of(fields.toArray(new String[0]));
    }

    private void add(List<String> fields, HttpResponse response, boolean handshake) {
        boolean dated = false;
        boolean named = false;
        scala.collection.Iterator<HttpHeader> headers = response.headers().iterator();
        while (headers.hasNext()) {
            HttpHeader header = headers.next();
            String name = header.lowercaseName();
            if (!header.renderInResponses() || handshake && OF_THE_HANDSHAKE.contains(name)) {
                continue;
            }
            if (NOT_FROM_HEADERS.contains(name)) {
                if (!handshake && !name.equals("connection")) {
                    log.warning("The header {} of a response is not sent: its entity says it.", header.name());
                }
                continue;
            }
            dated |= name.equals("date");
            named |= name.equals("server");
            fields.add(name);
            fields.add(header.value());
        }
        if (!named && serverHeader != null) {
            fields.add("server");
            fields.add(serverHeader);
        }
        if (!dated) {
            fields.add("date");
            fields.add(date.now());
        }
    }

    /** Of the attribute; none if there are none. */
    static Headers trailers(HttpResponse response) {
        Object attribute = response.getAttribute(org.apache.pekko.http.javadsl.model.AttributeKeys.trailer).orElse(null);
        if (!(attribute instanceof Trailer trailer) || trailer.headers().isEmpty()) {
            return Headers.of();
        }
        Headers fields = Headers.of();
        for (Tuple2<String, String> field : CollectionConverters.asJava(trailer.headers())) {
            fields = fields.with(field._1().toLowerCase(Locale.ROOT), field._2());
        }
        return fields;
    }

    /** Of the last chunk. */
    static Headers trailers(Seq<HttpHeader> trailer) {
        Headers fields = Headers.of();
        for (HttpHeader field : CollectionConverters.asJava(trailer)) {
            fields = fields.with(field.lowercaseName(), field.value());
        }
        return fields;
    }
}
