package chat;

import java.util.Optional;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** What a request came over, as far as a route knows: the protocol, the client's port, and the number of an HTTP/2 stream. */
record Connection(String protocol, int port, Integer stream) {
    private static final AttributeKey<Integer> STREAM = AttributeKey.create("x-http2-stream-id", int.class);

    static Connection of(HttpRequest request) {
        int port = request.getAttribute(AttributeKeys.remoteAddress).map(address -> address.getPort()).orElse(0);
        Optional<Integer> stream = request.getAttribute(STREAM);
        return new Connection(request.protocol().value(), port, stream.orElse(null));
    }

    /** Browsers show it to the page beside their own timing of the request. */
    HttpHeader serverTiming() {
        String text = protocol + " from " + port + (stream == null ? "" : " stream " + stream);
        return RawHeader.create("Server-Timing", "connection;desc=\"" + text + "\"");
    }
}
