package dev.h2ws;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;

/** An HTTP/2 client by the byte, so that a test says which bytes are where. */
public final class Http2Peer implements Closeable {
    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int END_STREAM = 1;
    public static final int ACK = 1;
    private static final int END_HEADERS = 4;

    public record Frame(int type, int flags, int stream, byte[] payload) {
        public boolean has(int flag) {
            return (flags & flag) != 0;
        }
    }

    private final SocketChannel channel;
    private final DataInputStream in;
    private final OutputStream out;
    private long pings;

    public Http2Peer(SocketAddress server) throws IOException {
        this(SocketChannel.open(server));
    }

    public Http2Peer(SocketChannel connected) {
        channel = connected;
        in = new DataInputStream(Channels.newInputStream(connected));
        out = Channels.newOutputStream(connected);
    }

    public static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(payload.length << 8 | type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    /** What an HTTP/2 client says first. */
    public static byte[] greeting() {
        byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1);
        byte[] settings = frame(SETTINGS, 0, 0, new byte[0]);
        return ByteBuffer.allocate(preface.length + settings.length).put(preface).put(settings).array();
    }

    /** A GET, without the dynamic table of HPACK. */
    public static byte[] get(int stream, String path) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.write(0x82); // :method GET
        block.write(0x86); // :scheme http
        literal(block, 0x01, "localhost"); // :authority
        literal(block, 0x04, path); // :path
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block.toByteArray());
    }

    private static void literal(ByteArrayOutputStream block, int name, String value) {
        block.write(name);
        block.write(value.length());
        block.writeBytes(value.getBytes(ISO_8859_1));
    }

    public void write(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    public Frame read() throws IOException {
        int head = in.readInt();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = new byte[head >>> 8];
        in.readFully(payload);
        return new Frame(head & 0xff, flags, stream, payload);
    }

    /** The next frame of this type; those before it are passed over. */
    public Frame next(int type) throws IOException {
        Frame frame;
        do {
            frame = read();
        } while (frame.type() != type);
        return frame;
    }

    /** Sends the greeting and hears the server's. */
    public void greet() throws IOException {
        write(greeting());
        greeted();
    }

    public void greeted() throws IOException {
        boolean said = false;
        boolean confirmed = false;
        while (!said || !confirmed) {
            Frame frame = read();
            if (frame.type() == SETTINGS) {
                confirmed |= frame.has(ACK);
                said |= !frame.has(ACK);
            }
        }
        write(frame(SETTINGS, ACK, 0, new byte[0]));
    }

    /** There and back: the connection lives, both ways. */
    public void ping() throws IOException {
        byte[] number = ByteBuffer.allocate(8).putLong(++pings).array();
        write(frame(PING, 0, 0, number));
        Frame frame;
        do {
            frame = read();
        } while (frame.type() != PING || !frame.has(ACK) || ByteBuffer.wrap(frame.payload()).getLong() != pings);
    }

    /** The body of the answer to a GET. */
    public String answer(int stream) throws IOException {
        StringBuilder body = new StringBuilder();
        Frame frame;
        do {
            frame = read();
            if (frame.stream() == stream && frame.type() == DATA) {
                body.append(new String(frame.payload(), ISO_8859_1));
            }
        } while (frame.stream() != stream || !frame.has(END_STREAM) || frame.type() > HEADERS);
        return body.toString();
    }

    /** All that is left, as text; throws if the end is a reset. */
    public String readToEnd() throws IOException {
        return new String(in.readAllBytes(), ISO_8859_1);
    }

    /** Frames until the connection ends; throws if the end is a reset. */
    public void readFramesToEnd() throws IOException {
        try {
            while (true) {
                read();
            }
        } catch (EOFException end) {
            // as it should
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
