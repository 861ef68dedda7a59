package dev.h2ws.pekko.dropin;

import com.typesafe.config.Config;
import dev.h2ws.pekko.internal.Binding;
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
    private final LoggingAdapter log;
    /** Stock's own bind calls the other of the two below: then it is stock's all the way down. */
    private final ThreadLocal<Boolean> inStock = ThreadLocal.withInitial(() -> false);

    H2wsHttp(Config config, ExtendedActorSystem system, LoggingAdapter log) {
        super(config, system);
        this.log = log;
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
        if (isOurs(host, port, context)) {
            return Binding.bind(handler, host, port, null, settings, to, materializer);
        }
        inStock.set(true);
        try {
            return super.bindAndHandleAsyncImpl(handler, host, port, context, settings, parallelism, to, materializer);
        } finally {
            inStock.remove();
        }
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
        if (!inStock.get() && isOurs(host, port, context)) {
            // -1 is the default of this method's port: 80, for what is not HTTPS
            int bound = port >= 0 ? port : settings.defaultHttpPort();
            return Binding.bind(handler, host, bound, null, settings, to, materializer);
        }
        boolean before = inStock.get();
        inStock.set(true);
        try {
            return super.bindAndHandleAsync(handler, host, port, context, settings, parallelism, to, materializer);
        } finally {
            inStock.set(before);
        }
    }

    private boolean isOurs(String host, int port, ConnectionContext context) {
        if (context instanceof HttpsConnectionContext) {
            log.warning(
                    "{}:{} is left to Pekko HTTP's own server: TLS of an HttpsConnectionContext is not served by h2ws yet."
                            + " H2ws(system).newServerAt(..).withTls(..) has WebSockets over HTTP/2 with TLS",
                    host,
                    port);
            return false;
        }
        return true;
    }
}
