package playhost;

import java.io.IOException;
import java.io.InputStream;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import play.server.SSLEngineProvider;

/** The certificate, from PEM files, for {@code play.server.https.engineProvider}. */
public final class Identity implements SSLEngineProvider {
    private static final char[] PASSWORD = "of a key store in memory".toCharArray();
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);

    private final SSLContext context;

    /** Called by Play. */
    public Identity() throws GeneralSecurityException, IOException {
        context = load(Settings.read(System.getenv()));
    }

    @Override
    public SSLContext sslContext() {
        return context;
    }

    @Override
    public SSLEngine createSSLEngine() {
        return context.createSSLEngine();
    }

    static SSLContext load(Settings settings) throws GeneralSecurityException, IOException {
        Certificate[] chain = certificates(settings.cert).toArray(new Certificate[0]);
        KeyStore store = empty();
        store.setKeyEntry("host", key(settings.key, chain[0]), PASSWORD, chain);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD);
        SSLContext loaded = SSLContext.getInstance("TLS");
        loaded.init(keys.getKeyManagers(), trusted(settings.clientRoots), null);
        return loaded;
    }

    private static PrivateKey key(Path file, Certificate certificate) throws GeneralSecurityException, IOException {
        Matcher pem = PKCS8.matcher(Files.readString(file, StandardCharsets.US_ASCII));
        if (!pem.find()) {
            throw new GeneralSecurityException(file + " has no PRIVATE KEY (PKCS #8) in PEM");
        }
        byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
        return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(der));
    }

    private static TrustManager[] trusted(Path clientRoots) throws GeneralSecurityException, IOException {
        if (clientRoots == null) {
            return null;
        }
        KeyStore store = empty();
        for (Certificate root : certificates(clientRoots)) {
            store.setCertificateEntry("root " + store.size(), root);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        return trust.getTrustManagers();
    }

    private static Collection<? extends Certificate> certificates(Path file)
            throws GeneralSecurityException, IOException {
        try (InputStream pem = Files.newInputStream(file)) {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(pem);
            if (found.isEmpty()) {
                throw new GeneralSecurityException(file + " has no certificate");
            }
            return found;
        }
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }
}
