/* h2ws_duplex: connections whose bytes the host moves, by h2ws_attach and by fallback 2. */
#include "host.h"

static const char get[] = "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/* Reads until the end, which it returns; what came is in `all`. */
static h2ws_duplex_end read_all(host *h, h2ws_connection connection, char *all, size_t size, size_t *total) {
  *total = 0;
  for (;;) {
    size_t n = 0;
    h2ws_duplex_end end = -1;
    CHECK_OK(h2ws_duplex_read(h->engine, connection, all + *total, size - *total, &n, &end));
    *total += n;
    if (n == 0 && end != H2WS_DUPLEX_OPEN) return end;
    if (n == 0) sched_yield();
  }
}

/* Waits for an event about a connection, 0: any; with `writable` for one that says so. */
static event wait_that(host *h, enum event_type type, h2ws_connection connection, int writable) {
  int i;
  event found;
  memset(&found, 0, sizeof found);
  pthread_mutex_lock(&h->lock);
  for (i = 0; found.type != type; i++) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HOST_WAIT_SECONDS;
    while (i >= h->count)
      if (pthread_cond_timedwait(&h->changed, &h->lock, &until) != 0) break;
    CHECK(i < h->count, "an event of type %d", type);
    if (i >= h->count) break;
    if (h->events[i].type == type && (connection == 0 || h->events[i].connection == connection) &&
        (!writable || h->events[i].code == 1))
      found = h->events[i];
  }
  pthread_mutex_unlock(&h->lock);
  return found;
}

static event wait_about(host *h, enum event_type type, h2ws_connection connection) {
  return wait_that(h, type, connection, 0);
}

static void a_socket_that_stays_with_the_host_is_served(void) {
  host *h = host_start(NULL, NULL);
  h2ws_attach_options options = H2WS_ATTACH_OPTIONS_INIT;
  h2ws_tls_info tls = H2WS_TLS_INFO_INIT;
  h2ws_connection connection = 0;
  char all[1024];
  size_t n = 0;
  event e;
  tls.version = H2WS_STR("TLSv1.3");
  tls.alpn = H2WS_STR("http/1.1");
  options.context = all;
  options.peer = H2WS_STR("192.0.2.1:7");
  options.tls = &tls;
  CHECK_OK(h2ws_attach(h->engine, &options, &connection));
  CHECK(connection != 0, "a connection's handle");
  CHECK_OK(h2ws_duplex_write(h->engine, connection, str(get), &n));
  CHECK(n == sizeof get - 1, "all of it, not %zu", n);
  e = host_wait(h, REQUEST, 0, 0);
  CHECK(e.connection == connection, "its requests name the connection");
  e = wait_about(h, DUPLEX, connection);
  CHECK(e.context == all && e.kind == 1 && e.first == 0, "readable, with its context");
  CHECK(read_all(h, connection, all, sizeof all, &n) == H2WS_DUPLEX_ENDED, "an orderly end");
  CHECK(n > 12 && !memcmp(all, "HTTP/1.1 200", 12), "the answer");
  CHECK_OK(h2ws_duplex_shut(h->engine, connection));
  wait_about(h, DISCONNECTED, connection);
  CHECK_OK(h2ws_duplex_close(h->engine, connection, 0));
  CHECK_STATUS(h2ws_duplex_close(h->engine, connection, 0), H2WS_GONE);
  CHECK_STATUS(h2ws_duplex_write(h->engine, connection, str("x"), &n), H2WS_GONE);
  host_stop(h);
}

static void http1_is_handed_back_as_a_duplex(void) {
  h2ws_config config = H2WS_CONFIG_INIT;
  host *h;
  client c;
  event e;
  char all[1024], answer[32] = "";
  size_t n = 0, taken = 0;
  ssize_t got;
  config.loops = 1;
  config.fallback = 2;
  h = host_start(&config, NULL);
  client_init(&c, tcp_connect(h->port));
  client_write(&c, get, sizeof get - 1);
  e = wait_about(h, DUPLEX, 0);
  CHECK(e.first == 1 && e.len > 0, "handed back, with its peer's address");
  while (n < sizeof get - 1) {
    size_t some = 0;
    h2ws_duplex_end end;
    CHECK_OK(h2ws_duplex_read(h->engine, e.connection, all + n, sizeof all - n, &some, &end));
    n += some;
    if (some == 0) sched_yield();
  }
  CHECK(!memcmp(all, get, sizeof get - 1), "from its first byte on");
  CHECK_OK(h2ws_duplex_write(h->engine, e.connection, H2WS_STR("over to me"), &taken));
  CHECK_OK(h2ws_duplex_close(h->engine, e.connection, 0));
  for (n = 0; n < sizeof answer - 1 && (got = recv(c.fd, answer + n, sizeof answer - 1 - n, 0)) > 0;) n += (size_t)got;
  CHECK(!strcmp(answer, "over to me"), "the host's own answer, not \"%s\"", answer);
  client_close(&c);
  wait_about(h, DISCONNECTED, e.connection);
  host_stop(h);
}

/* Takes `left` bytes off a client, each of which has to continue the pattern. */
static void take_pattern(client *c, size_t *at, size_t left) {
  unsigned char some[16384];
  while (left > 0) {
    size_t i;
    ssize_t got = recv(c->fd, some, left < sizeof some ? left : sizeof some, 0);
    CHECK(got > 0, "the bytes that were taken come, %zu are missing", left);
    if (got <= 0) return;
    for (i = 0; i < (size_t)got && some[i] == (unsigned char)(*at + i);) i++;
    CHECK(i == (size_t)got, "byte %zu is another", *at + i);
    *at += (size_t)got;
    left -= (size_t)got;
  }
}

static void a_short_write_is_followed_by_room_and_a_reset_is_told(void) {
  enum { PIECE = 65536 };
  static unsigned char pattern[PIECE + 256];
  h2ws_config config = H2WS_CONFIG_INIT;
  struct linger cut = {1, 0};
  host *h;
  client c;
  event e;
  char all[1024];
  size_t i, n = PIECE, written = 0, at = 0;
  for (i = 0; i < sizeof pattern; i++) pattern[i] = (unsigned char)i;
  config.loops = 1;
  config.fallback = 2;
  h = host_start(&config, NULL);
  client_init(&c, tcp_connect(h->port));
  client_write(&c, get, sizeof get - 1);
  e = wait_about(h, DUPLEX, 0);
  /* the client reads nothing: its window, the kernel's buffers and the 256 KiB fill up */
  while (n == PIECE) {
    h2ws_str piece = {(const char *)pattern + written % 256, PIECE};
    CHECK_OK(h2ws_duplex_write(h->engine, e.connection, piece, &n));
    written += n;
    CHECK(written < 64u << 20, "a bound");
    if (written >= 64u << 20) break;
  }
  CHECK(n < PIECE, "the last one was cut short");
  take_pattern(&c, &at, written);
  wait_that(h, DUPLEX, e.connection, 1);
  {
    h2ws_str piece = {(const char *)pattern + written % 256, PIECE};
    CHECK_OK(h2ws_duplex_write(h->engine, e.connection, piece, &n));
    CHECK(n == PIECE, "there is room for all of it again, not for %zu", n);
  }
  take_pattern(&c, &at, PIECE);
  CHECK(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut) == 0, "a RST at its close");
  client_close(&c);
  CHECK(read_all(h, e.connection, all, sizeof all, &n) == H2WS_DUPLEX_RESET, "cut off, not ended");
  CHECK(n == sizeof get - 1, "what came before is not lost");
  wait_about(h, DISCONNECTED, e.connection);
  CHECK_STATUS(h2ws_duplex_write(h->engine, e.connection, H2WS_STR("late"), &n), H2WS_GONE);
  CHECK_OK(h2ws_duplex_close(h->engine, e.connection, 0));
  host_stop(h);
}

static void abort_cuts_the_streams(void) {
  static const char upgrade[] = "GET /quiet HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                                "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  host *h = host_start(NULL, NULL);
  h2ws_attach_options options = H2WS_ATTACH_OPTIONS_INIT;
  h2ws_connection connection = 0;
  size_t n;
  event e;
  CHECK_OK(h2ws_attach(h->engine, &options, &connection));
  CHECK_OK(h2ws_duplex_write(h->engine, connection, str(upgrade), &n));
  e = host_wait(h, REQUEST, 0, 0);
  CHECK_OK(h2ws_duplex_close(h->engine, connection, 1));
  CHECK(host_wait(h, CLOSED, e.stream, 0).cause == H2WS_CAUSE_DISCONNECTED, "cut");
  host_stop(h);
}

static void wrong_arguments_are_refused(void) {
  host *h = host_start(NULL, NULL);
  h2ws_attach_options options = H2WS_ATTACH_OPTIONS_INIT;
  h2ws_tls_info tls = H2WS_TLS_INFO_INIT;
  h2ws_connection connection = 0;
  h2ws_duplex_end end;
  char byte;
  size_t n;
  CHECK_REFUSED(h2ws_attach(h->engine, NULL, &connection), H2WS_INVALID_ARGUMENT, "options");
  CHECK_REFUSED(h2ws_attach(h->engine, &options, NULL), H2WS_INVALID_ARGUMENT, "out_connection");
  options.no_http1 = options.no_http2 = 1;
  CHECK_REFUSED(h2ws_attach(h->engine, &options, &connection), H2WS_INVALID_ARGUMENT, "leave HTTP/1.1 or HTTP/2 on");
  options.no_http1 = options.no_http2 = 0;
  tls.peer_certificate_count = 1;
  options.tls = &tls;
  CHECK_REFUSED(h2ws_attach(h->engine, &options, &connection), H2WS_INVALID_ARGUMENT, "peer_certificate_count");
  options.tls = NULL;
  CHECK_OK(h2ws_attach(h->engine, &options, &connection));
  CHECK_REFUSED(h2ws_duplex_read(h->engine, connection, NULL, 1, &n, &end), H2WS_INVALID_ARGUMENT, "buffer");
  CHECK_REFUSED(h2ws_duplex_read(h->engine, connection, &byte, 0, &n, &end), H2WS_INVALID_ARGUMENT, "capacity");
  CHECK_REFUSED(h2ws_duplex_write(h->engine, connection, str("x"), NULL), H2WS_INVALID_ARGUMENT, "out_taken");
  CHECK_REFUSED(h2ws_duplex_close(h->engine, connection, 2), H2WS_INVALID_ARGUMENT, "abort");
  CHECK_STATUS(h2ws_duplex_shut(h->engine, 77), H2WS_GONE);
  CHECK_OK(h2ws_duplex_close(h->engine, connection, 1));
  host_stop(h);
}

static void without_on_duplex_nobody_would_hear_of_them(void) {
  host *h = calloc(1, sizeof *h);
  h2ws_callbacks callbacks;
  h2ws_engine *engine = NULL;
  h2ws_attach_options attach = H2WS_ATTACH_OPTIONS_INIT;
  h2ws_listen_options listen = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_adopt_options adopt = H2WS_ADOPT_OPTIONS_INIT;
  h2ws_connection connection = 0;
  int ends[2];
  if (!h) abort();
  pthread_mutex_init(&h->lock, NULL);
  pthread_cond_init(&h->changed, NULL);
  callbacks = host_callbacks(h);
  callbacks.on_duplex = NULL;
  CHECK_OK(h2ws_engine_create(NULL, &callbacks, &engine));
  CHECK_REFUSED(h2ws_attach(engine, &attach, &connection), H2WS_INVALID_ARGUMENT, "h2ws_attach needs callbacks->on_duplex");
  listen.raw = adopt.raw = 1;
  CHECK_REFUSED(h2ws_listen(engine, H2WS_STR("127.0.0.1:0"), &listen, NULL), H2WS_INVALID_ARGUMENT, "options->raw needs");
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  CHECK_REFUSED(h2ws_adopt(engine, ends[1], str(NULL), &adopt, NULL), H2WS_INVALID_ARGUMENT, "options->raw needs");
  close(ends[0]);
  CHECK_OK(h2ws_engine_destroy(engine));
  host_free(h);
}

int main(void) {
  check_begin();
  RUN(a_socket_that_stays_with_the_host_is_served);
  RUN(http1_is_handed_back_as_a_duplex);
  RUN(a_short_write_is_followed_by_room_and_a_reset_is_told);
  RUN(abort_cuts_the_streams);
  RUN(wrong_arguments_are_refused);
  RUN(without_on_duplex_nobody_would_hear_of_them);
  return check_end();
}
