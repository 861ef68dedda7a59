/* h2ws_stats: the counters, and the struct's size. */
#include "host.h"

#include <stddef.h>

static void what_happens_is_counted(void) {
  host *h = host_start(NULL, NULL);
  h2ws_stats stats = H2WS_STATS_INIT;
  client c;
  h2ws_stream stream;
  uint32_t id;
  int i;
  CHECK_OK(h2ws_engine_stats(h->engine, &stats));
  CHECK(stats.connections == 0 && stats.open_connections == 0, "no connection yet");
  host_client(h, &c);
  id = client_request(&c, "GET", "/", 1);
  CHECK(client_status(&c, id) == 200, "an answer");
  id = host_socket(h, &c, "/", &stream);
  client_text(&c, id, "x");
  client_expect_ws(&c, id, H2WS_TEXT, "x");
  for (i = 0; i < 100000 && stats.messages_out == 0; i++) { /* a loop adds up at the end of its tick */
    CHECK_OK(h2ws_engine_stats(h->engine, &stats));
    usleep(100);
  }
  CHECK(stats.connections == 1 && stats.open_connections == 1, "one connection");
  CHECK(stats.requests == 1 && stats.handshakes == 1 && stats.accepted == 1, "a request, a handshake, an accept, not %d %d %d",
        (int)stats.requests, (int)stats.handshakes, (int)stats.accepted);
  CHECK(stats.open_websockets == 1, "a socket is open");
  CHECK(stats.messages_in == 1 && stats.messages_out == 1, "a message each way, not %d and %d", (int)stats.messages_in,
        (int)stats.messages_out);
  CHECK(stats.bytes_in > 0 && stats.bytes_out > 0 && stats.reads > 0 && stats.writes > 0, "bytes and calls");
  CHECK(stats.panics == 0, "no panic");
  client_close(&c);
  host_wait(h, CLOSED, stream, 0);
  CHECK_OK(h2ws_drain(h->engine, 10000));
  CHECK_OK(h2ws_engine_stats(h->engine, &stats));
  CHECK(stats.open_connections == 0 && stats.open_streams == 0 && stats.open_websockets == 0, "nothing is open, not %d %d %d",
        (int)stats.open_connections, (int)stats.open_streams, (int)stats.open_websockets);
  host_stop(h);
}

static void the_struct_is_written_as_far_as_its_size(void) {
  host *h = host_start(NULL, NULL);
  struct grown {
    h2ws_stats stats;
    uint64_t added[3];
  } grown;
  h2ws_stats stats = H2WS_STATS_INIT;
  memset(&grown, 0xff, sizeof grown);
  grown.stats.size = sizeof grown - sizeof(uint64_t);
  CHECK_OK(h2ws_engine_stats(h->engine, &grown.stats));
  CHECK(grown.stats.size == sizeof grown - sizeof(uint64_t), "the size stays");
  CHECK(grown.added[0] == 0 && grown.added[1] == 0, "unknown counters become 0");
  CHECK(grown.added[2] == UINT64_MAX, "nothing is written behind the size");
  CHECK_REFUSED(h2ws_engine_stats(h->engine, NULL), H2WS_INVALID_ARGUMENT, "out_stats is NULL");
  CHECK_REFUSED(h2ws_engine_stats(NULL, &stats), H2WS_INVALID_ARGUMENT, "engine is NULL");
  stats.size = sizeof stats - 8;
  stats.open_connections = 77;
  CHECK_REFUSED(h2ws_engine_stats(h->engine, &stats), H2WS_INVALID_ARGUMENT, "initialise it with H2WS_STATS_INIT");
  CHECK(stats.open_connections == 77, "nothing was written");
  host_stop(h);
}

int main(void) {
  check_begin();
  RUN(what_happens_is_counted);
  RUN(the_struct_is_written_as_far_as_its_size);
  return check_end();
}
