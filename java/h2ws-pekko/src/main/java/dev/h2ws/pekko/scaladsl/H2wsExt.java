package dev.h2ws.pekko.scaladsl;

import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;

/** The explicit door for Scala code. All methods may be called on any thread and none blocks. */
public final class H2wsExt implements Extension {
    private final ExtendedActorSystem system;

    H2wsExt(ExtendedActorSystem system) {
        this.system = system;
    }

    /**
     * Begins a server.
     *
     * @param host the interface's name or address; {@code 0.0.0.0} for all
     * @param port 0: a free one
     * @return a builder
     */
    public ServerBuilder newServerAt(String host, int port) {
        return ServerBuilder.at(system, host, port);
    }
}
