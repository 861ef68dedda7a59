package chat;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/** A room: what a member says goes to all who listen, in one order. */
public final class Room {
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N} ._-]{0,23}");
    /** What a newcomer is told of the past. */
    private static final int RECENT = 50;
    /** What a listener may lag behind. One that does not read is let go, and holds up nobody. */
    private static final int LAG = 128;

    public enum Kind { JOINED, SAID, SHARED, LEFT }

    /** {@code people}: how many are there after it. */
    public record Event(String at, Kind kind, String name, String text, int people) {
        /** For the log, without its end. */
        public String line() {
            return at + " " + name + " " + switch (kind) {
                case SAID -> "says: " + text;
                case SHARED -> "shares " + text;
                case JOINED -> "comes in";
                case LEFT -> "leaves";
            };
        }
    }

    private final Deque<Event> recent = new ArrayDeque<>();
    private final Set<BoundedSourceQueue<Event>> listeners = new LinkedHashSet<>();
    private int people;

    /** Whether a member can be called so. */
    public static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    public synchronized int people() {
        return people;
    }

    public synchronized void tell(Kind kind, String name, String text) {
        people += kind == Kind.JOINED ? 1 : kind == Kind.LEFT ? -1 : 0;
        Event event = new Event(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), kind, name, text, people);
        if (recent.size() == RECENT) {
            recent.remove();
        }
        recent.add(event);
        for (BoundedSourceQueue<Event> listener : listeners) {
            if (listener.offer(event) == QueueOfferResult.dropped()) {
                listener.fail(new IllegalStateException("it lags behind"));
            }
        }
    }

    /** The last events, then all to come. */
    public Source<Event, NotUsed> events() {
        return Source.<Event>queue(LAG).watchTermination((listener, done) -> {
            listen(listener);
            done.whenComplete((end, failure) -> forget(listener));
            return NotUsed.getInstance();
        });
    }

    private synchronized void listen(BoundedSourceQueue<Event> listener) {
        recent.forEach(listener::offer);
        listeners.add(listener);
    }

    private synchronized void forget(BoundedSourceQueue<Event> listener) {
        listeners.remove(listener);
    }

    /** A member, who joins when this runs and leaves when either side ends. */
    public Flow<String, Event, NotUsed> member(String name) {
        Sink<String, NotUsed> says = Flow.of(String.class)
                .<Runnable>map(text -> () -> tell(Kind.SAID, name, text))
                .recoverWith(Throwable.class, Source::empty) // a connection that breaks is a way to leave
                .prependLazy(Source.<Runnable>single(() -> tell(Kind.JOINED, name, "")))
                .concatLazy(Source.<Runnable>single(() -> tell(Kind.LEFT, name, "")))
                .to(Sink.foreach(Runnable::run));
        return Flow.fromSinkAndSourceCoupled(says, events());
    }
}
