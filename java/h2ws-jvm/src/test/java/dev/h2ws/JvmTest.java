package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The library beside itself in one JVM, and the end of a JVM with an engine in it. */
class JvmTest extends EngineTest {
    /** Starts an engine, listens, and returns: the JVM's last ordinary thread is gone. */
    public static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            H2ws.builder().loops(2).start().listen("127.0.0.1:0", request -> {});
            System.out.println("listening");
        }
    }

    @Test
    void eachClassLoaderHasItsOwn() throws Exception {
        Assumptions.assumeTrue(System.getProperty("dev.h2ws.native") == null, "one file is for one class loader");
        URL[] classes = {H2ws.class.getProtectionDomain().getCodeSource().getLocation()};
        for (int i = 0; i < 3; i++) {
            try (URLClassLoader loader = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
                Class<?> other = loader.loadClass("dev.h2ws.H2ws");
                assertThat(other).isNotEqualTo(H2ws.class);
                Object builder = other.getMethod("builder").invoke(null);
                Object started = builder.getClass().getMethod("start").invoke(builder);
                ((AutoCloseable) started).close();
            }
        }
    }

    @Test
    void anEngineDoesNotKeepTheJvmAliveNorBreakItsEnd() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xcheck:jni",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(said).contains("listening").doesNotContain("WARNING in native").doesNotContain("FATAL");
        assertThat(process.exitValue()).isZero();
    }
}
