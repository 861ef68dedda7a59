package dev.h2ws.pekko;

import dev.h2ws.TestKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;

/** The key of the doors over TLS, which their clients trust; made when one is first wanted. */
public final class LocalKey {
    public static final KeyStore STORE;
    public static final SSLContext CONTEXT;

    static {
        try {
            Path directory = Files.createTempDirectory("h2ws-pekko");
            STORE = TestKeys.store(directory);
            CONTEXT = TestKeys.context(STORE);
            try (var files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        } catch (Exception e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private LocalKey() {}
}
