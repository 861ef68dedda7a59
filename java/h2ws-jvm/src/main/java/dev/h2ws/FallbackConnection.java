package dev.h2ws;

import dev.h2ws.internal.Native;

/**
 * A connection that does not speak HTTP/2, given to the program as {@link H2wsBuilder#fallback} asked. Either take its
 * descriptor or close it.
 */
public final class FallbackConnection implements AutoCloseable {
    private final byte[] alreadyRead;
    private int descriptor;

    FallbackConnection(int descriptor, byte[] alreadyRead) {
        this.descriptor = descriptor;
        this.alreadyRead = alreadyRead;
    }

    /**
     * What was read from it.
     *
     * @return the bytes; yours to keep
     */
    public byte[] alreadyRead() {
        return alreadyRead;
    }

    /**
     * Takes the socket's descriptor, for a framework that can make a connection of one. It is non-blocking and the
     * caller's to close.
     *
     * @return the descriptor
     * @throws IllegalStateException if it was taken or closed
     */
    public synchronized int take() {
        if (descriptor < 0) {
            throw new IllegalStateException("this connection was taken or closed already");
        }
        int taken = descriptor;
        descriptor = -1;
        return taken;
    }

    /** Closes the socket, unless it was taken. */
    @Override
    public synchronized void close() {
        if (descriptor >= 0) {
            Native.closeFd(descriptor);
            descriptor = -1;
        }
    }
}
