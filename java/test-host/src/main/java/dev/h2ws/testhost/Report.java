package dev.h2ws.testhost;

import dev.h2ws.Closed;
import dev.h2ws.Request;
import dev.h2ws.Stats;
import dev.h2ws.TlsInfo;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@code /closed}, {@code /stats} and {@code /connection} tell, as JSON. */
final class Report {
    private static final int RECORDS = 1000;

    // guarded by itself
    private final ArrayDeque<String> records = new ArrayDeque<>();

    void closed(Request request, Closed closed) {
        String cause = closed.cause().name().toLowerCase(Locale.ROOT);
        String record = "{\"path\":" + string(request.path())
                + ",\"kind\":\"" + (request.isWebSocket() ? "websocket" : "http")
                + "\",\"code\":" + closed.code()
                + ",\"reason\":" + string(closed.reason())
                + ",\"cause\":\"" + cause
                + "\",\"h2_code\":" + closed.h2Code()
                + ",\"side\":\"" + closed.side().name().toLowerCase(Locale.ROOT) + "\"}";
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

    static String stats(Stats stats) {
        return stats.asMap().entrySet().stream()
                .map(entry -> "  \"" + entry.getKey() + "\": " + entry.getValue())
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
    }

    static String connection(Request request) {
        String version = request.version().replace("HTTP/", "");
        return "{\"version\":\"" + version + "\",\"peer\":" + string(request.remoteAddress())
                + ",\"scheme\":" + string(request.scheme())
                + ",\"authority\":" + string(request.authority())
                + request.tls().map(Report::tls).orElse("") + "}";
    }

    private static String tls(TlsInfo tls) {
        return ",\"tls\":{\"resumed\":" + tls.resumed()
                + ",\"version\":" + string(tls.version())
                + ",\"cipher\":" + string(tls.cipher())
                + ",\"alpn\":" + string(tls.alpn().orElse("")) + "}";
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
