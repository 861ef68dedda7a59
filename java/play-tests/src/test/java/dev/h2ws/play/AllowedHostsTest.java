package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HostPortHttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.SettingsFrame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Play's filter of hosts, which guards against DNS rebinding, looks at what a client of HTTP/2 has for it: {@code :authority}. */
class AllowedHostsTest {
    @RegisterExtension
    static final Servers servers = new Servers();

    @Test
    void aRequest() throws Exception {
        assertThat(status(request("localhost"))).isEqualTo(200);
        assertThat(status(request("evil.test"))).isEqualTo(400);
    }

    /** A field that contradicts the authority is malformed, and nobody goes by it (RFC 9113 section 8.3.1). */
    @Test
    void aHostFieldBesideIt() throws Exception {
        assertThat(status(request("localhost", "LOCALHOST"))).isEqualTo(200);
        assertThat(status(request("localhost:80", "localhost"))).isEqualTo(200);
        assertThat(status(request("evil.test", "localhost"))).isEqualTo(400);
        assertThat(status(request("localhost", "evil.test"))).isEqualTo(400);
    }

    /** Play's filters are for actions: a socket's controller looks at {@code Host} and {@code Origin} itself, over HTTP/1.1 too. */
    @Test
    void aSocketIsNotFiltered() throws Exception {
        assertThat(status(socket("evil.test"))).isEqualTo(200);
        for (Door door : List.of(Door.STOCK_HTTP1, Door.H2WS_HTTP1)) {
            try (Socket socket = new Socket("127.0.0.1", servers.of(door).port())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream()
                        .write(("GET /java/text HTTP/1.1\r\nHost: evil.test\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
                byte[] status = socket.getInputStream().readNBytes("HTTP/1.1 101".length());
                assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 101");
            }
        }
    }

    private static HeadersFrame request(String authority, String host) {
        return request(authority, HttpFields.build().put("host", host));
    }

    private static HeadersFrame request(String authority) {
        return request(authority, HttpFields.EMPTY);
    }

    private static HeadersFrame request(String authority, HttpFields fields) {
        HttpURI uri = HttpURI.from("http://" + authority + "/hello");
        return new HeadersFrame(new MetaData.Request("GET", uri, HttpVersion.HTTP_2, fields), null, true);
    }

    private static HeadersFrame socket(String authority) {
        HttpFields fields = HttpFields.build().put("sec-websocket-version", "13");
        return new HeadersFrame(
                new MetaData.ConnectRequest(
                        "http", new HostPortHttpField(authority), "/java/text", fields, "websocket"),
                null,
                false);
    }

    private static int status(HeadersFrame request) throws Exception {
        HTTP2Client client = new HTTP2Client();
        client.start();
        try {
            CompletableFuture<SettingsFrame> settings = new CompletableFuture<>();
            Session session = client.connect(
                            new InetSocketAddress("127.0.0.1", servers.of(Door.H2WS_HTTP2).port()),
                            new Session.Listener() {
                                @Override
                                public void onSettings(Session from, SettingsFrame frame) {
                                    settings.complete(frame);
                                }
                            })
                    .get(10, TimeUnit.SECONDS);
            // which say that there are sockets
            settings.get(10, TimeUnit.SECONDS);
            CompletableFuture<Integer> status = new CompletableFuture<>();
            session.newStream(request, new Stream.Listener() {
                @Override
                public void onHeaders(Stream from, HeadersFrame frame) {
                    status.complete(((MetaData.Response) frame.getMetaData()).getStatus());
                }
            });
            return status.get(10, TimeUnit.SECONDS);
        } finally {
            client.stop();
        }
    }
}
