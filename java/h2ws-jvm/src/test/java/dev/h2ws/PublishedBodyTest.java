package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers whose body is a publisher's. */
class PublishedBodyTest extends EngineTest {
    private static HttpResponse<byte[]> get(Client.Place place) throws Exception {
        return Client.HTTP.send(HttpRequest.newBuilder(place.http("/")).build(), BodyHandlers.ofByteArray());
    }

    /** Pieces of a body as they are asked for, on the thread that asks; and what was asked of it. */
    private static final class Pieces implements Flow.Publisher<ByteBuffer>, Flow.Subscription {
        private final ByteBuffer from;
        private final int piece;
        private final Throwable fails;
        final AtomicInteger asked = new AtomicInteger();
        final AtomicInteger most = new AtomicInteger();
        final CompletableFuture<Void> cancelled = new CompletableFuture<>();
        private Flow.Subscriber<? super ByteBuffer> to;
        private long demand;
        private boolean emits;
        private boolean done;

        Pieces(byte[] from, int piece, Throwable fails) {
            this.from = ByteBuffer.wrap(from);
            this.piece = piece;
            this.fails = fails;
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
            to = subscriber;
            subscriber.onSubscribe(this);
        }

        @Override
        public void request(long n) {
            synchronized (this) {
                demand += n;
                most.accumulateAndGet((int) demand, Math::max);
                asked.incrementAndGet();
                if (emits) {
                    return;
                }
                emits = true;
            }
            while (true) {
                ByteBuffer next = null;
                synchronized (this) {
                    if (done || (demand == 0 && from.hasRemaining())) {
                        emits = false;
                        return;
                    }
                    if (from.hasRemaining()) {
                        demand--;
                        next = from.slice(from.position(), Math.min(piece, from.remaining()));
                        from.position(from.position() + next.remaining());
                    } else {
                        done = true;
                    }
                }
                if (next != null) {
                    to.onNext(next);
                } else if (fails != null) {
                    to.onError(fails);
                } else {
                    to.onComplete();
                }
            }
        }

        @Override
        public void cancel() {
            synchronized (this) {
                done = true;
            }
            cancelled.complete(null);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1_000, 50_000, 3_000_000})
    void theClientGetsAllOfIt(int piece) throws Exception {
        byte[] body = BodyTest.pattern(BodyTest.LARGE);
        Pieces pieces = new Pieces(body, piece, null);
        Client.Place place = serve(
                builder().set("send_queue", 100_000), request -> request.respond(200, Headers.of("x-a", "1"), pieces));
        HttpResponse<byte[]> response = get(place);
        assertThat(response.body()).isEqualTo(body);
        assertThat(response.headers().allValues("x-a")).containsExactly("1");
        assertThat(pieces.most.get()).as("asked for at a time").isEqualTo(1);
        assertThat(pieces.cancelled).isNotDone();
    }

    @Test
    void oneOfTheJdkOnThreadsOfItsOwn() throws Exception {
        byte[] body = BodyTest.pattern(BodyTest.LARGE);
        Client.Place place = serve(builder().set("send_queue", 100_000), request -> {
            SubmissionPublisher<ByteBuffer> publisher = new SubmissionPublisher<>();
            request.respond(200, Headers.of(), publisher);
            CompletableFuture.runAsync(() -> {
                for (int at = 0; at < BodyTest.LARGE; at += 10_000) {
                    publisher.submit(ByteBuffer.wrap(body, at, 10_000));
                }
                publisher.close();
            });
        });
        assertThat(get(place).body()).isEqualTo(body);
    }

    @Test
    void nothing() throws Exception {
        Client.Place place = serve(request -> request.respond(201, Headers.of(), new Pieces(new byte[0], 1, null)));
        HttpResponse<byte[]> response = get(place);
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.body()).isEmpty();
    }

    @Test
    void oneThatFailsCutsTheAnswerAndIsLogged() {
        Client.Place place = serve(request ->
                request.respond(200, Headers.of(), new Pieces(new byte[10], 5, new IOException("on purpose"))));
        assertThatThrownBy(() -> get(place)).isInstanceOf(IOException.class);
        assertThat(logged).isNotEmpty().allSatisfy(line -> assertThat(line)
                .contains("GET /")
                .contains("the publisher of its body failed")
                .contains("on purpose"));
    }

    @Test
    void aClientThatTakesNothingHoldsItUpAndIsCancelledWhenItGoes() throws Exception {
        int piece = 100_000;
        Pieces pieces = new Pieces(new byte[200_000_000], piece, null);
        CompletableFuture<Closed> ended = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            request.onClosed(ended::complete);
            request.respond(200, Headers.of(), pieces);
        });
        String[] address = place.authority().split(":");
        try (Socket client = new Socket(address[0], Integer.parseInt(address[1]))) {
            client.getOutputStream().write("GET / HTTP/1.1\r\nhost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().read()).isEqualTo('H');
            client.setSoLinger(true, 0);
        }
        pieces.cancelled.get(10, TimeUnit.SECONDS);
        ended.get(10, TimeUnit.SECONDS);
        assertThat(pieces.asked.get()).as("asked for, of 2000").isLessThan(500);
    }

    @Test
    void aSecondSubscriptionIsCancelledAndAMistakeIsThrown() throws Exception {
        CompletableFuture<Void> second = new CompletableFuture<>();
        Client.Place place = serve(request -> {
            Flow.Publisher<ByteBuffer> twice = to -> {
                to.onSubscribe(new Flow.Subscription() {
                    @Override
                    public void request(long n) {}

                    @Override
                    public void cancel() {}
                });
                to.onSubscribe(new Flow.Subscription() {
                    @Override
                    public void request(long n) {}

                    @Override
                    public void cancel() {
                        second.complete(null);
                    }
                });
                assertThatThrownBy(() -> to.onNext(null)).isInstanceOf(NullPointerException.class);
                to.onNext(ByteBuffer.wrap(new byte[] {'o', 'k'}));
                to.onComplete();
            };
            request.respond(200, Headers.of(), twice);
        });
        assertThat(get(place).body()).isEqualTo(new byte[] {'o', 'k'});
        assertThat(second).isDone();
    }
}
