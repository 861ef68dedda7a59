package dev.h2ws;

import javax.net.ssl.SSLSession;

/** What HTTP/2 asks of TLS (RFC 9113 section 9.2). */
final class CipherSuites {
    private CipherSuites() {}

    /** TLS 1.3; or TLS 1.2 with a suite that is not in appendix A. */
    static boolean goodForHttp2(SSLSession session) {
        return goodForHttp2(session.getProtocol(), session.getCipherSuite());
    }

    /** Appendix A has all suites without an ephemeral key exchange or without AEAD, and their names tell. */
    static boolean goodForHttp2(String protocol, String suite) {
        if (!protocol.equals("TLSv1.2")) {
            return protocol.equals("TLSv1.3");
        }
        boolean ephemeral = suite.startsWith("TLS_ECDHE_") || suite.startsWith("TLS_DHE_");
        boolean aead = suite.contains("_GCM_") || suite.contains("_CCM") || suite.contains("_CHACHA20_POLY1305_");
        return ephemeral && aead;
    }
}
