package controllers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.util.ByteString;
import play.http.websocket.Message;
import play.libs.F;
import play.libs.streams.ActorFlow;
import play.mvc.Http;
import play.mvc.Result;
import play.mvc.Results;
import play.mvc.WebSocket;

/** A controller of Java's with each way that Play has to accept a socket. */
public final class JavaSockets {
    public final CompletableFuture<String> asked = new CompletableFuture<>();
    public final CompletableFuture<String> later = new CompletableFuture<>();
    private final Map<String, Flow<Message, Message, ?>> flows = new ConcurrentHashMap<>();

    public WebSocket text() {
        return WebSocket.Text.accept(request -> Flow.of(String.class).map(text -> "java " + text));
    }

    public WebSocket binary() {
        return WebSocket.Binary.accept(request -> Flow.of(ByteString.class).map(bytes -> bytes.concat(bytes)));
    }

    public WebSocket json() {
        return WebSocket.Json.accept(request -> Flow.of(JsonNode.class)
                .map(node -> JsonNodeFactory.instance.objectNode().set("java", node)));
    }

    /** Says which message it was; ends the socket by ending itself. */
    public WebSocket actor(ActorSystem system, Materializer materializer) {
        return WebSocket.Text.accept(
                request -> ActorFlow.actorRef(out -> Props.create(Counting.class, () -> new Counting(out)), system, materializer));
    }

    private static final class Counting extends AbstractActor {
        private final ActorRef out;
        private int count;

        Counting(ActorRef out) {
            this.out = out;
        }

        @Override
        public Receive createReceive() {
            return receiveBuilder()
                    .matchEquals("stop", stop -> getContext().stop(getSelf()))
                    .match(String.class, text -> out.tell(++count + " " + text, getSelf()))
                    .build();
        }
    }

    /** Whoever names himself is let in. */
    public WebSocket known() {
        return WebSocket.Text.acceptOrResult(request -> CompletableFuture.completedFuture(request.queryString("name")
                .<F.Either<Result, Flow<String, String, ?>>>map(name -> F.Either.Right(Flow.of(String.class).map(text -> name + ": " + text)))
                .orElseGet(() -> F.Either.Left(Results.unauthorized("who are you?\n").withHeader("X-Why", "no name")))));
    }

    /** The flow that a test put there, once. */
    public WebSocket flow(String name) {
        return new WebSocket() {
            @Override
            public CompletionStage<F.Either<Result, Flow<Message, Message, ?>>> apply(Http.RequestHeader request) {
                Flow<Message, Message, ?> flow = flows.remove(name);
                return CompletableFuture.completedFuture(
                        flow == null ? F.Either.Left(Results.notFound("no flow " + name)) : F.Either.Right(flow));
            }
        };
    }

    /** The answer that a test gives when it likes; the first call says that it is asked for. */
    public CompletionStage<String> later(String name) {
        asked.complete(name);
        return later;
    }

    public void put(String name, Flow<Message, Message, ?> flow) {
        flows.put(name, flow);
    }
}
