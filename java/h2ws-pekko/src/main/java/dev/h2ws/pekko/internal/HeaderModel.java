package dev.h2ws.pekko.internal;

import dev.h2ws.Headers;
import dev.h2ws.pekko.internal.RequestModel.Refused;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Fields of requests as Pekko's headers. Parsing one costs more than all else of a request, and clients send the same
 * ones again and again: those are kept, a bounded number, and never what may be a secret.
 */
final class HeaderModel {
    private static final int KEPT = 1024;
    private static final int KEPT_LENGTH = 256;

    private static final Set<String> NOT_KEPT =
            Set.of("cookie", "authorization", "proxy-authorization", "sec-websocket-protocol");

    private record Field(String name, String value) {}

    private final boolean modelled;
    private final Map<Field, HttpHeader> kept = new ConcurrentHashMap<>();
    private final Map<String, ContentType> types = new ConcurrentHashMap<>();

    /** @param modelled {@code parsing.modeled-header-parsing}: false for raw headers alone */
    HeaderModel(boolean modelled) {
        this.modelled = modelled;
    }

    /**
     * Adds all but those that the entity has.
     *
     * @return the content type's field, or null
     */
    String add(Headers fields, List<HttpHeader> to) {
        String type = null;
        StringBuilder cookies = null;
        for (Map.Entry<String, String> field : fields) {
            String name = field.getKey();
            switch (name) {
                case "content-type" -> type = field.getValue();
                case "content-length", "transfer-encoding" -> {}
                case "cookie" -> {
                    // clients part them over HTTP/2 (RFC 9113 section 8.2.3)
                    cookies = cookies == null ? new StringBuilder() : cookies.append("; ");
                    cookies.append(field.getValue());
                }
                default -> to.add(header(name, field.getValue()));
            }
        }
        if (cookies != null) {
            to.add(header("cookie", cookies.toString()));
        }
        return type;
    }

    HttpHeader header(String name, String value) {
        if (NOT_KEPT.contains(name) || value.length() > KEPT_LENGTH) {
            return parse(name, value);
        }
        Field field = new Field(name, value);
        HttpHeader known = kept.get(field);
        if (known == null) {
            known = parse(name, value);
            if (kept.size() < KEPT) {
                kept.put(field, known);
            }
        }
        return known;
    }

    private HttpHeader parse(String name, String value) {
        if (modelled) {
            try {
                return HttpHeader.parse(name, value);
            } catch (RuntimeException e) {
                // a value that is not as its name wants it: stock, too, hands the field over raw
            }
        }
        return RawHeader.create(name, value);
    }

    /** @param strict whether one that cannot be read is refused, as over HTTP/2, or taken for bytes */
    ContentType contentType(String field, boolean strict) throws Refused {
        ContentType known = types.get(field);
        if (known == null) {
            try {
                known = ContentTypes.parse(field);
            } catch (RuntimeException e) {
                if (strict) {
                    throw new Refused(400, "Illegal 'content-type' header");
                }
                return ContentTypes.APPLICATION_OCTET_STREAM;
            }
            if (types.size() < KEPT && field.length() < KEPT_LENGTH) {
                types.put(field, known);
            }
        }
        return known;
    }
}
