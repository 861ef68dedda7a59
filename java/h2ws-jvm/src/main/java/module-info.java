/** WebSockets over HTTP/2 (RFC 8441), and ordinary requests beside them: start at {@link dev.h2ws.H2ws}. */
module dev.h2ws {
    exports dev.h2ws;
}
