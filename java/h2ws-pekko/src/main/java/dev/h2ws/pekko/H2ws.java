package dev.h2ws.pekko;

import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/**
 * The explicit door: {@code H2ws.get(system).newServerAt("localhost", 8080).bind(route)}, where Pekko HTTP's own is
 * {@code Http.get(system).newServerAt(..)}. What is bound by it is served by h2ws: HTTP/2, HTTP/1.1, and WebSockets over
 * both, to the same routes. Scala code has {@link dev.h2ws.pekko.scaladsl.Extensions#H2ws}.
 *
 * <p>All methods may be called on any thread and none blocks.
 */
public final class H2ws implements Extension {
    /** The extension's id, for {@code pekko.extensions} and for {@code system.registerExtension}. */
    public static final Id ID = new Id();

    private final ExtendedActorSystem system;

    private H2ws(ExtendedActorSystem system) {
        this.system = system;
    }

    /**
     * The extension of an actor system.
     *
     * @param system classic or typed
     * @return the extension
     */
    public static H2ws get(ClassicActorSystemProvider system) {
        return ID.get(system);
    }

    /**
     * Begins a server.
     *
     * @param host the interface's name or address; {@code 0.0.0.0} for all
     * @param port 0: a free one
     * @return a builder
     */
    public dev.h2ws.pekko.javadsl.ServerBuilder newServerAt(String host, int port) {
        return dev.h2ws.pekko.javadsl.ServerBuilder.at(system, host, port);
    }

    /** The id of {@link H2ws}. */
    public static final class Id extends AbstractExtensionId<H2ws> {
        private Id() {}

        @Override
        public H2ws createExtension(ExtendedActorSystem system) {
            return new H2ws(system);
        }
    }
}
