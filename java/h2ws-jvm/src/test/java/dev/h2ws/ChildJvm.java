package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, of the same JDK, with -Xcheck:jni; for what is decided once in the life of a JVM. */
public final class ChildJvm {
    private final Path directory;
    private final List<String> options = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();

    /**
     * One that has the tests' class path.
     *
     * @param directory for what it leaves
     */
    public ChildJvm(Path directory) {
        this(directory, System.getProperty("java.class.path"));
    }

    public ChildJvm(Path directory, String classPath) {
        this.directory = directory;
        options.add("-Xcheck:jni");
        // a crash leaves its report where it is thrown away
        options.add("-XX:ErrorFile=" + directory.resolve("crash.log"));
        options.add("-cp");
        options.add(classPath);
    }

    public ChildJvm with(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    public ChildJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** What it said; it must end with 0, in time and without a complaint about natives. */
    public String run(Class<?> main, String... arguments) throws Exception {
        // a file: a pipe that nobody reads would hold up a JVM that does not end
        Path said = Files.createTempFile(directory, "said", ".txt");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add(main.getName());
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(20, TimeUnit.SECONDS);
            String text = Files.readString(said);
            assertThat(ended).as("ended in 20 s; it said: %s", text).isTrue();
            assertThat(process.exitValue()).as(text).isZero();
            assertThat(text).doesNotContain("WARNING in native").doesNotContain("FATAL");
            return text;
        } finally {
            process.destroyForcibly();
        }
    }
}
