package dev.h2ws;

import dev.h2ws.internal.Native;

/** A call was refused. The message says what happened, with which value, and what to do. */
public class H2wsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why, for programs. */
    private final Status status;

    /**
     * Makes one.
     *
     * @param status why, for programs
     * @param message why, for people
     */
    public H2wsException(Status status, String message) {
        this(status, message, null);
    }

    /**
     * Makes one with a cause.
     *
     * @param status why, for programs
     * @param message why, for people
     * @param cause what led to it; may be null
     */
    public H2wsException(Status status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /**
     * Why, for programs.
     *
     * @return the status
     */
    public Status status() {
        return status;
    }

    /** The refusal of the native call that this thread made last. */
    static H2wsException last(long code, String of) {
        String text = Native.lastError();
        Status status = Status.of(code);
        return new H2wsException(
                status, of + ": " + (text == null || text.isEmpty() ? status + " (" + code + ")" : text));
    }
}
