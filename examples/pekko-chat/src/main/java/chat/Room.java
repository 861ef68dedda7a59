package chat;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;

/** A room: what a member says goes to all who listen, in one order. */
final class Room {
    /** What a newcomer is told of the past. */
    private static final int RECENT = 50;
    /** What a listener may lag behind; one that does not read loses the oldest events and holds up nobody. */
    private static final int LAG = 128;

    enum Kind { JOINED, SAID, SHARED, LEFT }

    /** {@code people}: how many are there after it. */
    record Event(String at, Kind kind, String name, String text, int people) {}

    private final Deque<Event> recent = new ArrayDeque<>();
    private final Set<SourceQueueWithComplete<Event>> listeners = new LinkedHashSet<>();
    private int people;

    synchronized int people() {
        return people;
    }

    synchronized void tell(Kind kind, String name, String text) {
        people += kind == Kind.JOINED ? 1 : kind == Kind.LEFT ? -1 : 0;
        Event event = new Event(Instant.now().toString(), kind, name, text, people);
        if (recent.size() == RECENT) {
            recent.remove();
        }
        recent.add(event);
        listeners.forEach(listener -> listener.offer(event));
    }

    /** The last events, then all to come. */
    Source<Event, NotUsed> events() {
        return Source.<Event>queue(LAG, OverflowStrategy.dropHead()).mapMaterializedValue(listener -> {
            listen(listener);
            listener.watchCompletion().whenComplete((done, failure) -> forget(listener));
            return NotUsed.getInstance();
        });
    }

    private synchronized void listen(SourceQueueWithComplete<Event> listener) {
        recent.forEach(listener::offer);
        listeners.add(listener);
    }

    private synchronized void forget(SourceQueueWithComplete<Event> listener) {
        listeners.remove(listener);
    }

    /** A member, who joins when this runs and leaves when either side ends. */
    Flow<String, Event, NotUsed> member(String name) {
        Sink<String, NotUsed> says = Flow.of(String.class)
                .<Runnable>map(text -> () -> tell(Kind.SAID, name, text))
                .onErrorComplete() // a connection that breaks is a way to leave
                .prependLazy(Source.<Runnable>single(() -> tell(Kind.JOINED, name, "")))
                .concatLazy(Source.<Runnable>single(() -> tell(Kind.LEFT, name, "")))
                .to(Sink.foreach(Runnable::run));
        return Flow.fromSinkAndSourceCoupled(says, events());
    }
}
