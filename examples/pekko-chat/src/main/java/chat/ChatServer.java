package chat;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;

/** A chat with rooms: a page, WebSockets, an answer that streams, and an upload. */
public final class ChatServer {
    private ChatServer() {}

    public static void main(String[] args) throws Exception {
        ActorSystem system = ActorSystem.create("chat");
        Config config = system.settings().config().getConfig("chat");
        SharedKillSwitch shutdown = KillSwitches.shared("shutdown");
        Routes routes = new Routes(system, config.getStringList("rooms"), shutdown);

        Http.get(system)
                .newServerAt(config.getString("interface"), config.getInt("port"))
                .enableHttps(ConnectionContext.httpsServer(Identity.load()))
                .bind(routes.route())
                .whenComplete((binding, failure) -> {
                    if (failure != null) {
                        System.err.println("chat: " + failure.getMessage());
                        system.terminate();
                        return;
                    }
                    started(system, binding, shutdown);
                });
    }

    /** From here on Ctrl-C drains: no new connections, then up to five seconds for what is under way. */
    private static void started(ActorSystem system, ServerBinding binding, SharedKillSwitch shutdown) {
        binding.addToCoordinatedShutdown(Duration.ofSeconds(5), system);
        // an answer without an end would use all of them
        CoordinatedShutdown.get(system).addTask(CoordinatedShutdown.PhaseServiceRequestsDone(), "end-logs", () -> {
            shutdown.shutdown();
            return CompletableFuture.completedFuture(Done.done());
        });
        System.out.println("listening on https://localhost:" + binding.localAddress().getPort());
    }
}
