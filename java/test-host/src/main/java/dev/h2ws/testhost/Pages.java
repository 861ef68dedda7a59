package dev.h2ws.testhost;

import dev.h2ws.BodyListener;
import dev.h2ws.Headers;
import dev.h2ws.Request;
import dev.h2ws.ResponseBody;
import dev.h2ws.SendResult;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The paths of ordinary requests. */
final class Pages {
    private static final long MAX_DELAY_MS = 600_000;
    private static final byte[] ZEROS = new byte[16 << 10];

    private final TestHost host;
    private final byte[] index;

    Pages(TestHost host) {
        this.host = host;
        try (InputStream page = Pages.class.getResourceAsStream("/page.html")) {
            index = page.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void open(Request request) {
        long[] n;
        if (TestHost.arguments(request, "/", 0) != null) {
            // clients that check HTTP/2 closely send bodies and trailers to it
            atItsEnd(request, () -> answer(request, "text/html; charset=utf-8", index));
        } else if (TestHost.arguments(request, "/hello", 0) != null) {
            if (allows(request, "GET", "HEAD")) {
                answer(request, "text/plain", "hello, world");
            }
        } else if ((n = TestHost.arguments(request, "/bytes/", 1)) != null) {
            if (allows(request, "GET", "HEAD")) {
                bytes(request, n[0]);
            }
        } else if (TestHost.arguments(request, "/echo-body", 0) != null) {
            if (allows(request, "POST", "PUT")) {
                echo(request);
            }
        } else if ((n = TestHost.arguments(request, "/slow/", 1)) != null) {
            if (allows(request, "GET", "HEAD")) {
                slow(request, n[0]);
            }
        } else if (TestHost.arguments(request, "/stats", 0) != null) {
            if (allows(request, "GET", "HEAD")) {
                answer(request, "application/json", Report.stats(host.engine.stats()));
            }
        } else if (TestHost.arguments(request, "/closed", 0) != null) {
            if (allows(request, "GET", "HEAD")) {
                answer(request, "application/json", host.report.closed());
            }
        } else if (TestHost.arguments(request, "/connection", 0) != null) {
            if (allows(request, "GET", "HEAD")) {
                answer(request, "application/json", Report.connection(request));
            }
        } else {
            request.respond(404, "not found\n");
        }
    }

    private static boolean allows(Request request, String... methods) {
        if (List.of(methods).contains(request.method())) {
            return true;
        }
        byte[] text = "method not allowed\n".getBytes(StandardCharsets.UTF_8);
        request.respond(405, Headers.of("allow", String.join(", ", methods)), text);
        return false;
    }

    private static void answer(Request request, String type, String text) {
        answer(request, type, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void answer(Request request, String type, byte[] body) {
        request.respond(200, Headers.of("content-type", type), body);
    }

    private static void atItsEnd(Request request, Runnable action) {
        request.body(new BodyListener() {
            @Override
            public void data(Request request, byte[] data) {}

            @Override
            public void end(Request request, Headers trailers) {
                action.run();
            }
        });
    }

    private static void bytes(Request request, long count) {
        Headers headers =
                Headers.of("content-type", "application/octet-stream", "content-length", Long.toString(count));
        ResponseBody body = request.respondStart(200, headers);
        new Object() {
            private long left = request.method().equals("HEAD") ? 0 : count;
            private boolean finished;

            void send() {
                while (left > 0) {
                    int length = (int) Math.min(left, ZEROS.length);
                    if (body.send(ZEROS, 0, length) != SendResult.SENT) {
                        return;
                    }
                    left -= length;
                }
                if (!finished) {
                    finished = true;
                    body.finish();
                }
            }

            void begin() {
                body.onWritable(this::send);
                send();
            }
        }.begin();
    }

    private static void echo(Request request) {
        ResponseBody response = request.respondStart(200, Headers.of("content-type", "application/octet-stream"));
        Outbox outbox = new Outbox(request::demand);
        response.onWritable(outbox::flush);
        request.body(
                new BodyListener() {
                    @Override
                    public void data(Request request, byte[] data) {
                        outbox.send(() -> response.send(data));
                        outbox.used();
                    }

                    @Override
                    public void end(Request request, Headers trailers) {
                        outbox.send(() -> {
                            response.finish(trailers);
                            return SendResult.SENT;
                        });
                    }
                },
                Outbox.CREDIT);
    }

    private void slow(Request request, long delay) {
        if (delay > MAX_DELAY_MS) {
            request.respond(400, "at most 600000 ms\n");
        } else {
            host.clock.schedule(() -> answer(request, "text/plain", "slow\n"), delay, TimeUnit.MILLISECONDS);
        }
    }
}
