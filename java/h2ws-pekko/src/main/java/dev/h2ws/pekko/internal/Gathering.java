package dev.h2ws.pekko.internal;

import java.util.Arrays;

/** Parts of a message, put together. */
final class Gathering {
    private final boolean text;
    private byte[] bytes = {};
    private int length;

    Gathering(boolean text) {
        this.text = text;
    }

    boolean text() {
        return text;
    }

    int length() {
        return length;
    }

    void add(byte[] part) {
        if (length == 0) {
            bytes = part;
        } else {
            if (bytes.length - length < part.length) {
                bytes = Arrays.copyOf(bytes, Math.max(2 * length, length + part.length));
            }
            System.arraycopy(part, 0, bytes, length, part.length);
        }
        length += part.length;
    }

    byte[] bytes() {
        return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
    }
}
