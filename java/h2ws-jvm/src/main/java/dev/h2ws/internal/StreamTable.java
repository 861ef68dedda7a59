package dev.h2ws.internal;

import java.util.Arrays;

/** The streams of a loop by the small index that comes with each of their records. Owned by the loop's thread. */
final class StreamTable {
    /** More than any configuration allows on one loop in practice; above it an index is nonsense, not a stream. */
    private static final int MOST = 1 << 26;

    private StreamEvents[] streams = new StreamEvents[64];

    void put(long context, StreamEvents stream) {
        if (context < 0 || context >= MOST) {
            throw new MalformedRecordException("the index " + context + " for stream " + stream.stream());
        }
        int index = (int) context;
        if (index >= streams.length) {
            streams = Arrays.copyOf(streams, Math.max(index + 1, 2 * streams.length));
        }
        streams[index] = stream;
    }

    /** The stream; an index without one, or with another, is malformed. */
    StreamEvents get(long context, long stream) {
        StreamEvents found = context < 0 || context >= streams.length ? null : streams[(int) context];
        if (found == null || found.stream() != stream) {
            throw new MalformedRecordException("stream " + stream + " at index " + context + ", where there is "
                    + (found == null ? "none" : "stream " + found.stream()));
        }
        return found;
    }

    void remove(long context) {
        streams[(int) context] = null;
    }
}
