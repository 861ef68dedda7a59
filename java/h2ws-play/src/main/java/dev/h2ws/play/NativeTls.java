package dev.h2ws.play;

import com.typesafe.config.Config;
import dev.h2ws.H2wsException;
import dev.h2ws.Tls;
import dev.h2ws.pekko.internal.NativeTlsContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import play.core.ApplicationProvider;
import play.core.server.ServerConfig;
import play.core.server.ssl.DefaultSSLEngineProvider;
import play.server.api.SSLEngineProvider;

/**
 * TLS by h2ws, with the key store of {@code play.server.https.keyStore}: this jar's {@code reference.conf} has it as
 * {@code play.server.https.engineProvider} of applications that name none. What h2ws cannot load, or would not do as the JVM is told to, is
 * served by the JVM's TLS, as by Play's own provider, and the log says why; so is everything where h2ws does not serve. Play makes one, and
 * reads files in doing so.
 */
public final class NativeTls implements SSLEngineProvider {
    private static final String HTTPS = "play.server.https";
    private static final String ALGORITHM = "keyStore.algorithm";

    /** What restricts the JVM's TLS, in words that h2ws does not read. */
    private static final List<String> RESTRICTIONS = List.of("jdk.tls.server.protocols", "jdk.tls.server.cipherSuites");

    private final SSLContext context;

    /**
     * Called by Play.
     *
     * @param server its configuration
     * @param application whatever there is of it
     */
    public NativeTls(ServerConfig server, ApplicationProvider application) {
        // first: what Play refuses is refused in Play's words
        SSLContext plain = new DefaultSSLEngineProvider(server, application).sslContext();
        context = withKeys(plain, server.configuration().underlying().getConfig(HTTPS));
    }

    private static SSLContext withKeys(SSLContext plain, Config https) {
        Logger log = LoggerFactory.getLogger(NativeTls.class);
        Optional<String> reason = reason(https);
        if (reason.isPresent()) {
            log.info("The JVM's TLS serves HTTPS, not h2ws's: {}", reason.get());
            return plain;
        }
        try {
            Tls.ClientAuth clients = clients(https);
            Tls.Builder keys = keys(https, clients);
            // says now what a bind would say later
            keys.load().close();
            return new NativeTlsContext(plain, keys, clients);
        } catch (H2wsException | GeneralSecurityException | IOException | LinkageError e) {
            log.warn("The JVM's TLS serves HTTPS, not h2ws's: {}", e.getMessage());
            return plain;
        }
    }

    /** For which it is the JVM that does what is configured. */
    private static Optional<String> reason(Config https) {
        if (!https.hasPath("keyStore.path")) {
            return Optional.of(HTTPS + ".keyStore.path is not set");
        }
        if (https.hasPath(ALGORITHM) && !https.getString(ALGORITHM).equals(KeyManagerFactory.getDefaultAlgorithm())) {
            return Optional.of(HTTPS + "." + ALGORITHM + " is " + https.getString(ALGORITHM));
        }
        return RESTRICTIONS.stream().filter(name -> System.getProperty(name) != null).findFirst().map(name -> name + " is set");
    }

    private static Tls.Builder keys(Config https, Tls.ClientAuth clients) throws GeneralSecurityException, IOException {
        char[] password = https.getString("keyStore.password").toCharArray();
        KeyStore store = KeyStore.getInstance(https.getString("keyStore.type"));
        try (InputStream in = Files.newInputStream(Path.of(https.getString("keyStore.path")))) {
            store.load(in, password);
        }
        Tls.Builder keys = Tls.builder().keyStore(store, password);
        if (clients == Tls.ClientAuth.NONE) {
            return keys;
        }
        if (https.getBoolean("trustStore.noCaVerification")) {
            throw new GeneralSecurityException(HTTPS + ".trustStore.noCaVerification is on, and h2ws takes no certificate"
                    + " of a client unless a root vouches for it");
        }
        return keys.clientAuth(clients, DefaultRoots.pem());
    }

    /** Need has precedence, as in Play. */
    private static Tls.ClientAuth clients(Config https) {
        if (https.getBoolean("needClientAuth")) {
            return Tls.ClientAuth.REQUIRED;
        }
        return https.getBoolean("wantClientAuth") ? Tls.ClientAuth.OPTIONAL : Tls.ClientAuth.NONE;
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
