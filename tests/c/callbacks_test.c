/* h2ws_callbacks: on which threads, what may be called inside, what may be NULL. */
#include "host.h"

static void a_minimal_host(void *user, const h2ws_request *r) {
  if (r->kind == H2WS_WEBSOCKET) CHECK_OK(h2ws_accept(user, r->stream, NULL));
  else CHECK_OK(h2ws_respond(user, r->stream, 200, NULL, str(NULL)));
}

static void all_but_on_request_may_be_null(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  h2ws_engine *engine = NULL;
  h2ws_listener listener;
  char address[64];
  client c;
  uint32_t id;
  CHECK_REFUSED(h2ws_engine_create(NULL, &callbacks, &engine), H2WS_INVALID_ARGUMENT, "callbacks->on_request is NULL");
  callbacks.on_request = a_minimal_host;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &engine));
  CHECK_OK(h2ws_listen(engine, H2WS_STR("127.0.0.1:0"), NULL, &listener));
  CHECK_OK(h2ws_listener_address(engine, listener, address, sizeof address, NULL));
  client_init(&c, tcp_connect(atoi(strrchr(address, ':') + 1)));
  client_open(&c);
  id = client_request(&c, "POST", "/", 0); /* a body for nobody */
  client_data(&c, id, END_STREAM, "abc", 3);
  CHECK(client_status(&c, id) == 200, "an answer");
  id = client_websocket(&c, "/", NULL);
  CHECK(client_status(&c, id) == 200, "a socket");
  client_text(&c, id, "for nobody");
  client_ws(&c, id, 1, H2WS_PING, "p", 1);
  client_expect_ws(&c, id, H2WS_PONG, "p");
  client_ws_close(&c, id, 1000, "", 1);
  client_expect_close(&c, id, 1000, "");
  client_websocket(&c, "", NULL); /* refused, with a log line for nobody */
  client_close(&c);
  CHECK_OK(h2ws_engine_destroy(engine));
}

/* In each callback: everything that may be called there. */
static void call_all(host *h, const event *e) {
  h2ws_engine *engine = h->engine;
  h2ws_stats stats = H2WS_STATS_INIT;
  h2ws_listener listener = 0;
  char text[64];
  int ends[2];
  if (e->type == REQUEST) {
    CHECK_OK(h2ws_accept(engine, e->stream, NULL));
    CHECK_OK(h2ws_send(engine, e->stream, H2WS_TEXT, H2WS_STR("welcome")));
  }
  if (e->type == MESSAGE) {
    CHECK_OK(h2ws_listen(engine, H2WS_STR("127.0.0.1:0"), NULL, &listener));
    CHECK_OK(h2ws_listener_address(engine, listener, text, sizeof text, NULL));
    CHECK_OK(h2ws_listener_close(engine, listener));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
    CHECK_OK(h2ws_adopt(engine, ends[0], str(NULL), NULL, NULL));
    close(ends[1]);
    CHECK_OK(h2ws_engine_stats(engine, &stats));
    CHECK_OK(h2ws_set_context(engine, e->stream, h));
    CHECK_OK(h2ws_demand(engine, e->stream, 1));
    CHECK_OK(h2ws_ping(engine, e->stream, H2WS_STR("1")));
    CHECK_OK(h2ws_pong(engine, e->stream, H2WS_STR("2")));
    CHECK_OK(h2ws_send_fragment(engine, e->stream, H2WS_TEXT, H2WS_STR("3"), 1));
    CHECK_STATUS(h2ws_drain(engine, 0), H2WS_WRONG_THREAD);
    CHECK_STATUS(h2ws_engine_destroy(engine), H2WS_WRONG_THREAD);
    CHECK_OK(h2ws_close(engine, e->stream, 4242, H2WS_STR("4")));
  }
  if (e->type == CLOSED) {
    h2ws_status status = h2ws_send(engine, e->stream, H2WS_TEXT, H2WS_STR("x"));
    CHECK(status == H2WS_GONE || status == H2WS_WRONG_STATE, "the stream takes nothing any more, not %d", status);
  }
}

static void everything_that_does_not_block_may_be_called_inside(void) {
  host *h = host_start(NULL, call_all);
  client c;
  h2ws_stream stream;
  uint32_t id;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  client_expect_ws(&c, id, H2WS_TEXT, "welcome");
  client_text(&c, id, "go");
  client_expect_ws(&c, id, H2WS_PING, "1");
  client_expect_ws(&c, id, H2WS_PONG, "2");
  client_expect_ws(&c, id, H2WS_TEXT, "3");
  client_expect_close(&c, id, 4242, "4");
  client_ws_close(&c, id, 4242, "", 1);
  CHECK(host_wait(h, CLOSED, stream, 0).context == h, "the context that was set inside");
  client_close(&c);
  host_stop(h);
}

static void abort_inside(host *h, const event *e) {
  if (e->type == REQUEST && e->kind == H2WS_WEBSOCKET) CHECK_OK(h2ws_accept(h->engine, e->stream, NULL));
  if (e->type == MESSAGE) {
    h2ws_status status;
    CHECK_OK(h2ws_abort(h->engine, e->stream, 8));
    status = h2ws_send(h->engine, e->stream, H2WS_TEXT, H2WS_STR("x"));
    CHECK(status == H2WS_GONE || status == H2WS_WRONG_STATE, "the stream takes nothing any more, not %d", status);
  }
}

static void a_stream_may_be_aborted_inside_its_own_event(void) {
  host *h = host_start(NULL, abort_inside);
  client c;
  h2ws_stream stream, sibling;
  uint32_t id, other;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  other = host_socket(h, &c, "/", &sibling);
  {
    bytes two = {NULL, 0, 0}; /* two messages in one DATA: the second comes after the end */
    ws_encode(&two, 1, H2WS_TEXT, "a", 1);
    ws_encode(&two, 1, H2WS_TEXT, "b", 1);
    client_data(&c, id, 0, two.data, two.len);
    free(two.data);
  }
  CHECK(client_reset(&c, id) == 8, "RST_STREAM(CANCEL)");
  host_wait(h, CLOSED, stream, 0);
  client_ws(&c, other, 1, H2WS_PING, "", 0);
  client_expect_ws(&c, other, H2WS_PONG, "");
  CHECK(host_count(h, MESSAGE, stream) == 1, "nothing after the end, not %d messages", host_count(h, MESSAGE, stream));
  client_close(&c);
  host_stop(h);
}

enum { RELEASED = 1, BLOCKED = 2, RETURNED = 4 };

/* "block" holds up its loop until the test says so, and 100 ms at least. */
static void block(host *h, const event *e) {
  if (e->type == MESSAGE && !strcmp(e->data, "block")) {
    struct timespec time = {0, 100000000};
    host_raise(h, BLOCKED);
    nanosleep(&time, NULL);
    CHECK(host_raised(h, RELEASED), "the other loop's client was answered while this one blocks");
    host_raise(h, RETURNED);
  }
  host_serve(h, e);
}

static void a_callback_that_blocks_holds_up_its_own_loop_alone(void) {
  h2ws_config config = H2WS_CONFIG_INIT;
  host *h;
  client c[2];
  h2ws_stream stream[2];
  uint32_t id[2];
  config.loops = 2;
  h = host_start(&config, block);
  host_client(h, &c[0]);
  id[0] = host_socket(h, &c[0], "/", &stream[0]);
  host_client(h, &c[1]);
  id[1] = host_socket(h, &c[1], "/", &stream[1]);
  CHECK(!pthread_equal(host_wait(h, REQUEST, stream[0], 0).thread, host_wait(h, REQUEST, stream[1], 0).thread),
        "two connections on two loops");
  client_text(&c[0], id[0], "block");
  CHECK(host_raised(h, BLOCKED), "the callback runs");
  client_text(&c[1], id[1], "meanwhile");
  client_expect_ws(&c[1], id[1], H2WS_TEXT, "meanwhile");
  CHECK(!(h->flag & RETURNED), "the answer came while the other callback blocks");
  host_raise(h, RELEASED);
  client_expect_ws(&c[0], id[0], H2WS_TEXT, "block");
  client_close(&c[0]);
  client_close(&c[1]);
  host_stop(h);
}

static void a_refused_handshake_is_logged_at_info_with_its_reason(void) {
  host *h = host_start(NULL, NULL);
  const char *fields[] = {":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "localhost",
                          ":path",   "/",       "sec-websocket-version", "12", "cookie", "very-secret", NULL};
  client c;
  int i, infos = 0, secrets = 0;
  host_client(h, &c);
  client_exchange(&c, 1);
  client_headers(&c, 1, 0, fields);
  CLIENT_UNTIL(&c, client_exchange(&c, 1)->status || client_exchange(&c, 1)->reset >= 0);
  CHECK(client_exchange(&c, 1)->status == 400, "400, not %d", client_exchange(&c, 1)->status);
  for (i = 0; i < host_count(h, LOG, 0); i++) {
    event e = host_wait(h, LOG, 0, i);
    infos += e.level == H2WS_LOG_INFO && strstr(e.data, "version") != NULL;
    secrets += strstr(e.data, "very-secret") != NULL;
    CHECK(e.level >= H2WS_LOG_ERROR && e.level <= H2WS_LOG_DEBUG, "a known level, not %d", e.level);
  }
  CHECK(infos == 1, "one line at info about the version, not %d", infos);
  CHECK(secrets == 0, "no values of header fields");
  CHECK(host_count(h, REQUEST, 0) == 0, "the host does not hear of it");
  client_close(&c);
  host_stop(h);
}

static void sizes_of_the_struct_are_checked(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  h2ws_engine *engine = NULL;
  size_t wrong[] = {0, 1, sizeof(h2ws_callbacks) - 1, (size_t)-1}, i;
  callbacks.on_request = a_minimal_host;
  for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    callbacks.size = wrong[i];
    CHECK_REFUSED(h2ws_engine_create(NULL, &callbacks, &engine), H2WS_INVALID_ARGUMENT, "initialise it with H2WS_CALLBACKS_INIT");
  }
  CHECK(engine == NULL, "the output is as it was");
}

int main(void) {
  check_begin();
  RUN(all_but_on_request_may_be_null);
  RUN(everything_that_does_not_block_may_be_called_inside);
  RUN(a_stream_may_be_aborted_inside_its_own_event);
  RUN(a_callback_that_blocks_holds_up_its_own_loop_alone);
  RUN(a_refused_handshake_is_logged_at_info_with_its_reason);
  RUN(sizes_of_the_struct_are_checked);
  return check_end();
}
