package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.program.OneRequest;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the library is loaded from, as the properties say; a JVM does it once. */
class LibraryPlaceTest extends EngineTest {
    private static final String RESOURCE = "/META-INF/native/linux-x86_64/libh2ws_jni.so";

    @TempDir
    Path directory;

    @TempDir
    Path workdir;

    private static long files(Path in) throws Exception {
        try (Stream<Path> all = Files.list(in)) {
            return all.count();
        }
    }

    @Test
    void theFileThatIsNamed() throws Exception {
        Path mine = workdir.resolve("my_h2ws_jni.so");
        try (InputStream in = getClass().getResourceAsStream(RESOURCE)) {
            Files.copy(in, mine);
        }
        String said = new ChildJvm(directory).with("-Ddev.h2ws.native=" + mine).run(OneRequest.class);
        assertThat(said).contains("HTTP/1.1 200 OK").containsPattern("(?m)^library " + mine + "$");
        assertThat(mine).exists();
    }

    @Test
    void aCopyInTheDirectoryThatIsNamedGoneAtOnce() throws Exception {
        String said = new ChildJvm(directory).with("-Ddev.h2ws.workdir=" + workdir).run(OneRequest.class);
        assertThat(said)
                .contains("HTTP/1.1 200 OK")
                .containsPattern("(?m)^library " + workdir + "/h2ws_jni[0-9]+\\.so \\(deleted\\)$");
        assertThat(files(workdir)).isZero();
    }

    @Test
    void aCopyInTheJvmsOwnDirectory() throws Exception {
        String said = new ChildJvm(directory).with("-Djava.io.tmpdir=" + workdir).run(OneRequest.class);
        assertThat(said).containsPattern("(?m)^library " + workdir + "/h2ws_jni[0-9]+\\.so \\(deleted\\)$");
        assertThat(files(workdir)).isZero();
    }

    @Test
    void aFileThatIsNamedAndNotThereIsSaid() throws Exception {
        String said = new ChildJvm(directory).with("-Ddev.h2ws.native=" + workdir.resolve("no.so")).run(OneRequest.class);
        assertThat(said).contains("NO_LIBRARY").contains("there is no file " + workdir.resolve("no.so"));
    }
}
