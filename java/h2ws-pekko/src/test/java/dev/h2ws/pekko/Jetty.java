package dev.h2ws.pekko;

import java.net.URI;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Origin;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.client.transport.HttpClientTransportOverHTTP2;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;

/** A real client of WebSockets over HTTP/2: Jetty's, by prior knowledge. */
final class Jetty implements AutoCloseable {
    private static final ByteBuffer PROBE = ByteBuffer.wrap(new byte[] {'p', 'r', 'o', 'b', 'e'}).asReadOnlyBuffer();

    final HttpClient http;
    private final WebSocketClient sockets;
    private final int port;

    Jetty(int port) throws Exception {
        this.port = port;
        http = new HttpClient(new HttpClientTransportOverHTTP2(new HTTP2Client(new ClientConnector())) {
            @Override
            public Origin newOrigin(Request request) {
                // or there would be a connection for ws: and another one for http:
                request.scheme("http");
                return super.newOrigin(request);
            }
        });
        http.setMaxConnectionsPerDestination(1);
        sockets = new WebSocketClient(http);
        http.start();
        sockets.start();
    }

    Socket connect(String path, String... subprotocols) throws Exception {
        Socket socket = new Socket();
        ClientUpgradeRequest request = new ClientUpgradeRequest(URI.create("ws://localhost:" + port + path));
        request.setSubProtocols(subprotocols);
        socket.session = sockets.connect(socket, request).get(10, TimeUnit.SECONDS);
        socket.settle();
        return socket;
    }

    @Override
    public void close() throws Exception {
        sockets.stop();
        http.stop();
    }

    /** Public, because Jetty calls it by reflection. */
    public static final class Socket implements Session.Listener.AutoDemanding {
        final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final CountDownLatch settled = new CountDownLatch(1);
        Session session;

        /** This client now and then loses what comes right after it has said that the socket is open. */
        private void settle() throws Exception {
            do {
                session.sendPing(PROBE.duplicate(), Callback.NOOP);
            } while (!settled.await(100, TimeUnit.MILLISECONDS));
        }

        String next() throws InterruptedException {
            String next = heard.poll(10, TimeUnit.SECONDS);
            return next == null ? "nothing in 10 s" : next;
        }

        @Override
        public void onWebSocketText(String text) {
            heard.add("text " + text);
        }

        @Override
        public void onWebSocketPong(ByteBuffer data) {
            settled.countDown();
        }

        @Override
        public void onWebSocketClose(int code, String reason, Callback callback) {
            heard.add("close " + code);
            callback.succeed();
        }

        @Override
        public void onWebSocketError(Throwable error) {
            heard.add("error " + error);
        }
    }
}
