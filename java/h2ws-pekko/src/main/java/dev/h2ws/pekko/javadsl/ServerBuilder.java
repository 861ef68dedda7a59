package dev.h2ws.pekko.javadsl;

import dev.h2ws.Tls;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.javadsl.HandlerProvider;
import org.apache.pekko.http.javadsl.HttpsConnectionContext;
import org.apache.pekko.http.javadsl.IncomingConnection;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;

/**
 * Pekko HTTP's {@code ServerBuilder} for Java, which binds by h2ws. Immutable; any thread; nothing blocks but
 * {@code withTls}, which reads files.
 */
public final class ServerBuilder implements org.apache.pekko.http.javadsl.ServerBuilder {
    private final ClassicActorSystemProvider system;
    private final dev.h2ws.pekko.scaladsl.ServerBuilder scala;

    private ServerBuilder(ClassicActorSystemProvider system, dev.h2ws.pekko.scaladsl.ServerBuilder scala) {
        this.system = system;
        this.scala = scala;
    }

    /**
     * Begins one, with the settings of the actor system's configuration.
     *
     * @param system the actor system
     * @param host the interface's name or address
     * @param port 0: a free one
     * @return a builder
     */
    public static ServerBuilder at(ClassicActorSystemProvider system, String host, int port) {
        return new ServerBuilder(system, dev.h2ws.pekko.scaladsl.ServerBuilder.at(system, host, port));
    }

    private ServerBuilder with(UnaryOperator<dev.h2ws.pekko.scaladsl.ServerBuilder> change) {
        return new ServerBuilder(system, change.apply(scala));
    }

    /**
     * TLS by h2ws, with keys that are loaded already.
     *
     * @param tls may serve other ports too; not closed by this
     * @return a builder with it
     */
    public ServerBuilder withTls(Tls tls) {
        return with(to -> to.withTls(tls));
    }

    /**
     * TLS by h2ws, with all keys of a key store.
     *
     * @param store the store, loaded
     * @param password of its keys
     * @return a builder with it
     * @throws dev.h2ws.H2wsException if a key cannot be used, with its alias
     */
    public ServerBuilder withTls(KeyStore store, char[] password) {
        return with(to -> to.withTls(store, password));
    }

    /**
     * TLS by h2ws, with a certificate and its key in PEM files, which are read now.
     *
     * @param chain the server's certificate, then those that vouch for it
     * @param key its key, not encrypted
     * @return a builder with it
     * @throws dev.h2ws.H2wsException if they cannot be used, with the file
     */
    public ServerBuilder withTls(Path chain, Path key) {
        return with(to -> to.withTls(chain, key));
    }

    @Override
    public ServerBuilder onInterface(String host) {
        return with(to -> to.onInterface(host));
    }

    @Override
    public ServerBuilder onPort(int port) {
        return with(to -> to.onPort(port));
    }

    @Override
    public ServerBuilder logTo(LoggingAdapter log) {
        return with(to -> to.logTo(log));
    }

    @Override
    public ServerBuilder withSettings(ServerSettings settings) {
        return with(to -> to.withSettings((org.apache.pekko.http.scaladsl.settings.ServerSettings) settings));
    }

    @Override
    public ServerBuilder adaptSettings(Function<ServerSettings, ServerSettings> adapt) {
        return with(to -> to.adaptSettings(
                settings -> (org.apache.pekko.http.scaladsl.settings.ServerSettings) applied(adapt, settings)));
    }

    @Override
    public ServerBuilder enableHttps(HttpsConnectionContext context) {
        return with(to -> to.enableHttps((org.apache.pekko.http.scaladsl.HttpsConnectionContext) context));
    }

    @Override
    public ServerBuilder withMaterializer(Materializer materializer) {
        return with(to -> to.withMaterializer(materializer));
    }

    @Override
    public CompletionStage<ServerBinding> bind(Function<HttpRequest, CompletionStage<HttpResponse>> handler) {
        return binding(scala.bind(request -> FutureConverters.asScala(applied(handler, request).thenApply(scalaResponse()))));
    }

    @Override
    public CompletionStage<ServerBinding> bind(HandlerProvider handler) {
        return bind(handler.handler(system));
    }

    @Override
    public CompletionStage<ServerBinding> bindSync(Function<HttpRequest, HttpResponse> handler) {
        return binding(scala.bindSync(request -> scalaResponse().apply(applied(handler, request))));
    }

    /** Pekko HTTP's own engine, HTTP/1.1 only, as there. */
    @Override
    @SuppressWarnings({"unchecked", "rawtypes"})
    public CompletionStage<ServerBinding> bindFlow(Flow<HttpRequest, HttpResponse, ?> flow) {
        return binding(scala.bindFlow((org.apache.pekko.stream.scaladsl.Flow) flow.asScala()));
    }

    /** Pekko HTTP's own engine, HTTP/1.1 only, as there. */
    @Override
    public Source<IncomingConnection, CompletionStage<ServerBinding>> connectionSource() {
        return scala.connectionSource()
                .asJava()
                .map(IncomingConnection::new)
                .mapMaterializedValue(ServerBuilder::binding);
    }

    private static java.util.function.Function<HttpResponse, org.apache.pekko.http.scaladsl.model.HttpResponse>
            scalaResponse() {
        return response -> (org.apache.pekko.http.scaladsl.model.HttpResponse) response;
    }

    private static CompletionStage<ServerBinding> binding(Future<Http.ServerBinding> of) {
        return FutureConverters.asJava(of).thenApply(ServerBinding::new);
    }

    /** Pekko's functions may throw what Java's may not; whoever calls the handler answers with 500. */
    private static <A, B> B applied(Function<A, B> function, A argument) {
        try {
            return function.apply(argument);
        } catch (Exception e) {
            throw ServerBuilder.<RuntimeException>asUnchecked(e);
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> E asUnchecked(Exception e) throws E {
        throw (E) e;
    }
}
