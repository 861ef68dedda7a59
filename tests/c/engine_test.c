/* h2ws_engine: create, drain, destroy. */
#include "host.h"

static int destroyed_with_engine, destroyed;
static h2ws_engine *the_engine;

static void answer_with_user(void *user, const h2ws_request *r) {
  CHECK(user == the_engine, "the engine itself as user");
  CHECK_OK(h2ws_respond(user, r->stream, 200, NULL, H2WS_STR("hi")));
}
static void destroyed_once(void *user) {
  destroyed++;
  destroyed_with_engine = user == the_engine;
}

static void the_library_is_of_the_headers_version(void) {
  char numbers[64];
  CHECK(strcmp(h2ws_version(), H2WS_VERSION) == 0, "version %s, not %s", H2WS_VERSION, h2ws_version());
  snprintf(numbers, sizeof numbers, "%d.%d.%d", H2WS_VERSION_MAJOR, H2WS_VERSION_MINOR, H2WS_VERSION_PATCH);
  CHECK(strcmp(numbers, H2WS_VERSION) == 0, "the numbers of %s, not %s", H2WS_VERSION, numbers);
}

static void without_user_the_callbacks_get_the_engine(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  int pair[2];
  client c;
  uint32_t id;
  callbacks.on_request = answer_with_user;
  callbacks.on_destroy = destroyed_once;
  destroyed = destroyed_with_engine = 0;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &the_engine));
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a socket pair");
  client_init(&c, pair[0]);
  client_open(&c);
  CHECK_OK(h2ws_adopt(the_engine, pair[1], str(NULL), NULL, NULL));
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200 && client_ended(&c, id) && client_has(&c, id, "hi"), "the answer of the callback");
  CHECK_OK(h2ws_engine_destroy(the_engine));
  CHECK(destroyed == 1 && destroyed_with_engine, "on_destroy once, with the engine as user; it ran %d times", destroyed);
  client_close(&c);
}

static void two_engines_live_side_by_side(void) {
  host *a = host_start(NULL, NULL), *b = host_start(NULL, NULL);
  client c;
  uint32_t id;
  host_stop(a);
  host_client(b, &c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200, "the other engine answers after the first was destroyed");
  client_close(&c);
  host_stop(b);
}

static void destroy_cuts_live_sockets_and_tells_each_stream(void) {
  host *h = host_start(NULL, NULL);
  client c[3];
  h2ws_stream stream[9];
  int i;
  for (i = 0; i < 3; i++) host_client(h, &c[i]);
  for (i = 0; i < 9; i++) host_socket(h, &c[i % 3], "/", &stream[i]);
  host_stop(h); /* checks one on_closed for each on_request */
  for (i = 0; i < 3; i++) {
    CLIENT_UNTIL(&c[i], 0);
    CHECK(c[i].eof, "connection %d has ended", i);
    client_close(&c[i]);
  }
}

static void keep(host *h, const event *e) { (void)h, (void)e; }

static void destroy_ends_an_undecided_handshake_too(void) {
  host *h = host_start(NULL, keep);
  client c;
  host_client(h, &c);
  client_websocket(&c, "/", NULL);
  client_request(&c, "GET", "/", 1);
  host_wait(h, REQUEST, 0, 1);
  host_stop(h);
  client_close(&c);
}

static void destroy_inside(host *h, const event *e) {
  if (e->type == MESSAGE) {
    CHECK_STATUS(h2ws_engine_destroy(h->engine), H2WS_WRONG_THREAD);
    CHECK(strstr(last_error(), "h2ws_engine_destroy") != NULL, "the function's name in \"%s\"", last_error());
    CHECK_STATUS(h2ws_drain(h->engine, 1), H2WS_WRONG_THREAD);
  }
  host_serve(h, e);
}

static void destroy_and_drain_inside_a_callback_are_refused_and_the_engine_lives(void) {
  host *h = host_start(NULL, destroy_inside);
  client c, later;
  h2ws_stream stream;
  uint32_t id;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  client_text(&c, id, "one");
  client_expect_ws(&c, id, H2WS_TEXT, "one");
  client_text(&c, id, "two");
  client_expect_ws(&c, id, H2WS_TEXT, "two");
  host_client(h, &later); /* and it still listens */
  id = client_request(&later, "GET", "/", 1);
  CHECK(client_status(&later, id) == 200, "a new connection is served");
  client_close(&c);
  client_close(&later);
  host_stop(h);
}

static h2ws_status inside_on_destroy, call_inside_on_destroy;
static void destroy_again(void *user) {
  (void)user;
  inside_on_destroy = h2ws_engine_destroy(the_engine);
  call_inside_on_destroy = h2ws_listen(the_engine, H2WS_STR("127.0.0.1:0"), NULL, NULL);
}

static void destroy_inside_on_destroy_is_refused(void) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  callbacks.on_request = answer_with_user;
  callbacks.on_destroy = destroy_again;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &the_engine));
  CHECK_OK(h2ws_engine_destroy(the_engine));
  CHECK(inside_on_destroy == H2WS_WRONG_STATE, "H2WS_WRONG_STATE, not %d", inside_on_destroy);
  CHECK(call_inside_on_destroy == H2WS_SHUTTING_DOWN, "H2WS_SHUTTING_DOWN, not %d", call_inside_on_destroy);
}

static void on_destroy_is_not_called_when_create_fails(void) {
  h2ws_config config = H2WS_CONFIG_INIT;
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  h2ws_engine *engine = (h2ws_engine *)&config;
  callbacks.on_request = answer_with_user;
  callbacks.on_destroy = destroyed_once;
  config.loops = 65;
  destroyed = 0;
  CHECK_REFUSED(h2ws_engine_create(&config, &callbacks, &engine), H2WS_INVALID_CONFIG, "loops is 65");
  CHECK(destroyed == 0, "no on_destroy, not %d", destroyed);
  CHECK(engine == (h2ws_engine *)&config, "the output is as it was");
}

typedef struct draining {
  host *h;
  h2ws_status status;
} draining;
static void *drain_now(void *argument) {
  draining *d = argument;
  d->status = h2ws_drain(d->h->engine, 20000);
  return NULL;
}

static void drain_closes_with_1001_and_goaway_then_refuses_new_work(void) {
  host *h = host_start(NULL, NULL);
  draining d = {h, H2WS_PANIC};
  pthread_t thread;
  client c;
  h2ws_stream stream;
  uint32_t id;
  event closed;
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  pthread_create(&thread, NULL, drain_now, &d);
  {
    static ws_frame frame;
    CHECK(client_ws_read(&c, id, &frame) && frame.opcode == H2WS_CLOSE, "a Close");
    CHECK(frame.len >= 2 && frame.payload[0] << 8 == (1001 & 0xff00) && frame.payload[1] == (1001 & 0xff), "code 1001");
  }
  client_ws_close(&c, id, 1001, "", 1);
  CLIENT_UNTIL(&c, 0);
  CHECK(c.eof && c.goaways >= 1 && c.goaway_code == 0, "GOAWAY(NO_ERROR), then the end; %d came", c.goaways);
  client_close(&c);
  pthread_join(thread, NULL);
  CHECK(d.status == H2WS_OK, "drain ends with H2WS_OK, not %d", d.status);
  closed = host_wait(h, CLOSED, stream, 0);
  CHECK(closed.cause == H2WS_CAUSE_DRAIN || closed.cause == H2WS_CAUSE_CLOSE_FRAME, "cause drain, not %d", closed.cause);
  CHECK(closed.side == H2WS_LOCAL, "begun here");
  CHECK_STATUS(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), NULL, NULL), H2WS_SHUTTING_DOWN);
  CHECK(tcp_connect(h->port) < 0, "nobody listens any more");
  host_stop(h);
}

static void drain_cuts_at_its_deadline(void) {
  host *h = host_start(NULL, NULL);
  client c;
  h2ws_stream stream;
  host_client(h, &c);
  host_socket(h, &c, "/", &stream); /* and the client never answers the Close */
  CHECK_OK(h2ws_drain(h->engine, 50));
  host_wait(h, CLOSED, stream, 0);
  host_stop(h);
  client_close(&c);
}

static void nothing_is_left_behind(void) {
  int threads = 0, fds = 0, i;
  for (i = 0; i < 4; i++) { /* the first round pays for what is made once in a process */
    host *h = host_start(NULL, NULL);
    client c;
    h2ws_stream stream;
    host_client(h, &c);
    host_socket(h, &c, "/", &stream);
    host_stop(h);
    client_close(&c);
    if (i == 0) threads = proc_count("/proc/self/task"), fds = proc_count("/proc/self/fd");
  }
  CHECK(proc_count("/proc/self/task") == threads, "%d threads, not %d", threads, proc_count("/proc/self/task"));
  CHECK(proc_count("/proc/self/fd") == fds, "%d descriptors, not %d", fds, proc_count("/proc/self/fd"));
}

int main(void) {
  check_begin();
  RUN(the_library_is_of_the_headers_version);
  RUN(without_user_the_callbacks_get_the_engine);
  RUN(two_engines_live_side_by_side);
  RUN(destroy_cuts_live_sockets_and_tells_each_stream);
  RUN(destroy_ends_an_undecided_handshake_too);
  RUN(destroy_and_drain_inside_a_callback_are_refused_and_the_engine_lives);
  RUN(destroy_inside_on_destroy_is_refused);
  RUN(on_destroy_is_not_called_when_create_fails);
  RUN(drain_closes_with_1001_and_goaway_then_refuses_new_work);
  RUN(drain_cuts_at_its_deadline);
  RUN(nothing_is_left_behind);
  return check_end();
}
