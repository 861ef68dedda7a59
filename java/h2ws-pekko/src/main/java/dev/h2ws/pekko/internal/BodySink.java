package dev.h2ws.pekko.internal;

import dev.h2ws.Headers;
import dev.h2ws.Request;
import dev.h2ws.ResponseBody;
import dev.h2ws.SendResult;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.scaladsl.model.HttpEntity;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.SinkShape;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.InHandler;
import org.apache.pekko.util.ByteString;

/**
 * The body of a response on its way: takes ByteStrings or the chunks of a chunked entity. Asks for more as there is
 * room; a client that goes cancels it.
 */
final class BodySink extends GraphStage<SinkShape<Object>> {
    private static final int H2_INTERNAL_ERROR = 2;

    private final Inlet<Object> in = Inlet.create("h2ws.response");
    private final SinkShape<Object> shape = SinkShape.of(in);
    private final RequestBody requestBody;
    private final Request request;
    private final ResponseBody body;
    private final Headers trailers;
    private final LoggingAdapter log;

    /** @param trailers for an entity that brings none itself */
    BodySink(RequestBody requestBody, ResponseBody body, Headers trailers, LoggingAdapter log) {
        this.requestBody = requestBody;
        request = requestBody.request();
        this.body = body;
        this.trailers = trailers;
        this.log = log;
    }

    @Override
    public SinkShape<Object> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic implements InHandler {
        private byte[] pending;
        private Headers last = trailers;
        private boolean finishing;
        private boolean finished;
        private boolean gone;

        Logic() {
            super(shape);
            setHandler(in, this);
        }

        @Override
        public void preStart() {
            AsyncCallback<Boolean> callback = createAsyncCallback(this::heard);
            // what is still to be sent outlives the entity
            setKeepGoing(true);
            body.onWritable(() -> callback.invoke(true));
            request.onClosed(closed -> callback.invoke(false));
            pull(in);
        }

        private void heard(boolean writable) {
            if (!writable) {
                gone = true;
                completeStage();
            } else if (pending != null) {
                byte[] again = pending;
                pending = null;
                send(again);
            }
        }

        @Override
        public void onPush() {
            Object element = grab(in);
            if (element instanceof HttpEntity.LastChunk chunk) {
                if (!chunk.trailer().isEmpty()) {
                    last = ResponseHead.trailers(chunk.trailer());
                }
                pull(in);
                return;
            }
            ByteString data = element instanceof HttpEntity.ChunkStreamPart part ? part.data() : (ByteString) element;
            if (data.isEmpty()) {
                pull(in);
            } else {
                send(data.toArrayUnsafe());
            }
        }

        private void send(byte[] data) {
            SendResult result = body.send(data);
            if (result == SendResult.BUSY) {
                pending = data;
            } else if (finishing) {
                finish();
            } else if (result == SendResult.CLOSED) {
                gone = true;
                completeStage();
            } else {
                pull(in);
            }
        }

        private void finish() {
            finished = true;
            Headers end = last;
            requestBody.answered(() -> body.finish(end));
            completeStage();
        }

        @Override
        public void onUpstreamFinish() {
            finishing = true;
            if (pending == null) {
                finish();
            }
        }

        @Override
        public void onUpstreamFailure(Throwable cause) {
            log.error(cause, "Response stream failed with '{}'. Aborting the response.", String.valueOf(cause.getMessage()));
            completeStage();
        }

        @Override
        public void postStop() {
            // failed, or stopped with its materializer: nobody may take what went out for the whole body
            if (!finished && !gone) {
                request.abort(H2_INTERNAL_ERROR);
            }
        }
    }
}
