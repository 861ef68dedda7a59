package dev.h2ws.internal;

/** A record says something of itself that cannot be: a bug on one side of the border. */
final class MalformedRecordException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedRecordException(String message) {
        super(message);
    }
}
