package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Binary messages as buffers of the loop's. */
class BufferTest extends EngineTest {
    /** Says what it got, then sends it back. */
    private static final class Echo implements WebSocketListener {
        @Override
        public void binary(WebSocket socket, ByteBuffer data) {
            socket.sendText((data.hasArray() ? "own " : "borrowed ") + data.remaining() + " " + data.hashCode());
            socket.sendBinary(data);
        }
    }

    private void allSizes(Executor executor, String kind) throws Exception {
        H2wsBuilder builder = builder();
        if (executor != null) {
            builder.executor(executor);
        }
        Client client = Client.connect(serve(builder, request -> request.accept(new Echo())), "/echo");
        Random random = new Random(7);
        for (int size : new int[] {0, 1, 16, 125, 126, 1024, 65_536, 524_257, 3_000_000, 5}) {
            byte[] message = new byte[size];
            random.nextBytes(message);
            client.socket.sendBinary(ByteBuffer.wrap(message), true).join();
            assertThat(client.next())
                    .isEqualTo("text " + kind + " " + size + " "
                            + ByteBuffer.wrap(message).hashCode());
            assertThat(client.next()).isEqualTo("binary " + size);
        }
    }

    @Test
    void onTheLoopItIsTheLoopsOwnMemory() throws Exception {
        allSizes(null, "borrowed");
    }

    @Test
    void onAnExecutorItIsACopy() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            allSizes(executor, "own");
        } finally {
            executor.shutdown();
        }
    }

    private static final class SilentEcho implements WebSocketListener {
        @Override
        public void binary(WebSocket socket, ByteBuffer data) {
            socket.sendBinary(data);
        }
    }

    @Test
    void anEchoAllocatesNothing() throws Exception {
        Client client =
                Client.connect(serve(builder().loops(1), request -> request.accept(new SilentEcho())), "/echo");
        echo(client, 100);
        long loop = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("h2ws-loop-0"))
                .findFirst()
                .orElseThrow()
                .getId();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getThreadAllocatedBytes(loop);
        echo(client, 2000);
        assertThat(threads.getThreadAllocatedBytes(loop) - before)
                .as("bytes for 2,000 messages; less than one each is none")
                .isLessThan(2000);
    }

    private static void echo(Client client, int messages) throws Exception {
        ByteBuffer message = ByteBuffer.allocate(1000);
        for (int i = 0; i < messages; i++) {
            client.socket.sendBinary(message.rewind(), true).join();
            assertThat(client.next()).isEqualTo("binary 1000");
        }
    }

    @Test
    void itCannotBeWritten() throws Exception {
        Client client = Client.connect(
                serve(request -> request.accept(new WebSocketListener() {
                    @Override
                    public void binary(WebSocket socket, ByteBuffer data) {
                        socket.sendText(data.isReadOnly() + " " + data.isDirect());
                    }
                })),
                "/");
        client.socket.sendBinary(ByteBuffer.wrap(new byte[9]), true).join();
        assertThat(client.next()).isEqualTo("text true true");
    }

    @Test
    void anExceptionOutOfItClosesTheSocket() throws Exception {
        Client client = Client.connect(
                serve(request -> request.accept(new WebSocketListener() {
                    @Override
                    public void binary(WebSocket socket, ByteBuffer data) {
                        throw new IllegalStateException("on purpose");
                    }

                    @Override
                    public void closed(WebSocket socket, Closed how) {
                        closed.add(how);
                    }
                })),
                "/");
        client.socket.sendBinary(ByteBuffer.wrap(new byte[9]), true).join();
        assertThat(client.next()).startsWith("close 1011");
        assertThat(closed().side()).isEqualTo(Closed.Side.LOCAL);
        assertThat(logged).anyMatch(line -> line.contains("on purpose"));
    }
}
