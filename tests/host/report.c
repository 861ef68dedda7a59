#include "report.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define COUNTERS(X)                                                                                                  \
    X(open_connections) X(open_streams) X(open_websockets) X(connections) X(fallbacks) X(tls_handshakes)             \
    X(tls_resumed) X(requests) X(handshakes) X(accepted) X(messages_in) X(messages_out) X(compressed_in)             \
    X(compressed_out) X(bytes_in) X(bytes_out) X(reads) X(writes) X(rejected_by_host) X(refused_authority)           \
    X(refused_scheme) X(refused_protocol) X(refused_version) X(refused_malformed) X(refused_plain_connect)           \
    X(refused_undecided) X(refused_header_fields) X(refused_draining) X(refused_connections) X(refused_preface)      \
    X(refused_tls) X(limit_message) X(limit_fragments) X(limit_ratio) X(limit_deflate_memory) X(limit_early_data)    \
    X(limit_send_queue) X(limit_command_queue) X(limit_resets) X(limit_pings) X(limit_settings)                      \
    X(limit_idle_frames) X(timeout_preface) X(timeout_tls) X(timeout_keep_alive) X(timeout_settings)                 \
    X(timeout_header) X(timeout_close) X(timeout_idle) X(timeout_ping) X(timeout_write) X(violation_frame)           \
    X(violation_utf8) X(violation_deflate) X(violation_stream) X(violation_connection) X(violation_http1) X(panics)

#define ONE(name) +1
_Static_assert(sizeof(h2ws_stats) == sizeof(size_t) + (COUNTERS(ONE)) * sizeof(uint64_t),
               "h2ws_stats has other counters than COUNTERS lists: bring the list up to date");

/* Reasons and paths are cut to these sizes: a reason of a Close frame has at most 123 bytes. */
struct record {
    uint32_t h2_code;
    uint16_t code;
    int8_t kind, cause, side;
    uint8_t path_len, reason_len;
    char path[96], reason[160];
};

enum { RECORDS = 1000 };

static struct record records[RECORDS]; /* a ring: the next one goes to `written % RECORDS` */
static size_t written;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Copies what fits, never half a character. */
static uint8_t cut(char *to, size_t capacity, const char *from, size_t len) {
    if (len > capacity) {
        len = capacity;
        while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80) len--;
    }
    if (len > 0) memcpy(to, from, len);
    return (uint8_t)len;
}

void report_closed(const h2ws_closed *closed, const struct exchange *exchange) {
    pthread_mutex_lock(&lock);
    struct record *r = &records[written++ % RECORDS];
    r->h2_code = closed->h2_code;
    r->code = closed->code;
    r->kind = (int8_t)closed->kind;
    r->cause = (int8_t)closed->cause;
    r->side = (int8_t)closed->side;
    r->path_len = exchange ? cut(r->path, sizeof r->path, exchange->path, exchange->path_len) : 0;
    r->reason_len = cut(r->reason, sizeof r->reason, closed->reason.data, closed->reason.len);
    pthread_mutex_unlock(&lock);
}

static const char *cause_name(int8_t cause) {
    switch (cause) {
    case H2WS_CAUSE_COMPLETE: return "complete";
    case H2WS_CAUSE_CLOSE_FRAME: return "close_frame";
    case H2WS_CAUSE_END_STREAM: return "end_stream";
    case H2WS_CAUSE_RESET: return "reset";
    case H2WS_CAUSE_GOAWAY: return "goaway";
    case H2WS_CAUSE_DISCONNECTED: return "disconnected";
    case H2WS_CAUSE_TIMEOUT: return "timeout";
    case H2WS_CAUSE_DRAIN: return "drain";
    case H2WS_CAUSE_REJECTED: return "rejected";
    case H2WS_CAUSE_VIOLATION: return "violation";
    default: return "unknown";
    }
}

void report_write_closed(struct json *json) {
    pthread_mutex_lock(&lock);
    size_t first = written > RECORDS ? written - RECORDS : 0;
    json_format(json, "[");
    for (size_t i = first; i < written; i++) {
        const struct record *r = &records[i % RECORDS];
        json_format(json, "%s\n  {\"path\": ", i > first ? "," : "");
        json_string(json, r->path, r->path_len);
        json_format(json, ", \"kind\": \"%s\", \"code\": %u, \"reason\": ",
                    r->kind == H2WS_WEBSOCKET ? "websocket" : "http", (unsigned)r->code);
        json_string(json, r->reason, r->reason_len);
        json_format(json, ", \"cause\": \"%s\", \"h2_code\": %" PRIu32 ", \"side\": \"%s\"}", cause_name(r->cause),
                    r->h2_code, r->side == H2WS_LOCAL ? "local" : "remote");
    }
    json_format(json, "\n]\n");
    pthread_mutex_unlock(&lock);
}

void report_write_stats(struct json *json, const h2ws_engine *engine) {
    h2ws_stats stats = H2WS_STATS_INIT;
    if (h2ws_engine_stats(engine, &stats) != H2WS_OK) {
        json->failed = true;
        return;
    }
    const char *separator = "{\n";
#define WRITE(name)                                                              \
    json_format(json, "%s  \"" #name "\": %" PRIu64, separator, stats.name); \
    separator = ",\n";
    COUNTERS(WRITE)
#undef WRITE
    json_format(json, "\n}\n");
}

static void write_text(struct json *json, const char *name, h2ws_str text) {
    json_format(json, ",\"%s\":", name);
    json_string(json, text.data, text.len);
}

void report_write_connection(struct json *json, const h2ws_request *request) {
    const h2ws_tls_info *tls = request->tls;
    json_format(json, "{\"version\":\"%s\",\"connection\":%" PRIu64,
                request->version == 20 ? "2" : request->version == 11 ? "1.1" : "1.0", request->connection);
    write_text(json, "peer", request->peer);
    write_text(json, "scheme", request->scheme);
    write_text(json, "authority", request->authority);
    if (tls) {
        json_format(json, ",\"tls\":{\"resumed\":%s,\"peer_certificates\":%zu", tls->resumed ? "true" : "false",
                    tls->peer_certificate_count);
        write_text(json, "version", tls->version);
        write_text(json, "cipher", tls->cipher);
        write_text(json, "server_name", tls->server_name);
        write_text(json, "alpn", tls->alpn);
        json_format(json, "}");
    }
    json_format(json, "}");
}
