package pekkohost;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLSession;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;

/**
 * What {@code /closed}, {@code /stats} and {@code /connection} tell, as JSON: what a route can see. Of connections, messages and limits
 * it sees nothing, of the end of a socket only whether its flow completed or failed; ALPN is not told to it either.
 */
final class Report {
    private static final int RECORDS = 1000;

    private final LongAdder requests = new LongAdder();
    private final LongAdder handshakes = new LongAdder();
    private final LongAdder accepted = new LongAdder();
    private final LongAdder closed = new LongAdder();
    // guarded by itself
    private final ArrayDeque<String> records = new ArrayDeque<>();

    /** A route whose requests count. */
    Route counting(Route route) {
        return Directives.extractRequest(request -> {
            (request.getAttribute(AttributeKeys.webSocketUpgrade).isPresent() ? handshakes : requests).increment();
            return route;
        });
    }

    /** A socket whose end is recorded. */
    Flow<Message, Message, NotUsed> recorded(HttpRequest request, Flow<Message, Message, NotUsed> flow) {
        return flow.watchTermination((unused, done) -> {
            accepted.increment();
            done.whenComplete((end, failure) -> record(request.getUri().path(), failure));
            return unused;
        });
    }

    private void record(String path, Throwable failure) {
        closed.increment();
        String record = "{\"path\":" + string(path)
                + ",\"kind\":\"websocket\",\"cause\":\"" + (failure == null ? "complete" : "failed")
                + "\",\"reason\":" + string(failure == null ? "" : failure.toString()) + "}";
        synchronized (records) {
            if (records.size() == RECORDS) {
                records.remove();
            }
            records.add(record);
        }
    }

    String closed() {
        synchronized (records) {
            return "[" + String.join(",\n", records) + "]\n";
        }
    }

    String stats() {
        long ended = closed.sum();
        return "{\n  \"requests\": " + requests.sum()
                + ",\n  \"handshakes\": " + handshakes.sum()
                + ",\n  \"accepted\": " + accepted.sum()
                + ",\n  \"open_websockets\": " + (accepted.sum() - ended) + "\n}\n";
    }

    static String connection(HttpRequest request) {
        String peer = request.getAttribute(AttributeKeys.remoteAddress).map(Report::address).orElse("");
        String version = request.protocol().value().replace("HTTP/", "").replace(".0", "");
        return "{\"version\":\"" + (version.equals("1") ? "1.0" : version) + "\",\"peer\":" + string(peer)
                + ",\"scheme\":" + string(request.getUri().getScheme())
                + ",\"authority\":" + string(request.getUri().getHost() + ":" + request.getUri().port())
                + request.getAttribute(AttributeKeys.sslSession)
                        .filter(info -> request.getUri().getScheme().equals("https"))
                        .map(info -> tls(info.getSession()))
                        .orElse("") + "}";
    }

    private static String address(RemoteAddress address) {
        return address.getAddress().map(ip -> ip.getHostAddress() + ":" + address.getPort()).orElse("");
    }

    private static String tls(SSLSession session) {
        return ",\"tls\":{\"version\":" + string(session.getProtocol())
                + ",\"cipher\":" + string(session.getCipherSuite()) + "}";
    }

    private static String string(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
