package dev.h2ws.play;

import dev.h2ws.pekko.Wire;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Play's own server and h2ws with the same application, as long as the tests of a class run that registers it. */
final class Servers implements BeforeAllCallback, AfterAllCallback {
    private PlayServer stock;
    private PlayServer h2ws;
    private int flows;

    @Override
    public void beforeAll(ExtensionContext context) {
        stock = Door.STOCK_HTTP1.start("");
        h2ws = Door.H2WS_HTTP2.start("");
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
    public void afterAll(ExtensionContext context) {
        stock.close();
        h2ws.close();
    }
}
