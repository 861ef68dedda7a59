package dev.h2ws.pekko.dropin;

import com.typesafe.config.Config;
import dev.h2ws.Tls;
import dev.h2ws.pekko.internal.Binding;
import dev.h2ws.pekko.internal.Security;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.ConnectionContext;
import org.apache.pekko.http.scaladsl.Http;
import org.apache.pekko.http.scaladsl.HttpExt;
import org.apache.pekko.http.scaladsl.HttpsConnectionContext;
import org.apache.pekko.http.scaladsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import scala.Function1;
import scala.concurrent.Future;

/** The {@code Http} extension, which binds by h2ws. All else, the client's side above all, is as it was. */
final class H2wsHttp extends HttpExt {
    H2wsHttp(Config config, ExtendedActorSystem system) {
        super(config, system);
    }

    /** Where both builders of Pekko HTTP end up. */
    @Override
    public Future<Http.ServerBinding> bindAndHandleAsyncImpl(
            Function1<HttpRequest, Future<HttpResponse>> handler,
            String host,
            int port,
            ConnectionContext context,
            ServerSettings settings,
            int parallelism,
            LoggingAdapter to,
            Materializer materializer) {
        return Binding.bind(handler, host, port, security(context), true, settings, to, materializer);
    }

    /** What Play 3.0 calls; gone in Pekko HTTP 2.0. */
    @Override
    @SuppressWarnings("deprecation")
    public Future<Http.ServerBinding> bindAndHandleAsync(
            Function1<HttpRequest, Future<HttpResponse>> handler,
            String host,
            int port,
            ConnectionContext context,
            ServerSettings settings,
            int parallelism,
            LoggingAdapter to,
            Materializer materializer) {
        boolean https = context instanceof HttpsConnectionContext;
        // -1 is the default of this method's port
        int bound = port >= 0 ? port : https ? settings.defaultHttpsPort() : settings.defaultHttpPort();
        return Binding.bind(handler, host, bound, security(context), true, settings, to, materializer);
    }

    private static Security security(ConnectionContext context) {
        return context instanceof HttpsConnectionContext https ? Security.of(https) : Security.of((Tls) null);
    }
}
