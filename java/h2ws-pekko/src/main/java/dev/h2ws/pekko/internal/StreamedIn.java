package dev.h2ws.pekko.internal;

import dev.h2ws.Fragment;
import org.apache.pekko.http.scaladsl.model.ws.BinaryMessage;
import org.apache.pekko.http.scaladsl.model.ws.Message;
import org.apache.pekko.http.scaladsl.model.ws.TextMessage;
import org.apache.pekko.stream.scaladsl.Source;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.util.ByteString;

/**
 * A message too long to be put together: a source of its parts. The next message waits until this one was read, as in
 * stock; one whose source was cancelled is thrown away up to its end.
 */
final class StreamedIn {
    private final boolean text;
    private final Utf8Parts parts = new Utf8Parts();
    private final GraphStageLogic.SubSourceOutlet<Object> source;
    private byte[] first;

    /**
     * @param first what was put together so far
     * @param wanted runs when the reader wants more, or no more
     */
    StreamedIn(GraphStageLogic logic, boolean text, byte[] first, Runnable wanted) {
        this.text = text;
        this.first = first;
        source = logic.new SubSourceOutlet<>("h2ws.message");
        source.setHandler(new OutHandler() {
            @Override
            public void onPull() {
                pushFirst();
                wanted.run();
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                wanted.run();
            }
        });
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    Message message() {
        Source of = Source.fromGraph(source.source());
        return text ? new TextMessage.Streamed(of) : new BinaryMessage.Streamed(of);
    }

    private void pushFirst() {
        if (first != null) {
            byte[] bytes = first;
            first = null;
            push(bytes);
        }
    }

    private void push(byte[] bytes) {
        Object part = text ? parts.decode(bytes) : ByteString.fromArrayUnsafe(bytes);
        // parts that end inside a character may give none; stock does not show empty ones either
        if (!(part instanceof String characters && characters.isEmpty())) {
            source.push(part);
        }
    }

    /** Whether the reader wants more than there is. */
    boolean asks() {
        return source.isClosed() || first == null && source.isAvailable();
    }

    /** False: the reader has to ask first. */
    boolean offer(Fragment fragment) {
        if (source.isClosed()) {
            return true;
        }
        if (fragment.data().length > 0) {
            if (first != null || !source.isAvailable()) {
                return false;
            }
            push(fragment.data());
        } else if (first != null) {
            return false;
        }
        if (fragment.last()) {
            source.complete();
        }
        return true;
    }

    void fail(Throwable cause) {
        if (!source.isClosed()) {
            source.fail(cause);
        }
    }
}
