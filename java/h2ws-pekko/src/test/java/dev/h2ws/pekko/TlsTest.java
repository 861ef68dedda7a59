package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.h2ws.TestKeys;
import dev.h2ws.Tls;
import dev.h2ws.pekko.internal.NativeTlsContext;
import dev.h2ws.pekko.javadsl.ServerBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.stream.TLSClientAuth;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code withTls} and {@code enableHttps}: the JDK's client over HTTP/2 by ALPN, and a WebSocket over HTTP/1.1. */
class TlsTest {
    @TempDir
    Path directory;

    @Test
    void aKeyStore() throws Exception {
        KeyStore store = TestKeys.store(directory);
        serves(TestKeys.context(store), builder -> builder.withTls(store, TestKeys.PASSWORD));
    }

    @Test
    void theApplicationsOwnContext() throws Exception {
        SSLContext context = TestKeys.context(TestKeys.store(directory));
        serves(context, builder -> builder.enableHttps(ConnectionContext.httpsServer(context)));
    }

    /** The key of its engines is none that the client trusts. */
    @Test
    @SuppressWarnings("deprecation")
    void aContextThatHasItsKeysWithIt() throws Exception {
        KeyStore store = store("trusted");
        SSLContext engines = TestKeys.context(store("other"));
        serves(TestKeys.context(store), builder -> builder.enableHttps(
                ConnectionContext.https(new NativeTlsContext(engines, keys(store), Tls.ClientAuth.NONE))));
    }

    /** Its own keys do not say all that stands beside it. */
    @Test
    @SuppressWarnings("deprecation")
    void aContextThatHasItsKeysWithItButOtherParameters() throws Exception {
        SSLContext engines = TestKeys.context(store("trusted"));
        SSLContext context = new NativeTlsContext(engines, keys(store("other")), Tls.ClientAuth.NONE);
        serves(engines, builder -> builder.enableHttps(ConnectionContext.https(
                context, Optional.empty(), Optional.empty(), Optional.of(TLSClientAuth.need()), Optional.empty())));
        serves(engines, builder -> builder.enableHttps(ConnectionContext.https(
                context, Optional.empty(), Optional.of(List.of("TLSv1.3")), Optional.empty(), Optional.empty())));
    }

    private KeyStore store(String name) throws Exception {
        return TestKeys.store(Files.createDirectory(directory.resolve(name)));
    }

    private static Tls.Builder keys(KeyStore store) {
        return Tls.builder().keyStore(store, TestKeys.PASSWORD);
    }

    /** Of the deprecated context, which carries parameters beside its SSLContext. */
    @Test
    @SuppressWarnings("deprecation")
    void clientAuthenticationOfADeprecatedContext() throws Exception {
        KeyStore store = TestKeys.store(directory);
        SSLContext context = TestKeys.context(store);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext keyless = SSLContext.getInstance("TLS");
        keyless.init(null, trust.getTrustManagers(), null);
        ActorSystem system = ActorSystem.create("tls", TestConfig.quiet());
        try {
            int port = H2ws.get(system)
                    .newServerAt("127.0.0.1", 0)
                    .enableHttps(ConnectionContext.https(
                            context,
                            Optional.empty(),
                            Optional.of(List.of("TLSv1.2")),
                            Optional.of(TLSClientAuth.need()),
                            Optional.empty()))
                    .bind(Directives.complete("hello"))
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS)
                    .localAddress()
                    .getPort();
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/")).build();
            HttpResponse<String> answer = HttpClient.newBuilder()
                    .sslContext(context)
                    .build()
                    .send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.body()).isEqualTo("hello");
            assertThat(answer.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.2");
            assertThat(answer.sslSession().orElseThrow().getLocalCertificates()).hasSize(1);
            HttpClient refused = HttpClient.newBuilder().sslContext(keyless).build();
            assertThatThrownBy(() -> refused.send(request, HttpResponse.BodyHandlers.ofString()))
                    .isInstanceOf(java.io.IOException.class);
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }

    private void serves(SSLContext context, UnaryOperator<ServerBuilder> secured) throws Exception {
        ActorSystem system =
                ActorSystem.create("tls", TestConfig.with("pekko.http.server.parsing.ssl-session-attribute = on"));
        try {
            ServerBinding binding = secured.apply(H2ws.get(system).newServerAt("127.0.0.1", 0))
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
