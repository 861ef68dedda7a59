package dev.h2ws.pekko.internal;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Text in parts, either way: a part from the network may end inside a character, a string of a stream inside a
 * surrogate pair. What is cut off waits for the next part.
 */
final class Utf8Parts {
    private static final byte[] NOTHING = {};

    private CharsetDecoder decoder;
    private byte[] rest = NOTHING;
    private char high;

    /** The characters that are complete with this part; h2ws has checked that the whole is UTF-8. */
    String decode(byte[] part) {
        if (decoder == null) {
            decoder = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE);
        }
        ByteBuffer bytes = ByteBuffer.allocate(rest.length + part.length).put(rest).put(part).flip();
        CharBuffer chars = CharBuffer.allocate(bytes.remaining());
        decoder.reset();
        decoder.decode(bytes, chars, false);
        rest = bytes.hasRemaining() ? new byte[bytes.remaining()] : NOTHING;
        bytes.get(rest);
        return chars.flip().toString();
    }

    /** The bytes of this string; half a surrogate pair at its end goes with the next one. */
    byte[] encode(String part) {
        String text = high == 0 ? part : high + part;
        high = 0;
        int end = text.length();
        if (end > 0 && Character.isHighSurrogate(text.charAt(end - 1))) {
            end--;
            high = text.charAt(end);
        }
        return text.substring(0, end).getBytes(StandardCharsets.UTF_8);
    }
}
