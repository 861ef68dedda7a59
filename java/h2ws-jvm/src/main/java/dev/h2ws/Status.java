package dev.h2ws;

/** Why a call was refused: {@link H2wsException#status()}. More may come in later versions. */
public enum Status {
    /** An argument is missing or out of its range. */
    INVALID_ARGUMENT(-1),
    /** A configuration field is out of its range. */
    INVALID_CONFIG(-2),
    /** Text is not UTF-8. */
    NOT_UTF8(-3),
    /** This cannot be done now, say a second answer to a request. */
    WRONG_STATE(-4),
    /** The call blocks and was made in a callback on a loop's thread. */
    WRONG_THREAD(-5),
    /** Headers, a reason or a Ping's payload are longer than the protocol allows. */
    TOO_LARGE(-6),
    /** The engine, listener or connection has ended. */
    GONE(-20),
    /** A queue is full and nothing was taken. */
    BUSY(-21),
    /** The engine is draining or has stopped. */
    SHUTTING_DOWN(-22),
    /** The operating system refused. */
    IO(-60),
    /** Somebody else listens on the address. */
    ADDRESS_IN_USE(-61),
    /** What was handed over is no connected stream socket. */
    NOT_A_SOCKET(-62),
    /** Certificates or keys cannot be used. */
    TLS(-63),
    /** A bug in h2ws was caught; the call did nothing more. */
    PANIC(-99),
    /** The native library cannot be loaded. */
    NO_LIBRARY(0),
    /** A status that this version does not know. */
    UNKNOWN(0);

    private final int code;

    Status(int code) {
        this.code = code;
    }

    static Status of(long code) {
        for (Status status : values()) {
            if (status.code == code && code != 0) {
                return status;
            }
        }
        return UNKNOWN;
    }
}
