package dev.h2ws.testhost;

import dev.h2ws.H2ws;
import dev.h2ws.H2wsBuilder;
import dev.h2ws.Handler;
import dev.h2ws.ListenOptions;
import dev.h2ws.Listener;
import dev.h2ws.Tls;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What the environment asks for. */
final class Settings {
    final int port;
    final boolean manual;
    private final Map<String, String> environment;
    private final String cert;
    private final String key;
    private final boolean tlsInJvm;
    private Tls tls;
    private JvmTls jvmTls;

    private Settings(Map<String, String> environment) {
        this.environment = environment;
        port = (int) number("PORT", 65535, 8080);
        manual = number("MANUAL", 1, 0) == 1;
        cert = path("TLS_CERT");
        key = path("TLS_KEY");
        if ((cert == null) != (key == null)) {
            throw new IllegalArgumentException("TLS_CERT and TLS_KEY belong together; set both");
        }
        String by = environment.getOrDefault("TLS_BY", "native");
        if (!by.equals("native") && !by.equals("jvm")) {
            throw new IllegalArgumentException("TLS_BY is \"" + by + "\"; it must be native or jvm");
        }
        tlsInJvm = by.equals("jvm");
    }

    static Settings read(Map<String, String> environment) {
        return new Settings(environment);
    }

    /** Every {@code H2WS_NAME=value} sets the configuration field of that name. */
    H2wsBuilder engine() {
        H2wsBuilder builder = H2ws.builder();
        boolean verbose = environment.containsKey("VERBOSE");
        builder.onLog((level, text, thrown) -> {
            if (verbose || level.getSeverity() >= System.Logger.Level.WARNING.getSeverity()) {
                System.err.println("host-java: " + level.getName().toLowerCase(Locale.ROOT) + ": " + text);
                if (thrown != null) {
                    thrown.printStackTrace();
                }
            }
        });
        environment.forEach((name, value) -> {
            if (name.startsWith("H2WS_") && !name.equals("H2WS_HOST") && !name.equals("H2WS_CACHE")) {
                set(builder, name, value);
            }
        });
        builder.loops((int) number("LOOPS", Integer.MAX_VALUE, 1));
        if (environment.containsKey("MAX_MESSAGE")) {
            builder.maxMessage((int) number("MAX_MESSAGE", Integer.MAX_VALUE, 0));
        }
        if (number("DEFLATE", 1, 0) == 1) {
            builder.set("deflate", 1);
        }
        return builder;
    }

    /** The engine names the field that it refuses; whoever started this knows it by its variable. */
    static String named(String refusal, Map<String, String> environment) {
        String variables = environment.keySet().stream()
                .filter(name -> name.startsWith("H2WS_") && refusal.contains(field(name)))
                .collect(Collectors.joining(", "));
        return variables.isEmpty() ? refusal : refusal + " (" + variables + ")";
    }

    private static String field(String variable) {
        return variable.substring("H2WS_".length()).toLowerCase(Locale.ROOT);
    }

    private void set(H2wsBuilder builder, String variable, String value) {
        try {
            builder.set(field(variable), number(variable, 0xffff_ffffL, 0));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(variable + "=" + value + ": " + e.getMessage(), e);
        }
    }

    /** Listens in clear, or with TLS natively or, by TLS_BY=jvm, in the JVM. */
    Listener listen(H2ws engine, Handler handler) {
        InetSocketAddress address = new InetSocketAddress("127.0.0.1", port);
        if (tls() && tlsInJvm) {
            jvmTls = new JvmTls(Path.of(cert), Path.of(key), clientRoots());
            return jvmTls.transport(engine, options()).listen(address, handler);
        }
        if (!tls()) {
            return engine.listen(address, handler, options());
        }
        tls = identity().load();
        return engine.listen(address, handler, options().tls(tls));
    }

    private ListenOptions options() {
        ListenOptions options = ListenOptions.defaults();
        if (number("NO_HTTP1", 1, 0) == 1) {
            options = options.withoutHttp1();
        }
        return number("NO_HTTP2", 1, 0) == 1 ? options.withoutHttp2() : options;
    }

    boolean tls() {
        return cert != null;
    }

    private Tls.Builder identity() {
        Tls.Builder builder = Tls.builder().identity(Path.of(cert), Path.of(key));
        Path roots = clientRoots();
        return roots == null ? builder : builder.clientAuth(Tls.ClientAuth.OPTIONAL, roots);
    }

    private Path clientRoots() {
        String roots = path("TLS_CLIENT_CA");
        return roots == null ? null : Path.of(roots);
    }

    /** True if there was a certificate to load. */
    boolean reload() {
        if (jvmTls != null) {
            jvmTls.reload();
        } else if (tls != null) {
            tls.reload(identity());
        }
        return tls();
    }

    private String path(String variable) {
        String path = environment.get(variable);
        return path == null || path.isEmpty() ? null : path;
    }

    private long number(String variable, long most, long otherwise) {
        String text = environment.get(variable);
        if (text == null) {
            return otherwise;
        }
        long value = text.matches("[0-9]{1,12}") ? Long.parseLong(text) : -1;
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(
                    variable + " is \"" + text + "\"; it must be a whole number from 0 to " + most);
        }
        return value;
    }
}
