package dev.h2ws.play;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that sends its body when it is told to continue (RFC 9110 section 10.1.1), and not before. */
class ExpectTest {
    @RegisterExtension
    static final Servers servers = new Servers();

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsWanted(Door door) throws Exception {
        try (Client client = open(door, "/size", 5)) {
            assertThat(client.status()).isEqualTo("100");
            client.body("hello");
            assertThat(client.status()).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBodyThatIsNotWanted(Door door) throws Exception {
        try (Client client = open(door, "/refused", 5)) {
            assertThat(client.status()).isEqualTo("403");
        }
    }

    private static Client open(Door door, String path, int length) throws Exception {
        int port = servers.of(door).port();
        return door.isHttp2() ? new Http2(port, path, length) : new Http1(port, path, length);
    }

    private interface Client extends AutoCloseable {
        String status() throws Exception;

        void body(String body) throws Exception;
    }

    private static final class Http1 implements Client {
        private final Socket socket;
        private final BufferedReader lines;

        Http1(int port, String path, int length) throws IOException {
            socket = new Socket("127.0.0.1", port);
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

        Http2(int port, String path, int length) throws Exception {
            client.start();
            Session session = client.connect(new InetSocketAddress("127.0.0.1", port), new Session.Listener() {})
                    .get(10, TimeUnit.SECONDS);
            HttpFields fields = HttpFields.build().put("content-length", length).put("expect", "100-continue");
            MetaData.Request request = new MetaData.Request(
                    "POST", HttpURI.from("http://localhost:" + port + path), HttpVersion.HTTP_2, fields);
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
