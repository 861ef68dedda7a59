package dev.h2ws;

import dev.h2ws.internal.Native;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A snapshot of an engine's counters, immutable. Those named {@code open_} go up and down, all others only up. They are read one
 * after another while the loops run.
 */
public final class Stats {
    private final Map<String, Long> counters;

    Stats(long[] values) {
        String[] names = Native.statNames();
        Map<String, Long> named = new LinkedHashMap<>();
        for (int i = 0; i < names.length && i < values.length; i++) {
            named.put(names[i], values[i]);
        }
        counters = Collections.unmodifiableMap(named);
    }

    /**
     * A counter by its name, as {@code refused_protocol} or {@code limit_message}.
     *
     * @param name the name
     * @return the count
     * @throws IllegalArgumentException if there is no such counter; the message has all
     */
    public long get(String name) {
        Long count = counters.get(name);
        if (count == null) {
            throw new IllegalArgumentException("no counter is named " + name + "; there are " + counters.keySet());
        }
        return count;
    }

    /**
     * All counters by their names.
     *
     * @return the counters, in the order of the documentation
     */
    public Map<String, Long> asMap() {
        return counters;
    }

    /**
     * Connections open now.
     *
     * @return the count
     */
    public long openConnections() {
        return get("open_connections");
    }

    /**
     * Requests and WebSockets open now.
     *
     * @return the count
     */
    public long openStreams() {
        return get("open_streams");
    }

    /**
     * WebSockets open now.
     *
     * @return the count
     */
    public long openWebSockets() {
        return get("open_websockets");
    }

    /**
     * Connections taken, by a listener or by adoption.
     *
     * @return the count
     */
    public long connections() {
        return get("connections");
    }

    /**
     * Ordinary requests.
     *
     * @return the count
     */
    public long requests() {
        return get("requests");
    }

    /**
     * WebSocket handshakes.
     *
     * @return the count
     */
    public long handshakes() {
        return get("handshakes");
    }

    /**
     * WebSockets accepted.
     *
     * @return the count
     */
    public long accepted() {
        return get("accepted");
    }

    /**
     * Messages received.
     *
     * @return the count
     */
    public long messagesIn() {
        return get("messages_in");
    }

    /**
     * Messages sent.
     *
     * @return the count
     */
    public long messagesOut() {
        return get("messages_out");
    }

    /**
     * Bytes read from sockets.
     *
     * @return the count
     */
    public long bytesIn() {
        return get("bytes_in");
    }

    /**
     * Bytes written to sockets.
     *
     * @return the count
     */
    public long bytesOut() {
        return get("bytes_out");
    }

    @Override
    public String toString() {
        return counters.toString();
    }
}
