/* h2ws_listener: listening sockets. */
#include "host.h"

static void a_request_goes_through(void) {
  host *h = host_start(NULL, NULL);
  client c;
  uint32_t id;
  event e;
  host_client(h, &c);
  id = client_request(&c, "GET", "/path?query", 1);
  CHECK(client_status(&c, id) == 200 && client_ended(&c, id) && client_has(&c, id, "hello"), "200 and hello");
  CHECK(c.connect_protocol == 1, "SETTINGS_ENABLE_CONNECT_PROTOCOL is 1");
  e = host_wait(h, REQUEST, 0, 0);
  CHECK(e.kind == H2WS_HTTP && e.end == 1 && !strcmp(e.data, "/path?query"), "the request's path, not %s", e.data);
  CHECK(e.size == sizeof(h2ws_request), "the size of the struct");
  client_close(&c);
  host_stop(h);
}

static void the_address_is_written_as_far_as_it_fits(void) {
  host *h = host_start(NULL, NULL);
  char whole[64], part[8] = "xxxxxxx";
  size_t len = 0, again = 0;
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, whole, sizeof whole, &len));
  CHECK(len == strlen(whole) && !strncmp(whole, "127.0.0.1:", 10), "127.0.0.1 and a port, not %s", whole);
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, part, sizeof part, &again));
  CHECK(again == len && !strcmp(part, "127.0.0"), "seven bytes of it, not %s", part);
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, NULL, 0, &again));
  CHECK(again == len, "the length alone");
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, whole, sizeof whole, NULL));
  CHECK_REFUSED(h2ws_listener_address(h->engine, h->listener, NULL, 5, &again), H2WS_INVALID_ARGUMENT,
                "buffer is NULL with capacity 5");
  host_stop(h);
}

static void an_address_in_use_is_in_the_text(void) {
  host *h = host_start(NULL, NULL);
  char address[64];
  h2ws_listener listener = 4711;
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, address, sizeof address, NULL));
  CHECK_REFUSED(h2ws_listen(h->engine, str(address), NULL, &listener), H2WS_ADDRESS_IN_USE, address);
  CHECK(listener == 4711, "the output is as it was");
  host_stop(h);
}

static void addresses_that_are_none_are_refused_with_their_text(void) {
  host *h = host_start(NULL, NULL);
  const char *wrong[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "nowhere", "[::1", "unix:"};
  size_t i;
  for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    h2ws_status status = h2ws_listen(h->engine, str(wrong[i]), NULL, NULL);
    CHECK(status == H2WS_INVALID_ARGUMENT, "H2WS_INVALID_ARGUMENT for \"%s\", not %d", wrong[i], status);
    CHECK(strstr(last_error(), wrong[i]) != NULL, "\"%s\" in \"%s\"", wrong[i], last_error());
  }
  CHECK_REFUSED(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:\xff"), NULL, NULL), H2WS_NOT_UTF8, "address is not UTF-8");
  CHECK_REFUSED(h2ws_listen(h->engine, H2WS_STR("192.0.2.1:80"), NULL, NULL), H2WS_IO, "192.0.2.1:80");
  host_stop(h);
}

static void a_unix_socket_is_listened_on(void) {
  host *h = host_start(NULL, NULL);
  char folder[] = "/tmp/h2ws-test-XXXXXX", address[128], bound[128];
  struct sockaddr_un un;
  h2ws_listener listener = 0;
  client c;
  uint32_t id;
  CHECK(mkdtemp(folder) != NULL, "a folder of its own");
  memset(&un, 0, sizeof un);
  un.sun_family = AF_UNIX;
  snprintf(un.sun_path, sizeof un.sun_path, "%s/socket", folder);
  snprintf(address, sizeof address, "unix:%s", un.sun_path);
  CHECK_OK(h2ws_listen(h->engine, str(address), NULL, &listener));
  CHECK_OK(h2ws_listener_address(h->engine, listener, bound, sizeof bound, NULL));
  CHECK(!strcmp(address, bound), "%s, not %s", address, bound);
  CHECK_REFUSED(h2ws_listen(h->engine, str(address), NULL, NULL), H2WS_ADDRESS_IN_USE, un.sun_path);
  client_init(&c, socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK(connect(c.fd, (struct sockaddr *)&un, sizeof un) == 0, "a connection to %s", address);
  client_open(&c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200, "an answer");
  client_close(&c);
  CHECK_OK(h2ws_listener_close(h->engine, listener));
  host_stop(h);
  unlink(un.sun_path);
  CHECK(rmdir(folder) == 0, "nothing else is left there");
}

static void a_closed_listener_is_gone_and_its_connections_stay(void) {
  host *h = host_start(NULL, NULL);
  client c;
  uint32_t id;
  h2ws_stream stream;
  int fd, i;
  char buffer[8];
  host_client(h, &c);
  id = host_socket(h, &c, "/", &stream);
  CHECK_OK(h2ws_listener_close(h->engine, h->listener));
  CHECK_STATUS(h2ws_listener_close(h->engine, h->listener), H2WS_GONE);
  CHECK_STATUS(h2ws_listener_address(h->engine, h->listener, buffer, sizeof buffer, NULL), H2WS_GONE);
  for (i = 0; i < 1000 && (fd = tcp_connect(h->port)) >= 0; i++) { /* the loop closes it; until then some may come in */
    close(fd);
    usleep(1000);
  }
  CHECK(i < 1000, "connections are refused in the end");
  client_text(&c, id, "still here");
  client_expect_ws(&c, id, H2WS_TEXT, "still here");
  client_close(&c);
  host_stop(h);
}

static void without_websockets_there_is_no_setting_and_no_handshake(void) {
  host *h = host_start(NULL, NULL);
  h2ws_listen_options options = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_listener listener = 0;
  char address[64];
  client c;
  uint32_t id;
  options.no_websockets = 1;
  CHECK_OK(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener));
  CHECK_OK(h2ws_listener_address(h->engine, listener, address, sizeof address, NULL));
  client_init(&c, tcp_connect(atoi(strrchr(address, ':') + 1)));
  client_open(&c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200, "requests are served");
  CHECK(c.settings == 1 && c.connect_protocol == 0, "SETTINGS without ENABLE_CONNECT_PROTOCOL");
  id = client_websocket(&c, "/", NULL);
  CLIENT_UNTIL(&c, client_exchange(&c, id)->status || client_exchange(&c, id)->reset >= 0);
  CHECK(client_exchange(&c, id)->status != 200, "a handshake is not accepted");
  CHECK(host_count(h, REQUEST, 0) == 1, "nor does the host hear of it");
  client_close(&c);
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(a_request_goes_through);
  RUN(the_address_is_written_as_far_as_it_fits);
  RUN(an_address_in_use_is_in_the_text);
  RUN(addresses_that_are_none_are_refused_with_their_text);
  RUN(a_unix_socket_is_listened_on);
  RUN(a_closed_listener_is_gone_and_its_connections_stay);
  RUN(without_websockets_there_is_no_setting_and_no_handshake);
  return check_end();
}
