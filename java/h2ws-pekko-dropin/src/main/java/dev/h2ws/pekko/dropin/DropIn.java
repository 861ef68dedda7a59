package dev.h2ws.pekko.dropin;

import dev.h2ws.H2ws;
import java.lang.reflect.Field;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;
import org.apache.pekko.actor.ExtensionId;
import org.apache.pekko.actor.ExtensionIdProvider;
import org.apache.pekko.event.Logging;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.Http$;
import org.apache.pekko.http.scaladsl.HttpExt;

/**
 * Puts {@link H2wsHttp} where an actor system keeps its {@code Http} extension, which is what all of Pekko HTTP's
 * builders, and Play, bind by. Named in this jar's {@code reference.conf}; nobody calls it.
 *
 * <p>The place is a private field: an extension's id is compared by identity ({@code Extension.scala}), so no other id
 * can stand in for {@code Http}. Where the field is not to be had, stock serves, and the log says why.
 */
public final class DropIn extends AbstractExtensionId<DropIn.State> implements ExtensionIdProvider {
    private static final String SWITCH = "h2ws.pekko.replace-http-server";

    /** Under which an actor system keeps its state, whoever made the instance that its configuration names. */
    private static final DropIn ID = new DropIn();

    /** For {@code pekko.library-extensions}, which makes one. */
    public DropIn() {}

    /** Whether it is in place. */
    public static final class State implements Extension {
        private final String hindrance;

        private State(String hindrance) {
            this.hindrance = hindrance;
        }
    }

    /**
     * Why h2ws does not serve what {@code Http()} binds. Any thread; does not block.
     *
     * @param system the actor system
     * @return the reason, for a log; empty if h2ws does serve it
     */
    public static Optional<String> hindrance(ActorSystem system) {
        return system.hasExtension(ID)
                ? Optional.ofNullable(ID.get(system).hindrance)
                : Optional.of("pekko.library-extensions does not name " + DropIn.class.getName());
    }

    @Override
    public ExtensionId<? extends Extension> lookup() {
        return ID;
    }

    @Override
    public State createExtension(ExtendedActorSystem system) {
        LoggingAdapter log = Logging.getLogger(system, "dev.h2ws.pekko");
        if (!system.settings().config().getBoolean(SWITCH)) {
            log.debug("h2ws is on the class path and switched off by {}", SWITCH);
            return new State(SWITCH + " = off");
        }
        try {
            // loads the native library, or says why it cannot be
            H2ws.builder().loops(1).start().close();
            put(system, log);
        } catch (Exception | LinkageError e) {
            String reason = e.getMessage() == null ? e.toString() : e.getMessage();
            log.warning("Pekko HTTP's own server serves, not h2ws: {}", reason);
            return new State(reason);
        }
        log.info("h2ws is in the place of Pekko HTTP's server; {} = off switches it off", SWITCH);
        return new State(null);
    }

    private static void put(ExtendedActorSystem system, LoggingAdapter log) throws ReflectiveOperationException {
        ConcurrentHashMap<ExtensionId<?>, Object> extensions = extensions(system);
        // first, since an Http that is made starts actors of which there can be one
        if (extensions.containsKey(Http$.MODULE$)) {
            throw new IllegalStateException("the extension Http was loaded before; name " + DropIn.class.getName()
                    + " before what loads it in pekko.library-extensions");
        }
        extensions.put(
                Http$.MODULE$, new H2wsHttp(system.settings().config().getConfig("pekko.http"), system));
    }

    @SuppressWarnings("unchecked")
    private static ConcurrentHashMap<ExtensionId<?>, Object> extensions(ExtendedActorSystem system)
            throws ReflectiveOperationException {
        for (Class<?> type = system.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.getName().equals("extensions") && field.getType() == ConcurrentHashMap.class) {
                    field.setAccessible(true);
                    return (ConcurrentHashMap<ExtensionId<?>, Object>) field.get(system);
                }
            }
        }
        throw new NoSuchFieldException("this version's actor system keeps its extensions elsewhere");
    }
}
