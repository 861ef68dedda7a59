package dev.h2ws.peers;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.ClientFactoryBuilder;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.client.websocket.WebSocketClient;
import com.linecorp.armeria.client.websocket.WebSocketClientHandshakeException;
import com.linecorp.armeria.client.websocket.WebSocketSession;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.websocket.CloseWebSocketFrame;
import com.linecorp.armeria.common.websocket.WebSocketCloseStatus;
import com.linecorp.armeria.common.websocket.WebSocketFrame;
import com.linecorp.armeria.common.websocket.WebSocketWriter;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.TrustManagerFactory;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** Armeria's client: HTTP/2 by prior knowledge, or by ALPN over TLS. */
final class Armeria implements Peer {
    private final ClientFactory factory;
    private final String authority;
    private final boolean secure;
    private final WebClient http;

    Armeria(int port, KeyStore trusted) throws Exception {
        secure = trusted != null;
        // no name: Armeria would ask name servers before it looks at the hosts file
        authority = "127.0.0.1:" + port;
        // one thread, for which Armeria makes one connection
        ClientFactoryBuilder builder = ClientFactory.builder().workerGroup(1).connectTimeout(Duration.ofSeconds(SECONDS));
        if (secure) {
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            builder.tlsCustomizer(tls -> tls.trustManager(trust));
        }
        factory = builder.build();
        http = WebClient.builder((secure ? "h2://" : "h2c://") + authority)
                .factory(factory)
                .responseTimeout(Duration.ofSeconds(SECONDS))
                .maxResponseLength(0)
                .build();
    }

    private CompletableFuture<WebSocketSession> upgrade(String path, String... subprotocols) {
        return WebSocketClient.builder((secure ? "ws+h2://" : "ws+h2c://") + authority)
                .factory(factory)
                .subprotocols(subprotocols)
                .maxFramePayloadLength(4 << 20)
                .maxResponseLength(0)
                .aggregateContinuation(true)
                .build()
                .connect(path);
    }

    @Override
    public Socket connect(String path, String... subprotocols) throws Exception {
        return new ArmeriaSocket(upgrade(path, subprotocols).get(SECONDS, TimeUnit.SECONDS));
    }

    @Override
    public Refusal refused(String path) throws Exception {
        try {
            upgrade(path).get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WebSocketClientHandshakeException refused) {
                return new Refusal(refused.headers().status().code(), null);
            }
            throw e;
        }
        throw new AssertionError(path + " was accepted");
    }

    @Override
    public byte[] post(String path, byte[] body) throws Exception {
        AggregatedHttpResponse response = http.post(path, body).aggregate().get(SECONDS, TimeUnit.SECONDS);
        if (response.status().code() != 200) {
            throw new AssertionError(response.toString());
        }
        return response.content().array();
    }

    @Override
    public void close() {
        // not close(): that is two seconds of quiet
        factory.closeAsync();
    }

    private static final class ArmeriaSocket extends Socket implements Subscriber<WebSocketFrame> {
        private final WebSocketSession session;
        private final WebSocketWriter out;

        ArmeriaSocket(WebSocketSession session) {
            this.session = session;
            out = session.outbound();
            session.inbound().subscribe(this);
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(WebSocketFrame frame) {
            switch (frame.type()) {
                case TEXT -> heard.add(Heard.text(frame.text()));
                case BINARY -> heard.add(Heard.binary(frame.array()));
                case PONG -> heard.add(Heard.pong(frame.array()));
                // Armeria leaves the answers to its users
                case PING -> out.writePong(frame.array());
                case CLOSE -> {
                    CloseWebSocketFrame close = (CloseWebSocketFrame) frame;
                    String reason = close.reasonPhrase();
                    heard.add(Heard.close(close.status().code(), reason == null ? "" : reason));
                    out.close(close.status());
                }
                default -> heard.add(Heard.error(new IllegalStateException(frame.toString())));
            }
        }

        @Override
        public void onError(Throwable error) {
            heard.add(Heard.error(error));
        }

        @Override
        public void onComplete() {}

        @Override
        String subprotocol() {
            return session.subprotocol();
        }

        @Override
        void text(String text) {
            out.write(text);
        }

        @Override
        void binary(byte[] data) {
            out.write(data);
        }

        @Override
        void ping(byte[] data) {
            out.writePing(data);
        }

        @Override
        void close(int code, String reason) {
            out.close(WebSocketCloseStatus.ofPrivateUse(code, "private"), reason);
        }
    }
}
