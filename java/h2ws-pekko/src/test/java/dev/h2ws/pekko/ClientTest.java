package dev.h2ws.pekko;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpEntity.ChunkStreamPart;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.http.javadsl.model.Trailer;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

/** Real clients against an ordinary route. */
class ClientTest {
    private static final Route ROUTE = Directives.concat(
            Directives.path("echo", () -> Directives.get(() -> Directives.handleWebSocketMessages(echo()))),
            Directives.path("hello", () -> Directives.get(() -> Directives.complete("hello"))));

    private static Flow<Message, Message, NotUsed> echo() {
        return Flow.create();
    }

    @Test
    void jettyOverHttp2() throws Exception {
        ActorSystem system = ActorSystem.create("client", TestConfig.quiet());
        try {
            ServerBinding binding = H2ws.get(system)
                    .newServerAt("127.0.0.1", 0)
                    .bind(ROUTE)
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            try (Jetty jetty = new Jetty(binding.localAddress().getPort())) {
                Jetty.Socket socket = jetty.connect("/echo");
                socket.session.sendText("grüße", org.eclipse.jetty.websocket.api.Callback.NOOP);
                assertThat(socket.next()).isEqualTo("text grüße");
                assertThat(jetty.http.GET("http://localhost:" + binding.localAddress().getPort() + "/hello")
                                .getContentAsString())
                        .isEqualTo("hello");
                socket.session.close(1000, "bye", org.eclipse.jetty.websocket.api.Callback.NOOP);
                assertThat(socket.next()).isEqualTo("close 1000");
            }
            binding.terminate(Duration.ofSeconds(5)).toCompletableFuture().get(10, TimeUnit.SECONDS);
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }

    private static final Route TRAILERS = Directives.concat(
            Directives.path("attribute", () -> Directives.complete(HttpResponse.create()
                    .withEntity("whole")
                    .addAttribute(AttributeKeys.trailer, Trailer.create().addHeader(RawHeader.create("X-Sum", "1"))))),
            Directives.path("last-chunk", () -> Directives.complete(HttpResponse.create()
                    .withEntity(chunked("2"))
                    .addAttribute(AttributeKeys.trailer, Trailer.create().addHeader(RawHeader.create("X-Sum", "1"))))));

    /** With such a trailer. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    static ResponseEntity chunked(String sum) {
        Source parts = Source.from(List.of(
                ChunkStreamPart.create(ByteString.fromString("parts")),
                ChunkStreamPart.createLast("", List.of(RawHeader.create("X-Sum", sum)))));
        return new org.apache.pekko.http.scaladsl.model.HttpEntity.Chunked(
                org.apache.pekko.http.scaladsl.model.ContentTypes.text$divplain$u0028UTF$minus8$u0029(), parts.asScala());
    }

    @Test
    void trailersOfTheAttributeOrOfTheLastChunkWhichWins() throws Exception {
        ActorSystem system = ActorSystem.create("trailers", TestConfig.quiet());
        try {
            int port = H2ws.get(system)
                    .newServerAt("127.0.0.1", 0)
                    .bind(TRAILERS)
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS)
                    .localAddress()
                    .getPort();
            try (Jetty jetty = new Jetty(port)) {
                for (String[] row : new String[][] {{"attribute", "whole", "1"}, {"last-chunk", "parts", "2"}}) {
                    var response = jetty.http.GET("http://localhost:" + port + "/" + row[0]);
                    assertThat(response.getContentAsString()).isEqualTo(row[1]);
                    assertThat(response.getTrailers().get("x-sum")).isEqualTo(row[2]);
                }
            }
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
    }
}
