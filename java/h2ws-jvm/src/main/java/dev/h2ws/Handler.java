package dev.h2ws;

/** Hears of each request and WebSocket handshake of a listener or a connection. */
@FunctionalInterface
public interface Handler {
    /**
     * A request or a handshake has come. Answer now or later, on any thread.
     *
     * <p>Runs on the loop's thread, where it must not block, or on the engine's executor if it has one. An exception
     * out of it is logged and answered with 500; if the request was answered already, it is cut.
     *
     * @param request the request
     * @throws Exception is answered with 500
     */
    void handle(Request request) throws Exception;
}
