/* Loops on the host's own threads: h2ws_engine_create_driven, h2ws_run, h2ws_interrupt, h2ws_stop. */
#include "host.h"

#include <signal.h>

/* A thread that runs loops until they end, and how that came out. */
typedef struct runner {
  host *h;
  uint32_t of_loop;
  pthread_t thread;
  h2ws_status status;
} runner;

enum { DONE = 1 };

static void *run(void *argument) {
  runner *r = argument;
  CHECK_OK(h2ws_run(r->h->engine, r->of_loop, 0));
  host_raise(r->h, DONE);
  do r->status = h2ws_run(r->h->engine, r->of_loop, -1);
  while (r->status == H2WS_OK);
  return NULL;
}
static void runner_start(runner *r, host *h, uint32_t of_loop) {
  r->h = h;
  r->of_loop = of_loop;
  CHECK(pthread_create(&r->thread, NULL, run, r) == 0, "a thread");
}
static void runner_end(runner *r) {
  CHECK(pthread_join(r->thread, NULL) == 0, "the thread");
  CHECK(r->status == H2WS_SHUTTING_DOWN, "a loop that has ended says H2WS_SHUTTING_DOWN, not %d", r->status);
}

static host *driven(uint32_t loops, void (*react)(host *, const event *)) {
  h2ws_config config = H2WS_CONFIG_INIT;
  config.loops = loops;
  return host_start_by(h2ws_engine_create_driven, &config, react);
}

static void threads_of_the_host_serve_and_no_others_do(void) {
  int i, j, threads = proc_count("/proc/self/task");
  host *h = driven(2, NULL);
  runner r[2];
  client c[4];
  CHECK(proc_count("/proc/self/task") == threads, "an engine without threads");
  for (i = 0; i < 2; i++) runner_start(&r[i], h, (uint32_t)i);
  for (i = 0; i < 4; i++) {
    h2ws_stream stream;
    uint32_t id;
    host_client(h, &c[i]);
    id = host_socket(h, &c[i], "/", &stream);
    for (j = 0; j < 20; j++) {
      client_text(&c[i], id, "hello");
      client_expect_ws(&c[i], id, H2WS_TEXT, "hello");
    }
  }
  for (i = 0; i < h->count; i++)
    CHECK(pthread_equal(h->events[i].thread, r[0].thread) || pthread_equal(h->events[i].thread, r[1].thread),
          "callback %d on a thread that runs a loop", i);
  CHECK_OK(h2ws_stop(h->engine));
  for (i = 0; i < 2; i++) runner_end(&r[i]);
  CHECK(host_count(h, CLOSED, 0) == 4, "on_closed of each stream before its loop had ended");
  for (i = 0; i < 4; i++) client_close(&c[i]);
  host_stop(h);
}

/* The client of a test whose main thread runs the loop: it opens a socket, tells of it and waits for the Close. */
static void *waits_for_close(void *argument) {
  host *h = argument;
  client c;
  h2ws_stream stream;
  uint32_t id;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_interrupt(h->engine, 0));
  client_expect_close(&c, id, 1001, "going away");
  client_ws_close(&c, id, 1001, "", 1);
  CLIENT_UNTIL(&c, 0);
  CHECK(c.eof, "the connection has ended");
  client_close(&c);
  return NULL;
}

static void one_thread_runs_drains_and_destroys(void) {
  host *h = driven(1, NULL);
  pthread_t client;
  event e;
  CHECK(pthread_create(&client, NULL, waits_for_close, h) == 0, "a thread");
  CHECK_OK(h2ws_run(h->engine, 0, -1)); /* until the client has interrupted it */
  CHECK_OK(h2ws_drain(h->engine, 60000));
  e = host_wait(h, CLOSED, 0, 0);
  CHECK(e.code == 1001, "closed with 1001, not %d", e.code);
  CHECK(pthread_equal(e.thread, pthread_self()), "on_closed on the thread that drains");
  CHECK(pthread_join(client, NULL) == 0, "the client");
  host_stop(h);
}

static void *connects(void *argument) {
  host *h = argument;
  client c;
  h2ws_stream stream;
  host_client(h, &c);
  host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_interrupt(h->engine, 0));
  CLIENT_UNTIL(&c, 0);
  CHECK(c.eof, "the connection has ended");
  client_close(&c);
  return NULL;
}

static void a_drain_cuts_what_is_left_at_its_deadline(void) {
  host *h = driven(1, NULL);
  pthread_t client;
  CHECK(pthread_create(&client, NULL, connects, h) == 0, "a thread");
  CHECK_OK(h2ws_run(h->engine, 0, -1));
  CHECK_OK(h2ws_drain(h->engine, 50));
  CHECK(host_count(h, CLOSED, 0) == 1, "the socket has ended");
  CHECK(pthread_join(client, NULL) == 0, "the client");
  host_stop(h);
}

static void destroy_on_the_thread_of_the_loop_tells_each_stream(void) {
  host *h = driven(1, NULL);
  pthread_t client;
  CHECK(pthread_create(&client, NULL, connects, h) == 0, "a thread");
  CHECK_OK(h2ws_run(h->engine, 0, -1));
  host_stop(h); /* checks one on_closed for each on_request */
  CHECK(pthread_join(client, NULL) == 0, "the client");
}

/* What a thread does that ends before its loop. */
static void *runs_and_leaves(void *argument) {
  host *h = argument;
  CHECK_OK(h2ws_run(h->engine, 0, -1));
  return NULL;
}

static void a_thread_that_ends_before_its_loop_cuts_the_connections(void) {
  host *h = driven(1, NULL);
  pthread_t client, thread;
  h2ws_stream stream;
  CHECK(pthread_create(&thread, NULL, runs_and_leaves, h) == 0, "a thread");
  CHECK(pthread_create(&client, NULL, connects, h) == 0, "a thread");
  CHECK(pthread_join(thread, NULL) == 0, "the thread");
  CHECK(pthread_join(client, NULL) == 0, "the client");
  stream = host_wait(h, REQUEST, 0, 0).stream;
  CHECK_REFUSED(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("x")), H2WS_SHUTTING_DOWN, "h2ws_send");
  CHECK_REFUSED(h2ws_run(h->engine, 0, 0), H2WS_WRONG_STATE, "loop 0 has a thread");
  CHECK_OK(h2ws_engine_destroy(h->engine));
  CHECK(host_count(h, CLOSED, 0) == 0, "without on_closed");
  host_free(h);
}

static void *asks(void *argument) {
  host *h = argument;
  client c;
  uint32_t id;
  host_client(h, &c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200, "an answer");
  client_close(&c);
  host_raise(h, DONE);
  return NULL;
}

static void a_run_without_time_does_what_is_ready(void) {
  host *h = driven(1, NULL);
  pthread_t client;
  int raised = 0;
  CHECK(pthread_create(&client, NULL, asks, h) == 0, "a thread");
  while (!raised) {
    CHECK_OK(h2ws_run(h->engine, 0, 0));
    pthread_mutex_lock(&h->lock);
    raised = h->flag & DONE;
    pthread_mutex_unlock(&h->lock);
  }
  CHECK(pthread_join(client, NULL) == 0, "the client");
  host_stop(h);
}

static void an_interrupt_waits_for_the_next_run(void) {
  host *h = driven(1, NULL);
  CHECK_OK(h2ws_interrupt(h->engine, 0));
  CHECK_OK(h2ws_interrupt(h->engine, 0));
  CHECK_OK(h2ws_run(h->engine, 0, -1)); /* returns */
  CHECK_OK(h2ws_run(h->engine, 0, 0));
  CHECK_OK(h2ws_interrupt(h->engine, 0));
  CHECK_OK(h2ws_run(h->engine, 0, -1));
  CHECK_OK(h2ws_stop(h->engine));
  CHECK_OK(h2ws_stop(h->engine));
  CHECK_REFUSED(h2ws_run(h->engine, 0, -1), H2WS_SHUTTING_DOWN, "the loop has ended");
  host_stop(h);
}

static host *interrupted;
static void on_alarm(int signal) {
  (void)signal;
  h2ws_interrupt(interrupted->engine, 0);
}

static void a_signal_handler_may_interrupt(void) {
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  interrupted = driven(1, NULL);
  CHECK(sigaction(SIGUSR1, &action, &before) == 0, "a handler");
  CHECK(raise(SIGUSR1) == 0, "the signal, before the loop is bound to a thread");
  CHECK_OK(h2ws_run(interrupted->engine, 0, -1));
  CHECK(raise(SIGUSR1) == 0, "the signal, while the loop rests");
  CHECK_OK(h2ws_run(interrupted->engine, 0, -1));
  CHECK(sigaction(SIGUSR1, &before, NULL) == 0, "as it was");
  host_stop(interrupted);
}

static void run_inside(host *h, const event *e) {
  if (e->type == MESSAGE) {
    CHECK_REFUSED(h2ws_run(h->engine, 0, 0), H2WS_WRONG_THREAD, "inside a callback");
    CHECK_STATUS(h2ws_drain(h->engine, 1), H2WS_WRONG_THREAD);
    CHECK_STATUS(h2ws_engine_destroy(h->engine), H2WS_WRONG_THREAD);
    CHECK_OK(h2ws_interrupt(h->engine, 0));
  }
  host_serve(h, e);
}

static void inside_a_callback_a_loop_is_interrupted_and_not_run(void) {
  host *h = driven(1, run_inside);
  runner r;
  client c;
  h2ws_stream stream;
  uint32_t id;
  runner_start(&r, h, 0);
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  client_text(&c, id, "hello");
  client_expect_ws(&c, id, H2WS_TEXT, "hello");
  CHECK_OK(h2ws_stop(h->engine));
  runner_end(&r);
  client_close(&c);
  host_stop(h);
}

static void a_loop_is_one_threads_and_a_thread_has_one_loop(void) {
  host *h = driven(2, NULL), *other = driven(1, NULL), *threads = host_start(NULL, NULL);
  runner r;
  int32_t timeouts[] = {-2, INT32_MIN};
  size_t i;
  CHECK_REFUSED(h2ws_run(threads->engine, 0, 0), H2WS_WRONG_STATE, "loop 0 has a thread");
  CHECK_OK(h2ws_interrupt(threads->engine, 0)); /* does nothing */
  CHECK_REFUSED(h2ws_run(h->engine, 2, 0), H2WS_INVALID_ARGUMENT, "there is no loop 2; the engine has 2, counted from 0");
  CHECK_REFUSED(h2ws_interrupt(h->engine, 2), H2WS_INVALID_ARGUMENT, "there is no loop 2");
  for (i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
    CHECK_REFUSED(h2ws_run(h->engine, 0, timeouts[i]), H2WS_INVALID_ARGUMENT, "pass 0 or more, or -1 for no limit");
  CHECK_OK(h2ws_run(h->engine, 0, 0));
  CHECK_REFUSED(h2ws_run(h->engine, 1, 0), H2WS_WRONG_THREAD, "this thread has loop 0");
  CHECK_REFUSED(h2ws_run(other->engine, 0, 0), H2WS_WRONG_THREAD, "this thread has loop 0");
  runner_start(&r, h, 1);
  /* the engine of a loop that another thread runs lives on */
  CHECK(host_raised(h, DONE), "the other thread runs its loop");
  CHECK_REFUSED(h2ws_engine_destroy(h->engine), H2WS_WRONG_STATE, "a loop of another thread has not ended");
  CHECK_OK(h2ws_stop(h->engine));
  runner_end(&r);
  host_stop(h);
  host_stop(threads);
  CHECK_OK(h2ws_run(other->engine, 0, 0)); /* the thread is free again */
  host_stop(other);
}

int main(void) {
  check_begin();
  RUN(threads_of_the_host_serve_and_no_others_do);
  RUN(one_thread_runs_drains_and_destroys);
  RUN(a_drain_cuts_what_is_left_at_its_deadline);
  RUN(destroy_on_the_thread_of_the_loop_tells_each_stream);
  RUN(a_thread_that_ends_before_its_loop_cuts_the_connections);
  RUN(a_run_without_time_does_what_is_ready);
  RUN(an_interrupt_waits_for_the_next_run);
  RUN(a_signal_handler_may_interrupt);
  RUN(inside_a_callback_a_loop_is_interrupted_and_not_run);
  RUN(a_loop_is_one_threads_and_a_thread_has_one_loop);
  return check_end();
}
