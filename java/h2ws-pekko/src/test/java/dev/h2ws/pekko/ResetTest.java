package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.scaladsl.model.http2.PeerClosedStreamException;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.eclipse.jetty.http.HostPortHttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.PingFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a route is told when the client takes a stream back, with RST_STREAM (RFC 9113 section 5.4.2). */
class ResetTest {
    private static final int CANCEL = 8;

    /** What the upload's entity failed with; null: it did not. */
    private final CompletableFuture<Throwable> uploaded = new CompletableFuture<>();
    private final CompletableFuture<Done> answered = new CompletableFuture<>();
    private final BlockingQueue<CompletableFuture<Done>> handshakes = new LinkedBlockingQueue<>();
    private final BlockingQueue<Boolean> pongs = new LinkedBlockingQueue<>();
    private final BlockingQueue<Integer> materialized = new LinkedBlockingQueue<>();
    /** Of one route at a time. */
    private int handshake;
    private final HTTP2Client client = new HTTP2Client();

    private ActorSystem system;
    private int port;
    private Session session;

    private Route routes() {
        return Directives.concat(
                Directives.path("upload", () -> Directives.extractRequest(request -> {
                    request.entity()
                            .getDataBytes()
                            .runWith(Sink.ignore(), system)
                            .whenComplete((done, thrown) -> uploaded.complete(thrown));
                    return Directives.completeWithFuture(new CompletableFuture<HttpResponse>());
                })),
                Directives.path("endless", () -> {
                    Source<ByteString, ?> endless = Source.repeat(ByteString.fromString("on and on"))
                            .watchTermination((none, end) -> {
                                end.whenComplete((done, thrown) -> answered.complete(Done.getInstance()));
                                return none;
                            });
                    return Directives.complete(HttpResponse.create()
                            .withEntity(HttpEntities.createChunked(ContentTypes.APPLICATION_OCTET_STREAM, endless)));
                }),
                Directives.path("ws", () -> {
                    CompletableFuture<Done> decided = new CompletableFuture<>();
                    int number = ++handshake;
                    handshakes.add(decided);
                    return Directives.onSuccess(decided, done -> Directives.handleWebSocketMessages(
                            Flow.<Message>create().mapMaterializedValue(none -> {
                                materialized.add(number);
                                return none;
                            })));
                }));
    }

    /** @param stock whether Pekko HTTP's own HTTP/2 serves, which has no WebSockets */
    private void start(boolean stock) throws Exception {
        // fewer streams than are reset: one that would stay is one that is missing
        system = ActorSystem.create("reset", TestConfig.with("pekko.http.server { enable-http2 = on, preview.enable-http2 = on }\n"
                + "pekko.http.server.http2.max-concurrent-streams = 8"));
        ServerBuilder builder = stock
                ? Http.get(system).newServerAt("127.0.0.1", 0)
                : H2ws.get(system).newServerAt("127.0.0.1", 0);
        ServerBinding binding = builder.bind(routes())
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        port = binding.localAddress().getPort();
        client.start();
        session = Http2Wire.connect(client, port, null, new Session.Listener() {
            @Override
            public void onPing(Session from, PingFrame frame) {
                if (frame.isReply()) {
                    pongs.add(true);
                }
            }
        });
    }

    @AfterEach
    void stop() throws Exception {
        client.stop();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private Stream open(MetaData.Request head, boolean end, Stream.Listener listener) throws Exception {
        return session.newStream(new HeadersFrame(head, null, end), listener).get(10, TimeUnit.SECONDS);
    }

    private MetaData.Request request(String method, String path) {
        return new MetaData.Request(
                method, HttpURI.from("http://localhost:" + port + path), HttpVersion.HTTP_2, HttpFields.EMPTY);
    }

    private static void reset(Stream stream) throws Exception {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        stream.reset(new ResetFrame(stream.getId(), CANCEL), Callback.from(() -> sent.complete(null), sent::completeExceptionally));
        sent.get(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anUploadFailsWithTheStreamAndItsCode(boolean stock) throws Exception {
        start(stock);
        Stream stream = open(request("POST", "/upload"), false, new Stream.Listener() {});
        stream.data(new DataFrame(stream.getId(), ByteBuffer.wrap(new byte[1000]), false)).get(10, TimeUnit.SECONDS);
        reset(stream);
        assertThat(uploaded.get(10, TimeUnit.SECONDS)).isInstanceOfSatisfying(PeerClosedStreamException.class, thrown -> {
            assertThat(thrown.streamId()).isEqualTo(stream.getId());
            assertThat(thrown).hasMessageContaining("CANCEL");
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAnswerIsCancelled(boolean stock) throws Exception {
        start(stock);
        CompletableFuture<Void> begun = new CompletableFuture<>();
        Stream stream = open(request("GET", "/endless"), true, new Stream.Listener() {
            @Override
            public void onDataAvailable(Stream from) {
                // it is not read, and so comes to its window's end
                begun.complete(null);
            }

            @Override
            public void onHeaders(Stream from, HeadersFrame frame) {
                from.demand();
            }
        });
        begun.get(10, TimeUnit.SECONDS);
        assertThat(answered).isNotDone();
        reset(stream);
        answered.get(10, TimeUnit.SECONDS);
    }

    @Test
    void aFlowIsNotMaterializedForAHandshakeThatIsGone() throws Exception {
        start(false);
        for (int i = 0; i < 100; i++) {
            Stream stream = open(connect(), false, new Stream.Listener() {});
            CompletableFuture<Done> decided = handshakes.poll(10, TimeUnit.SECONDS);
            assertThat(decided).isNotNull();
            reset(stream);
            // its answer is behind the reset in the server's input
            session.ping(new PingFrame(false), Callback.NOOP);
            assertThat(pongs.poll(10, TimeUnit.SECONDS)).isNotNull();
            decided.complete(Done.getInstance());
        }
        // one that stays is served, after all of these have been
        CompletableFuture<Integer> status = new CompletableFuture<>();
        open(connect(), false, new Stream.Listener() {
            @Override
            public void onHeaders(Stream from, HeadersFrame frame) {
                status.complete(((MetaData.Response) frame.getMetaData()).getStatus());
            }
        });
        handshakes.poll(10, TimeUnit.SECONDS).complete(Done.getInstance());
        assertThat(status.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(materialized.poll(10, TimeUnit.SECONDS)).as("the first to be materialized").isEqualTo(101);
    }

    private MetaData.ConnectRequest connect() {
        HttpFields fields = HttpFields.build().put("sec-websocket-version", "13");
        return new MetaData.ConnectRequest("http", new HostPortHttpField("localhost:" + port), "/ws", fields, "websocket");
    }
}
