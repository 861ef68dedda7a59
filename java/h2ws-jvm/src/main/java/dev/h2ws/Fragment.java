package dev.h2ws;

/**
 * A part of a message, as it arrived; parts need not be the frames that the peer sent, and what arrives at once may be one.
 *
 * @param text whether the message is text; then {@code data} is UTF-8, and may end inside a character
 * @param first whether the message begins
 * @param last whether the message is complete
 * @param data the bytes; may be empty; yours to keep
 */
@SuppressWarnings("ArrayRecordComponent")
public record Fragment(boolean text, boolean first, boolean last, byte[] data) {}
