package dev.h2ws.pekko.dropin;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.h2ws.TestKeys;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import scala.concurrent.duration.Duration;

/**
 * HTTP/1.1 of an application with the drop-in on its class path, beside the same application without: what a client is
 * told is the same to the byte, but for the time of day.
 */
class Http1BytesTest {
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;

    private static final Duration SHORT = Duration.create(200, TimeUnit.MILLISECONDS);

    /** Above TLS or not. */
    enum Over {
        TCP,
        TLS
    }

    @TempDir
    static Path directory;

    private static SSLContext tls;
    private static ActorSystem stock;
    private static ActorSystem dropIn;
    private static Map<Over, Integer> stockPorts;
    private static Map<Over, Integer> dropInPorts;

    @BeforeAll
    static void start() throws Exception {
        tls = TestKeys.context(TestKeys.store(directory));
        stock = system("h2ws.pekko.replace-http-server = off");
        dropIn = system("");
        assertThat(org.apache.pekko.http.scaladsl.Http.get(dropIn).getClass()).isEqualTo(H2wsHttp.class);
        assertThat(org.apache.pekko.http.scaladsl.Http.get(stock).getClass()).isNotEqualTo(H2wsHttp.class);
        stockPorts = ports(stock);
        dropInPorts = ports(dropIn);
    }

    private static ActorSystem system(String lines) {
        return ActorSystem.create(
                "application",
                ConfigFactory.parseString(lines
                                + "\npekko.loglevel = OFF\npekko.stdout-loglevel = OFF\nh2ws.loops = 2\n"
                                + "pekko.http.server.transparent-head-requests = on\n"
                                + "pekko.http.server.raw-request-uri-header = on\n"
                                + "pekko.http.server.parsing.ssl-session-attribute = on\n"
                                + "pekko.http.server.parsing.tls-session-info-header = on\n"
                                + "pekko.http.server.parsing.max-content-length = 1m")
                        .withFallback(ConfigFactory.load()));
    }

    private static Map<Over, Integer> ports(ActorSystem system) throws Exception {
        return Map.of(
                Over.TCP, port(system, Over.TCP, timeouts -> timeouts),
                Over.TLS, port(system, Over.TLS, timeouts -> timeouts));
    }

    private static int port(ActorSystem system, Over over, UnaryOperator<ServerSettings.Timeouts> timeouts)
            throws Exception {
        ServerBuilder builder = Http.get(system)
                .newServerAt("localhost", 0)
                .adaptSettings(settings -> settings.withTimeouts(timeouts.apply(settings.getTimeouts())));
        return (over == Over.TLS ? builder.enableHttps(ConnectionContext.httpsServer(Http1BytesTest::engine)) : builder)
                .bind(PlainRoutes.ALL)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS)
                .localAddress()
                .getPort();
    }

    private static SSLEngine engine() {
        SSLEngine engine = tls.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(true);
        return engine;
    }

    @AfterAll
    static void stop() throws Exception {
        stock.terminate();
        dropIn.terminate();
        stock.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        dropIn.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    /** The same from both, and something that shows that it is the answer that was meant. */
    private static void same(Over over, Conversation conversation, String... parts) throws Exception {
        same(stockPorts.get(over), dropInPorts.get(over), over, conversation, parts);
    }

    private static void same(int stockPort, int dropInPort, Over over, Conversation conversation, String... parts)
            throws Exception {
        SSLContext context = over == Over.TLS ? tls : null;
        // a thread of its own: the JVM's common pool may be one, and routes have use for it
        CompletableFuture<String> expected = CompletableFuture.supplyAsync(
                () -> talk(conversation, stockPort, context), command -> new Thread(command).start());
        String heard = talk(conversation, dropInPort, context);
        assertThat(heard).isEqualTo(expected.get(60, TimeUnit.SECONDS));
        assertThat(heard).contains(parts);
    }

    private static String talk(Conversation conversation, int port, SSLContext context) {
        try {
            return conversation.with(port, context);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A request whose answer is the last of its connection. */
    private static String last(String line, String... fields) {
        return head(line, fields).replaceFirst("\r\n\r\n$", "\r\nConnection: close\r\n\r\n");
    }

    private static String head(String line, String... fields) {
        return line + " HTTP/1.1\r\nHost: localhost\r\n" + String.join("", lines(fields)) + "\r\n";
    }

    private static String[] lines(String... fields) {
        String[] lines = new String[fields.length];
        for (int i = 0; i < fields.length; i++) {
            lines[i] = fields[i] + "\r\n";
        }
        return lines;
    }

    private static byte[] frame(int first, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(6 + payload.length);
        frame.put((byte) first).put((byte) (0x80 | payload.length)).putInt(0x01020304);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ (i % 4 + 1)));
        }
        return frame.array();
    }

    private static byte[] frame(int opcode, String text) {
        return frame(0x80 | opcode, text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    }

    private static Conversation socket(String path, String... fields) {
        String[] all = java.util.Arrays.copyOf(fields, fields.length + 4);
        all[fields.length] = "Upgrade: websocket";
        all[fields.length + 1] = "Connection: upgrade";
        all[fields.length + 2] = "Sec-WebSocket-Version: 13";
        all[fields.length + 3] = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
        return Conversation.of(head("GET " + path, all)).hear("\r\n\r\n");
    }

    @ParameterizedTest
    @EnumSource
    void keepAliveAndPipelining(Over over) throws Exception {
        same(over, Conversation.of(last("GET /hello")), "200 OK", "hello[end]");
        same(over, Conversation.of(head("GET /hello")).hear("hello").say(last("GET /default")), "hello", "abcdef[end]");
        same(over, Conversation.of(head("GET /hello") + head("GET /chunked") + head("GET /fails") + last("GET /default")),
                "hello", "parts", "500 Internal", "abcdef[end]");
        same(over, Conversation.of(head("POST /length", "Content-Length: 3") + "abc" + last("GET /hello")), "hello[end]");
        same(over, Conversation.of(head("POST /unread", "Content-Length: 3") + "abc" + last("GET /hello")),
                "did not read", "hello[end]");
        // in pieces that end anywhere, also inside what could be the preface of HTTP/2
        same(over, Conversation.of("P", "OST /leng", "th HTTP/1.1\r", "\nHost: localhost\r\nConnection: close\r\nContent-",
                "Length: 3\r\n\r\na", "bc"), "\r\n\r\n3[end]");
    }

    @ParameterizedTest
    @EnumSource
    void whatARouteSeesOfARequest(Over over) throws Exception {
        same(over, Conversation.of(last("GET /request?a=%41&b", "X-Own: Some  Value", "Cookie: a=1; b=2", "Accept: */*")),
                "X-Own: Some  Value", "Timeout-Access");
        same(over, Conversation.of(last("POST /request", "Content-Type: text/html; charset=utf-8", "Content-Length: 0")),
                "text/html");
        same(over, Conversation.of(last("GET http://other.example/request")), "http");
        same(over, Conversation.of("GET /request HTTP/1.0\r\nHost: localhost\r\n\r\n"), "HTTP/1.0");
        same(over, Conversation.of(last("OPTIONS *")), "404 Not Found");
    }

    @ParameterizedTest
    @EnumSource
    void http10(Over over) throws Exception {
        String host = "Host: localhost\r\n";
        same(over, Conversation.of("GET /hello HTTP/1.0\r\n\r\n"), "400 Bad Request");
        same(over, Conversation.of("GET /hello HTTP/1.0\r\n" + host + "\r\n"), "hello[end]");
        same(over, Conversation.of("GET /hello HTTP/1.0\r\n" + host + "Connection: keep-alive\r\n\r\n")
                .hear("hello")
                .say("GET /chunked HTTP/1.0\r\n" + host + "\r\n"), "Connection: Keep-Alive", "parts[end]");
    }

    @ParameterizedTest
    @EnumSource
    void heads(Over over) throws Exception {
        same(over, Conversation.of(head("HEAD /hello") + head("HEAD /default") + head("HEAD /chunked") + last("HEAD /empty")),
                "Content-Length: 5", "Content-Length: 6", "204 No Content");
    }

    @ParameterizedTest
    @EnumSource
    void bodies(Over over) throws Exception {
        same(over, Conversation.of(last("GET /chunked")), "5;with=extension\r\nparts\r\n0\r\nX-Sum: 2\r\n\r\n[end]");
        same(over, Conversation.of(head("GET /until-the-end")), "abcdef[end]");
        same(over, Conversation.of(last("GET /empty")), "204");
        same(over, Conversation.of(last("POST /trailers", "Transfer-Encoding: chunked")
                + "3;a=b\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n"), "abca=b X-Sum: 7");
        same(over, Conversation.of(last("POST /length", "Content-Length: 70000") + "x".repeat(70_000)), "70000[end]");
        same(over, Conversation.of(last("POST /small", "Content-Length: 5") + "12345"), "413");
        same(over, Conversation.of(last("POST /small", "Transfer-Encoding: chunked") + "5\r\n12345\r\n0\r\n\r\n"), "413");
    }

    @ParameterizedTest
    @EnumSource
    void expectations(Over over) throws Exception {
        String expects = last("POST /length", "Content-Length: 3", "Expect: 100-continue");
        same(over, Conversation.of(expects).hear("\r\n\r\n").say("abc"), "100 Continue", "200 OK", "3[end]");
        // who does not read it does not ask for it
        same(over, Conversation.of(head("POST /unread", "Content-Length: 3", "Expect: 100-continue")), "did not read");
        same(over, Conversation.of(last("POST /length", "Content-Length: 3", "Expect: something") + "abc"), "3[end]");
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRefused(Over over) throws Exception {
        same(over, Conversation.of("GET /hello HTTP/1.1\r\n\r\n"), "400");
        same(over, Conversation.of("GET /hello HTTP/3.0\r\n\r\n"), "505");
        same(over, Conversation.of("nonsense /hello\r\n\r\n"), "501");
        same(over, Conversation.of("BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n"), "501");
        same(over, Conversation.of("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001"), "400");
        same(over, Conversation.of(last("GET /hello%zz")), "400");
        same(over, Conversation.of(last("GET /hello?" + "x".repeat(3000))), "414");
        same(over, Conversation.of(last("GET /hello", "X-Long: " + "x".repeat(9000))), "431");
        same(over, Conversation.of(last("GET /hello", "X: y\r\n".repeat(70).trim())), "400");
        same(over, Conversation.of(last("GET /hello", "X y: z")), "400");
        same(over, Conversation.of(last("POST /length", "Content-Length: many")), "400");
        same(over, Conversation.of(last("POST /length", "Content-Length: 1", "Content-Length: 2")), "400");
        same(over, Conversation.of(last("POST /length", "Content-Length: 2000000")), "413");
        same(over, Conversation.of(last("POST /length", "Transfer-Encoding: chunked") + "nothex\r\n"), "400");
        same(over, Conversation.of("GET /hello HTTP/1.1\nHost: x\nConnection: close\n\n"), "hello");
        same(over, Conversation.of(last("CONNECT localhost:80").replace("Host: localhost", "Host: localhost:80")), "400");
        same(over, Conversation.of(last("PRI /")), "501");
        same(over, Conversation.of(last("GET /nowhere")), "404");
    }

    @ParameterizedTest
    @EnumSource
    void timeouts(Over over) throws Exception {
        same(over, Conversation.of(last("GET /impatient")), "503 Service Unavailable", "timely");
        same(over, Conversation.of(last("GET /polite")), "503 Service Unavailable", "not today, /polite[end]");
        // pipelined behind it
        same(over, Conversation.of(head("GET /polite") + last("GET /hello")), "not today");
        UnaryOperator<ServerSettings.Timeouts> impatient = timeouts -> timeouts.withRequestTimeout(SHORT);
        same(port(stock, over, impatient), port(dropIn, over, impatient), over, Conversation.of(last("GET /never")),
                "503 Service Unavailable", "timely");
    }

    @ParameterizedTest
    @EnumSource
    void idleConnections(Over over) throws Exception {
        UnaryOperator<ServerSettings.Timeouts> impatient = timeouts -> timeouts.withIdleTimeout(SHORT);
        int stockPort = port(stock, over, impatient);
        int dropInPort = port(dropIn, over, impatient);
        same(stockPort, dropInPort, over, Conversation.of(head("GET /hello")).hear("hello"), "hello[");
        same(stockPort, dropInPort, over, Conversation.of(head("GET /never")), "[cut]");
        same(stockPort, dropInPort, over, socket("/ws"), "101");
        same(stockPort, dropInPort, over, Conversation.of("GET /hel"), "");
        // nobody knows yet which HTTP it would have spoken
        String silent = talk(Conversation.of(""), dropInPort, over == Over.TLS ? tls : null);
        assertThat(silent).isIn("[cut]", "[end]");
    }

    @ParameterizedTest
    @EnumSource
    void whatARouteSeesOfTls(Over over) throws Exception {
        same(over, Conversation.of(last("GET /session")),
                over == Over.TCP ? "NONE nobody" : "CN=localhost 1, TLSv1.3");
    }

    @ParameterizedTest
    @EnumSource
    void handshakes(Over over) throws Exception {
        byte[] bye = frame(CLOSE, "\u0003\u00e8");
        same(over, socket("/ws").say(bye), "101 Switching Protocols", "Sec-WebSocket-Accept: ", "\u0088\u0002\u0003\u00e8[end]");
        same(over, socket("/ws-chat", "Sec-WebSocket-Protocol: other, chat").say(bye), "Sec-WebSocket-Protocol: chat");
        same(over, socket("/ws-chat", "Sec-WebSocket-Protocol: other").hear("'chat'.").end(), "400", "Sec-WebSocket-Protocol: chat");
        same(over, socket("/ws", "Sec-WebSocket-Extensions: permessage-deflate").say(bye), "101");
        same(over, socket("/ws-no").hear("\r\n\r\nno").end(), "403 Forbidden", "no");
        same(over, socket("/hello").hear("hello").end(), "200 OK", "hello");
        // what is no handshake, or a broken one
        same(over, Conversation.of(last("GET /ws")), "400", "Expected WebSocket");
        same(over, Conversation.of(last("GET /ws", "Upgrade: websocket")), "400");
        same(over, Conversation.of(head("GET /ws", "Upgrade: websocket", "Connection: upgrade",
                "Sec-WebSocket-Version: 12", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")).hear("Expected WebSocket Upgrade request").end(), "400");
        same(over, Conversation.of(last("GET /hello", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")), "hello");
    }

    @ParameterizedTest
    @EnumSource
    void frames(Over over) throws Exception {
        byte[] bye = frame(CLOSE, "\u0003\u00e8bye");
        String echoed = "\u0088\u0005\u0003\u00e8bye[end]";
        same(over, socket("/ws").say(frame(TEXT, "hello")).hear("hello").say(frame(BINARY, "\u0000\u00ff")).hear("\u00ff")
                .say(frame(PING, "ping")).hear("ping").say(bye), "\u0081\u0005hello\u0082\u0002\u0000\u00ff\u008a\u0004ping", echoed);
        same(over, socket("/ws").say(frame(TEXT, "a")).hear("a").say(frame(CLOSE, "\u000f\u00a1why")), "\u0088\u0005\u000f\u00a1why[end]");
        same(over, socket("/ws").say(frame(CLOSE, "\u0003")), "\u0088");
        same(over, socket("/ws").say(frame(3, "what")).hear("\u0003\u00ea").end(), "\u0088");
        same(over, socket("/ws").say(frame(TEXT, "\u00ff")).hear("\u0003\u00ef").end(), "\u0088");
        same(over, socket("/ws").say(new byte[] {(byte) 0x81, 1, 'x'}).hear("\u0003\u00ea").end(), "\u0088");
        same(over, socket("/ws-bye").hear("bye").say(frame(CLOSE, "\u0003\u00e8")), "\u0081\u0003bye\u0088\u0002\u0003\u00e8[end]");
        same(over, socket("/ws-fails").hear("\u0088").say(frame(CLOSE, "\u0003\u00f3")), "\u0003\u00f3");
        same(over, socket("/ws-parts").hear("\u0080\u0000").say(frame(CLOSE, "\u000f\u00a1")), "\u0001\u0001a\u0000\u0001b\u0080\u0000");
    }

    /** How much of it comes before the connection is cut is chance, in stock too. */
    @ParameterizedTest
    @EnumSource
    void aResponseThatBreaksIsCut(Over over) throws Exception {
        for (Map<Over, Integer> ports : List.of(stockPorts, dropInPorts)) {
            String heard = talk(Conversation.of(last("GET /breaks")), ports.get(over), over == Over.TLS ? tls : null);
            assertThat(heard).endsWith("[cut]").doesNotContain("0\r\n\r\n");
        }
    }

    /** Over TLS stock takes it for the end of all and answers nothing; h2ws answers there too. */
    @ParameterizedTest
    @EnumSource
    void aClientThatEndsItsSideGetsItsAnswer(Over over) throws Exception {
        Conversation request = Conversation.of(head("GET /hello")).end();
        Conversation socket = socket("/ws").say(frame(TEXT, "last")).hear("last").end();
        if (over == Over.TCP) {
            same(over, request, "200 OK", "hello[end]");
            same(over, socket, "last\u0088\u0002\u0003\u00e8[end]");
            same(over, Conversation.of("").end(), "[end]");
            same(over, Conversation.of("GET /hel").end(), "400");
        } else {
            assertThat(talk(request, dropInPorts.get(over), tls)).endsWith("hello[end]");
            assertThat(talk(socket, dropInPorts.get(over), tls)).endsWith("last\u0088\u0002\u0003\u00e8[end]");
        }
    }
}
