package playhost;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.LongAdder;
import org.apache.pekko.stream.javadsl.Flow;
import play.http.websocket.Message;
import play.mvc.EssentialAction;
import play.mvc.EssentialFilter;
import play.mvc.Http;

/**
 * What {@code /closed}, {@code /stats} and {@code /connection} tell, as JSON: what a controller can see. Of connections, messages and
 * limits it sees nothing, of the end of a socket only whether its flow completed or failed; TLS and ALPN are not told to it either.
 */
final class Report {
    private static final int RECORDS = 1000;

    private final LongAdder requests = new LongAdder();
    private final LongAdder handshakes = new LongAdder();
    private final LongAdder accepted = new LongAdder();
    private final LongAdder closed = new LongAdder();
    // guarded by itself
    private final ArrayDeque<String> records = new ArrayDeque<>();

    /** Play asks filters about requests, and not about sockets. */
    EssentialFilter counting() {
        return new EssentialFilter() {
            @Override
            public EssentialAction apply(EssentialAction next) {
                return EssentialAction.of(request -> {
                    requests.increment();
                    return next.apply(request);
                });
            }
        };
    }

    void handshake() {
        handshakes.increment();
    }

    /** A socket whose end is recorded. */
    <M> Flow<Message, Message, M> recorded(Http.RequestHeader request, Flow<Message, Message, M> flow) {
        return flow.watchTermination((materialized, done) -> {
            accepted.increment();
            done.whenComplete((end, failure) -> record(request.path(), failure));
            return materialized;
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

    static String connection(Http.RequestHeader request) {
        String version = request.version().replace("HTTP/", "");
        return "{\"version\":" + string(version.equals("2.0") ? "2" : version)
                // Play's own remoteAddress has no port; the header is the server's, not the client's
                + ",\"peer\":" + string(request.header("Remote-Address").orElse(""))
                + ",\"scheme\":\"" + (request.secure() ? "https" : "http")
                + "\",\"authority\":" + string(request.host()) + "}";
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
