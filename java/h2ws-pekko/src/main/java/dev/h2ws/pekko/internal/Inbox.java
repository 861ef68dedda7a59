package dev.h2ws.pekko.internal;

import dev.h2ws.Closed;
import dev.h2ws.Fragment;
import dev.h2ws.H2ws;
import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.util.ArrayDeque;
import org.apache.pekko.stream.stage.AsyncCallback;

/**
 * Between a socket's loop and its stage: what the loop tells, until the stage has taken it. The stage is woken once for
 * all that comes before it has had its turn.
 *
 * <p>Bounded: fragments come as the stage demands them, and there is one Close, or what takes its place, and one end. Pings are answered here, so
 * that a slow flow does not look like a dead server; with frames the flow answers them itself.
 */
final class Inbox implements WebSocketListener {
    /** The peer's Close. */
    record Closing(int code, String reason) {}

    /** The peer broke a rule, and is to be told so with this code. */
    record Violated(int code, String reason) {}

    /** The peer has ended its side without a Close. */
    record Ended(boolean insideMessage) {}

    /** A Ping or Pong for a flow of frames. */
    record Control(boolean ping, byte[] data) {}

    /** Controls that wait for a flow of frames, here or in its stage; what a peer sends beyond is not shown to it. */
    private static final int CONTROLS = 64;

    private final boolean frames;
    // guarded by this
    private ArrayDeque<Object> waiting;
    private int controls;
    private boolean writable;
    private Closing closing;
    private Closed closed;
    private AsyncCallback<Inbox> stage;
    private boolean woken;
    private boolean deaf;

    private final Runnable wake = this::wake;

    /** Of the loop's thread alone. */
    private byte[] latePong;

    /** When the peer was heard last, {@link System#nanoTime()}. */
    volatile long heard = System.nanoTime();

    Inbox(boolean frames) {
        this.frames = frames;
    }

    /** From now on the stage is woken; it looks for itself what came before. */
    synchronized void attach(AsyncCallback<Inbox> callback) {
        stage = callback;
    }

    /** The stage has stopped: whatever still comes is nothing. */
    synchronized void detach() {
        deaf = true;
        stage = null;
        waiting = null;
    }

    /** Moves what has come to the end of {@code to}. */
    synchronized void take(ArrayDeque<Object> to) {
        if (waiting != null) {
            for (Object event = waiting.poll(); event != null; event = waiting.poll()) {
                to.add(event);
            }
        }
    }

    /** A control has gone to the flow. */
    synchronized void shown() {
        controls--;
    }

    /**
     * The stage has its turn, and whatever comes from now on wakes it again. It has to say so before it looks: what came
     * between a look and this would be seen by nobody.
     *
     * @return whether there was room again since this was asked last
     */
    synchronized boolean awake() {
        woken = false;
        boolean was = writable;
        writable = false;
        return was;
    }

    /** The peer's Close, which also stands among the events; null while there is none. */
    synchronized Closing closing() {
        return closing;
    }

    /** How it ended; null while it has not. */
    synchronized Closed closed() {
        return closed;
    }

    private void add(Object event) {
        synchronized (this) {
            if (deaf) {
                return;
            }
            if (event instanceof Closed end) {
                closed = end;
            } else if (event == null) {
                writable = true;
            } else {
                if (event instanceof Control) {
                    if (controls == CONTROLS) {
                        return;
                    }
                    controls++;
                }
                if (event instanceof Closing close) {
                    closing = close;
                }
                if (waiting == null) {
                    waiting = new ArrayDeque<>(4);
                }
                waiting.add(event);
            }
            if (woken || stage == null) {
                return;
            }
            woken = true;
        }
        H2ws.afterTurn(wake);
    }

    private void wake() {
        AsyncCallback<Inbox> callback;
        synchronized (this) {
            callback = stage;
        }
        if (callback != null) {
            callback.invoke(this);
        }
    }

    // on the loop's thread

    @Override
    public void fragment(WebSocket socket, Fragment fragment) {
        heard = System.nanoTime();
        add(fragment);
    }

    @Override
    public void ping(WebSocket socket, byte[] data) {
        heard = System.nanoTime();
        if (frames) {
            add(new Control(true, data));
        } else {
            answer(socket, data);
        }
    }

    /** Only the last Ping must be answered (RFC 6455 section 5.5.3); while there is no room, it waits. */
    private void answer(WebSocket socket, byte[] data) {
        latePong = socket.sendPong(data) == SendResult.BUSY ? data : null;
    }

    @Override
    public void pong(WebSocket socket, byte[] data) {
        heard = System.nanoTime();
        if (frames) {
            add(new Control(false, data));
        }
    }

    @Override
    public void closing(WebSocket socket, int code, String reason) {
        add(new Closing(code, reason));
    }

    @Override
    public void violated(WebSocket socket, int code, String reason) {
        add(new Violated(code, reason));
    }

    @Override
    public void ended(WebSocket socket, boolean insideMessage) {
        add(new Ended(insideMessage));
    }

    @Override
    public void writable(WebSocket socket) {
        if (latePong != null) {
            answer(socket, latePong);
        }
        add(null);
    }

    @Override
    public void closed(WebSocket socket, Closed how) {
        add(how);
    }
}
