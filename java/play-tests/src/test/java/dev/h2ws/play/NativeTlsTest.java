package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.h2ws.TestKeys;
import dev.h2ws.pekko.Http1Wire;
import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.Wire;
import dev.h2ws.pekko.internal.NativeTlsContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import play.server.SSLEngineProvider;

/** HTTPS with Play's key store and nothing else configured: by h2ws where it can be, by the JVM where not. */
class NativeTlsTest {
    @TempDir
    private Path directory;

    private SSLContext client;

    @BeforeEach
    void makeKeys() throws Exception {
        KeyStore store = TestKeys.store(directory);
        client = TestKeys.context(store);
    }

    private String https(String lines) {
        return """
                play.server.https {
                  keyStore { path = "%s", type = PKCS12, password = password }
                  %s
                }
                """.formatted(directory.resolve("keys.p12"), lines);
    }

    /** Pages and sockets, over both HTTPs, on the one port. */
    private void serves(PlayServer server) throws Exception {
        URI page = URI.create("https://localhost:" + server.port() + "/request");
        for (HttpClient.Version version : HttpClient.Version.values()) {
            String body = HttpClient.newBuilder()
                    .sslContext(client)
                    .version(version)
                    .build()
                    .send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
            assertThat(body)
                    .contains(version == HttpClient.Version.HTTP_2 ? "HTTP/2.0" : "HTTP/1.1")
                    .contains("\"secure\":true");
        }
        try (Wire wire = new Http1Wire(server.port(), "/java/text", Map.of(), client)) {
            speaks(wire);
        }
        try (Wire wire = new Http2Wire(server.port(), "/java/text", Map.of(), client)) {
            speaks(wire);
        }
    }

    private static void speaks(Wire wire) throws Exception {
        assertThat(wire.isAccepted()).as("%s", wire.head).isTrue();
        wire.text("hello");
        assertThat(wire.next()).isEqualTo("text java hello");
    }

    private static boolean isNative(PlayServer server) {
        return server.context() instanceof NativeTlsContext;
    }

    @Test
    void aKeyStore() throws Exception {
        try (PlayServer server = PlayServer.https(https(""))) {
            assertThat(isNative(server)).isTrue();
            serves(server);
        }
    }

    /** The roots are the JVM's, which do not know the test's client: who must not show a certificate shows none. */
    @Test
    void clientsMayShowACertificate() throws Exception {
        try (PlayServer server = PlayServer.https(https("wantClientAuth = true"))) {
            assertThat(isNative(server)).isTrue();
            client = TestKeys.context(withoutKey());
            serves(server);
        }
    }

    private KeyStore withoutKey() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(directory.resolve("keys.p12"))) {
            store.load(in, TestKeys.PASSWORD);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", store.getCertificate("server"));
        return trusted;
    }

    /** h2ws takes no certificate that no root vouches for, so the JVM does it all. */
    @Test
    void clientsMayShowAnyCertificate() throws Exception {
        try (PlayServer server =
                PlayServer.https(https("wantClientAuth = true, trustStore.noCaVerification = true"))) {
            assertThat(isNative(server)).isFalse();
            serves(server);
        }
    }

    /** An algorithm is one of the JVM's ways to choose a key, of which h2ws knows nothing. */
    @Test
    void anAlgorithmOfTheApplication() throws Exception {
        String other = KeyManagerFactory.getDefaultAlgorithm().equals("SunX509") ? "NewSunX509" : "SunX509";
        try (PlayServer server = PlayServer.https(https("keyStore.algorithm = " + other))) {
            assertThat(isNative(server)).isFalse();
            serves(server);
        }
        try (PlayServer server =
                PlayServer.https(https("keyStore.algorithm = " + KeyManagerFactory.getDefaultAlgorithm()))) {
            assertThat(isNative(server)).isTrue();
            serves(server);
        }
    }

    /** Who restricts the JVM's TLS would have it everywhere. */
    @ParameterizedTest
    @CsvSource({"jdk.tls.server.protocols, TLSv1.3", "jdk.tls.server.cipherSuites, TLS_AES_256_GCM_SHA384"})
    void aRestrictionOfTheJvms(String property, String value) throws Exception {
        System.setProperty(property, value);
        try (PlayServer server = PlayServer.https(https(""))) {
            assertThat(isNative(server)).isFalse();
        } finally {
            System.clearProperty(property);
        }
    }

    @Test
    void playsOwnProvider() throws Exception {
        try (PlayServer server = PlayServer.https(
                https("engineProvider = play.core.server.ssl.DefaultSSLEngineProvider"))) {
            assertThat(isNative(server)).isFalse();
            serves(server);
        }
    }

    /** An application's own has precedence, by the key of today and by that of Play 2, here with {@code -D}. */
    @ParameterizedTest
    @ValueSource(strings = {"play.server.https.engineProvider", "play.http.sslengineprovider"})
    void aProviderOfTheApplication(String key) throws Exception {
        OwnTls.made = 0;
        OwnTls.context = client;
        System.setProperty(key, OwnTls.class.getName());
        ConfigFactory.invalidateCaches();
        try (PlayServer server = PlayServer.https("")) {
            assertThat(OwnTls.made).isOne();
            assertThat(server.context()).isSameAs(client);
            serves(server);
        } finally {
            System.clearProperty(key);
            ConfigFactory.invalidateCaches();
        }
    }

    /** With a key of its own, that no configuration names. */
    public static final class OwnTls implements SSLEngineProvider {
        private static int made;
        private static SSLContext context;

        /** Called by Play. */
        public OwnTls() {
            made++;
        }

        @Override
        public SSLContext sslContext() {
            return context;
        }

        @Override
        public SSLEngine createSSLEngine() {
            return context.createSSLEngine();
        }
    }

    @Test
    void whereH2wsIsSwitchedOffPekkoServesWithTheSameContext() throws Exception {
        try (PlayServer server = PlayServer.https(https("") + "h2ws.pekko.replace-http-server = off")) {
            URI page = URI.create("https://localhost:" + server.port() + "/hello");
            HttpClient http = HttpClient.newBuilder().sslContext(client).build();
            assertThat(http.send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString()).body())
                    .isEqualTo("hello, world");
        }
    }
}
