package dev.h2ws;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/**
 * Runs the callbacks of one stream, one after another in the order given: on the executor, or with none on the thread
 * that gives the first while none runs, which is the loop's but for callbacks that other threads' calls bring about.
 *
 * <p>What waits here is bounded by whoever gives it: messages and bodies come by demand ({@link Exchange}).
 */
final class Lane {
    /** After so many callbacks in a row the executor's thread is somebody else's for a turn. */
    private static final int TURN = 64;

    /** A callback; what it throws goes to {@code failed}. */
    @FunctionalInterface
    interface Callback {
        void run() throws Exception;
    }

    private final Executor executor;
    private final Consumer<Throwable> failed;
    private ArrayDeque<Callback> waiting;
    private boolean running;

    /**
     * @param executor null: none
     * @param failed hears what a callback threw
     */
    Lane(Executor executor, Consumer<Throwable> failed) {
        this.executor = executor;
        this.failed = failed;
    }

    boolean isDirect() {
        return executor == null;
    }

    void execute(Callback task) {
        synchronized (this) {
            if (running) {
                if (waiting == null) {
                    waiting = new ArrayDeque<>(4);
                }
                waiting.add(task);
                return;
            }
            running = true;
        }
        if (executor == null) {
            run(task, Integer.MAX_VALUE);
        } else {
            submit(task);
        }
    }

    /**
     * Begins a callback that its caller runs itself, now, on the loop's thread, and ends by {@link #end}. False: it has
     * to wait for another, or goes to the executor, so it is to be given to {@link #execute}.
     */
    synchronized boolean begin() {
        if (executor != null || running) {
            return false;
        }
        running = true;
        return true;
    }

    /** After {@link #begin}: what it threw, or null; runs what was given meanwhile. */
    void end(Throwable thrown) {
        if (thrown != null) {
            failed.accept(thrown);
        }
        Callback next = next();
        if (next != null) {
            run(next, Integer.MAX_VALUE);
        }
    }

    private synchronized Callback next() {
        Callback next = waiting == null ? null : waiting.poll();
        running = next != null;
        return next;
    }

    private void submit(Callback first) {
        try {
            executor.execute(() -> run(first, TURN));
        } catch (RejectedExecutionException e) {
            // an executor that was shut down: rather here than never, since streams count on their last event
            run(first, Integer.MAX_VALUE);
        }
    }

    private void run(Callback task, int turn) {
        Callback next = task;
        for (int i = 0; next != null; i++) {
            if (i == turn) {
                submit(next);
                return;
            }
            try {
                next.run();
            } catch (Throwable t) {
                failed.accept(t);
            }
            next = next();
        }
    }
}
