package dev.h2ws.pekko.internal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigMemorySize;
import com.typesafe.config.ConfigValueType;
import java.util.List;

/**
 * The settings below {@code h2ws}. A value that cannot be is refused with the path of its key, when a port is bound.
 *
 * @param loops 0: one for each processor
 * @param playMessageLimit the bytes of a message from which on Play refuses it, but only if it comes in parts
 *     ({@code WebSocketFlowHandler.scala}); the largest int without Play
 */
record Options(
        boolean webSockets,
        int loops,
        int strictMessageLimit,
        int sendQueue,
        boolean compression,
        String http1,
        int playMessageLimit) {
    private static final int MOST_LOOPS = 64;
    private static final long SMALLEST_QUEUE = 1 << 10;
    private static final long LARGEST_QUEUE = 1 << 30;
    private static final String PLAY_MESSAGE_LIMIT = "play.server.websocket.frame.maxLength";

    static Options of(Config config) {
        return new Options(
                config.getBoolean("h2ws.websocket-over-http2"),
                loops(config, "h2ws.loops"),
                size(config, "h2ws.websocket.strict-message-limit", 0),
                size(config, "h2ws.websocket.send-queue", SMALLEST_QUEUE),
                config.getBoolean("h2ws.websocket.compression"),
                oneOf(config, "h2ws.pekko.http1", List.of("auto", "native", "stock")),
                config.hasPath(PLAY_MESSAGE_LIMIT)
                        ? (int) Math.min(config.getMemorySize(PLAY_MESSAGE_LIMIT).toBytes(), Integer.MAX_VALUE)
                        : Integer.MAX_VALUE);
    }

    /**
     * Whether HTTP/1.1 is Pekko HTTP's. h2ws itself has WebSockets over both HTTPs or over neither, so without them over
     * HTTP/2 those over HTTP/1.1 are left to it.
     *
     * @param dropIn whether the port was bound by {@code Http()}, where HTTP/1.1 is to stay as it was
     */
    boolean stockHttp1(boolean dropIn) {
        return http1.equals("stock") || http1.equals("auto") && (dropIn || !webSockets);
    }

    private static int loops(Config config, String path) {
        if (config.getValue(path).valueType() == ConfigValueType.STRING
                && config.getString(path).equals("auto")) {
            return 0;
        }
        int loops = config.getInt(path);
        if (loops < 1 || loops > MOST_LOOPS) {
            throw new ConfigException.BadValue(
                    config.getValue(path).origin(), path, loops + "; it must be auto or 1 to " + MOST_LOOPS);
        }
        return loops;
    }

    private static int size(Config config, String path, long least) {
        ConfigMemorySize size = config.getMemorySize(path);
        if (size.toBytes() < least || size.toBytes() > LARGEST_QUEUE) {
            throw new ConfigException.BadValue(
                    config.getValue(path).origin(),
                    path,
                    size.toBytes() + " bytes; it must be " + least + " to " + LARGEST_QUEUE);
        }
        return (int) size.toBytes();
    }

    private static String oneOf(Config config, String path, List<String> values) {
        String value = config.getString(path);
        if (!values.contains(value)) {
            throw new ConfigException.BadValue(
                    config.getValue(path).origin(), path, value + "; it must be one of " + values);
        }
        return value;
    }
}
