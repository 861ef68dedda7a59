#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <pthread.h>
#include <time.h>

struct alarm {
    uint64_t due_ms;
    clock_action *action;
    h2ws_engine *engine;
    h2ws_stream stream;
    void *context;
};

enum { MAX_ALARMS = 65536, RETRY_MS = 10 };

/* A binary heap, the next one due at 0. */
static struct alarm alarms[MAX_ALARMS];
static size_t alarm_count;
static bool started, stopping;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool push(struct alarm alarm) {
    if (alarm_count == MAX_ALARMS) return false;
    size_t at = alarm_count++;
    for (; at > 0 && alarms[(at - 1) / 2].due_ms > alarm.due_ms; at = (at - 1) / 2) alarms[at] = alarms[(at - 1) / 2];
    alarms[at] = alarm;
    return true;
}

static struct alarm pop(void) {
    struct alarm first = alarms[0], moved = alarms[--alarm_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < alarm_count; at = child) {
        if (child + 1 < alarm_count && alarms[child + 1].due_ms < alarms[child].due_ms) child++;
        if (alarms[child].due_ms >= moved.due_ms) break;
        alarms[at] = alarms[child];
    }
    alarms[at] = moved;
    return first;
}

/* Does what is due next. Under the lock, but not while it is done. */
static void ring(void) {
    struct alarm alarm = pop();
    pthread_mutex_unlock(&lock);
    h2ws_status status = alarm.action(alarm.engine, alarm.stream, alarm.context);
    pthread_mutex_lock(&lock);
    alarm.due_ms = now_ms() + RETRY_MS;
    if (status == H2WS_BUSY) push(alarm);
}

static void *run(void *unused) {
    pthread_mutex_lock(&lock);
    while (!stopping) {
        if (alarm_count == 0) {
            pthread_cond_wait(&changed, &lock);
        } else if (alarms[0].due_ms > now_ms()) {
            uint64_t due = alarms[0].due_ms;
            struct timespec until = {(time_t)(due / 1000), (long)(due % 1000) * 1000000};
            pthread_cond_timedwait(&changed, &lock, &until);
        } else {
            ring();
        }
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

int clock_start(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&thread, NULL, run, NULL);
    started = error == 0;
    return error;
}

int32_t clock_turn(void) {
    int32_t wait = -1;
    pthread_mutex_lock(&lock);
    uint64_t now = now_ms();
    while (alarm_count > 0 && alarms[0].due_ms <= now) ring();
    if (alarm_count > 0) wait = alarms[0].due_ms - now < INT32_MAX ? (int32_t)(alarms[0].due_ms - now) : INT32_MAX;
    pthread_mutex_unlock(&lock);
    return wait;
}

void clock_stop(void) {
    if (!started) return;
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&changed);
}

bool clock_schedule(uint64_t delay_ms, clock_action *action, h2ws_engine *engine, h2ws_stream stream, void *context) {
    pthread_mutex_lock(&lock);
    bool taken = push((struct alarm){now_ms() + delay_ms, action, engine, stream, context});
    if (started) pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    if (!started) h2ws_interrupt(engine, 0);
    return taken;
}
