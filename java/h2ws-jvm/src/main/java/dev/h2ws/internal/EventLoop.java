package dev.h2ws.internal;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One loop of an engine: a daemon thread that polls the native side for records and hands each to whom it concerns.
 *
 * <p>The native side is entered once a batch, not once an event, and never calls back. So no exception of a callback is
 * ever inside native code, and no thread is attached to the JVM.
 */
public final class EventLoop implements Runnable {
    /** Twice what the native side reads at once: all of that finds room, and need not be kept for the next poll. */
    private static final int BUFFER = 512 << 10;
    /** After so many polls that did not need a larger buffer it is given up. */
    private static final int SHRINK_AFTER = 256;
    /** Calls of other threads wake a poll. */
    private static final long NO_TIMEOUT = -1;
    /** After so many records what is to be done after a turn is not put off any longer. */
    private static final int TURN = 64;

    private static final int INTERNAL_ERROR = 2;

    private final long engine;
    private final int index;
    private final EngineEvents events;
    private final AtomicInteger running;
    private final Thread thread;
    private final CompletableFuture<Integer> entered = new CompletableFuture<>();
    private final StreamTable streams = new StreamTable();
    private final RecordReader reader = new RecordReader(Native.layout());
    private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    private int roomy;
    private final ArrayDeque<Runnable> afterTurn = new ArrayDeque<>();
    private boolean telling;

    /** So that a callback finds its loop. */
    private static final class LoopThread extends Thread {
        private final EventLoop loop;

        LoopThread(EventLoop loop) {
            super(null, loop, "h2ws-loop-" + loop.index);
            this.loop = loop;
            setDaemon(true);
        }
    }

    /** @param running how many loops of the engine have not ended; the last one releases the engine */
    public EventLoop(long engine, int index, EngineEvents events, AtomicInteger running) {
        this.engine = engine;
        this.index = index;
        this.events = events;
        this.running = running;
        thread = new LoopThread(this);
    }

    /** Runs {@code task} when the loop that calls its caller has told what came at once; elsewhere at once. */
    public static void afterTurn(Runnable task) {
        if (Thread.currentThread() instanceof LoopThread thread && thread.loop.telling) {
            thread.loop.afterTurn.add(task);
        } else {
            task.run();
        }
    }

    /** Starts the thread; the answer is a status: 0 when it runs the loop. */
    public int start() {
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            // no thread is to be had
            over();
            throw e;
        }
        return entered.join();
    }

    /** Whether the caller is this loop's thread. */
    public boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Waits for the thread's end. */
    public void join() {
        join(thread);
    }

    /** Waits for a thread's end, interrupted or not; an interrupt is kept for the caller. Not for the end of its own. */
    public static void join(Thread thread) {
        if (thread == Thread.currentThread()) {
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        try {
            int status = Native.enter(engine, index);
            entered.complete(status);
            if (status == Native.OK) {
                try {
                    poll();
                } finally {
                    Native.leave();
                }
            }
        } catch (Throwable t) {
            entered.completeExceptionally(t);
            events.failed("loop " + index + " ended for an error", t);
            Native.stop(engine);
        } finally {
            over();
        }
    }

    private void over() {
        if (running.decrementAndGet() == 0) {
            Native.release(engine);
            events.ended();
        }
    }

    private void poll() {
        while (true) {
            int polled = Native.poll(buffer, NO_TIMEOUT);
            if (polled > 0) {
                dispatch(polled);
                shrink(polled);
            } else if (polled == Native.MORE) {
                buffer = ByteBuffer.allocateDirect(Math.max(Native.needed(), BUFFER));
                roomy = 0;
            } else if (polled == Native.ENDED) {
                return;
            } else if (polled < 0) {
                throw new IllegalStateException("poll of loop " + index + ": " + polled + ", " + Native.lastError());
            }
        }
    }

    private void shrink(int used) {
        if (buffer.capacity() == BUFFER) {
            return;
        }
        roomy = used > BUFFER ? 0 : roomy + 1;
        if (roomy >= SHRINK_AFTER) {
            buffer = ByteBuffer.allocateDirect(BUFFER);
        }
    }

    private void dispatch(int length) {
        telling = true;
        try {
            reader.read(buffer, length);
            for (int told = 1; ; told++) {
                try {
                    if (!reader.next()) {
                        return;
                    }
                } catch (MalformedRecordException e) {
                    // where the next record begins cannot be known
                    events.failed("loop " + index + " drops the rest of " + length + " bytes of records", e);
                    return;
                }
                one();
                if (told % TURN == 0) {
                    endTurn();
                }
            }
        } catch (MalformedRecordException e) {
            events.failed("loop " + index + " drops " + length + " bytes of records", e);
        } finally {
            telling = false;
            endTurn();
        }
    }

    private void endTurn() {
        for (Runnable task = afterTurn.poll(); task != null; task = afterTurn.poll()) {
            try {
                task.run();
            } catch (Throwable t) {
                events.failed("loop " + index + ": what was to be done after a turn", t);
            }
        }
    }

    /** Whatever goes wrong with one record is the end of its stream alone. */
    private void one() {
        long stream = reader.stream();
        try {
            dispatch();
        } catch (Throwable t) {
            // of a duplex it is no stream, which is no harm
            if (stream != 0) {
                Native.abort(engine, stream, INTERNAL_ERROR);
            }
            events.failed("a record of type " + reader.type() + " for stream " + stream, t);
        }
    }

    private void dispatch() {
        RecordReader r = reader;
        switch (r.type()) {
            case RecordReader.REQUEST -> request();
            case RecordReader.LOG -> events.log(r.flags(), r.text());
            case RecordReader.FALLBACK -> r.fallback(events);
            case RecordReader.DUPLEX -> events.duplex(r.stream(), r.flag(1), r.flag(2));
            case RecordReader.DISCONNECTED -> events.disconnected(r.stream());
            default -> stream(streams.get(r.context(), r.stream()));
        }
    }

    private void request() {
        RequestHead head = reader.request();
        streams.put(head.context(), new Dropped(head.stream()));
        streams.put(head.context(), events.request(head));
    }

    private void stream(StreamEvents to) {
        RecordReader r = reader;
        switch (r.type()) {
            case RecordReader.BODY -> to.body(r.bytes(r.number()), r.flag(1), r.flag(2) ? r.trailers() : null);
            case RecordReader.MESSAGE -> message(to);
            case RecordReader.FRAGMENT -> to.fragment(r.flag(1), r.flag(2), r.flag(4), r.rest());
            case RecordReader.CONTROL -> control(to);
            case RecordReader.WRITABLE -> to.writable();
            case RecordReader.CLOSED -> {
                streams.remove(r.context());
                to.closed(r.flag(2), r.code(), r.u8(), r.number(), r.text());
            }
            default -> throw new MalformedRecordException("a record of the unknown type " + r.type());
        }
    }

    private void message(StreamEvents to) {
        if (reader.flag(1)) {
            to.text(reader.rest());
        } else {
            to.binary(reader.view());
        }
    }

    private void control(StreamEvents to) {
        switch (reader.flags()) {
            case 1 -> to.ping(reader.rest());
            case 2 -> to.pong(reader.rest());
            case 3 -> to.closing(reader.code(), reader.text());
            case 4 -> to.violated(reader.code(), reader.text());
            case 5 -> to.ended(!reader.text().isEmpty());
            default -> throw new MalformedRecordException("a control record with the flags " + reader.flags());
        }
    }

    /** In the place of a request that could not be told of: what still comes of its stream is nobody's. */
    private record Dropped(long stream) implements StreamEvents {
        @Override
        public void body(byte[] data, boolean end, String[] trailers) {}

        @Override
        public void text(byte[] data) {}

        @Override
        public void binary(ByteBuffer borrowed) {}

        @Override
        public void fragment(boolean text, boolean first, boolean last, byte[] data) {}

        @Override
        public void ping(byte[] data) {}

        @Override
        public void pong(byte[] data) {}

        @Override
        public void closing(int code, String reason) {}

        @Override
        public void violated(int code, String reason) {}

        @Override
        public void ended(boolean insideMessage) {}

        @Override
        public void writable() {}

        @Override
        public void closed(boolean remote, int code, int cause, int h2Code, String reason) {}
    }
}
