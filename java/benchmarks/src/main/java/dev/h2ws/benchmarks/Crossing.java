package dev.h2ws.benchmarks;

import dev.h2ws.H2ws;
import dev.h2ws.Listener;
import dev.h2ws.Request;
import dev.h2ws.WebSocket;
import dev.h2ws.WebSocketListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a batch of messages costs, over one socket of the loopback: there and back ({@code echo}), to Java alone
 * ({@code in}), out of Java alone ({@code out}). The score is for a batch; divide by its size for a message. A batch of 1
 * is mostly the kernel's work and two threads that wake each other; with 64 that is shared, and what is left is the
 * crossing. {@code gc.alloc.rate.norm} is what h2ws allocates in Java for a batch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class Crossing {
    /** How a message is taken and given. */
    public enum Data {
        /** Copies in arrays. */
        ARRAY,
        /** Direct buffers, the loop's own on the way in. */
        BUFFER
    }

    @Param({"16", "125", "1024", "16384"})
    public int size;

    @Param({"1", "64"})
    public int batch;

    @Param
    public Data data;

    private H2ws engine;
    private Peer echo;
    private Peer in;
    private Peer out;
    private ByteBuffer messages;
    private ByteBuffer one;

    @Setup(Level.Trial)
    public void start() throws IOException {
        // the largest batch fits into the queue, so no send is refused
        engine = H2ws.builder().loops(1).sendQueue(4 << 20).start();
        messages = Peer.messages(batch, size);
        one = Peer.messages(1, 1);
        echo = peer(request -> new Echo());
        in = peer(request -> new Counting());
        out = peer(request -> new Sending());
    }

    private interface Sockets {
        WebSocketListener of(Request request);
    }

    private Peer peer(Sockets sockets) throws IOException {
        Listener listener = engine.listen("127.0.0.1:0", request -> request.accept(sockets.of(request)));
        return new Peer(new InetSocketAddress("127.0.0.1", listener.port()));
    }

    @TearDown(Level.Trial)
    public void stop() throws IOException {
        echo.close();
        in.close();
        out.close();
        engine.close();
    }

    /** A batch comes and goes back. */
    @Benchmark
    public void echo() throws IOException {
        echo.exchange(messages, Peer.length(batch, size));
    }

    /** A batch comes; its last message is answered with one byte. */
    @Benchmark
    public void in() throws IOException {
        in.exchange(messages, Peer.length(1, 1));
    }

    /** One byte comes; a batch is sent for it. */
    @Benchmark
    public void out() throws IOException {
        out.exchange(one, Peer.length(batch, size));
    }

    /** Hears of messages in the way that is measured. */
    private abstract class Hearing implements WebSocketListener {
        abstract void heard(WebSocket socket, byte[] array, ByteBuffer buffer);

        @Override
        public void binary(WebSocket socket, byte[] message) {
            heard(socket, message, null);
        }

        @Override
        public void binary(WebSocket socket, ByteBuffer message) throws Exception {
            if (data == Data.BUFFER) {
                heard(socket, null, message);
            } else {
                WebSocketListener.super.binary(socket, message);
            }
        }
    }

    private final class Echo extends Hearing {
        @Override
        void heard(WebSocket socket, byte[] array, ByteBuffer buffer) {
            if (buffer != null) {
                socket.sendBinary(buffer);
            } else {
                socket.sendBinary(array);
            }
        }
    }

    private final class Counting extends Hearing {
        private final ByteBuffer answer = ByteBuffer.allocateDirect(1);
        private int heard;

        @Override
        void heard(WebSocket socket, byte[] array, ByteBuffer buffer) {
            if (++heard == batch) {
                heard = 0;
                socket.sendBinary(answer.rewind());
            }
        }
    }

    private final class Sending extends Hearing {
        private final ByteBuffer message = ByteBuffer.allocateDirect(size);
        private final byte[] copy = new byte[size];

        @Override
        void heard(WebSocket socket, byte[] array, ByteBuffer buffer) {
            for (int i = 0; i < batch; i++) {
                if (data == Data.BUFFER) {
                    socket.sendBinary(message.rewind());
                } else {
                    socket.sendBinary(copy);
                }
            }
        }
    }
}
