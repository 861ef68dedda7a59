package dev.h2ws.pekko;

import com.typesafe.config.ConfigFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.ServerBuilder;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.javadsl.Flow;

/**
 * Whether the jars that were built against one version of Pekko HTTP work on the one that is on the class path:
 * {@code java/pekko.mk}. Says what it ran on, or fails.
 */
final class Smoke {
    private Smoke() {}

    public static void main(String... arguments) throws Exception {
        boolean dropIn = arguments[0].equals("drop-in");
        ActorSystem system = ActorSystem.create(
                "smoke", ConfigFactory.parseString("pekko.loglevel = WARNING\nh2ws.loops = 1").withFallback(ConfigFactory.load()));
        String extension =
                org.apache.pekko.http.scaladsl.Http.get(system).getClass().getName();
        check("the extension in place is " + extension, extension.startsWith("dev.h2ws.") == dropIn);
        Route route = Directives.concat(
                Directives.path("ws", () -> Directives.get(() -> Directives.handleWebSocketMessagesForProtocol(
                        Flow.<Message>create(), "chat"))),
                Directives.path("length", () -> Directives.entity(
                        org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller.entityToByteString(),
                        body -> Directives.complete("" + body.size()))));
        ServerBuilder builder = dropIn
                ? Http.get(system).newServerAt("127.0.0.1", 0)
                : H2ws.get(system).newServerAt("127.0.0.1", 0);
        ServerBinding binding = builder.bind(route).toCompletableFuture().get(10, TimeUnit.SECONDS);
        int port = binding.localAddress().getPort();
        check("loops run", LifecycleTest.loops() > 0);
        for (Door door : new Door[] {Door.H2WS_HTTP1, Door.H2WS_HTTP2}) {
            try (Wire wire = door.open(port, "/ws", Map.of("Sec-WebSocket-Protocol", "chat"))) {
                check(door + " accepts", wire.isAccepted());
                wire.text("hello");
                String heard = wire.next();
                check(door + " heard " + heard, heard.equals("text hello"));
                wire.close(4001, "bye");
                heard = wire.next();
                check(door + " heard " + heard, heard.equals("close 4001 bye"));
            }
        }
        String length = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/length"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[200_000]))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        check("a body of " + length, length.equals("200000"));
        binding.terminate(Duration.ofSeconds(5)).toCompletableFuture().get(10, TimeUnit.SECONDS);
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
        System.out.println("pekko: ok: " + String.join(", ", arguments));
        System.exit(0);
    }

    private static void check(String what, boolean holds) {
        if (!holds) {
            System.out.println("pekko: FAILED: " + what);
            System.exit(1);
        }
    }
}
