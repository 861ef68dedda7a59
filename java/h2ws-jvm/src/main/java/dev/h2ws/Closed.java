package dev.h2ws;

/**
 * How a WebSocket or a request ended. Immutable.
 *
 * @param code the close code of RFC 6455 section 7.1.5: the peer's own, 1005 if its Close had none, 1006 if there was
 *     no Close; 0 for a request and for a handshake that was not accepted
 * @param reason the peer's reason, or what went wrong; may be empty
 * @param cause what ended it
 * @param h2Code the HTTP/2 error code that went with it (RFC 9113 section 7), 0 if none; any number of 32
 *     bits without a sign, as the peer chose it
 * @param side who began the end
 */
public record Closed(int code, String reason, Cause cause, long h2Code, Side side) {
    /** What ended it. */
    public enum Cause {
        /** A response went out whole. */
        COMPLETE,
        /** The closing handshake of RFC 6455 section 7. */
        CLOSE_FRAME,
        /** The stream ended without a Close frame. */
        END_STREAM,
        /** A RST_STREAM. */
        RESET,
        /** A GOAWAY that left this stream out, or an error of the connection. */
        GOAWAY,
        /** The transport ended or failed. */
        DISCONNECTED,
        /** A deadline or idle time passed; the reason says which. */
        TIMEOUT,
        /** The engine drained or was closed. */
        DRAIN,
        /** The handshake was refused, by the program or because nobody decided. */
        REJECTED,
        /** The peer broke a rule or a limit; the reason says which. */
        VIOLATION,
        /** One that this version does not know. */
        OTHER;

        private static final Cause[] ALL = values();

        static Cause of(int number) {
            return number >= 0 && number < OTHER.ordinal() ? ALL[number] : OTHER;
        }
    }

    /** Who began the end. */
    public enum Side {
        /** The program or h2ws. */
        LOCAL,
        /** The peer. */
        REMOTE
    }
}
