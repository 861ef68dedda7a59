package dev.h2ws;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.interfaces.ECPrivateKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;

/** The keys of a key store as the native side reads them: PEM for chains and keys. */
final class KeyStoreExport {
    /** A chain with its key, both PEM. */
    record Identity(byte[] chain, byte[] key) {}

    private KeyStoreExport() {}

    static List<Identity> identities(KeyStore store, char[] password) {
        List<Identity> identities = new ArrayList<>();
        try {
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias) && store.getCertificateChain(alias) != null) {
                    identities.add(identity(store, alias, password));
                }
            }
        } catch (GeneralSecurityException e) {
            throw new H2wsException(Status.TLS, "the key store cannot be read: " + e.getMessage(), e);
        }
        if (identities.isEmpty()) {
            throw new H2wsException(Status.TLS, "the key store has no key with a certificate");
        }
        return identities;
    }

    private static Identity identity(KeyStore store, String alias, char[] password) {
        try {
            Key key = store.getKey(alias, password);
            byte[] encoded = key.getEncoded();
            if (encoded == null || !"PKCS#8".equals(key.getFormat())) {
                throw new H2wsException(
                        Status.TLS,
                        "the key of " + alias + " cannot be exported from its key store (" + key.getFormat()
                                + "); use one that is not kept in hardware");
            }
            if (key instanceof ECPrivateKey ec) {
                encoded = EcKeyEncoding.pkcs8(ec, store.getCertificate(alias).getPublicKey());
            }
            StringBuilder chain = new StringBuilder();
            for (Certificate certificate : store.getCertificateChain(alias)) {
                pem(chain, "CERTIFICATE", certificate.getEncoded());
            }
            StringBuilder pkcs8 = new StringBuilder();
            pem(pkcs8, "PRIVATE KEY", encoded);
            return new Identity(chain.toString().getBytes(US_ASCII), pkcs8.toString().getBytes(US_ASCII));
        } catch (GeneralSecurityException e) {
            throw new H2wsException(Status.TLS, "the key of " + alias + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static void pem(StringBuilder to, String label, byte[] der) {
        to.append("-----BEGIN ").append(label).append("-----\n");
        to.append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der));
        to.append("\n-----END ").append(label).append("-----\n");
    }
}
