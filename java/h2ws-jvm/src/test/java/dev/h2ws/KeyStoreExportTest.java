package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyStoreExportTest {
    @TempDir
    Path directory;

    @Test
    void theKeyAndItsChainComeOutAsPem() throws Exception {
        KeyStore store = TestKeys.store(directory);
        KeyStoreExport.Identity identity =
                KeyStoreExport.identities(store, TestKeys.PASSWORD).get(0);
        assertThat(CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(identity.chain())))
                .isEqualTo(store.getCertificate("server"));
        String pem = new String(identity.key(), StandardCharsets.US_ASCII);
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        ECPrivateKey key =
                (ECPrivateKey) KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        assertThat(key.getS()).isEqualTo(((ECPrivateKey) store.getKey("server", TestKeys.PASSWORD)).getS());
        byte[] spki = store.getCertificate("server").getPublicKey().getEncoded();
        byte[] point = java.util.Arrays.copyOfRange(spki, spki.length - 65, spki.length);
        assertThat(der).as("has the public key").endsWith(point);
    }

    @Test
    void aWrongPasswordNamesTheAlias() throws Exception {
        KeyStore store = TestKeys.store(directory);
        assertThatThrownBy(() -> KeyStoreExport.identities(store, "wrong".toCharArray()))
                .isInstanceOfSatisfying(
                        H2wsException.class, e -> assertThat(e.status()).isEqualTo(Status.TLS))
                .hasMessageContaining("server");
    }

    @Test
    void aStoreWithoutKeysIsRefused() throws Exception {
        KeyStore empty = KeyStore.getInstance("PKCS12");
        empty.load(null, null);
        assertThatThrownBy(() -> KeyStoreExport.identities(empty, TestKeys.PASSWORD))
                .hasMessageContaining("no key");
    }
}
