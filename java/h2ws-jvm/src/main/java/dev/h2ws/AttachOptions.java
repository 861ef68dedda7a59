package dev.h2ws;

import dev.h2ws.internal.RequestHead.TlsHead;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.util.Objects;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** What h2ws is to know of a connection whose socket stays with the program ({@link H2ws#attach}). Immutable. */
public final class AttachOptions {
    final String peer;
    final TlsHead tls;
    final ListenOptions options;

    private AttachOptions(String peer, TlsHead tls, ListenOptions options) {
        this.peer = peer;
        this.tls = tls;
        this.options = options;
    }

    /**
     * Cleartext, with the default {@link ListenOptions}.
     *
     * @param peer the peer's address as text, for the requests; may be empty
     * @return options for it
     */
    public static AttachOptions of(String peer) {
        return new AttachOptions(Objects.requireNonNull(peer, "peer"), null, ListenOptions.defaults());
    }

    /**
     * What the connection may do.
     *
     * @param options without TLS: the bytes that are attached are in the clear
     * @return options with that
     */
    public AttachOptions options(ListenOptions options) {
        if (options.tls != null) {
            throw new IllegalArgumentException("an attached connection has no socket for native TLS; leave it out");
        }
        return new AttachOptions(peer, tls, options);
    }

    /**
     * The TLS that the program speaks on it, whose handshake is complete: its protocol is served, and it comes with each
     * request.
     *
     * @param session the session
     * @param serverName the name that the client asked for; may be empty
     * @param alpn the protocol agreed on, {@code h2} or {@code http/1.1}; may be empty
     * @return options with that
     */
    public AttachOptions tls(SSLSession session, String serverName, String alpn) {
        TlsHead head =
                new TlsHead(session.getProtocol(), session.getCipherSuite(), serverName, alpn, false, chain(session));
        return new AttachOptions(peer, head, options);
    }

    private static byte[][] chain(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            byte[][] der = new byte[chain.length][];
            for (int i = 0; i < chain.length; i++) {
                der[i] = chain[i].getEncoded();
            }
            return der;
        } catch (SSLPeerUnverifiedException | CertificateEncodingException e) {
            // it showed none, or none that could be passed on
            return new byte[0][];
        }
    }

    String[] tlsTexts() {
        return tls == null ? null : new String[] {tls.version(), tls.cipher(), tls.serverName(), tls.alpn()};
    }

    byte[][] certificates() {
        return tls == null ? null : tls.certificates();
    }
}
