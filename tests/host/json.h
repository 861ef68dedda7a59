/* A growing text, and JSON strings in it. */
#ifndef HOST_JSON_H
#define HOST_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct json {
    char *data;
    size_t len, capacity;
    bool failed; /* no memory; what is there is incomplete */
};

void json_format(struct json *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In quotes, escaped. The bytes are UTF-8. */
void json_string(struct json *, const char *bytes, size_t len);
void json_free(struct json *);

#endif
