package dev.h2ws.pekko.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.pekko.http.javadsl.model.Uri;
import org.junit.jupiter.api.Test;

class TargetsTest {
    private final Targets targets = new Targets(Uri.RELAXED);

    @Test
    void whatIsAskedForAgainIsParsedOnce() {
        Uri first = targets.of("http://localhost/hello?x=1");
        assertThat(targets.of(new String("http://localhost/hello?x=1"))).isSameAs(first);
    }

    @Test
    void eachHasItsOwnHoweverManyShareAPlace() {
        for (int round = 0; round < 2; round++) {
            for (int n = 0; n < 4 * Targets.KEPT; n++) {
                assertThat(targets.of("http://localhost/" + n).path()).isEqualTo("/" + n);
            }
        }
    }

    @Test
    void longOnesAreNotKept() {
        String text = "http://localhost/" + "a".repeat(Targets.LONGEST);
        assertThat(targets.of(text)).isEqualTo(targets.of(text)).isNotSameAs(targets.of(text));
    }

    @Test
    void whatIsNoneIsRefusedEachTime() {
        for (int round = 0; round < 2; round++) {
            assertThatThrownBy(() -> targets.of("http://[::1/")).isInstanceOf(RuntimeException.class);
        }
    }
}
