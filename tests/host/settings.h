/* The environment of the test host. */
#ifndef HOST_SETTINGS_H
#define HOST_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "h2ws.h"

struct settings {
    uint16_t port; /* 0: any free one */
    bool manual;   /* MANUAL=1: the host answers Ping and Close itself */
    h2ws_config config;
};

/* Fills `settings` from the environment. False, with the reason on stderr, at the first variable that is wrong. */
bool settings_read(struct settings *);

#endif
