package dev.h2ws;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * permessage-deflate (RFC 7692): what is agreed to when a client offers it. Immutable:
 * {@code Deflate.defaults().level(6)}.
 */
public final class Deflate {
    private static final Deflate DEFAULTS = new Deflate(Map.of("deflate", 1L));

    final Map<String, Long> fields;

    private Deflate(Map<String, Long> fields) {
        this.fields = fields;
    }

    /**
     * Level 1, windows of 32 KiB, no context takeover.
     *
     * @return the defaults
     */
    public static Deflate defaults() {
        return DEFAULTS;
    }

    /**
     * How hard messages are compressed.
     *
     * @param level 1 is fastest, 9 searches longest; default 1
     * @return new settings
     */
    public Deflate level(int level) {
        return with("deflate_level", level);
    }

    /**
     * The window of what is sent (RFC 7692 section 7.1.2.1).
     *
     * @param bits its size as a power of 2: 9 to 15; default 15
     * @return new settings
     */
    public Deflate serverWindowBits(int bits) {
        return with("deflate_server_window_bits", bits);
    }

    /**
     * The window that a client may use, if it lets the server choose (RFC 7692 section 7.1.2.2).
     *
     * @param bits its size as a power of 2: 9 to 15; default 15
     * @return new settings
     */
    public Deflate clientWindowBits(int bits) {
        return with("deflate_client_window_bits", bits);
    }

    /**
     * A message shorter than this is sent uncompressed.
     *
     * @param bytes the size; default 256
     * @return new settings
     */
    public Deflate minSize(int bytes) {
        return with("deflate_min_size", bytes);
    }

    /**
     * What the contexts that sockets keep for themselves may take, all together. A socket beyond it keeps none.
     *
     * @param bytes the size; default 256 MiB
     * @return new settings
     */
    public Deflate memory(long bytes) {
        return with("deflate_memory", bytes);
    }

    /**
     * A message that inflates to more than this times what came, and to more than 1 MiB, is refused.
     *
     * @param ratio the ratio; default 1000
     * @return new settings
     */
    public Deflate ratio(int ratio) {
        return with("deflate_ratio", ratio);
    }

    /**
     * What is sent is compressed with the messages before it as context (RFC 7692 section 7.1.1.1), at up to 384 KiB
     * for each socket.
     *
     * @return new settings
     */
    public Deflate serverTakeover() {
        return with("deflate_server_takeover", 1);
    }

    /**
     * Clients may do so (RFC 7692 section 7.1.1.2), at up to 48 KiB for each socket.
     *
     * @return new settings
     */
    public Deflate clientTakeover() {
        return with("deflate_client_takeover", 1);
    }

    private Deflate with(String field, long value) {
        Map<String, Long> more = new LinkedHashMap<>(fields);
        more.put(field, value);
        return new Deflate(Collections.unmodifiableMap(more));
    }
}
