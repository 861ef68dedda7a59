package dev.h2ws.pekko.internal;

import java.lang.reflect.Method;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import org.apache.pekko.http.scaladsl.HttpsConnectionContext;
import org.apache.pekko.stream.TLSClientAuth;
import scala.Function1;
import scala.Option;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.util.Either;

/** The engines of an {@code HttpsConnectionContext}, as stock makes one for each connection of a server ({@code Http.scala}). */
final class SslEngines {
    private SslEngines() {}

    /** Whether it has a function that makes them; a context of before has an {@code SSLContext} and parameters. */
    static boolean hasCreator(HttpsConnectionContext context) {
        try {
            HttpsConnectionContext.class.getMethod("engineCreator");
            return true;
        } catch (NoSuchMethodException e) {
            return context.sslContextData().isRight();
        }
    }

    static Supplier<SSLEngine> of(HttpsConnectionContext context) {
        try {
            // Pekko HTTP 2.0; before, it is what is Right of sslContextData
            Method creator = HttpsConnectionContext.class.getMethod("engineCreator");
            return by(creator.invoke(context));
        } catch (NoSuchMethodException e) {
            return of1(context);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the engines of " + context + " are not to be had", e);
        }
    }

    @SuppressWarnings("unchecked")
    private static Supplier<SSLEngine> by(Object creator) {
        Function1<Option<Tuple2<String, Object>>, SSLEngine> make =
                (Function1<Option<Tuple2<String, Object>>, SSLEngine>) creator;
        return () -> make.apply(Option.empty());
    }

    private static Supplier<SSLEngine> of1(HttpsConnectionContext context) {
        Either<?, ?> data = context.sslContextData();
        return data.isRight() ? by(((scala.util.Right<?, ?>) data).value()) : () -> deprecated(context);
    }

    /** With the parameters that {@code ConnectionContext.https} took beside the context ({@code TlsUtils.scala}). */
    @SuppressWarnings("deprecation")
    private static SSLEngine deprecated(HttpsConnectionContext context) {
        SSLEngine engine = context.sslContext().createSSLEngine();
        // first, since a change of mode changes the defaults
        engine.setUseClientMode(false);
        if (context.enabledCipherSuites().isDefined()) {
            engine.setEnabledCipherSuites(strings(context.enabledCipherSuites().get()));
        }
        if (context.enabledProtocols().isDefined()) {
            engine.setEnabledProtocols(strings(context.enabledProtocols().get()));
        }
        if (context.sslParameters().isDefined()) {
            engine.setSSLParameters(context.sslParameters().get());
        }
        TLSClientAuth clients = context.clientAuth().isDefined() ? context.clientAuth().get() : null;
        if (TLSClientAuth.need().equals(clients)) {
            engine.setNeedClientAuth(true);
        } else if (TLSClientAuth.want().equals(clients)) {
            engine.setWantClientAuth(true);
        } else if (TLSClientAuth.none().equals(clients)) {
            engine.setNeedClientAuth(false);
        }
        return engine;
    }

    private static String[] strings(Seq<String> strings) {
        return CollectionConverters.asJava(strings).toArray(new String[0]);
    }
}
