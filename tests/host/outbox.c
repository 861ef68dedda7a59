#include "outbox.h"

#include <stdlib.h>
#include <string.h>

/* An item and, behind it, everything that it points to. */
struct outbox_item {
    struct outbox_item *next;
    struct outgoing outgoing;
};

static h2ws_status transmit(h2ws_engine *engine, h2ws_stream stream, const struct outgoing *o) {
    switch (o->kind) {
    case H2WS_TEXT:
    case H2WS_BINARY: return h2ws_send(engine, stream, o->kind, o->data);
    case H2WS_PONG: return h2ws_pong(engine, stream, o->data);
    case H2WS_CLOSE: return h2ws_close(engine, stream, o->code, o->data);
    case OUTGOING_BODY: return h2ws_send_body(engine, stream, o->data);
    default: return h2ws_finish(engine, stream, o->trailers.count > 0 ? &o->trailers : NULL);
    }
}

static char *append(char *end, h2ws_str *bytes) {
    if (bytes->len > 0) memcpy(end, bytes->data, bytes->len);
    bytes->data = end;
    return end + bytes->len;
}

/* A copy in one allocation: the item, the array of trailers, then all bytes. */
static struct outbox_item *copy(const struct outgoing *o) {
    size_t bytes = o->data.len;
    for (size_t i = 0; i < o->trailers.count; i++) bytes += o->trailers.items[i].name.len + o->trailers.items[i].value.len;
    size_t fields = o->trailers.count * sizeof(h2ws_header);
    struct outbox_item *item = malloc(sizeof *item + fields + bytes);
    if (!item) return NULL;
    item->next = NULL;
    item->outgoing = *o;
    h2ws_header *headers = (h2ws_header *)(item + 1);
    char *end = append((char *)headers + fields, &item->outgoing.data);
    for (size_t i = 0; i < o->trailers.count; i++) {
        headers[i] = o->trailers.items[i];
        end = append(end, &headers[i].name);
        end = append(end, &headers[i].value);
    }
    item->outgoing.trailers.items = headers;
    return item;
}

bool outbox_send(h2ws_engine *engine, h2ws_stream stream, struct outbox *outbox, const struct outgoing *outgoing) {
    if (!outbox->first && transmit(engine, stream, outgoing) != H2WS_BUSY) return true;
    struct outbox_item *item = copy(outgoing);
    if (!item) {
        h2ws_abort(engine, stream, 2 /* INTERNAL_ERROR */);
        return true;
    }
    if (outbox->first) outbox->last->next = item;
    else outbox->first = item;
    outbox->last = item;
    return false;
}

unsigned outbox_flush(h2ws_engine *engine, h2ws_stream stream, struct outbox *outbox) {
    unsigned sent = 0;
    for (struct outbox_item *item; (item = outbox->first) != NULL; free(item)) {
        int32_t kind = item->outgoing.kind;
        if (transmit(engine, stream, &item->outgoing) == H2WS_BUSY) break;
        outbox->first = item->next;
        sent += kind == H2WS_TEXT || kind == H2WS_BINARY || kind == OUTGOING_BODY;
    }
    return sent;
}

void outbox_clear(struct outbox *outbox) {
    for (struct outbox_item *item; (item = outbox->first) != NULL; free(item)) outbox->first = item->next;
    outbox->last = NULL;
}
