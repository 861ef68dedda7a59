/* The WebSocket paths. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"
#include "routes.h"

enum { CANCEL = 8, MAX_DELAY_MS = 600000, MAX_FLOOD_SIZE = 16 << 20 };

static h2ws_status accept_with(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange, h2ws_accept_options options) {
    options.context = exchange;
    options.manual_control = manual_control;
    return h2ws_accept(engine, stream, &options);
}

static h2ws_status accept_plain(h2ws_engine *engine, h2ws_stream stream, void *exchange) {
    h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
    return accept_with(engine, stream, exchange, options);
}

/* Echo in demand mode: a peer that sends and does not read gets no further than CREDIT messages, kept in the outbox. */
static h2ws_status accept_echo(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange, h2ws_str subprotocol) {
    h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
    options.subprotocol = subprotocol;
    options.demand = 1;
    h2ws_status status = accept_with(engine, stream, exchange, options);
    if (status == H2WS_OK) h2ws_demand(engine, stream, CREDIT);
    return status;
}

static h2ws_str offered_echo(const h2ws_request *request) {
    for (size_t i = 0; i < request->subprotocol_count; i++)
        if (str_is(request->subprotocols[i], "echo")) return request->subprotocols[i];
    return (h2ws_str){NULL, 0};
}

static void open_echo(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                      const struct arguments *arguments) {
    (void)arguments;
    accept_echo(engine, request->stream, exchange, offered_echo(request));
}

/* Its first message tells what the handshake came over, as the page of this path does. */
static void open_connection(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                            const struct arguments *arguments) {
    (void)arguments;
    struct json json = {0};
    report_write_connection(&json, request);
    if (json.failed) h2ws_reject(engine, request->stream, 503, NULL, H2WS_STR("no memory\n"));
    else if (accept_echo(engine, request->stream, exchange, (h2ws_str){NULL, 0}) == H2WS_OK)
        h2ws_send(engine, request->stream, H2WS_TEXT, (h2ws_str){json.data, json.len});
    json_free(&json);
}

/* "!close 4000 because": closes so, and says what is wrong if it cannot. */
static void close_as_told(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange, h2ws_str command) {
    size_t at = strlen("!close ");
    uint32_t code = 0;
    for (; at < command.len && command.data[at] >= '0' && command.data[at] <= '9' && code <= UINT16_MAX; at++)
        code = code * 10 + (uint32_t)(command.data[at] - '0');
    if (at < command.len && command.data[at] == ' ') at++;
    struct outgoing outgoing = {.kind = H2WS_CLOSE, .code = (uint16_t)code, .data = {command.data + at, command.len - at}};
    if (exchange->outbox.first) {
        outbox_send(engine, stream, &exchange->outbox, &outgoing);
        return;
    }
    h2ws_status status = code > UINT16_MAX ? H2WS_INVALID_ARGUMENT : h2ws_close(engine, stream, outgoing.code, outgoing.data);
    if (status == H2WS_OK) return;
    char text[512] = "!close: the code is above 65535";
    if (code <= UINT16_MAX) h2ws_last_error(text, sizeof text);
    h2ws_send(engine, stream, H2WS_TEXT, str(text));
}

static void echo(h2ws_engine *engine, const h2ws_message *message, struct exchange *exchange) {
    static const h2ws_str command = {"!close ", 7};
    h2ws_str data = message->data;
    if (message->kind == H2WS_TEXT && data.len >= command.len && memcmp(data.data, command.data, command.len) == 0) {
        close_as_told(engine, message->stream, exchange, data);
        exchange_give_back(engine, message->stream, exchange, 1);
        return;
    }
    struct outgoing outgoing = {.kind = message->kind, .data = data};
    if (outbox_send(engine, message->stream, &exchange->outbox, &outgoing))
        exchange_give_back(engine, message->stream, exchange, 1);
}

static void open_close(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    accept_plain(engine, request->stream, exchange);
    uint64_t code = arguments->values[0];
    h2ws_str reason = code == 0 ? H2WS_STR("") : H2WS_STR("bye"); /* a Close without a code has no reason either */
    if (code > UINT16_MAX || h2ws_close(engine, request->stream, (uint16_t)code, reason) != H2WS_OK)
        h2ws_close(engine, request->stream, 1011, H2WS_STR("not a code that may be sent"));
}

static void open_abort(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)arguments;
    accept_plain(engine, request->stream, exchange);
    h2ws_abort(engine, request->stream, CANCEL);
}

static void open_reject(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                        const struct arguments *arguments) {
    (void)exchange;
    static const h2ws_header header = {{"x-refused", 9}, {"as asked", 8}};
    uint64_t status = arguments->values[0];
    h2ws_headers headers = {&header, 1};
    if (status > 999 || h2ws_reject(engine, request->stream, (uint16_t)status, &headers, H2WS_STR("refused as asked\n")) != H2WS_OK)
        h2ws_reject(engine, request->stream, 500, &headers, H2WS_STR("not a status to refuse with\n"));
}

static h2ws_status accept_now(h2ws_engine *engine, h2ws_stream stream, void *exchange) {
    return accept_echo(engine, stream, exchange, (h2ws_str){NULL, 0});
}

static void open_later(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    uint64_t delay = arguments->values[0];
    if (delay > MAX_DELAY_MS || !clock_schedule(delay, accept_now, engine, request->stream, exchange))
        h2ws_reject(engine, request->stream, 400, NULL, H2WS_STR("at most 600000 ms\n"));
}

static void open_never(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)engine, (void)request, (void)exchange, (void)arguments;
}

static void open_sink(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                      const struct arguments *arguments) {
    (void)arguments;
    accept_plain(engine, request->stream, exchange);
}

static void open_stall(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    (void)arguments;
    h2ws_accept_options options = H2WS_ACCEPT_OPTIONS_INIT;
    options.demand = 1; /* and never a credit */
    accept_with(engine, request->stream, exchange, options);
}

/* Sends until the stream is BUSY; on_writable goes on. */
static void flood(h2ws_engine *engine, h2ws_stream stream, struct exchange *exchange) {
    static char payload[MAX_FLOOD_SIZE]; /* zeros that take no memory: nobody writes them */
    h2ws_status status = H2WS_OK;
    for (; exchange->left > 0; exchange->left--) {
        status = h2ws_send(engine, stream, H2WS_BINARY, (h2ws_str){payload, exchange->size});
        if (status != H2WS_OK) break;
    }
    if (status == H2WS_OK) h2ws_close(engine, stream, 1000, H2WS_STR("done"));
}

static void open_flood(h2ws_engine *engine, const h2ws_request *request, struct exchange *exchange,
                       const struct arguments *arguments) {
    if (arguments->values[1] > MAX_FLOOD_SIZE) {
        h2ws_reject(engine, request->stream, 400, NULL, H2WS_STR("at most 16777216 bytes each\n"));
        return;
    }
    exchange->left = arguments->values[0];
    exchange->size = (uint32_t)arguments->values[1];
    if (accept_plain(engine, request->stream, exchange) == H2WS_OK) flood(engine, request->stream, exchange);
}

const struct route socket_routes[] = {
    {.path = "/echo", .open = open_echo, .message = echo},
    {.path = "/connection", .open = open_connection, .message = echo},
    {.path = "/close/", .argument_count = 1, .open = open_close},
    {.path = "/abort", .open = open_abort},
    {.path = "/reject/", .argument_count = 1, .open = open_reject},
    {.path = "/later/", .argument_count = 1, .open = open_later, .message = echo},
    {.path = "/never", .open = open_never},
    {.path = "/sink", .open = open_sink},
    {.path = "/stall", .open = open_stall},
    {.path = "/flood/", .argument_count = 2, .open = open_flood, .writable = flood},
    {.path = NULL},
};
