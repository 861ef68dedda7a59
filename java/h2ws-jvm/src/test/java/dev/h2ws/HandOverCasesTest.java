package dev.h2ws;

import static dev.h2ws.HandOverFixture.await;
import static dev.h2ws.HandOverFixture.openDescriptors;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.h2ws.internal.Native;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the JVM can do to a connection that it no longer owns, case by case (B1 to B11): its own {@code close} shuts
 * registered channels down, its options and shutdowns act on the socket and not on the descriptor, its selectors and
 * cleaners hold on. In each the peer must not notice.
 *
 * <p>{@code adopt} closes the program's object at once. Where a case needs one that stays in use,
 * {@link #takeButKeepOpen} does the hand-over without that.
 */
@Timeout(60)
class HandOverCasesTest {
    private HandOverFixture fixture;
    private Http2Peer peer;
    private SocketChannel channel;

    @BeforeEach
    void connect() throws IOException {
        fixture = new HandOverFixture();
        peer = fixture.connect();
        channel = fixture.server.accept();
    }

    @AfterEach
    void close() throws IOException {
        channel.close();
        peer.close();
        fixture.close();
        assertThat(fixture.errors).isEmpty();
    }

    /** The hand-over alone: the object stays open and can be used, wrongly. */
    private void takeButKeepOpen(Object channelOrSocket) {
        int descriptor = Native.takeOver(channelOrSocket);
        assertThat(descriptor).as(Native.lastError()).isNotNegative();
        fixture.engine.adoptDescriptor(
                descriptor, HandOverFixture::serve, ByteBuffer.allocate(0), ListenOptions.defaults());
        Native.closeFd(descriptor);
    }

    /** The end of our side must be an orderly one, not a reset. */
    private void endsInOrder() throws IOException {
        fixture.engine.close();
        peer.readFramesToEnd();
    }

    @Test
    void b1_blockingChannelThatWasNeverRegistered() throws IOException {
        fixture.adopt(channel);
        peer.greet();
        assertThat(channel.isOpen()).isFalse();
        channel.close();
        peer.ping();
        endsInOrder();
    }

    @Test
    void b2_channelThatASelectorWatchesIsRefusedAndLeftAsItWas() throws IOException {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            selector.selectNow();
            assertThatExceptionOfType(H2wsException.class)
                    .isThrownBy(() -> fixture.adopt(channel))
                    .withMessageContaining("cancel its key")
                    .withMessageContaining("selectNow")
                    .matches(e -> e.status() == Status.WRONG_STATE);
            // nothing has happened to it
            assertThat(channel.isOpen()).isTrue();
            peer.write(new byte[] {1, 2, 3});
            assertThat(selector.select()).isEqualTo(1);
            ByteBuffer got = ByteBuffer.allocate(8);
            assertThat(channel.read(got)).isEqualTo(3);
        }
    }

    @Test
    void b3_keyThatWasCancelledWithoutSelectNowIsStillWatched() throws IOException {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            selector.selectNow();
            key.cancel();
            assertThatExceptionOfType(H2wsException.class)
                    .isThrownBy(() -> fixture.adopt(channel))
                    .matches(e -> e.status() == Status.WRONG_STATE);
            selector.selectNow();
            fixture.adopt(channel);
            peer.greet();
            peer.ping();
            endsInOrder();
        }
    }

    @Test
    void b4_keyCancelledAndSelectorToldThenClosedAgain() throws IOException {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            selector.selectNow();
            channel.keyFor(selector).cancel();
            selector.selectNow();
            fixture.adopt(channel);
            peer.greet();
            channel.close();
            selector.selectNow();
            peer.ping();
            endsInOrder();
        }
    }

    @Test
    void b5_selectorThatTheChannelHasLeftSleepsThroughItsTraffic() throws Exception {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            selector.selectNow();
            key.cancel();
            selector.selectNow();
            fixture.adopt(channel);

            AtomicInteger wakeups = new AtomicInteger();
            Thread selecting = new Thread(() -> {
                try {
                    selector.select();
                    wakeups.incrementAndGet();
                } catch (IOException e) {
                    fixture.errors.add(e.toString());
                }
            });
            selecting.start();
            peer.greet();
            for (int i = 0; i < 100; i++) {
                peer.ping();
            }
            // one that still had the connection in its epoll would have come back at once, again and again
            assertThat(wakeups).hasValue(0);
            selector.wakeup();
            selecting.join();
            assertThat(wakeups).hasValue(1);
        }
    }

    @Test
    void b6_registeredWithoutInterestThenReadLingerAndClose() throws IOException {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, 0);
            selector.selectNow();
            takeButKeepOpen(channel);
            peer.greet();

            key.interestOps(SelectionKey.OP_READ);
            assertThat(selector.select()).isEqualTo(1);
            assertThat(channel.read(ByteBuffer.allocate(8))).as("the JVM sees the end").isEqualTo(-1);
            channel.close();
            selector.selectNow();
            peer.ping();
            endsInOrder();
        }
    }

    @Test
    void b6_registeredWithoutInterestByAdopt() throws IOException {
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, 0);
            selector.selectNow();
            fixture.adopt(channel);
            peer.greet();
            assertThat(key.isValid()).isFalse();
            selector.selectNow();
            peer.ping();
            endsInOrder();
        }
    }

    @Test
    void b7_configureBlockingAfterwardsDoesNotBlockTheLoop() throws IOException {
        channel.configureBlocking(false);
        takeButKeepOpen(channel);
        channel.configureBlocking(true);
        // more than the connection's buffers take while nobody reads: were it blocking now, this write would stop the
        // loop for all
        peer.write("GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".getBytes(ISO_8859_1));
        await("the large answer is on its way", () -> fixture.engine.stats().requests() == 1);
        try (Http2Peer other = fixture.connect()) {
            fixture.adopt(fixture.server.accept());
            other.greet();
            other.ping();
        }
        assertThat(peer.readToEnd()).startsWith("HTTP/1.1 200 ").hasSizeGreaterThan(HandOverFixture.LARGE);
    }

    @Test
    void b8_lingerSetAfterwardsDoesNotResetTheConnection() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Http2Peer client = new Http2Peer(listening.getLocalSocketAddress())) {
            Socket socket = listening.accept();
            takeButKeepOpen(socket);
            client.greet();
            try {
                socket.setSoLinger(true, 0);
            } catch (IOException e) {
                // a dead socket may refuse it
            }
            socket.close();
            client.ping();
            fixture.engine.close();
            client.readFramesToEnd();
        }
    }

    @Test
    void b8_lingerSetBeforeIsUndone() throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        fixture.adopt(channel);
        peer.greet();
        peer.ping();
        endsInOrder();
    }

    @Test
    void b9_shutdownAfterwardsDoesNotReachTheConnection() throws IOException {
        takeButKeepOpen(channel);
        peer.greet();
        channel.shutdownOutput();
        channel.shutdownInput();
        peer.ping();
        peer.write(Http2Peer.get(1, "/after"));
        assertThat(peer.answer(1)).isEqualTo("/after");
        endsInOrder();
    }

    @Test
    void b10_socketThatIsCollectedClosesOnlyItsOwnDescriptor() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Http2Peer client = new Http2Peer(listening.getLocalSocketAddress())) {
            WeakReference<Socket> lost = acceptAndLose(listening);
            client.greet();
            long before = openDescriptors();
            await("the lost socket is collected and its descriptor closed", () -> {
                System.gc();
                return lost.get() == null && openDescriptors() < before;
            });
            client.ping();
            fixture.engine.close();
            client.readFramesToEnd();
        }
    }

    private WeakReference<Socket> acceptAndLose(ServerSocket listening) throws IOException {
        Socket socket = listening.accept();
        takeButKeepOpen(socket);
        return new WeakReference<>(socket);
    }

    @Test
    void b11_channelThatIsCollectedLeavesNoDescriptorBehind() throws IOException {
        channel.close();
        try (Http2Peer client = fixture.connect()) {
            long before = openDescriptors();
            WeakReference<SocketChannel> lost = adoptAndLose();
            client.greet();
            await("the lost channel is collected", () -> {
                System.gc();
                return lost.get() == null;
            });
            client.ping();
            // not more than one, for the connection; the collector may have closed others
            assertThat(openDescriptors()).isLessThanOrEqualTo(before + 1);
            fixture.engine.close();
            client.readFramesToEnd();
        }
    }

    private WeakReference<SocketChannel> adoptAndLose() throws IOException {
        SocketChannel accepted = fixture.server.accept();
        fixture.adopt(accepted);
        return new WeakReference<>(accepted);
    }
}
