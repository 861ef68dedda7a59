package dev.h2ws.pekko;

import dev.h2ws.TestKeys;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.server.Route;

/** Which server, over which HTTP, and who does its TLS: what the parity tests are run with. */
enum Door {
    STOCK_HTTP1(Tls.NONE),
    H2WS_HTTP1(Tls.NONE),
    H2WS_HTTP2(Tls.NONE),
    JVM_TLS_HTTP1(Tls.JVM),
    JVM_TLS_HTTP2(Tls.JVM),
    NATIVE_TLS_HTTP1(Tls.NATIVE),
    NATIVE_TLS_HTTP2(Tls.NATIVE);

    private enum Tls {
        NONE,
        JVM,
        NATIVE
    }

    private final Tls tls;

    Door(Tls tls) {
        this.tls = tls;
    }

    boolean isStock() {
        return this == STOCK_HTTP1;
    }

    boolean isHttp2() {
        return name().endsWith("HTTP2");
    }

    String scheme() {
        return tls == Tls.NONE ? "http" : "https";
    }

    /** For its clients; null over cleartext. */
    SSLContext context() {
        return tls == Tls.NONE ? null : LocalKey.CONTEXT;
    }

    ServerBinding bind(ActorSystem system, Route route) throws Exception {
        return builder(system).bind(route).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    ServerBuilder builder(ActorSystem system) {
        if (isStock()) {
            return Http.get(system).newServerAt("127.0.0.1", 0);
        }
        dev.h2ws.pekko.javadsl.ServerBuilder builder = H2ws.get(system).newServerAt("127.0.0.1", 0);
        return switch (tls) {
            case NONE -> builder;
            case JVM -> builder.enableHttps(ConnectionContext.httpsServer(LocalKey.CONTEXT));
            case NATIVE -> builder.withTls(LocalKey.STORE, TestKeys.PASSWORD);
        };
    }

    Wire open(int port, String path, Map<String, String> fields) throws Exception {
        return isHttp2()
                ? new Http2Wire(port, path, fields, context())
                : new Http1Wire(port, path, fields, context());
    }
}
