package dev.h2ws;

import dev.h2ws.internal.Native;
import java.util.Objects;

/**
 * What the connections of a listener, or an adopted one, may do. Immutable:
 * {@code ListenOptions.defaults().tls(tls).withoutHttp1()}.
 */
public final class ListenOptions {
    private static final ListenOptions DEFAULTS = new ListenOptions(null, 0);

    final Tls tls;
    final int flags;

    private ListenOptions(Tls tls, int flags) {
        this.tls = tls;
        this.flags = flags;
    }

    /**
     * Cleartext, HTTP/2 and HTTP/1.1, with WebSockets.
     *
     * @return the defaults
     */
    public static ListenOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Over TLS.
     *
     * @param tls the certificates
     * @return options with it
     */
    public ListenOptions tls(Tls tls) {
        return new ListenOptions(Objects.requireNonNull(tls, "tls"), flags);
    }

    /**
     * Requests only: SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3) is not sent, {@code Upgrade} is ignored.
     *
     * @return options with that
     */
    public ListenOptions withoutWebSockets() {
        return new ListenOptions(tls, flags | Native.NO_WEBSOCKETS);
    }

    /**
     * HTTP/1.1 is not served, and over TLS not offered.
     *
     * @return options with that
     */
    public ListenOptions withoutHttp1() {
        return new ListenOptions(tls, flags | Native.NO_HTTP1);
    }

    /**
     * HTTP/2 is not served, and over TLS not offered.
     *
     * @return options with that
     */
    public ListenOptions withoutHttp2() {
        return new ListenOptions(tls, flags | Native.NO_HTTP2);
    }

    long tlsId() {
        return tls == null ? 0 : tls.id();
    }
}
