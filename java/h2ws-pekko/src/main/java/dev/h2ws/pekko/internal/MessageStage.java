package dev.h2ws.pekko.internal;

import dev.h2ws.Fragment;
import dev.h2ws.SendResult;
import org.apache.pekko.http.scaladsl.model.ws.BinaryMessage;
import org.apache.pekko.http.scaladsl.model.ws.Message;
import org.apache.pekko.http.scaladsl.model.ws.TextMessage;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.util.ByteString;

/** A socket for a flow of messages ({@code handleMessages}). */
final class MessageStage extends GraphStage<FlowShape<Message, Message>> {
    private final Inlet<Message> in = Inlet.create("h2ws.out");
    private final Outlet<Message> out = Outlet.create("h2ws.in");
    private final FlowShape<Message, Message> shape = new FlowShape<>(in, out);
    private final SocketLogic.Link link;

    MessageStage(SocketLogic.Link link) {
        this.link = link;
    }

    @Override
    public FlowShape<Message, Message> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends SocketLogic<Message, Message> {
        // towards the flow
        private Gathering gathering;
        private Message ready;
        private StreamedIn streamedIn;

        // towards the peer
        private Message pending;
        private StreamedOut streamedOut;
        private boolean finishing;

        Logic() {
            super(shape, link);
        }

        @Override
        boolean inbound(Object event) {
            Fragment fragment = (Fragment) event;
            if (!settled()) {
                return false;
            }
            if (streamedIn != null) {
                if (!streamedIn.offer(fragment)) {
                    return false;
                }
                if (fragment.last()) {
                    streamedIn = null;
                }
            } else if (fragment.last() && gathering == null) {
                if (!isAvailable(out)) {
                    return false;
                }
                push(out, strict(fragment.text(), fragment.data()));
            } else {
                gather(fragment);
            }
            taken(fragment);
            return true;
        }

        /** A message in parts: put together while it is short, since a flow that counts on strict ones would fail. */
        private void gather(Fragment fragment) {
            if (gathering == null) {
                gathering = new Gathering(fragment.text());
            }
            gathering.add(fragment.data());
            if (fragment.last()) {
                ready = strict(gathering.text(), gathering.bytes());
                gathering = null;
            } else if (gathering.length() > settings.strictLimit()) {
                streamedIn = new StreamedIn(this, gathering.text(), gathering.bytes(), this::process);
                ready = streamedIn.message();
                gathering = null;
            }
            settled();
        }

        private Message strict(boolean text, byte[] data) {
            return text
                    ? new TextMessage.Strict(new String(data, java.nio.charset.StandardCharsets.UTF_8))
                    : new BinaryMessage.Strict(ByteString.fromArrayUnsafe(data));
        }

        @Override
        boolean settled() {
            if (ready != null && isAvailable(out)) {
                Message next = ready;
                ready = null;
                push(out, next);
            }
            return ready == null;
        }

        @Override
        boolean asks() {
            return ready == null && (streamedIn == null ? isAvailable(out) : streamedIn.asks());
        }

        @Override
        boolean insideMessage() {
            return gathering != null || streamedIn != null;
        }

        @Override
        void dropped(Throwable cause) {
            gathering = null;
            ready = null;
            if (streamedIn != null) {
                streamedIn.fail(cause);
                streamedIn = null;
            }
        }

        @Override
        void cancelOutbound(Throwable cause) {
            pending = null;
            if (streamedOut != null) {
                streamedOut.cancel(cause);
                streamedOut = null;
            }
        }

        @Override
        public void onPush() {
            send(grab(in));
        }

        private void send(Message message) {
            SendResult result;
            if (message instanceof TextMessage.Strict text) {
                result = socket.sendText(text.text());
            } else if (message instanceof BinaryMessage.Strict binary) {
                result = Pieces.send(socket, false, binary.data());
            } else {
                streamedOut = new StreamedOut(this, socket, message, this::sent, this::streamedOut);
                return;
            }
            if (sent(result)) {
                next();
            } else {
                pending = message;
            }
        }

        /** A message is out: the flow may send another one. */
        private void next() {
            if (finishing) {
                outboundDone();
            } else {
                pullIn();
            }
        }

        private void streamedOut(Throwable failure) {
            streamedOut = null;
            if (failure == null) {
                next();
            } else {
                outboundFailed(failure);
                cancel(in);
            }
        }

        @Override
        void retry() {
            if (streamedOut != null) {
                streamedOut.retry();
            } else if (pending != null) {
                Message again = pending;
                pending = null;
                send(again);
            }
        }

        @Override
        public void onUpstreamFinish() {
            finishing = true;
            if (pending == null && streamedOut == null) {
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
