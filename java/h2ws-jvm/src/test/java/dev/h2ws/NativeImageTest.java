package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * GraalVM's native image lets JNI code look up what its metadata names, and nothing else. So what the natives look up,
 * as their sources say it, has to be in ours; and what is in ours has to be in the JDK. What the {@code jni} crate looks
 * up for itself is in no source of ours: the entries of {@code java.lang}, but for the string, and of arrays.
 */
class NativeImageTest {
    private static final Path NATIVES = Path.of("..", "..", "bindings", "jni", "src");
    private static final String METADATA = "/META-INF/native-image/dev.h2ws/h2ws-jvm/";

    private static final Pattern CLASS = Pattern.compile("find_class\\((?:jni::)?jni_str!\\(\"([^\"]+)\"\\)");
    private static final Pattern FIELD = Pattern.compile("get_field\\([^,]+,\\s*jni_str!\\(\"([^\"]+)\"\\)");
    private static final Pattern METHOD = Pattern.compile("call_method\\([^,]+,\\s*jni_str!\\(\"([^\"]+)\"\\)");
    private static final Pattern LOOK_UP =
            Pattern.compile("\\b(?:find_class|new_object|throw_new|(?:get|set|call)_\\w*(?:field|method)\\w*)\\(");

    /** Fields by name, methods as in {@code get(int, java.lang.String)}. */
    private record Entry(String name, List<String> fields, List<String> methods) {}

    private static Object metadata(String file) throws IOException {
        try (InputStream in = NativeImageTest.class.getResourceAsStream(METADATA + file)) {
            return Json.read(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static List<Entry> entries() throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (Object each : (List<?>) metadata("jni-config.json")) {
            Map<?, ?> entry = (Map<?, ?>) each;
            List<String> fields = members(entry, "fields").map(field -> (String) field.get("name")).collect(Collectors.toList());
            List<String> methods = members(entry, "methods")
                    .map(method -> signature((String) method.get("name"), ((List<?>) method.get("parameterTypes")).stream()))
                    .collect(Collectors.toList());
            entries.add(new Entry((String) entry.get("name"), fields, methods));
        }
        return entries;
    }

    private static Stream<Map<?, ?>> members(Map<?, ?> entry, String kind) {
        List<?> members = (List<?>) entry.get(kind);
        return members == null ? Stream.empty() : members.stream().map(member -> (Map<?, ?>) member);
    }

    private static String signature(String name, Stream<?> types) {
        return name + types.map(String::valueOf).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String sources() throws IOException {
        try (Stream<Path> files = Files.list(NATIVES)) {
            StringBuilder all = new StringBuilder();
            for (Path file : files.collect(Collectors.toList())) {
                all.append(Files.readString(file));
            }
            return all.toString();
        }
    }

    private static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).collect(Collectors.toList());
    }

    @Test
    void whatTheNativesLookUpIsInTheMetadata() throws Exception {
        String sources = sources();
        List<String> classes = found(CLASS, sources);
        List<String> fields = found(FIELD, sources);
        List<String> methods = found(METHOD, sources);
        assertThat(LOOK_UP.matcher(sources).results().map(MatchResult::group))
                .as("all look-ups; one of a form that this test does not know needs a pattern here")
                .isNotEmpty()
                .hasSize(classes.size() + fields.size() + methods.size());

        List<Entry> entries = entries();
        assertThat(entries.stream().map(entry -> entry.name().replace('.', '/'))).containsAll(classes);
        assertThat(entries.stream().flatMap(entry -> entry.fields().stream())).containsAll(fields);
        assertThat(entries.stream().flatMap(entry -> entry.methods().stream()).map(method -> method.split("\\(")[0]))
                .containsAll(methods);
    }

    @Test
    void whatTheMetadataNamesIsThere() throws Exception {
        for (Entry entry : entries()) {
            Class<?> named = Class.forName(entry.name(), false, getClass().getClassLoader());
            assertThat(Arrays.stream(named.getDeclaredFields()).map(Field::getName))
                    .as(entry.name())
                    .containsAll(entry.fields());
            // of a superclass or interface too, which is where `getMethods` looks
            assertThat(Stream.of(named.getDeclaredMethods(), named.getMethods())
                            .flatMap(Arrays::stream)
                            .map(method -> signature(
                                    method.getName(), Arrays.stream(method.getParameterTypes()).map(Class::getName))))
                    .as(entry.name())
                    .containsAll(entry.methods());
        }
    }

    @Test
    void theLibraryIsAResourceOfTheImage() throws Exception {
        Object resources = ((Map<?, ?>) metadata("resource-config.json")).get("resources");
        List<?> includes = (List<?>) ((Map<?, ?>) resources).get("includes");
        assertThat(includes).hasSize(1);
        assertThat("META-INF/native/linux-x86_64/libh2ws_jni.so")
                .matches((String) ((Map<?, ?>) includes.get(0)).get("pattern"));
    }
}
