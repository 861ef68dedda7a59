package dev.h2ws;

import java.nio.ByteBuffer;

/**
 * Hears what happens on a WebSocket. Override what you want to hear.
 *
 * <p>The calls for one socket come one after another, never two at once: on its loop's thread, where they must not
 * block, or on the engine's executor if it has one. An exception out of one is logged and closes that socket with 1011;
 * it then hears {@link #closed} alone.
 */
public interface WebSocketListener {
    /**
     * The socket is open: the first call, after the handler has returned if it accepted at once. Where another thread
     * accepts and the engine has no executor, it comes on that thread. It is left out for a socket that ended before.
     *
     * @param socket the socket
     * @throws Exception closes the socket with 1011
     */
    default void open(WebSocket socket) throws Exception {}

    /**
     * A text message has come.
     *
     * @param socket the socket
     * @param text the message
     * @throws Exception closes the socket with 1011
     */
    default void text(WebSocket socket, String text) throws Exception {}

    /**
     * A binary message has come.
     *
     * @param socket the socket
     * @param data the message; yours to keep
     * @throws Exception closes the socket with 1011
     */
    default void binary(WebSocket socket, byte[] data) throws Exception {}

    /**
     * A binary message has come: as {@link #binary(WebSocket, byte[])}, which this calls with a copy, but without one.
     * Override this to save it; {@link WebSocket#sendBinary(ByteBuffer)} takes such a buffer as it is.
     *
     * @param socket the socket
     * @param data the message, from its position to its limit; may be read-only, and is yours until you return: copy
     *     what you keep
     * @throws Exception closes the socket with 1011
     */
    default void binary(WebSocket socket, ByteBuffer data) throws Exception {
        binary(socket, Bytes.own(data));
    }

    /**
     * A part of a message has come, on a socket accepted with {@link AcceptOptions#fragments()}.
     *
     * @param socket the socket
     * @param fragment the part
     * @throws Exception closes the socket with 1011
     */
    default void fragment(WebSocket socket, Fragment fragment) throws Exception {}

    /**
     * A Ping has come. It has been answered, unless the socket was accepted with {@link AcceptOptions#manualControl()}.
     *
     * @param socket the socket
     * @param data its payload; yours to keep
     * @throws Exception closes the socket with 1011
     */
    default void ping(WebSocket socket, byte[] data) throws Exception {}

    /**
     * A Pong has come.
     *
     * @param socket the socket
     * @param data its payload; yours to keep
     * @throws Exception closes the socket with 1011
     */
    default void pong(WebSocket socket, byte[] data) throws Exception {}

    /**
     * The peer's Close has come: no message comes any more. It has been answered, unless the socket was accepted with
     * {@link AcceptOptions#manualControl()}.
     *
     * @param socket the socket
     * @param code its code, 1005 if it had none
     * @param reason its reason; may be empty
     * @throws Exception closes the socket with 1011
     */
    default void closing(WebSocket socket, int code, String reason) throws Exception {}

    /**
     * The peer broke a rule or a limit, and nothing of it is heard any more. Only with {@link AcceptOptions#manualControl()}:
     * the program sends what it has yet to say to what came before, and closes the socket with this code, for which it has
     * the listener's {@code closeTimeout}. Without, the Close has been sent, and {@link #closed} tells of it. Unless
     * overridden, closes at once.
     *
     * @param socket the socket
     * @param code the code of RFC 6455 section 7.4.1 for what was wrong
     * @param reason what was wrong
     * @throws Exception closes the socket with 1011
     */
    default void violated(WebSocket socket, int code, String reason) throws Exception {
        socket.close(code, "");
    }

    /**
     * The peer has ended its side without a Close (END_STREAM, or TCP's FIN). Only with
     * {@link AcceptOptions#manualControl()}: the socket goes on for what the program sends, until it closes it; over HTTP/1.1
     * for no longer than {@code closeTimeout}. Without, our side ends too, and {@link #closed} tells of it. Unless
     * overridden, closes at once.
     *
     * @param socket the socket
     * @param insideMessage a message has begun that will not be complete
     * @throws Exception closes the socket with 1011
     */
    default void ended(WebSocket socket, boolean insideMessage) throws Exception {
        socket.close(WebSocket.NORMAL_CLOSURE, "");
    }

    /**
     * After {@link SendResult#BUSY}: there is room again. Once for each time that it was busy.
     *
     * @param socket the socket
     * @throws Exception closes the socket with 1011
     */
    default void writable(WebSocket socket) throws Exception {}

    /**
     * The socket has ended: the last call, exactly once.
     *
     * @param socket the socket
     * @param closed how it ended
     * @throws Exception is logged
     */
    default void closed(WebSocket socket, Closed closed) throws Exception {}
}
