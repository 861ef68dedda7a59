package dev.h2ws;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** An engine with one loop, which a socket that blocks would stop for all, and a program's own listening socket. */
final class HandOverFixture implements AutoCloseable {
    /** More than a socket's buffers. */
    static final int LARGE = 16 << 20;

    final Queue<String> errors = new ConcurrentLinkedQueue<>();
    final H2ws engine;
    final ServerSocketChannel server;

    HandOverFixture() throws IOException {
        engine = H2ws.builder()
                .loops(1)
                .onLog((level, text, thrown) -> {
                    if (level.compareTo(Level.WARNING) >= 0) {
                        errors.add(text + (thrown == null ? "" : ": " + thrown));
                    }
                })
                .start();
        server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
    }

    /** Answers a request with its path, or with much, and a socket's messages with themselves. */
    static void serve(Request request) {
        if (request.isWebSocket()) {
            request.accept(new WebSocketListener() {
                @Override
                public void text(WebSocket socket, String text) {
                    socket.sendText(text);
                }
            });
        } else if (request.path().equals("/large")) {
            request.respond(200, new byte[LARGE]);
        } else {
            request.respond(200, request.path());
        }
    }

    InetSocketAddress address() throws IOException {
        return (InetSocketAddress) server.getLocalAddress();
    }

    Http2Peer connect() throws IOException {
        return new Http2Peer(address());
    }

    void adopt(SocketChannel channel) {
        engine.adopt(channel, HandOverFixture::serve);
    }

    void adopt(SocketChannel channel, ByteBuffer alreadyRead) {
        engine.adopt(channel, HandOverFixture::serve, alreadyRead, ListenOptions.defaults());
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 30 s: " + what);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    static long openDescriptors() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        engine.close();
    }
}
