package dev.h2ws;

import dev.h2ws.internal.RequestHead;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Which handler a request is for: its listener's, or that of its connection if that was adopted.
 *
 * <p>A request may be read before the call that brought its listener or connection has returned with its id. So who
 * looks in vain waits for those who are at such a call, by the write lock, and looks again.
 */
final class Handlers {
    /**
     * {@code listener} is null once it is closed: its connections go on and need the handler.
     *
     * <p>No record: where two threads close at once the map compares entries, and of the last record class whose
     * {@code equals} was linked the JDK keeps the class loader, in a method handle of its
     * {@code java.lang.runtime.ObjectMethods}.
     */
    private static final class Listening {
        final Handler handler;
        final Listener listener;

        Listening(Handler handler, Listener listener) {
            this.handler = handler;
            this.listener = listener;
        }
    }

    /** Who takes the connections of raw listeners. They stay: a connection may come after its listener was closed. */
    private final Map<Long, Consumer<FallbackConnection>> takers = new ConcurrentHashMap<>();

    private final Map<Long, Listening> listeners = new ConcurrentHashMap<>();
    private final Map<Long, Handler> adopted = new ConcurrentHashMap<>();
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    /**
     * The first handler that came with an adopted connection, usually that of all of them: its connections need no
     * entry.
     */
    private volatile Handler common;

    private volatile boolean mixed;

    /** What a native gives: an id, whose upper bits may make it negative, or a status. */
    static boolean isStatus(long idOrStatus) {
        return idOrStatus <= 0 && idOrStatus > -4096;
    }

    /** Makes a listener by {@code listen}, which gives an id or a status. */
    long listening(Handler handler, LongSupplier listen) {
        lock.readLock().lock();
        try {
            long id = listen.getAsLong();
            if (!isStatus(id)) {
                listeners.put(id, new Listening(handler, null));
            }
            return id;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Makes a raw listener by {@code listen}, which gives an id or a status. */
    long listeningRaw(Consumer<FallbackConnection> taker, LongSupplier listen) {
        lock.readLock().lock();
        try {
            long id = listen.getAsLong();
            if (!isStatus(id)) {
                listeners.put(id, new Listening(null, null));
                takers.put(id, taker);
            }
            return id;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Who takes what the listener hands back; {@code otherwise} if that is not the listener's own affair. */
    Consumer<FallbackConnection> takerOf(long listener, Consumer<FallbackConnection> otherwise) {
        if (listener != 0 && !listeners.containsKey(listener)) {
            lock.writeLock().lock();
            lock.writeLock().unlock();
        }
        return takers.getOrDefault(listener, otherwise);
    }

    boolean isRaw(long listener) {
        return takers.containsKey(listener);
    }

    /** Gives an attached connection its handler; {@code attach} gives the connection's end. */
    NativeDuplex attaching(Handler handler, Supplier<NativeDuplex> attach) {
        NativeDuplex[] made = new NativeDuplex[1];
        adopting(handler, () -> {
            made[0] = attach.get();
            return made[0].connection();
        });
        return made[0];
    }

    void opened(long id, Listener listener) {
        listeners.computeIfPresent(id, (key, known) -> new Listening(known.handler, listener));
    }

    void closed(Listener listener) {
        listeners.replaceAll((id, known) -> known.listener == listener ? new Listening(known.handler, null) : known);
    }

    /** No listener keeps its engine in use any more. */
    void allClosed() {
        listeners.replaceAll((id, known) -> new Listening(known.handler, null));
    }

    /** Hands a connection over by {@code adopt}, which gives an id or a status. */
    long adopting(Handler handler, LongSupplier adopt) {
        synchronized (this) {
            if (common == null) {
                common = handler;
            }
            mixed |= common != handler;
        }
        lock.readLock().lock();
        try {
            long id = adopt.getAsLong();
            if (!isStatus(id) && handler != common) {
                adopted.put(id, handler);
            }
            return id;
        } finally {
            lock.readLock().unlock();
        }
    }

    void disconnected(long connection) {
        adopted.remove(connection);
    }

    Handler of(RequestHead head) {
        Handler known = find(head);
        if (known == null && (head.listener() != 0 || mixed)) {
            lock.writeLock().lock();
            lock.writeLock().unlock();
            known = find(head);
        }
        return known == null && head.listener() == 0 ? common : known;
    }

    private Handler find(RequestHead head) {
        if (head.listener() == 0) {
            return adopted.get(head.connection());
        }
        Listening known = listeners.get(head.listener());
        return known == null ? null : known.handler;
    }
}
