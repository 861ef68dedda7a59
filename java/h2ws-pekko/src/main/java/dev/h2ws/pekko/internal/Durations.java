package dev.h2ws.pekko.internal;

import java.time.Duration;

/** Scala's durations as Java's. */
final class Durations {
    private Durations() {}

    /** Null for an infinite one. */
    static Duration finite(scala.concurrent.duration.Duration duration) {
        return duration.isFinite() ? Duration.ofNanos(duration.toNanos()) : null;
    }
}
