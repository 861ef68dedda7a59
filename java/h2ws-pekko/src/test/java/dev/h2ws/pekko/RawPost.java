package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
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
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.util.Callback;

/** A POST as no whole client sends it: its head never ends it, an empty body has an end of its own. */
final class RawPost {
    /** Pekko has a limit for a chunk, which is not that of a body. */
    private static final int CHUNK = 100_000;

    private RawPost() {}

    /**
     * Posts.
     *
     * @param length whether {@code content-length} is told; else the body comes in chunks
     * @param trailers behind the body; only without a length
     * @return status and body of the answer; over HTTP/1.1 as the bytes are, over HTTP/2 with the trailers behind it
     */
    static String send(Door door, int port, String path, String body, boolean length, Map<String, String> trailers)
            throws Exception {
        return door.isHttp2()
                ? http2(door.context(), port, path, body, length, trailers)
                : http1(door.context(), port, path, body, length, trailers);
    }

    private static String http1(
            SSLContext tls, int port, String path, String body, boolean length, Map<String, String> trailers) throws Exception {
        StringBuilder request =
                new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if (length) {
            request.append("Content-Length: " + body.length() + "\r\n\r\n" + body);
        } else {
            request.append("Transfer-Encoding: chunked\r\n\r\n");
            for (int at = 0; at < body.length(); at += CHUNK) {
                String chunk = body.substring(at, Math.min(at + CHUNK, body.length()));
                request.append(Integer.toHexString(chunk.length()) + "\r\n" + chunk + "\r\n");
            }
            request.append("0\r\n");
            trailers.forEach((name, value) -> request.append(name + ": " + value + "\r\n"));
            request.append("\r\n");
        }
        try (Socket socket =
                tls == null ? new Socket("localhost", port) : tls.getSocketFactory().createSocket("localhost", port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.ISO_8859_1));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            return answer.split(" ")[1] + " " + answer.substring(answer.indexOf("\r\n\r\n") + 4);
        }
    }

    private static String http2(
            SSLContext tls, int port, String path, String body, boolean length, Map<String, String> trailers) throws Exception {
        HTTP2Client client = new HTTP2Client();
        client.start();
        try {
            Session session = Http2Wire.connect(client, port, tls, new Session.Listener() {});
            HttpFields.Mutable fields = HttpFields.build();
            if (length) {
                fields.put("content-length", String.valueOf(body.length()));
            }
            Answer answer = new Answer();
            Stream stream = session.newStream(
                            new HeadersFrame(
                                    new MetaData.Request(
                                            "POST",
                                            HttpURI.from((tls == null ? "http" : "https") + "://localhost:" + port + path),
                                            HttpVersion.HTTP_2,
                                            fields),
                                    null,
                                    false),
                            answer)
                    .get(10, TimeUnit.SECONDS);
            if (!body.isEmpty() || trailers.isEmpty()) {
                sent(stream.data(new DataFrame(
                        stream.getId(),
                        ByteBuffer.wrap(body.getBytes(StandardCharsets.ISO_8859_1)),
                        trailers.isEmpty())));
            }
            if (!trailers.isEmpty()) {
                HttpFields.Mutable last = HttpFields.build();
                trailers.forEach(last::put);
                sent(stream.headers(
                        new HeadersFrame(stream.getId(), new MetaData(HttpVersion.HTTP_2, last), null, true)));
            }
            return answer.whole.get(10, TimeUnit.SECONDS);
        } finally {
            client.stop();
        }
    }

    /** A frame that a reset overtakes fails here; what the server did is in the answer, which would not come otherwise. */
    private static void sent(CompletableFuture<Stream> frame) throws Exception {
        try {
            frame.get(10, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static final class Answer implements Stream.Listener {
        final CompletableFuture<String> whole = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;

        @Override
        public void onHeaders(Stream from, HeadersFrame frame) {
            if (frame.getMetaData() instanceof MetaData.Response response) {
                status = response.getStatus();
            } else {
                frame.getMetaData().getHttpFields().forEach(field -> body.writeBytes(
                        (" " + field.getName() + ": " + field.getValue()).getBytes(StandardCharsets.ISO_8859_1)));
            }
            if (frame.isEndStream()) {
                end();
            }
            from.demand();
        }

        @Override
        public void onDataAvailable(Stream from) {
            for (Stream.Data data = from.readData(); data != null; data = from.readData()) {
                byte[] bytes = new byte[data.frame().getByteBuffer().remaining()];
                data.frame().getByteBuffer().get(bytes);
                body.writeBytes(bytes);
                boolean end = data.frame().isEndStream();
                data.release();
                if (end) {
                    end();
                    return;
                }
            }
            from.demand();
        }

        private void end() {
            whole.complete(status + " " + body.toString(StandardCharsets.ISO_8859_1));
        }

        @Override
        public void onReset(Stream from, ResetFrame frame, Callback callback) {
            whole.complete("reset " + frame.getError());
            callback.succeeded();
        }
    }
}
