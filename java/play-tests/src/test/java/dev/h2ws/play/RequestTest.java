package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pages, uploads and filters, on Play's own server and on h2ws; where they differ the test says so. */
class RequestTest {
    private static final Map<SecureDoor, PlayServer> SERVERS = new EnumMap<>(SecureDoor.class);
    private static final Map<SecureDoor, HttpClient> CLIENTS = new EnumMap<>(SecureDoor.class);

    @BeforeAll
    static void start() {
        for (SecureDoor door : SecureDoor.values()) {
            SERVERS.put(door, door.isHttp2() ? SERVERS.get(door.server()) : door.start("""
                    play.filters.hosts.allowed = ["localhost", ".example.org"]
                    play.http.forwarded.trustedProxies = ["127.0.0.1"]
                    play.http.forwarded.version = x-forwarded
                    """));
            CLIENTS.put(door, door.client());
        }
    }

    @AfterAll
    static void stop() {
        SERVERS.forEach((door, server) -> {
            if (!door.isHttp2()) {
                server.close();
            }
        });
    }

    private static HttpResponse<byte[]> send(SecureDoor door, String method, String path, BodyPublisher body, String... fields)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("https://localhost:" + SERVERS.get(door).port() + path))
                .timeout(Duration.ofSeconds(20))
                .method(method, body);
        if (fields.length > 0) {
            request.headers(fields);
        }
        HttpResponse<byte[]> response =
                CLIENTS.get(door).send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        assertThat(response.version()).isEqualTo(door.isHttp2() ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1);
        return response;
    }

    private static HttpResponse<byte[]> get(SecureDoor door, String path, String... fields) throws Exception {
        return send(door, "GET", path, BodyPublishers.noBody(), fields);
    }

    private static HttpResponse<byte[]> post(SecureDoor door, String path, byte[] body, String... fields) throws Exception {
        return send(door, "POST", path, BodyPublishers.ofByteArray(body), fields);
    }

    private static String text(HttpResponse<byte[]> response) {
        return new String(response.body());
    }

    private static String field(HttpResponse<byte[]> response, String name) {
        return response.headers().firstValue(name).orElse("none");
    }

    @ParameterizedTest
    @EnumSource
    void whatTheControllerIsTold(SecureDoor door) throws Exception {
        String host = "localhost:" + SERVERS.get(door).port();
        assertThat(text(get(door, "/request?q=%41&r=a+b")))
                .contains("\"version\":\"" + (door.isHttp2() ? "HTTP/2.0" : "HTTP/1.1") + "\"")
                .contains("\"method\":\"GET\"")
                .contains("\"host\":\"" + host + "\"")
                .contains("\"secure\":true")
                .contains("\"remote\":\"127.0.0.1\"")
                .contains("\"client\":\"none\"");
        // over HTTP/2 stock has the whole URI
        String origin = door == SecureDoor.STOCK_HTTP2 ? "https://" + host : "";
        assertThat(text(get(door, "/request?q=%41&r=a+b")))
                .contains("\"uri\":\"" + origin + "/request?q=%41&r=a+b\"");
    }

    @ParameterizedTest
    @EnumSource
    void pagesAndAssets(SecureDoor door) throws Exception {
        HttpResponse<byte[]> page = get(door, "/hello");
        assertThat(text(page)).isEqualTo("hello, world");
        assertThat(field(page, "content-type")).isEqualTo("text/plain; charset=UTF-8");
        assertThat(field(page, "content-length")).isEqualTo("12");
        HttpResponse<byte[]> asset = get(door, "/public/site.css");
        assertThat(text(asset)).isEqualTo("body { color: black }\n");
        assertThat(field(asset, "content-type")).isEqualTo("text/css; charset=UTF-8");
        HttpResponse<byte[]> again = get(door, "/public/site.css", "If-None-Match", field(asset, "etag"));
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        HttpResponse<byte[]> part = get(door, "/public/site.css", "Range", "bytes=0-3");
        assertThat(part.statusCode()).isEqualTo(206);
        assertThat(text(part)).isEqualTo("body");
        assertThat(get(door, "/public/nothing.css").statusCode()).isEqualTo(404);
        assertThat(get(door, "/nowhere").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @EnumSource
    void resultsThatAreStreamed(SecureDoor door) throws Exception {
        HttpResponse<byte[]> streamed = get(door, "/streamed/300");
        assertThat(streamed.body()).hasSize(3_000_000);
        assertThat(field(streamed, "content-length")).isEqualTo("3000000");
        HttpResponse<byte[]> chunked = get(door, "/chunked/300");
        assertThat(chunked.body()).hasSize(3_000_000);
        assertThat(field(chunked, "content-length")).isEqualTo("none");
        if (door != SecureDoor.STOCK_HTTP1) {
            // over TLS stock keeps the connection, whose end is that of the body, until it is idle for too long
            assertThat(get(door, "/unknown-length/300").body()).hasSize(3_000_000);
        }
        assertThat(get(door, "/chunked/0").body()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void resultsThatFail(SecureDoor door) throws Exception {
        assertThat(get(door, "/fails").statusCode()).isEqualTo(500);
        // after its beginning: nobody may take it for whole
        assertThatThrownBy(() -> get(door, "/failing")).isInstanceOf(IOException.class);
        assertThat(get(door, "/hello").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP2")
    void head(SecureDoor door) throws Exception {
        HttpResponse<byte[]> answer = send(door, "HEAD", "/public/site.css", BodyPublishers.noBody());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void uploads(SecureDoor door) throws Exception {
        for (int size : new int[] {0, 1, 100_000, 3_000_000}) {
            byte[] body = new byte[size];
            new Random(size).nextBytes(body);
            assertThat(text(post(door, "/size", body))).isEqualTo("" + size);
            HttpResponse<byte[]> echo = post(door, "/echo", body);
            assertThat(echo.body()).isEqualTo(body);
            // without a length
            BodyPublisher stream = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
            assertThat(text(send(door, "POST", "/size", stream))).isEqualTo("" + size);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aForm(SecureDoor door) throws Exception {
        String file = "line\n".repeat(20_000);
        String body = "--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
                + "--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n"
                + "Content-Type: text/plain\r\n\r\n" + file + "\r\n--cut--\r\n";
        HttpResponse<byte[]> answer =
                post(door, "/upload", body.getBytes(), "Content-Type", "multipart/form-data; boundary=cut");
        assertThat(text(answer)).isEqualTo("a=1 f:x.txt:" + file.length());
    }

    /** Stock resets the stream of a body that nobody has read, which the client may see before the answer. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP2")
    void aBodyThatIsTooLongOrNotWanted(SecureDoor door) throws Exception {
        assertThat(text(post(door, "/short", "x".repeat(100).getBytes()))).hasSize(100);
        assertThat(post(door, "/short", new byte[101]).statusCode()).isEqualTo(413);
        assertThat(post(door, "/refused", new byte[1000]).statusCode()).isEqualTo(403);
        assertThat(get(door, "/hello").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource
    void sessionsAndCookies(SecureDoor door) throws Exception {
        HttpResponse<byte[]> login = get(door, "/login/ann");
        assertThat(login.headers().allValues("set-cookie")).hasSize(3);
        StringBuilder cookies = new StringBuilder();
        for (String cookie : login.headers().allValues("set-cookie")) {
            cookies.append(cookies.isEmpty() ? "" : "; ").append(cookie, 0, cookie.indexOf(';'));
        }
        assertThat(text(get(door, "/user", "Cookie", cookies.toString()))).isEqualTo("ann PLAY_SESSION,a,b");
        assertThat(text(get(door, "/user"))).isEqualTo("nobody ");
    }

    /** As above: the filter answers before the body was read. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP2")
    void crossSiteForms(SecureDoor door) throws Exception {
        HttpResponse<byte[]> page = get(door, "/token");
        String cookie = field(page, "set-cookie");
        cookie = cookie.substring(0, cookie.indexOf(';'));
        assertThat(post(door, "/size", new byte[1], "Cookie", cookie).statusCode()).isEqualTo(403);
        assertThat(post(door, "/size", new byte[1], "Cookie", cookie, "Csrf-Token", text(page)).statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource
    void compressedResults(SecureDoor door) throws Exception {
        HttpResponse<byte[]> answer = get(door, "/chunked/10", "Accept-Encoding", "gzip");
        assertThat(field(answer, "content-encoding")).isEqualTo("gzip");
        assertThat(new GZIPInputStream(new ByteArrayInputStream(answer.body())).readAllBytes()).hasSize(100_000);
    }

    @ParameterizedTest
    @EnumSource
    void securityHeaders(SecureDoor door) throws Exception {
        HttpResponse<byte[]> answer = get(door, "/hello");
        assertThat(field(answer, "x-frame-options")).isEqualTo("DENY");
        assertThat(field(answer, "x-content-type-options")).isEqualTo("nosniff");
        assertThat(field(answer, "date")).contains("GMT");
        assertThat(field(answer, "connection")).isEqualTo("none");
    }

    @ParameterizedTest
    @EnumSource
    void forwarded(SecureDoor door) throws Exception {
        assertThat(text(get(door, "/request", "X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", "http")))
                .contains("\"remote\":\"192.0.2.7\"")
                .contains("\"secure\":false");
    }
}
