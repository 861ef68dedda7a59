package dev.h2ws.pekko.internal;

import dev.h2ws.Closed;
import java.util.ArrayDeque;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.util.ByteString;

/**
 * The body of a request, piece by piece as it is asked for. Runs once. Who cancels it before its end still gets an
 * answer out, which stock's HTTP/2 loses.
 */
final class BodySource extends GraphStage<SourceShape<ByteString>> {
    private final Outlet<ByteString> out = Outlet.create("h2ws.body");
    private final SourceShape<ByteString> shape = SourceShape.of(out);
    private final RequestBody body;
    private final int stream;

    BodySource(RequestBody body, int stream) {
        this.body = body;
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

    private final class Logic extends GraphStageLogic implements OutHandler {
        private final ArrayDeque<ByteString> pieces = new ArrayDeque<>(RequestBody.AHEAD + 1);
        private boolean ended;
        private boolean read;
        private boolean pulled;
        private int asked = RequestBody.AHEAD;

        Logic() {
            super(shape);
            setHandler(out, this);
        }

        @Override
        public void preStart() {
            try {
                body.read(createAsyncCallback(this::heard));
                read = true;
            } catch (IllegalStateException e) {
                fail(out, e);
            }
        }

        private void heard(Object event) {
            if (event instanceof Closed closed) {
                ended = true;
                fail(out, Failures.of(closed, stream));
            } else if (event == RequestBody.END) {
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
            } else if (!ended && asked <= RequestBody.AHEAD / 2) {
                body.request().demand(RequestBody.AHEAD - asked);
                asked = RequestBody.AHEAD;
            }
        }

        @Override
        public void onPull() {
            if (!pulled) {
                pulled = true;
                body.tellToContinue();
            }
            if (!pieces.isEmpty()) {
                next();
            }
        }

        @Override
        public void postStop() {
            if (read && !ended) {
                body.cancelled();
            }
        }
    }
}
