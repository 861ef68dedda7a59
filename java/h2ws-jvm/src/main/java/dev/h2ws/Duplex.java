package dev.h2ws;

import java.nio.ByteBuffer;

/**
 * The program's end of a stream of bytes in both directions, which never blocks: of a connection whose protocol is the
 * program's own ({@link FallbackConnection}), or of one that it attached for h2ws to serve ({@link H2ws#attach}).
 *
 * <p>Each direction holds a bounded number of bytes, 256 KiB; beyond it a write takes less than it is given, and what is
 * not read holds the other side up. Any thread may call, one at a time for each direction. {@link #close} or
 * {@link #abort} has to be called in the end, whatever happened before.
 */
public interface Duplex {
    /** What {@link #read} gives when the other side has ended in order and all was read. */
    int END = -1;
    /** What {@link #read} gives when the other side was cut off: what came may not be all. */
    int RESET = -2;
    /** What {@link #write} gives when nobody takes anything any more. */
    int GONE = -1;

    /** Hears when something can be done; on the thread of the loop, so it must not block. */
    interface Listener {
        /** There may be something to read, or the end. Not told again before a read has taken all that there was. */
        default void readable() {}

        /** After a write that took less than it was given: there is room. */
        default void writable() {}

        /** The connection has ended. What has come can still be read; then close. */
        default void closed() {}
    }

    /**
     * Sets who hears. Before that nobody is told, so read first thing afterwards.
     *
     * @param listener hears from now on
     */
    void listen(Listener listener);

    /**
     * Takes what has come.
     *
     * @param into direct or not; filled from its position on
     * @return how many bytes; 0: none now, {@link Listener#readable} follows; {@link #END} or {@link #RESET}
     */
    int read(ByteBuffer into);

    /**
     * Gives bytes to the other side, copied.
     *
     * @param from direct or not; its position moves by what was taken
     * @return how many were taken; less than all: {@link Listener#writable} follows; {@link #GONE}
     */
    int write(ByteBuffer from);

    /** Nothing more will be written: the other side sees the end behind what was. */
    void shutdownOutput();

    /** Ends this end: what was written goes out, then the end. Nothing is told any more. */
    void close();

    /** Cuts the connection at once; what was written may be lost. Nothing is told any more. */
    void abort();
}
