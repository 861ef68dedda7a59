#include "routes.h"

#include <string.h>

#include "report.h"

bool manual_control;

/* Reads "10/125" into two values. No sign, no empty part, nothing behind. */
static bool read_arguments(const char *text, size_t len, unsigned count, struct arguments *out) {
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && (at == len || text[at++] != '/')) return false;
        size_t begin = at;
        uint64_t value = 0;
        for (; at < len && text[at] >= '0' && text[at] <= '9'; at++) value = value * 10 + (uint64_t)(text[at] - '0');
        if (at == begin || at - begin > 12) return false;
        out->values[i] = value;
    }
    return at == len;
}

/* The query plays no part. */
static const struct route *find(const struct route *routes, h2ws_str path, struct arguments *arguments) {
    const char *query = path.len > 0 ? memchr(path.data, '?', path.len) : NULL;
    if (query) path.len = (size_t)(query - path.data);
    for (; routes->path; routes++) {
        size_t len = strlen(routes->path);
        if (path.len < len || memcmp(path.data, routes->path, len) != 0) continue;
        if (read_arguments(path.data + len, path.len - len, routes->argument_count, arguments)) return routes;
    }
    return NULL;
}

/* Whether `method` is in a list such as "GET, HEAD". */
static bool allowed(const char *methods, h2ws_str method) {
    for (const char *at = methods; at;) {
        size_t len = strcspn(at, ",");
        if (len == method.len && memcmp(at, method.data, len) == 0) return true;
        at = at[len] ? at + len + 2 : NULL;
    }
    return methods == NULL;
}

static void refuse(h2ws_engine *engine, const h2ws_request *request, uint16_t status, const h2ws_headers *headers,
                   const char *body) {
    if (request->kind == H2WS_WEBSOCKET) h2ws_reject(engine, request->stream, status, headers, str(body));
    else h2ws_respond(engine, request->stream, status, headers, str(body));
}

void on_request(void *user, const h2ws_request *request) {
    h2ws_engine *engine = user;
    struct exchange *exchange = exchange_create(request);
    if (!exchange || h2ws_set_context(engine, request->stream, exchange) != H2WS_OK) {
        exchange_free(exchange);
        refuse(engine, request, 503, NULL, "no memory\n");
        return;
    }
    struct arguments arguments = {{0, 0}};
    const struct route *route =
        find(request->kind == H2WS_WEBSOCKET ? socket_routes : page_routes, request->path, &arguments);
    exchange->route = route;
    if (!route) {
        refuse(engine, request, 404, NULL, "not found\n");
    } else if (request->kind == H2WS_HTTP && !allowed(route->methods, request->method)) {
        h2ws_header allow = {H2WS_STR("allow"), str(route->methods)};
        refuse(engine, request, 405, &(h2ws_headers){&allow, 1}, "method not allowed\n");
        exchange->route = NULL; /* its body is nobody's */
    } else {
        route->open(engine, request, exchange, &arguments);
    }
}

void on_body(void *user, const h2ws_body *body) {
    struct exchange *exchange = body->context;
    if (exchange && exchange->route && exchange->route->body) exchange->route->body(user, body, exchange);
}

void on_message(void *user, const h2ws_message *message) {
    struct exchange *exchange = message->context;
    if (exchange && exchange->route->message) exchange->route->message(user, message, exchange);
}

void on_writable(void *user, h2ws_stream stream, void *context) {
    struct exchange *exchange = context;
    if (!exchange) return;
    if (exchange->outbox.first) exchange_give_back(user, stream, exchange, outbox_flush(user, stream, &exchange->outbox));
    if (exchange->outbox.first || !exchange->route || !exchange->route->writable) return;
    exchange->route->writable(user, stream, exchange);
}

void on_control(void *user, const h2ws_control *control) {
    struct exchange *exchange = control->context;
    if (!manual_control || !exchange || control->kind == H2WS_PONG) return;
    struct outgoing answer = {.kind = control->kind == H2WS_PING ? H2WS_PONG : H2WS_CLOSE};
    /* as h2ws itself answers: the code comes back, the reason does not; an end without a Close is orderly */
    if (answer.kind == H2WS_PONG) answer.data = control->data;
    else answer.code = control->kind == H2WS_END ? 1000 : control->code;
    /* RFC 6455 §5.5.3: of Pings that could not be answered yet, the last one's answer is enough. What waits must not
     * grow with a peer that pings and does not read, so those that come meanwhile get none. */
    if (answer.kind == H2WS_PONG && exchange->outbox.first) return;
    outbox_send(user, control->stream, &exchange->outbox, &answer);
}

void on_closed(void *user, const h2ws_closed *closed) {
    (void)user;
    report_closed(closed, closed->context);
    exchange_free(closed->context);
}
