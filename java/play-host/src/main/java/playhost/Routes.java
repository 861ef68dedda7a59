package playhost;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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

    /** @param methods a pattern */
    private record Route(RouteDocumentation documentation, String methods, Pattern path, Function<Matcher, Handler> handler) {}

    private final List<Route> pages;
    private final List<Route> sockets;

    Routes(PageController page, SocketController socket) {
        HandlerInvoker<Function1<Http.Request, Result>> bytes = page("bytes", long.class);
        var slow = invoker(FACTORIES.wrapJavaPromiseRequest(), PageController.class, "slow", Http.Request.class, long.class);
        pages = List.of(
                route("GET|POST", "/", "index", page("index"), path -> page::index),
                route("GET", "/hello", "hello", page("hello"), path -> page::hello),
                route("GET", "/bytes/:n", "bytes", bytes, path -> asked -> page.bytes(asked, number(path, 1))),
                route("POST|PUT", "/echo-body", "echo", page("echo"), path -> page::echo),
                route("GET", "/slow/:n", "slow", slow, path -> asked -> page.slow(asked, number(path, 1))),
                route("GET", "/stats", "stats", page("stats"), path -> page::stats),
                route("GET", "/closed", "closed", page("closed"), path -> page::closed),
                route("GET", "/connection", "connection", page("connection"), path -> page::connection),
                route("[A-Z]+", "/|/hello|/bytes/:n|/echo-body|/slow/:n", "notAllowed", page("notAllowed"),
                        path -> page::notAllowed));
        sockets = List.of(
                socket("/echo", "echo", path -> socket.echo()),
                socket("/connection", "connection", path -> socket.connection()),
                socket("/close/:n", "close", path -> socket.close((int) number(path, 1)), int.class),
                socket("/abort", "abort", path -> socket.abort()),
                socket("/reject/:n", "reject", path -> socket.reject((int) number(path, 1)), int.class),
                socket("/later/:n", "later", path -> socket.later(number(path, 1)), long.class),
                socket("/never", "never", path -> socket.never()),
                socket("/sink", "sink", path -> socket.sink()),
                socket("/stall", "stall", path -> socket.stall()),
                socket("/flood/:n/:n", "flood", path -> socket.flood(number(path, 1), (int) number(path, 2)),
                        long.class, int.class));
    }

    private static <T> Route route(
            String methods, String path, String controllerMethod, HandlerInvoker<T> invoker, Function<Matcher, T> called) {
        return new Route(new RouteDocumentation(methods, path, controllerMethod), methods,
                Pattern.compile(path.replace(":n", "([0-9]{1,9})")),
                matched -> invoker.call(() -> called.apply(matched)));
    }

    private static Route socket(String path, String method, Function<Matcher, WebSocket> called, Class<?>... parameters) {
        return route("GET", path, method,
                invoker(FACTORIES.javaWebSocket(), SocketController.class, method, parameters), called);
    }

    private static HandlerInvoker<Function1<Http.Request, Result>> page(String method, Class<?>... parameters) {
        Class<?>[] all = Stream.concat(Stream.of(Http.Request.class), Arrays.stream(parameters)).toArray(Class<?>[]::new);
        return invoker(FACTORIES.wrapJavaRequest(), PageController.class, method, all);
    }

    /** Of a method of a controller, whose annotations count. */
    private static <T> HandlerInvoker<T> invoker(
            HandlerInvokerFactory<T> factory, Class<?> controller, String method, Class<?>... parameters) {
        return factory.createInvoker(() -> null, new HandlerDef(Routes.class.getClassLoader(), "", controller.getName(), method,
                seq(Arrays.<Class<?>>asList(parameters)), "", "", "", seq(List.of())));
    }

    private static <T> Seq<T> seq(List<T> list) {
        return CollectionConverters.asScala(list).toSeq();
    }

    private static long number(Matcher path, int group) {
        return Long.parseLong(path.group(group));
    }

    @Override
    public List<RouteDocumentation> documentation() {
        return Stream.concat(pages.stream(), sockets.stream()).map(Route::documentation).toList();
    }

    /** {@code /connection} is a page and a socket, so handshakes look among the sockets first. */
    @Override
    public Optional<Handler> route(Http.RequestHeader request) {
        boolean handshake = request.hasHeader("Sec-WebSocket-Version");
        Optional<Handler> found = among(handshake ? sockets : pages, request);
        return found.isPresent() ? found : among(handshake ? pages : sockets, request);
    }

    private static Optional<Handler> among(List<Route> routes, Http.RequestHeader request) {
        for (Route route : routes) {
            Matcher path = route.path.matcher(request.path());
            if (request.method().matches(route.methods) && path.matches()) {
                return Optional.of(route.handler.apply(path));
            }
        }
        return Optional.empty();
    }

    @Override
    public Router withPrefix(String prefix) {
        if (!prefix.equals("/")) {
            throw new UnsupportedOperationException("the paths of test hosts are fixed");
        }
        return this;
    }
}
