package dev.h2ws.internal;

import dev.h2ws.internal.RequestHead.TlsHead;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * Reads the records that a poll wrote, one after another. The native side says where the fields of a head are, so the
 * numbers are not repeated here. Everything that a record says of its sizes is checked: what does not fit is a
 * {@link MalformedRecordException}, never a read outside the record.
 *
 * <p>Not for several threads. What it returns is copied, but for {@link #view}: the buffer is free for the
 * next poll.
 */
final class RecordReader {
    static final int REQUEST = 1;
    static final int BODY = 2;
    static final int MESSAGE = 3;
    static final int FRAGMENT = 4;
    static final int CONTROL = 5;
    static final int WRITABLE = 6;
    static final int CLOSED = 7;
    static final int LOG = 8;
    static final int FALLBACK = 9;
    static final int DISCONNECTED = 10;
    static final int DUPLEX = 11;

    private static final int FLAG_WEBSOCKET = 1;
    private static final int FLAG_END = 2;
    private static final int FLAG_TLS = 4;
    private static final byte[] NO_BYTES = {};

    private final int atPayload;
    private final int atLength;
    private final int atType;
    private final int atFlags;
    private final int atCode;
    private final int atStream;
    private final int atContext;
    private final int atSize;
    private final int atNumber;

    private ByteBuffer filled;
    private ByteBuffer buffer;
    private ByteBuffer view;
    private int limit;
    private int next;
    private int record;
    private int position;
    private int end;

    /** @param layout what {@link Native#layout()} says */
    RecordReader(int[] layout) {
        if (layout.length != 9) {
            throw new MalformedRecordException("a layout of " + layout.length + " numbers instead of 9");
        }
        atPayload = layout[0];
        atLength = layout[1];
        atType = layout[2];
        atFlags = layout[3];
        atCode = layout[4];
        atStream = layout[5];
        atContext = layout[6];
        atSize = layout[7];
        atNumber = layout[8];
    }

    /** Begins with the first {@code length} bytes of {@code filled}. */
    void read(ByteBuffer filled, int length) {
        if (filled != this.filled) {
            this.filled = filled;
            buffer = filled.duplicate().order(ByteOrder.LITTLE_ENDIAN).clear();
            view = filled.asReadOnlyBuffer();
        }
        if (length > buffer.limit()) {
            throw new MalformedRecordException(length + " bytes of records in a buffer of " + buffer.limit());
        }
        limit = length;
        next = 0;
    }

    /** Goes to the next record; false: there is none. */
    boolean next() {
        if (next == limit) {
            return false;
        }
        record = next;
        int left = limit - record;
        int length = left < atPayload ? -1 : buffer.getInt(record + atLength);
        if (length < atPayload || length > left) {
            throw new MalformedRecordException(
                    "a record of " + length + " bytes at " + record + " where " + left + " are left");
        }
        // from here on the record can be left out, whatever else is wrong with it
        next = record + length;
        position = record + atPayload;
        int size = buffer.getInt(record + atSize);
        if (size < 0 || size > length - atPayload) {
            end = position;
            throw new MalformedRecordException("a payload of " + size + " bytes in a record of " + length);
        }
        end = position + size;
        return true;
    }

    int type() {
        return buffer.get(record + atType) & 0xff;
    }

    int flags() {
        return buffer.get(record + atFlags) & 0xff;
    }

    boolean flag(int bit) {
        return (flags() & bit) != 0;
    }

    int code() {
        return buffer.getShort(record + atCode) & 0xffff;
    }

    long stream() {
        return buffer.getLong(record + atStream);
    }

    long context() {
        return buffer.getLong(record + atContext);
    }

    int number() {
        return buffer.getInt(record + atNumber);
    }

    /** The next byte of the payload. */
    int u8() {
        return buffer.get(advance(1)) & 0xff;
    }

    /** What is left of the payload. */
    byte[] rest() {
        return bytes(end - position);
    }

    /** What is left of the payload, where it is: until the next call of this or of {@link #read}. */
    ByteBuffer view() {
        int length = end - position;
        int at = advance(length);
        return view.limit(at + length).position(at);
    }

    /** What is left of the payload, as UTF-8. */
    String text() {
        return string(end - position, StandardCharsets.UTF_8);
    }

    /** The next {@code length} bytes of the payload. */
    byte[] bytes(int length) {
        int at = advance(length);
        if (length == 0) {
            return NO_BYTES;
        }
        byte[] bytes = new byte[length];
        buffer.get(at, bytes);
        return bytes;
    }

    /** The count of fields that stands in the payload, then so many fields. */
    String[] trailers() {
        return fields(count(8));
    }

    /** The head of a request; the record is one. */
    RequestHead request() {
        long connection = buffer.getLong(advance(8));
        long listener = buffer.getLong(advance(8));
        int h2Stream = u32();
        String method = string();
        String scheme = string();
        String authority = string();
        String path = string();
        String peer = string();
        String[] headers = fields(checkedCount(number(), 8));
        String[] subprotocols = new String[count(4)];
        for (int i = 0; i < subprotocols.length; i++) {
            subprotocols[i] = string();
        }
        return new RequestHead(
                stream(),
                context(),
                connection,
                listener,
                h2Stream,
                flag(FLAG_WEBSOCKET),
                flag(FLAG_END),
                code(),
                method,
                scheme,
                authority,
                path,
                peer,
                headers,
                subprotocols,
                flag(FLAG_TLS) ? tls() : null);
    }

    /** Gives the connection that a record of that type tells of to {@code events}. */
    void fallback(EngineEvents events) {
        long listener = buffer.getLong(advance(8));
        String peer = string();
        events.fallback(stream(), listener, peer, flag(FLAG_TLS) ? tls() : null);
    }

    private TlsHead tls() {
        String version = string();
        String cipher = string();
        String serverName = string();
        String alpn = string();
        boolean resumed = u8() != 0;
        byte[][] certificates = new byte[count(4)][];
        for (int i = 0; i < certificates.length; i++) {
            certificates[i] = bytes(u32());
        }
        return new TlsHead(version, cipher, serverName, alpn, resumed, certificates);
    }

    private String[] fields(int count) {
        String[] fields = new String[2 * count];
        for (int i = 0; i < fields.length; i++) {
            fields[i] = string();
        }
        return fields;
    }

    /** A text with its length in front. Fields are bytes (RFC 9110 section 5.5), so none is lost or replaced. */
    private String string() {
        return string(u32(), StandardCharsets.ISO_8859_1);
    }

    private String string(int length, Charset charset) {
        return length == 0 ? "" : new String(bytes(length), charset);
    }

    private int u32() {
        int value = buffer.getInt(advance(4));
        if (value < 0) {
            throw new MalformedRecordException("a length of " + Integer.toUnsignedString(value));
        }
        return value;
    }

    private int count(int least) {
        return checkedCount(u32(), least);
    }

    /** A count of things of at least {@code least} bytes: no array is made that the payload could not fill. */
    private int checkedCount(int count, int least) {
        if (count < 0 || (long) count * least > end - position) {
            throw new MalformedRecordException(
                    "a count of " + Integer.toUnsignedString(count) + " where " + (end - position) + " bytes are left");
        }
        return count;
    }

    private int advance(int bytes) {
        if (bytes < 0 || bytes > end - position) {
            throw new MalformedRecordException(
                    bytes + " bytes wanted of a record of type " + type() + " where " + (end - position) + " are left");
        }
        int at = position;
        position += bytes;
        return at;
    }
}
