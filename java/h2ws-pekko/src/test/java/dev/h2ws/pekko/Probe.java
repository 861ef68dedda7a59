package dev.h2ws.pekko;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ws.BinaryMessage;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;

/**
 * A flow whose two sides the test holds: it hears {@code text ..}, {@code complete} or {@code fail ..} of what comes, and
 * sends with {@link #out}.
 */
final class Probe {
    private static final int QUEUE = 16;

    final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    final CompletableFuture<SourceQueueWithComplete<Message>> started = new CompletableFuture<>();
    /** How the flow's own sending side ended. */
    final CompletableFuture<String> outEnd = new CompletableFuture<>();

    private final Materializer materializer;

    Probe(Materializer materializer) {
        this.materializer = materializer;
    }

    Flow<Message, Message, NotUsed> flow() {
        return flow(Sink.foreach(this::message));
    }

    /** With this sink in place of the one that hears. */
    Flow<Message, Message, NotUsed> flow(Sink<Message, ?> sink) {
        Source<Message, NotUsed> source = Source.<Message>queue(QUEUE, OverflowStrategy.backpressure())
                .watchTermination((queue, end) -> {
                    end.whenComplete((done, failure) -> outEnd.complete(failure == null ? "complete" : "" + failure));
                    started.complete(queue);
                    return NotUsed.getInstance();
                });
        Flow<Message, Message, NotUsed> heardFlow = Flow.<Message>create().watchTermination((unused, end) -> {
            end.whenComplete((done, failure) ->
                    heard.add(failure == null ? "complete" : "fail " + failure.getClass().getSimpleName() + " " + failure.getMessage()));
            return NotUsed.getInstance();
        });
        return Flow.fromSinkAndSource(heardFlow.to(sink), source);
    }

    private void message(Message message) throws Exception {
        if (message instanceof TextMessage text) {
            heard.add("text " + (text.isStrict() ? text.getStrictText() : "streamed " + read(text)));
        } else {
            BinaryMessage binary = (BinaryMessage) message;
            heard.add("binary " + (binary.isStrict() ? "strict" : "streamed"));
            if (!binary.isStrict()) {
                binary.getStreamedData().runWith(Sink.ignore(), materializer);
            }
        }
    }

    private String read(TextMessage text) {
        CompletableFuture<String> whole = text.getStreamedText()
                .runFold("", (a, b) -> a + b, materializer)
                .toCompletableFuture();
        whole.whenComplete((string, failure) -> heard.add(
                failure == null ? "whole " + (string.length() > 200 ? string.length() : string) : "broken " + failure.getMessage()));
        return "";
    }

    SourceQueueWithComplete<Message> out() throws Exception {
        return started.get(10, TimeUnit.SECONDS);
    }

    void say(String text) throws Exception {
        out().offer(TextMessage.create(text));
    }

    String next() throws InterruptedException {
        String next = heard.poll(10, TimeUnit.SECONDS);
        return next == null ? "nothing in 10 s" : next.trim();
    }

}
