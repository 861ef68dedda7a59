package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code withTls}: the JDK's client over HTTP/2 by ALPN, and a WebSocket over HTTP/1.1. */
class TlsTest {
    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    static Path directory;

    private static KeyStore store() throws Exception {
        Path file = directory.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-keystore",
                        file.toString(), "-storetype", "PKCS12", "-storepass", "password", "-alias", "server", "-keyalg",
                        "EC", "-groupname", "secp256r1", "-dname", "CN=localhost", "-ext", "san=dns:localhost",
                        "-validity", "2")
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes());
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    @Test
    void aKeyStore() throws Exception {
        KeyStore store = store();
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        ActorSystem system =
                ActorSystem.create("tls", TestConfig.with("pekko.http.server.parsing.ssl-session-attribute = on"));
        try {
            ServerBinding binding = H2ws.get(system)
                    .newServerAt("127.0.0.1", 0)
                    .withTls(store, PASSWORD)
                    .bind(Directives.concat(
                            Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.<Message>create())),
                            Directives.extractRequest(request -> Directives.complete(request.protocol().value() + " "
                                    + request.getUri().scheme() + " "
                                    + request.getAttribute(AttributeKeys.sslSession)
                                            .map(session -> session.getSession().getProtocol())
                                            .orElse("none")))))
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            int port = binding.localAddress().getPort();
            HttpClient client = HttpClient.newBuilder().sslContext(context).build();
            assertThat(client.send(
                                    HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .body())
                    .isEqualTo("HTTP/2.0 https TLSv1.3");
            CompletableFuture<String> heard = new CompletableFuture<>();
            client.newWebSocketBuilder()
                    .buildAsync(URI.create("wss://localhost:" + port + "/ws"), new java.net.http.WebSocket.Listener() {
                        @Override
                        public CompletionStage<?> onText(java.net.http.WebSocket socket, CharSequence text, boolean last) {
                            heard.complete("" + text);
                            return null;
                        }
                    })
                    .get(10, TimeUnit.SECONDS)
                    .sendText("hello", true);
            assertThat(heard.get(10, TimeUnit.SECONDS)).isEqualTo("hello");
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
