/* What the test host remembers of one stream, and the table of paths that decides what becomes of it. */
#ifndef HOST_EXCHANGE_H
#define HOST_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2ws.h"
#include "outbox.h"

struct route;

/* The context of every stream: made in on_request, freed in on_closed. Only the stream's loop thread looks inside;
 * the clock thread carries the pointer along but never follows it. */
struct exchange {
    const struct route *route;
    struct outbox outbox;  /* what the stream was too busy to take */
    uint64_t left;         /* messages or bytes still to send */
    uint32_t size;         /* of each message of a flood */
    uint16_t returnable;   /* credits used up and not yet given back */
    bool head;             /* a HEAD request */
    uint8_t path_len;
    char path[];           /* as sent, cut at 255 bytes */
};

/* The numbers at the end of a path: /flood/10/125 has 10 and 125. */
struct arguments {
    uint64_t values[2];
};

/* A path and what it does. Everything but `open` may be NULL. */
struct route {
    const char *path;       /* whole, or ending in '/' where numbers follow */
    unsigned argument_count;
    const char *methods;    /* of an ordinary request: "GET, HEAD"; NULL takes any */
    void (*open)(h2ws_engine *, const h2ws_request *, struct exchange *, const struct arguments *);
    void (*body)(h2ws_engine *, const h2ws_body *, struct exchange *);
    void (*message)(h2ws_engine *, const h2ws_message *, struct exchange *);
    void (*writable)(h2ws_engine *, h2ws_stream, struct exchange *);
};

/* Credits that a stream in demand mode has: small, because each may be a message of the largest size that has to be
 * kept while the peer reads nothing; more than one, so that they can be given back by halves. */
#define CREDIT 8

/* `count` events are dealt with: gives their credits back, half of them at a time, and none while anything waits. */
void exchange_give_back(h2ws_engine *, h2ws_stream, struct exchange *, unsigned count);

/* The context of a new stream, or NULL without memory. */
struct exchange *exchange_create(const h2ws_request *);
void exchange_free(struct exchange *);

/* Bytes of a NUL-terminated text. */
h2ws_str str(const char *text);
bool str_is(h2ws_str, const char *text);

#endif
