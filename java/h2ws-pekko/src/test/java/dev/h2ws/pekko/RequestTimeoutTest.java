package dev.h2ws.pekko;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.completeWithFuture;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.withRequestTimeout;
import static org.apache.pekko.http.javadsl.server.Directives.withoutRequestTimeout;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.TimeoutAccess;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import scala.concurrent.duration.Duration;

/** {@code request-timeout} and {@code Timeout-Access}: over HTTP/1.1 as in stock, which has neither over HTTP/2. */
class RequestTimeoutTest {
    private static final String LATE = "503 The server was not able to produce a timely response to your request.\r\n"
            + "Please try again in a short while!";

    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    /** Not the JVM's common pool, which may be one thread, and for which routes have use. */
    private final Executor clients = command -> new Thread(command).start();

    private ActorSystem system;

    private final Route route = concat(
            path("never", () -> completeWithFuture(new CompletableFuture<HttpResponse>())),
            path("later", () -> completeWithFuture(answer)),
            path("told", () -> extractRequest(request -> complete(request.getHeader(TimeoutAccess.class)
                    .map(header -> header.timeoutAccess().getTimeout().toString())
                    .orElse("none")))),
            path("polite", () -> withRequestTimeout(
                    Duration.create(100, TimeUnit.MILLISECONDS),
                    request -> HttpResponse.create().withStatus(504).withEntity("not today, " + request.getUri().path()),
                    () -> completeWithFuture(new CompletableFuture<HttpResponse>()))),
            path("broken", () -> withRequestTimeout(
                    Duration.create(100, TimeUnit.MILLISECONDS),
                    request -> {
                        throw new IllegalStateException("test");
                    },
                    () -> completeWithFuture(new CompletableFuture<HttpResponse>()))),
            path("patient", () -> withRequestTimeout(
                    Duration.create(1, TimeUnit.MINUTES), () -> completeWithFuture(answer))),
            path("endless", () -> withoutRequestTimeout(() -> completeWithFuture(answer))),
            path("length", () -> entity(Unmarshaller.entityToByteString(), body -> complete("" + body.size()))));

    @BeforeEach
    void start() {
        system = ActorSystem.create("timeouts", TestConfig.with(
                "pekko.http.server { request-timeout = 200ms, enable-http2 = on, preview.enable-http2 = on }"));
    }

    @AfterEach
    void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private int bind(Door door) throws Exception {
        return door.bind(system, route).localAddress().getPort();
    }

    private static String post(Door door, int port, String path) throws Exception {
        return RawPost.send(door, port, path, "", true, Map.of());
    }

    private static Socket connect(Door door, int port) throws Exception {
        Socket socket = door.context() == null
                ? new Socket("localhost", port)
                : door.context().getSocketFactory().createSocket("localhost", port);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static void say(Socket socket, String text) throws Exception {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP1")
    void whoIsNotAnsweredInTimeIsToldSo(Door door) throws Exception {
        int port = bind(door);
        assertThat(post(door, port, "/never")).isEqualTo(LATE);
        assertThat(post(door, port, "/polite")).isEqualTo("504 not today, /polite");
        assertThat(post(door, port, "/told")).isEqualTo("200 200 milliseconds");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP1")
    void aRouteMayTakeLongerOrAsLongAsItLikes(Door door) throws Exception {
        int port = bind(door);
        CompletableFuture<String> patient = CompletableFuture.supplyAsync(() -> quietly(door, port, "/patient"), clients);
        CompletableFuture<String> endless = CompletableFuture.supplyAsync(() -> quietly(door, port, "/endless"), clients);
        // the time of both is over with this one's
        assertThat(post(door, port, "/never")).isEqualTo(LATE);
        answer.complete(HttpResponse.create().withEntity("at last"));
        assertThat(patient.get(10, TimeUnit.SECONDS)).isEqualTo("200 at last");
        assertThat(endless.get(10, TimeUnit.SECONDS)).isEqualTo("200 at last");
    }

    private static String quietly(Door door, int port, String path) {
        try {
            return post(door, port, path);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP1")
    void theTimeOfAnUploadBeginsAtItsEnd(Door door) throws Exception {
        int port = bind(door);
        try (Socket socket = connect(door, port)) {
            say(socket, "POST /length HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab");
            assertThat(post(door, port, "/never")).isEqualTo(LATE);
            say(socket, "cd");
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                    .contains("200 OK")
                    .endsWith("\r\n\r\n4");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP1")
    void aHandshakeThatIsNotDecidedInTimeIsRefused(Door door) throws Exception {
        int port = bind(door);
        try (Wire wire = door.open(port, "/never", Map.of())) {
            assertThat(wire.head).containsEntry(":status", "503");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = "(H2WS|JVM|NATIVE).*HTTP1")
    void whatComesTooLateIsCancelled(Door door) throws Exception {
        int port = bind(door);
        assertThat(post(door, port, "/later")).isEqualTo(LATE);
        CompletableFuture<Object> end = new CompletableFuture<>();
        answer.complete(HttpResponse.create().withEntity(HttpEntities.createChunked(
                ContentTypes.TEXT_PLAIN_UTF8,
                Source.<ByteString>maybe().watchTermination((unused, over) -> over.whenComplete((done, failure) -> end.complete("ended"))))));
        assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo("ended");
        assertThat(post(door, port, "/told")).isEqualTo("200 200 milliseconds");
    }

    /** Stock loses the exception, and the client waits for ever. */
    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = "(H2WS|JVM|NATIVE).*HTTP1")
    void anAnswerOfTheRoutesThatFailsIs500(Door door) throws Exception {
        assertThat(post(door, bind(door), "/broken")).isEqualTo("500 There was an internal server error.");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP1")
    void zeroIsNone(Door door) throws Exception {
        ServerBinding binding = door.builder(system)
                .adaptSettings(settings -> settings.withTimeouts(settings.getTimeouts().withRequestTimeout(Duration.Zero())))
                .bind(route)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(post(door, binding.localAddress().getPort(), "/told")).isEqualTo("200 none");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ALL, names = ".*HTTP2")
    void overHttp2ThereIsNone(Door door) throws Exception {
        assertThat(post(door, bind(door), "/told")).isEqualTo("200 none");
    }

    @Test
    void stockHasNoneOverHttp2Either() throws Exception {
        ServerBinding binding = Http.get(system)
                .newServerAt("127.0.0.1", 0)
                .bind(route)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        int port = binding.localAddress().getPort();
        assertThat(post(Door.H2WS_HTTP2, port, "/told")).isEqualTo("200 none");
    }
}
