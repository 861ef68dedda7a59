package chat;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.apache.pekko.util.ByteString;

/** A file as it comes in. Nothing of it is kept but its size and digest. */
public final class Upload {
    /** A larger one is refused. */
    public static final long MAX_BYTES = 1 << 20;

    private static final Pattern FILE = Pattern.compile("[^\\p{Cntrl}]{1,100}");

    /** What its sender is told. */
    public record Received(String file, long bytes, String sha256) {}

    private final MessageDigest sha256;
    private long bytes;

    public Upload() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public static boolean isFileName(String text) {
        return FILE.matcher(text).matches();
    }

    public Upload add(ByteString chunk) {
        sha256.update(chunk.asByteBuffer());
        bytes += chunk.size();
        return this;
    }

    /** What its room is told. */
    public String shown(String file) {
        return file + " (" + bytes + " bytes)";
    }

    /** To be asked once: the digest begins anew. */
    public Received received(String file) {
        return new Received(file, bytes, HexFormat.of().formatHex(sha256.digest()));
    }
}
