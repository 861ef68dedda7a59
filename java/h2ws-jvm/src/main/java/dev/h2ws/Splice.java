package dev.h2ws;

import java.nio.ByteBuffer;

/**
 * Two duplexes, each of which gets what the other one reads, until both have ended. All of it happens in their callbacks, under
 * one lock: they may be told on different threads.
 */
final class Splice {
    private final Way down;
    private final Way up;
    private boolean over;

    private Splice(Duplex one, Duplex other) {
        down = new Way(one, other);
        up = new Way(other, one);
    }

    /** Joins them. */
    static void join(Duplex one, Duplex other) {
        Splice splice = new Splice(one, other);
        one.listen(splice.new End(splice.down, splice.up));
        other.listen(splice.new End(splice.up, splice.down));
        splice.move();
    }

    private synchronized void move() {
        if (!over) {
            down.move();
        }
        if (!over) {
            up.move();
        }
        if (!over && down.done && up.done) {
            over = true;
            down.end();
            up.end();
        }
    }

    private void cut() {
        over = true;
        down.from.abort();
        up.from.abort();
    }

    /** One direction. */
    private final class Way {
        private final Duplex from;
        private final Duplex to;
        /** What was read and found no room. */
        private ByteBuffer rest;

        private boolean ended;
        private boolean done;
        private boolean lost;

        Way(Duplex from, Duplex to) {
            this.from = from;
            this.to = to;
        }

        private void move() {
            ByteBuffer buffer = null;
            try {
                while (!done && !over) {
                    if (rest != null && !flush()) {
                        return;
                    }
                    if (ended) {
                        to.shutdownOutput();
                        done = true;
                        return;
                    }
                    if (buffer == null) {
                        buffer = Buffers.HEAP.take();
                    }
                    int n = from.read(buffer.clear());
                    if (n == 0) {
                        return;
                    }
                    if (n == Duplex.RESET) {
                        cut();
                        return;
                    }
                    if (n == Duplex.END) {
                        ended = true;
                        continue;
                    }
                    buffer.flip();
                    if (to.write(buffer) < 0) {
                        gone();
                    } else if (buffer.hasRemaining()) {
                        rest = ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
                    }
                }
            } finally {
                if (buffer != null) {
                    Buffers.HEAP.give(buffer);
                }
            }
        }

        /** False: there is still no room. */
        private boolean flush() {
            if (to.write(rest) < 0) {
                gone();
                return false;
            }
            if (rest.hasRemaining()) {
                return false;
            }
            rest = null;
            return true;
        }

        /** Nobody takes what comes; what the other side still has to say goes out. */
        private void gone() {
            rest = null;
            lost |= !done;
            done = true;
        }

        /** Who still speaks to nobody has to hear that, and would wait for room. */
        private void end() {
            if (lost) {
                from.abort();
            } else {
                from.close();
            }
        }
    }

    private final class End implements Duplex.Listener {
        private final Way out;
        private final Way in;

        End(Way out, Way in) {
            this.out = out;
            this.in = in;
        }

        @Override
        public void readable() {
            move();
        }

        @Override
        public void writable() {
            move();
        }

        @Override
        public void closed() {
            synchronized (Splice.this) {
                // what it has left is read by the move; nothing more can be given to it
                in.gone();
                move();
                if (!over && !out.done && out.rest == null) {
                    cut();
                }
            }
        }
    }
}
