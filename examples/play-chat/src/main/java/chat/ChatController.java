package chat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import play.libs.F;
import play.libs.Json;
import play.mvc.BodyParser;
import play.mvc.Controller;
import play.mvc.FileMimeTypes;
import play.mvc.Http;
import play.mvc.Result;
import play.mvc.WebSocket;

/** Everything under one origin: the page, the rooms, their sockets and logs, and the upload. */
public final class ChatController extends Controller {
    private final Map<String, Room> rooms;
    private final FileMimeTypes types;
    private final SharedKillSwitch shutdown;

    ChatController(Map<String, Room> rooms, FileMimeTypes types, SharedKillSwitch shutdown) {
        this.rooms = rooms;
        this.types = types;
        this.shutdown = shutdown;
    }

    public Result page(Http.Request request) {
        return ok().sendResource("page.html", types);
    }

    private record Place(String name, int people) {}

    public Result list(Http.Request request) {
        List<Place> places = rooms.entrySet().stream()
                .map(room -> new Place(room.getKey(), room.getValue().people()))
                .toList();
        return ok(Json.toJson(places));
    }

    /** Text in, events out. The first message tells what the socket runs over, which no browser does. */
    public WebSocket socket(String name) {
        return WebSocket.Text.acceptOrResult(request -> {
            Room room = rooms.get(name);
            String member = request.queryString("name").orElse("");
            if (room == null || !Room.isName(member)) {
                return CompletableFuture.completedFuture(F.Either.Left(room == null ? notFound() : badName()));
            }
            Flow<String, String, ?> flow = room.member(member)
                    .map(event -> Json.stringify(Json.toJson(Map.of("event", event))))
                    .prepend(Source.single(Json.stringify(Json.toJson(Map.of("connection", Connection.of(request))))));
            return CompletableFuture.completedFuture(F.Either.Right(flow));
        });
    }

    /** What happens in a room, line by line, until the reader has enough: {@code curl -kN https://localhost:8443/rooms/lobby/log}. */
    public Result log(Http.Request request, String name) {
        Room room = rooms.get(name);
        if (room == null) {
            return notFound();
        }
        Source<String, ?> lines = room.events()
                .map(Room.Event::line)
                .prepend(Source.single("This answer comes over " + request.version() + " and goes on."))
                .keepAlive(Duration.ofSeconds(15), () -> "(nothing new)")
                .via(shutdown.flow());
        return ok().chunked(lines.map(line -> ByteString.fromString(line + "\n"))).as("text/plain; charset=utf-8");
    }

    @BodyParser.Of(UploadParser.class)
    public Result upload(Http.Request request, String name) {
        Room room = rooms.get(name);
        String member = request.queryString("name").orElse("");
        String file = request.queryString("file").orElse("");
        if (room == null || !Room.isName(member) || !Upload.isFileName(file)) {
            return room == null ? notFound() : Room.isName(member) ? badRequest("that is no name of a file\n") : badName();
        }
        Upload upload = request.body().as(Upload.class);
        room.tell(Room.Kind.SHARED, member, upload.shown(file));
        JsonNode received = Json.toJson(upload.received(file));
        return ok(received);
    }

    private static Result badName() {
        return badRequest("a name has 1 to 24 letters and digits\n");
    }
}
