package dev.h2ws.pekko;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/** A client that sends binary messages in a thread of its own, where it may be held back. */
public final class Sender {
    private static final int LOOKS = 5;
    private static final int MOST_LOOKS = 1000;

    private final int count;
    private final Thread thread;
    private volatile int sent;

    public Sender(Wire wire, int count, byte[] message) {
        this.count = count;
        thread = new Thread(
                () -> {
                    try {
                        while (sent < count) {
                            wire.frame(Wire.BINARY, true, message);
                            sent++;
                        }
                    } catch (Exception e) {
                        wire.heard.add("sending failed: " + e);
                    }
                },
                "sender");
        thread.setDaemon(true);
        thread.start();
    }

    /** Returns when it has sent all, or gets no further. */
    public void untilItRests() {
        untilItRests(() -> sent);
    }

    /** Returns when something gets no further: the same number at several looks. */
    public static void untilItRests(IntSupplier progress) {
        int before = 0;
        int same = 0;
        for (int looks = 0; looks < MOST_LOOKS && same < LOOKS; looks++) {
            int now = progress.getAsInt();
            // before the first it has not begun
            same = now > 0 && now == before ? same + 1 : 0;
            before = now;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    public boolean isThrough() {
        return sent == count;
    }

    /** Returns when it has sent all, or has failed. */
    public void join() throws InterruptedException {
        thread.join(TimeUnit.SECONDS.toMillis(30));
    }
}
