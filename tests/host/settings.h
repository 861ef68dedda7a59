/* The environment of the test host. */
#ifndef HOST_SETTINGS_H
#define HOST_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "h2ws.h"

struct settings {
    uint16_t port; /* 0: any free one */
    bool manual;   /* MANUAL=1: the host answers Ping and Close itself */
    bool one_thread; /* LOOPS=1: the loop is the main thread's, and there is no other */
    h2ws_config config;
    h2ws_listen_options options; /* NO_HTTP1=1, NO_HTTP2=1 */
    const char *cert, *key;      /* TLS_CERT, TLS_KEY: files; NULL: cleartext */
    const char *client_ca;       /* TLS_CLIENT_CA: a file; clients may show a certificate */
};

/* Fills `settings` from the environment. False, with the reason on stderr, at the first variable that is wrong. */
bool settings_read(struct settings *);

#endif
