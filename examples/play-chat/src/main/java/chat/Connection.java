package chat;

import play.mvc.Http;

/** What a request came over, as far as a controller knows: the protocol, and the client's port. */
record Connection(String protocol, int port) {
    static Connection of(Http.RequestHeader request) {
        // Play's own remoteAddress has no port; the header is the server's, not the client's
        String remote = request.header("Remote-Address").orElse("");
        int colon = remote.lastIndexOf(':');
        return new Connection(request.version(), colon < 0 ? 0 : Integer.parseInt(remote.substring(colon + 1)));
    }

    /** Browsers show it to the page beside their own timing of the request. */
    String serverTiming() {
        return "connection;desc=\"" + protocol + " from " + port + "\"";
    }
}
