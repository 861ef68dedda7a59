package dev.h2ws;

import dev.h2ws.internal.EventLoop;
import java.lang.System.Logger.Level;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;

/**
 * Notices that a program has lost an engine without closing it, when nobody can close it any more: logs where it was
 * made, and stops it.
 *
 * <p>Each engine has its own, with a thread {@code h2ws-cleaner} that ends with it. A {@link java.lang.ref.Cleaner} for
 * all would have one thread for as long as its class is loaded; on JDK 17 such a thread keeps the classes that were
 * below its start (its inherited access control context), so that a container could never drop them.
 */
final class Loss extends PhantomReference<H2ws> implements Runnable {
    private final ReferenceQueue<H2ws> queue;
    private final Engine engine;
    private final Throwable made = new Throwable("made here");
    private final Thread thread;
    private volatile boolean closed;

    private Loss(H2ws holder, ReferenceQueue<H2ws> queue, Engine engine) {
        super(holder, queue);
        this.queue = queue;
        this.engine = engine;
        thread = new Thread(null, this, "h2ws-cleaner");
        thread.setDaemon(true);
    }

    /** Watches over {@code holder}, which is not kept by it; nor may the engine know it. */
    static Loss watch(H2ws holder, Engine engine) {
        Loss loss = new Loss(holder, new ReferenceQueue<>(), engine);
        loss.thread.start();
        return loss;
    }

    /** The program closes it: the thread ends. */
    void closed() {
        closed = true;
        enqueue();
        EventLoop.join(thread);
    }

    @Override
    public void run() {
        while (true) {
            try {
                queue.remove();
                break;
            } catch (InterruptedException e) {
                // nobody's business but ours
                continue;
            }
        }
        if (!closed) {
            engine.log.accept(Level.WARNING, "an engine was lost without close(); it is stopped", made);
            engine.stop();
        }
    }
}
