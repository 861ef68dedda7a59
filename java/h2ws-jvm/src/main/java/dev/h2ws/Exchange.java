package dev.h2ws;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.h2ws.internal.Native;
import dev.h2ws.internal.RequestHead;
import dev.h2ws.internal.StreamEvents;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A stream from its request to its end: what was answered, and who hears its events. Events come on the loop's thread
 * and go through the {@link Lane}; answers come from any thread.
 *
 * <p>With an executor nothing else would hold the peer back, so messages and bodies are asked for here as callbacks
 * return.
 */
final class Exchange implements StreamEvents {
    /** Messages or pieces that wait for the executor at most, where the program does not ask for them itself. */
    static final int AHEAD = 64;
    /** Pings and Pongs that wait at most; a peer that sends more while the program is slow is cut. */
    private static final int CONTROLS_AHEAD = 1024;

    private static final int H2_INTERNAL_ERROR = 2;
    private static final int H2_ENHANCE_YOUR_CALM = 11;

    final Engine engine;
    final RequestHead head;
    final Request request;
    final Lane lane;

    // guarded by this
    private boolean answered;
    private Closed closed;
    private List<Consumer<Closed>> onClosed;

    // set before the native call after which the loop looks at them
    private volatile WebSocket socket;
    private volatile WebSocketListener listener;
    private volatile boolean grants;
    private volatile BodyListener body;
    /** The trailers of an empty body that ended before it had a listener. Guarded by this. */
    private Headers endedUnheard;
    private volatile ResponseBody response;

    // owned by the lane
    private boolean opened;
    private boolean bodyEnded;
    private boolean failed;
    private int taken;

    /** Control frames that wait for the executor. */
    private final AtomicInteger controls = new AtomicInteger();

    Exchange(Engine engine, RequestHead head) {
        this.engine = engine;
        this.head = head;
        lane = new Lane(engine.executor, this::failed);
        request = new Request(this);
        bodyEnded = head.end();
    }

    @Override
    public long stream() {
        return head.stream();
    }

    /** For messages to people: the id, and what was asked for. */
    String name() {
        return (head.webSocket() ? "WebSocket " : "request ") + Long.toHexString(head.stream()) + " (" + head.method()
                + " " + head.path() + ")";
    }

    // answers, on any thread

    /** Takes the right to answer, which there is once. */
    void answering(boolean webSocket, String call) {
        if (webSocket != head.webSocket()) {
            throw new H2wsException(
                    Status.WRONG_STATE,
                    name() + ": " + call + " is for "
                            + (webSocket ? "WebSocket handshakes" : "requests, not handshakes"));
        }
        synchronized (this) {
            if (answered) {
                throw new H2wsException(Status.WRONG_STATE, name() + ": " + call + ", but it was answered already");
            }
            answered = true;
        }
    }

    /** After an answer that was refused for its arguments: another one may be given. */
    void unanswered() {
        synchronized (this) {
            answered = false;
        }
    }

    /**
     * What an answer's status means: true, it was taken; false, the stream ended first, which is no mistake of the
     * program. Anything else is thrown, and leaves the request unanswered.
     */
    boolean answered(int status, String call) {
        Status why = status == Native.OK ? null : Status.of(status);
        if (why == null) {
            return true;
        }
        // WRONG_STATE: the engine answered first, say at the accept timeout; our own second answers do not come so far
        if (why == Status.GONE || why == Status.SHUTTING_DOWN || why == Status.WRONG_STATE) {
            return false;
        }
        unanswered();
        throw H2wsException.last(status, name() + ": " + call);
    }

    WebSocket accept(AcceptOptions options, WebSocketListener to) {
        answering(true, "accept");
        boolean asks = (options.flags & Native.DEMAND) != 0;
        grants = !asks && !lane.isDirect();
        WebSocket accepted = new WebSocket(this, options.subprotocol);
        Closed before;
        synchronized (this) {
            before = closed;
            socket = accepted;
            listener = to;
        }
        if (before != null) {
            accepted.tooLate();
            lane.execute(() -> to.closed(accepted, before));
            return accepted;
        }
        int flags = options.flags | (grants ? Native.DEMAND : 0);
        int status = Native.accept(
                engine.id,
                stream(),
                head.context(),
                options.subprotocol,
                Headers.raw(options.headers),
                flags,
                options.gather);
        boolean taken;
        try {
            taken = answered(status, "accept");
        } catch (H2wsException e) {
            listener = null;
            socket = null;
            throw e;
        }
        if (taken) {
            if (grants) {
                Native.demand(engine.id, stream(), AHEAD);
            }
            lane.execute(this::open);
        } else {
            accepted.tooLate();
        }
        return accepted;
    }

    void listen(BodyListener to, long demand) {
        Headers ended;
        synchronized (this) {
            if (body != null) {
                throw new H2wsException(Status.WRONG_STATE, name() + ": its body has a listener already");
            }
            body = to;
            ended = endedUnheard;
        }
        if (ended != null) {
            lane.execute(() -> {
                bodyEnded = true;
                to.end(request, ended);
            });
            return;
        }
        if (head.end()) {
            lane.execute(() -> to.end(request, Headers.of()));
            return;
        }
        Closed before;
        synchronized (this) {
            before = closed;
        }
        if (before != null) {
            lane.execute(() -> aborted(before));
            return;
        }
        grants = demand < 0 && !lane.isDirect();
        demand(demand >= 0 ? demand : lane.isDirect() ? Integer.MAX_VALUE : AHEAD);
    }

    void demand(long n) {
        if (n > 0) {
            // what was asked for adds up, so more than fits is as good as without end
            Native.demand(engine.id, stream(), (int) Math.min(n, Integer.MAX_VALUE));
        }
    }

    void responding(ResponseBody begun) {
        response = begun;
    }

    boolean abort(int h2Code) {
        return Native.abort(engine.id, stream(), h2Code) == Native.OK;
    }

    void onClosed(Consumer<Closed> action) {
        Closed before;
        synchronized (this) {
            before = closed;
            if (before == null) {
                if (onClosed == null) {
                    onClosed = new ArrayList<>(2);
                }
                onClosed.add(action);
                return;
            }
        }
        lane.execute(() -> action.accept(before));
    }

    synchronized boolean isAnswered() {
        return answered;
    }

    boolean isClosed() {
        synchronized (this) {
            return closed != null;
        }
    }

    // events, on the loop's thread

    void handle(Handler handler) {
        lane.execute(() -> handler.handle(request));
    }

    @Override
    public void body(byte[] data, boolean end, String[] trailers) {
        BodyListener to;
        synchronized (this) {
            to = body;
            if (to == null) {
                // an empty body asks for no demand, so its end may come before anybody listens
                endedUnheard = end ? Headers.own(trailers) : null;
                return;
            }
        }
        lane.execute(() -> {
            if (failed || bodyEnded) {
                return;
            }
            bodyEnded = end;
            if (data.length > 0) {
                to.data(request, data);
            }
            if (end) {
                to.end(request, Headers.own(trailers));
            } else {
                taken();
            }
        });
    }

    @Override
    public void text(byte[] data) {
        socketEvent(() -> {
            listener.text(socket, new String(data, UTF_8));
            taken();
        });
    }

    /** A callback that runs at once gets the loop's own memory; one that has to wait needs a copy. */
    @Override
    public void binary(ByteBuffer borrowed) {
        if (listener == null) {
            return;
        }
        if (!lane.begin()) {
            ByteBuffer copy = ByteBuffer.wrap(Bytes.copy(borrowed));
            socketEvent(() -> {
                listener.binary(socket, copy);
                taken();
            });
            return;
        }
        Throwable thrown = null;
        try {
            open();
            if (!failed) {
                listener.binary(socket, borrowed);
                taken();
            }
        } catch (Throwable t) {
            thrown = t;
        }
        lane.end(thrown);
    }

    @Override
    public void fragment(boolean text, boolean first, boolean last, byte[] data) {
        socketEvent(() -> {
            listener.fragment(socket, new Fragment(text, first, last, data));
            taken();
        });
    }

    @Override
    public void ping(byte[] data) {
        control(() -> listener.ping(socket, data));
    }

    @Override
    public void pong(byte[] data) {
        control(() -> listener.pong(socket, data));
    }

    @Override
    public void closing(int code, String reason) {
        WebSocket closes = socket;
        if (closes != null) {
            closes.peerCloses();
        }
        socketEvent(() -> listener.closing(socket, code == 0 ? WebSocket.NO_CODE : code, reason));
    }

    @Override
    public void violated(int code, String reason) {
        socketEvent(() -> listener.violated(socket, code, reason));
    }

    @Override
    public void ended(boolean insideMessage) {
        socketEvent(() -> listener.ended(socket, insideMessage));
    }

    @Override
    public void writable() {
        if (head.webSocket()) {
            socketEvent(() -> listener.writable(socket));
        } else {
            ResponseBody to = response;
            if (to != null) {
                lane.execute(to::writable);
            }
        }
    }

    @Override
    public void closed(boolean remote, int code, int cause, int h2Code, String reason) {
        Closed.Side side = remote ? Closed.Side.REMOTE : Closed.Side.LOCAL;
        Closed how = new Closed(code, reason, Closed.Cause.of(cause), Integer.toUnsignedLong(h2Code), side);
        List<Consumer<Closed>> actions;
        WebSocketListener to;
        WebSocket ended;
        synchronized (this) {
            closed = how;
            actions = onClosed == null ? List.of() : onClosed;
            to = listener;
            ended = socket;
        }
        // each on its own, so that one that throws does not silence the others
        if (to != null) {
            lane.execute(() -> {
                opened = true;
                to.closed(ended, how);
            });
        }
        if (body != null) {
            lane.execute(() -> aborted(how));
        }
        for (Consumer<Closed> action : actions) {
            lane.execute(() -> action.accept(how));
        }
    }

    // callbacks, on the lane

    private void socketEvent(Lane.Callback callback) {
        if (listener == null) {
            return;
        }
        lane.execute(() -> {
            open();
            if (!failed) {
                callback.run();
            }
        });
    }

    private void control(Lane.Callback callback) {
        if (!lane.isDirect() && controls.incrementAndGet() > CONTROLS_AHEAD) {
            abort(H2_ENHANCE_YOUR_CALM);
            return;
        }
        socketEvent(() -> {
            controls.decrementAndGet();
            callback.run();
        });
    }

    /** Before any other event, whichever comes first of the accept's own turn and the first message's. */
    private void open() throws Exception {
        if (!opened) {
            opened = true;
            listener.open(socket);
        }
    }

    private void aborted(Closed how) throws Exception {
        if (!bodyEnded) {
            bodyEnded = true;
            body.aborted(request, how);
        }
    }

    private void taken() {
        if (grants && ++taken == AHEAD / 2) {
            taken = 0;
            demand(AHEAD / 2);
        }
    }

    /** An exception out of a callback of this stream ends this stream and nothing else. */
    private void failed(Throwable thrown) {
        engine.log.accept(System.Logger.Level.ERROR, name() + ": a callback threw", thrown);
        if (failed || isClosed()) {
            return;
        }
        failed = true;
        boolean first;
        synchronized (this) {
            first = !answered;
            answered = true;
        }
        if (!first) {
            WebSocket open = socket;
            if (open != null) {
                open.fail();
                // what waits in front of the peer's Close is not heard any more, but has to be out of its way
                demand(Integer.MAX_VALUE);
            } else {
                abort(H2_INTERNAL_ERROR);
            }
        } else if (head.webSocket()) {
            Native.reject(engine.id, stream(), 500, null, null);
        } else {
            Native.respond(engine.id, stream(), 500, null, null);
        }
    }
}
