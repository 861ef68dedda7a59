package dev.h2ws.pekko;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.event.Logging;

/** What an actor system logs from INFO on, as {@code INFO dev.h2ws.pekko: text}. Of one system at a time. */
public final class CollectedLog extends AbstractActor {
    private static final Collection<String> LINES = new ConcurrentLinkedQueue<>();

    /** A configuration with this as its only logger, and none of the lines of the system before. */
    static Config config() {
        LINES.clear();
        return ConfigFactory.parseString("pekko.loglevel = INFO\npekko.stdout-loglevel = OFF\nh2ws.loops = 1\n"
                        + "pekko.loggers = [\"" + CollectedLog.class.getName() + "\"]")
                .withFallback(ConfigFactory.load());
    }

    /** The lines with such a source and text. */
    static List<String> of(String source, String text) {
        return LINES.stream()
                .filter(line -> line.contains(" " + source) && line.contains(text))
                .toList();
    }

    @Override
    public Receive createReceive() {
        return receiveBuilder()
                .match(Logging.InitializeLogger.class, bus -> getSender().tell(Logging.loggerInitialized(), getSelf()))
                .match(Logging.LogEvent.class, event -> LINES.add(level(event) + " " + event.logSource() + ": " + event.message()))
                .build();
    }

    private static String level(Logging.LogEvent event) {
        return event instanceof Logging.Error ? "ERROR" : event instanceof Logging.Warning ? "WARNING" : "INFO";
    }
}
