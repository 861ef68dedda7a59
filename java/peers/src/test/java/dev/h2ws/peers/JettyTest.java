package dev.h2ws.peers;

import java.security.KeyStore;

/** Jetty's client, HTTP/2 in cleartext by prior knowledge. */
class JettyTest extends PeerTest {
    JettyTest() {
        super(false);
    }

    @Override
    Peer peer(int port, KeyStore trusted) throws Exception {
        return new Jetty(port, trusted);
    }
}
