/* The paths of ordinary requests. */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "json.h"
#include "report.h"
#include "routes.h"

extern const char index_page[];

enum { MAX_DELAY_MS = 600000, CHUNK = 16 << 10 };

static h2ws_status answer(h2ws_engine *engine, h2ws_stream stream, const char *type, h2ws_str body) {
    h2ws_header header = {H2WS_STR("content-type"), str(type)};
    return h2ws_respond(engine, stream, 200, &(h2ws_headers){&header, 1}, body);
}

/* `/` waits for the end of the request: clients that check HTTP/2 closely send bodies and trailers to it. */
static void open_index(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    if (request->end) answer(engine, request->stream, "text/html; charset=utf-8", str(index_page));
}

static void body_of_index(h2ws_engine *engine, const h2ws_body *body, struct exchange *exchange) {
    (void)exchange;
    if (body->end) answer(engine, body->stream, "text/html; charset=utf-8", str(index_page));
}

static void open_hello(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    answer(engine, request->stream, "text/plain", H2WS_STR("hello, world"));
}

/* Sends until the stream is BUSY; on_writable goes on. */
static void send_bytes(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange) {
    static const char zeros[CHUNK];
    while (exchange->left > 0) {
        size_t len = exchange->left < CHUNK ? (size_t)exchange->left : CHUNK;
        if (h2ws_send_body(engine, stream, (h2ws_str){zeros, len}) != H2WS_OK) return;
        exchange->left -= len;
    }
    h2ws_finish(engine, stream, NULL);
    exchange->route = NULL; /* a later on_writable finds nothing to do */
}

static void open_bytes(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    char length[24];
    snprintf(length, sizeof length, "%" PRIu64, arguments->values[0]);
    h2ws_header headers[] = {
        {H2WS_STR("content-type"), H2WS_STR("application/octet-stream")},
        {H2WS_STR("content-length"), str(length)},
    };
    if (h2ws_respond_start(engine, request->stream, 200, &(h2ws_headers){headers, 2}) != H2WS_OK) return;
    exchange->left = exchange->head ? 0 : arguments->values[0];
    send_bytes(engine, request->stream, exchange);
}

static void open_echo_body(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                           const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    if (!request->end) {
        h2ws_set_demand(engine, request->stream);
        h2ws_demand(engine, request->stream, CREDIT);
    }
    h2ws_header header = {H2WS_STR("content-type"), H2WS_STR("application/octet-stream")};
    h2ws_status status = h2ws_respond_start(engine, request->stream, 200, &(h2ws_headers){&header, 1});
    if (status == H2WS_OK && request->end) h2ws_finish(engine, request->stream, NULL);
}

static void echo_body(h2ws_engine *engine, const h2ws_body *body, struct exchange *exchange) {
    struct outgoing data = {.kind = OUTGOING_BODY, .data = body->data};
    struct outgoing end = {.kind = OUTGOING_END, .trailers = body->trailers};
    bool sent = body->data.len == 0 || outbox_send(engine, body->stream, &exchange->outbox, &data);
    if (body->end) outbox_send(engine, body->stream, &exchange->outbox, &end);
    else if (sent) exchange_give_back(engine, body->stream, exchange, 1);
}

static h2ws_status answer_slowly(h2ws_engine *engine, h2ws_stream stream, void *exchange) {
    (void)exchange;
    return answer(engine, stream, "text/plain", H2WS_STR("slow\n"));
}

static void open_slow(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                      const struct arguments *arguments) {
    uint64_t delay = arguments->values[0];
    if (delay > MAX_DELAY_MS || !clock_schedule(delay, answer_slowly, engine, request->stream, exchange))
        h2ws_respond(engine, request->stream, 400, NULL, H2WS_STR("at most 600000 ms\n"));
}

static void answer_json(h2ws_engine *engine, h2ws_stream stream, struct json *json) {
    if (json->failed) h2ws_respond(engine, stream, 503, NULL, H2WS_STR("no memory\n"));
    else answer(engine, stream, "application/json", (h2ws_str){json->data, json->len});
    json_free(json);
}

static void open_stats(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    struct json json = {0};
    report_write_stats(&json, engine);
    answer_json(engine, request->stream, &json);
}

static void open_closed(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                        const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    struct json json = {0};
    report_write_closed(&json);
    answer_json(engine, request->stream, &json);
}

static void open_connection(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                            const struct arguments *arguments) {
    (void)exchange, (void)arguments;
    struct json json = {0};
    report_write_connection(&json, request);
    answer_json(engine, request->stream, &json);
}

const struct route page_routes[] = {
    {.path = "/", .open = open_index, .body = body_of_index},
    {.path = "/hello", .methods = "GET, HEAD", .open = open_hello},
    {.path = "/bytes/", .argument_count = 1, .methods = "GET, HEAD", .open = open_bytes, .writable = send_bytes},
    {.path = "/echo-body", .methods = "POST, PUT", .open = open_echo_body, .body = echo_body},
    {.path = "/slow/", .argument_count = 1, .methods = "GET, HEAD", .open = open_slow},
    {.path = "/stats", .methods = "GET, HEAD", .open = open_stats},
    {.path = "/closed", .methods = "GET, HEAD", .open = open_closed},
    {.path = "/connection", .methods = "GET, HEAD", .open = open_connection},
    {.path = NULL},
};
