package dev.h2ws;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/** What an {@link SSLEngine} encrypts, on its way into a duplex. Not for several threads: {@link TlsDuplex} has the lock. */
final class TlsOutput {
    static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine ssl;
    private final Duplex cipher;
    /** What was encrypted and found no room. */
    private ByteBuffer rest = NOTHING;

    TlsOutput(SSLEngine ssl, Duplex cipher) {
        this.ssl = ssl;
        this.cipher = cipher;
    }

    /** Encrypts and sends. How many bytes of {@code from} were taken; -1: what was encrypted before waits for room. */
    int wrap(ByteBuffer from) throws SSLException {
        if (!flush()) {
            return -1;
        }
        ByteBuffer packets = Buffers.HEAP.take();
        int begin = from.position();
        try {
            do {
                SSLEngineResult result = ssl.wrap(from, packets);
                if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                    send(packets);
                    if (waits()) {
                        break;
                    }
                    continue;
                }
                if (result.getStatus() == Status.CLOSED
                        || result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
                    break;
                }
            } while (from.hasRemaining() || ssl.getHandshakeStatus() == HandshakeStatus.NEED_WRAP);
            send(packets);
            return from.position() - begin;
        } finally {
            Buffers.HEAP.give(packets);
        }
    }

    private void send(ByteBuffer packets) {
        packets.flip();
        if (packets.hasRemaining() && cipher.write(packets) < 0) {
            packets.position(packets.limit());
        }
        if (packets.hasRemaining()) {
            rest = ByteBuffer.allocate(packets.remaining()).put(packets).flip();
        }
        packets.clear();
    }

    /** False: there is still no room. */
    boolean flush() {
        if (rest.hasRemaining() && cipher.write(rest) < 0) {
            rest = NOTHING;
        }
        if (rest.hasRemaining()) {
            return false;
        }
        rest = NOTHING;
        return true;
    }

    /** Something was encrypted and found no room. */
    boolean waits() {
        return rest.hasRemaining();
    }
}
