package dev.h2ws.pekko.internal;

import java.time.Duration;
import java.util.function.Supplier;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.http.scaladsl.settings.WebSocketSettings;
import org.apache.pekko.util.ByteString;

/**
 * What the sockets of a binding have in common.
 *
 * @param strictLimit a message of more bytes is handed over as a streamed one
 * @param keepAlive a Ping or Pong goes out when nothing came for so long; null: never
 * @param keepAlivePing whether it is a Ping
 * @param keepAliveData its payload
 * @param idle a socket on which nothing went either way for so long ends; null: never
 */
record SocketSettings(
        int strictLimit,
        Duration keepAlive,
        boolean keepAlivePing,
        Supplier<ByteString> keepAliveData,
        Duration idle) {

    static SocketSettings of(ServerSettings settings, int strictLimit) {
        WebSocketSettings sockets = settings.websocketSettings();
        return new SocketSettings(
                strictLimit,
                Durations.finite(sockets.periodicKeepAliveMaxIdle()),
                sockets.periodicKeepAliveMode().equals("ping"),
                sockets.getPeriodicKeepAliveData(),
                Durations.finite(settings.timeouts().idleTimeout()));
    }
}
