package playhost;

import java.nio.file.Path;
import java.util.Map;

/** What the environment asks for. A controller does not know what serves it, so what is about the server alone is not read here. */
final class Settings {
    final int port;
    /** Null without TLS. */
    final Path cert;
    final Path key;
    /** Whose clients are known; null if clients show no certificates. */
    final Path clientRoots;

    private final Map<String, String> environment;

    private Settings(Map<String, String> environment) {
        this.environment = environment;
        port = number("PORT", 65535, 8080);
        number("MANUAL", 1, 0); // Play's own control of pings and closes is the only one there is
        cert = path("TLS_CERT");
        key = path("TLS_KEY");
        clientRoots = path("TLS_CLIENT_CA");
        if ((cert == null) != (key == null)) {
            throw new IllegalArgumentException("TLS_CERT and TLS_KEY belong together; set both");
        }
    }

    static Settings read(Map<String, String> environment) {
        return new Settings(environment);
    }

    boolean tls() {
        return cert != null;
    }

    private Path path(String variable) {
        String path = environment.get(variable);
        return path == null || path.isEmpty() ? null : Path.of(path);
    }

    private int number(String variable, int most, int otherwise) {
        String text = environment.get(variable);
        if (text == null) {
            return otherwise;
        }
        int value = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(
                    variable + " is \"" + text + "\"; it must be a whole number from 0 to " + most);
        }
        return value;
    }
}
