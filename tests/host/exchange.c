#include "exchange.h"

#include <stdlib.h>
#include <string.h>

struct exchange *exchange_create(const h2ws_request *request) {
    size_t len = request->path.len < UINT8_MAX ? request->path.len : UINT8_MAX;
    struct exchange *exchange = calloc(1, sizeof *exchange + len);
    if (!exchange) return NULL;
    exchange->head = str_is(request->method, "HEAD");
    exchange->path_len = (uint8_t)len;
    if (len > 0) memcpy(exchange->path, request->path.data, len);
    return exchange;
}

void exchange_free(struct exchange *exchange) {
    if (exchange) outbox_clear(&exchange->outbox);
    free(exchange);
}

void exchange_give_back(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange, unsigned count) {
    exchange->returnable = (uint16_t)(exchange->returnable + count);
    if (exchange->returnable < CREDIT / 2 || exchange->outbox.first) return;
    h2ws_demand(engine, stream, exchange->returnable);
    exchange->returnable = 0;
}

h2ws_str str(const char *text) { return (h2ws_str){text, strlen(text)}; }

bool str_is(h2ws_str bytes, const char *text) {
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}
