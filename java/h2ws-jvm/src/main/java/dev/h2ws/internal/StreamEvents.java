package dev.h2ws.internal;

import java.nio.ByteBuffer;

/** What happens to one stream, in order, on its loop's thread; {@link #closed} is the last. */
public interface StreamEvents {
    /** Which stream. */
    long stream();

    void body(byte[] data, boolean end, String[] trailers);

    void text(byte[] data);

    /** The message is the loop's, for as long as the call. */
    void binary(ByteBuffer borrowed);

    void fragment(boolean text, boolean first, boolean last, byte[] data);

    void ping(byte[] data);

    void pong(byte[] data);

    /** The peer's Close; {@code code} 0: it had none. */
    void closing(int code, String reason);

    /** The peer broke a rule, and the program is to close with the code. */
    void violated(int code, String reason);

    /** The peer has ended its side without a Close, and the program is to end ours. */
    void ended(boolean insideMessage);

    void writable();

    void closed(boolean remote, int code, int cause, int h2Code, String reason);
}
