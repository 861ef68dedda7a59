package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.extractMaterializer;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.Cookie;
import org.apache.pekko.http.javadsl.model.headers.HttpCookie;
import org.apache.pekko.http.javadsl.model.headers.SetCookie;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ordinary requests to ordinary routes, on stock Pekko HTTP and on h2ws. */
class RequestTest {
    /** Of what only some interleavings of threads would break; fewer where each costs a handshake of TLS. */
    private static final int RUNS = 20;

    private static ActorSystem system;
    /** How the endless response ended. */
    private static final java.util.concurrent.BlockingQueue<String> ENDED = new java.util.concurrent.LinkedBlockingQueue<>();

    private static final Route ROUTE = concat(
            path("hello", () -> complete("hello")),
            path("length", () -> entity(Unmarshaller.entityToByteString(), body -> complete("" + body.size()))),
            path("unread", () -> complete("did not read")),
            path("kind", () -> extractRequest(request -> complete((request.entity().isStrict() ? "strict"
                            : request.entity().isDefault() ? "default" : "chunked")
                    + " " + request.entity().getContentType()))),
            path("trailers", () -> extractMaterializer(materializer -> extractRequest(request -> onSuccess(
                    request.entity() instanceof HttpEntity.Chunked chunked
                            ? chunked.getChunks().runFold("", RequestTest::told, materializer)
                            : CompletableFuture.completedFuture("not chunked"),
                    text -> complete(text))))),
            path("meta", () -> extractRequest(request -> complete(request.method().value() + " " + request.getUri().path()
                    + " " + request.getUri().rawQueryString().orElse("-") + " " + request.getUri().host() + " "
                    + request.protocol().value() + " "
                    + request.getAttribute(AttributeKeys.remoteAddress).isPresent() + " "
                    + request.getAttribute(streamId()).isPresent()))),
            path("cookies", () -> extractRequest(request -> complete(
                    org.apache.pekko.http.javadsl.model.HttpResponse.create()
                            .withEntity(request.getHeader(Cookie.class).map(HttpHeader::value).orElse("none"))
                            .addHeader(SetCookie.create(HttpCookie.create("a", "1")))
                            .addHeader(SetCookie.create(HttpCookie.create("b", "2")))))),
            path("chunked", () -> complete(StatusCodes.OK, HttpEntities.createChunked(
                    ContentTypes.TEXT_PLAIN_UTF8, Source.range(1, 1000).map(i -> ByteString.fromString(i + "\n"))))),
            path("default", () -> complete(StatusCodes.OK, HttpEntities.create(
                    ContentTypes.TEXT_PLAIN_UTF8, 6, Source.from(List.of("abc", "def")).map(ByteString::fromString)))),
            path("sum", () -> complete(org.apache.pekko.http.javadsl.model.HttpResponse.create()
                    .withEntity(ClientTest.chunked("7")))),
            path("from", () -> extractRequest(request -> {
                RemoteAddress from = request.getAttribute(AttributeKeys.remoteAddress).orElseThrow();
                return complete(from.getAddress().orElseThrow().getHostAddress() + ":" + from.getPort() + " "
                        + request.getHeader("remote-address").orElseThrow().value());
            })),
            path("empty", () -> complete(StatusCodes.NO_CONTENT)),
            path("unchanged", () -> complete(org.apache.pekko.http.javadsl.model.HttpResponse.create()
                    .withStatus(304)
                    .addHeader(HttpHeader.parse("etag", "\"7\"")))),
            path("fails", () -> extractRequest(request -> {
                throw new IllegalStateException("test");
            })),
            path("endless", () -> complete(StatusCodes.OK, HttpEntities.createChunked(
                    ContentTypes.TEXT_PLAIN_UTF8, Source.repeat(ByteString.fromArray(new byte[1000]))
                            .watchTermination((unused, end) -> {
                                end.whenComplete((done, failure) -> ENDED.add("" + failure));
                                return unused;
                            })))),
            path("breaks", () -> complete(StatusCodes.OK, HttpEntities.createChunked(
                    ContentTypes.TEXT_PLAIN_UTF8, Source.single(ByteString.fromString("a")).concat(
                            Source.lazySource(() -> Source.failed(new IllegalStateException("test"))))))));

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static AttributeKey<Integer> streamId() {
        return (AttributeKey) AttributeKey.create("x-http2-stream-id", int.class);
    }

    private static String told(String before, HttpEntity.ChunkStreamPart part) {
        StringBuilder text = new StringBuilder(before).append(part.data().utf8String());
        if (part.isLastChunk()) {
            part.getTrailerHeaders().forEach(field -> text.append(" ").append(field));
        }
        return text.toString();
    }

    @BeforeAll
    static void start() {
        system = ActorSystem.create(
                "requests",
                TestConfig.with("pekko.http.server.remote-address-attribute = on\n"
                        + "pekko.http.server.remote-address-header = on\n"
                        + "pekko.http.server.parsing.max-content-length = 1m"));
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** A server, and a client that speaks what the door is for. */
    private interface Case {
        void run(Get get) throws Exception;
    }

    interface Get {
        HttpResponse<String> send(String path, String method, HttpRequest.BodyPublisher body, String... fields)
                throws Exception;

        default HttpResponse<String> get(String path, String... fields) throws Exception {
            return send(path, "GET", BodyPublishers.noBody(), fields);
        }
    }

    /** The JDK's client has no HTTP/2 by prior knowledge: over cleartext it is Jetty's. */
    private static void with(Door door, Case test) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        int port = binding.localAddress().getPort();
        if (door == Door.H2WS_HTTP2) {
            try (Jetty jetty = new Jetty(port)) {
                test.run(jetty.requests());
            }
        } else {
            HttpClient client = client(door);
            test.run((path, method, body, fields) -> {
                HttpRequest.Builder request = HttpRequest.newBuilder(uri(door, port, path)).method(method, body);
                if (fields.length > 0) {
                    request.headers(fields);
                }
                return client.send(request.build(), BodyHandlers.ofString());
            });
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    private static HttpClient client(Door door) {
        HttpClient.Builder client = HttpClient.newBuilder()
                .version(door.isHttp2() ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1);
        return (door.context() == null ? client : client.sslContext(door.context())).build();
    }

    private static URI uri(Door door, int port, String path) {
        return URI.create(door.scheme() + "://localhost:" + port + path);
    }

    @ParameterizedTest
    @EnumSource
    void strict(Door door) throws Exception {
        with(door, get -> {
            HttpResponse<String> response = get.get("/hello");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("hello");
            assertThat(response.headers().firstValue("content-type")).hasValue("text/plain; charset=UTF-8");
            assertThat(response.headers().firstValue("content-length")).hasValue("5");
            assertThat(response.headers().firstValue("server").orElse("")).startsWith("pekko-http/");
            assertThat(response.headers().allValues("date")).hasSize(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void bodies(Door door) throws Exception {
        with(door, get -> {
            for (int size : new int[] {0, 1, 70_000, 1 << 20}) {
                assertThat(get.send("/length", "POST", BodyPublishers.ofByteArray(new byte[size])).body())
                        .isEqualTo("" + size);
            }
            // of no known length
            assertThat(get.send("/length", "POST", BodyPublishers.ofInputStream(
                                    () -> new java.io.ByteArrayInputStream(new byte[300_000])))
                            .body())
                    .isEqualTo("300000");
        });
    }

    /** The head does not end the request: over HTTP/2 an empty DATA with END_STREAM does (RFC 9113 section 8.1). */
    @ParameterizedTest
    @EnumSource
    void anEmptyBodyWithAnEndOfItsOwn(Door door) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        int port = binding.localAddress().getPort();
        // the end comes before or after the route reads, as it happens
        for (int i = 0; i < RUNS / (door.context() == null ? 1 : 4); i++) {
            assertThat(RawPost.send(door, port, "/length", "", true, Map.of())).isEqualTo("200 0");
            assertThat(RawPost.send(door, port, "/length", "", false, Map.of())).isEqualTo("200 0");
            assertThat(RawPost.send(door, port, "/unread", "", true, Map.of())).isEqualTo("200 did not read");
            assertThat(RawPost.send(door, port, "/unread", "", false, Map.of())).isEqualTo("200 did not read");
        }
        assertThat(RawPost.send(door, port, "/kind", "", true, Map.of())).startsWith("200 strict");
        assertThat(RawPost.send(door, port, "/length", "abc", true, Map.of())).isEqualTo("200 3");
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @EnumSource
    void trailersAreInTheLastChunk(Door door) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        int port = binding.localAddress().getPort();
        Map<String, String> trailers = Map.of("x-sum", "7");
        for (int i = 0; i < RUNS / (door.context() == null ? 1 : 4); i++) {
            assertThat(RawPost.send(door, port, "/trailers", "abc", false, trailers)).isEqualTo("200 abc x-sum: 7");
            assertThat(RawPost.send(door, port, "/trailers", "", false, trailers)).isEqualTo("200  x-sum: 7");
            assertThat(RawPost.send(door, port, "/trailers", "abc", false, Map.of())).isEqualTo("200 abc");
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @EnumSource
    void trailersOfAnAnswer(Door door) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        assertThat(RawPost.send(door, binding.localAddress().getPort(), "/sum", "", true, Map.of()))
                .isEqualToIgnoringCase(
                        door.isHttp2() ? "200 parts x-sum: 7" : "200 5\r\nparts\r\n0\r\nX-Sum: 7\r\n\r\n");
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @EnumSource
    void theClientsAddressIsAnAttributeAndAHeader(Door door) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        int port = binding.localAddress().getPort();
        String first = RawPost.send(door, port, "/from", "", true, Map.of());
        String second = RawPost.send(door, port, "/from", "", true, Map.of());
        assertThat(first).matches("200 (127\\.0\\.0\\.1:\\d+) \\1").doesNotContain(":" + port + " ");
        assertThat(second).matches("200 (127\\.0\\.0\\.1:\\d+) \\1").isNotEqualTo(first);
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @EnumSource
    void theKindOfAnEntity(Door door) throws Exception {
        with(door, get -> {
            assertThat(get.get("/kind").body()).isEqualTo("strict none/none");
            assertThat(get.send("/kind", "POST", BodyPublishers.ofByteArray(new byte[200_000])).body())
                    .isEqualTo("default application/octet-stream");
            assertThat(get.send("/kind", "POST", BodyPublishers.ofByteArray(new byte[200_000]), "content-type",
                                    "text/html; charset=utf-8")
                            .body())
                    .startsWith("default text/html");
        });
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsTooLongIs413(Door door) throws Exception {
        with(door, get -> assertThat(get.send("/length", "POST", BodyPublishers.ofByteArray(new byte[(1 << 20) + 1]))
                        .statusCode())
                .isEqualTo(413));
    }

    @ParameterizedTest
    @EnumSource
    void aBodyWithoutALengthThatIsTooLongIs413(Door door) throws Exception {
        ServerBinding binding = door.bind(system, ROUTE);
        String body = "x".repeat((1 << 20) + 1);
        assertThat(RawPost.send(door, binding.localAddress().getPort(), "/length", body, false, Map.of())).startsWith("413 ");
        binding.terminate(java.time.Duration.ofSeconds(1));
    }

    /** With stock the JDK's client loses an answer now and then. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP1")
    void anUnreadBodyDoesNotHoldTheConnectionUp(Door door) throws Exception {
        with(door, get -> {
            for (int i = 0; i < 50; i++) {
                assertThat(get.send("/unread", "POST", BodyPublishers.ofByteArray(new byte[500_000])).body())
                        .isEqualTo("did not read");
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void meta(Door door) throws Exception {
        with(door, get -> assertThat(get.get("/meta?a=%41&b").body())
                .isEqualTo("GET /meta a=%41&b localhost " + (door.isHttp2() ? "HTTP/2.0" : "HTTP/1.1") + " true "
                        + (door.isHttp2())));
    }

    @ParameterizedTest
    @EnumSource
    void cookies(Door door) throws Exception {
        with(door, get -> {
            HttpResponse<String> response = get.get("/cookies", "cookie", "x=1; y=2");
            assertThat(response.body()).isEqualTo("x=1; y=2");
            assertThat(response.headers().allValues("set-cookie")).containsExactlyInAnyOrder("a=1", "b=2");
        });
    }

    @ParameterizedTest
    @EnumSource
    void streamedResponses(Door door) throws Exception {
        with(door, get -> {
            assertThat(get.get("/chunked").body()).startsWith("1\n2\n").endsWith("\n1000\n");
            HttpResponse<String> known = get.get("/default");
            assertThat(known.body()).isEqualTo("abcdef");
            assertThat(known.headers().firstValue("content-length")).hasValue("6");
        });
    }

    @ParameterizedTest
    @EnumSource
    void headNoContentAndNotModified(Door door) throws Exception {
        with(door, get -> {
            HttpResponse<String> head = get.send("/hello", "HEAD", BodyPublishers.noBody());
            assertThat(head.statusCode()).isEqualTo(200);
            assertThat(head.body()).isEmpty();
            assertThat(head.headers().firstValue("content-length")).hasValue("5");
            HttpResponse<String> streamed = get.send("/default", "HEAD", BodyPublishers.noBody());
            assertThat(streamed.body()).isEmpty();
            assertThat(streamed.headers().firstValue("content-length")).hasValue("6");
            assertThat(get.send("/chunked", "HEAD", BodyPublishers.noBody()).body()).isEmpty();
            HttpResponse<String> empty = get.get("/empty");
            assertThat(empty.statusCode()).isEqualTo(204);
            assertThat(empty.body()).isEmpty();
            HttpResponse<String> unchanged = get.get("/unchanged");
            assertThat(unchanged.statusCode()).isEqualTo(304);
            assertThat(unchanged.body()).isEmpty();
            assertThat(unchanged.headers().firstValue("etag")).hasValue("\"7\"");
            assertThat(get.get("/hello").body()).isEqualTo("hello");
        });
    }

    @ParameterizedTest
    @EnumSource
    void failures(Door door) throws Exception {
        with(door, get -> {
            assertThat(get.get("/fails").statusCode()).isEqualTo(500);
            assertThat(get.get("/nowhere").statusCode()).isEqualTo(404);
            assertThatThrownBy(() -> get.get("/breaks")).isInstanceOf(Exception.class);
            // as the stock engine of either HTTP has it
            assertThat(get.send("/hello", "POST", BodyPublishers.ofString("x"), "content-type", "nonsense").statusCode())
                    .isEqualTo(door.isHttp2() ? 400 : 200);
            assertThat(get.get("/hello?" + "x".repeat(3000)).statusCode()).isEqualTo(414);
        });
    }

    @ParameterizedTest
    @EnumSource
    void aClientThatGoesCancelsTheResponse(Door door) throws Exception {
        ENDED.clear();
        ServerBinding binding = door.bind(system, ROUTE);
        int port = binding.localAddress().getPort();
        if (door == Door.H2WS_HTTP2) {
            try (Jetty jetty = new Jetty(port)) {
                jetty.abandon("/endless");
                assertThat(ENDED.poll(10, TimeUnit.SECONDS)).isNotNull();
            }
        } else if (door.isHttp2()) {
            HttpRequest request = HttpRequest.newBuilder(uri(door, port, "/endless")).build();
            try (InputStream body = client(door).send(request, BodyHandlers.ofInputStream()).body()) {
                body.readNBytes(100_000);
            }
            assertThat(ENDED.poll(10, TimeUnit.SECONDS)).isNotNull();
        } else {
            // HttpClient closes a connection over TLS when it pleases
            SSLContext tls = door.context();
            try (Socket socket =
                    tls == null ? new Socket("localhost", port) : tls.getSocketFactory().createSocket("localhost", port)) {
                socket.getOutputStream().write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes());
                socket.getInputStream().readNBytes(100_000);
            }
            assertThat(ENDED.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        binding.terminate(java.time.Duration.ofSeconds(1));
    }
}
