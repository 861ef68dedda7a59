package dev.h2ws.play;

import com.typesafe.config.Config;
import dev.h2ws.pekko.dropin.DropIn;
import java.util.Optional;
import javax.inject.Inject;
import javax.inject.Singleton;
import org.apache.pekko.actor.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether h2ws serves an application. If it does not, Pekko HTTP does, without WebSockets over HTTP/2, which nobody
 * need notice: so the log says why, or with {@code play.server.h2ws.required = on} the application does not start.
 */
@Singleton
public final class H2wsCheck {
    private static final String REQUIRED = "play.server.h2ws.required";
    private static final String PROVIDER = "play.server.provider";
    private static final String PEKKO = "play.core.server.PekkoHttpServerProvider";

    /**
     * Looks. Does not block.
     *
     * @param system of the application
     * @param config of the application
     * @throws IllegalStateException with the reason, if h2ws is required and does not serve
     */
    @Inject
    public H2wsCheck(ActorSystem system, Config config) {
        hindrance(system, config).ifPresent(why -> {
            if (config.getBoolean(REQUIRED)) {
                throw new IllegalStateException("h2ws does not serve this application: " + why + "; " + REQUIRED + " is on");
            }
            Logger log = LoggerFactory.getLogger(H2wsCheck.class);
            log.warn("h2ws does not serve this application, so there are no WebSockets over HTTP/2: {}", why);
        });
    }

    private static Optional<String> hindrance(ActorSystem system, Config config) {
        // there is none where the configuration is a test's, which names its server itself
        String provider = config.hasPath(PROVIDER) ? config.getString(PROVIDER) : PEKKO;
        return provider.equals(PEKKO)
                ? DropIn.hindrance(system)
                : Optional.of(PROVIDER + " is " + provider + ", and h2ws serves what " + PEKKO + " binds");
    }
}
