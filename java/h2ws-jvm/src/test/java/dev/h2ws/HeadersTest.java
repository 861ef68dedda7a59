package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeadersTest {
    private final Headers headers = Headers.of("a", "1", "B", "2").with("A", "3");

    @Test
    void namesAreFoundInAnyCase() {
        assertThat(headers.get("A")).contains("1");
        assertThat(headers.all("a")).containsExactly("1", "3");
        assertThat(headers.contains("b")).isTrue();
        assertThat(headers.get("c")).isEmpty();
        assertThat(headers.all("c")).isEmpty();
    }

    @Test
    void theOrderIsKept() {
        List<Map.Entry<String, String>> seen = new ArrayList<>();
        headers.forEach(seen::add);
        assertThat(seen).containsExactly(Map.entry("a", "1"), Map.entry("B", "2"), Map.entry("A", "3"));
        assertThat(headers.size()).isEqualTo(3);
    }

    @Test
    void theyDoNotChange() {
        String[] fields = {"a", "1"};
        Headers made = Headers.of(fields);
        fields[1] = "2";
        assertThat(made.get("a")).contains("1");
        assertThat(made.with("b", "2").size()).isEqualTo(2);
        assertThat(made.size()).isEqualTo(1);
    }

    @Test
    void equalityIsThatOfFields() {
        assertThat(headers).isEqualTo(Headers.of("A", "1", "b", "2", "a", "3")).hasSameHashCodeAs(
                Headers.of("A", "1", "b", "2", "a", "3"));
        assertThat(headers).isNotEqualTo(Headers.of("A", "1"));
        assertThat(Headers.of()).isEqualTo(Headers.of(new String[0]));
    }

    @Test
    void valuesAreNotInTheText() {
        assertThat(Headers.of("authorization", "secret")).hasToString("[authorization]");
    }

    @Test
    void aNameWithoutAValueIsAMistake() {
        assertThatThrownBy(() -> Headers.of("a", "1", "b")).hasMessageContaining("the field b has no value");
        assertThatThrownBy(() -> Headers.of("a", null)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> headers.with("a", null)).isInstanceOf(IllegalArgumentException.class);
    }
}
