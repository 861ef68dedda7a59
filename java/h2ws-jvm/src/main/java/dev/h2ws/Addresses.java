package dev.h2ws;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/** Addresses between their types and their texts: {@code 127.0.0.1:80}, {@code [::1]:80}, {@code unix:/path}. */
final class Addresses {
    private Addresses() {}

    static String text(SocketAddress address) {
        if (address instanceof UnixDomainSocketAddress unix) {
            return "unix:" + unix.getPath();
        }
        if (!(address instanceof InetSocketAddress inet)) {
            throw new IllegalArgumentException(
                    "the address " + address + " is neither an InetSocketAddress nor a UnixDomainSocketAddress");
        }
        if (inet.isUnresolved()) {
            throw new IllegalArgumentException("the host name of " + inet + " could not be resolved");
        }
        String host = inet.getAddress().getHostAddress();
        return (inet.getAddress() instanceof Inet6Address ? "[" + host + "]" : host) + ":" + inet.getPort();
    }

    /** Asks no name server: the texts of peers are numbers. */
    static Optional<InetSocketAddress> parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0 || !(Character.digit(text.charAt(0), 16) >= 0 || text.charAt(0) == '[')) {
            return Optional.empty();
        }
        try {
            InetAddress host = InetAddress.getByName(text.substring(0, colon));
            return Optional.of(new InetSocketAddress(host, Integer.parseInt(text.substring(colon + 1))));
        } catch (UnknownHostException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
