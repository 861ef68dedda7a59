package dev.h2ws.peers;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A client of somebody else, as far as the tests need it. It has one HTTP/2 connection. */
interface Peer {
    /** How long anything may take before a test fails. */
    long SECONDS = 30;

    /** Opens a WebSocket, and waits until it is open. */
    Socket connect(String path, String... subprotocols) throws Exception;

    /** Tries to open one that is refused. */
    Refusal refused(String path) throws Exception;

    /** Sends an ordinary request, and waits for the body of its answer, which must be 200 over HTTP/2. */
    byte[] post(String path, byte[] body) throws Exception;

    void close() throws Exception;

    /** The answer to a handshake that was refused, as the client tells it; a body that it does not tell is null. */
    record Refusal(int status, String body) {}

    /** What a client heard on a socket. */
    record Heard(Kind kind, int code, String text, byte[] data) {
        enum Kind {
            TEXT,
            BINARY,
            PONG,
            CLOSE,
            ERROR
        }

        static Heard text(String text) {
            return new Heard(Kind.TEXT, 0, text, null);
        }

        static Heard binary(byte[] data) {
            return new Heard(Kind.BINARY, 0, null, data);
        }

        static Heard pong(byte[] data) {
            return new Heard(Kind.PONG, 0, null, data);
        }

        static Heard close(int code, String reason) {
            return new Heard(Kind.CLOSE, code, reason, null);
        }

        static Heard error(Throwable error) {
            return new Heard(Kind.ERROR, 0, error.toString(), null);
        }
    }

    /** A WebSocket of a client. */
    abstract class Socket {
        final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();

        /** The next thing that it heard. */
        Heard next() throws InterruptedException {
            Heard next = heard.poll(SECONDS, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("the client heard nothing in " + SECONDS + " s");
            }
            return next;
        }

        abstract String subprotocol();

        abstract void text(String text) throws Exception;

        abstract void binary(byte[] data) throws Exception;

        abstract void ping(byte[] data) throws Exception;

        abstract void close(int code, String reason) throws Exception;
    }
}
