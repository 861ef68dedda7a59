/* Does things later. A thread of its own answers and accepts from outside the event loops, as hosts with their own threads do; in a
   host of one thread that thread does it, between two runs of its loop. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "h2ws.h"

/* What to do to a stream when its time has come. H2WS_BUSY: it will be tried again soon. */
typedef h2ws_status clock_action(h2ws_engine *, h2ws_stream, void *context);

/* Starts the thread, or returns the errno value of the failure. */
int clock_start(void);
/* Ends the thread; what is not due yet is dropped. Before h2ws_engine_destroy. */
void clock_stop(void);
/* Without the thread: does what is due, and says in how many ms something is again; -1: nothing. What is scheduled meanwhile
   interrupts loop 0. */
int32_t clock_turn(void);
/* False if too much is waiting. */
bool clock_schedule(uint64_t delay_ms, clock_action *, h2ws_engine *, h2ws_stream, void *context);

#endif
