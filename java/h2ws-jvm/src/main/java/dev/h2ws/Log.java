package dev.h2ws;

/** Takes lines for the log, on any thread; must not block for long. */
@FunctionalInterface
public interface Log {
    /**
     * A line. Never the payload of a message or the value of a header.
     *
     * @param level ERROR: a bug in h2ws, or an exception out of a callback; WARNING: an operator should look; INFO:
     *     life cycle, and every refused handshake with its reason; DEBUG: each connection
     * @param text the line
     * @param thrown what was thrown; null if nothing was
     */
    void accept(System.Logger.Level level, String text, Throwable thrown);
}
