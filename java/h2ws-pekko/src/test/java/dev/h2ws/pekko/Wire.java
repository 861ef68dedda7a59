package dev.h2ws.pekko;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client that says exactly what the test says, frame by frame. What it hears, as texts: {@code text hello},
 * {@code close 1000}, {@code part ..} for a frame without FIN, {@code end} for FIN or END_STREAM, {@code reset}.
 */
public abstract class Wire implements AutoCloseable {
    public static final int CONTINUATION = 0;
    public static final int TEXT = 1;
    public static final int BINARY = 2;
    public static final int CLOSE = 8;
    public static final int PING = 9;

    public final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    /** Of the answer to the handshake: {@code :status} and the fields. */
    public Map<String, String> head = Map.of();

    private static final Pattern BYTES = Pattern.compile("(\\d+) bytes$");

    private boolean paused;
    private Runnable waiting;
    private byte[] unread = {};

    /** Bytes of frames; at the end FIN or END_STREAM with them. */
    public abstract void send(byte[] bytes, boolean end) throws Exception;

    /** TCP's RST, or RST_STREAM(CANCEL). */
    public abstract void reset() throws Exception;

    public abstract boolean isAccepted();

    public final void frame(int opcode, boolean fin, byte[] payload) throws Exception {
        send(encode(opcode, fin, payload), false);
    }

    public final void text(String text) throws Exception {
        frame(TEXT, true, text.getBytes(StandardCharsets.UTF_8));
    }

    public final void close(int code, String reason) throws Exception {
        frame(CLOSE, true, closing(code, reason));
    }

    static byte[] closing(int code, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 + text.length).putShort((short) code).put(text).array();
    }

    public final void end() throws Exception {
        send(new byte[0], true);
    }

    /** From now on the client does not read what comes. */
    public final synchronized void pause() {
        paused = true;
    }

    public final void resume() {
        Runnable read;
        synchronized (this) {
            paused = false;
            read = waiting;
            waiting = null;
        }
        if (read != null) {
            read.run();
        }
    }

    /** Reads now, or when the client goes on. */
    final void whenReading(Runnable read) {
        synchronized (this) {
            if (paused) {
                waiting = read;
                return;
            }
        }
        read.run();
    }

    /** Lengths of whole messages, however many frames each is in. */
    public final List<Integer> readMessages(int count) throws InterruptedException {
        List<Integer> lengths = new ArrayList<>();
        for (int length = 0; lengths.size() < count; ) {
            String next = next();
            if (!next.matches("(part )?(binary|more).*")) {
                throw new AssertionError(next + " after messages of " + lengths + " bytes and " + length);
            }
            Matcher bytes = BYTES.matcher(next);
            length += bytes.find()
                    ? Integer.parseInt(bytes.group(1))
                    : next.replaceFirst("(part )?(binary|more) ?", "").length();
            if (!next.startsWith("part")) {
                lengths.add(length);
                length = 0;
            }
        }
        return lengths;
    }

    /** What it hears next; Pings of the server are left out. */
    public final String next() throws InterruptedException {
        String next = heard.poll(10, TimeUnit.SECONDS);
        return next == null ? "nothing in 10 s" : next;
    }

    static byte[] encode(int opcode, boolean fin, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(payload.length + 14);
        frame.put((byte) ((fin ? 0x80 : 0) | opcode));
        if (payload.length < 126) {
            frame.put((byte) (0x80 | payload.length));
        } else if (payload.length < 65536) {
            frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(payload.length);
        }
        byte[] mask = {1, 2, 3, 4};
        frame.put(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ mask[i % 4]));
        }
        byte[] bytes = new byte[frame.position()];
        frame.flip().get(bytes);
        return bytes;
    }

    /** Bytes from the server, of which whole frames are told. */
    final void received(byte[] more) {
        byte[] all = ByteBuffer.allocate(unread.length + more.length).put(unread).put(more).array();
        ByteBuffer in = ByteBuffer.wrap(all);
        while (in.hasRemaining()) {
            in.mark();
            if (!frame(in)) {
                in.reset();
                break;
            }
        }
        unread = new byte[in.remaining()];
        in.get(unread);
    }

    private boolean frame(ByteBuffer in) {
        if (in.remaining() < 2) {
            return false;
        }
        int first = in.get() & 0xff;
        long length = in.get() & 0x7f;
        if (length == 126) {
            if (in.remaining() < 2) {
                return false;
            }
            length = in.getShort() & 0xffff;
        } else if (length == 127) {
            if (in.remaining() < 8) {
                return false;
            }
            length = in.getLong();
        }
        if (in.remaining() < length) {
            return false;
        }
        byte[] payload = new byte[(int) length];
        in.get(payload);
        String text = payload.length > 200 ? payload.length + " bytes" : new String(payload, StandardCharsets.UTF_8);
        String part = first >> 7 == 0 ? "part " : "";
        switch (first & 15) {
            case CONTINUATION -> heard.add((part + "more " + text).trim());
            case TEXT -> heard.add((part + "text " + text).trim());
            case BINARY -> heard.add((part + "binary " + text).trim());
            case CLOSE -> heard.add(payload.length == 0
                    ? "close"
                    : ("close " + (ByteBuffer.wrap(payload).getShort() & 0xffff) + " "
                                    + new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8))
                            .trim());
            case PING -> heard.add(("ping " + text).trim());
            default -> heard.add(("pong " + text).trim());
        }
        return true;
    }
}
