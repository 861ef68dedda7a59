package dev.h2ws;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * The program's ends by the numbers of their connections. An event may be read before the call that attached its
 * connection has returned: who looks in vain waits for those who are at such a call, and looks again.
 */
final class Duplexes {
    private final Map<Long, NativeDuplex> open = new ConcurrentHashMap<>();

    /** Attaches by {@code attach}, which gives an id or a status. */
    synchronized NativeDuplex attaching(Engine engine, LongSupplier attach) {
        long id = attach.getAsLong();
        if (Handlers.isStatus(id)) {
            throw H2wsException.last(id, "attach");
        }
        return add(engine, id);
    }

    NativeDuplex add(Engine engine, long connection) {
        NativeDuplex duplex = new NativeDuplex(engine, connection);
        open.put(connection, duplex);
        return duplex;
    }

    NativeDuplex of(long connection) {
        NativeDuplex duplex = open.get(connection);
        if (duplex == null) {
            synchronized (this) {
                duplex = open.get(connection);
            }
        }
        return duplex;
    }

    void remove(long connection) {
        open.remove(connection);
    }
}
