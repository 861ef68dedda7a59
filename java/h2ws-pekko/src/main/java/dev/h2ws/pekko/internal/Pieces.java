package dev.h2ws.pekko.internal;

import dev.h2ws.SendResult;
import dev.h2ws.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.util.ByteString;
import scala.collection.Iterator;

/**
 * Messages that lie in several arrays, as a flow makes them of what came in parts: they are sent from there, and no array is made
 * that holds all of a large one.
 */
final class Pieces {
    /** A shorter message is sooner put together than looked at in pieces. */
    private static final int LARGE = 16 << 10;

    private Pieces() {}

    static SendResult send(WebSocket socket, boolean text, ByteString data) {
        if (data.length() >= LARGE && data instanceof ByteString.ByteStrings several) {
            List<ByteBuffer> pieces = of(several);
            return text ? socket.sendText(pieces) : socket.sendBinary(pieces);
        }
        byte[] bytes = data.toArrayUnsafe();
        return text ? socket.sendText(bytes) : socket.sendBinary(bytes);
    }

    /** {@code asByteBuffers} gives buffers that do not show their arrays. */
    private static List<ByteBuffer> of(ByteString.ByteStrings data) {
        List<ByteBuffer> pieces = new ArrayList<>(data.bytestrings().size());
        for (Iterator<ByteString.ByteString1> each = data.bytestrings().iterator(); each.hasNext(); ) {
            pieces.add(ByteBuffer.wrap(each.next().toArrayUnsafe()));
        }
        return pieces;
    }
}
