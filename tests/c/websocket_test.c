/* WebSockets: handshake, messages, control frames, close, back-pressure. */
#include "host.h"

#define OPEN(react)                                 \
  host *h = host_start(NULL, react);                \
  client c;                                         \
  h2ws_stream stream;                               \
  uint32_t id;                                      \
  host_client(h, &c);                               \
  id = host_socket(h, &c, "/socket", &stream)

#define SHUT()      \
  client_close(&c); \
  host_stop(h)

static void keep(host *h, const event *e) { (void)h, (void)e; }

static void messages_of_both_kinds_are_echoed(void) {
  OPEN(NULL);
  event e = host_wait(h, REQUEST, stream, 0);
  CHECK(e.kind == H2WS_WEBSOCKET && !strcmp(e.data, "/socket") && e.subprotocols == 0, "a handshake for /socket");
  client_text(&c, id, "gr\xc3\xbc\xc3\x9f dich");
  client_expect_ws(&c, id, H2WS_TEXT, "gr\xc3\xbc\xc3\x9f dich");
  client_ws(&c, id, 1, H2WS_BINARY, "\xff\x00\xfe", 3);
  e = host_wait(h, MESSAGE, stream, 1);
  CHECK(e.kind == H2WS_BINARY && e.len == 3 && !memcmp(e.data, "\xff\x00\xfe", 3), "three bytes");
  CHECK(e.size == sizeof(h2ws_message), "the size of the struct");
  client_text(&c, id, "");
  e = host_wait(h, MESSAGE, stream, 2);
  CHECK(e.kind == H2WS_TEXT && e.len == 0, "an empty text");
  client_ws(&c, id, 0, H2WS_TEXT, "two ", 4); /* a message in fragments comes whole */
  client_ws(&c, id, 1, 0, "parts", 5);
  e = host_wait(h, MESSAGE, stream, 3);
  CHECK(e.len == 9 && !memcmp(e.data, "two parts", 9), "a whole message, not \"%s\"", e.data);
  SHUT();
}

static void accept_chosen(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  h2ws_header field = {H2WS_STR("X-Answer"), H2WS_STR("42")};
  h2ws_headers headers = {&field, 1};
  if (e->type != REQUEST) return;
  options.subprotocol = H2WS_STR("chat");
  CHECK_REFUSED(h2ws_accept(h->engine, e->stream, &options), H2WS_INVALID_ARGUMENT, "chat");
  options.subprotocol = H2WS_STR("\xff");
  CHECK_REFUSED(h2ws_accept(h->engine, e->stream, &options), H2WS_NOT_UTF8, "options->subprotocol is not UTF-8");
  options.subprotocol = H2WS_STR("echo");
  options.headers = &headers;
  field.name = H2WS_STR("sec-websocket-protocol");
  CHECK_STATUS(h2ws_accept(h->engine, e->stream, &options), H2WS_INVALID_ARGUMENT);
  field.name = H2WS_STR("X-Answer");
  CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
  CHECK_STATUS(h2ws_accept(h->engine, e->stream, &options), H2WS_WRONG_STATE);
}

static void one_of_the_offered_subprotocols_is_chosen(void) {
  host *h = host_start(NULL, accept_chosen);
  client c;
  uint32_t id;
  host_client(h, &c);
  id = client_websocket(&c, "/", "other, echo");
  CHECK(client_status(&c, id) == 200, "accepted");
  CHECK(host_wait(h, REQUEST, 0, 0).subprotocols == 2, "two offers");
  SHUT();
}

static void refuse(host *h, const event *e) {
  h2ws_header field = {H2WS_STR("x-reason"), H2WS_STR("not today")};
  h2ws_headers headers = {&field, 1};
  if (e->type != REQUEST) return;
  CHECK_STATUS(h2ws_reject(h->engine, e->stream, 200, NULL, str(NULL)), H2WS_INVALID_ARGUMENT);
  CHECK_STATUS(h2ws_respond(h->engine, e->stream, 200, NULL, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send(h->engine, e->stream, H2WS_TEXT, H2WS_STR("early")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_close(h->engine, e->stream, 1000, str(NULL)), H2WS_WRONG_STATE);
  CHECK_OK(h2ws_reject(h->engine, e->stream, 403, &headers, H2WS_STR("no")));
  CHECK_STATUS(h2ws_accept(h->engine, e->stream, NULL), H2WS_WRONG_STATE);
}

static void a_handshake_is_refused_with_status_and_body(void) {
  host *h = host_start(NULL, refuse);
  client c;
  uint32_t id;
  event e;
  host_client(h, &c);
  id = client_websocket(&c, "/", NULL);
  CHECK(client_status(&c, id) == 403, "403, not %d", client_exchange(&c, id)->status);
  CHECK(client_ended(&c, id) && client_has(&c, id, "no"), "its body");
  e = host_wait(h, CLOSED, 0, 0);
  CHECK(e.kind == H2WS_WEBSOCKET && e.cause == H2WS_CAUSE_REJECTED && e.side == H2WS_LOCAL && e.code == 0,
        "rejected by the host, not cause %d, side %d, code %d", e.cause, e.side, e.code);
  SHUT();
}

static void *accept_later(void *argument) {
  host *h = argument;
  h2ws_stream stream = host_wait(h, REQUEST, 0, 0).stream;
  CHECK_OK(h2ws_accept(h->engine, stream, NULL));
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("from elsewhere")));
  return NULL;
}

static void another_thread_may_accept_and_send(void) {
  host *h = host_start(NULL, keep);
  client c;
  pthread_t thread;
  uint32_t id;
  host_client(h, &c);
  pthread_create(&thread, NULL, accept_later, h);
  id = client_websocket(&c, "/", NULL);
  CHECK(client_status(&c, id) == 200, "accepted");
  client_expect_ws(&c, id, H2WS_TEXT, "from elsewhere");
  pthread_join(thread, NULL);
  SHUT();
}

static void the_peers_close_is_answered_and_told(void) {
  OPEN(NULL);
  event e;
  client_ws_close(&c, id, 3001, "so long", 0);
  client_expect_close(&c, id, 3001, "");
  CHECK(client_ended(&c, id), "and END_STREAM");
  client_data(&c, id, END_STREAM, "", 0);
  e = host_wait(h, CONTROL, stream, 0);
  CHECK(e.kind == H2WS_CLOSE && e.code == 3001 && !strcmp(e.data, "so long"), "the Close itself");
  e = host_wait(h, CLOSED, stream, 0);
  CHECK(e.code == 3001 && !strcmp(e.data, "so long"), "3001 so long, not %d %s", e.code, e.data);
  CHECK(e.cause == H2WS_CAUSE_CLOSE_FRAME && e.side == H2WS_REMOTE && e.kind == H2WS_WEBSOCKET, "closed by the peer");
  CHECK(e.size == sizeof(h2ws_closed), "the size of the struct");
  SHUT();
}

static void the_hosts_close_goes_out_once(void) {
  OPEN(NULL);
  char long_reason[124];
  h2ws_str reason = {long_reason, sizeof long_reason};
  event e;
  memset(long_reason, 'r', sizeof long_reason);
  CHECK_STATUS(h2ws_close(h->engine, stream, 1000, reason), H2WS_TOO_LARGE);
  CHECK_REFUSED(h2ws_close(h->engine, stream, 1005, str(NULL)), H2WS_INVALID_ARGUMENT, "1005");
  CHECK_STATUS(h2ws_close(h->engine, stream, 1006, str(NULL)), H2WS_INVALID_ARGUMENT);
  CHECK_STATUS(h2ws_close(h->engine, stream, 999, str(NULL)), H2WS_INVALID_ARGUMENT);
  CHECK_STATUS(h2ws_close(h->engine, stream, 5000, str(NULL)), H2WS_INVALID_ARGUMENT);
  CHECK_STATUS(h2ws_close(h->engine, stream, 0, H2WS_STR("a reason needs a code")), H2WS_INVALID_ARGUMENT);
  CHECK_REFUSED(h2ws_close(h->engine, stream, 1000, H2WS_STR("ab\xc3")), H2WS_NOT_UTF8, "reason is not UTF-8 from byte 2");
  CHECK_OK(h2ws_close(h->engine, stream, 4000, H2WS_STR("bye")));
  CHECK_STATUS(h2ws_close(h->engine, stream, 4000, H2WS_STR("bye")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("late")), H2WS_WRONG_STATE);
  client_expect_close(&c, id, 4000, "bye");
  client_ws_close(&c, id, 4000, "", 1);
  e = host_closed(h, stream);
  CHECK(e.cause == H2WS_CAUSE_CLOSE_FRAME && e.side == H2WS_LOCAL, "closed by the host, not cause %d", e.cause);
  CHECK(e.code == 4000, "the code of the peer's Close, not %d", e.code);
  CHECK_STATUS(h2ws_close(h->engine, stream, 4000, H2WS_STR("bye")), H2WS_GONE);
  SHUT();
}

static void a_close_without_code_is_1005(void) {
  OPEN(NULL);
  event e;
  CHECK_OK(h2ws_close(h->engine, stream, 0, str(NULL)));
  client_expect_close(&c, id, 0, "");
  client_ws(&c, id, 1, H2WS_CLOSE, "", 0);
  client_data(&c, id, END_STREAM, "", 0);
  e = host_wait(h, CLOSED, stream, 0);
  CHECK(e.code == 1005, "1005, not %d", e.code);
  SHUT();
}

static void resets_of_both_sides_are_told(void) {
  OPEN(NULL);
  unsigned char cancel[4] = {0, 0, 0, 8};
  event e;
  client_frame(&c, RST_STREAM, 0, id, cancel, 4);
  e = host_wait(h, CLOSED, stream, 0);
  CHECK(e.cause == H2WS_CAUSE_RESET && e.side == H2WS_REMOTE && e.h2_code == 8 && e.code == 1006,
        "reset by the peer with 8 and code 1006, not cause %d, code %d, h2 %u", e.cause, e.code, e.h2_code);
  id = host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_abort(h->engine, stream, 11));
  CHECK(client_reset(&c, id) == 11, "RST_STREAM 11, not %d", (int)client_exchange(&c, id)->reset);
  e = host_wait(h, CLOSED, stream, 0);
  CHECK(e.cause == H2WS_CAUSE_RESET && e.side == H2WS_LOCAL && e.h2_code == 11 && e.code == 1006,
        "reset by the host with 11, not cause %d, h2 %u", e.cause, e.h2_code);
  SHUT();
}

static void pings_are_answered_and_told(void) {
  OPEN(NULL);
  event e;
  char big[126];
  h2ws_str payload = {big, sizeof big};
  memset(big, 'p', sizeof big);
  client_ws(&c, id, 1, H2WS_PING, "are you there", 13);
  client_expect_ws(&c, id, H2WS_PONG, "are you there");
  e = host_wait(h, CONTROL, stream, 0);
  CHECK(e.kind == H2WS_PING && !strcmp(e.data, "are you there") && e.size == sizeof(h2ws_control), "the Ping");
  CHECK_OK(h2ws_ping(h->engine, stream, H2WS_STR("and you")));
  client_expect_ws(&c, id, H2WS_PING, "and you");
  client_ws(&c, id, 1, H2WS_PONG, "and you", 7);
  e = host_wait(h, CONTROL, stream, 1);
  CHECK(e.kind == H2WS_PONG && !strcmp(e.data, "and you"), "the Pong");
  CHECK_STATUS(h2ws_ping(h->engine, stream, payload), H2WS_TOO_LARGE);
  CHECK_STATUS(h2ws_pong(h->engine, stream, payload), H2WS_TOO_LARGE);
  payload.len = 125;
  CHECK_OK(h2ws_pong(h->engine, stream, payload));
  SHUT();
}

static void accept_manual(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  h2ws_str data;
  data.data = e->data;
  data.len = e->len;
  options.manual_control = 1;
  if (e->type == REQUEST) CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
  if (e->type == CONTROL && e->kind == H2WS_PING) CHECK_OK(h2ws_pong(h->engine, e->stream, H2WS_STR("by hand")));
  if (e->type == CONTROL && e->kind == H2WS_CLOSE) CHECK_OK(h2ws_close(h->engine, e->stream, e->code, data));
}

static void with_manual_control_the_host_answers(void) {
  OPEN(accept_manual);
  event e;
  client_ws(&c, id, 1, H2WS_PING, "x", 1);
  client_expect_ws(&c, id, H2WS_PONG, "by hand");
  client_ws_close(&c, id, 3333, "mine", 0);
  client_expect_close(&c, id, 3333, "mine");
  client_data(&c, id, END_STREAM, "", 0);
  e = host_wait(h, CLOSED, stream, 0);
  CHECK(e.code == 3333 && e.side == H2WS_REMOTE, "3333 of the peer, not %d", e.code);
  SHUT();
}

static void accept_fragments(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  options.fragments = 1;
  if (e->type == REQUEST) CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
}

static void messages_come_and_go_in_fragments(void) {
  OPEN(accept_fragments);
  static ws_frame frame;
  char all[64] = "";
  size_t n = 0;
  int i;
  event e;
  client_ws(&c, id, 0, H2WS_BINARY, "one ", 4);
  e = host_wait(h, FRAGMENT, stream, 0);
  CHECK(e.first == 1 && e.last == 0 && e.kind == H2WS_BINARY && e.size == sizeof(h2ws_fragment), "the first part");
  client_ws(&c, id, 0, 0, "two ", 4);
  client_ws(&c, id, 1, 0, "three", 5);
  for (i = 0; i < 16; i++) {
    e = host_wait(h, FRAGMENT, stream, i);
    CHECK((e.first == 1) == (i == 0) && e.kind == H2WS_BINARY, "part %d", i);
    memcpy(all + n, e.data, e.len);
    n += e.len;
    if (e.last || e.type != FRAGMENT) break;
  }
  CHECK(e.last && n == 13 && !memcmp(all, "one two three", 13), "all parts, not \"%s\"", all);
  CHECK(host_count(h, MESSAGE, stream) == 0, "no whole message");
  CHECK_OK(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, H2WS_STR("a\xc3"), 0));
  CHECK_OK(h2ws_ping(h->engine, stream, str(NULL)));
  CHECK_OK(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, H2WS_STR("\xa4"), 1));
  CHECK(client_ws_read(&c, id, &frame) && !frame.fin && frame.opcode == H2WS_TEXT && frame.len == 2, "the first frame");
  client_expect_ws(&c, id, H2WS_PING, "");
  CHECK(client_ws_read(&c, id, &frame) && frame.fin && frame.opcode == 0 && frame.len == 1, "the continuation");
  SHUT();
}

static void other_messages_between_fragments_are_refused(void) {
  OPEN(NULL);
  CHECK_OK(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, H2WS_STR("begun "), 0));
  CHECK_STATUS(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("no")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send_fragment(h->engine, stream, H2WS_BINARY, H2WS_STR("no"), 1), H2WS_WRONG_STATE);
  CHECK_OK(h2ws_send_fragment(h->engine, stream, H2WS_TEXT, H2WS_STR("ended"), 1));
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("next")));
  {
    static ws_frame frame;
    CHECK(client_ws_read(&c, id, &frame) && !frame.fin && frame.opcode == H2WS_TEXT && frame.len == 6, "begun");
    CHECK(client_ws_read(&c, id, &frame) && frame.fin && frame.opcode == 0 && frame.len == 5, "ended");
  }
  client_expect_ws(&c, id, H2WS_TEXT, "next");
  SHUT();
}

static void accept_demand(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  options.demand = 1;
  if (e->type == REQUEST) CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
}

static void with_demand_messages_come_as_asked(void) {
  OPEN(accept_demand);
  client_text(&c, id, "one");
  client_text(&c, id, "two");
  client_text(&c, id, "three");
  client_ws(&c, id, 1, H2WS_PING, "after", 5); /* served without demand: all three have been read by then */
  client_expect_ws(&c, id, H2WS_PONG, "after");
  CHECK(host_count(h, MESSAGE, stream) == 0, "nothing comes unasked");
  CHECK_OK(h2ws_demand(h->engine, stream, 2));
  CHECK(!strcmp(host_wait(h, MESSAGE, stream, 1).data, "two"), "two");
  client_ws(&c, id, 1, H2WS_PING, "again", 5);
  client_expect_ws(&c, id, H2WS_PONG, "again");
  CHECK(host_count(h, MESSAGE, stream) == 2, "two came, not %d", host_count(h, MESSAGE, stream));
  CHECK_OK(h2ws_demand(h->engine, stream, 1));
  CHECK(!strcmp(host_wait(h, MESSAGE, stream, 2).data, "three"), "three");
  SHUT();
}

static void accept_context(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  options.context = h;
  if (e->type == REQUEST) CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
  if (e->type == MESSAGE) {
    CHECK(e->context == h, "the context of accept");
    CHECK_OK(h2ws_set_context(h->engine, e->stream, &h->flag));
  }
}

static void the_context_comes_with_each_event(void) {
  OPEN(accept_context);
  client_text(&c, id, "x");
  client_ws(&c, id, 1, H2WS_PING, "", 0);
  CHECK(host_wait(h, CONTROL, stream, 0).context == &h->flag, "the context that was set");
  CHECK_OK(h2ws_set_context(h->engine, stream, NULL));
  client_ws_close(&c, id, 1000, "", 1);
  CHECK(host_wait(h, CLOSED, stream, 0).context == NULL, "no context any more");
  SHUT();
}

static void text_is_checked_on_its_way_out(void) {
  OPEN(NULL);
  CHECK_STATUS(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("\xed\xa0\x80")), H2WS_NOT_UTF8);
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_BINARY, H2WS_STR("\xed\xa0\x80")));
  client_expect_ws(&c, id, H2WS_BINARY, "\xed\xa0\x80");
  SHUT();
}

static void a_full_queue_is_busy_and_writable_comes_once(void) {
  h2ws_config config = H2WS_CONFIG_INIT;
  char message[1000];
  h2ws_str data = {message, sizeof message};
  h2ws_status status = H2WS_OK;
  host *h;
  client c;
  h2ws_stream stream;
  uint32_t id;
  int sent = 0, i;
  static ws_frame frame;
  memset(message, 'm', sizeof message);
  config.loops = 1;
  config.send_queue = 4096;
  h = host_start(&config, NULL);
  client_init(&c, tcp_connect(h->port));
  c.window = 1;
  c.hold_windows = 1;
  client_open(&c);
  id = host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_set_context(h->engine, stream, &config));
  while (sent < 1000 && (status = h2ws_send(h->engine, stream, H2WS_BINARY, data)) == H2WS_OK) sent++;
  CHECK(status == H2WS_BUSY && sent > 0 && sent <= 6, "busy after some 4 KiB, not status %d after %d", status, sent);
  CHECK_STATUS(h2ws_send(h->engine, stream, H2WS_BINARY, data), H2WS_BUSY);
  CHECK(host_count(h, WRITABLE, 0) == 0, "not writable while the peer takes nothing");
  c.hold_windows = 0;
  client_update(&c, id, 100000);
  for (i = 0; i < sent; i++)
    CHECK(client_ws_read(&c, id, &frame) && frame.len == sizeof message, "message %d of %d, all that was taken", i, sent);
  CHECK(host_wait(h, WRITABLE, stream, 0).context == &config, "writable, with the context");
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("goes again")));
  client_expect_ws(&c, id, H2WS_TEXT, "goes again");
  client_ws(&c, id, 1, H2WS_PING, "", 0);
  client_expect_ws(&c, id, H2WS_PONG, "");
  CHECK(host_count(h, WRITABLE, 0) == 1, "once, not %d times", host_count(h, WRITABLE, 0));
  SHUT();
}

/* "Hello" as RFC 7692 section 7.2.3.1 compresses it. */
static const char compressed_hello[] = "\xf2\x48\xcd\xc9\xc9\x07";

static void accept_by_path(host *h, const event *e) {
  h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
  if (e->type != REQUEST) return;
  options.no_deflate = !strcmp(e->data, "/plain");
  CHECK_OK(h2ws_accept(h->engine, e->stream, &options));
}

static uint32_t offer_deflate(host *h, client *c, const char *path, h2ws_stream *stream) {
  int before = host_count(h, REQUEST, 0);
  uint32_t id = client_websocket_with(c, path, "sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
  CHECK(client_status(c, id) == 200, "accepted");
  *stream = host_wait(h, REQUEST, 0, before).stream;
  return id;
}

static void messages_are_compressed_where_both_sides_agree(void) {
  static ws_frame frame;
  char many[300];
  h2ws_config config = H2WS_CONFIG_INIT;
  h2ws_str text = {many, sizeof many};
  host *h;
  client c;
  h2ws_stream stream;
  uint32_t id;
  event e;
  memset(many, 'a', sizeof many);
  config.loops = 1;
  config.deflate = 1;
  h = host_start(&config, accept_by_path);
  host_client(h, &c);
  id = offer_deflate(h, &c, "/socket", &stream);
  client_ws(&c, id, 1, H2WS_TEXT | COMPRESSED, compressed_hello, sizeof compressed_hello); /* its NUL belongs to it */
  e = host_wait(h, MESSAGE, stream, 0);
  CHECK(e.kind == H2WS_TEXT && e.len == 5 && !memcmp(e.data, "Hello", 5), "Hello, inflated");
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, text));
  CHECK(client_ws_read(&c, id, &frame) && frame.opcode == (H2WS_TEXT | COMPRESSED) && frame.len < 20, "300 bytes, compressed");
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, H2WS_STR("short")));
  client_expect_ws(&c, id, H2WS_TEXT, "short");
  CHECK_OK(h2ws_send_uncompressed(h->engine, stream, H2WS_TEXT, text));
  CHECK(client_ws_read(&c, id, &frame) && frame.opcode == H2WS_TEXT && frame.len == sizeof many, "300 bytes as they are");
  CHECK_OK(h2ws_send_uncompressed(h->engine, stream, H2WS_BINARY, H2WS_STR("\xff")));
  client_expect_ws(&c, id, H2WS_BINARY, "\xff");
  CHECK_REFUSED(h2ws_send_uncompressed(h->engine, stream, H2WS_TEXT, H2WS_STR("\xff")), H2WS_NOT_UTF8, "not UTF-8");
  CHECK_REFUSED(h2ws_send_uncompressed(h->engine, stream, 3, text), H2WS_INVALID_ARGUMENT, "kind is 3");
  text.data = NULL;
  CHECK_REFUSED(h2ws_send_uncompressed(h->engine, stream, H2WS_TEXT, text), H2WS_INVALID_ARGUMENT, "data.data is NULL");
  text.data = many;
  CHECK_STATUS(h2ws_send_uncompressed(NULL, stream, H2WS_TEXT, text), H2WS_INVALID_ARGUMENT);
  client_ws(&c, id, 1, H2WS_TEXT | COMPRESSED, "\x07", 1);
  client_expect_close(&c, id, 1007, "");
  client_data(&c, id, END_STREAM, "", 0);
  host_closed(h, stream);
  CHECK_STATUS(h2ws_send_uncompressed(h->engine, stream, H2WS_TEXT, text), H2WS_GONE);

  id = offer_deflate(h, &c, "/plain", &stream);
  CHECK_OK(h2ws_send(h->engine, stream, H2WS_TEXT, text));
  CHECK(client_ws_read(&c, id, &frame) && frame.opcode == H2WS_TEXT && frame.len == sizeof many, "declined for this socket");
  client_ws(&c, id, 1, H2WS_TEXT | COMPRESSED, compressed_hello, sizeof compressed_hello);
  client_expect_close(&c, id, 1002, "");
  SHUT();
}

int main(void) {
  check_begin();
  RUN(messages_of_both_kinds_are_echoed);
  RUN(one_of_the_offered_subprotocols_is_chosen);
  RUN(a_handshake_is_refused_with_status_and_body);
  RUN(another_thread_may_accept_and_send);
  RUN(the_peers_close_is_answered_and_told);
  RUN(the_hosts_close_goes_out_once);
  RUN(a_close_without_code_is_1005);
  RUN(resets_of_both_sides_are_told);
  RUN(pings_are_answered_and_told);
  RUN(with_manual_control_the_host_answers);
  RUN(messages_come_and_go_in_fragments);
  RUN(other_messages_between_fragments_are_refused);
  RUN(with_demand_messages_come_as_asked);
  RUN(the_context_comes_with_each_event);
  RUN(text_is_checked_on_its_way_out);
  RUN(a_full_queue_is_busy_and_writable_comes_once);
  RUN(messages_are_compressed_where_both_sides_agree);
  return check_end();
}
