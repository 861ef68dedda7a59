package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS by the program's own SSLContext, over the byte transport. */
@Timeout(60)
class TlsTransportTest extends EngineTest {
    /** In appendix A of RFC 9113. */
    private static final String CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";

    @TempDir
    Path directory;

    private SSLContext context;
    private TlsTransport transport;

    @BeforeEach
    void keys() throws Exception {
        context = TestKeys.context(TestKeys.store(directory));
        engine = builder().start();
    }

    @AfterEach
    void close() {
        if (transport != null) {
            transport.close();
        }
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private Client.Place serve(TlsTransport.Builder builder, Handler handler) {
        transport = builder.build();
        return new Client.Place("localhost:" + transport.listen(loopback(), handler).port(), true);
    }

    private HttpClient client(SSLParameters parameters) {
        HttpClient.Builder builder = HttpClient.newBuilder().sslContext(context);
        return (parameters == null ? builder : builder.sslParameters(parameters)).build();
    }

    private static SSLParameters protocols(String protocol) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {protocol});
        return parameters;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void requestsOverHttp2(String protocol) throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.bodyBytes(4 << 20)
                .thenAccept(body -> request.respond(
                        200,
                        request.version() + " " + request.scheme() + " "
                                + request.tls().orElseThrow().version() + " "
                                + request.tls().orElseThrow().serverName().orElse("") + " "
                                + body.length)));
        HttpClient client = client(protocols(protocol));
        List<HttpResponse<String>> all = Client.posts(client, place, i -> i * 20_000);
        for (int i = 0; i < all.size(); i++) {
            assertThat(all.get(i).version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(all.get(i).body()).isEqualTo("HTTP/2 https " + protocol + " localhost " + i * 20_000);
        }
    }

    /** Each connection has an engine that the program made, and told who it is for. */
    @Test
    void enginesThatTheProgramMakes() throws Exception {
        BlockingQueue<String> peers = new LinkedBlockingQueue<>();
        Client.Place place = serve(
                TlsTransport.builder(engine, peer -> {
                    peers.add(peer);
                    SSLEngine made = context.createSSLEngine();
                    made.setEnabledProtocols(new String[] {"TLSv1.2"});
                    // the transport makes a server of it
                    made.setUseClientMode(true);
                    return made;
                }),
                request -> request.respond(
                        200,
                        request.version() + " " + request.tls().orElseThrow().version() + " " + request.remoteAddress()));
        HttpResponse<String> answer =
                client(null).send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofString());
        assertThat(answer.body()).isEqualTo("HTTP/2 TLSv1.2 " + peers.poll());
        assertThat(peers).isEmpty();
    }

    @Test
    void aMakerOfEnginesThatThrowsCostsThatConnectionAlone() throws Exception {
        AtomicBoolean fails = new AtomicBoolean(true);
        Client.Place place = serve(
                TlsTransport.builder(engine, peer -> {
                    if (fails.getAndSet(false)) {
                        throw new IllegalStateException("on purpose");
                    }
                    return context.createSSLEngine();
                }),
                request -> request.respond(200, "ok"));
        int port = Integer.parseInt(place.authority().split(":")[1]);
        try (Socket unlucky = new Socket(InetAddress.getLoopbackAddress(), port)) {
            unlucky.setSoTimeout(10_000);
            assertThat(unlucky.getInputStream().read()).isEqualTo(-1);
        }
        HttpRequest request = HttpRequest.newBuilder(place.http("/")).build();
        assertThat(client(null).send(request, BodyHandlers.ofString()).body()).isEqualTo("ok");
        assertThat(logged).anySatisfy(line -> assertThat(line).contains("on purpose"));
    }

    @Test
    void webSocketsWithMessagesOfManyRecords() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.accept(new Echo()));
        Client heard = new Client();
        java.net.http.WebSocket socket =
                client(null).newWebSocketBuilder().buildAsync(place.ws("/"), heard).join();
        for (int size : new int[] {1, 16_384, 262_144, 5_000_000, 3}) {
            socket.sendBinary(ByteBuffer.wrap(new byte[size]), true).join();
            assertThat(heard.next()).isEqualTo("binary " + size);
        }
        socket.sendClose(1000, "bye").join();
        assertThat(heard.next()).isEqualTo("close 1000");
    }

    @Test
    void http1IsTheProgramsOwnIfItWants() throws Exception {
        Client.Place place = serve(
                TlsTransport.builder(engine, context).http1(connection -> {
                    Duplex duplex = connection.duplex();
                    String alpn = connection.tls().orElseThrow().alpn().orElse("none");
                    duplex.write(ByteBuffer.wrap(
                            ("HTTP/1.1 200 OK\r\ncontent-length: " + alpn.length() + "\r\nconnection: close\r\n\r\n" + alpn)
                                    .getBytes(StandardCharsets.US_ASCII)));
                    duplex.close();
                }),
                request -> request.respond(200, "native"));
        HttpClient one = HttpClient.newBuilder().sslContext(context).version(HttpClient.Version.HTTP_1_1).build();
        assertThat(one.send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofString()).body())
                .isIn("http/1.1", "none");
        assertThat(client(null).send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofString()).body())
                .isEqualTo("native");
    }

    @Test
    void aClientThatSaysNothingIsCut() throws Exception {
        Client.Place place =
                serve(TlsTransport.builder(engine, context).handshakeTimeout(Duration.ofMillis(50)), request -> {});
        String[] address = place.authority().split(":");
        try (Socket silent = new Socket(address[0], Integer.parseInt(address[1]))) {
            assertThatThrownBy(() -> {
                        if (silent.getInputStream().read() < 0) {
                            throw new IOException("the end");
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void closingCutsHandshakesAndLeavesOpenConnections() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.accept(new Echo()));
        Client heard = new Client();
        java.net.http.WebSocket socket =
                client(null).newWebSocketBuilder().buildAsync(place.ws("/"), heard).join();
        String[] address = place.authority().split(":");
        try (Socket silent = new Socket(address[0], Integer.parseInt(address[1]))) {
            // the second connection is there when the engine has taken it
            while (engine.stats().get("fallbacks") < 2) {
                Thread.onSpinWait();
            }
            transport.close();
            assertThatThrownBy(() -> {
                        if (silent.getInputStream().read() < 0) {
                            throw new IOException("the end");
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
        socket.sendText("still here", true).join();
        assertThat(heard.next()).isEqualTo("text still here");
    }

    @Test
    void whatIsNoTlsIsRefusedAndOthersGoOn() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.respond(200, "ok"));
        String[] address = place.authority().split(":");
        try (Socket clear = new Socket(address[0], Integer.parseInt(address[1]))) {
            clear.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            // an alert, and the end
            assertThat(clear.getInputStream().readAllBytes()).hasSizeLessThan(100);
        }
        assertThat(client(null).send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofString()).body())
                .isEqualTo("ok");
    }

    @Test
    void theEndIsCloseNotifyAndFin() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.respond(200, "last"));
        String[] address = place.authority().split(":");
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(address[0], Integer.parseInt(address[1]))) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            // an end without close_notify would be an exception
            assertThat(socket.getInputStream().readAllBytes()).asString(StandardCharsets.US_ASCII).endsWith("last");
        }
    }

    private SSLSocket connect(Client.Place place, String protocol, String suite, String... alpn) throws IOException {
        String[] address = place.authority().split(":");
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(address[0], Integer.parseInt(address[1]));
        SSLParameters parameters = protocols(protocol);
        if (suite != null) {
            parameters.setCipherSuites(new String[] {suite});
        }
        parameters.setApplicationProtocols(alpn);
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(10_000);
        socket.startHandshake();
        return socket;
    }

    /** One line, of a connection, once it is there. */
    private void hasLogged(String level, String what) throws InterruptedException {
        for (int i = 0; i < 500 && logged.isEmpty(); i++) {
            Thread.sleep(20);
        }
        assertThat(logged).hasSize(1).first().asString().startsWith(level + " connection of 127.0.0.1:").contains(what);
    }

    /** A request and its answer, after which the connection stays. */
    private static void ask(SSLSocket socket) throws IOException {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        StringBuilder answer = new StringBuilder();
        while (answer.indexOf("\r\n\r\nserved") < 0) {
            int next = socket.getInputStream().read();
            assertThat(next).as("after " + answer).isNotEqualTo(-1);
            answer.append((char) next);
        }
    }

    @Test
    void rfc9113_9_2_2_aSuiteThatHttp2ForbidsHasHttp1() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.respond(200, "served"));
        for (String suite : new String[] {CBC, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"}) {
            // the second time the session is resumed
            for (int i = 0; i < 2; i++) {
                try (SSLSocket socket = connect(place, "TLSv1.2", suite, "h2", "http/1.1")) {
                    assertThat(socket.getSession().getCipherSuite()).isEqualTo(suite);
                    assertThat(socket.getApplicationProtocol()).isEqualTo("http/1.1");
                    ask(socket);
                }
            }
        }
        for (String suite : new String[] {
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        }) {
            try (SSLSocket socket = connect(place, "TLSv1.2", suite, "h2", "http/1.1")) {
                assertThat(socket.getApplicationProtocol()).as(suite).isEqualTo("h2");
            }
        }
    }

    @Test
    void rfc9113_9_2_2_withoutHttp1SuchASuiteIsRefused() throws Exception {
        Client.Place place = serve(
                TlsTransport.builder(engine, context).options(ListenOptions.defaults().withoutHttp1()), request -> {});
        assertThatThrownBy(() -> connect(place, "TLSv1.2", CBC, "h2", "http/1.1"))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("no_application_protocol");
    }

    @Test
    void rfc9113_9_2_2_norDoesItHaveHttp2WithoutAlpn() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> {});
        try (SSLSocket socket = connect(place, "TLSv1.2", CBC)) {
            socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            // SETTINGS, then GOAWAY with HTTP_1_1_REQUIRED
            assertThat(ByteBuffer.wrap(socket.getInputStream().readNBytes(26)).getInt(22)).isEqualTo(13);
        }
    }

    @Test
    void rfc9113_9_2_2_withoutAlpnAndHttp1NothingIsLeftToSpeak() throws Exception {
        Client.Place place = serve(
                TlsTransport.builder(engine, context).options(ListenOptions.defaults().withoutHttp1()), request -> {});
        try (SSLSocket socket = connect(place, "TLSv1.2", CBC)) {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        hasLogged("INFO", CBC);
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2", "http/1.1"})
    void rfc9113_9_2_1_renegotiationEndsTheConnection(String alpn) throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.respond(200, "served"));
        try (SSLSocket socket = connect(place, "TLSv1.2", null, alpn)) {
            assertThat(socket.getApplicationProtocol()).isEqualTo(alpn);
            byte[] session = socket.getSession().getId();
            if (alpn.equals("http/1.1")) {
                ask(socket);
            }
            assertThatThrownBy(() -> {
                        socket.startHandshake();
                        // a JDK that is refused goes on with the session that it has
                        while (socket.getInputStream().read() >= 0) {}
                        throw new IOException("the end");
                    })
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(java.net.SocketTimeoutException.class);
            assertThat(socket.getSession().getId()).as("the session is no other").isIn(session, new byte[0]);
        }
        hasLogged("INFO", "renegotiation");
        assertThat(client(null).send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofString()).body())
                .as("others go on")
                .isEqualTo("served");
    }

    @Test
    void keyUpdatesOfTls13GoOn() throws Exception {
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.respond(200, "served"));
        try (SSLSocket socket = connect(place, "TLSv1.3", null, "http/1.1")) {
            for (int i = 0; i < 10; i++) {
                ask(socket);
                // KeyUpdate (RFC 8446 section 4.6.3), for which it asks one of the server
                socket.startHandshake();
            }
            ask(socket);
        }
    }

    @Test
    void aResetIsHeardOf() throws Exception {
        CompletableFuture<Closed> closed = new CompletableFuture<>();
        Client.Place place = serve(TlsTransport.builder(engine, context), request -> request.onClosed(closed::complete));
        String[] address = place.authority().split(":");
        Socket plain = new Socket(address[0], Integer.parseInt(address[1]));
        Socket socket = context.getSocketFactory().createSocket(plain, address[0], plain.getPort(), false);
        socket.getOutputStream().write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        while (engine.stats().get("open_streams") == 0) {
            Thread.onSpinWait();
        }
        // a FIN would be a half-close, after which an answer may still be wanted
        plain.setSoLinger(true, 0);
        plain.close();
        assertThat(closed.get(10, java.util.concurrent.TimeUnit.SECONDS).cause()).isEqualTo(Closed.Cause.DISCONNECTED);
    }
}
