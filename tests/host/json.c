#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct json *json, size_t more) {
    if (json->failed) return false;
    if (json->capacity - json->len >= more) return true;
    size_t capacity = (json->len + more) * 2;
    char *data = realloc(json->data, capacity);
    if (!data) {
        json->failed = true;
        return false;
    }
    json->data = data;
    json->capacity = capacity;
    return true;
}

void json_format(struct json *json, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text) {
        json->failed = true;
    } else if (reserve(json, (size_t)len)) {
        memcpy(json->data + json->len, text, (size_t)len);
        json->len += (size_t)len;
    }
}

void json_string(struct json *json, const char *bytes, size_t len) {
    json_format(json, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\') json_format(json, "\\%c", c);
        else if (c < 0x20 || c == 0x7f) json_format(json, "\\u%04x", c);
        else json_format(json, "%c", c);
    }
    json_format(json, "\"");
}

void json_free(struct json *json) { free(json->data); }
