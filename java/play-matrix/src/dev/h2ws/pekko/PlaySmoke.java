package dev.h2ws.pekko;

import dev.h2ws.TestKeys;
import dev.h2ws.play.H2wsCheck;
import dev.h2ws.play.NativeTls;
import java.io.File;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.stream.javadsl.Flow;
import org.eclipse.jetty.client.BytesRequestContent;
import play.Application;
import play.ApplicationLoader;
import play.BuiltInComponentsFromContext;
import play.Environment;
import play.Mode;
import play.api.Play;
import play.api.mvc.Handler;
import play.api.routing.HandlerDef;
import play.core.routing.HandlerInvokerFactory;
import play.core.routing.HandlerInvokerFactory$;
import play.core.server.PekkoHttpServerProvider;
import play.core.server.Server;
import play.core.server.ServerConfig;
import play.http.websocket.Message;
import play.libs.F;
import play.mvc.Controller;
import play.mvc.EssentialFilter;
import play.mvc.Result;
import play.mvc.WebSocket;
import play.routing.Router;
import scala.Function1;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Whether the jars work on the Play that is on the class path, by its own server: {@code java/play-matrix.mk}. Says what it
 * ran on, or fails.
 */
public final class PlaySmoke {
    private static final int BODY = 90_000;

    private PlaySmoke() {}

    /** An ordinary controller. */
    public static final class Smoke extends Controller {
        public Result length(play.mvc.Http.Request request) {
            long length = request.hasBody() ? request.body().asBytes().size() : 0;
            return ok(request.version() + " " + length);
        }

        public WebSocket echo() {
            return new WebSocket() {
                @Override
                public CompletableFuture<F.Either<Result, Flow<Message, Message, ?>>> apply(play.mvc.Http.RequestHeader request) {
                    return CompletableFuture.completedFuture(F.Either.Right(Flow.create()));
                }
            };
        }
    }

    public static void main(String... arguments) {
        try {
            run();
            System.out.println("play: ok: " + String.join(", ", arguments));
            System.exit(0);
        } catch (Exception | LinkageError | AssertionError e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static void run() throws Exception {
        System.setProperty("pekko.loglevel", "WARNING");
        System.setProperty("h2ws.loops", "1");
        System.setProperty("play.server.h2ws.required", "on");
        keyStore();
        ClassLoader loader = PlaySmoke.class.getClassLoader();
        Application application = application(loader);
        Play.start(application.asScala());
        String extension = Http.get(application.asScala().actorSystem()).getClass().getName();
        check("the extension in place is " + extension, extension.startsWith("dev.h2ws."));
        new H2wsCheck(application.asScala().actorSystem(), application.config());
        Server server = new PekkoHttpServerProvider().createServer(
                ServerConfig.apply(loader, new File("."), Option.apply((Object) 0), Option.apply((Object) 0), "127.0.0.1",
                        Mode.TEST.asScala(), System.getProperties()),
                application.asScala());
        int port = (Integer) server.httpPort().get();
        String http1 = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/length"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[BODY]))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        check("over HTTP/1.1: " + http1, http1.equals("HTTP/1.1 " + BODY));
        try (Jetty jetty = new Jetty(port)) {
            String http2 = jetty.http.POST("http://localhost:" + port + "/length")
                    .body(new BytesRequestContent(new byte[BODY]))
                    .send()
                    .getContentAsString();
            check("over HTTP/2: " + http2, http2.equals("HTTP/2.0 " + BODY));
            http2 = jetty.http.GET("http://localhost:" + port + "/length").getContentAsString();
            check("over HTTP/2: " + http2, http2.equals("HTTP/2.0 0"));
        }
        try (Wire wire = new Http1Wire(port, "/echo", Map.of(), null)) {
            talk("HTTP/1.1", wire);
        }
        try (Wire wire = new Http2Wire(port, "/echo", Map.of(), null)) {
            talk("HTTP/2", wire);
        }
        String provider = application.config().getString("play.server.https.engineProvider");
        check("TLS is by " + provider, provider.equals(NativeTls.class.getName()));
        secure((Integer) server.httpsPort().get());
        server.stop();
    }

    /** By native TLS. */
    private static void secure(int port) throws Exception {
        String page = HttpClient.newBuilder()
                .sslContext(LocalKey.CONTEXT)
                .build()
                .send(HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/length")).build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        check("over TLS: " + page, page.equals("HTTP/2.0 0"));
        try (Wire wire = new Http2Wire(port, "/echo", Map.of(), LocalKey.CONTEXT)) {
            talk("TLS", wire);
        }
    }

    /** For Play, which reads it from a file. */
    private static void keyStore() throws Exception {
        Path file = Files.createTempFile("h2ws-play", ".p12");
        file.toFile().deleteOnExit();
        try (OutputStream out = Files.newOutputStream(file)) {
            LocalKey.STORE.store(out, TestKeys.PASSWORD);
        }
        System.setProperty("play.server.https.keyStore.path", file.toString());
        System.setProperty("play.server.https.keyStore.type", "PKCS12");
        System.setProperty("play.server.https.keyStore.password", new String(TestKeys.PASSWORD));
    }

    private static void talk(String over, Wire wire) throws Exception {
        check("a handshake over " + over, wire.isAccepted());
        wire.text("hello");
        String heard = wire.next();
        check(heard + " over " + over, heard.equals("text hello"));
        wire.close(4001, "bye");
        heard = wire.next();
        check(heard + " over " + over, heard.equals("close 4001 bye"));
    }

    private static Application application(ClassLoader loader) {
        return new BuiltInComponentsFromContext(
                ApplicationLoader.create(new Environment(new File("."), loader, Mode.TEST))) {
            @Override
            public Router router() {
                return new Routes();
            }

            @Override
            public List<EssentialFilter> httpFilters() {
                return List.of();
            }
        }.application();
    }

    /** Routes by hand, in the way of the code that Play generates from a routes file, for which it wants sbt. */
    private static final class Routes implements Router {
        private final Smoke smoke = new Smoke();
        private final Handler echo = handler(HandlerInvokerFactory$.MODULE$.javaWebSocket(), smoke.echo(), "echo");
        private final Handler length = handler(
                HandlerInvokerFactory$.MODULE$.wrapJavaRequest(), (Function1<play.mvc.Http.Request, Result>) smoke::length,
                "length", play.mvc.Http.Request.class);

        private static <T> Handler handler(HandlerInvokerFactory<T> factory, T called, String method, Class<?>... parameters) {
            return factory.createInvoker(
                            () -> called,
                            new HandlerDef(PlaySmoke.class.getClassLoader(), "", Smoke.class.getName(), method,
                                    seq(List.<Class<?>>of(parameters)), "GET", "/" + method, "", seq(List.of())))
                    .call(() -> called);
        }

        private static <T> Seq<T> seq(List<T> list) {
            return CollectionConverters.asScala(list).toSeq();
        }

        @Override
        public Optional<Handler> route(play.mvc.Http.RequestHeader request) {
            return switch (request.path()) {
                case "/echo" -> Optional.of(echo);
                case "/length" -> Optional.of(length);
                default -> Optional.empty();
            };
        }

        @Override
        public List<RouteDocumentation> documentation() {
            return List.of();
        }

        @Override
        public Router withPrefix(String prefix) {
            return this;
        }
    }

    private static void check(String what, boolean holds) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
