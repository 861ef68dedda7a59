package dev.h2ws.pekko.internal;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.TimeoutAccess;
import org.apache.pekko.http.scaladsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.headers.Timeout$minusAccess;
import org.apache.pekko.japi.Function;
import org.apache.pekko.stream.Materializer;
import scala.Function1;
import scala.concurrent.duration.Duration;
import scala.concurrent.duration.FiniteDuration;

/**
 * A request over HTTP/1.1 that its route does not answer within {@code request-timeout} is answered for it. The time is
 * counted from the end of the request. The route may change time and answer, by the header {@code Timeout-Access} or
 * the directives that look for it. Over HTTP/2 there is none, as in stock. An answer that is there at once costs no timer.
 *
 * <p>From any thread. The answer is made on the materializer's executor.
 */
final class RequestTimeout implements TimeoutAccess {
    private final Materializer materializer;
    private final Consumer<Supplier<HttpResponse>> late;
    private HttpRequest request;
    // guarded by this
    private Duration timeout;
    private Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> handler;
    /** When the request ended, by {@link System#nanoTime}. */
    private long end;
    private boolean ended;
    /** The route has not answered at once. */
    private boolean waits;
    private boolean over;
    /** Of the time that counts; what an earlier one has set off is too late. */
    private int turn;
    private Cancellable scheduled;

    /**
     * A timeout whose time does not run yet.
     *
     * @param answer of the request, if its route does not change it
     * @param late hears of the answer to make when the time is over
     */
    RequestTimeout(
            Duration timeout,
            Materializer materializer,
            Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> answer,
            Consumer<Supplier<HttpResponse>> late) {
        this.timeout = timeout;
        this.materializer = materializer;
        this.late = late;
        handler = answer;
    }

    /** The request with the header. Once, before all else. */
    HttpRequest of(HttpRequest model) {
        request = model;
        return model.addHeader(new Timeout$minusAccess(this));
    }

    /** The request has come to its end. */
    synchronized void begin() {
        end = System.nanoTime();
        ended = true;
        schedule();
    }

    /** The route answers later. */
    synchronized void waits() {
        waits = true;
        schedule();
    }

    /** There is an answer. False: there was one already, or the time is over. */
    synchronized boolean answered() {
        if (over) {
            return false;
        }
        over = true;
        cancel();
        return true;
    }

    private void cancel() {
        turn++;
        if (scheduled != null) {
            scheduled.cancel();
            scheduled = null;
        }
    }

    private void schedule() {
        cancel();
        if (!ended || !waits || over || !(timeout instanceof FiniteDuration)) {
            return;
        }
        long left = Math.max(0, timeout.toNanos() - (System.nanoTime() - end));
        int mine = turn;
        scheduled = materializer.scheduleOnce(Duration.create(left, TimeUnit.NANOSECONDS), () -> expire(mine));
    }

    private void expire(int mine) {
        Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> answer;
        synchronized (this) {
            if (over || mine != turn) {
                return;
            }
            over = true;
            answer = handler;
        }
        late.accept(() -> answer.apply((org.apache.pekko.http.scaladsl.model.HttpRequest) request));
    }

    @Override
    public synchronized Duration timeout() {
        return timeout;
    }

    @Override
    public Duration getTimeout() {
        return timeout();
    }

    @Override
    public void updateTimeout(Duration to) {
        update(to, (Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse>) null);
    }

    /** A method of Pekko HTTP from 1.3 on. */
    public void updateTimeout(java.time.Duration to) {
        updateTimeout(scala(to));
    }

    @Override
    public void updateHandler(Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> to) {
        update((Duration) null, to);
    }

    @Override
    public void updateHandler(Function<HttpRequest, org.apache.pekko.http.javadsl.model.HttpResponse> to) {
        updateHandler(scala(to));
    }

    @Override
    public synchronized void update(
            Duration time, Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> answer) {
        timeout = time == null ? timeout : time;
        handler = answer == null ? handler : answer;
        schedule();
    }

    @Override
    public void update(Duration time, Function<HttpRequest, org.apache.pekko.http.javadsl.model.HttpResponse> answer) {
        update(time, scala(answer));
    }

    /** A method of Pekko HTTP from 1.3 on. */
    public void update(
            java.time.Duration time, Function<HttpRequest, org.apache.pekko.http.javadsl.model.HttpResponse> answer) {
        update(scala(time), scala(answer));
    }

    private static Duration scala(java.time.Duration time) {
        return Duration.create(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static Function1<org.apache.pekko.http.scaladsl.model.HttpRequest, HttpResponse> scala(
            Function<HttpRequest, org.apache.pekko.http.javadsl.model.HttpResponse> function) {
        return request -> {
            try {
                return (HttpResponse) function.apply(request);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
    }
}
