package dev.h2ws.internal;

/** What happens on an engine, each on the thread of the loop that it happens on. */
public interface EngineEvents {
    /** A request or handshake has come; the answer hears what follows on its stream. */
    StreamEvents request(RequestHead head);

    /** A connection that was adopted, attached or handed back has ended, after all of its streams. */
    void disconnected(long connection);

    /** A line for the log; {@code level} 1 error, 2 warn, 3 info, 4 debug. */
    void log(int level, String text);

    /** A connection that is not ours to serve; its bytes are the receiver's to move. {@code tls} is null on cleartext. */
    void fallback(long connection, long listener, String peer, RequestHead.TlsHead tls);

    /** A connection whose bytes the program moves can be read or written. */
    void duplex(long connection, boolean readable, boolean writable);

    /** Something here went wrong, not in a user's code: a record that cannot be read, no memory. */
    void failed(String text, Throwable cause);

    /** The last loop has ended: nothing comes any more. */
    void ended();
}
