package dev.h2ws.internal;

import dev.h2ws.H2wsException;
import dev.h2ws.Status;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads the native library, once for each class loader: from the file that the property {@code dev.h2ws.native} names,
 * else from the resource in the jar, by a temporary file of its own in the directory {@code dev.h2ws.workdir} (default
 * {@code java.io.tmpdir}) that is deleted as soon as it is loaded. A copy for each class loader, because the JVM loads
 * one file into one of them only.
 *
 * <p>A failure is kept and thrown as the same catchable exception by each {@link #load}: thrown out of a static
 * initialiser, all but the first user would see a NoClassDefFoundError that says nothing.
 */
public final class NativeLoader {
    static final String PATH_PROPERTY = "dev.h2ws.native";
    static final String WORKDIR_PROPERTY = "dev.h2ws.workdir";

    private static final String FILE = "libh2ws_jni.so";

    private static boolean loaded;
    private static H2wsException failure;

    private NativeLoader() {}

    /**
     * Loads the library unless it is loaded. Blocks while it does.
     *
     * @throws H2wsException with {@link Status#NO_LIBRARY}: what was tried, why it failed, what to do
     */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        if (failure == null) {
            try {
                load(System.getProperty(PATH_PROPERTY), System.getProperty(WORKDIR_PROPERTY));
                loaded = true;
                return;
            } catch (H2wsException e) {
                failure = e;
            }
        }
        // a new one, so that the stack trace is that of the caller; the cause is that of the attempt
        throw new H2wsException(Status.NO_LIBRARY, failure.getMessage(), failure);
    }

    static void load(String path, String workdir) {
        if (path != null) {
            loadFile(Path.of(path).toAbsolutePath());
        } else {
            loadResource(platform(System.getProperty("os.name"), System.getProperty("os.arch")), workdir);
        }
    }

    /** The part of the resource's name that says for which machine it is. */
    static String platform(String os, String arch) {
        String machine =
                switch (arch.toLowerCase(Locale.ROOT)) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "aarch64";
                    default -> arch;
                };
        return os.toLowerCase(Locale.ROOT) + "-" + machine;
    }

    private static void loadFile(Path file) {
        if (!Files.isRegularFile(file)) {
            throw failed("there is no file " + file + ", which -D" + PATH_PROPERTY + " names", null);
        }
        link(file);
    }

    private static void link(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            throw failed(explain(file, e), e);
        } catch (IllegalCallerException e) {
            // JEP 472: with --illegal-native-access=deny, which is to become the default
            Module module = NativeLoader.class.getModule();
            throw failed(
                    e.getMessage() + "; start the JVM with --enable-native-access="
                            + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
                    e);
        }
    }

    private static void loadResource(String platform, String workdir) {
        String resource = "/META-INF/native/" + platform + "/" + FILE;
        try (InputStream in = NativeLoader.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw failed(
                        "the class path has no " + resource + ", so this jar was not built for " + platform
                                + "; build the library there and name it with -D" + PATH_PROPERTY + "=PATH",
                        null);
            }
            loadCopy(in, workdir);
        } catch (IOException e) {
            throw failed("cannot read " + resource + ": " + e, e);
        }
    }

    private static void loadCopy(InputStream in, String workdir) {
        Path directory = Path.of(workdir != null ? workdir : System.getProperty("java.io.tmpdir"));
        Path copy = null;
        try {
            // only the owner can read or write what createTempFile makes
            copy = Files.createTempFile(directory, "h2ws_jni", ".so");
            Files.write(copy, in.readAllBytes());
            link(copy.toAbsolutePath());
        } catch (IOException e) {
            throw failed(
                    "cannot write a copy of it into " + directory + ": " + e + "; name a directory that can be written"
                            + " with -D" + WORKDIR_PROPERTY + "=DIRECTORY",
                    e);
        } finally {
            delete(copy);
        }
    }

    private static void delete(Path copy) {
        if (copy != null) {
            try {
                Files.deleteIfExists(copy);
            } catch (IOException e) {
                copy.toFile().deleteOnExit();
            }
        }
    }

    /** What the dynamic linker's text means for people. */
    static String explain(Path file, UnsatisfiedLinkError error) {
        String text = String.valueOf(error.getMessage());
        String advice;
        if (text.contains("failed to map segment") || text.contains("Operation not permitted")) {
            advice = "the file system of " + file.getParent()
                    + " may be mounted with \"noexec\"; name another directory with -D" + WORKDIR_PROPERTY + "=DIRECTORY";
        } else if (text.contains("GLIBC_") || text.contains("ld-linux") || text.contains("libc.so")) {
            advice = "the C library of this system is another or an older one than the library was built for"
                    + " (musl, as of Alpine, is not glibc); build it here and name it with -D" + PATH_PROPERTY + "=PATH";
        } else if (text.contains("wrong ELF class") || text.contains("machine") || text.contains("ELF header")) {
            advice = "the library is for another machine than this JVM, which is "
                    + platform(System.getProperty("os.name"), System.getProperty("os.arch"))
                    + "; use one that fits with -D" + PATH_PROPERTY + "=PATH";
        } else if (text.contains("file too short")) {
            advice = "the file is no library, or not all of it; name another with -D" + PATH_PROPERTY + "=PATH";
        } else {
            advice = "name a library that can be loaded with -D" + PATH_PROPERTY + "=PATH";
        }
        return text + "; " + advice;
    }

    private static H2wsException failed(String text, Throwable cause) {
        return new H2wsException(Status.NO_LIBRARY, "the native library of h2ws cannot be loaded: " + text, cause);
    }
}
