/* Ordinary requests: the response whole and in pieces, interim ones, bodies both ways. */
#include "host.h"

static void keep(host *h, const event *e) { (void)h, (void)e; }

#define OPEN(react)                  \
  host *h = host_start(NULL, react); \
  client c;                          \
  uint32_t id;                       \
  host_client(h, &c)

#define SHUT()      \
  client_close(&c); \
  host_stop(h)

static void a_whole_response_ends_the_stream_with_complete(void) {
  OPEN(NULL);
  event e;
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200 && client_ended(&c, id) && client_has(&c, id, "hello"), "200 hello");
  e = host_wait(h, CLOSED, 0, 0);
  CHECK(e.kind == H2WS_HTTP && e.cause == H2WS_CAUSE_COMPLETE && e.code == 0, "complete, not cause %d", e.cause);
  CHECK(e.stream == host_wait(h, REQUEST, 0, 0).stream, "the same stream");
  CHECK(host_count(h, BODY, 0) == 0, "no body event for a request that ended with its head");
  SHUT();
}

static void the_status_is_that_of_the_host(void) {
  OPEN(keep);
  static const uint16_t wrong[] = {0, 99, 100, 101, 199, 1000, 65535}, right[] = {200, 204, 304, 404, 418, 500, 599};
  size_t i;
  for (i = 0; i < sizeof right / sizeof right[0]; i++) {
    h2ws_stream stream;
    size_t k;
    id = client_request(&c, "GET", "/", 1);
    stream = host_wait(h, REQUEST, 0, (int)i).stream;
    for (k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
      CHECK_STATUS(h2ws_respond(h->engine, stream, wrong[k], NULL, str(NULL)), H2WS_INVALID_ARGUMENT);
      CHECK_STATUS(h2ws_respond_start(h->engine, stream, wrong[k], NULL), H2WS_INVALID_ARGUMENT);
    }
    CHECK_OK(h2ws_respond(h->engine, stream, right[i], NULL, str(NULL)));
    CHECK(client_status(&c, id) == right[i], "%d, not %d", right[i], client_exchange(&c, id)->status);
    CHECK(client_ended(&c, id), "and the end");
  }
  SHUT();
}

static void in_pieces(host *h, const event *e) {
  h2ws_header field = {H2WS_STR("x-sum"), H2WS_STR("6")};
  h2ws_headers headers = {&field, 1};
  if (e->type != REQUEST) return;
  CHECK_STATUS(h2ws_send_body(h->engine, e->stream, H2WS_STR("early")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_finish(h->engine, e->stream, NULL), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_inform(h->engine, e->stream, 101, NULL), H2WS_INVALID_ARGUMENT);
  CHECK_STATUS(h2ws_inform(h->engine, e->stream, 200, NULL), H2WS_INVALID_ARGUMENT);
  CHECK_OK(h2ws_inform(h->engine, e->stream, 103, &headers));
  CHECK_OK(h2ws_respond_start(h->engine, e->stream, 200, &headers));
  CHECK_STATUS(h2ws_respond(h->engine, e->stream, 200, NULL, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_inform(h->engine, e->stream, 103, NULL), H2WS_WRONG_STATE);
  CHECK_OK(h2ws_send_body(h->engine, e->stream, H2WS_STR("one ")));
  CHECK_OK(h2ws_send_body(h->engine, e->stream, str(NULL)));
  CHECK_OK(h2ws_send_body(h->engine, e->stream, H2WS_STR("two")));
  CHECK_OK(h2ws_finish(h->engine, e->stream, &headers));
  CHECK_STATUS(h2ws_finish(h->engine, e->stream, NULL), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send_body(h->engine, e->stream, H2WS_STR("late")), H2WS_WRONG_STATE);
}

static void a_response_goes_out_in_pieces_with_an_interim_one_and_trailers(void) {
  OPEN(in_pieces);
  exchange *e;
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200 && client_ended(&c, id), "200 and the end");
  e = client_exchange(&c, id);
  CHECK(e->informational == 103, "103 before, not %d", e->informational);
  CHECK(client_has(&c, id, "one two"), "both pieces");
  CHECK(e->trailers == 1, "trailers");
  SHUT();
}

static void echo_body(host *h, const event *e) {
  h2ws_str data;
  data.data = e->data;
  data.len = e->len;
  if (e->type == REQUEST) CHECK_OK(h2ws_respond_start(h->engine, e->stream, 200, NULL));
  if (e->type == BODY && e->len) CHECK_OK(h2ws_send_body(h->engine, e->stream, data));
  if (e->type == BODY && e->end) CHECK_OK(h2ws_finish(h->engine, e->stream, NULL));
}

static void a_body_comes_in_pieces_with_its_trailers(void) {
  OPEN(echo_body);
  const char *trailers[] = {"x-check", "ok", NULL};
  event e;
  int i;
  id = client_request(&c, "POST", "/", 0);
  CHECK(client_status(&c, id) == 200, "the response begins before the body");
  client_data(&c, id, 0, "abc", 3);
  CLIENT_UNTIL(&c, client_exchange(&c, id)->data.len >= 3);
  client_data(&c, id, 0, "def", 3);
  client_headers(&c, id, END_STREAM, trailers);
  CHECK(client_ended(&c, id) && client_has(&c, id, "abcdef"), "the body comes back");
  for (i = 0; i < 8; i++) {
    e = host_wait(h, BODY, 0, i);
    CHECK(e.size == sizeof(h2ws_body), "the size of the struct");
    if (e.end || e.type != BODY) break;
    CHECK(e.headers == 0, "trailers come with the end only");
  }
  CHECK(e.end && e.headers == 1, "the end, with a trailer");
  CHECK(host_count(h, REQUEST, 0) == 1 && host_wait(h, REQUEST, 0, 0).end == 0, "a request with a body");
  SHUT();
}

static void demand_body(host *h, const event *e) {
  if (e->type == REQUEST) {
    CHECK_OK(h2ws_set_demand(h->engine, e->stream));
    CHECK_OK(h2ws_set_context(h->engine, e->stream, h));
  }
  if (e->type == BODY && e->end) CHECK_OK(h2ws_respond(h->engine, e->stream, 200, NULL, str(NULL)));
}

static void with_demand_the_body_comes_as_asked(void) {
  OPEN(demand_body);
  unsigned char ping[8] = {1};
  h2ws_stream stream;
  int asked = 1;
  size_t n;
  event e;
  id = client_request(&c, "POST", "/", 0);
  client_data(&c, id, 0, "abc", 3);
  client_data(&c, id, END_STREAM, "def", 3);
  stream = host_wait(h, REQUEST, 0, 0).stream;
  client_frame(&c, PING, 0, 0, ping, 8);
  CLIENT_UNTIL(&c, c.pongs == 1);
  CHECK(host_count(h, BODY, 0) == 0, "nothing comes unasked");
  CHECK_OK(h2ws_demand(h->engine, stream, 1));
  e = host_wait(h, BODY, stream, 0);
  CHECK(e.context == h && e.len > 0, "the first piece, with the context");
  for (n = e.len; n < 6 && asked < 8; n += e.len, asked++) {
    CHECK(host_count(h, BODY, stream) == asked, "%d pieces for %d demands, not %d", asked, asked, host_count(h, BODY, stream));
    CHECK_OK(h2ws_demand(h->engine, stream, 1));
    e = host_wait(h, BODY, stream, asked);
  }
  (void)h2ws_demand(h->engine, stream, 1); /* for the end, if it was not told with the last piece: it may need none */
  CHECK(client_status(&c, id) == 200, "the answer after the end");
  SHUT();
}

static void wrong_header_fields_are_named(void) {
  OPEN(keep);
  h2ws_header fields[2] = {{H2WS_STR("good"), H2WS_STR("yes")}, {H2WS_STR(""), H2WS_STR("")}};
  h2ws_headers headers = {fields, 2}, null_items = {NULL, 1}, endless = {fields, (size_t)-1}, none = {NULL, 0};
  h2ws_str null_with_length = {NULL, 7};
  h2ws_stream stream;
  const char *bad_names[] = {"", "with space", ":status", "new\nline", "\xc3\xa4"};
  const char *bad_values[] = {"new\nline", "re\rturn", "\x01"};
  size_t i;
  id = client_request(&c, "GET", "/", 1);
  stream = host_wait(h, REQUEST, 0, 0).stream;
  for (i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
    fields[1].name = str(bad_names[i]);
    CHECK_REFUSED(h2ws_respond(h->engine, stream, 200, &headers, str(NULL)), H2WS_INVALID_ARGUMENT, "headers.items[1].name is");
  }
  fields[1].name = H2WS_STR("secret");
  for (i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
    fields[1].value = str(bad_values[i]);
    CHECK_REFUSED(h2ws_respond_start(h->engine, stream, 200, &headers), H2WS_INVALID_ARGUMENT,
                  "headers.items[1].value has a control character");
  }
  fields[1].value = null_with_length;
  CHECK_REFUSED(h2ws_inform(h->engine, stream, 103, &headers), H2WS_INVALID_ARGUMENT, "headers.items[1].value.data is NULL");
  fields[1].value = str(NULL);
  fields[1].name = null_with_length;
  CHECK_REFUSED(h2ws_finish(h->engine, stream, &headers), H2WS_INVALID_ARGUMENT, "trailers.items[1].name.data is NULL");
  CHECK_REFUSED(h2ws_respond(h->engine, stream, 200, &null_items, str(NULL)), H2WS_INVALID_ARGUMENT,
                "headers.items is NULL with count 1");
  CHECK_REFUSED(h2ws_respond(h->engine, stream, 200, &endless, str(NULL)), H2WS_INVALID_ARGUMENT, "at most 10000 fields");
  CHECK_REFUSED(h2ws_respond(h->engine, stream, 200, NULL, null_with_length), H2WS_INVALID_ARGUMENT, "body.data is NULL");
  CHECK_OK(h2ws_respond(h->engine, stream, 200, &none, H2WS_STR("after all")));
  CHECK(client_status(&c, id) == 200 && client_ended(&c, id) && client_has(&c, id, "after all"), "nothing was sent before");
  SHUT();
}

static void each_kind_has_its_own_calls(void) {
  OPEN(keep);
  h2ws_stream request, socket;
  uint32_t ws;
  id = client_request(&c, "GET", "/", 1);
  request = host_wait(h, REQUEST, 0, 0).stream;
  ws = client_websocket(&c, "/", NULL);
  socket = host_wait(h, REQUEST, 0, 1).stream;
  CHECK_STATUS(h2ws_accept(h->engine, request, NULL), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send(h->engine, request, H2WS_TEXT, H2WS_STR("x")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send_fragment(h->engine, request, H2WS_TEXT, H2WS_STR("x"), 1), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_ping(h->engine, request, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_pong(h->engine, request, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_close(h->engine, request, 1000, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_respond(h->engine, socket, 200, NULL, str(NULL)), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_respond_start(h->engine, socket, 200, NULL), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_send_body(h->engine, socket, H2WS_STR("x")), H2WS_WRONG_STATE);
  CHECK_STATUS(h2ws_finish(h->engine, socket, NULL), H2WS_WRONG_STATE);
  CHECK_OK(h2ws_respond(h->engine, request, 200, NULL, H2WS_STR("fine")));
  CHECK_OK(h2ws_accept(h->engine, socket, NULL));
  CHECK(client_status(&c, id) == 200 && client_status(&c, ws) == 200, "both were left as they were");
  CHECK_STATUS(h2ws_send_body(h->engine, socket, H2WS_STR("x")), H2WS_WRONG_STATE);
  SHUT();
}

int main(void) {
  check_begin();
  RUN(a_whole_response_ends_the_stream_with_complete);
  RUN(the_status_is_that_of_the_host);
  RUN(a_response_goes_out_in_pieces_with_an_interim_one_and_trailers);
  RUN(a_body_comes_in_pieces_with_its_trailers);
  RUN(with_demand_the_body_comes_as_asked);
  RUN(wrong_header_fields_are_named);
  RUN(each_kind_has_its_own_calls);
  return check_end();
}
