package dev.h2ws.pekko.internal;

import dev.h2ws.H2ws;
import dev.h2ws.Handler;
import dev.h2ws.ListenOptions;
import dev.h2ws.Listener;
import dev.h2ws.Tls;
import dev.h2ws.TlsTransport;
import java.net.SocketAddress;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import org.apache.pekko.http.scaladsl.HttpsConnectionContext;

/** Who speaks TLS on a port: nobody, h2ws itself, or the engines of the application's own context. */
public interface Security {
    /** A port that listens, and what has to be closed when its engine has ended. */
    record Port(Listener listener, AutoCloseable rest) {
        void close() {
            try {
                rest.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** For the log, behind the address. */
    String name();

    /** Listens. {@code http1} is null if HTTP/1.1 is the engine's own. */
    Port listen(H2ws engine, SocketAddress address, Handler handler, boolean webSockets, StockHttp1 http1);

    /**
     * Native TLS.
     *
     * @param tls null for cleartext
     */
    static Security of(Tls tls) {
        return new Security() {
            @Override
            public String name() {
                return tls == null ? "" : " over TLS";
            }

            @Override
            public Port listen(
                    H2ws engine, SocketAddress address, Handler handler, boolean webSockets, StockHttp1 http1) {
                ListenOptions clear = clear(webSockets);
                Listener listener = engine.listen(address, handler, tls == null ? clear : clear.tls(tls));
                return new Port(listener, () -> {});
            }
        };
    }

    /** The TLS of an application's {@code enableHttps}: its key, client authentication and parameters are the engine's. */
    static Security of(HttpsConnectionContext context) {
        NativeTlsContext keys = NativeTlsContext.in(context);
        return keys == null ? byEngines(context) : of(keys);
    }

    /** Native TLS again, with keys that are loaded for this port alone. */
    private static Security of(NativeTlsContext keys) {
        return new Security() {
            @Override
            public String name() {
                return " over TLS";
            }

            @Override
            public Port listen(
                    H2ws engine, SocketAddress address, Handler handler, boolean webSockets, StockHttp1 http1) {
                // what listens keeps what it needs of it
                try (Tls tls = keys.load()) {
                    return of(tls).listen(engine, address, handler, webSockets, http1);
                }
            }
        };
    }

    private static Security byEngines(HttpsConnectionContext context) {
        Supplier<SSLEngine> engines = SslEngines.of(context);
        return new Security() {
            @Override
            public String name() {
                return " over TLS of the application's SSLContext (H2ws(system)...withTls has native TLS, which is faster)";
            }

            @Override
            public Port listen(
                    H2ws engine, SocketAddress address, Handler handler, boolean webSockets, StockHttp1 http1) {
                TlsTransport.Builder builder =
                        TlsTransport.builder(engine, peer -> engines.get()).options(clear(webSockets));
                if (http1 != null) {
                    builder.http1(http1::serve);
                }
                TlsTransport transport = builder.build();
                try {
                    return new Port(transport.listen(address, handler), transport);
                } catch (RuntimeException e) {
                    transport.close();
                    throw e;
                }
            }
        };
    }

    private static ListenOptions clear(boolean webSockets) {
        return webSockets ? ListenOptions.defaults() : ListenOptions.defaults().withoutWebSockets();
    }
}
