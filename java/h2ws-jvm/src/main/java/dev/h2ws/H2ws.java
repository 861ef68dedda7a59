package dev.h2ws;

import dev.h2ws.internal.EventLoop;
import dev.h2ws.internal.Native;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.ref.Reference;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * An engine: event loops, their threads, and all that is open on them. {@link #builder()} makes one; {@link #listen}
 * and {@link #adopt} give it sockets; {@link #drain} ends what is open with good manners; {@link #close} ends the rest
 * and the engine.
 *
 * <p>All methods may be called on any thread. Its threads are daemons: they do not keep the JVM alive. One that the
 * program loses without closing it, while it does not listen, is noticed some time later: it is logged with the place
 * where it was made, and stopped.
 */
public final class H2ws implements AutoCloseable {
    private final Engine engine;
    private final Loss loss;

    H2ws(Engine engine) {
        this.engine = engine;
        loss = Loss.watch(this, engine);
    }

    /**
     * Begins an engine.
     *
     * @return a builder with the defaults
     */
    public static H2wsBuilder builder() {
        return new H2wsBuilder();
    }

    /**
     * Runs {@code task} on this thread when the loop whose callback calls this has told what came at once, or 64 events of
     * it; on a thread that is no loop's, now. For who hands what he is told to another thread: one wake-up then does for
     * all of it, as with Netty's {@code channelReadComplete}. What the task throws is logged.
     *
     * @param task short, as a callback has to be
     */
    public static void afterTurn(Runnable task) {
        EventLoop.afterTurn(Objects.requireNonNull(task));
    }

    /**
     * Listens, with the default options.
     *
     * @param address an {@link java.net.InetSocketAddress} (port 0: a free one) or a
     *     {@link java.net.UnixDomainSocketAddress}
     * @param handler hears of the requests
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listen(SocketAddress address, Handler handler) {
        return listen(address, handler, ListenOptions.defaults());
    }

    /**
     * Listens. Does not block.
     *
     * @param address an {@link java.net.InetSocketAddress} (port 0: a free one) or a
     *     {@link java.net.UnixDomainSocketAddress}
     * @param handler hears of the requests
     * @param options what connections may do
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listen(SocketAddress address, Handler handler, ListenOptions options) {
        return listen(Addresses.text(address), handler, options);
    }

    /**
     * Listens, with the default options.
     *
     * @param address {@code 127.0.0.1:8080}, {@code [::1]:0} (a free port) or {@code unix:/path}
     * @param handler hears of the requests
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listen(String address, Handler handler) {
        return listen(address, handler, ListenOptions.defaults());
    }

    /**
     * Listens. Does not block.
     *
     * @param address {@code 127.0.0.1:8080}, {@code [::1]:0} (a free port) or {@code unix:/path}
     * @param handler hears of the requests
     * @param options what connections may do
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listen(String address, Handler handler, ListenOptions options) {
        Objects.requireNonNull(handler, "handler");
        long tls = options.tlsId();
        long id = engine.handlers.listening(handler, () -> Native.listen(engine.id, address, tls, options.flags));
        if (Handlers.isStatus(id)) {
            throw H2wsException.last(id, "listen on " + address);
        }
        Listener listener = new Listener(this, engine, id);
        engine.handlers.opened(id, listener);
        return listener;
    }

    /**
     * Listens, and gives every connection to the program as bytes, unread: nothing is served. Native TLS of the options
     * stays native. Does not block.
     *
     * @param address as for {@link #listen(SocketAddress, Handler)}
     * @param taker gets each connection, on a loop's thread, and has to close it in the end. An exception out of it is logged and
     *     closes the connection
     * @param options of which only TLS has a meaning
     * @return the listener
     * @throws H2wsException with {@link Status#ADDRESS_IN_USE} or {@link Status#IO}, and the address
     */
    public Listener listenRaw(SocketAddress address, Consumer<FallbackConnection> taker, ListenOptions options) {
        Objects.requireNonNull(taker, "taker");
        String text = Addresses.text(address);
        long tls = options.tlsId();
        int flags = options.flags | Native.RAW;
        long id = engine.handlers.listeningRaw(taker, () -> Native.listen(engine.id, text, tls, flags));
        if (Handlers.isStatus(id)) {
            throw H2wsException.last(id, "listen on " + text);
        }
        Listener listener = new Listener(this, engine, id);
        engine.handlers.opened(id, listener);
        return listener;
    }

    /**
     * Serves a connection whose socket stays with the program, say for TLS of its own ({@link TlsTransport} does that). What
     * comes from the peer is written to the duplex; what is read from it goes to the peer. Does not block.
     *
     * <p>Called on a loop's thread, the connection lives on that loop, and its duplex is told there.
     *
     * @param handler hears of its requests
     * @param options who the peer is, and what the connection may do
     * @return the program's end, which has to be closed
     * @throws H2wsException with {@link Status#SHUTTING_DOWN} or {@link Status#BUSY}
     */
    public Duplex attach(Handler handler, AttachOptions options) {
        Objects.requireNonNull(handler, "handler");
        String[] tls = options.tlsTexts();
        byte[][] certificates = options.certificates();
        return engine.handlers.attaching(
                handler,
                () -> engine.duplexes.attaching(
                        engine,
                        () -> Native.attach(engine.id, options.peer, tls, certificates, options.options.flags)));
    }

    /**
     * Serves a connection that the program accepted, with the default options.
     *
     * @param channel the connection, as for {@link #adopt(SocketChannel, Handler, ByteBuffer, ListenOptions)}
     * @param handler hears of its requests
     */
    public void adopt(SocketChannel channel, Handler handler) {
        adopt(channel, handler, ByteBuffer.allocate(0), ListenOptions.defaults());
    }

    /**
     * Serves a connection that the program accepted. The channel is closed for the program, the connection goes on;
     * this is so also when the engine refuses it, and then the connection is closed too. Does not block.
     *
     * <p>No selector may watch the channel: cancel its key and call {@code selectNow()} on the selector's thread
     * before. (A key that never asked for an operation does no harm.) No other thread may use it. TLS that has begun in
     * the JVM cannot be handed over. {@code SO_LINGER}, which the program may have set for its own close, is undone.
     *
     * @param channel a connected TCP or UNIX channel
     * @param handler hears of its requests
     * @param alreadyRead what the program has read from it; is used up
     * @param options what it may do
     * @throws H2wsException with the reason and what to do. With {@link Status#NOT_A_SOCKET} (closed, not connected, or
     *     the peer is gone), {@link Status#WRONG_STATE} (a selector watches it) or {@link Status#IO} the channel is as
     *     it was, and the program's to close; with {@link Status#SHUTTING_DOWN} or another it is closed
     */
    public void adopt(SocketChannel channel, Handler handler, ByteBuffer alreadyRead, ListenOptions options) {
        handOver(() -> HandOver.take(channel), channel, channel, handler, alreadyRead, options);
    }

    /**
     * Serves a connection that the program accepted, with the default options.
     *
     * @param socket the connection, as for {@link #adopt(Socket, Handler, ByteBuffer, ListenOptions)}
     * @param handler hears of its requests
     */
    public void adopt(Socket socket, Handler handler) {
        adopt(socket, handler, ByteBuffer.allocate(0), ListenOptions.defaults());
    }

    /**
     * Serves a connection that the program accepted with a {@link java.net.ServerSocket}. As for
     * {@link #adopt(SocketChannel, Handler, ByteBuffer, ListenOptions)}.
     *
     * @param socket a connected socket, no {@code SSLSocket}
     * @param handler hears of its requests
     * @param alreadyRead what the program has read from it; is used up
     * @param options what it may do
     * @throws H2wsException as for a channel
     */
    public void adopt(Socket socket, Handler handler, ByteBuffer alreadyRead, ListenOptions options) {
        handOver(() -> HandOver.take(socket), socket, socket, handler, alreadyRead, options);
    }

    /**
     * Serves a connection of which the program has the descriptor only, as with Netty's native transports. Who opened
     * the descriptor still has to close it, after this has returned or thrown: it leads nowhere then, so that does the
     * connection nothing. Otherwise as for {@link #adopt(SocketChannel, Handler, ByteBuffer, ListenOptions)}; no epoll
     * may have it, which the program must see to.
     *
     * @param descriptor a connected TCP or UNIX stream socket
     * @param handler hears of its requests
     * @param alreadyRead what the program has read from it; is used up
     * @param options what it may do
     * @throws H2wsException as for a channel
     */
    public void adoptDescriptor(int descriptor, Handler handler, ByteBuffer alreadyRead, ListenOptions options) {
        handOver(() -> HandOver.take(descriptor), "descriptor " + descriptor, () -> {}, handler, alreadyRead, options);
    }

    private void handOver(
            IntSupplier take,
            Object from,
            Closeable rest,
            Handler handler,
            ByteBuffer alreadyRead,
            ListenOptions options) {
        Objects.requireNonNull(handler, "handler");
        byte[] read = Bytes.copy(alreadyRead);
        long tls = options.tlsId();
        int fd = take.getAsInt();
        alreadyRead.position(alreadyRead.limit());
        long id;
        try {
            id = engine.handlers.adopting(
                    handler, () -> Native.adopt(engine.id, fd, read, read.length, tls, options.flags));
        } finally {
            close(rest);
        }
        if (Handlers.isStatus(id)) {
            throw H2wsException.last(id, "adopt " + from);
        }
    }

    void log(Level level, String text, Throwable thrown) {
        engine.log.accept(level, text, thrown);
    }

    /** What is closed is only the JVM's own descriptor, which leads nowhere since it was taken over. */
    private void close(Closeable rest) {
        try {
            rest.close();
        } catch (IOException e) {
            engine.log.accept(Level.DEBUG, "closing an adopted socket's place in the JVM", e);
        }
    }

    /**
     * Ends what is open, with good manners: listeners close, each connection gets GOAWAY, each WebSocket a Close 1001,
     * requests are answered. From then on {@link #listen} and {@link #adopt} are refused. Blocks until every connection
     * has ended; at the deadline what is left is cut.
     *
     * @param deadline how long it may take
     * @throws H2wsException with {@link Status#WRONG_THREAD} in a callback on a loop's thread
     */
    public void drain(Duration deadline) {
        int status;
        try {
            status = Native.drain(engine.id, H2wsBuilder.millis("drain", deadline));
        } finally {
            // an engine whose last use is to be drained is not lost while it is
            Reference.reachabilityFence(this);
        }
        if (status != Native.OK) {
            throw H2wsException.last(status, "drain");
        }
    }

    /**
     * A snapshot of the counters.
     *
     * @return the counters
     * @throws H2wsException with {@link Status#GONE} if the engine has ended
     */
    public Stats stats() {
        long[] values = Native.stats(engine.id);
        if (values == null) {
            throw new H2wsException(Status.GONE, "stats: the engine was closed");
        }
        return new Stats(values);
    }

    /**
     * Ends the engine: cuts what is open, so that every socket and request hears of its end, and waits for its threads,
     * so for the callbacks that run on them. On one of these threads it does not wait. With an executor, last callbacks
     * may still run there when it returns. To end with good manners, call {@link #drain} before. Nothing happens if it
     * was closed already.
     */
    @Override
    public void close() {
        loss.closed();
        engine.stop();
        if (!engine.onLoop()) {
            engine.join();
        }
    }
}
