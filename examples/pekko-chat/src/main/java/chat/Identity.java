package chat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** The server's certificate: from the key store KEYSTORE (PKCS #12, KEYSTORE_PASSWORD), or made for this run. */
final class Identity {
    private Identity() {}

    static SSLContext load() throws GeneralSecurityException, IOException, InterruptedException {
        String file = System.getenv("KEYSTORE");
        if (file != null) {
            return context(Path.of(file), System.getenv().getOrDefault("KEYSTORE_PASSWORD", ""));
        }
        Path folder = Files.createTempDirectory("chat");
        Path made = folder.resolve("localhost.p12");
        try {
            make(made, "localhost");
            return context(made, "localhost");
        } finally {
            Files.deleteIfExists(made);
            Files.delete(folder);
        }
    }

    private static SSLContext context(Path file, String password) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, password.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    /** Self-signed, good for a week. */
    private static void make(Path file, String password) throws IOException, InterruptedException {
        Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        Process process = new ProcessBuilder(
                        keytool.toString(), "-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1",
                        "-alias", "localhost", "-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1",
                        "-validity", "7", "-storetype", "PKCS12", "-storepass", password, "-keystore", file.toString())
                .redirectOutput(ProcessBuilder.Redirect.INHERIT) // what went wrong
                .redirectError(ProcessBuilder.Redirect.DISCARD) // what it is about to do
                .start();
        if (process.waitFor() != 0) {
            throw new IOException("keytool made no certificate");
        }
    }
}
