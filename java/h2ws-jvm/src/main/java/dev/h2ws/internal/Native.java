package dev.h2ws.internal;

import java.nio.ByteBuffer;

/**
 * The calls into the native library, one to one; it binds them when it is loaded ({@link NativeLoader#load}).
 *
 * <p>Engines, streams, listeners and TLS are named by ids, never by pointers: a call with the id of something that has
 * ended gives {@link #GONE}, however late it comes. No call throws for a refusal: it gives a status below 0, whose text
 * is {@link #lastError()} on the same thread. All but {@link #poll} and {@link #leave} may be made on any thread.
 *
 * <p>This class has no static initialiser, because the library looks it up while it is being loaded.
 */
public final class Native {
    /** The status of a call that did what it says. */
    public static final int OK = 0;
    /** The status of a call on something that has ended or never was. */
    public static final int GONE = -20;
    /** What {@link #poll} gives when the loop is over and all was delivered. */
    public static final int ENDED = -1000;
    /** What {@link #poll} gives when the next record needs a buffer of {@link #needed()} bytes. */
    public static final int MORE = -1001;

    /** Flag of {@link #listen} and {@link #adopt}: requests only. */
    public static final int NO_WEBSOCKETS = 1;
    /** Flag of {@link #listen} and {@link #adopt}: no HTTP/1.1. */
    public static final int NO_HTTP1 = 2;
    /** Flag of {@link #listen} and {@link #adopt}: no HTTP/2. */
    public static final int NO_HTTP2 = 4;

    /** Flag of {@link #listen}: every connection is handed back, unread. */
    public static final int RAW = 8;

    /** What {@link #duplexReadBuffer} gives at the end; whatever else is below 0 says that the other side was cut off. */
    public static final int DUPLEX_END = -1002;

    /** Flag of {@link #accept}: Ping and Close are the host's to answer. */
    public static final int MANUAL_CONTROL = 1;
    /** Flag of {@link #accept}: fragments instead of messages. */
    public static final int FRAGMENTS = 2;
    /** Flag of {@link #accept}: messages come only as {@link #demand} asks. */
    public static final int DEMAND = 4;
    /** Flag of {@link #accept}: no permessage-deflate. */
    public static final int NO_DEFLATE = 8;

    /** The kind of a text message, given as UTF-8. */
    public static final int TEXT = 1;
    /** The kind of a binary message. */
    public static final int BINARY = 2;

    private Native() {}

    static native int[] layout();

    public static native String lastError();

    public static native String[] statNames();

    public static native long start(String[] names, long[] values);

    public static native int loops(long engine);

    static native int enter(long engine, int loop);

    static native int poll(ByteBuffer direct, long timeoutMillis);

    static native int needed();

    static native void leave();

    public static native int stop(long engine);

    public static native int release(long engine);

    public static native int drain(long engine, long millis);

    public static native long[] stats(long engine);

    public static native long listen(long engine, String address, long tls, int flags);

    public static native String listenerAddress(long engine, long listener);

    public static native int closeListener(long engine, long listener);

    public static native long adopt(long engine, int fd, byte[] alreadyRead, int length, long tls, int flags);

    public static native long tlsCreate(Object[] chains, Object[] keys, Object clientRoots, int clientAuth);

    public static native int tlsReload(long tls, Object[] chains, Object[] keys, Object clientRoots, int clientAuth);

    public static native int tlsRelease(long tls);

    /** With {@link #FRAGMENTS} a message up to {@code gather} bytes is one. */
    public static native int accept(
            long engine, long stream, long context, String subprotocol, byte[] headers, int flags, int gather);

    public static native int reject(long engine, long stream, int status, byte[] headers, byte[] body);

    public static native int respond(long engine, long stream, int status, byte[] headers, byte[] body);

    public static native int respondStart(long engine, long stream, int status, byte[] headers);

    public static native int inform(long engine, long stream, int status, byte[] headers);

    public static native int sendBody(long engine, long stream, byte[] data, int offset, int length);

    public static native int sendBodyBuffer(long engine, long stream, ByteBuffer direct, int offset, int length);

    public static native int finish(long engine, long stream, byte[] trailers);

    public static native int send(
            long engine, long stream, int kind, byte[] data, int offset, int length, boolean compress);

    public static native int sendBuffer(
            long engine, long stream, int kind, ByteBuffer direct, int offset, int length, boolean compress);

    /** One message; {@code ranges} has an offset and a length for each array. */
    public static native int sendPieces(
            long engine, long stream, int kind, byte[][] pieces, int[] ranges, boolean compress);

    public static native int sendFragment(
            long engine, long stream, int kind, byte[] data, int offset, int length, boolean last);

    public static native int ping(long engine, long stream, byte[] data);

    public static native int pong(long engine, long stream, byte[] data);

    public static native int close(long engine, long stream, int code, String reason);

    public static native int abort(long engine, long stream, int h2Code);

    public static native int cork(long engine, long stream);

    public static native int uncork(long engine, long stream);

    public static native int demand(long engine, long stream, int n);

    public static native int takeOver(Object channelOrSocket);

    public static native int takeOverDescriptor(int descriptor);

    public static native int closeFd(int fd);

    public static native long attach(long engine, String peer, String[] tls, byte[][] certificates, int flags);

    public static native int duplexWrite(long engine, long connection, byte[] data, int offset, int length);

    public static native int duplexWriteBuffer(
            long engine, long connection, ByteBuffer direct, int offset, int length);

    public static native int duplexReadBuffer(long engine, long connection, ByteBuffer direct, int offset, int length);

    public static native int duplexShut(long engine, long connection);

    public static native int duplexClose(long engine, long connection, boolean abort);
}
