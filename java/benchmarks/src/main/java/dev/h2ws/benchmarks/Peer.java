package dev.h2ws.benchmarks;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A WebSocket client over HTTP/1.1 that does as little as one can: what it sends is made before, what it gets is
 * counted. It allocates nothing while it is measured, so that all that is allocated is the server's.
 */
final class Peer implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(256 << 10);

    Peer(SocketAddress address) throws IOException {
        channel = SocketChannel.open(address);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.write(StandardCharsets.US_ASCII.encode("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        String head = "";
        while (!head.contains("\r\n\r\n")) {
            in.clear().limit(1);
            if (channel.read(in) < 0) {
                throw new EOFException(head);
            }
            head += (char) in.get(0);
        }
        if (!head.startsWith("HTTP/1.1 101 ")) {
            throw new IOException(head);
        }
    }

    /** So many binary messages, each as a frame with a mask, one after another. */
    static ByteBuffer messages(int count, int size) {
        ByteBuffer all = ByteBuffer.allocateDirect(count * (size + 14));
        for (int i = 0; i < count; i++) {
            all.put((byte) 0x82);
            if (size < 126) {
                all.put((byte) (0x80 | size));
            } else {
                all.put((byte) (0x80 | 126)).putShort((short) size);
            }
            all.putInt(0x01020304);
            for (int j = 0; j < size; j++) {
                all.put((byte) j);
            }
        }
        return all.flip();
    }

    /** How long so many messages of the server are. */
    static int length(int count, int size) {
        return count * (size + (size < 126 ? 2 : 4));
    }

    /** Sends all, then reads so many bytes. The server's queue has to have room for what it answers meanwhile. */
    void exchange(ByteBuffer messages, int answer) throws IOException {
        messages.rewind();
        while (messages.hasRemaining()) {
            channel.write(messages);
        }
        for (int left = answer; left > 0; ) {
            left -= read(left);
        }
    }

    private int read(int most) throws IOException {
        in.clear().limit(Math.min(most, in.capacity()));
        int got = channel.read(in);
        if (got < 0) {
            throw new EOFException("the server has closed");
        }
        return got;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
