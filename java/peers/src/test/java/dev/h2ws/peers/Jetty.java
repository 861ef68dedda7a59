package dev.h2ws.peers;

import java.net.URI;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Origin;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.client.transport.HttpClientTransportOverHTTP2;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.exceptions.UpgradeException;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;

/** Jetty's client: HTTP/2 by prior knowledge, or by ALPN over TLS. */
final class Jetty implements Peer {
    private final HttpClient http;
    private final WebSocketClient sockets;
    private final String authority;
    private final boolean secure;

    Jetty(int port, KeyStore trusted) throws Exception {
        secure = trusted != null;
        authority = "localhost:" + port;
        ClientConnector connector = new ClientConnector();
        if (secure) {
            SslContextFactory.Client ssl = new SslContextFactory.Client();
            ssl.setTrustStore(trusted);
            connector.setSslContextFactory(ssl);
        }
        HTTP2Client http2 = new HTTP2Client(connector);
        http = new HttpClient(new HttpClientTransportOverHTTP2(http2) {
            @Override
            public Origin newOrigin(Request request) {
                // or there would be a connection for ws: and another one for http:
                request.scheme(secure ? "https" : "http");
                return super.newOrigin(request);
            }
        });
        http.setMaxConnectionsPerDestination(1);
        sockets = new WebSocketClient(http);
        sockets.setIdleTimeout(Duration.ofMinutes(1));
        sockets.setMaxTextMessageSize(4 << 20);
        sockets.setMaxBinaryMessageSize(4 << 20);
        sockets.setMaxFrameSize(4 << 20);
        http.start();
        sockets.start();
    }

    private CompletableFuture<Session> upgrade(JettySocket socket, String path, String... subprotocols)
            throws Exception {
        ClientUpgradeRequest request =
                new ClientUpgradeRequest(URI.create((secure ? "wss://" : "ws://") + authority + path));
        request.setSubProtocols(subprotocols);
        return sockets.connect(socket, request);
    }

    @Override
    public Socket connect(String path, String... subprotocols) throws Exception {
        JettySocket socket = new JettySocket();
        socket.session = upgrade(socket, path, subprotocols).get(SECONDS, TimeUnit.SECONDS);
        socket.settle();
        return socket;
    }

    @Override
    public Refusal refused(String path) throws Exception {
        try {
            upgrade(new JettySocket(), path).get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UpgradeException refused) {
                return new Refusal(refused.getResponseStatusCode(), null);
            }
            throw e;
        }
        throw new AssertionError(path + " was accepted");
    }

    @Override
    public byte[] post(String path, byte[] body) throws Exception {
        ContentResponse response = http.POST((secure ? "https://" : "http://") + authority + path)
                .body(new BytesRequestContent(body))
                .timeout(SECONDS, TimeUnit.SECONDS)
                .send();
        if (response.getStatus() != 200 || response.getVersion() != HttpVersion.HTTP_2) {
            throw new AssertionError(response.toString());
        }
        return response.getContent();
    }

    @Override
    public void close() throws Exception {
        sockets.stop();
        http.stop();
    }

    /** Public, because Jetty calls it by reflection. */
    public static final class JettySocket extends Socket implements Session.Listener.AutoDemanding {
        private static final ByteBuffer PROBE = ByteBuffer.wrap(new byte[] {'p', 'r', 'o', 'b', 'e'}).asReadOnlyBuffer();

        private final CountDownLatch settled = new CountDownLatch(1);
        private Session session;

        /**
         * Waits until what the server sends is heard: this client now and then loses what comes right after it has said
         * that the socket is open, whoever the server is.
         */
        private void settle() throws Exception {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            do {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("no Ping was answered in " + SECONDS + " s");
                }
                sent(callback -> session.sendPing(PROBE.duplicate(), callback));
            } while (!settled.await(100, TimeUnit.MILLISECONDS));
        }

        @Override
        public void onWebSocketText(String text) {
            heard.add(Heard.text(text));
        }

        @Override
        public void onWebSocketBinary(ByteBuffer data, Callback callback) {
            heard.add(Heard.binary(bytes(data)));
            callback.succeed();
        }

        @Override
        public void onWebSocketPong(ByteBuffer data) {
            if (data.equals(PROBE)) {
                settled.countDown();
            } else {
                heard.add(Heard.pong(bytes(data)));
            }
        }

        @Override
        public void onWebSocketClose(int code, String reason, Callback callback) {
            heard.add(Heard.close(code, reason == null ? "" : reason));
            callback.succeed();
        }

        @Override
        public void onWebSocketError(Throwable error) {
            heard.add(Heard.error(error));
        }

        private static byte[] bytes(ByteBuffer data) {
            byte[] bytes = new byte[data.remaining()];
            data.get(bytes);
            return bytes;
        }

        private static void sent(Consumer<Callback> send) throws Exception {
            Callback.Completable.with(send::accept).get(SECONDS, TimeUnit.SECONDS);
        }

        @Override
        String subprotocol() {
            return session.getUpgradeResponse().getAcceptedSubProtocol();
        }

        @Override
        void text(String text) throws Exception {
            sent(callback -> session.sendText(text, callback));
        }

        @Override
        void binary(byte[] data) throws Exception {
            sent(callback -> session.sendBinary(ByteBuffer.wrap(data), callback));
        }

        @Override
        void ping(byte[] data) throws Exception {
            sent(callback -> session.sendPing(ByteBuffer.wrap(data), callback));
        }

        @Override
        void close(int code, String reason) {
            // it fails now and then when the answer is there before it is called: what the server heard is what counts
            session.close(code, reason, Callback.NOOP);
        }
    }
}
