package chat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import play.Application;
import play.ApplicationLoader;
import play.BuiltInComponentsFromContext;
import play.LoggerConfigurator;
import play.mvc.EssentialFilter;
import play.routing.Router;

/** A chat with rooms: a page, WebSockets, an answer that streams, and an upload. */
public final class ChatLoader implements ApplicationLoader {
    @Override
    public Application load(Context context) {
        LoggerConfigurator.apply(context.environment().classLoader())
                .ifPresent(logger -> logger.configure(context.environment(), context.initialConfig(), Map.of()));
        return new Components(context).application();
    }

    private static final class Components extends BuiltInComponentsFromContext {
        private final ChatController controller;

        Components(Context context) {
            super(context);
            Map<String, Room> rooms = new LinkedHashMap<>();
            config().getStringList("chat.rooms").forEach(name -> rooms.put(name, new Room()));
            SharedKillSwitch shutdown = KillSwitches.shared("shutdown");
            controller = new ChatController(rooms, fileMimeTypes(), shutdown);
            javaHandlerComponents().addBodyParser(UploadParser.class, () -> new UploadParser(httpErrorHandler()));
            // an answer without an end would use all the time that there is for those under way
            coordinatedShutdown().addTask(CoordinatedShutdown.PhaseServiceRequestsDone(), "end-logs", () -> {
                shutdown.shutdown();
                return CompletableFuture.completedFuture(Done.done());
            });
        }

        @Override
        public Router router() {
            return new Routes(controller);
        }

        @Override
        public List<EssentialFilter> httpFilters() {
            return List.of(new ServerTiming());
        }
    }
}
