package dev.h2ws.pekko.internal;

import dev.h2ws.TlsInfo;
import java.security.Principal;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.SslSessionInfo;
import org.apache.pekko.http.javadsl.model.headers.TlsSessionInfo;
import org.apache.pekko.http.scaladsl.settings.ParserSettings;

/** TLS that h2ws has taken off, as an {@link SSLSession}: what applications ask one for, the client's certificates above all. */
final class TlsSession implements SSLSession {
    private final TlsInfo tls;

    private TlsSession(TlsInfo tls) {
        this.tls = tls;
    }

    static SSLSession of(TlsInfo tls) {
        return new TlsSession(tls);
    }

    /** The attribute and the header, where they are asked for. */
    static HttpRequest add(HttpRequest request, TlsInfo tls, ParserSettings parsing, List<HttpHeader> fields) {
        if (parsing.includeTlsSessionInfoHeader()) {
            fields.add(TlsSessionInfo.create(new TlsSession(tls)));
        }
        return parsing.includeSslSessionAttribute()
                ? request.addAttribute(AttributeKeys.sslSession, SslSessionInfo.create(new TlsSession(tls)))
                : request;
    }

    @Override
    public Certificate[] getPeerCertificates() throws SSLPeerUnverifiedException {
        List<X509Certificate> chain = tls.certificates();
        if (chain.isEmpty()) {
            throw new SSLPeerUnverifiedException("peer not authenticated");
        }
        return chain.toArray(new Certificate[0]);
    }

    @Override
    public Principal getPeerPrincipal() throws SSLPeerUnverifiedException {
        return ((X509Certificate) getPeerCertificates()[0]).getSubjectX500Principal();
    }

    @Override
    public Certificate[] getLocalCertificates() {
        return null;
    }

    @Override
    public Principal getLocalPrincipal() {
        return null;
    }

    @Override
    public String getCipherSuite() {
        // the JDK's names have no version in them
        return tls.cipher().replace("TLS13_", "TLS_");
    }

    @Override
    public String getProtocol() {
        return tls.version();
    }

    @Override
    public byte[] getId() {
        return new byte[0];
    }

    @Override
    public SSLSessionContext getSessionContext() {
        return null;
    }

    @Override
    public long getCreationTime() {
        return 0;
    }

    @Override
    public long getLastAccessedTime() {
        return 0;
    }

    @Override
    public void invalidate() {}

    @Override
    public boolean isValid() {
        return true;
    }

    @Override
    public void putValue(String name, Object value) {}

    @Override
    public Object getValue(String name) {
        return null;
    }

    @Override
    public void removeValue(String name) {}

    @Override
    public String[] getValueNames() {
        return new String[0];
    }

    @Override
    public String getPeerHost() {
        return null;
    }

    @Override
    public int getPeerPort() {
        return -1;
    }

    @Override
    public int getPacketBufferSize() {
        return 1 << 14;
    }

    @Override
    public int getApplicationBufferSize() {
        return 1 << 14;
    }
}
