package controllers;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;
import play.http.websocket.Message;

/**
 * A controller's flow whose two sides the test holds: what it hears, as texts ({@code text hello}, {@code close 1000 bye},
 * {@code complete}, {@code fail ..}), and {@link #say}.
 */
public final class Probe {
    private static final int QUEUE = 16;

    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final CompletableFuture<SourceQueueWithComplete<Message>> started = new CompletableFuture<>();
    private final CompletableFuture<String> outEnd = new CompletableFuture<>();

    public Flow<Message, Message, NotUsed> flow() {
        return flow(Sink.foreach(message -> heard.add(name(message))));
    }

    /** With this sink in place of the one that hears. */
    public Flow<Message, Message, NotUsed> flow(Sink<Message, ?> sink) {
        Source<Message, NotUsed> source = Source.<Message>queue(QUEUE, OverflowStrategy.backpressure())
                .watchTermination((queue, end) -> {
                    end.whenComplete((done, failure) -> outEnd.complete(failure == null ? "complete" : "" + failure));
                    started.complete(queue);
                    return NotUsed.getInstance();
                });
        Flow<Message, Message, NotUsed> in = Flow.<Message>create().watchTermination((unused, end) -> {
            end.whenComplete((done, failure) -> heard.add(
                    failure == null ? "complete" : "fail " + failure.getClass().getSimpleName()));
            return NotUsed.getInstance();
        });
        return Flow.fromSinkAndSource(in.to(sink), source);
    }

    private static String name(Message message) {
        if (message instanceof Message.Text text) {
            return "text " + (text.data().length() > 200 ? text.data().length() + " letters" : text.data());
        } else if (message instanceof Message.Binary binary) {
            return "binary " + binary.data().size();
        } else if (message instanceof Message.Ping ping) {
            return ("ping " + ping.data().utf8String()).trim();
        } else if (message instanceof Message.Pong pong) {
            return ("pong " + pong.data().utf8String()).trim();
        }
        Message.Close close = (Message.Close) message;
        return ("close " + close.code().map(String::valueOf).orElse("") + " " + close.reason()).trim();
    }

    public SourceQueueWithComplete<Message> out() throws Exception {
        return started.get(10, TimeUnit.SECONDS);
    }

    public void say(Message message) throws Exception {
        out().offer(message);
    }

    /** How the flow's own sending side ended. */
    public String outEnd() throws Exception {
        return outEnd.get(10, TimeUnit.SECONDS);
    }

    /** What nobody has asked for yet. */
    public List<String> heard() {
        return List.copyOf(heard);
    }

    public String next() throws InterruptedException {
        String next = heard.poll(10, TimeUnit.SECONDS);
        return next == null ? "nothing in 10 s" : next;
    }
}
