/* What /stats and /closed tell. */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include "exchange.h"
#include "json.h"

/* Remembers a final event; the last 1,000 are kept. From any thread. */
void report_closed(const h2ws_closed *, const struct exchange *);
/* They as an array, the oldest first: path, kind, code, reason, cause, h2_code, side. */
void report_write_closed(struct json *);
/* The engine's counters as one object, by the names of h2ws_stats. */
void report_write_stats(struct json *, const h2ws_engine *);
/* What a request came over: `{"version":"2","connection":7,"peer":"127.0.0.1:4711","tls":{...}}` */
void report_write_connection(struct json *, const h2ws_request *);

#endif
