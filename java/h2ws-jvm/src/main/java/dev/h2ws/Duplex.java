package dev.h2ws;

import java.nio.ByteBuffer;

/** A connection as bytes both ways. All methods may be called on any thread, and none blocks. */
public interface Duplex {
    /**
     * Reads what is there.
     *
     * @param into takes the bytes
     * @return how many; 0: none now, {@link Listener#readable()} follows; -1: the end
     */
    int read(ByteBuffer into);

    /**
     * Writes what there is room for.
     *
     * @param from the bytes
     * @return how many were taken; less than all: {@link Listener#writable()} follows
     */
    int write(ByteBuffer from);

    /** Ends our side, after what was written. */
    void shutdownOutput();

    /** Closes it, after what was written. */
    void close();

    /** Cuts it. */
    void abort();

    /**
     * Sets who hears what happens.
     *
     * @param listener hears it
     */
    void listen(Listener listener);

    /** Hears what happens on a connection, on a loop's thread, where it must not block. */
    interface Listener {
        /** After a read of 0: there is something to read, or the end. */
        void readable();

        /** After a write that took less than all: there is room. */
        void writable();

        /** The connection has ended, both ways; the last call. */
        void closed();
    }
}
