package dev.h2ws.pekko.internal;

import dev.h2ws.Duplex;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/** A connection whose peer is the test. */
final class MemoryDuplex implements Duplex {
    private final Executor loop = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "duplex");
        thread.setDaemon(true);
        return thread;
    });
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private ByteBuffer toRead = ByteBuffer.allocate(0);
    private boolean ended;
    private boolean wantsRead;
    private boolean wantsWrite;
    private int room;
    private Listener listener;
    final CompletableFuture<Void> shut = new CompletableFuture<>();
    final CompletableFuture<Void> closed = new CompletableFuture<>();
    final CompletableFuture<Void> aborted = new CompletableFuture<>();

    /** @param room how many bytes it takes before it wants to be {@link #drained} */
    MemoryDuplex(int room) {
        this.room = room;
    }

    synchronized void arrives(String text) {
        byte[] more = text.getBytes(StandardCharsets.ISO_8859_1);
        toRead = ByteBuffer.allocate(toRead.remaining() + more.length).put(toRead).put(more).flip();
        readable();
    }

    synchronized void ends() {
        ended = true;
        readable();
    }

    private void readable() {
        if (wantsRead) {
            wantsRead = false;
            loop.execute(listener::readable);
        }
    }

    synchronized void breaks() {
        loop.execute(() -> whenHeard().closed());
    }

    synchronized void drained(int more) {
        room += more;
        if (wantsWrite) {
            wantsWrite = false;
            loop.execute(listener::writable);
        }
    }

    synchronized String written() {
        return written.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public synchronized int read(ByteBuffer into) {
        int n = Math.min(into.remaining(), toRead.remaining());
        for (int i = 0; i < n; i++) {
            into.put(toRead.get());
        }
        if (n == 0) {
            wantsRead = !ended;
            return ended ? -1 : 0;
        }
        return n;
    }

    @Override
    public synchronized int write(ByteBuffer from) {
        int n = Math.min(room, from.remaining());
        for (int i = 0; i < n; i++) {
            written.write(from.get());
        }
        room -= n;
        wantsWrite = from.hasRemaining();
        return n;
    }

    @Override
    public void shutdownOutput() {
        shut.complete(null);
    }

    @Override
    public void close() {
        closed.complete(null);
    }

    @Override
    public void abort() {
        aborted.complete(null);
    }

    private synchronized Listener whenHeard() {
        while (listener == null) {
            try {
                wait();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return listener;
    }

    @Override
    public synchronized void listen(Listener to) {
        listener = to;
        notifyAll();
    }
}
