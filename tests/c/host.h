/* A host for the tests: an engine whose callbacks write down what came, and then do what the test says. */
#ifndef HOST_H
#define HOST_H

#include "h2_client.h"

#include <dirent.h>
#include <pthread.h>
#include <time.h>

enum event_type { ANY, REQUEST, BODY, MESSAGE, FRAGMENT, CONTROL, WRITABLE, CLOSED, FALLBACK, DUPLEX, DISCONNECTED, LOG, DESTROYED };
enum { HOST_EVENTS = 4096, HOST_WAIT_SECONDS = 60 };

/* An event as the host keeps it: what the structs of h2ws.h have, with copies of their bytes. */
typedef struct event {
  enum event_type type;
  pthread_t thread;
  h2ws_stream stream;
  h2ws_connection connection;
  void *context;
  int kind, end, first, last, code, cause, side, level, fd;
  uint32_t h2_code;
  size_t size, len, headers, subprotocols;
  char data[256]; /* payload, reason, text or path, cut */
} event;

typedef struct host host;
struct host {
  h2ws_engine *engine;
  h2ws_listener listener;
  int port;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count;
  event events[HOST_EVENTS];
  /* Called inside the callback, on the loop's thread, after the event was written down. NULL: `host_serve`. */
  void (*react)(host *h, const event *e);
  int flag; /* the test's own, under `lock` */
};

/* What a host does that has no plan of its own: accepts, echoes, answers "hello". */
static inline void host_serve(host *h, const event *e) {
  h2ws_str data;
  data.data = e->data;
  data.len = e->len;
  if (e->type == REQUEST && e->kind == H2WS_WEBSOCKET) CHECK_OK(h2ws_accept(h->engine, e->stream, NULL));
  if (e->type == REQUEST && e->kind == H2WS_HTTP) CHECK_OK(h2ws_respond(h->engine, e->stream, 200, NULL, H2WS_STR("hello")));
  if (e->type == MESSAGE) CHECK_OK(h2ws_send(h->engine, e->stream, e->kind, data));
}

static inline void host_record(host *h, event *e, h2ws_str data) {
  e->thread = pthread_self();
  e->len = data.len;
  if (data.len) memcpy(e->data, data.data, data.len < sizeof e->data ? data.len : sizeof e->data - 1);
  pthread_mutex_lock(&h->lock);
  if (h->count < HOST_EVENTS) h->events[h->count++] = *e;
  pthread_cond_broadcast(&h->changed);
  pthread_mutex_unlock(&h->lock);
  if (e->type == LOG || e->type == DESTROYED) return;
  (h->react ? h->react : host_serve)(h, e);
}

static inline void host_on_request(void *user, const h2ws_request *r) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = REQUEST, e.size = r->size, e.stream = r->stream, e.connection = r->connection, e.kind = r->kind, e.end = r->end;
  e.headers = r->headers.count, e.subprotocols = r->subprotocol_count;
  host_record(user, &e, r->path);
}
static inline void host_on_body(void *user, const h2ws_body *b) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = BODY, e.size = b->size, e.stream = b->stream, e.context = b->context, e.end = b->end, e.headers = b->trailers.count;
  host_record(user, &e, b->data);
}
static inline void host_on_message(void *user, const h2ws_message *m) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = MESSAGE, e.size = m->size, e.stream = m->stream, e.context = m->context, e.kind = m->kind;
  host_record(user, &e, m->data);
}
static inline void host_on_fragment(void *user, const h2ws_fragment *f) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = FRAGMENT, e.size = f->size, e.stream = f->stream, e.context = f->context, e.kind = f->kind;
  e.first = f->first, e.last = f->last;
  host_record(user, &e, f->data);
}
static inline void host_on_control(void *user, const h2ws_control *c) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = CONTROL, e.size = c->size, e.stream = c->stream, e.context = c->context, e.kind = c->kind, e.code = c->code;
  host_record(user, &e, c->data);
}
static inline void host_on_writable(void *user, h2ws_stream stream, void *context) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = WRITABLE, e.stream = stream, e.context = context;
  host_record(user, &e, str(NULL));
}
static inline void host_on_closed(void *user, const h2ws_closed *c) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = CLOSED, e.size = c->size, e.stream = c->stream, e.context = c->context, e.kind = c->kind, e.code = c->code;
  e.cause = c->cause, e.side = c->side, e.h2_code = c->h2_code;
  host_record(user, &e, c->reason);
}
static inline void host_on_fallback(void *user, int fd, h2ws_str already_read) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = FALLBACK, e.fd = fd;
  host_record(user, &e, already_read);
}
static inline void host_on_duplex(void *user, const h2ws_duplex *d) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = DUPLEX, e.size = d->size, e.connection = d->connection, e.context = d->context;
  e.first = d->handed_back, e.kind = d->readable, e.code = d->writable;
  host_record(user, &e, d->peer);
}
static inline void host_on_disconnected(void *user, h2ws_connection connection) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = DISCONNECTED, e.connection = connection;
  host_record(user, &e, str(NULL));
}
static inline void host_on_log(void *user, int32_t level, h2ws_str text) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = LOG, e.level = level;
  host_record(user, &e, text);
}
static inline void host_on_destroy(void *user) {
  event e;
  memset(&e, 0, sizeof e);
  e.type = DESTROYED;
  host_record(user, &e, str(NULL));
}

static inline h2ws_callbacks host_callbacks(host *h) {
  h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
  callbacks.user = h;
  callbacks.on_request = host_on_request;
  callbacks.on_body = host_on_body;
  callbacks.on_message = host_on_message;
  callbacks.on_fragment = host_on_fragment;
  callbacks.on_control = host_on_control;
  callbacks.on_writable = host_on_writable;
  callbacks.on_closed = host_on_closed;
  callbacks.on_fallback = host_on_fallback;
  callbacks.on_duplex = host_on_duplex;
  callbacks.on_disconnected = host_on_disconnected;
  callbacks.on_log = host_on_log;
  callbacks.on_destroy = host_on_destroy;
  return callbacks;
}

typedef h2ws_status host_create(const h2ws_config *, const h2ws_callbacks *, h2ws_engine **);

/* A host with an engine of `config` (NULL: one loop), made by `create`, that listens on a free port of 127.0.0.1. */
static inline host *host_start_by(host_create *create, const h2ws_config *config, void (*react)(host *, const event *)) {
  h2ws_config one = H2WS_CONFIG_INIT;
  host *h = calloc(1, sizeof *h);
  h2ws_callbacks callbacks;
  char address[64] = "";
  size_t len = 0;
  if (!h) abort();
  one.loops = 1;
  pthread_mutex_init(&h->lock, NULL);
  pthread_cond_init(&h->changed, NULL);
  h->react = react;
  callbacks = host_callbacks(h);
  CHECK_OK(create(config ? config : &one, &callbacks, &h->engine));
  CHECK_OK(h2ws_listen(h->engine, H2WS_STR("127.0.0.1:0"), NULL, &h->listener));
  CHECK_OK(h2ws_listener_address(h->engine, h->listener, address, sizeof address, &len));
  h->port = strrchr(address, ':') ? atoi(strrchr(address, ':') + 1) : 0;
  CHECK(h->port > 0 && len == strlen(address), "an address with a port, not \"%s\"", address);
  return h;
}

/* The same, with an engine that has its own threads. */
static inline host *host_start(const h2ws_config *config, void (*react)(host *, const event *)) {
  return host_start_by(h2ws_engine_create, config, react);
}

static inline void host_free(host *h) {
  pthread_mutex_destroy(&h->lock);
  pthread_cond_destroy(&h->changed);
  free(h);
}

/* Ends the engine and checks what holds for each: `on_destroy` once and last, `on_closed` once for each `on_request`. */
static inline void host_stop(host *h) {
  int i, requests = 0, closed = 0, destroyed = 0;
  CHECK_OK(h2ws_engine_destroy(h->engine));
  for (i = 0; i < h->count; i++) {
    requests += h->events[i].type == REQUEST;
    closed += h->events[i].type == CLOSED;
    destroyed += h->events[i].type == DESTROYED;
  }
  CHECK(h->count < HOST_EVENTS, "fewer than %d events", HOST_EVENTS);
  CHECK(closed == requests, "%d on_closed for %d on_request, not %d", requests, requests, closed);
  CHECK(destroyed == 1 && h->events[h->count - 1].type == DESTROYED, "on_destroy once and last, not %d times", destroyed);
  host_free(h);
}

/* Number `n` (from 0) of the events of a type and stream (0: any), if it is there. Under the lock. */
static inline int host_find(host *h, enum event_type type, h2ws_stream stream, int n) {
  int i;
  for (i = 0; i < h->count; i++) {
    const event *e = &h->events[i];
    if ((type == ANY || e->type == type) && (!stream || e->stream == stream) && n-- == 0) return i;
  }
  return -1;
}

/* Waits for number `n` (from 0) of the events of a type and stream (0: any), and copies it. */
static inline event host_wait(host *h, enum event_type type, h2ws_stream stream, int n) {
  struct timespec until;
  event found;
  int i, late = 0;
  memset(&found, 0, sizeof found);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += HOST_WAIT_SECONDS;
  pthread_mutex_lock(&h->lock);
  while ((i = host_find(h, type, stream, n)) < 0 && !late)
    late = pthread_cond_timedwait(&h->changed, &h->lock, &until) != 0;
  if (i >= 0) found = h->events[i];
  pthread_mutex_unlock(&h->lock);
  CHECK(i >= 0, "event number %d of type %d on stream %llu within %d s", n, (int)type, (unsigned long long)stream,
        HOST_WAIT_SECONDS);
  return found;
}

/* Waits for a stream's `on_closed`, and until it has returned: then the handle is stale. */
static inline event host_closed(host *h, h2ws_stream stream) {
  event e = host_wait(h, CLOSED, stream, 0);
  h2ws_status status = H2WS_OK;
  int i;
  for (i = 0; i < 100000 && (status = h2ws_set_context(h->engine, stream, NULL)) != H2WS_GONE; i++) usleep(100);
  CHECK(status == H2WS_GONE, "a stale handle after on_closed, not %d", status);
  return e;
}

/* How many events of a type and stream (0: any) have come. */
static inline int host_count(host *h, enum event_type type, h2ws_stream stream) {
  int n = 0;
  pthread_mutex_lock(&h->lock);
  while (host_find(h, type, stream, n) >= 0) n++;
  pthread_mutex_unlock(&h->lock);
  return n;
}

/* The test's flag: set, and waited for. */
static inline void host_raise(host *h, int flag) {
  pthread_mutex_lock(&h->lock);
  h->flag |= flag;
  pthread_cond_broadcast(&h->changed);
  pthread_mutex_unlock(&h->lock);
}
static inline int host_raised(host *h, int flag) {
  struct timespec until;
  int raised, late = 0;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += HOST_WAIT_SECONDS;
  pthread_mutex_lock(&h->lock);
  while ((h->flag & flag) != flag && !late) late = pthread_cond_timedwait(&h->changed, &h->lock, &until) != 0;
  raised = (h->flag & flag) == flag;
  pthread_mutex_unlock(&h->lock);
  return raised;
}

/* A client on the host's port that has sent its opening. */
static inline void host_client(host *h, client *c) {
  client_init(c, tcp_connect(h->port));
  CHECK(c->fd >= 0, "a connection to port %d", h->port);
  client_open(c);
}

/* An accepted WebSocket: the client's stream, and the host's in `*stream`. */
static inline uint32_t host_socket(host *h, client *c, const char *path, h2ws_stream *stream) {
  int before = host_count(h, REQUEST, 0);
  uint32_t id = client_websocket(c, path, NULL);
  int status = client_status(c, id);
  CHECK(status == 200, "the handshake is answered with 200, not %d", status);
  *stream = host_wait(h, REQUEST, 0, before).stream;
  return id;
}

/* How many entries a folder of /proc/self has: threads (task) or descriptors (fd). */
static inline int proc_count(const char *folder) {
  DIR *d = opendir(folder);
  int n = 0;
  if (!d) return -1;
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

#endif
