package dev.h2ws.peers;

import java.security.KeyStore;

/** Armeria's client, HTTP/2 in cleartext by prior knowledge. */
class ArmeriaTest extends PeerTest {
    ArmeriaTest() {
        super(false);
    }

    @Override
    Peer peer(int port, KeyStore trusted) throws Exception {
        return new Armeria(port, trusted);
    }
}
