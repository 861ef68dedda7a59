package dev.h2ws;

import dev.h2ws.internal.RequestHead.TlsHead;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The TLS of a connection. Immutable. */
public final class TlsInfo {
    private final TlsHead head;
    private List<X509Certificate> certificates;

    TlsInfo(TlsHead head) {
        this.head = head;
    }

    /**
     * The version.
     *
     * @return {@code TLSv1.2} or {@code TLSv1.3}
     */
    public String version() {
        return head.version();
    }

    /**
     * The cipher suite.
     *
     * @return as {@code TLS13_AES_128_GCM_SHA256}
     */
    public String cipher() {
        return head.cipher();
    }

    /**
     * The name that the client asked for (SNI).
     *
     * @return the name, if it asked for one
     */
    public Optional<String> serverName() {
        return present(head.serverName());
    }

    /**
     * The protocol agreed on by ALPN.
     *
     * @return {@code h2} or {@code http/1.1}, if the client offered any
     */
    public Optional<String> alpn() {
        return present(head.alpn());
    }

    /**
     * Whether an earlier session was resumed.
     *
     * @return true if so
     */
    public boolean resumed() {
        return head.resumed();
    }

    /**
     * The client's certificates, its own first; decoded at the first call.
     *
     * @return the chain; empty if it showed none
     * @throws H2wsException with {@link Status#TLS} if this JVM cannot decode one
     */
    public synchronized List<X509Certificate> certificates() {
        if (certificates == null) {
            List<X509Certificate> decoded = new ArrayList<>();
            try {
                CertificateFactory factory = CertificateFactory.getInstance("X.509");
                for (byte[] der : head.certificates()) {
                    decoded.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
                }
            } catch (CertificateException e) {
                throw new H2wsException(Status.TLS, "the client's certificate cannot be decoded: " + e.getMessage(), e);
            }
            certificates = Collections.unmodifiableList(decoded);
        }
        return certificates;
    }

    private static Optional<String> present(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }
}
