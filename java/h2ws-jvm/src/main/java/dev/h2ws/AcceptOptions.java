package dev.h2ws;

import dev.h2ws.internal.Native;

/**
 * How a handshake is accepted. Immutable: {@code AcceptOptions.defaults().subprotocol("chat").demand()}.
 */
public final class AcceptOptions {
    private static final AcceptOptions DEFAULTS = new AcceptOptions(null, Headers.of(), 0, 0);

    final String subprotocol;
    final Headers headers;
    final int flags;
    final int gather;

    private AcceptOptions(String subprotocol, Headers headers, int flags, int gather) {
        this.subprotocol = subprotocol;
        this.headers = headers;
        this.flags = flags;
        this.gather = gather;
    }

    /**
     * No subprotocol, whole messages as they come, h2ws answers Ping and Close.
     *
     * @return the defaults
     */
    public static AcceptOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Chooses a subprotocol.
     *
     * @param subprotocol one of {@link Request#subprotocols()}
     * @return options with it
     */
    public AcceptOptions subprotocol(String subprotocol) {
        return new AcceptOptions(subprotocol, headers, flags, gather);
    }

    /**
     * Fields for the response, beside those of the handshake.
     *
     * @param headers all of them: those given before are forgotten
     * @return options with them
     */
    public AcceptOptions headers(Headers headers) {
        return new AcceptOptions(subprotocol, headers, flags, gather);
    }

    /**
     * The program answers Ping and Close itself, with {@link WebSocket#sendPong} and
     * {@link WebSocket#close(int, String)}: also what the peer did wrong ({@link WebSocketListener#violated}), and that it
     * ended without a Close ({@link WebSocketListener#ended}).
     *
     * @return options with that
     */
    public AcceptOptions manualControl() {
        return with(Native.MANUAL_CONTROL);
    }

    /**
     * {@link WebSocketListener#fragment} instead of whole messages: parts as they arrive, held nowhere and without a
     * limit of size.
     *
     * @return options with that
     */
    public AcceptOptions fragments() {
        return new AcceptOptions(subprotocol, headers, flags | Native.FRAGMENTS, 0);
    }

    /**
     * As {@link #fragments()}, but a message of up to so many bytes comes whole, as the one fragment that is its first and its
     * last; of a longer one so much is held before its first fragment comes. Compressed messages come in parts all the same.
     *
     * @param bytes from 1 on
     * @return options with that
     * @throws IllegalArgumentException below 1
     */
    public AcceptOptions fragmentsAbove(int bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("fragmentsAbove(" + bytes + "): from 1 on");
        }
        return new AcceptOptions(subprotocol, headers, flags | Native.FRAGMENTS, bytes);
    }

    /**
     * Messages come only as {@link WebSocket#demand} asks. Meanwhile the peer is held back, the connection's other
     * streams are not.
     *
     * @return options with that
     */
    public AcceptOptions demand() {
        return with(Native.DEMAND);
    }

    /**
     * No compression on this socket, whatever the client offers and the engine is set to.
     *
     * @return options with that
     */
    public AcceptOptions uncompressed() {
        return with(Native.NO_DEFLATE);
    }

    private AcceptOptions with(int flag) {
        return new AcceptOptions(subprotocol, headers, flags | flag, gather);
    }
}
