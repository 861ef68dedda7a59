/* The test host: a small server with fixed paths, so that one set of suites runs against every binding.
 * Environment: PORT (8080; 0 is any), LOOPS (1), MANUAL=1, MAX_MESSAGE, and H2WS_<FIELD> for every field of
 * h2ws_config. Prints "listening on URL" when it is ready; SIGTERM or SIGINT drains for 5 s and ends it with 0.
 * What the paths do stands beside them in pages.c and sockets.c. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "routes.h"
#include "settings.h"

enum { BAD_SETTINGS = 2, DRAIN_MS = 5000 };

/* Warnings and errors always; all lines if VERBOSE is set. */
static int32_t log_up_to = H2WS_LOG_WARN;

static void on_log(void *user, int32_t level, h2ws_str text) {
    static const char *const names[] = {"?", "error", "warn", "info", "debug"};
    (void)user;
    if (level > log_up_to) return;
    fprintf(stderr, "host-c: %s: %.*s\n", names[level >= 1 && level <= 4 ? level : 0], (int)text.len, text.data);
}

/* With H2WS_FALLBACK=1: says over HTTP/1.1 how much had been read, which shows that fd and bytes have arrived. */
static void on_fallback(void *user, int fd, h2ws_str already_read) {
    (void)user;
    char body[64], answer[256];
    int body_len = snprintf(body, sizeof body, "fallback: %zu bytes read\n", already_read.len);
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s",
                       body_len, body);
    if (send(fd, answer, (size_t)len, MSG_NOSIGNAL) == len) shutdown(fd, SHUT_WR);
    close(fd);
}

static int fail(const char *doing, h2ws_status status) {
    char text[512];
    h2ws_last_error(text, sizeof text);
    fprintf(stderr, "host-c: %s: %s\n", doing, text);
    return status == H2WS_INVALID_CONFIG ? BAD_SETTINGS : EXIT_FAILURE;
}

static int serve(h2ws_engine *engine, uint16_t port, const sigset_t *ends) {
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    h2ws_listener listener;
    h2ws_status status = h2ws_listen(engine, str(address), NULL, &listener);
    if (status != H2WS_OK) return fail("listen", status);
    size_t len;
    status = h2ws_listener_address(engine, listener, address, sizeof address, &len);
    if (status != H2WS_OK) return fail("listener_address", status);
    printf("listening on http://%.*s\n", (int)len, address);
    fflush(stdout);

    int signal;
    sigwait(ends, &signal);
    status = h2ws_drain(engine, DRAIN_MS);
    return status == H2WS_OK ? EXIT_SUCCESS : fail("drain", status);
}

int main(void) {
    struct settings settings;
    if (!settings_read(&settings)) return BAD_SETTINGS;
    manual_control = settings.manual;
    if (getenv("VERBOSE")) log_up_to = H2WS_LOG_DEBUG;

    /* Before any thread starts: all inherit the mask, so the signals wait for sigwait. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
    callbacks.on_request = on_request;
    callbacks.on_body = on_body;
    callbacks.on_message = on_message;
    callbacks.on_control = on_control;
    callbacks.on_writable = on_writable;
    callbacks.on_closed = on_closed;
    callbacks.on_log = on_log;
    callbacks.on_fallback = on_fallback;
    h2ws_engine *engine;
    h2ws_status status = h2ws_engine_create(&settings.config, &callbacks, &engine);
    if (status != H2WS_OK) return fail("engine_create", status);

    int exit_code = EXIT_FAILURE, error = clock_start();
    if (error == 0) {
        exit_code = serve(engine, settings.port, &ends);
        clock_stop();
    } else {
        fprintf(stderr, "host-c: clock thread: %s\n", strerror(error));
    }
    status = h2ws_engine_destroy(engine);
    return status == H2WS_OK ? exit_code : fail("engine_destroy", status);
}
