package dev.h2ws.pekko.dropin;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;

/**
 * What a client says on one connection, byte by byte and turn by turn: each turn begins when the server has said what the
 * turn before waits for. The client says no more after its last turn, and reads to the end.
 */
final class Conversation {
    private static final int PATIENCE = 10_000;

    private record Turn(byte[] bytes, String until) {}

    private final List<Turn> turns = new ArrayList<>();
    private boolean fin;

    /** Says the text, of ISO 8859-1. */
    static Conversation of(String... said) {
        Conversation conversation = new Conversation();
        for (String text : said) {
            conversation.say(text);
        }
        return conversation;
    }

    Conversation say(String text) {
        return say(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    Conversation say(byte[] bytes) {
        turns.add(new Turn(bytes, ""));
        return this;
    }

    /** Before it goes on, the server has to have said this since the turn began. */
    Conversation hear(String text) {
        Turn last = turns.remove(turns.size() - 1);
        turns.add(new Turn(last.bytes(), text));
        return this;
    }

    /** Ends its own side after the last turn. */
    Conversation end() {
        fin = true;
        return this;
    }

    /**
     * Has it.
     *
     * @param tls null for cleartext
     * @return all that the server said, and how the connection ended; without the one thing that may differ, the time
     */
    String with(int port, SSLContext tls) throws IOException {
        try (Socket socket = tls == null
                ? new Socket("localhost", port)
                : tls.getSocketFactory().createSocket("localhost", port)) {
            socket.setSoTimeout(PATIENCE);
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            StringBuilder heard = new StringBuilder();
            for (Turn turn : turns) {
                socket.getOutputStream().write(turn.bytes());
                int from = heard.length();
                while (heard.indexOf(turn.until(), from) < 0 && heard(in, heard)) {}
            }
            if (fin) {
                socket.shutdownOutput();
            }
            while (heard(in, heard)) {}
            return heard.toString().replaceAll("Date: [^\r]*\r\n", "Date: -\r\n");
        }
    }

    /** False: that was the end. */
    private static boolean heard(InputStream in, StringBuilder heard) {
        try {
            byte[] buffer = new byte[4096];
            int n = in.read(buffer);
            if (n < 0) {
                heard.append("[end]");
                return false;
            }
            heard.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
            return true;
        } catch (SocketTimeoutException e) {
            heard.append("[silence]");
        } catch (IOException e) {
            heard.append("[cut]");
        }
        return false;
    }
}
