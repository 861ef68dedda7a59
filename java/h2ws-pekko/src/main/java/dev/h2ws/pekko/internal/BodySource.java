package dev.h2ws.pekko.internal;

import dev.h2ws.BodyListener;
import dev.h2ws.Closed;
import dev.h2ws.Headers;
import dev.h2ws.Request;
import java.util.ArrayDeque;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.util.ByteString;

/**
 * The body of a request, piece by piece as it is asked for. Runs once. Who cancels it before its end leaves the rest to
 * h2ws, which throws it away after the answer: the answer still goes out, where stock loses it.
 */
final class BodySource extends GraphStage<SourceShape<ByteString>> {
    private static final int AHEAD = 4;
    private static final ByteString END = ByteString.emptyByteString();

    private final Outlet<ByteString> out = Outlet.create("h2ws.body");
    private final SourceShape<ByteString> shape = SourceShape.of(out);
    private final Request request;
    private final int stream;

    BodySource(Request request, int stream) {
        this.request = request;
        this.stream = stream;
    }

    @Override
    public SourceShape<ByteString> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic implements OutHandler, BodyListener {
        private final ArrayDeque<ByteString> pieces = new ArrayDeque<>(AHEAD + 1);
        private AsyncCallback<Object> callback;
        private boolean ended;
        private int asked = AHEAD;

        Logic() {
            super(shape);
            setHandler(out, this);
        }

        @Override
        public void preStart() {
            callback = createAsyncCallback(this::heard);
            request.body(this, AHEAD);
        }

        private void heard(Object event) {
            if (event instanceof Closed closed) {
                fail(out, Failures.of(closed, stream));
            } else if (event == END) {
                ended = true;
                if (pieces.isEmpty()) {
                    complete(out);
                }
            } else {
                pieces.add((ByteString) event);
                if (isAvailable(out)) {
                    next();
                }
            }
        }

        private void next() {
            push(out, pieces.poll());
            asked--;
            if (ended && pieces.isEmpty()) {
                complete(out);
            } else if (!ended && asked <= AHEAD / 2) {
                request.demand(AHEAD - asked);
                asked = AHEAD;
            }
        }

        @Override
        public void onPull() {
            if (!pieces.isEmpty()) {
                next();
            }
        }

        // on the loop's thread

        @Override
        public void data(Request from, byte[] data) {
            callback.invoke(ByteString.fromArrayUnsafe(data));
        }

        @Override
        public void end(Request from, Headers trailers) {
            callback.invoke(END);
        }

        @Override
        public void aborted(Request from, Closed closed) {
            callback.invoke(closed);
        }
    }
}
