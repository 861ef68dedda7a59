/* From a request to what serves it. */
#ifndef HOST_ROUTES_H
#define HOST_ROUTES_H

#include "exchange.h"

/* Each ends with a route without a path. */
extern const struct route page_routes[];
extern const struct route socket_routes[];

/* The host answers Ping and Close frames itself. Set before the engine is made. */
extern bool manual_control;

/* The callbacks of the host. */
void on_request(void *user, const h2ws_request *);
void on_body(void *user, const h2ws_body *);
void on_message(void *user, const h2ws_message *);
void on_control(void *user, const h2ws_control *);
void on_writable(void *user, h2ws_stream, void *context);
void on_closed(void *user, const h2ws_closed *);

#endif
