/**
 * WebSockets over HTTP/2 (RFC 8441), and ordinary requests beside them, on one port.
 *
 * <pre>{@code
 * try (H2ws engine = H2ws.builder().loops(2).start()) {
 *     engine.listen(new InetSocketAddress("127.0.0.1", 8080), request -> {
 *         if (request.isWebSocket()) {
 *             request.accept(new WebSocketListener() {
 *                 public void text(WebSocket socket, String text) {
 *                     socket.sendText(text);
 *                 }
 *             });
 *         } else {
 *             request.respond(200, "hello\n");
 *         }
 *     });
 *     Thread.currentThread().join();
 * }
 * }</pre>
 *
 * <p>Callbacks run on the engine's loop threads, one at a time for each connection, and must not block there; or on an
 * executor ({@link dev.h2ws.H2wsBuilder#executor}), one at a time for each request and socket. Every method of a
 * request or a socket may be called on any thread at any time and does not block. Options, headers and whatever else is
 * said to be immutable may be shared.
 */
package dev.h2ws;
