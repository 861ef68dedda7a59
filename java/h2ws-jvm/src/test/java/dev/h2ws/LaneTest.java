package dev.h2ws;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class LaneTest {
    private final List<String> ran = new ArrayList<>();
    private final List<Throwable> thrown = new ArrayList<>();

    @Test
    void withoutAnExecutorCallbacksRunAtOnceAndThoseGivenInsideThemAfterwards() {
        Lane lane = new Lane(null, thrown::add);
        lane.execute(() -> {
            lane.execute(() -> ran.add("inner"));
            ran.add("outer");
        });
        lane.execute(() -> ran.add("next"));
        assertThat(ran).containsExactly("outer", "inner", "next");
    }

    @Test
    void whatOneThrowsDoesNotKeepTheNextFromRunning() {
        Lane lane = new Lane(null, thrown::add);
        lane.execute(() -> {
            lane.execute(() -> ran.add("next"));
            throw new Exception("on purpose");
        });
        assertThat(ran).containsExactly("next");
        assertThat(thrown).singleElement().satisfies(t -> assertThat(t).hasMessage("on purpose"));
    }

    @Test
    void anExecutorGetsOneTaskForManyCallbacksAndAnotherAfterATurn() {
        Queue<Runnable> tasks = new ArrayDeque<>();
        Lane lane = new Lane(tasks::add, thrown::add);
        for (int i = 0; i < 100; i++) {
            String name = "" + i;
            lane.execute(() -> ran.add(name));
        }
        assertThat(tasks).hasSize(1);
        tasks.remove().run();
        assertThat(ran).hasSize(64);
        assertThat(tasks).hasSize(1);
        tasks.remove().run();
        assertThat(ran).hasSize(100).startsWith("0", "1").endsWith("98", "99");
        assertThat(tasks).isEmpty();
    }

    @Test
    void anExecutorThatRefusesIsDoneWithout() {
        Lane lane = new Lane(
                task -> {
                    throw new RejectedExecutionException();
                },
                thrown::add);
        lane.execute(() -> ran.add("here"));
        assertThat(ran).containsExactly("here");
    }

    @Test
    void oneThatItsCallerRunsKeepsTheOrder() {
        Lane lane = new Lane(null, thrown::add);
        assertThat(lane.begin()).isTrue();
        assertThat(lane.begin()).as("while one runs").isFalse();
        lane.execute(() -> ran.add("after"));
        ran.add("own");
        lane.end(new Exception("on purpose"));
        assertThat(ran).containsExactly("own", "after");
        assertThat(thrown).hasSize(1);
        assertThat(lane.begin()).isTrue();
        lane.end(null);
    }

    @Test
    void withAnExecutorNoneIsItsCallersToRun() {
        assertThat(new Lane(Runnable::run, thrown::add).begin()).isFalse();
    }
}
