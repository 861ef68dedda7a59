package dev.h2ws;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** Direct buffers of each thread, so that a connection that waits holds none. */
final class Buffers {
    /** More than four records of TLS. */
    static final int SIZE = 72 << 10;

    private static final int KEPT = 8;
    private static final ThreadLocal<ArrayDeque<ByteBuffer>> FREE = ThreadLocal.withInitial(ArrayDeque::new);

    private Buffers() {}

    /** A cleared buffer of {@link #SIZE} bytes. */
    static ByteBuffer take() {
        ByteBuffer free = FREE.get().pollFirst();
        return free == null ? ByteBuffer.allocateDirect(SIZE) : free.clear();
    }

    /** Gives one back, on whichever thread. */
    static void give(ByteBuffer buffer) {
        ArrayDeque<ByteBuffer> free = FREE.get();
        if (free.size() < KEPT) {
            free.addFirst(buffer);
        }
    }
}
