package dev.h2ws.pekko.internal;

import dev.h2ws.Fragment;
import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.apache.pekko.http.impl.engine.ws.FrameEvent;
import org.apache.pekko.http.impl.engine.ws.FrameHeader;
import org.apache.pekko.http.impl.engine.ws.FrameStart;
import org.apache.pekko.http.impl.engine.ws.Protocol;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.util.ByteString;
import scala.Option;

/**
 * A socket for a flow of frames ({@code handleFrames}), as Play uses: Ping, Pong and Close are the flow's to answer.
 * Frames come as if masked with 0, since Play refuses unmasked ones.
 *
 * <p>Large messages come in parts as they arrive, and Pings come without demand, so one may overtake the rest of a message that the
 * peer has sent whole. Play takes anything between parts for a violation ({@code WebSocketFlowHandler.scala}), so a Ping waits for
 * the last one, and a Close, behind which no more parts come, is the end of the flow.
 */
final class FrameStage extends GraphStage<FlowShape<FrameEvent, FrameEvent>> {
    private static final Option<Object> MASK = Option.apply(0);

    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;

    private final Inlet<FrameEvent> in = Inlet.create("h2ws.out");
    private final Outlet<FrameEvent> out = Outlet.create("h2ws.in");
    private final FlowShape<FrameEvent, FrameEvent> shape = new FlowShape<>(in, out);
    private final SocketLogic.Link link;
    private final int limit;

    /** @param limit a message of more bytes is to be refused by the flow, as Play does if it comes in parts */
    FrameStage(SocketLogic.Link link, int limit) {
        this.link = link;
        this.limit = limit;
    }

    @Override
    public FlowShape<FrameEvent, FrameEvent> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private static FrameStart frame(int opcode, byte[] data, boolean last) {
        ByteString payload = ByteString.fromArrayUnsafe(data);
        return new FrameStart(
                new FrameHeader(
                        Protocol.Opcode$.MODULE$.forCode((byte) opcode), MASK, data.length, last, false, false, false),
                payload);
    }

    private final class Logic extends SocketLogic<FrameEvent, FrameEvent> {
        private boolean inside;
        private byte[] rest;
        private final ArrayDeque<Inbox.Control> held = new ArrayDeque<>(0);

        // towards the peer: the frame that is being sent, of which more parts may come
        private FrameHeader header;
        private boolean text;
        private boolean insideOut;
        private Gathering outgoing;
        private ByteString pending;
        private boolean pendingLast;
        private byte[] pendingControl;
        private boolean finishing;

        Logic() {
            super(shape, link);
        }

        @Override
        boolean inbound(Object event) {
            if (event instanceof Inbox.Control control && inside) {
                held.add(control);
                return true;
            }
            if (!settled() || !isAvailable(out)) {
                return false;
            }
            if (event instanceof Fragment fragment) {
                fragment(fragment);
                taken(fragment);
            } else {
                control((Inbox.Control) event);
            }
            return true;
        }

        private void fragment(Fragment fragment) {
            int opcode = !fragment.first() ? CONTINUATION : fragment.text() ? TEXT : BINARY;
            byte[] data = fragment.data();
            inside = !fragment.last();
            if (fragment.first() && fragment.last() && data.length > limit) {
                rest = Arrays.copyOfRange(data, limit, data.length);
                data = Arrays.copyOf(data, limit);
                inside = true;
            }
            push(out, frame(opcode, data, !inside));
        }

        private void control(Inbox.Control control) {
            push(out, frame(control.ping() ? PING : PONG, control.data(), true));
            shown();
        }

        /** A frame like any other: the flow answers it. The peer says no more. */
        @Override
        boolean closing(Inbox.Closing closing) {
            if (!settled()) {
                return false;
            }
            if (!inside) {
                if (!isAvailable(out)) {
                    return false;
                }
                push(out, frame(CLOSE, payload(closing), true));
            }
            complete(out);
            return true;
        }

        @Override
        void answer(Inbox.Closing closing) {}

        private byte[] payload(Inbox.Closing closing) {
            if (closing.code() == WebSocket.NO_CODE) {
                return new byte[0];
            }
            byte[] reason = closing.reason().getBytes(StandardCharsets.UTF_8);
            byte[] payload = new byte[2 + reason.length];
            payload[0] = (byte) (closing.code() >> 8);
            payload[1] = (byte) closing.code();
            System.arraycopy(reason, 0, payload, 2, reason.length);
            return payload;
        }

        @Override
        boolean settled() {
            if (holds() && isAvailable(out)) {
                if (rest != null) {
                    push(out, frame(CONTINUATION, rest, true));
                    rest = null;
                    inside = false;
                } else {
                    control(held.poll());
                }
            }
            return !holds();
        }

        /** Whether something is to go out before the next event. */
        private boolean holds() {
            return rest != null || !inside && !held.isEmpty();
        }

        @Override
        boolean asks() {
            return !holds() && isAvailable(out);
        }

        @Override
        boolean insideMessage() {
            return inside && rest == null;
        }

        @Override
        void dropped(Throwable cause) {
            rest = null;
            held.clear();
        }

        @Override
        void cancelOutbound(Throwable cause) {
            pending = null;
            pendingControl = null;
        }

        @Override
        public void onPush() {
            FrameEvent event = grab(in);
            if (event instanceof FrameStart start) {
                header = start.header();
                if (header.opcode().code() == TEXT || header.opcode().code() == BINARY) {
                    text = header.opcode().code() == TEXT;
                }
            }
            if (header.opcode().isControl()) {
                if (outgoing == null) {
                    outgoing = new Gathering(false);
                }
                outgoing.add(event.data().toArrayUnsafe());
                if (event.lastPart()) {
                    byte[] payload = outgoing.bytes();
                    outgoing = null;
                    control(payload);
                } else {
                    pullIn();
                }
            } else {
                send(event.data(), header.fin() && event.lastPart());
            }
        }

        private void control(byte[] payload) {
            SendResult result =
                    switch (header.opcode().code()) {
                        case PING -> socket.sendPing(payload);
                        case PONG -> socket.sendPong(payload);
                        default -> {
                            closeBy(payload);
                            yield SendResult.CLOSED;
                        }
                    };
            if (sent(result)) {
                next();
            } else {
                pendingControl = payload;
            }
        }

        private void closeBy(byte[] payload) {
            if (payload.length < 2) {
                close(WebSocket.NO_CODE, "");
            } else {
                close(
                        (payload[0] & 0xff) << 8 | payload[1] & 0xff,
                        new String(Arrays.copyOfRange(payload, 2, payload.length), StandardCharsets.UTF_8));
            }
        }

        private void send(ByteString data, boolean last) {
            SendResult result;
            if (last && !insideOut) {
                result = Pieces.send(socket, text, data);
            } else {
                byte[] part = data.toArrayUnsafe();
                result = text ? socket.sendTextFragment(part, last) : socket.sendBinaryFragment(part, last);
            }
            if (!sent(result)) {
                pending = data;
                pendingLast = last;
                return;
            }
            insideOut = !last;
            next();
        }

        /** A frame is out: the flow may send another one. */
        private void next() {
            if (finishing) {
                outboundDone();
            } else {
                pullIn();
            }
        }

        @Override
        void retry() {
            if (pending != null) {
                ByteString data = pending;
                pending = null;
                send(data, pendingLast);
            } else if (pendingControl != null) {
                byte[] payload = pendingControl;
                pendingControl = null;
                control(payload);
            }
        }

        @Override
        public void onUpstreamFinish() {
            finishing = true;
            if (pending == null && pendingControl == null) {
                outboundDone();
            }
        }

        @Override
        public void onUpstreamFailure(Throwable cause) {
            cancelOutbound(cause);
            outboundFailed(cause);
        }
    }
}
