package dev.h2ws.play;

import dev.h2ws.TestKeys;
import dev.h2ws.pekko.LocalKey;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;

/** Which server, over which HTTP, and who does its TLS: what pages are asked for through. */
enum SecureDoor {
    STOCK_HTTP1,
    STOCK_HTTP2,
    JVM_TLS_HTTP1,
    JVM_TLS_HTTP2,
    NATIVE_TLS_HTTP1,
    NATIVE_TLS_HTTP2;

    /** With the key of all tests. */
    private static final Path STORE = store();

    private static Path store() {
        try {
            Path file = Files.createTempFile("h2ws-play", ".p12");
            file.toFile().deleteOnExit();
            try (OutputStream out = Files.newOutputStream(file)) {
                LocalKey.STORE.store(out, TestKeys.PASSWORD);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean isStock() {
        return name().startsWith("STOCK");
    }

    boolean isHttp2() {
        return name().endsWith("HTTP2");
    }

    /** The first of those that share a server. */
    SecureDoor server() {
        return isHttp2() ? values()[ordinal() - 1] : this;
    }

    PlayServer start(String lines) {
        return PlayServer.https("""
                play.server.https.keyStore { path = "%s", type = PKCS12, password = "%s" }
                h2ws.pekko.replace-http-server = %s
                play.server.pekko.http2.enabled = on
                """.formatted(STORE, new String(TestKeys.PASSWORD), isStock() ? "off" : "on")
                + (name().startsWith("NATIVE")
                        ? ""
                        : "play.server.https.engineProvider = play.core.server.ssl.DefaultSSLEngineProvider\n")
                + lines);
    }

    HttpClient client() {
        return client(LocalKey.CONTEXT);
    }

    HttpClient client(SSLContext context) {
        return HttpClient.newBuilder()
                .sslContext(context)
                .version(isHttp2() ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
                .build();
    }
}
