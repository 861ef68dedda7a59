package dev.h2ws.pekko.internal;

import java.net.InetSocketAddress;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/** The header {@code Remote-Address}, which Pekko HTTP 2.0 no longer has, nor its setting. */
@SuppressWarnings("deprecation")
interface RemoteHeader {
    HttpHeader of(InetSocketAddress address);

    /** Null where it is not wanted or not known. */
    static RemoteHeader of(ServerSettings settings) {
        try {
            Class.forName("org.apache.pekko.http.javadsl.model.headers.RemoteAddress");
        } catch (ClassNotFoundException e) {
            return null;
        }
        return settings.remoteAddressHeader()
                ? address -> org.apache.pekko.http.javadsl.model.headers.RemoteAddress.create(
                        RemoteAddress.create(address))
                : null;
    }
}
