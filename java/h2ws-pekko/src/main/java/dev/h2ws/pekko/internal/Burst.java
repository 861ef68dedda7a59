package dev.h2ws.pekko.internal;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Requests that came over one connection at once. Their handler is called for one after another, by one task of the executor: waking
 * one for each costs more than a short route does. In stock the actor of the connection calls it so. What the handler's future still
 * has to do goes on beside that.
 */
final class Burst<R> implements Runnable {
    private final long connection;
    private final Consumer<R> handler;
    private final Executor executor;
    // guarded by this
    private final ArrayDeque<R> waiting = new ArrayDeque<>();
    private boolean over;

    Burst(long connection, R first, Consumer<R> handler, Executor executor) {
        this.connection = connection;
        this.handler = handler;
        this.executor = executor;
        waiting.add(first);
    }

    /** One more; false: it came over another connection, or all that came before has been handled. */
    synchronized boolean add(long connection, R request) {
        if (over || connection != this.connection) {
            return false;
        }
        waiting.add(request);
        return true;
    }

    @Override
    public void run() {
        boolean done = false;
        try {
            forEach(handler);
            done = true;
        } finally {
            if (!done) {
                // what a handler throws that no handler may, a VirtualMachineError, is the executor's; the others go on
                executor.execute(this);
            }
        }
    }

    /** All of them, also those that are added meanwhile. */
    void forEach(Consumer<R> action) {
        for (R next = next(); next != null; next = next()) {
            action.accept(next);
        }
    }

    private synchronized R next() {
        R next = waiting.poll();
        over = next == null;
        return next;
    }
}
