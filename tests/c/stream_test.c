/* h2ws_stream: handles, live and stale. */
#include "host.h"

/* Every call that takes a stream, with good arguments. */
static void all_give(h2ws_engine *engine, h2ws_stream stream, h2ws_status expected) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  options.subprotocol = H2WS_STR("never-offered");
  CHECK_STATUS(h2ws_accept(engine, stream, NULL), expected);
  CHECK_STATUS(h2ws_accept(engine, stream, &options), expected);
  CHECK_STATUS(h2ws_reject(engine, stream, 403, NULL, H2WS_STR("x")), expected);
  CHECK_STATUS(h2ws_respond(engine, stream, 200, NULL, H2WS_STR("x")), expected);
  CHECK_STATUS(h2ws_respond_start(engine, stream, 200, NULL), expected);
  CHECK_STATUS(h2ws_inform(engine, stream, 103, NULL), expected);
  CHECK_STATUS(h2ws_send_body(engine, stream, H2WS_STR("x")), expected);
  CHECK_STATUS(h2ws_finish(engine, stream, NULL), expected);
  CHECK_STATUS(h2ws_send(engine, stream, H2WS_TEXT, H2WS_STR("x")), expected);
  CHECK_STATUS(h2ws_send_fragment(engine, stream, H2WS_TEXT, H2WS_STR("x"), 1), expected);
  CHECK_STATUS(h2ws_ping(engine, stream, str(NULL)), expected);
  CHECK_STATUS(h2ws_pong(engine, stream, str(NULL)), expected);
  CHECK_STATUS(h2ws_close(engine, stream, 1000, str(NULL)), expected);
  CHECK_STATUS(h2ws_abort(engine, stream, 8), expected);
  CHECK_STATUS(h2ws_demand(engine, stream, 1), expected);
  CHECK_STATUS(h2ws_set_demand(engine, stream), expected);
  CHECK_STATUS(h2ws_set_context(engine, stream, NULL), expected);
}

static void numbers_that_never_were_handles_are_gone(void) {
  host *h = host_start(NULL, NULL);
  h2ws_stream numbers[] = {0, 1, 2, 0xffffffff, 0x100000000, 0x8000000000000000u, 0xffffffffffffffffu, 0x0200000000000001u};
  size_t i;
  char text[64];
  for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    all_give(h->engine, numbers[i], H2WS_GONE);
    if (numbers[i] == h->listener) continue;
    CHECK_STATUS(h2ws_listener_close(h->engine, numbers[i]), H2WS_GONE);
    CHECK_STATUS(h2ws_listener_address(h->engine, numbers[i], text, sizeof text, NULL), H2WS_GONE);
  }
  host_stop(h);
}

static void a_stream_that_has_ended_is_gone_for_ever(void) {
  host *h = host_start(NULL, NULL);
  h2ws_stream stale, stream;
  h2ws_connection connection;
  client c;
  uint32_t id;
  int i;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stale);
  connection = host_wait(h, REQUEST, stale, 0).connection;
  all_give(h->engine, connection, H2WS_GONE); /* a connection is no stream */
  client_ws_close(&c, id, 1000, "", 1);
  host_closed(h, stale);
  all_give(h->engine, stale, H2WS_GONE);
  for (i = 0; i < 100; i++) { /* its place is used again; the old name stays stale and harms nobody */
    id = host_socket(h, &c, "/", &stream);
    CHECK(stream != stale, "a name of its own");
    all_give(h->engine, stale, H2WS_GONE);
    client_text(&c, id, "mine");
    client_expect_ws(&c, id, H2WS_TEXT, "mine");
    client_ws_close(&c, id, 1000, "", 1);
    host_wait(h, CLOSED, stream, 0);
  }
  client_close(&c);
  host_stop(h);
}

static void ending_twice_is_harmless(void) {
  host *h = host_start(NULL, NULL);
  h2ws_stream stream;
  client c;
  uint32_t id;
  h2ws_status second;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_abort(h->engine, stream, 8));
  second = h2ws_abort(h->engine, stream, 8);
  CHECK(second == H2WS_OK || second == H2WS_GONE, "taken or gone, not %d", second);
  CHECK(client_reset(&c, id) == 8, "one RST_STREAM");
  host_closed(h, stream);
  CHECK_STATUS(h2ws_abort(h->engine, stream, 8), H2WS_GONE);
  client_close(&c);
  host_stop(h); /* and one on_closed */
}

typedef struct abuse {
  host *h;
  h2ws_stream stream;
  int wrong;
} abuse;

/* Uses a handle without pause while it goes stale. */
static void *use(void *argument) {
  abuse *a = argument;
  int i;
  for (i = 0; i < 20000; i++) {
    h2ws_status status = h2ws_send(a->h->engine, a->stream, H2WS_TEXT, H2WS_STR("x"));
    if (status != H2WS_OK && status != H2WS_BUSY && status != H2WS_GONE && status != H2WS_WRONG_STATE) a->wrong = status;
    if (status == H2WS_GONE) break;
  }
  return NULL;
}

static void a_handle_may_go_stale_while_other_threads_use_it(void) {
  host *h = host_start(NULL, NULL);
  int round;
  for (round = 0; round < 10; round++) {
    abuse a = {h, 0, 0};
    pthread_t threads[3];
    client c;
    int i;
    host_client(h, &c);
    host_socket(h, &c, "/", &a.stream);
    for (i = 0; i < 3; i++) pthread_create(&threads[i], NULL, use, &a);
    client_close(&c);
    for (i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    host_closed(h, a.stream);
    CHECK(a.wrong == 0, "H2WS_OK, H2WS_BUSY, H2WS_WRONG_STATE or H2WS_GONE, not %d", a.wrong);
    CHECK_STATUS(h2ws_send(h->engine, a.stream, H2WS_TEXT, H2WS_STR("x")), H2WS_GONE);
  }
  host_stop(h);
}

static void *say_one(void *argument) {
  abuse *a = argument;
  a->wrong = h2ws_send(a->h->engine, a->stream, H2WS_TEXT, H2WS_STR("one"));
  return NULL;
}

/* Inside a callback: another thread speaks first, then this one. */
static void speak_after_another_thread(host *h, const event *e) {
  abuse a = {h, 0, 0};
  pthread_t thread;
  if (e->type != MESSAGE) {
    host_serve(h, e);
    return;
  }
  a.stream = e->stream;
  pthread_create(&thread, NULL, say_one, &a);
  pthread_join(thread, NULL);
  CHECK_OK(a.wrong);
  CHECK_OK(h2ws_send(h->engine, e->stream, H2WS_TEXT, H2WS_STR("two")));
  CHECK_OK(h2ws_close(h->engine, e->stream, 1000, H2WS_STR("three")));
}

static void what_is_said_first_goes_out_first_whichever_thread_says_it(void) {
  host *h = host_start(NULL, speak_after_another_thread);
  h2ws_stream stream;
  client c;
  uint32_t id;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  client_text(&c, id, "go");
  client_expect_ws(&c, id, H2WS_TEXT, "one");
  client_expect_ws(&c, id, H2WS_TEXT, "two");
  client_expect_close(&c, id, 1000, "three");
  client_close(&c);
  host_stop(h);
}

static void *accept_it(void *argument) {
  abuse *a = argument;
  a->wrong = h2ws_accept(a->h->engine, a->stream, NULL);
  return NULL;
}

/* Another thread accepts the second stream while the first one's callback runs, which then sends to it. */
static void send_to_a_stream_just_accepted_elsewhere(host *h, const event *e) {
  abuse a = {h, 0, 0};
  pthread_t thread;
  if (e->type == REQUEST && !strcmp(e->data, "/first")) CHECK_OK(h2ws_accept(h->engine, e->stream, NULL));
  if (e->type != MESSAGE) return;
  a.stream = host_wait(h, REQUEST, 0, 1).stream;
  pthread_create(&thread, NULL, accept_it, &a);
  pthread_join(thread, NULL);
  CHECK_OK(a.wrong);
  CHECK_OK(h2ws_send(h->engine, a.stream, H2WS_TEXT, H2WS_STR("welcome")));
}

static void a_stream_accepted_on_another_thread_takes_messages_at_once(void) {
  host *h = host_start(NULL, send_to_a_stream_just_accepted_elsewhere);
  h2ws_stream stream;
  client c;
  uint32_t id, second;
  host_client(h, &c);
  id = host_socket(h, &c, "/first", &stream);
  second = client_websocket(&c, "/second", NULL);
  host_wait(h, REQUEST, 0, 1);
  client_text(&c, id, "go");
  CHECK(client_status(&c, second) == 200, "accepted");
  client_expect_ws(&c, second, H2WS_TEXT, "welcome");
  client_close(&c);
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(numbers_that_never_were_handles_are_gone);
  RUN(a_stream_that_has_ended_is_gone_for_ever);
  RUN(ending_twice_is_harmless);
  RUN(a_handle_may_go_stale_while_other_threads_use_it);
  RUN(what_is_said_first_goes_out_first_whichever_thread_says_it);
  RUN(a_stream_accepted_on_another_thread_takes_messages_at_once);
  return check_end();
}
