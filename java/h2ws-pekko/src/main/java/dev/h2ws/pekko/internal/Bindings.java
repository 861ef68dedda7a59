package dev.h2ws.pekko.internal;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/** The bound ports of an actor system, which end with it: one hook for all, since a hook cannot be taken back. */
final class Bindings implements Extension {
    private static final Id ID = new Id();

    private final Set<Binding> open = ConcurrentHashMap.newKeySet();

    private Bindings(ExtendedActorSystem system) {
        system.registerOnTermination(() -> open.forEach(Binding::end));
    }

    static Bindings of(ActorSystem system) {
        return ID.get(system);
    }

    void add(Binding binding) {
        open.add(binding);
    }

    void remove(Binding binding) {
        open.remove(binding);
    }

    private static final class Id extends AbstractExtensionId<Bindings> {
        @Override
        public Bindings createExtension(ExtendedActorSystem system) {
            return new Bindings(system);
        }
    }
}
