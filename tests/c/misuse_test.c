/* Every argument wrong in turn: a status, and a text that names it. */
#include "host.h"

static void no_engine(void) {
  h2ws_stats stats = H2WS_STATS_INIT;
  h2ws_str none = {NULL, 0};
  h2ws_listener listener;
  char text[8];
  static const char words[] = "engine is NULL; pass what h2ws_engine_create gave";
  CHECK_OK(h2ws_engine_destroy(NULL));
  CHECK_REFUSED(h2ws_drain(NULL, 1), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_run(NULL, 0, 0), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_interrupt(NULL, 0), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_stop(NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_listen(NULL, H2WS_STR("127.0.0.1:0"), NULL, &listener), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_listener_address(NULL, 1, text, sizeof text, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_listener_close(NULL, 1), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_accept(NULL, 1, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_reject(NULL, 1, 403, NULL, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_respond(NULL, 1, 200, NULL, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_respond_start(NULL, 1, 200, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_inform(NULL, 1, 103, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_send_body(NULL, 1, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_finish(NULL, 1, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_send(NULL, 1, H2WS_TEXT, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_send_fragment(NULL, 1, H2WS_TEXT, none, 1), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_ping(NULL, 1, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_pong(NULL, 1, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_close(NULL, 1, 1000, none), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_abort(NULL, 1, 8), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_demand(NULL, 1, 1), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_set_demand(NULL, 1), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_set_context(NULL, 1, NULL), H2WS_INVALID_ARGUMENT, words);
  CHECK_REFUSED(h2ws_engine_stats(NULL, &stats), H2WS_INVALID_ARGUMENT, words);
}

static void nothing(void *user, const h2ws_request *r) { (void)user, (void)r; }

static void create_without_what_it_needs(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  h2ws_engine *engine = NULL;
  callbacks.on_request = nothing;
  CHECK_REFUSED(h2ws_engine_create(NULL, NULL, &engine), H2WS_INVALID_ARGUMENT, "callbacks is NULL; pass a h2ws_callbacks");
  CHECK_REFUSED(h2ws_engine_create(NULL, &callbacks, NULL), H2WS_INVALID_ARGUMENT, "out_engine is NULL");
  CHECK_REFUSED(h2ws_engine_create_driven(NULL, NULL, &engine), H2WS_INVALID_ARGUMENT, "callbacks is NULL; pass a h2ws_callbacks");
  CHECK_REFUSED(h2ws_engine_create_driven(NULL, &callbacks, NULL), H2WS_INVALID_ARGUMENT, "out_engine is NULL");
}

/* Strings and enumerations, against a live socket: nothing goes out, and it stays usable. */
static void wrong_arguments_leave_a_socket_as_it_was(void) {
  host *h = host_start(NULL, NULL);
  h2ws_str null_with_length = {NULL, 3}, endless = {"x", (size_t)-1};
  int32_t kinds[] = {0, 3, 8, -1, 2147483647}, i, n = sizeof kinds / sizeof kinds[0];
  client c;
  h2ws_stream stream;
  uint32_t id;
  char words[80];
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  for (i = 0; i < n; i++) {
    snprintf(words, sizeof words, "kind is %d; it must be H2WS_TEXT (1) or H2WS_BINARY (2)", (int)kinds[i]);
    CHECK_REFUSED(h2ws_send(h->engine, stream, kinds[i], H2WS_STR("x")), H2WS_INVALID_ARGUMENT, words);
    CHECK_REFUSED(h2ws_send_fragment(h->engine, stream, kinds[i], H2WS_STR("x"), 1), H2WS_INVALID_ARGUMENT, words);
  }
  CHECK_REFUSED(h2ws_send(h->engine, stream, H2WS_TEXT, null_with_length), H2WS_INVALID_ARGUMENT, "data.data is NULL with len 3");
  CHECK_REFUSED(h2ws_send(h->engine, stream, H2WS_TEXT, endless), H2WS_INVALID_ARGUMENT, "data.len is 18446744073709551615");
  CHECK_REFUSED(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, null_with_length, 1), H2WS_INVALID_ARGUMENT, "data.data is NULL");
  CHECK_REFUSED(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, H2WS_STR("x"), 2), H2WS_INVALID_ARGUMENT, "last is 2");
  CHECK_REFUSED(h2ws_ping(h->engine, stream, null_with_length), H2WS_INVALID_ARGUMENT, "data.data is NULL");
  CHECK_REFUSED(h2ws_pong(h->engine, stream, null_with_length), H2WS_INVALID_ARGUMENT, "data.data is NULL");
  CHECK_REFUSED(h2ws_close(h->engine, stream, 1000, null_with_length), H2WS_INVALID_ARGUMENT, "reason.data is NULL");
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("nothing before this")));
  client_expect_ws(&c, id, H2WS_TEXT, "nothing before this");
  client_close(&c);
  host_stop(h);
}

static void keep(host *h, const event *e) { (void)h, (void)e; }

static void wrong_options_leave_a_handshake_undecided(void) {
  host *h = host_start(NULL, keep);
  h2ws_accept_options good = H2WS_ACCEPT_OPTIONS_INIT, bad;
  h2ws_headers no_items = {NULL, 2};
  h2ws_str null_with_length = {NULL, 3};
  client c;
  h2ws_stream stream;
  uint32_t id;
  host_client(h, &c);
  id = client_websocket(&c, "/", NULL);
  stream = host_wait(h, REQUEST, 0, 0).stream;
#define BAD(change, words)                                                                       \
  bad = good;                                                                                    \
  change;                                                                                        \
  CHECK_REFUSED(h2ws_accept(h->engine, stream, &bad), H2WS_INVALID_ARGUMENT, words)
  BAD(bad.size = 0, "options->size is 0; it must be at least");
  BAD(bad.size = sizeof bad - 1, "H2WS_ACCEPT_OPTIONS_INIT");
  BAD(bad.size = (size_t)-1, "H2WS_ACCEPT_OPTIONS_INIT");
  BAD(bad.manual_control = 2, "options->manual_control is 2; it must be 0 or 1");
  BAD(bad.fragments = -1, "options->fragments is -1; it must be 0 or 1");
  BAD(bad.demand = 3, "options->demand is 3; it must be 0 or 1");
  BAD(bad.no_deflate = 2, "options->no_deflate is 2; it must be 0 or 1");
  BAD(bad.headers = &no_items, "options->headers.items is NULL with count 2");
  BAD(bad.subprotocol = null_with_length, "options->subprotocol.data is NULL with len 3");
#undef BAD
  CHECK_REFUSED(h2ws_reject(h->engine, stream, 403, &no_items, str(NULL)), H2WS_INVALID_ARGUMENT, "headers.items is NULL");
  CHECK_REFUSED(h2ws_reject(h->engine, stream, 403, NULL, null_with_length), H2WS_INVALID_ARGUMENT, "body.data is NULL");
  CHECK_OK(h2ws_accept(h->engine, stream, &good));
  CHECK(client_status(&c, id) == 200, "accepted in the end");
  client_close(&c);
  host_stop(h);
}

static void wrong_options_open_no_listener(void) {
  host *h = host_start(NULL, NULL);
  h2ws_listen_options options = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_str null_with_length = {NULL, 3};
  h2ws_listener listener = 4711;
  options.no_websockets = 2;
  CHECK_REFUSED(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener), H2WS_INVALID_ARGUMENT,
                "options->no_websockets is 2");
  options.no_websockets = 0;
  options.raw = 9;
  CHECK_REFUSED(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener), H2WS_INVALID_ARGUMENT,
                "options->raw is 9");
  options.raw = 0;
  options.size = 8;
  CHECK_REFUSED(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener), H2WS_INVALID_ARGUMENT,
                "initialise it with H2WS_LISTEN_OPTIONS_INIT");
  CHECK_REFUSED(h2ws_listen(h->engine, null_with_length, NULL, &listener), H2WS_INVALID_ARGUMENT, "address.data is NULL");
  CHECK(listener == 4711, "the output is as it was");
  host_stop(h);
}

static void calls_after_a_drain_are_refused(void) {
  host *h = host_start(NULL, NULL);
  h2ws_stream stream;
  client c;
  host_client(h, &c);
  host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_drain(h->engine, 1));
  CHECK_OK(h2ws_drain(h->engine, 1));
  CHECK_STATUS(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("x")), H2WS_GONE);
  CHECK_STATUS(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), NULL, NULL), H2WS_SHUTTING_DOWN);
  CHECK_STATUS(h2ws_listener_close(h->engine, h->listener), H2WS_GONE);
  client_close(&c);
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(no_engine);
  RUN(create_without_what_it_needs);
  RUN(wrong_arguments_leave_a_socket_as_it_was);
  RUN(wrong_options_leave_a_handshake_undecided);
  RUN(wrong_options_open_no_listener);
  RUN(calls_after_a_drain_are_refused);
  return check_end();
}
