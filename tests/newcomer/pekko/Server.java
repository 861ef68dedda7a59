import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.handleWebSocketMessages;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;

/** An ordinary application, with TLS of its own. It has no word of h2ws. */
public class Server {
    public static void main(String[] arguments) throws Exception {
        ActorSystem system = ActorSystem.create("server");
        Route route = path("echo", () -> get(() -> handleWebSocketMessages(Flow.<Message>create())));
        Http.get(system).newServerAt("localhost", 8443).enableHttps(ConnectionContext.httpsServer(keys())).bind(route)
                .thenAccept(binding -> binding.addToCoordinatedShutdown(Duration.ofSeconds(10), system));
    }

    private static SSLContext keys() throws Exception {
        char[] password = "newcomer".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(Path.of("keys.p12"))) {
            store.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }
}
