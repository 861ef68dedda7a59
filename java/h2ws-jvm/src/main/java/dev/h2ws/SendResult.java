package dev.h2ws;

/** What became of something to send. None of these is a mistake of the program, so none is an exception. */
public enum SendResult {
    /** It was taken and goes out. */
    SENT,
    /** The send queue is full and nothing was taken; {@code writable} comes once there is room, then try again. */
    BUSY,
    /** Nothing can be sent any more: it is closing or has ended. */
    CLOSED
}
