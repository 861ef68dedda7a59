package dev.h2ws.pekko;

import java.net.URI;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.InputStreamRequestContent;
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

    /** Requests in the words of the JDK's client. */
    RequestTest.Get requests() {
        return (path, method, body, fields) -> {
            Request request = http.newRequest("http://localhost:" + port + path).method(method);
            for (int i = 0; i < fields.length; i += 2) {
                String value = fields[i + 1];
                String name = fields[i];
                request.headers(headers -> headers.put(name, value));
            }
            if (body.contentLength() != 0) {
                byte[] bytes = bytes(body);
                request.body(
                        body.contentLength() > 0
                                ? new BytesRequestContent(contentType(fields), bytes)
                                : new InputStreamRequestContent(
                                        "application/octet-stream", new java.io.ByteArrayInputStream(bytes), null));
            }
            return new Answer(request.timeout(10, TimeUnit.SECONDS).send());
        };
    }

    private static String contentType(String... fields) {
        return fields.length == 2 && fields[0].equals("content-type") ? fields[1] : "application/octet-stream";
    }

    private static byte[] bytes(java.net.http.HttpRequest.BodyPublisher body) {
        var subscriber = java.net.http.HttpResponse.BodySubscribers.ofByteArray();
        body.subscribe(new java.util.concurrent.Flow.Subscriber<>() {
            @Override
            public void onSubscribe(java.util.concurrent.Flow.Subscription subscription) {
                subscriber.onSubscribe(subscription);
            }

            @Override
            public void onNext(ByteBuffer item) {
                subscriber.onNext(java.util.List.of(item));
            }

            @Override
            public void onError(Throwable failure) {
                subscriber.onError(failure);
            }

            @Override
            public void onComplete() {
                subscriber.onComplete();
            }
        });
        return subscriber.getBody().toCompletableFuture().join();
    }

    /** Begins a request and resets its stream once something of the answer is there. */
    void abandon(String path) throws Exception {
        CountDownLatch some = new CountDownLatch(1);
        Request request = http.newRequest("http://localhost:" + port + path)
                .onResponseContent((response, content) -> some.countDown());
        request.send(result -> {});
        some.await(10, TimeUnit.SECONDS);
        request.abort(new java.io.IOException("enough"));
    }

    /** As the JDK's client tells an answer. */
    private record Answer(org.eclipse.jetty.client.ContentResponse response)
            implements java.net.http.HttpResponse<String> {
        @Override
        public int statusCode() {
            return response.getStatus();
        }

        @Override
        public String body() {
            return response.getContentAsString();
        }

        @Override
        public java.net.http.HttpHeaders headers() {
            java.util.Map<String, java.util.List<String>> fields = new java.util.TreeMap<>();
            response.getHeaders()
                    .forEach(field -> fields.computeIfAbsent(field.getLowerCaseName(), n -> new java.util.ArrayList<>())
                            .add(field.getValue()));
            return java.net.http.HttpHeaders.of(fields, (name, value) -> true);
        }

        @Override
        public java.net.http.HttpRequest request() {
            return null;
        }

        @Override
        public java.util.Optional<java.net.http.HttpResponse<String>> previousResponse() {
            return java.util.Optional.empty();
        }

        @Override
        public java.util.Optional<javax.net.ssl.SSLSession> sslSession() {
            return java.util.Optional.empty();
        }

        @Override
        public URI uri() {
            return null;
        }

        @Override
        public java.net.http.HttpClient.Version version() {
            return java.net.http.HttpClient.Version.HTTP_2;
        }
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
