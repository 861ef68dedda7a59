package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Demand, BUSY and writable; and the order of callbacks on an executor. */
class BackPressureTest extends EngineTest {
    @Test
    void messagesComeAsTheyAreAskedFor() throws Exception {
        CompletableFuture<WebSocket> opened = new CompletableFuture<>();
        Client client = Client.connect(
                serve(request -> opened.complete(request.accept(AcceptOptions.defaults().demand(), new Echo()))),
                "/");
        for (int i = 0; i < 5; i++) {
            client.socket.sendText("" + i, true).join();
        }
        EchoTest.sleep(100);
        assertThat(client.heard).isEmpty();
        opened.join().demand(2);
        assertThat(List.of(client.next(), client.next())).containsExactly("text 0", "text 1");
        EchoTest.sleep(100);
        assertThat(client.heard).isEmpty();
        opened.join().demand(Long.MAX_VALUE);
        assertThat(List.of(client.next(), client.next(), client.next())).containsExactly("text 2", "text 3", "text 4");
        assertThatThrownBy(() -> opened.join().demand(0)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Parts that come together are one, and count as one. */
    @Test
    void partsOfALargeMessageAreNoMoreThanAreAskedFor() throws Exception {
        AtomicInteger parts = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger(2);
        AtomicInteger bytes = new AtomicInteger();
        CompletableFuture<Integer> most = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            AcceptOptions options = AcceptOptions.defaults().fragments().demand();
            WebSocket opened = request.accept(options, new WebSocketListener() {
                @Override
                public void fragment(WebSocket socket, Fragment part) {
                    if (parts.incrementAndGet() > asked.get()) {
                        most.completeExceptionally(new AssertionError(parts + " parts, " + asked + " asked for"));
                    }
                    bytes.addAndGet(part.data().length);
                    if (part.last()) {
                        most.complete(parts.get());
                    } else if (parts.get() == asked.get()) {
                        asked.addAndGet(2);
                        socket.demand(2);
                    }
                }
            });
            opened.demand(2);
        });
        Client client = Client.connect(place, "/");
        byte[] message = new byte[5_000_000];
        client.socket.sendBinary(ByteBuffer.wrap(message), true).join();
        assertThat(most.get(10, TimeUnit.SECONDS)).isGreaterThan(2);
        assertThat(bytes).hasValue(message.length);
    }

    @Test
    void aFloodGoesAsFastAsTheClientTakesIt() throws Exception {
        int count = 2000;
        AtomicInteger busy = new AtomicInteger();
        AtomicInteger writable = new AtomicInteger();
        Client.Place place = serve(builder().sendQueue(100_000), request -> request.accept(new Echo() {
            private int sent;

            // asked for, and not in open(): the JDK's client mixes up much that comes in one read with the 101
            @Override
            public void text(WebSocket socket, String text) {
                flood(socket);
            }

            private void flood(WebSocket socket) {
                while (sent < count) {
                    if (socket.sendBinary(new byte[10_000]) == SendResult.BUSY) {
                        busy.incrementAndGet();
                        return;
                    }
                    sent++;
                }
                socket.close();
            }

            @Override
            public void writable(WebSocket socket) {
                writable.incrementAndGet();
                flood(socket);
            }
        }));
        Client client = Client.connect(place, "/");
        client.socket.sendText("go", true).join();
        for (int i = 0; i < count; i++) {
            assertThat(client.next()).isEqualTo("binary 10000");
        }
        assertThat(client.next()).isEqualTo("close 1000");
        assertThat(busy.get()).isPositive().isEqualTo(writable.get());
    }

    @Test
    void onAnExecutorCallbacksComeInOrderOneAtATime() throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(4);
        List<String> heard = new CopyOnWriteArrayList<>();
        AtomicInteger inside = new AtomicInteger();
        try {
            Client.Place place = serve(builder().executor(executor), request -> request.accept(new Echo() {
                @Override
                public void open(WebSocket socket) {
                    heard.add("open");
                }

                @Override
                public void text(WebSocket socket, String text) {
                    assertThat(inside.incrementAndGet()).isEqualTo(1);
                    assertThat(Thread.currentThread().getName()).startsWith("pool-");
                    if (text.equals("3")) {
                        EchoTest.sleep(50);
                    }
                    heard.add(text);
                    inside.decrementAndGet();
                }

                @Override
                public void closed(WebSocket socket, Closed how) {
                    heard.add("closed");
                    super.closed(socket, how);
                }
            }));
            Client client = Client.connect(place, "/");
            int count = 1000;
            for (int i = 0; i < count; i++) {
                client.socket.sendText("" + i, true).join();
            }
            client.socket.sendClose(1000, "").join();
            assertThat(closed().code()).isEqualTo(1000);
            assertThat(heard).hasSize(count + 2).startsWith("open", "0", "1", "2").endsWith("999", "closed");
            for (int i = 0; i < count; i++) {
                assertThat(heard.get(i + 1)).isEqualTo("" + i);
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void onAnExecutorThePeerIsHeldBack() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        CompletableFuture<Void> go = new CompletableFuture<>();
        try {
            Client.Place place = serve(builder().executor(executor), request -> request.accept(new Echo() {
                @Override
                public void binary(WebSocket socket, byte[] data) {
                    go.join();
                    super.binary(socket, data);
                }
            }));
            Client client = Client.connect(place, "/");
            for (int i = 0; i < 200; i++) {
                client.socket.sendBinary(java.nio.ByteBuffer.allocate(100), true).get(10, TimeUnit.SECONDS);
            }
            EchoTest.sleep(100);
            go.complete(null);
            for (int i = 0; i < 200; i++) {
                assertThat(client.next()).isEqualTo("binary 100");
            }
        } finally {
            go.complete(null);
            executor.shutdown();
        }
    }

    @Test
    void anExecutorThatWasShutDownDoesNotLoseTheEnd() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        Client.Place place = serve(builder().executor(executor), request -> request.accept(new Echo()));
        Client client = Client.connect(place, "/");
        client.socket.sendText("a", true).join();
        assertThat(client.next()).isEqualTo("text a");
        executor.shutdown();
        client.socket.sendClose(1000, "").join();
        assertThat(closed().code()).isEqualTo(1000);
    }
}
