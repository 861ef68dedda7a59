package dev.h2ws;

import dev.h2ws.internal.Native;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLSocket;

/**
 * Takes the connection out of a socket of the JVM: a duplicate of its descriptor is ours, and a dead socket takes the
 * place of the original, so that nothing that the JVM does with it afterwards reaches the connection. What cannot be
 * taken is refused before anything has happened to it.
 */
final class HandOver {
    private HandOver() {}

    /** The descriptor of the connection, the caller's own from now on. */
    static int take(SocketChannel channel) {
        // before the native looks: a closed channel still tells its old number, which may name something else by now
        if (!channel.isOpen()) {
            throw refused(channel, "it is closed; hand a channel over before it is");
        }
        if (!channel.isConnected()) {
            throw refused(channel, "it is not connected; hand it over after accept, or after finishConnect");
        }
        return taken(Native.takeOver(channel), channel);
    }

    /** The descriptor of the connection, the caller's own from now on. */
    static int take(Socket socket) {
        if (socket instanceof SSLSocket) {
            throw refused(
                    socket,
                    "its TLS is in the JVM, whose keys and records stay there; accept with a plain ServerSocket and"
                            + " hand that socket over before its handshake, with ListenOptions.tls");
        }
        if (socket.isClosed()) {
            throw refused(socket, "it is closed; hand a socket over before it is");
        }
        if (!socket.isConnected()) {
            throw refused(socket, "it is not connected; hand over what ServerSocket.accept gave");
        }
        // the socket of a channel is a view of it and has no descriptor of its own
        SocketChannel channel = socket.getChannel();
        return channel != null ? take(channel) : taken(Native.takeOver(socket), socket);
    }

    /** The same for a descriptor; the given one leads nowhere then, and stays to be closed. */
    static int take(int descriptor) {
        return taken(Native.takeOverDescriptor(descriptor), "descriptor " + descriptor);
    }

    private static int taken(int descriptorOrStatus, Object from) {
        if (descriptorOrStatus < 0) {
            throw H2wsException.last(descriptorOrStatus, "adopt " + from);
        }
        return descriptorOrStatus;
    }

    private static H2wsException refused(Object from, String why) {
        return new H2wsException(Status.NOT_A_SOCKET, "adopt " + from + ": " + why);
    }
}
