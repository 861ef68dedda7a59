package dev.h2ws.pekko.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class BurstTest {
    private final List<String> handled = new ArrayList<>();
    private final Queue<Runnable> executor = new ArrayDeque<>();

    @Test
    void whatComesOverItsConnectionMeanwhileIsHandledInOrder() {
        AtomicReference<Burst<String>> running = new AtomicReference<>();
        Burst<String> burst = new Burst<>(
                1,
                "a",
                request -> {
                    handled.add(request);
                    if (request.equals("b")) {
                        assertThat(running.get().add(1, "c")).isTrue();
                    }
                },
                executor::add);
        running.set(burst);
        assertThat(burst.add(1, "b")).isTrue();
        burst.run();
        assertThat(handled).containsExactly("a", "b", "c");
        assertThat(executor).isEmpty();
    }

    @Test
    void itTakesNothingOfAnotherConnectionAndNothingWhenItIsOver() {
        Burst<String> burst = new Burst<>(1, "a", handled::add, executor::add);
        assertThat(burst.add(2, "of another")).isFalse();
        burst.run();
        assertThat(burst.add(1, "late")).isFalse();
        assertThat(handled).containsExactly("a");
    }

    @Test
    void anErrorIsTheExecutorsAndTheOtherRequestsGoOn() {
        Burst<String> burst = new Burst<>(
                1,
                "a",
                request -> {
                    handled.add(request);
                    if (request.equals("a")) {
                        throw new StackOverflowError();
                    }
                },
                executor::add);
        burst.add(1, "b");
        assertThatThrownBy(burst::run).isInstanceOf(StackOverflowError.class);
        assertThat(handled).containsExactly("a");
        executor.remove().run();
        assertThat(handled).containsExactly("a", "b");
        assertThat(executor).isEmpty();
    }

    @Test
    void whatNoTaskIsToBeHadForIsGivenToAnother() {
        Burst<String> burst = new Burst<>(1, "a", request -> handled.add("handled " + request), executor::add);
        burst.add(1, "b");
        burst.forEach(request -> handled.add("refused " + request));
        assertThat(handled).containsExactly("refused a", "refused b");
        assertThat(burst.add(1, "c")).isFalse();
    }
}
