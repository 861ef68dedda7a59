package dev.h2ws.pekko;

import static dev.h2ws.pekko.LifecycleTest.ROUTE;
import static dev.h2ws.pekko.LifecycleTest.eventually;
import static dev.h2ws.pekko.LifecycleTest.get;
import static dev.h2ws.pekko.LifecycleTest.loops;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.h2ws.TestKeys;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.event.Logging;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.headers.ProductVersion;
import org.apache.pekko.http.javadsl.model.headers.Server;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.FutureConverters;

/** Both builders of the explicit door, method by method. */
class BuilderTest {
    private ActorSystem system;

    @BeforeEach
    void start() {
        system = ActorSystem.create("builder", CollectedLog.config());
    }

    @AfterEach
    void stop() throws Exception {
        system.terminate();
        get(system.getWhenTerminated());
        eventually(() -> loops() == 0);
    }

    private dev.h2ws.pekko.javadsl.ServerBuilder java() {
        return H2ws.get(system).newServerAt("127.0.0.1", 0);
    }

    private dev.h2ws.pekko.scaladsl.ServerBuilder scala() {
        return dev.h2ws.pekko.scaladsl.Extensions.H2ws.get(system).newServerAt("127.0.0.1", 0);
    }

    private static HttpResponse<String> page(int port) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    /** What runs on a materializer ends with it. */
    private static void endsWith(Materializer materializer, int port) throws Exception {
        try (Wire wire = Door.H2WS_HTTP2.open(port, "/ws", Map.of())) {
            wire.text("hello");
            assertThat(wire.next()).isEqualTo("text hello");
            materializer.shutdown();
            assertThat(wire.next()).isEqualTo("close 1001");
        }
    }

    private static ServerSettings named(ServerSettings settings, String version) {
        return settings.withServerHeader(Optional.of(Server.create(ProductVersion.create("mine", version, ""))));
    }

    private static String server(int port) throws Exception {
        return page(port).headers().firstValue("server").orElse("none");
    }

    @Test
    void onInterfaceAndOnPort() throws Exception {
        int free = get(java().bind(ROUTE)).localAddress().getPort();
        ServerBinding there = get(java().onInterface("127.0.0.2").onPort(free).bind(ROUTE));
        assertThat(there.localAddress().getHostString()).isEqualTo("127.0.0.2");
        assertThat(there.localAddress().getPort()).isEqualTo(free);
        CompletionStage<ServerBinding> taken = java().onPort(free).bind(ROUTE);
        assertThatThrownBy(() -> get(taken)).hasMessageContaining("127.0.0.1:" + free);
        CompletionStage<org.apache.pekko.http.scaladsl.Http.ServerBinding> scalas = FutureConverters.asJava(
                scala().onInterface("127.0.0.3").onPort(free).bind(handler()));
        assertThat(get(scalas).localAddress().getHostString()).isEqualTo("127.0.0.3");
    }

    @Test
    void withSettingsAndAdaptSettings() throws Exception {
        ServerSettings named = named(ServerSettings.create(system), "1");
        assertThat(server(get(java().withSettings(named).bind(ROUTE)).localAddress().getPort())).isEqualTo("mine/1");
        int adapted = get(java().withSettings(named)
                        .adaptSettings(settings -> {
                            assertThat(settings.getServerHeader().get().value()).isEqualTo("mine/1");
                            return named(settings, "2");
                        })
                        .bind(ROUTE))
                .localAddress()
                .getPort();
        assertThat(server(adapted)).isEqualTo("mine/2");
    }

    @Test
    void anAdaptationThatFailsIsItsCallers() {
        assertThatThrownBy(() -> java().adaptSettings(settings -> {
                    throw new java.io.IOException("no settings");
                }))
                .isInstanceOf(java.io.IOException.class)
                .hasMessage("no settings");
    }

    @Test
    void logTo() throws Exception {
        int port = get(java().logTo(Logging.getLogger(system, "my.log")).bind(ROUTE)).localAddress().getPort();
        eventually(() -> !CollectedLog.of("my.log", "").isEmpty());
        assertThat(CollectedLog.of("my.log", ""))
                .containsExactly("INFO my.log: h2ws serves HTTP/2 with WebSockets on /127.0.0.1:" + port
                        + "; HTTP/1.1 is its own");
        assertThat(CollectedLog.of("dev.h2ws", "")).isEmpty();
    }

    /** Nothing is told of a port but that it is there, and that its TLS could be faster where it could. */
    @Test
    void aLineForEachPort() throws Exception {
        ServerBinding jvm = get(java().enableHttps(ConnectionContext.httpsServer(LocalKey.CONTEXT)).bind(ROUTE));
        ServerBinding tls = get(java().withTls(LocalKey.STORE, TestKeys.PASSWORD).bind(ROUTE));
        eventually(() -> CollectedLog.of("dev.h2ws.pekko", "h2ws serves").size() == 2);
        assertThat(CollectedLog.of("dev.h2ws.pekko", ":" + jvm.localAddress().getPort()))
                .singleElement()
                .asString()
                .startsWith("INFO")
                .contains("over TLS of the application's SSLContext (H2ws(system)...withTls has native TLS, which is faster)");
        assertThat(CollectedLog.of("dev.h2ws.pekko", ":" + tls.localAddress().getPort()))
                .singleElement()
                .asString()
                .startsWith("INFO")
                .contains(" over TLS;");
        assertThat(CollectedLog.of("", "WARNING")).isEmpty();
    }

    @Test
    void withMaterializer() throws Exception {
        Materializer mine = Materializer.createMaterializer(system);
        endsWith(mine, get(java().withMaterializer(mine).bind(ROUTE)).localAddress().getPort());
    }

    @Test
    void bindSync() throws Exception {
        ServerBinding binding = get(java().bindSync(request ->
                org.apache.pekko.http.javadsl.model.HttpResponse.create().withEntity(request.getUri().path())));
        assertThat(page(binding.localAddress().getPort()).body()).isEqualTo("/");
        ServerBinding fails = get(java().bindSync(request -> {
            throw new java.io.IOException("checked");
        }));
        assertThat(page(fails.localAddress().getPort()).statusCode()).isEqualTo(500);
    }

    @Test
    void bindFlowAndConnectionSourceAreStocks() throws Exception {
        ServerBinding flow = get(java().bindFlow(ROUTE.flow(system)));
        CompletableFuture<ServerBinding> bound = new CompletableFuture<>();
        java().connectionSource()
                .mapMaterializedValue(binding -> binding.whenComplete((there, failure) -> bound.complete(there)))
                .to(Sink.foreach(connection -> connection.handleWith(ROUTE.flow(system), Materializer.matFromSystem(system))))
                .run(system);
        assertThat(page(flow.localAddress().getPort()).body()).isEqualTo("hello");
        assertThat(page(get(bound).localAddress().getPort()).body()).isEqualTo("hello");
        assertThat(loops()).isZero();
        assertThatThrownBy(() -> java().withTls(LocalKey.STORE, TestKeys.PASSWORD).bindFlow(ROUTE.flow(system)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("use enableHttps");
    }

    private scala.Function1<org.apache.pekko.http.scaladsl.model.HttpRequest,
                    scala.concurrent.Future<org.apache.pekko.http.scaladsl.model.HttpResponse>>
            handler() {
        return request -> FutureConverters.asScala(applied(request)
                .thenApply(response -> (org.apache.pekko.http.scaladsl.model.HttpResponse) response));
    }

    private CompletionStage<org.apache.pekko.http.javadsl.model.HttpResponse> applied(
            org.apache.pekko.http.javadsl.model.HttpRequest request) {
        try {
            return ROUTE.handler(system).apply(request);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void scalas() throws Exception {
        org.apache.pekko.http.scaladsl.settings.ServerSettings settings =
                (org.apache.pekko.http.scaladsl.settings.ServerSettings) named(ServerSettings.create(system), "1");
        Materializer mine = Materializer.createMaterializer(system);
        int port = get(FutureConverters.asJava(scala()
                        .withSettings(settings)
                        .adaptSettings(before -> (org.apache.pekko.http.scaladsl.settings.ServerSettings)
                                named((ServerSettings) before, "2"))
                        .logTo(Logging.getLogger(system, "my.log"))
                        .withMaterializer(mine)
                        .bind(handler())))
                .localAddress()
                .getPort();
        assertThat(server(port)).isEqualTo("mine/2");
        endsWith(mine, port);
        eventually(() -> CollectedLog.of("my.log", "h2ws serves").size() == 1);
        int sync = get(FutureConverters.asJava(
                        scala().bindSync(request -> (org.apache.pekko.http.scaladsl.model.HttpResponse)
                                org.apache.pekko.http.javadsl.model.HttpResponse.create().withEntity("sync"))))
                .localAddress()
                .getPort();
        assertThat(page(sync).body()).isEqualTo("sync");
    }
}
