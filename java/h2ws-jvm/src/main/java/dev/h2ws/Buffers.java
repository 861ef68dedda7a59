package dev.h2ws;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.IntFunction;

/** Buffers of each thread, so that a connection that waits holds none. */
final class Buffers {
    /** More than four records of TLS. */
    static final int SIZE = 72 << 10;

    /** For TLS: the JDK's engines are up to twice as fast on arrays as on direct buffers. */
    static final Buffers HEAP = new Buffers(ByteBuffer::allocate);

    /** For what natives write. */
    static final Buffers DIRECT = new Buffers(ByteBuffer::allocateDirect);

    private static final int KEPT = 8;

    private final IntFunction<ByteBuffer> allocate;
    private final ThreadLocal<ArrayDeque<ByteBuffer>> free = ThreadLocal.withInitial(ArrayDeque::new);

    private Buffers(IntFunction<ByteBuffer> allocate) {
        this.allocate = allocate;
    }

    /** A cleared buffer of {@link #SIZE} bytes. */
    ByteBuffer take() {
        ByteBuffer kept = free.get().pollFirst();
        return kept == null ? allocate.apply(SIZE) : kept.clear();
    }

    /** Gives one back, on whichever thread. */
    void give(ByteBuffer buffer) {
        ArrayDeque<ByteBuffer> kept = free.get();
        if (kept.size() < KEPT) {
            kept.addFirst(buffer);
        }
    }
}
