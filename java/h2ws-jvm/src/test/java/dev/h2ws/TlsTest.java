package dev.h2ws;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS with the keys of a key store, and HTTP/2 over it. */
class TlsTest extends EngineTest {
    @TempDir
    Path directory;

    private Client.Place serve(Tls tls, Handler handler) {
        engine = builder().start();
        Listener listener = engine.listen("127.0.0.1:0", handler, ListenOptions.defaults().tls(tls));
        return new Client.Place("localhost:" + listener.port(), true);
    }

    private static HttpClient client(KeyStore trusted) throws Exception {
        return HttpClient.newBuilder().sslContext(TestKeys.context(trusted)).build();
    }

    @Test
    void requestsOverHttp2() throws Exception {
        KeyStore store = TestKeys.store(directory);
        try (Tls tls = Tls.builder().keyStore(store, TestKeys.PASSWORD).load()) {
            Client.Place place = serve(tls, request -> request.bodyBytes(1 << 20)
                    .thenAccept(body -> request.respond(
                            200,
                            request.version() + " " + request.tls().orElseThrow().alpn().orElse("") + " "
                                    + request.tls().orElseThrow().serverName().orElse("") + " "
                                    + request.tls().orElseThrow().certificates().size() + " " + body.length)));
            List<HttpResponse<String>> all = Client.posts(client(store), place, i -> i * 1000);
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i).version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(all.get(i).body()).isEqualTo("HTTP/2 h2 localhost 0 " + i * 1000);
            }
            // a client that is never closed keeps its connection: the engine cuts it
        }
    }

    @Test
    void webSocketsOverTls() throws Exception {
        KeyStore store = TestKeys.store(directory);
        Tls tls = Tls.builder().keyStore(store, TestKeys.PASSWORD).load();
        Client.Place place = serve(tls, request -> request.accept(new Echo()));
        tls.close();
        Client heard = new Client();
        java.net.http.WebSocket socket =
                client(store).newWebSocketBuilder().buildAsync(place.ws("/"), heard).join();
        socket.sendText("secret", true).join();
        assertThat(heard.next()).isEqualTo("text secret");
        assertThatThrownBy(() -> engine.listen("127.0.0.1:0", request -> {}, ListenOptions.defaults().tls(tls)))
                .isInstanceOf(H2wsException.class);
    }

    @Test
    void whatTheListenerMayNotDoStaysSoWithTls() throws Exception {
        KeyStore store = TestKeys.store(directory);
        try (Tls tls = Tls.builder().keyStore(store, TestKeys.PASSWORD).load()) {
            engine = builder().start();
            Listener listener = engine.listen(
                    "127.0.0.1:0", request -> request.respond(200, request.version()), ListenOptions.defaults().withoutHttp2().tls(tls));
            Client.Place place = new Client.Place("localhost:" + listener.port(), true);
            HttpRequest get = HttpRequest.newBuilder(place.http("/")).build();
            assertThat(client(store).send(get, BodyHandlers.ofString()).body()).isEqualTo("HTTP/1.1");
        }
    }

    private static byte[] der(byte[] pem) {
        return Base64.getMimeDecoder().decode(new String(pem, US_ASCII).replaceAll("-----[A-Z ]+-----", ""));
    }

    @Test
    void anIdentityIsPemOrDerInFilesOrInMemory() throws Exception {
        KeyStore store = TestKeys.store(directory);
        KeyStoreExport.Identity pem = KeyStoreExport.identities(store, TestKeys.PASSWORD).get(0);
        byte[] chain = der(pem.chain());
        byte[] key = der(pem.key());
        List<Tls.Builder> all = List.of(
                Tls.builder().identity(chain, key),
                Tls.builder().identity(pem.chain(), pem.key()),
                Tls.builder()
                        .identity(
                                Files.write(directory.resolve("chain.der"), chain),
                                Files.write(directory.resolve("key.der"), key)),
                Tls.builder()
                        .identity(
                                Files.write(directory.resolve("chain.pem"), pem.chain()),
                                Files.write(directory.resolve("key.pem"), pem.key())));
        engine = builder().start();
        for (Tls.Builder builder : all) {
            try (Tls tls = builder.load()) {
                Listener listener = engine.listen(
                        "127.0.0.1:0", request -> request.respond(200, "ok"), ListenOptions.defaults().tls(tls));
                HttpRequest get = HttpRequest.newBuilder(new Client.Place("localhost:" + listener.port(), true).http("/"))
                        .build();
                assertThat(client(store).send(get, BodyHandlers.ofString()).body()).isEqualTo("ok");
            }
        }
    }

    @Test
    void aClientsCertificateIsTheHandlersToSee() throws Exception {
        KeyStore store = TestKeys.store(directory);
        Certificate certificate = store.getCertificate("server");
        BlockingQueue<List<X509Certificate>> seen = new LinkedBlockingQueue<>();
        try (Tls tls = Tls.builder()
                .keyStore(store, TestKeys.PASSWORD)
                .clientAuth(
                        Tls.ClientAuth.REQUIRED,
                        KeyStoreExport.identities(store, TestKeys.PASSWORD).get(0).chain())
                .load()) {
            Client.Place place = serve(tls, request -> {
                seen.add(request.tls().orElseThrow().certificates());
                request.respond(200, "ok");
            });
            HttpRequest get = HttpRequest.newBuilder(place.http("/")).build();
            assertThat(client(store).send(get, BodyHandlers.ofString()).body()).isEqualTo("ok");
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo(List.of(certificate));
        }
    }

    @Test
    void whatCannotBeLoadedIsNamed() {
        assertThatThrownBy(() -> Tls.of(Path.of("/no/such/chain.pem"), Path.of("/no/such/key.pem")))
                .isInstanceOfSatisfying(
                        H2wsException.class, e -> assertThat(e.status()).isEqualTo(Status.TLS))
                .hasMessageContaining("/no/such/");
        assertThatThrownBy(() -> Tls.builder().load()).isInstanceOf(H2wsException.class);
    }

    @Test
    void aReloadThatFailsChangesNothing() throws Exception {
        KeyStore store = TestKeys.store(directory);
        try (Tls tls = Tls.builder().keyStore(store, TestKeys.PASSWORD).load()) {
            Client.Place place = serve(tls, request -> request.respond(200, "ok"));
            assertThatThrownBy(() -> tls.reload(Tls.builder().identity(new byte[3], new byte[3])))
                    .isInstanceOf(H2wsException.class);
            tls.reload(Tls.builder().keyStore(store, TestKeys.PASSWORD));
            HttpRequest get = HttpRequest.newBuilder(place.http("/")).build();
            assertThat(client(store).send(get, BodyHandlers.ofString()).body()).isEqualTo("ok");
        }
    }
}
