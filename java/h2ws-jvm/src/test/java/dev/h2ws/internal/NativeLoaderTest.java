package dev.h2ws.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.h2ws.H2wsException;
import dev.h2ws.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people read when the library cannot be loaded. */
class NativeLoaderTest {
    private static final Path FILE = Path.of("/some/where/libh2ws_jni.so");

    @TempDir
    Path directory;

    private static String explained(String linker) {
        return NativeLoader.explain(FILE, new UnsatisfiedLinkError(linker));
    }

    @Test
    void aFileThatIsNotThere() {
        assertThatThrownBy(() -> NativeLoader.load("/no/such.so", null))
                .isInstanceOfSatisfying(H2wsException.class, e -> assertThat(e.status())
                        .isEqualTo(Status.NO_LIBRARY))
                .hasMessageContaining("there is no file /no/such.so")
                .hasMessageContaining("-Ddev.h2ws.native");
    }

    @Test
    void aFileThatIsNoLibrary() throws Exception {
        Path file = Files.writeString(directory.resolve("text.so"), "this is text, and long enough to be looked at");
        assertThatThrownBy(() -> NativeLoader.load(file.toString(), null))
                .isInstanceOf(H2wsException.class)
                .hasMessageContaining("the file is no library")
                .hasCauseInstanceOf(UnsatisfiedLinkError.class);
    }

    @Test
    void aDirectoryThatIsNotThere() {
        org.junit.jupiter.api.Assumptions.assumeTrue(
                getClass().getResource("/META-INF/native/linux-x86_64/libh2ws_jni.so") != null);
        assertThatThrownBy(() -> NativeLoader.load(null, "/no/such/directory"))
                .isInstanceOf(H2wsException.class)
                .hasMessageContaining("/no/such/directory")
                .hasMessageContaining("-Ddev.h2ws.workdir=DIRECTORY");
    }

    @Test
    void noexec() {
        assertThat(explained("a.so: failed to map segment from shared object: Operation not permitted"))
                .contains("/some/where may be mounted with \"noexec\"")
                .contains("-Ddev.h2ws.workdir=DIRECTORY");
    }

    @Test
    void anotherLibc() {
        assertThat(explained("version `GLIBC_2.34' not found")).contains("C library").contains("musl");
        assertThat(explained("Error loading shared library ld-linux-x86-64.so.2")).contains("musl");
    }

    @Test
    void anotherMachine() {
        assertThat(explained("wrong ELF class: ELFCLASS32")).contains("another machine");
    }

    @Test
    void platformsAreNamedAsTheirResources() {
        assertThat(NativeLoader.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
        assertThat(NativeLoader.platform("Linux", "aarch64")).isEqualTo("linux-aarch64");
    }
}
