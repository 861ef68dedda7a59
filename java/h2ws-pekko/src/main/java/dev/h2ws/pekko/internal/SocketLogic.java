package dev.h2ws.pekko.internal;

import dev.h2ws.Closed;
import dev.h2ws.Fragment;
import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.model.ws.PeerClosedConnectionException;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.InHandler;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;

/**
 * A socket as the one stage that the user's flow is joined with: what the flow sends comes in, what the peer sends goes
 * out. It lives until both directions and the socket itself have ended.
 *
 * <p>How sockets end is told by Pekko's {@code FrameOutHandler.scala}: the server may go on sending after the peer's
 * Close, so h2ws answers neither Close nor Ping by itself here ({@code manualControl}).
 */
abstract class SocketLogic<I, O> extends TimerGraphStageLogic implements InHandler, OutHandler {
    /**
     * An accepted socket, before its stage runs.
     *
     * @param stream the number that its request has as {@code x-http2-stream-id}
     */
    record Link(WebSocket socket, Inbox inbox, SocketSettings settings, LoggingAdapter log, int stream) {}

    private static final int GOING_AWAY = 1001;
    private static final int INTERNAL_ERROR = 1011;

    final WebSocket socket;
    final SocketSettings settings;
    private final LoggingAdapter log;
    private final int stream;
    private final Inbox inbox;
    private final Inlet<I> in;
    private final Outlet<O> out;
    private final ArrayDeque<Object> events = new ArrayDeque<>(4);
    private final Demand demand;
    /** Null until several events came at once. */
    private Cork cork;
    private Closed ended;
    private boolean peerClosed;
    private boolean closeSent;
    /** Until the flow's outlet is cancelled too. */
    private boolean failed;
    private long sent = System.nanoTime();
    private long keptAlive = sent;

    SocketLogic(FlowShape<I, O> shape, Link link) {
        super(shape);
        socket = link.socket();
        inbox = link.inbox();
        demand = new Demand(socket);
        settings = link.settings();
        log = link.log();
        stream = link.stream();
        in = shape.in();
        out = shape.out();
        setHandler(in, this);
        setHandler(out, this);
    }

    // what messages and frames differ in

    /** Gives an event to the flow; false: not now, the flow has to ask first. */
    abstract boolean inbound(Object event);

    /** A Close or the orderly end is next: false if something of the last message has yet to be asked for. */
    abstract boolean settled();

    /** Whether the flow has asked for more than it has got, so that it is through with what came before. */
    abstract boolean asks();

    /** Whether a message from the peer has begun and is not complete. */
    abstract boolean insideMessage();

    /** There is room again for what was refused. */
    abstract void retry();

    /** The flow gets no more: drop what is held for it, and fail a message that it is reading. */
    abstract void dropped(Throwable cause);

    /** The peer gets no more: drop what waits to be sent, and cancel a message that is being sent. */
    abstract void cancelOutbound(Throwable cause);

    // life

    @Override
    public void preStart() {
        // the flow may have ended in both directions while the peer's Close is still on its way
        setKeepGoing(true);
        inbox.attach(createAsyncCallback(box -> heard()));
        if (settings.keepAlive() != null) {
            scheduleOnce("keep-alive", settings.keepAlive());
        }
        if (settings.idle() != null) {
            scheduleOnce("idle", settings.idle());
        }
        pull(in);
        heard();
        if (ended == null) {
            demand.begin();
        }
    }

    @Override
    public void postStop() {
        inbox.detach();
        Throwable stopped = new IllegalStateException("the WebSocket's stage was stopped");
        dropped(stopped);
        cancelOutbound(stopped);
        if (ended == null && !closeSent) {
            // stopped from outside, with its actor system or materializer; failures of the flow do not come here
            socket.close(GOING_AWAY, "");
        }
        if (cork != null) {
            cork.pull();
        }
    }

    private void heard() {
        if (inbox.awake()) {
            retry();
        }
        // in this order: all events before an end that is seen are taken
        ended = inbox.closed();
        inbox.take(events);
        if (events.size() > 1) {
            if (cork == null) {
                cork = new Cork(socket, events, createAsyncCallback(Cork::look));
            }
            cork.put();
        }
        process();
    }

    /** Gives the flow what it can take, in order; then what follows from a Close or the end. */
    final void process() {
        while (!events.isEmpty() && inboundOrEnd(events.peek())) {
            events.poll();
        }
        Inbox.Closing closing = inbox.closing();
        if (closing != null && !peerClosed) {
            peerClosed = true;
            answer(closing);
        }
        if (ended != null) {
            end();
        }
    }

    private boolean inboundOrEnd(Object event) {
        if (event instanceof Fragment fragment) {
            if (isClosed(out)) {
                // a flow that cancelled: stock stalls here; what it does not want must not hold up Pings and Close
                taken(fragment);
                return true;
            }
            return inbound(fragment);
        }
        if (event instanceof Inbox.Closing closing) {
            return isClosed(out) || closing(closing);
        }
        if (event instanceof Inbox.Ended ended) {
            return isClosed(out) || ended(ended);
        }
        if (event instanceof Inbox.Violated violated) {
            return violated(violated);
        }
        return isClosed(out) || inbound(event);
    }

    /** FIN is END_STREAM (RFC 8441 section 5): what the peer says is complete, and the flow may finish what it says. */
    private boolean ended(Inbox.Ended ended) {
        if (ended.insideMessage()) {
            failInbound(Failures.truncated());
        } else if (!settled()) {
            return false;
        } else {
            complete(out);
        }
        return true;
    }

    /** Behind the flow's answers to what came before, which it has given when it asks again. */
    private boolean violated(Inbox.Violated violated) {
        if (!isClosed(out) && !asks()) {
            return false;
        }
        close(violated.code(), "");
        failBoth(Failures.violation(violated.reason()));
        return true;
    }

    /** The peer's Close, towards the flow. */
    boolean closing(Inbox.Closing closing) {
        if (insideMessage()) {
            // FrameHandler.scala: the message is not complete, and will not be
            failInbound(Failures.truncated());
        } else if (!settled()) {
            return false;
        } else if (regular(closing.code())) {
            complete(out);
        } else {
            fail(out, new PeerClosedConnectionException(closing.code(), closing.reason()));
        }
        return true;
    }

    /** The peer's Close, towards the peer. */
    void answer(Inbox.Closing closing) {
        if (!regular(closing.code())) {
            silence(new PeerClosedConnectionException(closing.code(), closing.reason()));
            close(closing.code(), closing.reason());
        }
        // else when the flow has said its last: there is no time limit, as in stock
    }

    static boolean regular(int code) {
        return code == WebSocket.NORMAL_CLOSURE || code == GOING_AWAY || code == WebSocket.NO_CODE;
    }

    /** The socket is gone. */
    private void end() {
        if (failed) {
            // what follows has its turn
            return;
        }
        if (isClosed(out)) {
            silence(Failures.ofSocket(ended, stream));
            dropped(Failures.ofSocket(ended, stream));
            completeStage();
            return;
        }
        // a reset after the peer's Close takes nothing from what was said
        boolean orderly = peerClosed || Failures.isOrderly(ended, closeSent);
        if (!orderly || insideMessage() && events.isEmpty()) {
            events.clear();
            failBoth(orderly ? Failures.truncated() : Failures.ofSocket(ended, stream));
            return;
        }
        silence(Failures.ofSocket(ended, stream));
        if (events.isEmpty() && settled()) {
            complete(out);
            completeStage();
        }
    }

    /** Nobody hears what the flow still sends. */
    private void silence(Throwable cause) {
        cancelOutbound(cause);
        cancel(in);
    }

    /**
     * The flow is told of a failure, and nobody hears what it still sends. The one after the other: a cancellation has fewer
     * stages of Play's to pass, and a flow that it got to first would complete.
     */
    private void failBoth(Throwable cause) {
        cancelOutbound(cause);
        if (!isClosed(out)) {
            failInbound(cause);
        }
        failed = true;
        createAsyncCallback(unused -> {
                    failed = false;
                    cancel(in);
                    process();
                })
                .invoke(cause);
    }

    final void failInbound(Throwable cause) {
        dropped(cause);
        fail(out, cause);
    }

    // inbound

    /** A Ping or Pong has gone to the flow. */
    final void shown() {
        inbox.shown();
    }

    /** A fragment has left the queue: the peer may send another one. */
    final void taken(Fragment fragment) {
        if (ended == null) {
            demand.taken(fragment);
        }
    }

    @Override
    public void onPull() {
        // a message that was put together while nobody asked waits outside of the queue
        settled();
        process();
    }

    @Override
    public void onDownstreamFinish(Throwable cause) {
        // WebSockets have no half-close: the socket goes on for what the flow still sends
        dropped(cause);
        process();
    }

    // outbound

    /** What is to be done after a send: false if it has to be sent again, by {@link #retry}. */
    final boolean sent(SendResult result) {
        sent = System.nanoTime();
        if (cork != null) {
            cork.sent(sent);
        }
        return result != SendResult.BUSY;
    }

    final void pullIn() {
        if (!isClosed(in) && !hasBeenPulled(in)) {
            pull(in);
        }
    }

    /** The flow has said its last, and all of it was sent: the peer's Close comes back to it, if there was one. */
    final void outboundDone() {
        if (failed) {
            return;
        }
        Inbox.Closing closing = inbox.closing();
        if (closing == null || closing.code() == WebSocket.NO_CODE) {
            close(WebSocket.NORMAL_CLOSURE, "");
        } else {
            close(closing.code(), closing.reason());
        }
    }

    final void outboundFailed(Throwable cause) {
        if (failed) {
            // by what it was told
            return;
        }
        log.error(cause, "WebSocket handler failed with {}", String.valueOf(cause.getMessage()));
        Inbox.Closing closing = inbox.closing();
        if (closing == null) {
            close(INTERNAL_ERROR, "internal error");
        } else {
            // a flow that fails because the peer closed inside a message: the peer knows, and its Close comes back
            outboundDone();
        }
    }

    final void close(int code, String reason) {
        if (!closeSent) {
            closeSent = true;
            socket.close(code, reason);
        }
    }

    final boolean isCloseSent() {
        return closeSent;
    }

    // time

    @Override
    public void onTimer(Object timer) {
        if (ended != null) {
            return;
        }
        long now = System.nanoTime();
        if (timer.equals("keep-alive")) {
            keepAlive(now);
        } else {
            idle(now);
        }
    }

    /** As {@code Flow.keepAlive} on what comes in ({@code WebSocket.scala}). */
    private void keepAlive(long now) {
        long since = Math.min(now - inbox.heard, now - keptAlive);
        long left = settings.keepAlive().toNanos() - since;
        if (left <= 0) {
            byte[] data = settings.keepAliveData().get().toArray();
            sent(settings.keepAlivePing() ? socket.sendPing(data) : socket.sendPong(data));
            keptAlive = now;
            left = settings.keepAlive().toNanos();
        }
        scheduleOnce("keep-alive", Duration.ofNanos(left));
    }

    /** Stock's is the connection's ({@code idle-timeout}), which over HTTP/1.1 is the socket's. */
    private void idle(long now) {
        long left = settings.idle().toNanos() - Math.min(now - inbox.heard, now - sent);
        if (left > 0) {
            scheduleOnce("idle", Duration.ofNanos(left));
            return;
        }
        TimeoutException idle =
                new TimeoutException("No message passed in either direction for " + settings.idle());
        close(GOING_AWAY, "idle");
        failBoth(idle);
    }
}
