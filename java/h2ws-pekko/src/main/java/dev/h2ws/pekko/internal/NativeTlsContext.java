package dev.h2ws.pekko.internal;

import dev.h2ws.Tls;
import java.security.SecureRandom;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.apache.pekko.http.scaladsl.HttpsConnectionContext;
import org.apache.pekko.stream.TLSClientAuth;

/**
 * An {@link SSLContext} that has its keys with it, which no other lets go of: a binding of h2ws that is given it in a
 * {@code ConnectionContext.https} serves with native TLS; to all others it is the context that it was made of. Any thread.
 */
public final class NativeTlsContext extends SSLContext {
    private final Tls.Builder keys;
    private final Tls.ClientAuth clients;

    /**
     * Of a context and the same keys for h2ws.
     *
     * @param context what it is for others
     * @param keys is this context's from now on
     * @param clients as in {@code keys}: a connection context that wants it otherwise is served by engines of {@code context}
     */
    public NativeTlsContext(SSLContext context, Tls.Builder keys, Tls.ClientAuth clients) {
        super(new Plain(context), context.getProvider(), context.getProtocol());
        this.keys = keys;
        this.clients = clients;
    }

    /** What a connection context was made of, if that is one, and if nothing was put beside it that it does not say. */
    @SuppressWarnings("deprecation")
    static NativeTlsContext in(HttpsConnectionContext context) {
        if (SslEngines.hasCreator(context)
                || !(context.sslContext() instanceof NativeTlsContext found)
                || context.enabledCipherSuites().isDefined()
                || context.enabledProtocols().isDefined()
                || context.sslParameters().isDefined()) {
            return null;
        }
        return found.clients == clients(context) ? found : null;
    }

    @SuppressWarnings("deprecation")
    private static Tls.ClientAuth clients(HttpsConnectionContext context) {
        TLSClientAuth said = context.clientAuth().isDefined() ? context.clientAuth().get() : TLSClientAuth.none();
        if (said.equals(TLSClientAuth.need())) {
            return Tls.ClientAuth.REQUIRED;
        }
        return said.equals(TLSClientAuth.want()) ? Tls.ClientAuth.OPTIONAL : Tls.ClientAuth.NONE;
    }

    /** To be closed. */
    Tls load() {
        synchronized (keys) {
            return keys.load();
        }
    }

    /** A context's own, behind the interface by which {@link SSLContext} has it. */
    private static final class Plain extends SSLContextSpi {
        private final SSLContext context;

        Plain(SSLContext context) {
            this.context = context;
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random) {
            throw new IllegalStateException("it was initialized before");
        }

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            return context.getSocketFactory();
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            return context.getServerSocketFactory();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            return context.createSSLEngine();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            return context.createSSLEngine(host, port);
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            return context.getServerSessionContext();
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            return context.getClientSessionContext();
        }

        @Override
        protected SSLParameters engineGetDefaultSSLParameters() {
            return context.getDefaultSSLParameters();
        }

        @Override
        protected SSLParameters engineGetSupportedSSLParameters() {
            return context.getSupportedSSLParameters();
        }
    }
}
