package dev.h2ws.testhost;

import dev.h2ws.H2ws;
import dev.h2ws.ListenOptions;
import dev.h2ws.TlsTransport;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;

/** TLS that ends in the JVM, with the PEM files that native TLS would load. */
final class JvmTls {
    private static final char[] NO_PASSWORD = {};

    private final Path chain;
    private final Path key;
    private final Path clientRoots;
    private volatile SSLContext context;

    /** {@code clientRoots} may be null: clients are not asked for a certificate then. */
    JvmTls(Path chain, Path key, Path clientRoots) {
        this.chain = chain;
        this.key = key;
        this.clientRoots = clientRoots;
        reload();
    }

    /** Handshakes from now on use what the files have now; when they cannot be loaded, nothing has changed. */
    void reload() {
        try {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(identity(), NO_PASSWORD);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(roots());
            SSLContext loaded = SSLContext.getInstance("TLS");
            loaded.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            context = loaded;
        } catch (GeneralSecurityException | IOException | IllegalArgumentException e) {
            throw new IllegalArgumentException("TLS in the JVM: " + chain + ", " + key + ": " + e.getMessage(), e);
        }
    }

    private KeyStore identity() throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        Certificate[] certificates = certificates(chain).toArray(Certificate[]::new);
        String text = Files.readString(key, StandardCharsets.US_ASCII);
        String base64 = text.replaceAll("-----(BEGIN|END) PRIVATE KEY-----|\\s", "");
        PrivateKey secret = KeyFactory.getInstance(certificates[0].getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
        store.setKeyEntry("server", secret, NO_PASSWORD, certificates);
        return store;
    }

    private KeyStore roots() throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        if (clientRoots != null) {
            for (Certificate root : certificates(clientRoots)) {
                store.setCertificateEntry("root-" + store.size(), root);
            }
        }
        return store;
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path pem)
            throws GeneralSecurityException, IOException {
        return CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(pem)));
    }

    TlsTransport transport(H2ws engine, ListenOptions options) {
        return TlsTransport.builder(engine, peer -> engine()).options(options).build();
    }

    private SSLEngine engine() {
        SSLEngine made = context.createSSLEngine();
        made.setUseClientMode(false);
        made.setWantClientAuth(clientRoots != null);
        return made;
    }
}
