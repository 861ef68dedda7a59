package dev.h2ws.pekko.dropin;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.h2ws.TestKeys;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.junit.jupiter.api.AfterEach;
import org.apache.pekko.stream.javadsl.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that knows nothing of h2ws. */
class DropInTest {
    private static final Route ROUTE =
            Directives.extractRequest(request -> Directives.complete(request.protocol().value()));

    @TempDir
    Path directory;

    private ActorSystem system;

    @AfterEach
    void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static ActorSystem system(String lines) {
        return ActorSystem.create(
                "application",
                ConfigFactory.parseString(lines + "\npekko.loglevel = WARNING\nh2ws.loops = 2")
                        .withFallback(ConfigFactory.load()));
    }

    private static HttpResponse<String> get(int port) throws Exception {
        // asks for h2c by Upgrade, which neither does: so this is what HTTP/1.1 gets
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private static boolean loops() {
        return Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> thread.getName().startsWith("h2ws-loop-"));
    }

    private ServerBinding bind() throws Exception {
        return Http.get(system).newServerAt("127.0.0.1", 0).bind(ROUTE).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Test
    void anOrdinaryBindIsOurs() throws Exception {
        system = system("");
        ServerBinding binding = bind();
        assertThat(loops()).isTrue();
        assertThat(DropIn.hindrance(system)).isEmpty();
        assertThat(get(binding.localAddress().getPort()).body()).isEqualTo("HTTP/1.1");
        assertThat(org.apache.pekko.http.scaladsl.Http.get(system).getClass()).isEqualTo(H2wsHttp.class);
        // the client's side is as it was
        assertThat(Http.get(system)
                        .singleRequest(org.apache.pekko.http.javadsl.model.HttpRequest.create(
                                "http://127.0.0.1:" + binding.localAddress().getPort() + "/"))
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS)
                        .status()
                        .intValue())
                .isEqualTo(200);
    }

    /** What an application says that wants no limits, and stock takes. */
    @Test
    void limitsOfAnySizeBind() throws Exception {
        system = system("pekko.http.server { max-connections = 2147483647, http2.max-concurrent-streams = 2147483647, "
                + "parsing { max-header-count = 2147483647, max-content-length = infinite, max-uri-length = 1m }, "
                + "idle-timeout = infinite, request-timeout = infinite, websocket.periodic-keep-alive-max-idle = infinite }");
        ServerBinding binding = bind();
        assertThat(loops()).isTrue();
        assertThat(get(binding.localAddress().getPort()).body()).isEqualTo("HTTP/1.1");
    }

    @Test
    void switchedOff() throws Exception {
        system = system("h2ws.pekko.replace-http-server = off");
        ServerBinding binding = bind();
        assertThat(loops()).isFalse();
        assertThat(DropIn.hindrance(system)).contains("h2ws.pekko.replace-http-server = off");
        assertThat(get(binding.localAddress().getPort()).body()).isEqualTo("HTTP/1.1");
    }

    @Test
    void notNamed() {
        system = system("pekko.library-extensions = []");
        assertThat(DropIn.hindrance(system)).hasValueSatisfying(why -> assertThat(why).contains("library-extensions"));
    }

    /** The application's own SSLContext: pages and sockets, over HTTP/2 by h2ws, over HTTP/1.1 by Pekko HTTP's own engine. */
    @Test
    void enableHttpsKeepsTheApplicationsTls() throws Exception {
        SSLContext context = TestKeys.context(TestKeys.store(directory));
        system = system("");
        Route route = Directives.concat(
                Directives.path("ws", () -> Directives.handleWebSocketMessages(Flow.<Message>create())),
                Directives.extractRequest(request ->
                        Directives.complete(request.protocol().value() + " " + request.getUri().scheme())));
        ServerBinding binding = Http.get(system)
                .newServerAt("127.0.0.1", 0)
                .enableHttps(ConnectionContext.httpsServer(context))
                .bind(route)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(loops()).isTrue();
        int port = binding.localAddress().getPort();
        URI uri = URI.create("https://localhost:" + port + "/");
        HttpClient client = HttpClient.newBuilder().sslContext(context).build();
        HttpResponse<String> two = client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(two.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(two.body()).isEqualTo("HTTP/2.0 https");
        HttpClient old = HttpClient.newBuilder().sslContext(context).version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> one = old.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(one.body()).isEqualTo("HTTP/1.1 https");
        assertThat(one.headers().firstValue("server")).hasValueSatisfying(name -> assertThat(name).startsWith("pekko-http"));
        CompletableFuture<String> heard = new CompletableFuture<>();
        old.newWebSocketBuilder()
                .buildAsync(URI.create("wss://localhost:" + port + "/ws"), new java.net.http.WebSocket.Listener() {
                    @Override
                    public CompletionStage<?> onText(java.net.http.WebSocket socket, CharSequence text, boolean last) {
                        heard.complete("" + text);
                        return null;
                    }
                })
                .get(10, TimeUnit.SECONDS)
                .sendText("hello", true);
        assertThat(heard.get(10, TimeUnit.SECONDS)).isEqualTo("hello");
        binding.terminate(java.time.Duration.ofSeconds(5)).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Test
    void bindFlowIsStocks() throws Exception {
        system = system("");
        ServerBinding binding = Http.get(system)
                .newServerAt("127.0.0.1", 0)
                .bindFlow(ROUTE.flow(system))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(loops()).isFalse();
        assertThat(get(binding.localAddress().getPort()).body()).isEqualTo("HTTP/1.1");
    }

    @Test
    void whatLoadedHttpBeforeIsToldAndStockServes() throws Exception {
        system = system("pekko.library-extensions = [\"org.apache.pekko.http.scaladsl.Http\", \""
                + DropIn.class.getName() + "\"]");
        ServerBinding binding = bind();
        assertThat(loops()).isFalse();
        assertThat(DropIn.hindrance(system)).hasValueSatisfying(why -> assertThat(why).contains("Http was loaded before"));
        assertThat(get(binding.localAddress().getPort()).body()).isEqualTo("HTTP/1.1");
    }
}
