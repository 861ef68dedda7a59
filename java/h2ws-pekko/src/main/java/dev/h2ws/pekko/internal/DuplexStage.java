package dev.h2ws.pekko.internal;

import dev.h2ws.Duplex;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.StreamTcpException;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.InHandler;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.util.ByteString;

/**
 * A connection's bytes as a flow, as {@code Tcp}'s is: what comes in is written, what was read goes out. It reads only
 * when asked and asks only when all was written, so it is as slow as either side.
 *
 * <p>Ends as {@code TcpStages.scala} has them: the flow's completion is FIN, the peer's FIN completes and leaves the
 * other direction open, a failure or a cancelled reader cuts the connection.
 */
final class DuplexStage extends GraphStage<FlowShape<ByteString, ByteString>> {
    private static final int READ = 16 << 10;

    private final Inlet<ByteString> in = Inlet.create("h2ws.write");
    private final Outlet<ByteString> out = Outlet.create("h2ws.read");
    private final FlowShape<ByteString, ByteString> shape = new FlowShape<>(in, out);
    private final Duplex duplex;
    private final Runnable ended;

    /** {@code ended} is run when the stage is done with the connection. */
    DuplexStage(Duplex duplex, Runnable ended) {
        this.duplex = duplex;
        this.ended = ended;
    }

    @Override
    public FlowShape<ByteString, ByteString> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private enum Event {
        READABLE,
        WRITABLE,
        CLOSED
    }

    private final class Logic extends GraphStageLogic implements InHandler, OutHandler, Duplex.Listener {
        private AsyncCallback<Event> callback;
        private ByteBuffer pending;
        private boolean finishing;
        private boolean shut;
        private boolean over;

        Logic() {
            super(shape);
            setHandler(in, this);
            setHandler(out, this);
        }

        @Override
        public void preStart() {
            callback = createAsyncCallback(this::heard);
            duplex.listen(this);
            pull(in);
        }

        private void heard(Event event) {
            switch (event) {
                case READABLE -> read();
                case WRITABLE -> write();
                case CLOSED -> gone();
            }
        }

        // read

        @Override
        public void onPull() {
            read();
        }

        private void read() {
            if (!isAvailable(out)) {
                return;
            }
            ByteBuffer buffer = ByteBuffer.allocate(READ);
            int n = duplex.read(buffer);
            if (n > 0) {
                byte[] bytes = buffer.array();
                push(out, ByteString.fromArrayUnsafe(n < READ / 2 ? Arrays.copyOf(bytes, n) : bytes, 0, n));
            } else if (n == Duplex.RESET) {
                gone();
            } else if (n < 0) {
                complete(out);
                endIfBoth();
            }
        }

        @Override
        public void onDownstreamFinish(Throwable cause) {
            // what is still to be written goes out; what comes is not wanted
            if (shut) {
                endIfBoth();
            } else if (isClosed(in)) {
                finish();
            }
        }

        // write

        @Override
        public void onPush() {
            pending = grab(in).asByteBuffer();
            write();
        }

        private void write() {
            if (pending == null) {
                return;
            }
            if (duplex.write(pending) < 0) {
                gone();
                return;
            }
            if (pending.hasRemaining()) {
                return;
            }
            pending = null;
            if (finishing) {
                finish();
            } else if (!isClosed(in)) {
                pull(in);
            }
        }

        @Override
        public void onUpstreamFinish() {
            finishing = true;
            if (pending == null) {
                finish();
            } else {
                setKeepGoing(true);
            }
        }

        private void finish() {
            shut = true;
            duplex.shutdownOutput();
            endIfBoth();
        }

        @Override
        public void onUpstreamFailure(Throwable cause) {
            over = true;
            duplex.abort();
            failStage(cause);
        }

        // both

        private void endIfBoth() {
            if (shut && isClosed(out)) {
                over = true;
                duplex.close();
                completeStage();
            }
        }

        private void gone() {
            over = true;
            if (!shut) {
                duplex.abort();
                failStage(new StreamTcpException("The connection closed with error: Connection reset by peer"));
            } else {
                duplex.close();
                completeStage();
            }
        }

        @Override
        public void postStop() {
            if (!over) {
                duplex.abort();
            }
            ended.run();
        }

        // on a loop's thread

        @Override
        public void readable() {
            callback.invoke(Event.READABLE);
        }

        @Override
        public void writable() {
            callback.invoke(Event.WRITABLE);
        }

        @Override
        public void closed() {
            callback.invoke(Event.CLOSED);
        }
    }
}
