package dev.h2ws;

import dev.h2ws.internal.Native;
import dev.h2ws.internal.NativeLoader;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * What an engine is to be like; what is not set has its default. Sizes are bytes. Not for several threads.
 *
 * <p>{@link #start()} refuses what is out of its range, with the field, its value and the range.
 */
public final class H2wsBuilder {
    static final String LOGGER = "dev.h2ws";

    private static final Duration DAY = Duration.ofDays(1);

    private final Map<String, Long> fields = new LinkedHashMap<>();
    private Executor executor;
    private Log log = (level, text, thrown) -> System.getLogger(LOGGER).log(level, text, thrown);
    private Consumer<FallbackConnection> fallback;

    H2wsBuilder() {}

    /**
     * Event loops, a thread each.
     *
     * @param count 1 to 64; default: the processors of the machine
     * @return this
     */
    public H2wsBuilder loops(int count) {
        return set("loops", count);
    }

    /**
     * Connections at once; one more is closed at once.
     *
     * @param count default 1,000,000
     * @return this
     */
    public H2wsBuilder maxConnections(int count) {
        return set("max_connections", count);
    }

    /**
     * Streams of one connection at once (SETTINGS_MAX_CONCURRENT_STREAMS).
     *
     * @param count default 128
     * @return this
     */
    public H2wsBuilder maxStreams(int count) {
        return set("max_streams", count);
    }

    /**
     * A message, put together; a longer one closes the socket with 1009.
     *
     * @param bytes default 16 MiB
     * @return this
     */
    public H2wsBuilder maxMessage(int bytes) {
        return set("max_message", bytes);
    }

    /**
     * Fragments of one message.
     *
     * @param count default 1024
     * @return this
     */
    public H2wsBuilder maxFragments(int count) {
        return set("max_fragments", count);
    }

    /**
     * What a peer may send on one stream before the program has taken it. Inside of a WebSocket frame that is longer, over HTTP/2, four
     * times as much while the program takes what comes; all streams of a connection together have at most a fourth of
     * {@link #connectionWindow} more by that.
     *
     * @param bytes default 256 KiB
     * @return this
     */
    public H2wsBuilder streamWindow(int bytes) {
        return set("stream_window", bytes);
    }

    /**
     * What a peer may send on one connection before it was read.
     *
     * @param bytes default 16 MiB
     * @return this
     */
    public H2wsBuilder connectionWindow(int bytes) {
        return set("connection_window", bytes);
    }

    /**
     * What waits to be sent on one stream before {@link SendResult#BUSY}. There is room again at half of it; one
     * message given below that half may exceed it.
     *
     * @param bytes default 1 MiB
     * @return this
     */
    public H2wsBuilder sendQueue(int bytes) {
        return set("send_queue", bytes);
    }

    /**
     * What a client may send on a WebSocket before it is accepted.
     *
     * @param bytes default 16 KiB
     * @return this
     */
    public H2wsBuilder earlyData(int bytes) {
        return set("early_data", bytes);
    }

    /**
     * Until the HTTP/2 connection preface is complete.
     *
     * @param time default 10 s; zero: never
     * @return this
     */
    public H2wsBuilder prefaceTimeout(Duration time) {
        return set("preface_timeout", time);
    }

    /**
     * Until the peer acknowledges our SETTINGS.
     *
     * @param time default 10 s; zero: never
     * @return this
     */
    public H2wsBuilder settingsTimeout(Duration time) {
        return set("settings_timeout", time);
    }

    /**
     * Until a header block that began is complete.
     *
     * @param time default 10 s; zero: never
     * @return this
     */
    public H2wsBuilder headerTimeout(Duration time) {
        return set("header_timeout", time);
    }

    /**
     * Until the program decides about a handshake; then it is refused with 503.
     *
     * @param time default 30 s; zero: never
     * @return this
     */
    public H2wsBuilder acceptTimeout(Duration time) {
        return set("accept_timeout", time);
    }

    /**
     * Until the peer answers our Close, and again until it ends the stream.
     *
     * @param time default 5 s; at least 1 ms
     * @return this
     */
    public H2wsBuilder closeTimeout(Duration time) {
        return set("close_timeout", time);
    }

    /**
     * A WebSocket on which nothing came for so long is closed with 1001.
     *
     * @param time default zero: never
     * @return this
     */
    public H2wsBuilder idleTimeout(Duration time) {
        return set("idle_timeout", time);
    }

    /**
     * A Ping goes to a WebSocket on which nothing came for so long.
     *
     * @param time default zero: never
     * @return this
     */
    public H2wsBuilder pingInterval(Duration time) {
        return set("ping_interval", time);
    }

    /**
     * A WebSocket that has not answered such a Ping for so long is reset.
     *
     * @param time default zero: never
     * @return this
     */
    public H2wsBuilder pingTimeout(Duration time) {
        return set("ping_timeout", time);
    }

    /**
     * A connection that takes none of our bytes for so long is cut.
     *
     * @param time default 30 s; zero: never
     * @return this
     */
    public H2wsBuilder writeTimeout(Duration time) {
        return set("write_timeout", time);
    }

    /**
     * Until a TLS handshake is complete.
     *
     * @param time default 10 s; zero: never
     * @return this
     */
    public H2wsBuilder tlsTimeout(Duration time) {
        return set("tls_timeout", time);
    }

    /**
     * An HTTP/1.1 connection on which no request came for so long is closed; one of HTTP/2, without a stream, on which
     * nothing came.
     *
     * @param time default 60 s; zero: never
     * @return this
     */
    public H2wsBuilder keepAliveTimeout(Duration time) {
        return set("keep_alive_timeout", time);
    }

    /**
     * Agrees to permessage-deflate (RFC 7692) when a client offers it. Default: not.
     *
     * @param deflate how; what was set of it before is forgotten
     * @return this
     */
    public H2wsBuilder deflate(Deflate deflate) {
        fields.keySet().removeIf(name -> name.startsWith("deflate_"));
        fields.putAll(deflate.fields);
        return this;
    }

    /**
     * Gives connections that do not speak HTTP/2 to the program as bytes, in place of serving HTTP/1.1. Native TLS stays native.
     * It runs on the loop's thread, or on the executor. An exception out of it is logged and closes the connection.
     *
     * @param handler gets the connection, which it has to close in the end
     * @return this
     */
    public H2wsBuilder fallback(Consumer<FallbackConnection> handler) {
        fallback = Objects.requireNonNull(handler, "handler");
        return set("fallback", 2);
    }

    /**
     * Sets a field by its name in the documentation of the configuration, as {@code reset_rate}; times are
     * milliseconds, switches 0 or 1.
     *
     * @param name the name
     * @param value the value
     * @return this
     */
    public H2wsBuilder set(String name, long value) {
        fields.put(Objects.requireNonNull(name, "name"), value);
        return this;
    }

    private H2wsBuilder set(String name, Duration time) {
        return set(name, millis(name, time));
    }

    /** More than a day is as good as a day, which is the most; less than a millisecond is not none. */
    static long millis(String name, Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException(name + " is " + time + "; it must not be negative");
        }
        Duration most = time.compareTo(DAY) > 0 ? DAY : time;
        return most.plusNanos(999_999).toMillis();
    }

    /**
     * Where callbacks run. Default: on the loop's thread, where they must not block. On an executor they may; they come
     * in order for each request and socket, one at a time, and the peer is held back while they wait. If it refuses
     * one, as after its shutdown, that runs on the loop's thread.
     *
     * @param executor runs them; the program's to shut down, after the engine was closed
     * @return this
     */
    public H2wsBuilder executor(Executor executor) {
        this.executor = Objects.requireNonNull(executor, "executor");
        return this;
    }

    /**
     * Where lines for the log go. Default: {@code System.getLogger("dev.h2ws")}.
     *
     * @param log takes them
     * @return this
     */
    public H2wsBuilder onLog(Log log) {
        this.log = Objects.requireNonNull(log, "log");
        return this;
    }

    /**
     * Starts the engine: its loops run when this returns. The first one loads the native library.
     *
     * @return the engine; has to be closed
     * @throws H2wsException with {@link Status#INVALID_CONFIG}, {@link Status#NO_LIBRARY}, or {@link Status#IO}: no
     *     threads or descriptors are to be had
     */
    public H2ws start() {
        NativeLoader.load();
        String[] names = fields.keySet().toArray(new String[0]);
        long[] values = fields.values().stream().mapToLong(Long::longValue).toArray();
        long id = Native.start(names, values);
        if (Handlers.isStatus(id)) {
            throw H2wsException.last(id, "start");
        }
        Engine engine = new Engine(id, executor, log, fallback);
        engine.start();
        return new H2ws(engine);
    }
}
