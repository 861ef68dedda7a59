package dev.h2ws.pekko.internal;

import dev.h2ws.Closed;
import dev.h2ws.Closed.Cause;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.impl.engine.ws.ProtocolException;
import org.apache.pekko.http.scaladsl.model.http2.PeerClosedStreamException;
import org.apache.pekko.http.scaladsl.model.ws.PeerClosedConnectionException;
import org.apache.pekko.stream.StreamTcpException;

/** How an end is told to the user's streams: by the exceptions of Pekko's own engines. */
final class Failures {
    private static final int PROTOCOL_ERROR = 1002;

    /** Names of RFC 9113 section 7, as Pekko spells them ({@code Http2Protocol.scala}). */
    private static final String[] H2_CODES = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED"
    };

    private Failures() {}

    /** Whether what the peer sends completes; END_STREAM is what FIN is for stock (RFC 8441 section 5). */
    static boolean isOrderly(Closed how, boolean closeSent) {
        return switch (how.cause()) {
            case COMPLETE, CLOSE_FRAME, END_STREAM, DRAIN -> true;
            // our Close was not answered in time
            case TIMEOUT -> closeSent;
            default -> false;
        };
    }

    /** What a socket's flow is told. */
    static Throwable ofSocket(Closed how, int stream) {
        return how.cause() == Cause.VIOLATION ? violation(how.reason()) : of(how, stream);
    }

    static Throwable violation(String what) {
        return what.startsWith("close ")
                ? new PeerClosedConnectionException(PROTOCOL_ERROR, "Peer sent illegal close frame (" + what + ").")
                : new ProtocolException(what);
    }

    /** @param stream the number that the request has as {@code x-http2-stream-id} */
    static Throwable of(Closed how, int stream) {
        return switch (how.cause()) {
            case RESET -> new PeerClosedStreamException(stream, h2Code(how.h2Code()), (int) how.h2Code());
            case TIMEOUT -> new TimeoutException(how.reason());
            default -> new StreamTcpException("The connection closed with error: "
                    + (how.reason().isEmpty() ? how.cause() : how.reason()));
        };
    }

    static Throwable truncated() {
        return new ProtocolException("Truncated message, peer closed connection in the middle of message.");
    }

    private static String h2Code(long code) {
        return code >= 0 && code < H2_CODES.length ? H2_CODES[(int) code] : "Unknown error code 0x" + Long.toHexString(code);
    }
}
