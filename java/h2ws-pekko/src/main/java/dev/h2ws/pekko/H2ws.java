package dev.h2ws.pekko;

import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/**
 * The explicit door: {@code H2ws.get(system).newServerAt("localhost", 8080).bind(route)} in Java,
 * {@code H2ws(system).newServerAt("localhost", 8080).bind(route)} in Scala, where Pekko HTTP's own is
 * {@code Http.get(system).newServerAt(..)}. What is bound by it is served by h2ws: HTTP/2, HTTP/1.1, and WebSockets over
 * both, to the same routes.
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
     * The extension of an actor system, for Java.
     *
     * @param system classic or typed
     * @return the extension
     */
    public static H2ws get(ClassicActorSystemProvider system) {
        return ID.get(system);
    }

    /**
     * The extension of an actor system, for Scala.
     *
     * @param system classic or typed
     * @return the extension, whose builders are of Pekko HTTP's scaladsl
     */
    public static ScalaDsl apply(ClassicActorSystemProvider system) {
        return new ScalaDsl(ID.get(system).system);
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

    /** The extension as Scala code wants it. */
    public static final class ScalaDsl {
        private final ExtendedActorSystem system;

        private ScalaDsl(ExtendedActorSystem system) {
            this.system = system;
        }

        /**
         * Begins a server.
         *
         * @param host the interface's name or address; {@code 0.0.0.0} for all
         * @param port 0: a free one
         * @return a builder
         */
        public dev.h2ws.pekko.scaladsl.ServerBuilder newServerAt(String host, int port) {
            return dev.h2ws.pekko.scaladsl.ServerBuilder.at(system, host, port);
        }
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
