package dev.h2ws;

/**
 * Hears the body of a request. The calls come one after another, where those of {@link Handler} come: on the loop's thread,
 * where they must not block, or on the engine's executor if it has one. An exception out of one is logged and answered with
 * 500; if the request was answered already, it is cut.
 */
@FunctionalInterface
public interface BodyListener {
    /**
     * A piece of the body has come.
     *
     * @param request the request
     * @param data the piece, never empty; yours to keep
     * @throws Exception is answered with 500
     */
    void data(Request request, byte[] data) throws Exception;

    /**
     * The body is complete. Also called for a request without a body.
     *
     * @param request the request
     * @param trailers what came behind it; may be empty
     * @throws Exception is answered with 500
     */
    default void end(Request request, Headers trailers) throws Exception {}

    /**
     * The request ended before its body was complete, say because the client is gone.
     *
     * @param request the request
     * @param closed how it ended
     * @throws Exception is logged
     */
    default void aborted(Request request, Closed closed) throws Exception {}
}
