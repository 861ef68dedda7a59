package dev.h2ws.pekko.internal;

import dev.h2ws.BodyListener;
import dev.h2ws.Closed;
import dev.h2ws.H2wsException;
import dev.h2ws.Headers;
import dev.h2ws.Request;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.util.ByteString;

/**
 * The body of a request: read by the application, or thrown away. An answer that is complete before its request is ends
 * the stream (RFC 9113 section 8.1) or the connection, which some clients mistake for a failure. So the end of an answer
 * waits until what the client still sends was thrown away, up to the limit that a body has.
 */
final class RequestBody implements BodyListener {
    static final int AHEAD = 4;

    /** Tells a reader that the body is complete. */
    static final ByteString END = ByteString.emptyByteString();

    private final Request request;
    private final long limit;
    // guarded by this
    private boolean begun;
    private boolean over;
    private AsyncCallback<Object> reader;
    private long discarded;
    private Runnable afterwards;
    private Runnable whole;
    private volatile Headers trailers = Headers.of();

    RequestBody(Request request, long limit) {
        this.request = request;
        this.limit = limit;
    }

    Request request() {
        return request;
    }

    /** The application wants it: pieces, {@link #END} or a {@link Closed} come to {@code to}. */
    void read(AsyncCallback<Object> to) {
        synchronized (this) {
            if (begun) {
                throw new IllegalStateException(
                        "the entity of " + request + " was read before, or its request was answered before it was read");
            }
            begun = true;
            reader = to;
        }
        request.body(this, AHEAD);
    }

    /** Calls this when the body has come to its end; now if there is none. */
    void whenWhole(Runnable listener) {
        synchronized (this) {
            if (request.hasBody()) {
                whole = listener;
                return;
            }
        }
        listener.run();
    }

    /** Whether something of it may still have to be thrown away before an answer may end. */
    synchronized boolean isUnread() {
        // who waits to be told to continue may never send it (RFC 9110 section 10.1.1)
        return !over && reader == null && request.hasBody() && !request.headers().contains("expect");
    }

    /**
     * The application has asked for the first of it: a client that waits to be told so is told to continue (RFC 9110 section
     * 10.1.1). Over HTTP/1.1 the engine does that when it is read.
     */
    void tellToContinue() {
        synchronized (this) {
            if (over) {
                return;
            }
        }
        if (request.version().equals("HTTP/2")
                && request.headers().get("expect").filter("100-continue"::equalsIgnoreCase).isPresent()) {
            try {
                request.inform(100, Headers.of());
            } catch (H2wsException e) {
                // the answer has begun: it says all that the client waits for
            }
        }
    }

    /** The response is all there but for its end: nobody will read what nobody has begun to read. */
    void answered(Runnable end) {
        boolean first;
        boolean now;
        synchronized (this) {
            now = !isUnread() || discarded > limit;
            first = !begun;
            begun = true;
            afterwards = now ? null : end;
        }
        if (now) {
            end.run();
        } else if (first) {
            request.body(this, AHEAD);
        }
    }

    /** The reader wants no more of it. */
    void cancelled() {
        synchronized (this) {
            reader = null;
            if (over) {
                return;
            }
        }
        request.demand(AHEAD);
    }

    @Override
    public void data(Request from, byte[] data) {
        AsyncCallback<Object> to;
        Runnable then = null;
        boolean more;
        synchronized (this) {
            to = reader;
            discarded += to == null ? data.length : 0;
            more = discarded <= limit;
            if (!more) {
                then = afterwards;
                afterwards = null;
            }
        }
        if (to != null) {
            to.invoke(ByteString.fromArrayUnsafe(data));
        } else if (then != null) {
            then.run();
        } else if (more) {
            request.demand(1);
        }
        // else the client is held back until there is an answer, which then ends at once
    }

    @Override
    public void end(Request from, Headers trailers) {
        this.trailers = trailers;
        over(END);
    }

    /** What came behind the body; empty until its end. */
    Headers trailers() {
        return trailers;
    }

    @Override
    public void aborted(Request from, Closed closed) {
        over(closed);
    }

    private void over(Object how) {
        AsyncCallback<Object> to;
        Runnable then;
        Runnable complete;
        synchronized (this) {
            over = true;
            to = reader;
            then = afterwards;
            afterwards = null;
            complete = how == END ? whole : null;
            whole = null;
        }
        if (complete != null) {
            complete.run();
        }
        if (then != null) {
            then.run();
        }
        if (to != null) {
            to.invoke(how);
        }
    }
}
