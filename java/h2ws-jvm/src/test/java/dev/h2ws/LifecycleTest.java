package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Engines begin and end. */
class LifecycleTest extends EngineTest {
    @Test
    void closedTwiceAndUsedAfterwards() {
        serve(request -> {});
        engine.close();
        engine.close();
        assertThat(loopThreads()).isFalse();
        assertThatThrownBy(() -> engine.listen("127.0.0.1:0", request -> {}))
                .isInstanceOfSatisfying(H2wsException.class, e -> assertThat(e.status())
                        .isIn(Status.GONE, Status.SHUTTING_DOWN));
        assertThatThrownBy(engine::stats).isInstanceOf(H2wsException.class);
    }

    @Test
    void closedInACallback() throws Exception {
        CompletableFuture<String> thread = new CompletableFuture<>();
        Client.Place place = serve(request -> request.accept(new Echo() {
            @Override
            public void text(WebSocket socket, String text) {
                engine.close();
                thread.complete(Thread.currentThread().getName());
            }
        }));
        Client.connect(place, "/").socket.sendText("close", true);
        assertThat(thread.join()).startsWith("h2ws-loop-");
        assertThat(closed().cause()).isEqualTo(Closed.Cause.DRAIN);
    }

    @Test
    void aDrainInACallbackIsAMistake() throws Exception {
        Client.Place place = serve(request -> {
            assertThatThrownBy(() -> engine.drain(Duration.ZERO))
                    .isInstanceOfSatisfying(
                            H2wsException.class, e -> assertThat(e.status()).isEqualTo(Status.WRONG_THREAD));
            request.respond(200, "ok");
        });
        assertThat(Client.get(place, "/").body()).isEqualTo("ok");
    }

    @Test
    void nothingIsTakenAfterADrain() {
        serve(request -> {});
        engine.drain(Duration.ofSeconds(1));
        assertThatThrownBy(() -> engine.listen("127.0.0.1:0", request -> {}))
                .isInstanceOfSatisfying(
                        H2wsException.class, e -> assertThat(e.status()).isEqualTo(Status.SHUTTING_DOWN));
    }

    @Test
    void twoEnginesBesideEachOther() throws Exception {
        Client.Place first = serve(request -> request.respond(200, "first"));
        try (H2ws other = builder().start()) {
            Client.Place second = Client.Place.of(other.listen("127.0.0.1:0", r -> r.respond(200, "second")));
            assertThat(Client.get(first, "/").body()).isEqualTo("first");
            assertThat(Client.get(second, "/").body()).isEqualTo("second");
        }
        assertThat(Client.get(first, "/").body()).isEqualTo("first");
    }

    @Test
    void manyEnginesOneAfterAnother() {
        for (int i = 0; i < 50; i++) {
            try (H2ws one = builder().start()) {
                one.listen("127.0.0.1:0", request -> {});
            }
        }
        assertThat(loopThreads()).isFalse();
    }

    @Test
    void anEngineThatIsLostIsLoggedWithItsPlaceAndStopped() throws Exception {
        lose();
        for (int i = 0; i < 100 && logged.isEmpty(); i++) {
            System.gc();
            Thread.sleep(50);
        }
        assertThat(logged).singleElement().satisfies(line -> assertThat(line).contains("lost without close()"));
        for (int i = 0; i < 100 && loopThreads(); i++) {
            Thread.sleep(50);
        }
    }

    private void lose() {
        builder().start();
    }

    @Test
    void theLogOfALossNamesWhereTheEngineWasMade() throws Exception {
        CompletableFuture<Throwable> lost = new CompletableFuture<>();
        loseAs(lost);
        for (int i = 0; i < 100 && !lost.isDone(); i++) {
            System.gc();
            Thread.sleep(50);
        }
        assertThat(lost).isDone();
        assertThat(lost.join().getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(LifecycleTest.class.getName())
                        && frame.getMethodName().equals("loseAs"));
        for (int i = 0; i < 100 && loopThreads(); i++) {
            Thread.sleep(50);
        }
    }

    private void loseAs(CompletableFuture<Throwable> lost) {
        H2ws.builder()
                .loops(1)
                .onLog((level, text, thrown) -> lost.complete(thrown))
                .start();
    }

    @Test
    void closedInARequestsCallback() throws Exception {
        CompletableFuture<Closed> ended = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            request.onClosed(ended::complete);
            engine.close();
        });
        assertThatThrownBy(() -> Client.get(place, "/")).isInstanceOf(java.io.IOException.class);
        assertThat(ended.get(10, TimeUnit.SECONDS).cause()).isEqualTo(Closed.Cause.DRAIN);
    }

    @Test
    void anEngineThatListensIsNotLost() throws Exception {
        String address = listenAndForget();
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertThat(logged).noneMatch(line -> line.contains("lost"));
        assertThat(Client.get(new Client.Place(address, false), "/close").body()).isEqualTo("closing");
        for (int i = 0; i < 100 && loopThreads(); i++) {
            Thread.sleep(50);
        }
    }

    private String listenAndForget() {
        H2ws forgotten = builder().start();
        Listener[] listener = new Listener[1];
        listener[0] = forgotten.listen("127.0.0.1:0", request -> {
            request.onClosed(how -> listener[0].engine().close());
            request.respond(200, "closing");
        });
        return listener[0].address();
    }
}
