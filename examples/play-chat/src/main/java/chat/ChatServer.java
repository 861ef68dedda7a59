package chat;

import play.core.server.ProdServerStart;

/** Play's own start in production, and a line that says when it is there. */
public final class ChatServer {
    private ChatServer() {}

    public static void main(String[] args) {
        ProdServerStart.main(args);
        System.out.println("listening on https://localhost:" + System.getenv().getOrDefault("PORT", "8443"));
    }
}
