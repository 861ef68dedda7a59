package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.h2ws.TestKeys;
import dev.h2ws.pekko.LocalKey;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Certificates of clients, for which the roots are those that the JVM trusts. */
class ClientCertificateTest {
    private static final String[] TRUST = {"javax.net.ssl.trustStore", "javax.net.ssl.trustStorePassword"};

    private static SSLContext keyless;

    @BeforeAll
    static void trust(@TempDir Path directory) throws Exception {
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, null);
        roots.setCertificateEntry("client", LocalKey.STORE.getCertificate("server"));
        keyless = TestKeys.context(roots);
        Path file = directory.resolve("roots.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            roots.store(out, TestKeys.PASSWORD);
        }
        System.setProperty(TRUST[0], file.toString());
        System.setProperty(TRUST[1], new String(TestKeys.PASSWORD));
    }

    @AfterAll
    static void forget() {
        for (String property : TRUST) {
            System.clearProperty(property);
        }
    }

    private static String get(SecureDoor door, PlayServer server, SSLContext client) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + server.port() + "/request")).build();
        return door.client(client).send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** On Play's own server a controller now and then does not see the certificate of a client that has shown one. */
    private static void sees(SecureDoor door, PlayServer server) throws Exception {
        String told = get(door, server, TestKeys.context(LocalKey.STORE));
        assertThat(told).containsPattern(
                door.isStock() ? "\"client\":\"(CN=localhost|none)\"" : "\"client\":\"CN=localhost\"");
    }

    @ParameterizedTest
    @EnumSource
    void wanted(SecureDoor door) throws Exception {
        try (PlayServer server = door.start("play.server.https.wantClientAuth = true")) {
            sees(door, server);
            assertThat(get(door, server, keyless)).contains("\"client\":\"none\"");
        }
    }

    @ParameterizedTest
    @EnumSource
    void needed(SecureDoor door) throws Exception {
        try (PlayServer server = door.start("play.server.https.needClientAuth = true")) {
            sees(door, server);
            assertThatThrownBy(() -> get(door, server, keyless)).isInstanceOf(IOException.class);
        }
    }
}
