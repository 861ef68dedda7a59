#define _POSIX_C_SOURCE 200809L
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* The numeric fields of h2ws_config; H2WS_<NAME> sets them, zero means the default. */
#define FIELDS(X)                                                                                                    \
    X(loops) X(max_connections) X(max_streams) X(max_header_list) X(max_header_fields) X(max_message)                \
    X(max_fragments) X(stream_window) X(connection_window) X(send_queue) X(command_queue) X(early_data)              \
    X(preface_timeout) X(settings_timeout) X(header_timeout) X(accept_timeout) X(close_timeout) X(idle_timeout)      \
    X(ping_interval) X(ping_timeout) X(write_timeout) X(reset_burst) X(reset_rate) X(ping_rate) X(settings_rate)     \
    X(idle_frame_rate) X(tls_timeout) X(keep_alive_timeout) X(deflate_level) X(deflate_server_window_bits)           \
    X(deflate_client_window_bits) X(deflate_min_size) X(deflate_memory) X(deflate_ratio)

/* Its flags. */
#define FLAGS(X) X(fallback) X(deflate) X(deflate_server_takeover) X(deflate_client_takeover)

#define ONE(name) +1
_Static_assert(offsetof(h2ws_config, fallback) == sizeof(size_t) + (FIELDS(ONE)) * sizeof(uint32_t),
               "h2ws_config has other fields than FIELDS lists: bring the list up to date");
_Static_assert(sizeof(h2ws_config) == sizeof(size_t) + (FIELDS(ONE) FLAGS(ONE)) * sizeof(uint32_t),
               "h2ws_config has other flags than FLAGS lists: bring the list up to date");

static const struct field {
    const char *name;
    size_t offset;
} fields[] = {
#define ENTRY(name) {#name, offsetof(h2ws_config, name)},
    FIELDS(ENTRY)
}, flags[] = {
    FLAGS(ENTRY)
};

/* A decimal number up to `most`. */
static bool read_number(const char *variable, const char *text, uint32_t most, uint32_t *out) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > most) {
        fprintf(stderr, "host-c: %s is \"%s\"; it must be a whole number from 0 to %" PRIu32 "\n", variable, text, most);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* An environment variable without its prefix names a field in capitals. */
static bool names(const char *variable, size_t len, const char *field) {
    if (strlen(field) != len) return false;
    for (size_t i = 0; i < len; i++) {
        char c = variable[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == '_' ? c : 0) != field[i]) return false;
    }
    return true;
}

/* One `H2WS_NAME=value` of the environment. */
static bool read_field(h2ws_config *config, const char *entry) {
    const char *name = entry + strlen("H2WS_"), *value = strchr(name, '=');
    if (!value) return true;
    size_t len = (size_t)(value++ - name);
    if (names(name, len, "host")) return true; /* runners keep the path of the test host in H2WS_HOST */
    char variable[64];
    snprintf(variable, sizeof variable, "H2WS_%.*s", (int)(len < 50 ? len : 50), name);
    uint32_t number;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (!names(name, len, flags[i].name)) continue;
        if (!read_number(variable, value, 1, &number)) return false;
        *(int32_t *)(void *)((char *)config + flags[i].offset) = (int32_t)number;
        return true;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!names(name, len, fields[i].name)) continue;
        return read_number(variable, value, UINT32_MAX, (uint32_t *)(void *)((char *)config + fields[i].offset));
    }
    fprintf(stderr, "host-c: %s names no field of h2ws_config; known are", variable);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) fprintf(stderr, " %s,", flags[i].name);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) fprintf(stderr, "%s %s", i ? "," : "", fields[i].name);
    fprintf(stderr, " (in capitals)\n");
    return false;
}

static bool read_variable(const char *variable, uint32_t most, uint32_t *out) {
    const char *text = getenv(variable);
    return !text || read_number(variable, text, most, out);
}

/* NULL if it is not set. */
static const char *path_of(const char *variable) {
    const char *path = getenv(variable);
    return path && *path ? path : NULL;
}

bool settings_read(struct settings *settings) {
    *settings = (struct settings){.config = H2WS_CONFIG_INIT};
    settings->config.loops = 1;
    uint32_t port = 8080, manual = 0, deflate = 0, no_http1 = 0, no_http2 = 0;
    for (char **entry = environ; *entry; entry++)
        if (strncmp(*entry, "H2WS_", strlen("H2WS_")) == 0 && !read_field(&settings->config, *entry)) return false;
    if (!read_variable("PORT", UINT16_MAX, &port) || !read_variable("MANUAL", 1, &manual) ||
        !read_variable("DEFLATE", 1, &deflate) || !read_variable("NO_HTTP1", 1, &no_http1) ||
        !read_variable("NO_HTTP2", 1, &no_http2) ||
        !read_variable("LOOPS", UINT32_MAX, &settings->config.loops) ||
        !read_variable("MAX_MESSAGE", UINT32_MAX, &settings->config.max_message))
        return false;
    settings->port = (uint16_t)port;
    settings->manual = manual == 1;
    settings->one_thread = getenv("LOOPS") && settings->config.loops == 1;
    if (deflate) settings->config.deflate = 1;
    settings->options = (h2ws_listen_options)H2WS_LISTEN_OPTIONS_INIT;
    settings->options.no_http1 = (int32_t)no_http1;
    settings->options.no_http2 = (int32_t)no_http2;
    settings->cert = path_of("TLS_CERT");
    settings->key = path_of("TLS_KEY");
    settings->client_ca = path_of("TLS_CLIENT_CA");
    if (!settings->cert != !settings->key) {
        fprintf(stderr, "host-c: TLS_CERT and TLS_KEY belong together; set both\n");
        return false;
    }
    return true;
}
