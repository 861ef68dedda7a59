package dev.h2ws.internal;

/**
 * A request or WebSocket handshake as it came. {@code headers} has names and values in turn; {@code listener} is 0 for
 * an adopted connection; {@code tls} is null on cleartext.
 */
public record RequestHead(
        long stream,
        long context,
        long connection,
        long listener,
        int h2Stream,
        boolean webSocket,
        boolean end,
        int version,
        String method,
        String scheme,
        String authority,
        String path,
        String peer,
        String[] headers,
        String[] subprotocols,
        TlsHead tls) {
    /**
     * The TLS of a connection; texts are empty where there is nothing; certificates are DER, the client's own first.
     */
    public record TlsHead(
            String version, String cipher, String serverName, String alpn, boolean resumed, byte[][] certificates) {}
}
