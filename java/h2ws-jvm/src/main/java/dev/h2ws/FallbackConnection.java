package dev.h2ws;

import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * A connection whose protocol is the program's own: one that does not speak HTTP/2, as {@link H2wsBuilder#fallback} asked,
 * or any of {@link H2ws#listenRaw} or of a {@link TlsTransport}. Its socket, and its TLS if there is any, stay where they are; the
 * program reads and writes bytes. All methods may be called on any thread, and none blocks.
 */
public final class FallbackConnection implements AutoCloseable {
    private final Duplex duplex;
    private final String peer;
    private final TlsInfo tls;

    FallbackConnection(Duplex duplex, String peer, TlsInfo tls) {
        this.duplex = duplex;
        this.peer = peer;
        this.tls = tls;
    }

    /**
     * Its bytes, from the first one on, in the clear.
     *
     * @return the duplex, always the same
     */
    public Duplex duplex() {
        return duplex;
    }

    /**
     * The peer's address.
     *
     * @return as {@code 127.0.0.1:4711}, or {@code unix}
     */
    public String peer() {
        return peer;
    }

    /**
     * The peer's address.
     *
     * @return the address, unless it is a UNIX socket
     */
    public Optional<InetSocketAddress> remoteSocketAddress() {
        return Addresses.parse(peer);
    }

    /**
     * The TLS of the connection.
     *
     * @return empty on cleartext
     */
    public Optional<TlsInfo> tls() {
        return Optional.ofNullable(tls);
    }

    /** Closes the connection, as {@link Duplex#close}. */
    @Override
    public void close() {
        duplex.close();
    }
}
