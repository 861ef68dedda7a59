package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.h2ws.program.OneRequest;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With and without the permission to load native code that JEP 472 asks for: from JDK 24 on its absence is warned of. */
class NativeAccessTest extends EngineTest {
    private static final boolean ASKED_FOR = Runtime.version().feature() >= 24;
    private static final String WARNING = "WARNING: A restricted method in java.lang.System has been called";

    @TempDir
    Path directory;

    private static String place(Class<?> of) {
        return Path.of(of.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
    }

    private ChildJvm onTheClassPath() {
        return new ChildJvm(directory);
    }

    private ChildJvm asAModule() {
        return new ChildJvm(directory, place(OneRequest.class))
                .with("--module-path", place(H2ws.class), "--add-modules", "dev.h2ws");
    }

    private static void served(String said, String module, boolean warned) {
        assertThat(said).contains("module " + module).contains("HTTP/1.1 200 OK").contains("served");
        if (warned) {
            assertThat(said).contains(WARNING);
        } else {
            assertThat(said).doesNotContain("A restricted method");
        }
    }

    @Test
    void onTheClassPathWithout() throws Exception {
        served(onTheClassPath().run(OneRequest.class), "null", ASKED_FOR);
    }

    @Test
    void onTheClassPathWith() throws Exception {
        served(onTheClassPath().with("--enable-native-access=ALL-UNNAMED").run(OneRequest.class), "null", false);
    }

    @Test
    void asAModuleWithout() throws Exception {
        served(asAModule().run(OneRequest.class), "dev.h2ws", ASKED_FOR);
    }

    @Test
    void asAModuleWith() throws Exception {
        served(asAModule().with("--enable-native-access=dev.h2ws").run(OneRequest.class), "dev.h2ws", false);
    }

    @Test
    void aDenialNamesTheFlag() throws Exception {
        if (!ASKED_FOR) {
            // JDK 17 has no flag that denies it
            return;
        }
        String deny = "--illegal-native-access=deny";
        assertThat(onTheClassPath().with(deny).run(OneRequest.class))
                .contains("NO_LIBRARY")
                .contains("--enable-native-access=ALL-UNNAMED");
        assertThat(asAModule().with(deny).run(OneRequest.class))
                .contains("NO_LIBRARY")
                .contains("--enable-native-access=dev.h2ws");
        served(asAModule().with(deny, "--enable-native-access=dev.h2ws").run(OneRequest.class), "dev.h2ws", false);
    }
}
