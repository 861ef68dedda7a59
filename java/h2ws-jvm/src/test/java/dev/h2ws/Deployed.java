package dev.h2ws;

import java.util.function.Supplier;

/** What a child class loader loads: an engine with a page. What of it is used outside is the JDK's alone. */
public final class Deployed implements AutoCloseable, Supplier<String> {
    private final H2ws engine = H2ws.builder().loops(2).start();
    private final Listener listener = engine.listen("127.0.0.1:0", request -> request.respond(200, "deployed"));

    public Deployed() {}

    H2ws engine() {
        return engine;
    }

    /** The port that it listens on. */
    @Override
    public String get() {
        return String.valueOf(listener.port());
    }

    @Override
    public void close() {
        engine.close();
    }
}
