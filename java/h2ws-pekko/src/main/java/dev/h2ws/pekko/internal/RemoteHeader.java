package dev.h2ws.pekko.internal;

import java.net.InetSocketAddress;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/** The header {@code Remote-Address}, which Pekko HTTP 2.0 no longer has, nor its setting. */
interface RemoteHeader {
    HttpHeader of(InetSocketAddress address);

    /** Null where it is not wanted or not known. */
    static RemoteHeader of(ServerSettings settings) {
        try {
            Class.forName("org.apache.pekko.http.javadsl.model.headers.RemoteAddress");
        } catch (ClassNotFoundException e) {
            return null;
        }
        return Known.wanted(settings) ? Known::header : null;
    }

    /** A class of its own: the verifier looks for the header's class as soon as this one is loaded. */
    @SuppressWarnings("deprecation")
    final class Known {
        private Known() {}

        static boolean wanted(ServerSettings settings) {
            return settings.remoteAddressHeader();
        }

        static HttpHeader header(InetSocketAddress address) {
            return org.apache.pekko.http.javadsl.model.headers.RemoteAddress.create(RemoteAddress.create(address));
        }
    }
}
