package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.pekko.Http2Wire;
import dev.h2ws.pekko.LocalKey;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that sends its body when it is told to continue (RFC 9110 section 10.1.1), and not before. */
class ExpectTest {
    @RegisterExtension
    static final Servers servers = new Servers();

    private static final Map<SecureDoor, PlayServer> SECURE = new EnumMap<>(SecureDoor.class);

    @AfterAll
    static void stop() {
        SECURE.values().forEach(PlayServer::close);
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsWanted(Door door) throws Exception {
        wanted(open(door));
    }

    /** Stock sends none over HTTP/2. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STOCK_HTTP2")
    void aBodyThatIsWantedOverTls(SecureDoor door) throws Exception {
        wanted(open(door));
    }

    private static void wanted(Opener opener) throws Exception {
        try (Client client = opener.post("/size", 5)) {
            assertThat(client.status()).isEqualTo("100");
            client.body("hello");
            assertThat(client.status()).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsNotWanted(Door door) throws Exception {
        notWanted(open(door));
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsNotWantedOverTls(SecureDoor door) throws Exception {
        notWanted(open(door));
    }

    private static void notWanted(Opener opener) throws Exception {
        try (Client client = opener.post("/refused", 5)) {
            assertThat(client.status()).isEqualTo("403");
        }
    }

    private interface Opener {
        Client post(String path, int length) throws Exception;
    }

    private static Opener open(Door door) {
        int port = servers.of(door).port();
        return (path, length) ->
                door.isHttp2() ? new Http2(port, null, path, length) : new Http1(port, null, path, length);
    }

    private static Opener open(SecureDoor door) {
        int port = SECURE.computeIfAbsent(door.server(), first -> first.start("")).port();
        SSLContext tls = LocalKey.CONTEXT;
        return (path, length) ->
                door.isHttp2() ? new Http2(port, tls, path, length) : new Http1(port, tls, path, length);
    }

    private interface Client extends AutoCloseable {
        String status() throws Exception;

        void body(String body) throws Exception;
    }

    private static final class Http1 implements Client {
        private final Socket socket;
        private final BufferedReader lines;

        Http1(int port, SSLContext tls, String path, int length) throws IOException {
            socket = tls == null ? new Socket("127.0.0.1", port) : tls.getSocketFactory().createSocket("127.0.0.1", port);
            socket.setSoTimeout(10_000);
            lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
            write("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length
                    + "\r\nExpect: 100-continue\r\n\r\n");
        }

        private void write(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        @Override
        public String status() throws IOException {
            String status = lines.readLine();
            for (String line = status; !line.isEmpty(); line = lines.readLine()) {
                // of the head
            }
            return status.split(" ")[1];
        }

        @Override
        public void body(String body) throws IOException {
            write(body);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static final class Http2 implements Client {
        private final HTTP2Client client = new HTTP2Client();
        private final BlockingQueue<String> statuses = new LinkedBlockingQueue<>();
        private final Stream stream;

        Http2(int port, SSLContext tls, String path, int length) throws Exception {
            client.start();
            Session session = Http2Wire.connect(client, port, tls, new Session.Listener() {});
            HttpFields fields = HttpFields.build().put("content-length", length).put("expect", "100-continue");
            MetaData.Request request = new MetaData.Request(
                    "POST",
                    HttpURI.from((tls == null ? "http" : "https") + "://localhost:" + port + path),
                    HttpVersion.HTTP_2,
                    fields);
            stream = session.newStream(new HeadersFrame(request, null, false), new Stream.Listener() {
                        @Override
                        public void onHeaders(Stream from, HeadersFrame frame) {
                            statuses.add("" + ((MetaData.Response) frame.getMetaData()).getStatus());
                            from.demand();
                        }
                    })
                    .get(10, TimeUnit.SECONDS);
        }

        @Override
        public String status() throws InterruptedException {
            String status = statuses.poll(10, TimeUnit.SECONDS);
            return status == null ? "nothing in 10 s" : status;
        }

        @Override
        public void body(String body) throws Exception {
            stream.data(new DataFrame(stream.getId(), ByteBuffer.wrap(body.getBytes(StandardCharsets.ISO_8859_1)), true))
                    .get(10, TimeUnit.SECONDS);
        }

        @Override
        public void close() throws Exception {
            client.stop();
        }
    }
}
