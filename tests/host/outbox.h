/* What waits behind a stream that was BUSY, in order. Its owner bounds it by withholding credit. */
#ifndef HOST_OUTBOX_H
#define HOST_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "h2ws.h"

struct outbox_item;

struct outbox {
    struct outbox_item *first, *last;
};

/* Something to send. Messages and control frames have the numbers of h2ws.h; bodies have their own. */
enum outgoing_kind { OUTGOING_BODY = 100, OUTGOING_END = 101 };

struct outgoing {
    int32_t kind;          /* H2WS_TEXT, _BINARY, _PONG, _CLOSE, OUTGOING_BODY, OUTGOING_END */
    uint16_t code;         /* of a Close */
    h2ws_str data;         /* payload, or the reason of a Close */
    h2ws_headers trailers; /* of OUTGOING_END */
};

/* Sends now, or keeps a copy if something waits already or the stream is BUSY. Returns whether it is sent (or the
 * stream is beyond receiving it). Aborts the stream if there is no memory for the copy. */
bool outbox_send(h2ws_engine *, h2ws_stream, struct outbox *, const struct outgoing *);

/* After on_writable: sends what waits until it is BUSY again. Returns how many data items (not END, PONG or CLOSE) went. */
unsigned outbox_flush(h2ws_engine *, h2ws_stream, struct outbox *);

void outbox_clear(struct outbox *);

#endif
