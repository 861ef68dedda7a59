package dev.h2ws.pekko.internal;

import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.pekko.http.scaladsl.model.ws.BinaryMessage;
import org.apache.pekko.http.scaladsl.model.ws.Message;
import org.apache.pekko.http.scaladsl.model.ws.TextMessage;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.InHandler;
import org.apache.pekko.util.ByteString;

/**
 * A streamed message on its way to the peer: a frame for each element and an empty last one, as
 * {@code MessageToFrameRenderer.scala} has it. The elements run inside the socket's own stage.
 */
final class StreamedOut {
    private static final byte[] NOTHING = {};

    private final WebSocket socket;
    private final Predicate<SendResult> sent;
    private final Consumer<Throwable> over;
    private final boolean text;
    private final Utf8Parts parts = new Utf8Parts();
    private final GraphStageLogic.SubSinkInlet<Object> sink;
    private byte[] pending;
    private boolean finished;

    /**
     * @param sent hears of each send; false: it has to be sent again, by {@link #retry}
     * @param over hears the end: null, or why the message will never be complete
     */
    StreamedOut(
            GraphStageLogic logic,
            WebSocket socket,
            Message message,
            Predicate<SendResult> sent,
            Consumer<Throwable> over) {
        this.socket = socket;
        this.sent = sent;
        this.over = over;
        text = message instanceof TextMessage;
        sink = logic.new SubSinkInlet<>("h2ws.message");
        sink.setHandler(new InHandler() {
            @Override
            public void onPush() {
                Object part = sink.grab();
                send(part instanceof String string ? parts.encode(string) : ((ByteString) part).toArrayUnsafe());
            }

            @Override
            public void onUpstreamFinish() {
                finished = true;
                if (pending == null) {
                    send(NOTHING);
                }
            }

            @Override
            public void onUpstreamFailure(Throwable cause) {
                over.accept(cause);
            }
        });
        run(logic, message);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private void run(GraphStageLogic logic, Message message) {
        Source parts = text ? ((TextMessage) message).textStream().asJava() : ((BinaryMessage) message).dataStream().asJava();
        sink.pull();
        parts.runWith(sink.sink(), logic.subFusingMaterializer());
    }

    private void send(byte[] part) {
        boolean last = finished;
        if (!taken(part, last)) {
            pending = part;
        } else if (last) {
            over.accept(null);
        } else {
            sink.pull();
        }
    }

    /** There is room again. */
    void retry() {
        if (pending != null) {
            byte[] part = pending;
            pending = null;
            if (finished && part.length > 0) {
                sendThenFinish(part);
            } else {
                send(part);
            }
        }
    }

    /** A part that was refused, and the source has finished meanwhile. */
    private void sendThenFinish(byte[] part) {
        if (taken(part, false)) {
            send(NOTHING);
        } else {
            pending = part;
        }
    }

    private boolean taken(byte[] part, boolean last) {
        return sent.test(text ? socket.sendTextFragment(part, last) : socket.sendBinaryFragment(part, last));
    }

    void cancel(Throwable cause) {
        if (!sink.isClosed()) {
            sink.cancel(cause);
        }
    }
}
