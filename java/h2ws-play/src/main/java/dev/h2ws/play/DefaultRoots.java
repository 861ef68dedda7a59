package dev.h2ws.play;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** The roots that the JVM trusts, {@code javax.net.ssl.trustStore} or else its own: those that Play has vouch for clients. */
final class DefaultRoots {
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private DefaultRoots() {}

    static byte[] pem() throws GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init((KeyStore) null);
        StringBuilder pem = new StringBuilder();
        for (TrustManager manager : trust.getTrustManagers()) {
            if (manager instanceof X509TrustManager roots) {
                for (X509Certificate root : roots.getAcceptedIssuers()) {
                    pem.append("-----BEGIN CERTIFICATE-----\n")
                            .append(LINES.encodeToString(root.getEncoded()))
                            .append("\n-----END CERTIFICATE-----\n");
                }
            }
        }
        if (pem.isEmpty()) {
            throw new GeneralSecurityException("the JVM trusts no root, so no client's certificate can be checked");
        }
        return pem.toString().getBytes(US_ASCII);
    }
}
