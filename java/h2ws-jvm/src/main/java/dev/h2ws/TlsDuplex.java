package dev.h2ws;

import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/**
 * The clear side of TLS that an {@link SSLEngine} speaks over another duplex. Whoever has something to do does it, under one lock:
 * the loop's thread, or a thread that has done a task of the handshake. Nothing blocks.
 */
final class TlsDuplex implements Duplex, Duplex.Listener {
    private final Duplex cipher;
    private final SSLEngine ssl;
    private final Executor tasks;
    private final Consumer<SSLException> broken;
    private final TlsOutput out;
    private Consumer<SSLException> shaken;
    private volatile Listener listener = new Listener() {};
    private volatile boolean closedSeen;
    /** What has come and is no whole record yet; null if there is nothing. */
    private ByteBuffer in;
    /** What was decrypted and not taken. */
    private ByteBuffer plain = TlsOutput.NOTHING;

    private boolean wantsRoom;
    private boolean shut;
    private boolean finSent;
    private boolean failed;
    private boolean closing;

    /** {@code broken} is told, under the lock, what the peer did wrong after the handshake; once at most. */
    TlsDuplex(Duplex cipher, SSLEngine ssl, Executor tasks, Consumer<SSLException> broken) {
        this.cipher = cipher;
        this.ssl = ssl;
        this.tasks = tasks;
        this.broken = broken;
        out = new TlsOutput(ssl, cipher);
    }

    SSLEngine ssl() {
        return ssl;
    }

    /** Begins the handshake. {@code done} is told once: null, or what was wrong. */
    void shake(Consumer<SSLException> done) {
        shaken = done;
        cipher.listen(this);
        step();
    }

    /** Goes on with the handshake as far as possible. */
    private void step() {
        SSLException wrong = null;
        boolean complete = false;
        synchronized (this) {
            if (shaken == null) {
                return;
            }
            try {
                complete = handshake();
            } catch (SSLException e) {
                wrong = e;
                sayAlert();
            }
        }
        if (complete || wrong != null) {
            Consumer<SSLException> to;
            synchronized (this) {
                to = shaken;
                shaken = null;
            }
            if (to != null) {
                to.accept(wrong);
            }
        }
    }

    private boolean handshake() throws SSLException {
        if (ssl.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING && !ssl.getSession().isValid()) {
            ssl.beginHandshake();
        }
        while (true) {
            switch (ssl.getHandshakeStatus()) {
                case NEED_TASK -> {
                    runTasks();
                    return false;
                }
                case NEED_WRAP -> {
                    if (out.wrap(TlsOutput.NOTHING) < 0) {
                        return false;
                    }
                }
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!unwrapForHandshake()) {
                        return false;
                    }
                }
                default -> {
                    return true;
                }
            }
        }
    }

    private void runTasks() {
        Runnable task = ssl.getDelegatedTask();
        if (task == null) {
            return;
        }
        tasks.execute(() -> {
            Runnable next = task;
            while (next != null) {
                next.run();
                next = ssl.getDelegatedTask();
            }
            step();
            // after the handshake: a task that TLS 1.3 had for a key update
            listener.readable();
        });
    }

    /** False: more has to come. */
    private boolean unwrapForHandshake() throws SSLException {
        ByteBuffer clear = Buffers.HEAP.take();
        try {
            int n = unwrap(clear);
            if (n == END || n == RESET) {
                throw new SSLException("the peer ended the connection during the handshake");
            }
            if (clear.position() > 0) {
                keep(clear.flip());
            }
            return n != 0 || ssl.getHandshakeStatus() != HandshakeStatus.NEED_UNWRAP;
        } finally {
            Buffers.HEAP.give(clear);
        }
    }

    private void keep(ByteBuffer clear) {
        plain = ByteBuffer.allocate(plain.remaining() + clear.remaining()).put(plain).put(clear).flip();
    }

    /**
     * Decrypts into {@code clear} as many records as fit. 0: nothing now; 1: something happened; or the end.
     */
    private int unwrap(ByteBuffer clear) throws SSLException {
        int came = 0;
        while (true) {
            if (in == null) {
                in = Buffers.HEAP.take().limit(0);
            }
            SSLEngineResult result = ssl.unwrap(in, clear);
            if (result.bytesConsumed() > 0 || result.bytesProduced() > 0) {
                came = 1;
            }
            if (result.getStatus() == Status.CLOSED) {
                giveIn(false);
                return came == 1 && clear.position() > 0 ? 1 : END;
            }
            if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                return came == 1 ? 1 : overflow(clear);
            }
            if (result.getStatus() == Status.OK) {
                HandshakeStatus next = result.getHandshakeStatus();
                if (shaken == null && renegotiates(next)) {
                    throw new SSLException("the peer asked for a renegotiation (RFC 9113 section 9.2.1)");
                }
                if (next == HandshakeStatus.NEED_TASK && shaken == null) {
                    runTasks();
                    return came;
                }
                if (next == HandshakeStatus.NEED_WRAP && shaken == null) {
                    out.wrap(TlsOutput.NOTHING);
                }
                if (shaken != null) {
                    return 1;
                }
                continue;
            }
            // a record is not whole
            ByteBuffer room = in.compact();
            int n = cipher.read(room);
            room.flip();
            if (n <= 0) {
                giveIn(true);
                return came == 1 ? 1 : n;
            }
        }
    }

    /**
     * What comes after the handshake and asks for something is another handshake, but for TLS 1.3, which has key updates, and
     * for an end of ours that is still to be said.
     */
    private boolean renegotiates(HandshakeStatus next) {
        return next != HandshakeStatus.NOT_HANDSHAKING
                && next != HandshakeStatus.FINISHED
                && !(next == HandshakeStatus.NEED_WRAP && shut)
                && !ssl.getSession().getProtocol().equals("TLSv1.3");
    }

    /** A record larger than the caller's room is kept, and given in pieces. */
    private int overflow(ByteBuffer clear) throws SSLException {
        if (clear.capacity() == Buffers.SIZE) {
            throw new SSLException("a record of more than " + Buffers.SIZE + " bytes");
        }
        ByteBuffer large = Buffers.HEAP.take();
        try {
            int n = unwrap(large);
            if (large.position() > 0) {
                keep(large.flip());
            }
            return n;
        } finally {
            Buffers.HEAP.give(large);
        }
    }

    /** Who waits has no buffer, unless a record has begun. */
    private void giveIn(boolean keepBegun) {
        if (in != null && !(keepBegun && in.hasRemaining())) {
            Buffers.HEAP.give(in);
            in = null;
        }
    }

    /** The engine has the alert for what was wrong with a record; what we refuse ourselves gets close_notify. */
    private void sayAlert() {
        failed = true;
        ssl.closeOutbound();
        try {
            out.wrap(TlsOutput.NOTHING);
        } catch (SSLException e) {
            // the alert is a courtesy
        }
    }

    @Override
    public void listen(Listener listener) {
        this.listener = listener;
        if (closedSeen) {
            listener.closed();
        }
    }

    @Override
    public synchronized int read(ByteBuffer into) {
        if (plain.hasRemaining()) {
            int n = Math.min(plain.remaining(), into.remaining());
            into.put(into.position(), plain, plain.position(), n).position(into.position() + n);
            plain.position(plain.position() + n);
            return n;
        }
        plain = TlsOutput.NOTHING;
        if (failed) {
            return RESET;
        }
        int before = into.position();
        try {
            int n = unwrap(into);
            if (into.position() == before && plain.hasRemaining()) {
                return read(into);
            }
            return into.position() > before ? into.position() - before : n == 1 ? 0 : n;
        } catch (SSLException e) {
            sayAlert();
            broken.accept(e);
            return into.position() > before ? into.position() - before : RESET;
        }
    }

    @Override
    public synchronized int write(ByteBuffer from) {
        if (failed || shut) {
            return GONE;
        }
        try {
            int n = out.wrap(from);
            wantsRoom = from.hasRemaining();
            return Math.max(n, 0);
        } catch (SSLException e) {
            failed = true;
            return GONE;
        }
    }

    /** close_notify, then FIN. */
    @Override
    public synchronized void shutdownOutput() {
        if (!shut) {
            shut = true;
            ssl.closeOutbound();
        }
        finish();
    }

    private void finish() {
        if (finSent || !out.flush()) {
            return;
        }
        try {
            if (!ssl.isOutboundDone()) {
                out.wrap(TlsOutput.NOTHING);
            }
        } catch (SSLException e) {
            // the end is the end, with or without the peer's being told
        }
        if (!out.waits()) {
            finSent = true;
            if (closing) {
                end(false);
            } else {
                cipher.shutdownOutput();
            }
        }
    }

    @Override
    public synchronized void close() {
        listener = new Listener() {};
        closing = true;
        if (finSent) {
            end(false);
        } else {
            shutdownOutput();
        }
    }

    @Override
    public synchronized void abort() {
        listener = new Listener() {};
        // what was failed by the peer's doing ends behind its alert
        end(!failed);
    }

    private void end(boolean abort) {
        giveIn(false);
        plain = TlsOutput.NOTHING;
        failed = true;
        if (abort) {
            cipher.abort();
        } else {
            cipher.close();
        }
    }

    // what the other duplex tells

    @Override
    public void readable() {
        step();
        listener.readable();
    }

    @Override
    public void writable() {
        boolean room;
        synchronized (this) {
            boolean empty = out.flush();
            if (empty && shut) {
                finish();
            }
            room = empty && wantsRoom;
            wantsRoom &= !empty;
        }
        step();
        if (room) {
            listener.writable();
        }
    }

    @Override
    public void closed() {
        closedSeen = true;
        step();
        synchronized (this) {
            if (closing) {
                end(false);
                return;
            }
        }
        listener.closed();
    }
}
