package dev.h2ws;

import dev.h2ws.internal.Native;
import java.nio.ByteBuffer;

/** The end that the native side holds for the program, by the number of its connection. */
final class NativeDuplex implements Duplex {
    private static final Listener NOBODY = new Listener() {};

    private final Engine engine;
    private final long connection;
    private volatile Listener listener = NOBODY;
    private volatile boolean over;

    NativeDuplex(Engine engine, long connection) {
        this.engine = engine;
        this.connection = connection;
    }

    long connection() {
        return connection;
    }

    @Override
    public void listen(Listener listener) {
        this.listener = listener;
        if (over) {
            listener.closed();
        }
    }

    @Override
    public int read(ByteBuffer into) {
        if (!into.isDirect()) {
            return readHeap(into);
        }
        int n = Native.duplexReadBuffer(engine.id, connection, into, into.position(), into.remaining());
        if (n > 0) {
            into.position(into.position() + n);
        }
        return result(n);
    }

    private int readHeap(ByteBuffer into) {
        ByteBuffer direct = Buffers.DIRECT.take();
        try {
            direct.limit(Math.min(into.remaining(), Buffers.SIZE));
            int n = Native.duplexReadBuffer(engine.id, connection, direct, 0, direct.limit());
            if (n > 0) {
                into.put(direct.limit(n));
            }
            return result(n);
        } finally {
            Buffers.DIRECT.give(direct);
        }
    }

    private static int result(int n) {
        return n == Native.DUPLEX_END ? END : n < 0 ? RESET : n;
    }

    @Override
    public int write(ByteBuffer from) {
        int n;
        if (from.isDirect()) {
            n = Native.duplexWriteBuffer(engine.id, connection, from, from.position(), from.remaining());
        } else if (from.hasArray()) {
            int offset = from.arrayOffset() + from.position();
            n = Native.duplexWrite(engine.id, connection, from.array(), offset, from.remaining());
        } else {
            byte[] copy = Bytes.copy(from.duplicate());
            n = Native.duplexWrite(engine.id, connection, copy, 0, copy.length);
        }
        if (n < 0) {
            return GONE;
        }
        from.position(from.position() + n);
        return n;
    }

    @Override
    public void shutdownOutput() {
        Native.duplexShut(engine.id, connection);
    }

    @Override
    public void close() {
        end(false);
    }

    @Override
    public void abort() {
        end(true);
    }

    private void end(boolean abort) {
        listener = NOBODY;
        engine.duplexes.remove(connection);
        Native.duplexClose(engine.id, connection, abort);
    }

    /** On the loop's thread. */
    void ready(boolean readable, boolean writable) {
        Listener to = listener;
        if (readable) {
            to.readable();
        }
        if (writable) {
            to.writable();
        }
    }

    /** On the loop's thread. */
    void disconnected() {
        over = true;
        listener.closed();
    }
}
