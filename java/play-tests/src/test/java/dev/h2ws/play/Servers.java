package dev.h2ws.play;

import dev.h2ws.pekko.Wire;
import java.util.Map;

/** Play's own server and h2ws with the same application, for all tests of a class. */
final class Servers implements AutoCloseable {
    private final PlayServer stock;
    private final PlayServer h2ws;
    private int flows;

    Servers(String lines) {
        stock = Door.STOCK_HTTP1.start(lines);
        h2ws = Door.H2WS_HTTP2.start(lines);
    }

    PlayServer of(Door door) {
        return door.isStock() ? stock : h2ws;
    }

    /** A path that nobody else uses. */
    synchronized String name() {
        flows++;
        return "flow-" + flows;
    }

    Wire open(Door door, String path) throws Exception {
        return open(door, path, Map.of());
    }

    Wire open(Door door, String path, Map<String, String> fields) throws Exception {
        return door.open(of(door), path, fields);
    }

    @Override
    public void close() {
        stock.close();
        h2ws.close();
    }
}
