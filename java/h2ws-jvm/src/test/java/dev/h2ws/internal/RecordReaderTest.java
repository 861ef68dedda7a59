package dev.h2ws.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecordReaderTest {
    private static final int[] LAYOUT = {32, 0, 4, 5, 6, 8, 16, 24, 28};

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(4096).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer payload = ByteBuffer.allocate(2048).order(ByteOrder.LITTLE_ENDIAN);
    private final RecordReader reader = new RecordReader(LAYOUT);

    /** Writes a record with the payload that was put. */
    private void record(int type, int flags, int code, int number) {
        payload.flip();
        int size = payload.remaining();
        int length = (32 + size + 7) & ~7;
        int at = buffer.position();
        buffer.putInt(length).put((byte) type).put((byte) flags).putShort((short) code);
        buffer.putLong(0x8000_0000_0000_0001L).putLong(3).putInt(size).putInt(number);
        buffer.put(payload).position(at + length);
        payload.clear();
    }

    private void string(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        payload.putInt(bytes.length).put(bytes);
    }

    private void strings(String... texts) {
        for (String text : texts) {
            string(text);
        }
    }

    private void request() {
        payload.putLong(77).putLong(5).putInt(9);
        strings("GET", "https", "a.example", "/p?q", "[::1]:4711");
        strings("x", "1", "y", "\u00ff");
        payload.putInt(2);
        strings("chat", "echo");
        strings("TLSv1.3", "TLS13_AES_128_GCM_SHA256", "a.example", "h2");
        payload.put((byte) 1).putInt(1);
        string("DER");
        record(RecordReader.REQUEST, 1 | 2 | 4, 20, 2);
    }

    private void read() {
        reader.read(buffer, buffer.position());
    }

    @Test
    void recordsOneAfterAnother() {
        payload.put("grüße".getBytes(UTF_8));
        record(RecordReader.MESSAGE, 1, 0, 0);
        record(RecordReader.WRITABLE, 0, 0, 0);
        payload.put((byte) 6).put("late".getBytes(UTF_8));
        record(RecordReader.CLOSED, 3, 0xffff, -1);
        read();
        assertThat(reader.next()).isTrue();
        assertThat(reader.type()).isEqualTo(RecordReader.MESSAGE);
        assertThat(reader.stream()).isEqualTo(0x8000_0000_0000_0001L);
        assertThat(reader.context()).isEqualTo(3);
        assertThat(reader.text()).isEqualTo("grüße");
        assertThat(reader.next()).isTrue();
        assertThat(reader.rest()).isEmpty();
        assertThat(reader.next()).isTrue();
        assertThat(reader.flag(2)).isTrue();
        assertThat(reader.code()).isEqualTo(65535);
        assertThat(reader.u8()).isEqualTo(6);
        assertThat(reader.text()).isEqualTo("late");
        assertThat(reader.next()).isFalse();
    }

    @Test
    void aRequestWithAllThatItCanHave() {
        request();
        read();
        assertThat(reader.next()).isTrue();
        RequestHead head = reader.request();
        assertThat(head.connection()).isEqualTo(77);
        assertThat(head.listener()).isEqualTo(5);
        assertThat(head.h2Stream()).isEqualTo(9);
        assertThat(head.webSocket()).isTrue();
        assertThat(head.end()).isTrue();
        assertThat(head.version()).isEqualTo(20);
        assertThat(head.method() + head.scheme() + head.authority() + head.path() + head.peer())
                .isEqualTo("GEThttpsa.example/p?q[::1]:4711");
        assertThat(head.headers()).containsExactly("x", "1", "y", "\u00ff");
        assertThat(head.subprotocols()).containsExactly("chat", "echo");
        assertThat(head.tls().alpn()).isEqualTo("h2");
        assertThat(head.tls().resumed()).isTrue();
        assertThat(head.tls().certificates()).hasDimensions(1, 3);
    }

    @Test
    void aBodyWithTrailers() {
        payload.put(new byte[5]).putInt(1);
        strings("t", "v");
        record(RecordReader.BODY, 3, 0, 5);
        read();
        reader.next();
        assertThat(reader.bytes(reader.number())).hasSize(5);
        assertThat(reader.trailers()).containsExactly("t", "v");
    }

    @Test
    void lengthsThatCannotBe() {
        for (int length : new int[] {0, 31, -1, 41, Integer.MAX_VALUE}) {
            buffer.clear();
            record(RecordReader.WRITABLE, 0, 0, 0);
            buffer.putInt(0, length);
            read();
            assertThatThrownBy(reader::next).isInstanceOf(MalformedRecordException.class);
        }
        assertThatThrownBy(() -> reader.read(buffer, 4097)).isInstanceOf(MalformedRecordException.class);
    }

    @Test
    void aPayloadLargerThanItsRecordIsLeftOutAndTheNextIsRead() {
        payload.put(new byte[3]);
        record(RecordReader.MESSAGE, 0, 0, 0);
        record(RecordReader.WRITABLE, 0, 0, 0);
        buffer.putInt(24, 9);
        read();
        assertThatThrownBy(reader::next).isInstanceOf(MalformedRecordException.class);
        assertThat(reader.next()).isTrue();
        assertThat(reader.type()).isEqualTo(RecordReader.WRITABLE);
    }

    @Test
    void aRequestCutAnywhereIsMalformed() {
        request();
        int size = buffer.getInt(24);
        for (int cut = 0; cut < size; cut++) {
            buffer.putInt(24, cut);
            read();
            reader.next();
            assertThatThrownBy(reader::request).isInstanceOf(MalformedRecordException.class);
        }
    }

    @Test
    void aRequestWithAnyBytesIsReadOrMalformed() {
        request();
        int size = buffer.getInt(24);
        Random random = new Random(1);
        for (int round = 0; round < 100_000; round++) {
            int at = random.nextInt(size);
            byte was = buffer.get(32 + at);
            buffer.put(32 + at, (byte) random.nextInt());
            read();
            reader.next();
            try {
                reader.request();
            } catch (MalformedRecordException e) {
                assertThat(e).hasMessageMatching(".+");
            }
            buffer.put(32 + at, was);
        }
    }
}
