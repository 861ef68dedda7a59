package dev.h2ws.pekko;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.server.Route;

/** Which server, and over which HTTP: what the parity tests are run with. */
enum Door {
    STOCK_HTTP1,
    H2WS_HTTP1,
    H2WS_HTTP2;

    boolean isStock() {
        return this == STOCK_HTTP1;
    }

    ServerBinding bind(ActorSystem system, Route route) throws Exception {
        ServerBuilder builder = isStock()
                ? Http.get(system).newServerAt("127.0.0.1", 0)
                : H2ws.get(system).newServerAt("127.0.0.1", 0);
        return builder.bind(route).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    Wire open(int port, String path, Map<String, String> fields) throws Exception {
        return this == H2WS_HTTP2 ? new Http2Wire(port, path, fields) : new Http1Wire(port, path, fields);
    }
}
