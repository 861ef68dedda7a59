package dev.h2ws;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket.Listener;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The JDK's WebSocket client, and what it heard as texts: {@code text hello}, {@code binary 3}, {@code close 1000 bye},
 * {@code error why}.
 */
final class Client implements Listener {
    static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private int binary;
    java.net.http.WebSocket socket;

    static Client connect(Place to, String path, String... subprotocols) {
        Client client = new Client();
        java.net.http.WebSocket.Builder builder = HTTP.newWebSocketBuilder();
        if (subprotocols.length > 0) {
            String[] more = java.util.Arrays.copyOfRange(subprotocols, 1, subprotocols.length);
            builder.subprotocols(subprotocols[0], more);
        }
        client.socket = builder.buildAsync(to.ws(path), client).join();
        return client;
    }

    static HttpResponse<String> get(Place to, String path) throws Exception {
        return HTTP.send(HttpRequest.newBuilder(to.http(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** A hundred posts at once; each answer stands where its body's number does. */
    static List<HttpResponse<String>> posts(HttpClient client, Place to, IntUnaryOperator size) {
        List<CompletableFuture<HttpResponse<String>>> all = IntStream.range(0, 100)
                .mapToObj(i -> client.sendAsync(
                        HttpRequest.newBuilder(to.http("/"))
                                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[size.applyAsInt(i)]))
                                .build(),
                        HttpResponse.BodyHandlers.ofString()))
                .toList();
        return all.stream().map(CompletableFuture::join).toList();
    }

    String next() throws InterruptedException {
        String next = heard.poll(10, TimeUnit.SECONDS);
        return next == null ? "nothing in 10 s" : next;
    }

    @Override
    public CompletionStage<?> onText(java.net.http.WebSocket from, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            heard.add("text " + text);
            text.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(java.net.http.WebSocket from, ByteBuffer data, boolean last) {
        binary += data.remaining();
        if (last) {
            heard.add("binary " + binary);
            binary = 0;
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onPing(java.net.http.WebSocket from, ByteBuffer data) {
        heard.add("ping " + data.remaining());
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onPong(java.net.http.WebSocket from, ByteBuffer data) {
        heard.add("pong " + data.remaining());
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(java.net.http.WebSocket from, int code, String reason) {
        heard.add(("close " + code + " " + reason).trim());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onError(java.net.http.WebSocket from, Throwable error) {
        heard.add("error " + error);
    }

    /** Where a listener is, as URIs. */
    record Place(String authority, boolean tls) {
        static Place of(dev.h2ws.Listener listener) {
            return new Place(listener.address(), false);
        }

        URI ws(String path) {
            return URI.create((tls ? "wss://" : "ws://") + authority + path);
        }

        URI http(String path) {
            return URI.create((tls ? "https://" : "http://") + authority + path);
        }
    }
}
