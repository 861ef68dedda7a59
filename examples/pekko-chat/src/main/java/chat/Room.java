package chat;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.BroadcastHub;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.MergeHub;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/** A room: what all its members say runs into one hub, and out of it to each of them. */
final class Room {
    /** What a newcomer is told of the past. */
    private static final int RECENT = 50;
    /** What a member may lag behind. */
    private static final int LAG = 128;

    enum Kind { JOINED, SAID, SHARED, LEFT }

    /** {@code id} rises with every event of a room; {@code people} is how many are there after it. */
    record Event(long id, String at, Kind kind, String name, String text, int people) {
        static Event of(Kind kind, String name, String text) {
            return new Event(0, "", kind, name, text, 0);
        }
    }

    private final ActorSystem system;
    private final Sink<Event, NotUsed> in;
    private final Source<Event, NotUsed> out;
    // guarded by itself
    private final Deque<Event> recent = new ArrayDeque<>();
    private volatile int people;

    Room(ActorSystem system) {
        this.system = system;
        Pair<Sink<Event, NotUsed>, Source<Event, NotUsed>> hub = MergeHub.of(Event.class, 8)
                .zipWithIndex()
                .map(numbered -> happened(numbered.first(), numbered.second()))
                .toMat(BroadcastHub.of(Event.class, LAG), Keep.both())
                .run(system);
        in = hub.first();
        // A member that does not read loses the oldest events; without this it would hold up all the others.
        out = hub.second().buffer(LAG, OverflowStrategy.dropHead());
        // The hub waits for listeners when it has none.
        hub.second().runWith(Sink.ignore(), system);
    }

    /** One event at a time comes by here, on its way from members to members. */
    private Event happened(Event event, long id) {
        people += event.kind() == Kind.JOINED ? 1 : event.kind() == Kind.LEFT ? -1 : 0;
        Event complete = new Event(id, Instant.now().toString(), event.kind(), event.name(), event.text(), people);
        synchronized (recent) {
            if (recent.size() == RECENT) {
                recent.remove();
            }
            recent.add(complete);
        }
        return complete;
    }

    int people() {
        return people;
    }

    /** The last events, then all to come. One that happens in between may come twice; its id tells. */
    Source<Event, NotUsed> events() {
        return out.prependLazy(Source.lazySource(() -> {
            synchronized (recent) {
                return Source.from(List.copyOf(recent));
            }
        }));
    }

    /** A member, who joins when this runs and leaves when either side ends. */
    Flow<String, Event, NotUsed> member(String name) {
        Sink<String, NotUsed> says = Flow.of(String.class)
                .map(text -> Event.of(Kind.SAID, name, text))
                .onErrorComplete() // a connection that breaks is a way to leave
                .prependLazy(Source.single(Event.of(Kind.JOINED, name, "")))
                .concatLazy(Source.single(Event.of(Kind.LEFT, name, "")))
                .to(in);
        return Flow.fromSinkAndSourceCoupled(says, events());
    }

    void tell(Event event) {
        Source.single(event).runWith(in, system);
    }
}
