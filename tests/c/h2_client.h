/* A client that speaks as much HTTP/2 as the tests need, frame by frame, on a blocking socket: header fields as HPACK
 * literals, responses read for their :status only. It asks for an HPACK table of 0 bytes, so that no response refers to
 * an earlier one. Every DATA is answered with WINDOW_UPDATEs unless `hold_windows` is set. */
#ifndef H2_CLIENT_H
#define H2_CLIENT_H

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };
enum { CLIENT_STREAMS = 64, CLIENT_WAIT_MS = 60000 };

typedef struct bytes {
  unsigned char *data;
  size_t len, capacity;
} bytes;

/* What has come on one stream. */
typedef struct exchange {
  uint32_t id;
  int informational; /* the last 1xx, 0 if none */
  int status;        /* the final one, 0 if not there yet */
  int trailers;      /* HEADERS after the final ones */
  int ended;         /* END_STREAM */
  int64_t reset;     /* the error code of a RST_STREAM, -1 if none */
  bytes data;
} exchange;

typedef struct client {
  int fd;
  int hold_windows;
  uint32_t window; /* SETTINGS_INITIAL_WINDOW_SIZE; 0: the protocol's default */
  int settings;    /* SETTINGS frames of the server, without ACKs */
  int connect_protocol;
  int goaways;
  uint32_t goaway_last, goaway_code;
  int pongs;
  int eof;
  uint32_t next_id;
  exchange streams[CLIENT_STREAMS];
} client;

/* A frame of a WebSocket; its opcode has COMPRESSED (RSV1) if the message is compressed (RFC 7692). */
enum { COMPRESSED = 0x40 };
typedef struct ws_frame {
  int fin, opcode;
  size_t len;
  unsigned char payload[70000];
} ws_frame;

static inline void bytes_add(bytes *b, const void *data, size_t len) {
  if (b->len + len > b->capacity) {
    b->capacity = (b->len + len) * 2;
    b->data = realloc(b->data, b->capacity);
    if (!b->data) abort();
  }
  if (len) memcpy(b->data + b->len, data, len);
  b->len += len;
}

static inline void bytes_drop(bytes *b, size_t len) {
  memmove(b->data, b->data + len, b->len - len);
  b->len -= len;
}

static inline void client_write(client *c, const void *data, size_t len) {
  const char *at = data;
  while (len > 0) {
    ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
    if (n <= 0) return; /* what the server ended shows when it is read */
    at += n;
    len -= (size_t)n;
  }
}

static inline void client_frame(client *c, int type, int flags, uint32_t id, const void *payload, size_t len) {
  unsigned char head[9] = {(unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len,
                           (unsigned char)type,        (unsigned char)flags,      (unsigned char)(id >> 24),
                           (unsigned char)(id >> 16),  (unsigned char)(id >> 8),  (unsigned char)id};
  bytes all = {NULL, 0, 0};
  bytes_add(&all, head, sizeof head);
  bytes_add(&all, payload, len);
  client_write(c, all.data, all.len);
  free(all.data);
}

static inline void put32(unsigned char *at, uint32_t n) {
  at[0] = (unsigned char)(n >> 24);
  at[1] = (unsigned char)(n >> 16);
  at[2] = (unsigned char)(n >> 8);
  at[3] = (unsigned char)n;
}

static inline uint32_t get32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The first bytes of a connection: preface and SETTINGS. */
static inline size_t client_opening(const client *c, unsigned char out[64]) {
  static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  unsigned char *at = out + sizeof magic - 1;
  uint32_t len = c->window ? 12 : 6;
  memcpy(out, magic, sizeof magic - 1);
  memset(at, 0, 9 + 12);
  at[2] = (unsigned char)len;
  at[3] = SETTINGS;
  at[10] = 1; /* SETTINGS_HEADER_TABLE_SIZE = 0 */
  at[16] = 4; /* SETTINGS_INITIAL_WINDOW_SIZE */
  put32(at + 17, c->window);
  return sizeof magic - 1 + 9 + len;
}

static inline void client_init(client *c, int fd) {
  memset(c, 0, sizeof *c);
  c->fd = fd;
  c->next_id = 1;
}

static inline void client_open(client *c) {
  unsigned char opening[64];
  client_write(c, opening, client_opening(c, opening));
}

/* A TCP socket connected to a port of 127.0.0.1. */
static inline int tcp_connect(int port) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static inline void client_close(client *c) {
  int i;
  if (c->fd >= 0) close(c->fd);
  for (i = 0; i < CLIENT_STREAMS; i++) free(c->streams[i].data.data);
  memset(c->streams, 0, sizeof c->streams);
  c->fd = -1;
}

static inline exchange *client_exchange(client *c, uint32_t id) {
  exchange *e = &c->streams[id / 2 % CLIENT_STREAMS];
  if (e->id != id) {
    free(e->data.data);
    memset(e, 0, sizeof *e);
    e->id = id;
    e->reset = -1;
  }
  return e;
}

static inline size_t hpack_length(unsigned char *out, size_t n) {
  size_t i = 0;
  if (n < 127) {
    out[i++] = (unsigned char)n;
    return i;
  }
  out[i++] = 127;
  for (n -= 127; n >= 128; n /= 128) out[i++] = (unsigned char)(n % 128 + 128);
  out[i++] = (unsigned char)n;
  return i;
}

/* Name and value pairs, ended by NULL, as literals without indexing (RFC 7541 section 6.2.2). */
static inline void client_headers(client *c, uint32_t id, int flags, const char *const *fields) {
  bytes block = {NULL, 0, 0};
  int i;
  for (i = 0; fields[i]; i++) {
    unsigned char length[8];
    if (i % 2 == 0) bytes_add(&block, "", 1);
    bytes_add(&block, length, hpack_length(length, strlen(fields[i])));
    bytes_add(&block, fields[i], strlen(fields[i]));
  }
  client_frame(c, HEADERS, flags | END_HEADERS, id, block.data, block.len);
  free(block.data);
}

/* A request; its stream. */
static inline uint32_t client_request(client *c, const char *method, const char *path, int end) {
  const char *fields[] = {":method", method, ":scheme", "http", ":authority", "localhost", ":path", path, NULL};
  uint32_t id = c->next_id;
  c->next_id += 2;
  client_exchange(c, id);
  client_headers(c, id, end ? END_STREAM : 0, fields);
  return id;
}

/* A WebSocket handshake (RFC 8441 section 5) with one more field, unless its name is NULL; its stream. */
static inline uint32_t client_websocket_with(client *c, const char *path, const char *name, const char *value) {
  const char *fields[] = {":method",   "CONNECT", ":protocol",             "websocket", ":scheme",
                          "http",      ":authority", "localhost",          ":path",     path,
                          "sec-websocket-version",   "13",                 name,        value,
                          NULL};
  uint32_t id = c->next_id;
  c->next_id += 2;
  client_exchange(c, id);
  client_headers(c, id, 0, fields);
  return id;
}

/* The same; `protocols` may be NULL. */
static inline uint32_t client_websocket(client *c, const char *path, const char *protocols) {
  return client_websocket_with(c, path, protocols ? "sec-websocket-protocol" : NULL, protocols);
}

static inline void client_data(client *c, uint32_t id, int flags, const void *data, size_t len) {
  client_frame(c, DATA, flags, id, data, len);
}

/* The bytes of a masked WebSocket frame (RFC 6455 section 5.2). */
static inline void ws_encode(bytes *out, int fin, int opcode, const void *payload, size_t len) {
  static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
  unsigned char head[14];
  size_t n = 0, i, at;
  head[n++] = (unsigned char)((fin ? 0x80 : 0) | opcode);
  if (len < 126) {
    head[n++] = (unsigned char)(0x80 | len);
  } else if (len < 65536) {
    head[n++] = 0x80 | 126;
    head[n++] = (unsigned char)(len >> 8);
    head[n++] = (unsigned char)len;
  } else {
    head[n++] = 0x80 | 127;
    put32(head + n, 0);
    put32(head + n + 4, (uint32_t)len);
    n += 8;
  }
  memcpy(head + n, key, 4);
  bytes_add(out, head, n + 4);
  at = out->len;
  bytes_add(out, payload, len);
  for (i = 0; i < len; i++) out->data[at + i] ^= key[i % 4];
}

/* Sends a frame in one DATA; `len` has to fit into the server's frame size and windows. */
static inline void client_ws(client *c, uint32_t id, int fin, int opcode, const void *payload, size_t len) {
  bytes frame = {NULL, 0, 0};
  ws_encode(&frame, fin, opcode, payload, len);
  client_data(c, id, 0, frame.data, frame.len);
  free(frame.data);
}

static inline void client_text(client *c, uint32_t id, const char *text) { client_ws(c, id, 1, H2WS_TEXT, text, strlen(text)); }

/* Sends a Close with a code and a reason, and the end of the stream behind it if `end`. */
static inline void client_ws_close(client *c, uint32_t id, int code, const char *reason, int end) {
  unsigned char payload[125] = {(unsigned char)(code >> 8), (unsigned char)code};
  size_t len = strlen(reason);
  memcpy(payload + 2, reason, len);
  client_ws(c, id, 1, H2WS_CLOSE, payload, len + 2);
  if (end) client_data(c, id, END_STREAM, "", 0);
}

/* The :status of a header block; -1 when it has none. */
static inline int hpack_status(const unsigned char *block, size_t len) {
  static const int fixed[] = {200, 204, 206, 304, 400, 404, 500}; /* static table 8 to 14 */
  size_t i = 0, digits, bit = 0;
  int status = 0, k;
  while (i < len && (block[i] & 0xe0) == 0x20) i++; /* table size updates below 31 */
  if (i >= len) return -1;
  if (block[i] >= 0x88 && block[i] <= 0x8e) return fixed[block[i] - 0x88];
  if (i + 2 >= len || ((block[i] & 0x3f) != 8 && (block[i] & 0x1f) != 8)) return -1; /* a literal with name 8 */
  digits = block[i + 1] & 0x7f;
  if (!(block[i + 1] & 0x80)) {
    if (digits != 3 || i + 5 > len) return -1;
    return (block[i + 2] - '0') * 100 + (block[i + 3] - '0') * 10 + block[i + 4] - '0';
  }
  for (k = 0; k < 3; k++) { /* Huffman: 0, 1 and 2 have five bits, 00000 to 00010; 3 to 9 six, 011001 to 011111 */
    unsigned code = 0, n;
    for (n = 0; n < 5; n++, bit++) code = code << 1 | (block[i + 2 + bit / 8] >> (7 - bit % 8) & 1u);
    if (code > 2) {
      code = code << 1 | (block[i + 2 + bit / 8] >> (7 - bit % 8) & 1u);
      bit++;
      code -= 0x19 - 3;
    }
    status = status * 10 + (int)code;
  }
  return status;
}

/* Reads exactly `len` bytes; 0 at the end of the connection or when nothing comes. */
static inline int client_read(client *c, unsigned char *out, size_t len) {
  while (len > 0) {
    struct pollfd ready = {c->fd, POLLIN, 0};
    ssize_t n;
    if (poll(&ready, 1, CLIENT_WAIT_MS) != 1) {
      CHECK(0, "bytes from the server within %d ms", CLIENT_WAIT_MS);
      return 0;
    }
    n = recv(c->fd, out, len, 0);
    if (n <= 0) {
      c->eof = 1;
      return 0;
    }
    out += n;
    len -= (size_t)n;
  }
  return 1;
}

static inline void client_update(client *c, uint32_t id, uint32_t n) {
  unsigned char payload[4];
  put32(payload, n);
  client_frame(c, WINDOW_UPDATE, 0, id, payload, 4);
}

static inline void client_take_headers(exchange *e, int flags, const unsigned char *block, size_t len) {
  int status = hpack_status(block, len);
  if (e->status) e->trailers++;
  else if (status >= 100 && status < 200) e->informational = status;
  else e->status = status;
  if (flags & END_STREAM) e->ended = 1;
}

/* Takes the next frame; 0 at the end of the connection. */
static inline int client_pump(client *c) {
  unsigned char head[9], *payload;
  size_t len, i;
  uint32_t id;
  if (c->eof || !client_read(c, head, sizeof head)) return 0;
  len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
  id = get32(head + 5);
  payload = malloc(len + 1);
  if (!payload) abort();
  if (!client_read(c, payload, len)) {
    free(payload);
    return 0;
  }
  switch (head[3]) {
    case DATA: {
      exchange *e = client_exchange(c, id);
      bytes_add(&e->data, payload, len); /* h2ws pads nothing */
      if (head[4] & END_STREAM) e->ended = 1;
      if (len && !c->hold_windows) {
        client_update(c, 0, (uint32_t)len);
        if (!(head[4] & END_STREAM)) client_update(c, id, (uint32_t)len);
      }
      break;
    }
    case HEADERS: client_take_headers(client_exchange(c, id), head[4], payload, len); break;
    case RST_STREAM: client_exchange(c, id)->reset = get32(payload); break;
    case SETTINGS:
      if (head[4] & ACK) break;
      c->settings++;
      for (i = 0; i + 6 <= len; i += 6)
        if (payload[i] == 0 && payload[i + 1] == 8) c->connect_protocol = (int)get32(payload + i + 2);
      client_frame(c, SETTINGS, ACK, 0, NULL, 0);
      break;
    case PING:
      if (head[4] & ACK) c->pongs++;
      else client_frame(c, PING, ACK, 0, payload, len);
      break;
    case GOAWAY:
      c->goaways++;
      c->goaway_last = get32(payload);
      c->goaway_code = get32(payload + 4);
      break;
    default: break;
  }
  free(payload);
  return 1;
}

/* Takes frames until `condition`, which may name `c` and `e`, holds, or the connection ends. Whether it holds. */
#define CLIENT_UNTIL(c, condition) \
  do {                             \
  } while (!(condition) && client_pump(c))

/* The final status of a response; 0 if none came. */
static inline int client_status(client *c, uint32_t id) {
  exchange *e = client_exchange(c, id);
  CLIENT_UNTIL(c, e->status || e->reset >= 0);
  return e->status;
}

/* Waits for the end of a response; whether it ended well. */
static inline int client_ended(client *c, uint32_t id) {
  exchange *e = client_exchange(c, id);
  CLIENT_UNTIL(c, e->ended || e->reset >= 0);
  return e->ended;
}

/* Waits for a RST_STREAM; its code, or -1. */
static inline int64_t client_reset(client *c, uint32_t id) {
  exchange *e = client_exchange(c, id);
  CLIENT_UNTIL(c, e->reset >= 0);
  return e->reset;
}

static inline int client_has(client *c, uint32_t id, const char *body) {
  exchange *e = client_exchange(c, id);
  return e->data.len == strlen(body) && (e->data.len == 0 || memcmp(e->data.data, body, e->data.len) == 0);
}

/* Takes the next frame of a WebSocket; 0 when the stream or connection ends before it. */
static inline int client_ws_read(client *c, uint32_t id, ws_frame *frame) {
  exchange *e = client_exchange(c, id);
  size_t head, len;
  for (;;) {
    const unsigned char *d = e->data.data;
    head = 2;
    if (e->data.len >= 2) {
      len = d[1] & 0x7f;
      head = len == 126 ? 4 : len == 127 ? 10 : 2;
      if (e->data.len >= head) {
        if (len == 126) len = (size_t)d[2] << 8 | d[3];
        else if (len == 127) len = get32(d + 6);
        if (e->data.len >= head + len) break;
      }
    }
    if (e->ended || e->reset >= 0 || !client_pump(c)) return 0;
  }
  frame->fin = e->data.data[0] >> 7;
  frame->opcode = e->data.data[0] & (COMPRESSED | 0x0f);
  frame->len = len;
  CHECK(len <= sizeof frame->payload, "a frame of at most %zu bytes, not %zu", sizeof frame->payload, len);
  CHECK((e->data.data[0] & 0x30) == 0 && (e->data.data[1] & 0x80) == 0, "no RSV2, RSV3 and no mask from a server");
  memcpy(frame->payload, e->data.data + head, len <= sizeof frame->payload ? len : 0);
  bytes_drop(&e->data, head + len);
  return 1;
}

/* The next frame is this one. */
static inline void client_expect_ws(client *c, uint32_t id, int opcode, const char *text) {
  static ws_frame frame;
  if (!client_ws_read(c, id, &frame)) {
    CHECK(0, "a frame with opcode %d and \"%s\" on stream %u, which ended", opcode, text, (unsigned)id);
    return;
  }
  CHECK(frame.fin && frame.opcode == opcode, "opcode %d, whole, not %d (fin %d)", opcode, frame.opcode, frame.fin);
  CHECK(frame.len == strlen(text) && memcmp(frame.payload, text, frame.len) == 0, "the payload \"%s\", not \"%.*s\"", text,
        (int)frame.len, (const char *)frame.payload);
}

/* The next frame is a Close with this code and reason; code 0: an empty one. */
static inline void client_expect_close(client *c, uint32_t id, int code, const char *reason) {
  static ws_frame frame;
  int got;
  if (!client_ws_read(c, id, &frame)) {
    CHECK(0, "a Close %d on stream %u, which ended", code, (unsigned)id);
    return;
  }
  CHECK(frame.opcode == H2WS_CLOSE, "a Close, not opcode %d", frame.opcode);
  got = frame.len >= 2 ? frame.payload[0] << 8 | frame.payload[1] : 0;
  CHECK(got == code, "close code %d, not %d", code, got);
  if (code)
    CHECK(frame.len - 2 == strlen(reason) && memcmp(frame.payload + 2, reason, frame.len - 2) == 0,
          "the reason \"%s\", not \"%.*s\"", reason, (int)frame.len - 2, (const char *)frame.payload + 2);
}

#endif
