package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** Exceptions out of callbacks, and mistakes. */
class FailureTest extends EngineTest {
    @Test
    void anExceptionInACallbackClosesThatSocketAlone() throws Exception {
        Client.Place place = serve(request -> request.accept(new Echo() {
            @Override
            public void text(WebSocket socket, String text) {
                if (text.equals("fail")) {
                    throw new IllegalStateException("on purpose");
                }
                super.text(socket, text);
            }
        }));
        Client other = Client.connect(place, "/other");
        Client client = Client.connect(place, "/fails");
        client.socket.sendText("fail", true).join();
        assertThat(client.next()).isEqualTo("close 1011");
        assertThat(closed()).isNotNull();
        other.socket.sendText("well", true).join();
        assertThat(other.next()).isEqualTo("text well");
        assertThat(logged).anySatisfy(line -> assertThat(line).contains("GET /fails").contains("on purpose"));
    }

    @Test
    void theDeflateThatIsSetLastIsAllThatIsSet() throws Exception {
        // which the engine would refuse
        Deflate wrong = Deflate.defaults().level(99);
        Client.Place place = serve(builder().deflate(wrong).deflate(Deflate.defaults()), request -> request.respond(200, "ok"));
        assertThat(Client.get(place, "/").body()).isEqualTo("ok");
    }

    @Test
    void anExceptionInTheHandlerIs500() throws Exception {
        Client.Place place = serve(request -> {
            throw new java.io.IOException("on purpose");
        });
        assertThat(Client.get(place, "/page").statusCode()).isEqualTo(500);
        assertThat(logged).singleElement().satisfies(line -> assertThat(line)
                .startsWith("ERROR request ")
                .contains("(GET /page)")
                .contains("on purpose"));
        assertThatThrownBy(() -> Client.connect(place, "/socket"))
                .isInstanceOf(CompletionException.class)
                .hasMessageContaining("Handshake");
        assertThat(logged).anySatisfy(line -> assertThat(line)
                .startsWith("ERROR WebSocket ")
                .contains("(GET /socket)")
                .contains("on purpose"));
    }

    /** Where nobody has set a log: the JDK's own, which is java.util.logging's unless a library brings another. */
    @Test
    void theLogIsTheSystemsLogger() throws Exception {
        List<LogRecord> records = new CopyOnWriteArrayList<>();
        java.util.logging.Handler handler = new java.util.logging.Handler() {
            @Override
            public void publish(LogRecord log) {
                records.add(log);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("dev.h2ws");
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
        try {
            IllegalStateException thrown = new IllegalStateException("on purpose");
            Client.Place place = serve(H2ws.builder().loops(1), request -> {
                throw thrown;
            });
            assertThat(Client.get(place, "/page").statusCode()).isEqualTo(500);
            assertThat(records).filteredOn(log -> log.getLevel() == Level.SEVERE).singleElement().satisfies(log -> {
                assertThat(log.getMessage()).contains("(GET /page)").contains("a callback threw");
                assertThat(log.getThrown()).isSameAs(thrown);
            });
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
    }

    @Test
    void anExceptionBehindTheAnswerCutsIt() {
        Client.Place place = serve(request -> {
            request.respondStart(200, Headers.of()).send(new byte[10]);
            throw new IllegalStateException("on purpose");
        });
        assertThatThrownBy(() -> Client.get(place, "/")).isInstanceOf(java.io.IOException.class);
    }

    @Test
    void anExceptionInABodyListenerIs500() throws Exception {
        Client.Place place = serve(request -> request.body((of, data) -> {
            throw new IllegalStateException("on purpose");
        }));
        HttpRequest post = HttpRequest.newBuilder(place.http("/"))
                .POST(HttpRequest.BodyPublishers.ofString("body"))
                .build();
        assertThat(Client.HTTP.send(post, HttpResponse.BodyHandlers.ofString()).statusCode())
                .isEqualTo(500);
        assertThat(logged).anySatisfy(line -> assertThat(line).contains("(POST /)").contains("on purpose"));
    }

    @Test
    void aSecondAnswerIsAMistake() throws Exception {
        Client.Place place = serve(request -> {
            request.respond(200, "first");
            assertThatThrownBy(() -> request.respond(200, "second"))
                    .isInstanceOf(H2wsException.class)
                    .hasMessageContaining("GET /twice")
                    .hasMessageContaining("answered already");
            logged.add("seen");
        });
        assertThat(Client.get(place, "/twice").body()).isEqualTo("first");
        assertThat(logged).contains("seen");
    }

    @Test
    void anAnswerOfTheWrongKindIsAMistakeAndLeavesTheRequestUnanswered() throws Exception {
        Client.Place place = serve(request -> {
            assertThatThrownBy(() -> request.accept(new Echo())).hasMessageContaining("is for WebSocket handshakes");
            assertThatThrownBy(() -> request.respond(99, "")).isInstanceOf(H2wsException.class);
            request.respond(200, "ok");
        });
        assertThat(Client.get(place, "/").body()).isEqualTo("ok");
    }

    @Test
    void aSubprotocolThatWasNotOfferedIsAMistakeAndLeavesTheHandshakeUnanswered() throws Exception {
        Client.Place place = serve(request -> {
            assertThatThrownBy(() -> request.accept(AcceptOptions.defaults().subprotocol("mine"), new Echo()))
                    .isInstanceOf(H2wsException.class);
            request.accept(new Echo());
        });
        Client client = Client.connect(place, "/", "theirs");
        client.socket.sendText("a", true).join();
        assertThat(client.next()).isEqualTo("text a");
    }

    @Test
    void aWrongFieldIsNamed() {
        assertThatThrownBy(() -> H2ws.builder().set("max_message", 1).start())
                .isInstanceOfSatisfying(H2wsException.class, e -> assertThat(e.status())
                        .isEqualTo(Status.INVALID_CONFIG))
                .hasMessageContaining("max_message is 1");
        assertThatThrownBy(() -> H2ws.builder().set("no_such", 1).start())
                .isInstanceOf(H2wsException.class)
                .hasMessageContaining("no_such");
    }

    @Test
    void anAddressInUseIsNamed() {
        Client.Place place = serve(request -> {});
        assertThatThrownBy(() -> engine.listen(place.authority(), request -> {}))
                .isInstanceOfSatisfying(H2wsException.class, e -> assertThat(e.status())
                        .isEqualTo(Status.ADDRESS_IN_USE))
                .hasMessageContaining(place.authority());
    }
}
