package chat;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import play.api.mvc.Handler;
import play.api.routing.HandlerDef;
import play.core.routing.HandlerInvoker;
import play.core.routing.HandlerInvokerFactory;
import play.core.routing.HandlerInvokerFactory$;
import play.mvc.Http;
import play.mvc.Result;
import play.mvc.WebSocket;
import play.routing.Router;
import scala.Function1;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** The routes by hand, in the way of the code that Play generates from {@code conf/routes}, for which it wants sbt. */
final class Routes implements Router {
    private static final HandlerInvokerFactory$ FACTORIES = HandlerInvokerFactory$.MODULE$;

    private record Route(RouteDocumentation documentation, Pattern path, Function<Matcher, Handler> handler) {}

    private final List<Route> routes;

    Routes(ChatController chat) {
        Class<?> request = Http.Request.class;
        HandlerInvoker<Function1<Http.Request, Result>> page = action("page", request);
        HandlerInvoker<Function1<Http.Request, Result>> list = action("list", request);
        HandlerInvoker<WebSocket> socket = invoker(FACTORIES.javaWebSocket(), "socket", String.class);
        HandlerInvoker<Function1<Http.Request, Result>> log = action("log", request, String.class);
        HandlerInvoker<Function1<Http.Request, Result>> upload = action("upload", request, String.class);
        routes = List.of(
                route("GET", "/", "page", path -> page.call(() -> chat::page)),
                route("GET", "/rooms", "list", path -> list.call(() -> chat::list)),
                route("GET", "/rooms/:room", "socket", path -> socket.call(() -> chat.socket(path.group(1)))),
                route("GET", "/rooms/:room/log", "log", path -> log.call(() -> asked -> chat.log(asked, path.group(1)))),
                route("POST", "/rooms/:room/files", "upload",
                        path -> upload.call(() -> asked -> chat.upload(asked, path.group(1)))));
    }

    private static Route route(String method, String path, String controllerMethod, Function<Matcher, Handler> handler) {
        return new Route(
                new RouteDocumentation(method, path, controllerMethod), Pattern.compile(path.replace(":room", "([^/]+)")), handler);
    }

    private static HandlerInvoker<Function1<Http.Request, Result>> action(String method, Class<?>... parameters) {
        return invoker(FACTORIES.wrapJavaRequest(), method, parameters);
    }

    /** Of a method of the controller, whose annotations count. */
    private static <T> HandlerInvoker<T> invoker(HandlerInvokerFactory<T> factory, String method, Class<?>... parameters) {
        return factory.createInvoker(() -> null, new HandlerDef(Routes.class.getClassLoader(), "", ChatController.class.getName(), method,
                seq(Arrays.<Class<?>>asList(parameters)), "", "", "", seq(List.of())));
    }

    private static <T> Seq<T> seq(List<T> list) {
        return CollectionConverters.asScala(list).toSeq();
    }

    @Override
    public List<RouteDocumentation> documentation() {
        return routes.stream().map(Route::documentation).toList();
    }

    @Override
    public Optional<Handler> route(Http.RequestHeader request) {
        for (Route route : routes) {
            Matcher path = route.path.matcher(request.path());
            if (route.documentation.getHttpMethod().equals(request.method()) && path.matches()) {
                return Optional.of(route.handler.apply(path));
            }
        }
        return Optional.empty();
    }

    @Override
    public Router withPrefix(String prefix) {
        if (!prefix.equals("/")) {
            throw new UnsupportedOperationException("the page asks from the root");
        }
        return this;
    }
}
