package dev.h2ws.pekko.dropin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.h2ws.ChildJvm;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps h2ws from serving: stock does, and the log says why; what the application has said wrongly is its failure. */
class HindranceTest {
    @TempDir
    private Path directory;

    /** An application in a JVM of its own: a request and a WebSocket over HTTP/1.1, with Pekko's log on the standard output. */
    public static final class Application {
        private Application() {}

        public static void main(String[] arguments) throws Exception {
            ActorSystem system = ActorSystem.create("application", ConfigFactory.load());
            Route route = Directives.concat(
                    Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.<Message>create())),
                    Directives.complete("hello"));
            ServerBinding binding = get(Http.get(system).newServerAt("127.0.0.1", 0).bind(route));
            int port = binding.localAddress().getPort();
            System.out.println("hindrance " + DropIn.hindrance(system));
            HttpClient client = HttpClient.newHttpClient();
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build();
            System.out.println("body " + client.send(request, HttpResponse.BodyHandlers.ofString()).body());
            CompletableFuture<String> echo = new CompletableFuture<>();
            client.newWebSocketBuilder()
                    .buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"), new java.net.http.WebSocket.Listener() {
                        @Override
                        public CompletionStage<?> onText(java.net.http.WebSocket socket, CharSequence text, boolean last) {
                            echo.complete(text.toString());
                            return null;
                        }
                    })
                    .join()
                    .sendText("over and back", true);
            System.out.println("echo " + echo.get(10, TimeUnit.SECONDS));
            system.terminate();
            get(system.getWhenTerminated());
        }

        private static <T> T get(CompletionStage<T> stage) throws Exception {
            return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }

    private static void stockServes(String said) {
        assertThat(said)
                .contains("body hello")
                .contains("echo over and back")
                .doesNotContain("h2ws is in the place of")
                .containsOnlyOnce("Pekko HTTP's own server serves, not h2ws: ");
    }

    @Test
    void noLibraryWhereItIsNamed() throws Exception {
        String said = new ChildJvm(directory)
                .with("-Ddev.h2ws.native=/no/such/library.so")
                .run(Application.class);
        stockServes(said);
        assertThat(said)
                .containsPattern("\\[WARN\\].*Pekko HTTP's own server serves, not h2ws: .*there is no file /no/such/library\\.so")
                .contains("hindrance Optional[the native library of h2ws cannot be loaded: there is no file /no/such/library.so");
    }

    /** As on a platform that the jar has none for. */
    @Test
    void noLibraryForThePlatform() throws Exception {
        String said = new ChildJvm(directory).with("-Dos.arch=riscv64").run(Application.class);
        stockServes(said);
        assertThat(said).contains("was not built for linux-riscv64");
    }

    @Test
    void whereNothingHindersItSaysSo() throws Exception {
        String said = new ChildJvm(directory).run(Application.class);
        assertThat(said)
                .contains("body hello")
                .contains("echo over and back")
                .containsOnlyOnce("h2ws is in the place of Pekko HTTP's server")
                .contains("hindrance Optional.empty")
                .doesNotContain("[WARN]");
    }

    /** It fails as each wrong value of Pekko's own configuration does, rather than to be served by one's second choice. */
    @Test
    void aSwitchThatIsNeitherOnNorOff() {
        assertThatThrownBy(() -> ActorSystem.create(
                        "application",
                        ConfigFactory.parseString("h2ws.pekko.replace-http-server = maybe")
                                .withFallback(ConfigFactory.load())))
                .isInstanceOf(ConfigException.WrongType.class)
                .hasMessageContaining("h2ws.pekko.replace-http-server has type STRING rather than BOOLEAN");
    }
}
