package dev.h2ws.pekko;

import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.http.HostPortHttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.HTTP2Session;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.http2.frames.SettingsFrame;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/** Over a stream of HTTP/2, on a connection of its own: Jetty's client without its WebSockets. */
public final class Http2Wire extends Wire {
    private final HTTP2Client client = new HTTP2Client();
    private final Session session;
    private final Stream stream;

    /** @param tls null for cleartext */
    public Http2Wire(int port, String path, Map<String, String> fields, SSLContext tls) throws Exception {
        client.start();
        CompletableFuture<Boolean> settings = new CompletableFuture<>();
        session = connect(client, port, tls, new Session.Listener() {
            @Override
            public void onSettings(Session from, SettingsFrame frame) {
                settings.complete(Integer.valueOf(1).equals(frame.getSettings().get(8)));
            }
        });
        if (!settings.get(10, TimeUnit.SECONDS)) {
            client.stop();
            throw new IllegalStateException("no SETTINGS_ENABLE_CONNECT_PROTOCOL");
        }
        HttpFields.Mutable request = HttpFields.build().put("sec-websocket-version", "13");
        fields.forEach(request::add);
        CompletableFuture<MetaData.Response> answer = new CompletableFuture<>();
        stream = session.newStream(
                        new HeadersFrame(
                                new MetaData.ConnectRequest(
                                        tls == null ? "http" : "https", new HostPortHttpField("localhost:" + port), path, request, "websocket"),
                                null,
                                false),
                        new Events(answer))
                .get(10, TimeUnit.SECONDS);
        MetaData.Response response = answer.get(10, TimeUnit.SECONDS);
        head = new TreeMap<>();
        head.put(":status", String.valueOf(response.getStatus()));
        response.getHttpFields().forEach(field -> head.put(field.getLowerCaseName(), field.getValue()));
    }

    public static Session connect(HTTP2Client client, int port, SSLContext tls, Session.Listener listener) throws Exception {
        InetSocketAddress address = new InetSocketAddress("127.0.0.1", port);
        SslContextFactory.Client trust = null;
        if (tls != null) {
            trust = new SslContextFactory.Client();
            trust.setSslContext(tls);
            trust.start();
            client.addBean(trust, true);
        }
        return client.connect(trust, address, listener).get(10, TimeUnit.SECONDS);
    }

    private final class Events implements Stream.Listener {
        private final CompletableFuture<MetaData.Response> answer;

        Events(CompletableFuture<MetaData.Response> answer) {
            this.answer = answer;
        }

        @Override
        public void onHeaders(Stream from, HeadersFrame frame) {
            answer.complete((MetaData.Response) frame.getMetaData());
            if (frame.isEndStream()) {
                heard.add("end");
            }
            from.demand();
        }

        @Override
        public void onDataAvailable(Stream from) {
            // data that is not read gives no window back
            whenReading(() -> read(from));
        }

        private void read(Stream from) {
            for (Stream.Data data = from.readData(); data != null; data = from.readData()) {
                byte[] bytes = new byte[data.frame().getByteBuffer().remaining()];
                data.frame().getByteBuffer().get(bytes);
                boolean end = data.frame().isEndStream();
                data.release();
                received(bytes);
                if (end) {
                    heard.add("end");
                    return;
                }
            }
            from.demand();
        }

        @Override
        public void onReset(Stream from, ResetFrame frame, Callback callback) {
            heard.add("reset " + frame.getError());
            callback.succeeded();
        }

        @Override
        public void onFailure(Stream from, int error, String reason, Throwable failure, Callback callback) {
            heard.add("reset " + reason);
            callback.succeeded();
        }
    }

    @Override
    public boolean isAccepted() {
        return head.get(":status").equals("200");
    }

    @Override
    public void send(byte[] bytes, boolean end) throws Exception {
        stream.data(new DataFrame(stream.getId(), ByteBuffer.wrap(bytes), end)).get(10, TimeUnit.SECONDS);
    }

    @Override
    public void reset() {
        stream.reset(new ResetFrame(stream.getId(), 8), Callback.NOOP);
    }

    /** TCP's RST, which is of the connection. In cleartext. */
    public void loseConnection() throws Exception {
        SocketChannelEndPoint socket = (SocketChannelEndPoint) ((HTTP2Session) session).getEndPoint();
        socket.getChannel().setOption(StandardSocketOptions.SO_LINGER, 0);
        socket.close();
    }

    @Override
    public void close() throws Exception {
        client.stop();
    }
}
