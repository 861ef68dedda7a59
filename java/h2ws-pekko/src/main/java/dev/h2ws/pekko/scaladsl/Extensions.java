package dev.h2ws.pekko.scaladsl;

import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ExtendedActorSystem;

/**
 * For Scala code: {@code import dev.h2ws.pekko.scaladsl.Extensions.H2ws}, then
 * {@code H2ws(system).newServerAt("localhost", 8080).bind(route)}. A class of Java's cannot be applied in Scala; a field
 * that holds an {@code ExtensionId} can.
 */
public final class Extensions {
    /** Named as Scala code calls it. */
    public static final H2wsId H2ws = new H2wsId();

    private Extensions() {}

    /** The id of {@link H2wsExt}. */
    public static final class H2wsId extends AbstractExtensionId<H2wsExt> {
        private H2wsId() {}

        @Override
        public H2wsExt createExtension(ExtendedActorSystem system) {
            return new H2wsExt(system);
        }
    }
}
