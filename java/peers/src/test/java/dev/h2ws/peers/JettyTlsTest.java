package dev.h2ws.peers;

import java.security.KeyStore;

/** Jetty's client, HTTP/2 by ALPN over TLS. */
class JettyTlsTest extends PeerTest {
    JettyTlsTest() {
        super(true);
    }

    @Override
    Peer peer(int port, KeyStore trusted) throws Exception {
        return new Jetty(port, trusted);
    }
}
