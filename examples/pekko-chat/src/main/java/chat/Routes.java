package chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.http.javadsl.marshallers.jackson.Jackson;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.ws.Message;
import org.apache.pekko.http.javadsl.model.ws.TextMessage;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.ExceptionHandler;
import org.apache.pekko.http.javadsl.server.PathMatchers;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Everything under one origin: the page, the rooms, their sockets and logs, and the upload. */
final class Routes extends AllDirectives {
    private static final long MAX_TEXT = 500;

    private final ActorSystem system;
    private final Map<String, Room> rooms = new LinkedHashMap<>();
    private final SharedKillSwitch shutdown;
    private final ObjectMapper json = new ObjectMapper();

    Routes(ActorSystem system, List<String> names, SharedKillSwitch shutdown) {
        this.system = system;
        this.shutdown = shutdown;
        names.forEach(name -> rooms.put(name, new Room()));
    }

    Route route() {
        return extractRequest(request -> {
            Connection connection = Connection.of(request);
            return respondWithHeader(connection.serverTiming(), () -> concat(
                    pathSingleSlash(() -> get(() -> getFromResource("page.html"))),
                    path("rooms", () -> get(this::list)),
                    pathPrefix(PathMatchers.segment("rooms").slash(PathMatchers.segment()),
                            name -> rooms.containsKey(name) ? room(rooms.get(name), connection) : reject())));
        });
    }

    private Route room(Room room, Connection connection) {
        return concat(
                pathEnd(() -> member(name -> handleWebSocketMessages(socket(room, name, connection)))),
                path("log", () -> get(() -> log(room, connection))),
                path("files", () -> post(() -> member(name -> upload(room, name)))));
    }

    private Route member(Function<String, Route> inner) {
        return parameter("name", name -> validate(() -> Room.isName(name),
                "a name has 1 to 24 letters and digits", () -> inner.apply(name)));
    }

    private record Place(String name, int people) {}

    private Route list() {
        List<Place> places = rooms.entrySet().stream()
                .map(room -> new Place(room.getKey(), room.getValue().people()))
                .toList();
        return completeOK(places, Jackson.marshaller());
    }

    /** Text in, events out. The first message tells what the socket runs over, which no browser does. */
    private Flow<Message, Message, NotUsed> socket(Room room, String name, Connection connection) {
        return Flow.of(Message.class)
                .mapAsync(1, this::text)
                .via(room.member(name))
                .map(event -> message(Map.of("event", event)))
                .prepend(Source.single(message(Map.of("connection", connection))));
    }

    /** A message may come in parts. One that is too long, or binary, ends the socket. */
    private CompletionStage<String> text(Message message) {
        return message.asTextMessage().getStreamedText()
                .limitWeighted(MAX_TEXT, part -> (long) part.length())
                .runFold("", String::concat, system);
    }

    private Message message(Object value) {
        try {
            return TextMessage.create(json.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What happens in a room, line by line, until the reader has enough: {@code curl -kN https://localhost:8443/rooms/lobby/log}. */
    private Route log(Room room, Connection connection) {
        Source<String, NotUsed> lines = room.events()
                .map(Room.Event::line)
                .prepend(Source.single("This answer comes over " + connection.protocol() + " and goes on."))
                .keepAlive(Duration.ofSeconds(15), () -> "(nothing new)")
                .via(shutdown.flow());
        return complete(HttpEntities.createChunked(
                ContentTypes.TEXT_PLAIN_UTF8, lines.map(line -> ByteString.fromString(line + "\n"))));
    }

    /** Takes a file in as it comes, and keeps nothing of it but its size and digest. */
    private Route upload(Room room, String name) {
        return parameter("file", file -> validate(() -> Upload.isFileName(file), "that is no name of a file",
                () -> withSizeLimit(Upload.MAX_BYTES, () -> handleExceptions(tooLarge, () -> extractDataBytes(bytes ->
                        completeOKWithFuture(
                                bytes.runFold(new Upload(), Upload::add, system).thenApply(upload -> {
                                    room.tell(Room.Kind.SHARED, name, upload.shown(file));
                                    return upload.received(file);
                                }),
                                Jackson.marshaller()))))));
    }

    /** As without it, but said to the client instead of the log. */
    private final ExceptionHandler tooLarge = ExceptionHandler.newBuilder()
            .match(EntityStreamSizeException.class,
                    e -> complete(StatusCodes.CONTENT_TOO_LARGE, "at most " + Upload.MAX_BYTES + " bytes\n"))
            .build();
}
