package dev.h2ws;

import dev.h2ws.internal.Native;
import java.net.InetSocketAddress;

/** A listening socket. All methods may be called on any thread, and none blocks. */
public final class Listener implements AutoCloseable {
    /** An engine that listens is in use, even if the program keeps neither it nor this. */
    private final H2ws h2ws;

    private final Engine engine;
    private final long id;
    private final String address;

    Listener(H2ws h2ws, Engine engine, long id) {
        this.h2ws = h2ws;
        this.engine = engine;
        this.id = id;
        address = Native.listenerAddress(engine.id, id);
    }

    /**
     * The engine that it belongs to.
     *
     * @return the engine
     */
    public H2ws engine() {
        return h2ws;
    }

    /**
     * The bound address, with the port that was chosen.
     *
     * @return as {@code 127.0.0.1:8080}, {@code [::1]:8080} or {@code unix:/path}
     */
    public String address() {
        return address;
    }

    /**
     * The bound port.
     *
     * @return the port, or -1 for a UNIX socket
     */
    public int port() {
        return Addresses.parse(address).map(InetSocketAddress::getPort).orElse(-1);
    }

    /** Stops listening. Connections that were accepted stay. */
    @Override
    public void close() {
        engine.handlers.closed(this);
        Native.closeListener(engine.id, id);
    }

    @Override
    public String toString() {
        return "Listener " + Long.toHexString(id) + " on " + address;
    }
}
