/* h2ws_connection: sockets handed over with h2ws_adopt, and those given back by on_fallback. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>

/* A connected TCP pair: the client's end in `*client_end`. */
static int tcp_pair(int *client_end) {
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  int listening = socket(AF_INET, SOCK_STREAM, 0), fd;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listening, (struct sockaddr *)&address, sizeof address) == 0 && listen(listening, 1) == 0, "a listening socket");
  getsockname(listening, (struct sockaddr *)&address, &len);
  *client_end = tcp_connect(ntohs(address.sin_port));
  fd = accept(listening, NULL, NULL);
  close(listening);
  return fd;
}

static int is_closed(int fd) { return fcntl(fd, F_GETFD) < 0 && errno == EBADF; }

static void tcp_and_unix_sockets_are_served(void) {
  host *h = host_start(NULL, NULL);
  int i;
  for (i = 0; i < 2; i++) {
    int ends[2];
    h2ws_connection connection = 0;
    client c;
    h2ws_stream stream;
    uint32_t id;
    if (i == 0) ends[1] = tcp_pair(&ends[0]);
    else CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
    CHECK_OK(h2ws_adopt(h->engine, ends[1], str(NULL), NULL, &connection));
    CHECK(connection != 0, "a connection's handle");
    client_init(&c, ends[0]);
    client_open(&c);
    id = host_socket(h, &c, "/adopted", &stream);
    CHECK(host_wait(h, REQUEST, stream, 0).connection == connection, "its requests name the connection");
    client_text(&c, id, "over an adopted socket");
    client_expect_ws(&c, id, H2WS_TEXT, "over an adopted socket");
    client_close(&c);
    host_wait(h, CLOSED, stream, 0);
  }
  host_stop(h);
}

static void bytes_already_read_are_read_first_wherever_they_end(void) {
  host *h = host_start(NULL, NULL);
  size_t cut, n;
  for (cut = 0; cut <= 33; cut++) {
    unsigned char opening[64];
    int ends[2];
    client c;
    uint32_t id;
    h2ws_str already;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
    client_init(&c, ends[0]);
    n = client_opening(&c, opening);
    CHECK(n == 39, "an opening of 39 bytes");
    already.data = (const char *)opening;
    already.len = cut;
    CHECK_OK(h2ws_adopt(h->engine, ends[1], already, NULL, NULL));
    client_write(&c, opening + cut, n - cut);
    id = client_request(&c, "GET", "/", 1);
    CHECK(client_status(&c, id) == 200, "an answer with %zu bytes read before", cut);
    client_close(&c);
  }
  host_stop(h);
}

static void what_is_no_connected_stream_socket_is_refused_and_closed(void) {
  host *h = host_start(NULL, NULL);
  int pipes[2], ends[2], fd, udp, listening;
  h2ws_connection connection = 4711;
  char words[64];

  CHECK(pipe(pipes) == 0, "a pipe");
  CHECK_STATUS(h2ws_adopt(h->engine, pipes[0], str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(pipes[0]), "the pipe's end is closed");
  close(pipes[1]);

  udp = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_STATUS(h2ws_adopt(h->engine, udp, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(udp), "the UDP socket is closed");

  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0, "a pair of datagram sockets");
  CHECK_STATUS(h2ws_adopt(h->engine, ends[0], str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(ends[0]), "the datagram socket is closed");
  close(ends[1]);

  listening = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(listen(listening, 1) == 0, "a listening socket");
  CHECK_STATUS(h2ws_adopt(h->engine, listening, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(listening), "the listening socket is closed");

  fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_STATUS(h2ws_adopt(h->engine, fd, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(fd), "the socket without a peer is closed");

  fd = open("/dev/null", O_RDWR);
  CHECK_STATUS(h2ws_adopt(h->engine, fd, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET);
  CHECK(is_closed(fd), "the file is closed");

  CHECK_REFUSED(h2ws_adopt(h->engine, -1, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET, "fd is -1");
  CHECK_REFUSED(h2ws_adopt(h->engine, -2147483647, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET, "fd is -2147483647");
  CHECK_REFUSED(h2ws_adopt(h->engine, 1000000, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET, "fd 1000000 is not open");
  fd = open("/dev/null", O_RDWR);
  close(fd);
  snprintf(words, sizeof words, "fd %d is not open", fd);
  CHECK_REFUSED(h2ws_adopt(h->engine, fd, str(NULL), NULL, &connection), H2WS_NOT_A_SOCKET, words);
  CHECK(connection == 4711, "the output is as it was");
  host_stop(h);
}

static void a_wrong_argument_closes_the_socket_too(void) {
  host *h = host_start(NULL, NULL);
  h2ws_adopt_options options = H2WS_ADOPT_OPTIONS_INIT;
  h2ws_str null_with_length = {NULL, 1};
  int ends[2];
  char byte;

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  CHECK_REFUSED(h2ws_adopt(NULL, ends[1], str(NULL), NULL, NULL), H2WS_INVALID_ARGUMENT, "engine is NULL");
  CHECK(is_closed(ends[1]) && read(ends[0], &byte, 1) == 0, "closed, and the peer sees the end");
  close(ends[0]);

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  CHECK_REFUSED(h2ws_adopt(h->engine, ends[1], null_with_length, NULL, NULL), H2WS_INVALID_ARGUMENT, "already_read.data is NULL");
  CHECK(is_closed(ends[1]), "closed");
  close(ends[0]);

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  options.no_websockets = 7;
  CHECK_REFUSED(h2ws_adopt(h->engine, ends[1], str(NULL), &options, NULL), H2WS_INVALID_ARGUMENT,
                "options->no_websockets is 7");
  CHECK(is_closed(ends[1]), "closed");
  close(ends[0]);

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  options.no_websockets = 0;
  options.size = 3;
  CHECK_REFUSED(h2ws_adopt(h->engine, ends[1], str(NULL), &options, NULL), H2WS_INVALID_ARGUMENT, "H2WS_ADOPT_OPTIONS_INIT");
  CHECK(is_closed(ends[1]), "closed");
  close(ends[0]);

  CHECK_OK(h2ws_drain(h->engine, 1000));
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  CHECK_STATUS(h2ws_adopt(h->engine, ends[1], str(NULL), NULL, NULL), H2WS_SHUTTING_DOWN);
  CHECK(is_closed(ends[1]), "closed");
  close(ends[0]);
  host_stop(h);
}

static void no_websockets_on_an_adopted_socket(void) {
  host *h = host_start(NULL, NULL);
  h2ws_adopt_options options = H2WS_ADOPT_OPTIONS_INIT;
  int ends[2];
  client c;
  uint32_t id;
  options.no_websockets = 1;
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a socket pair");
  CHECK_OK(h2ws_adopt(h->engine, ends[1], str(NULL), &options, NULL));
  client_init(&c, ends[0]);
  client_open(&c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200 && c.connect_protocol == 0, "requests without ENABLE_CONNECT_PROTOCOL");
  client_close(&c);
  host_stop(h);
}

static void take_fallback(host *h, const event *e) {
  (void)h;
  if (e->type == FALLBACK) {
    CHECK(write(e->fd, "over to me", 10) == 10, "the host can write to it");
    CHECK(fcntl(e->fd, F_GETFL) & O_NONBLOCK, "it is non-blocking");
    close(e->fd);
  }
}

static void what_does_not_speak_http2_goes_to_the_host(void) {
  static const char h1[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  h2ws_config config = H2WS_CONFIG_INIT;
  host *h;
  client c;
  char answer[32] = "";
  size_t n = 0;
  ssize_t got;
  event e;
  config.loops = 1;
  config.fallback = 1;
  h = host_start(&config, take_fallback);
  client_init(&c, tcp_connect(h->port));
  client_write(&c, h1, sizeof h1 - 1);
  e = host_wait(h, FALLBACK, 0, 0);
  CHECK(e.len > 0 && e.len <= sizeof h1 - 1 && !memcmp(e.data, h1, e.len), "what was read, from its first byte on");
  while (n < sizeof answer - 1 && (got = recv(c.fd, answer + n, sizeof answer - 1 - n, 0)) > 0) n += (size_t)got;
  CHECK(!strcmp(answer, "over to me"), "the host's own answer, not \"%s\"", answer);
  client_close(&c);
  host_stop(h);
}

static void http1_that_is_switched_off_is_answered_with_505(void) {
  static const char h1[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  host *h = host_start(NULL, NULL);
  h2ws_listen_options options = H2WS_LISTEN_OPTIONS_INIT;
  h2ws_listener listener;
  char address[64];
  size_t len;
  client c;
  char answer[256] = "";
  size_t n = 0;
  ssize_t got;
  options.no_http1 = 1;
  CHECK_OK(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), &options, &listener));
  CHECK_OK(h2ws_listener_address(h->engine, listener, address, sizeof address, &len));
  client_init(&c, tcp_connect(atoi(strrchr(address, ':') + 1)));
  client_write(&c, h1, sizeof h1 - 1);
  while (n < sizeof answer - 1 && (got = recv(c.fd, answer + n, sizeof answer - 1 - n, 0)) > 0) n += (size_t)got;
  CHECK(!strncmp(answer, "HTTP/1.1 505", 12), "HTTP/1.1 505, not \"%s\"", answer);
  client_close(&c);
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(tcp_and_unix_sockets_are_served);
  RUN(bytes_already_read_are_read_first_wherever_they_end);
  RUN(what_is_no_connected_stream_socket_is_refused_and_closed);
  RUN(a_wrong_argument_closes_the_socket_too);
  RUN(no_websockets_on_an_adopted_socket);
  RUN(what_does_not_speak_http2_goes_to_the_host);
  RUN(http1_that_is_switched_off_is_answered_with_505);
  return check_end();
}
