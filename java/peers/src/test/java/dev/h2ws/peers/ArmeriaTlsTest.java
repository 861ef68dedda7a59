package dev.h2ws.peers;

import java.security.KeyStore;

/** Armeria's client, HTTP/2 by ALPN over TLS. */
class ArmeriaTlsTest extends PeerTest {
    ArmeriaTlsTest() {
        super(true);
    }

    @Override
    Peer peer(int port, KeyStore trusted) throws Exception {
        return new Armeria(port, trusted);
    }
}
