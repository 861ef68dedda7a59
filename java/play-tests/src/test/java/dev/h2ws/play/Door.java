package dev.h2ws.play;

import dev.h2ws.pekko.Http1Wire;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Wire;
import java.util.Map;

/** Which server, over which HTTP: what the same controllers are looked at through. */
enum Door {
    STOCK_HTTP1,
    H2WS_HTTP1,
    H2WS_HTTP2;

    boolean isStock() {
        return this == STOCK_HTTP1;
    }

    boolean isHttp2() {
        return this == H2WS_HTTP2;
    }

    PlayServer start(String lines) {
        return PlayServer.http(lines + "\nh2ws.pekko.replace-http-server = " + (isStock() ? "off" : "on"));
    }

    Wire open(PlayServer server, String path) throws Exception {
        return open(server, path, Map.of());
    }

    Wire open(PlayServer server, String path, Map<String, String> fields) throws Exception {
        return open(server.port(), path, fields);
    }

    Wire open(int port, String path, Map<String, String> fields) throws Exception {
        return isHttp2() ? new Http2Wire(port, path, fields, null) : new Http1Wire(port, path, fields, null);
    }
}
