package dev.h2ws;

import java.nio.ByteBuffer;

/** The bytes of a buffer as a piece of an array: its own array if it has one to show, else a copy. */
record Bytes(byte[] array, int offset, int length) {
    private static final Bytes NONE = new Bytes(new byte[0], 0, 0);

    /** Leaves the position as it is. A direct buffer needs none: natives take it as it is. */
    static Bytes of(ByteBuffer buffer) {
        if (buffer.isDirect()) {
            return NONE;
        }
        if (buffer.hasArray()) {
            return new Bytes(buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
        }
        return copied(buffer);
    }

    /** A copy, also of a direct buffer. */
    static Bytes copied(ByteBuffer buffer) {
        return new Bytes(copy(buffer), 0, buffer.remaining());
    }

    /** The array of a buffer that is all of one, else a copy. */
    static byte[] own(ByteBuffer buffer) {
        boolean whole = buffer.hasArray() && buffer.arrayOffset() == 0 && buffer.remaining() == buffer.array().length;
        return whole ? buffer.array() : copy(buffer);
    }

    static byte[] copy(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(buffer.position(), copy);
        return copy;
    }
}
