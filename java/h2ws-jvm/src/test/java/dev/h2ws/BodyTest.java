package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Requests, and bodies both ways. */
class BodyTest extends EngineTest {
    static final int LARGE = 5_000_000;

    private static HttpResponse<byte[]> post(Client.Place place, byte[] body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(place.http("/"))
                .POST(BodyPublishers.ofByteArray(body))
                .build();
        return Client.HTTP.send(request, BodyHandlers.ofByteArray());
    }

    static byte[] pattern(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8));
        }
        return bytes;
    }

    /** Sends pieces as there is room. */
    private static void pump(ResponseBody to, ByteBuffer from) {
        while (from.hasRemaining()) {
            int end = from.limit();
            from.limit(Math.min(end, from.position() + 50_000));
            SendResult result = to.send(from);
            from.limit(end);
            if (result != SendResult.SENT) {
                return;
            }
        }
        to.finish();
    }

    @Test
    void aPlainAnswer() throws Exception {
        Client.Place place = serve(request -> {
            request.onClosed(closed::add);
            request.respond(200, Headers.of("x-a", "1", "x-a", "2"), "hello\n".getBytes());
        });
        HttpResponse<String> response = Client.get(place, "/");
        assertThat(response.body()).isEqualTo("hello\n");
        assertThat(response.headers().allValues("x-a")).containsExactly("1", "2");
        assertThat(closed().cause()).isEqualTo(Closed.Cause.COMPLETE);
    }

    @Test
    void theWholeBodyComesBack() throws Exception {
        Client.Place place = serve(
                request -> request.bodyBytes(LARGE).thenAccept(body -> request.respond(200, Headers.of(), body)));
        byte[] body = pattern(LARGE);
        assertThat(post(place, body).body()).isEqualTo(body);
        assertThat(post(place, new byte[0]).body()).isEmpty();
    }

    @Test
    void theEndOfAnEmptyBodyWaitsForItsListener() throws Exception {
        CompletableFuture<Request> held = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            if (request.path().equals("/first")) {
                held.complete(request);
                return;
            }
            Request first = held.join();
            first.body(new BodyListener() {
                @Override
                public void data(Request from, byte[] data) {}

                @Override
                public void end(Request from, Headers trailers) {
                    from.respond(200, "ended");
                }
            });
            request.respond(200, "asked");
        });
        // in chunks, of which there is none: the head does not tell that it is empty
        HttpRequest empty = HttpRequest.newBuilder(place.http("/first"))
                .POST(BodyPublishers.ofInputStream(java.io.InputStream::nullInputStream))
                .build();
        CompletableFuture<HttpResponse<String>> answer = Client.HTTP.sendAsync(empty, BodyHandlers.ofString());
        held.get(10, TimeUnit.SECONDS);
        assertThat(Client.get(place, "/second").body()).isEqualTo("asked");
        assertThat(answer.get(10, TimeUnit.SECONDS).body()).isEqualTo("ended");
    }

    @Test
    void aBodyThatIsTooLong() throws Exception {
        Client.Place place = serve(request ->
                request.bodyBytes(10).whenComplete((body, error) -> request.respond(413, String.valueOf(error))));
        assertThat(post(place, new byte[11]).statusCode()).isEqualTo(413);
    }

    @Test
    void aBodyIsStreamedBackByAListenerWithDemand() throws Exception {
        Client.Place place = serve(request -> {
            ResponseBody response = request.respondStart(200, Headers.of());
            request.body(
                    new BodyListener() {
                        @Override
                        public void data(Request of, byte[] data) {
                            if (response.send(data) == SendResult.BUSY) {
                                response.onWritable(() -> data(of, data));
                            } else {
                                of.demand(1);
                            }
                        }

                        @Override
                        public void end(Request of, Headers trailers) {
                            response.finish();
                        }
                    },
                    1);
        });
        byte[] body = pattern(LARGE);
        assertThat(post(place, body).body()).isEqualTo(body);
    }

    @Test
    void aBodyAsAPublisher() throws Exception {
        Client.Place place = serve(request -> {
            AtomicInteger size = new AtomicInteger();
            request.bodyPublisher().subscribe(new Flow.Subscriber<>() {
                private Flow.Subscription subscription;

                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    this.subscription = subscription;
                    subscription.request(1);
                }

                @Override
                public void onNext(ByteBuffer piece) {
                    size.addAndGet(piece.remaining());
                    subscription.request(1);
                }

                @Override
                public void onError(Throwable error) {
                    request.respond(500, error.toString());
                }

                @Override
                public void onComplete() {
                    request.respond(200, "" + size);
                }
            });
        });
        assertThat(new String(post(place, new byte[LARGE]).body())).isEqualTo("" + LARGE);
        assertThat(new String(post(place, new byte[0]).body())).isEqualTo("0");
    }

    @Test
    void aLongAnswerInPiecesAsThereIsRoom() throws Exception {
        byte[] body = pattern(LARGE);
        AtomicInteger waits = new AtomicInteger();
        Client.Place place = serve(builder().set("send_queue", 100_000), request -> {
            ByteBuffer from = ByteBuffer.allocateDirect(LARGE).put(body).flip();
            ResponseBody to = request.respondStart(200, Headers.of());
            to.onWritable(() -> {
                waits.incrementAndGet();
                pump(to, from);
            });
            pump(to, from);
        });
        HttpResponse<byte[]> response = Client.HTTP.send(
                HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofByteArray());
        assertThat(response.body()).isEqualTo(body);
        assertThat(waits.get()).isPositive();
    }

    @Test
    void anAnswerLaterOnAnotherThread() throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Client.Place place = serve(request -> other.execute(() -> {
                EchoTest.sleep(50);
                request.respond(200, Thread.currentThread().getName());
            }));
            assertThat(Client.get(place, "/").body()).startsWith("pool-");
        } finally {
            other.shutdown();
        }
    }

    @Test
    void aClientThatIsGoneAbortsTheBody() throws Exception {
        CompletableFuture<byte[]> whole = new CompletableFuture<>();
        Client.Place place = serve(request -> request.bodyBytes(LARGE).whenComplete((body, error) -> {
            if (error != null) {
                whole.completeExceptionally(error);
            }
        }));
        String[] address = place.authority().split(":");
        try (java.net.Socket socket = new java.net.Socket(address[0], Integer.parseInt(address[1]))) {
            socket.getOutputStream()
                    .write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf".getBytes());
            EchoTest.sleep(100);
        }
        assertThatThrownBy(() -> whole.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("ended before its body");
    }
}
