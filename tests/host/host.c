/* The test host: a small server with fixed paths, so that one set of suites runs against every binding.
 * Environment: PORT (8080; 0 is any), LOOPS (threads; not set is one beside the main thread, 1 is the main thread), MANUAL=1, MAX_MESSAGE, DEFLATE=1, NO_HTTP1=1, NO_HTTP2=1, TLS_CERT and
 * TLS_KEY (files; then it speaks TLS), TLS_CLIENT_CA, and H2WS_<FIELD> for every field of h2ws_config. Prints "listening on
 * URL" when it is ready; SIGHUP loads the certificate anew; SIGTERM or SIGINT drains for 5 s and ends it with 0.
 * What the paths do stands beside them in pages.c and sockets.c. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
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

/* Loads the certificate, or loads it anew. */
static h2ws_status load_tls(const struct settings *settings, h2ws_tls **tls) {
    h2ws_tls_identity identity = {.chain = {.file = str(settings->cert)}, .key = {.file = str(settings->key)}};
    h2ws_tls_config config = H2WS_TLS_CONFIG_INIT;
    config.identities = &identity;
    config.identity_count = 1;
    if (settings->client_ca) {
        config.client_roots.file = str(settings->client_ca);
        config.client_auth = H2WS_CLIENT_AUTH_OPTIONAL;
    }
    return *tls ? h2ws_tls_reload(*tls, &config) : h2ws_tls_create(&config, tls);
}

/* In a host of one thread: what it has caught, and the engine whose loop it interrupts for that. */
static volatile sig_atomic_t caught;
static h2ws_engine *runs;

static void on_signal(int signal) {
    int before = errno;
    caught = signal;
    h2ws_interrupt(runs, 0);
    errno = before;
}

/* A signal, or 0 if it cannot be waited for. In a host of one thread that thread serves meanwhile. */
static int next_signal(h2ws_engine *engine, const struct settings *settings, const sigset_t *signals) {
    int signal = 0;
    if (!settings->one_thread) return sigwait(signals, &signal) == 0 ? signal : 0;
    while (!caught) {
        h2ws_status status = h2ws_run(engine, 0, clock_turn());
        if (status != H2WS_OK) {
            fail("run", status);
            return 0;
        }
    }
    signal = caught;
    caught = 0;
    return signal;
}

/* From here on the signals come to on_signal. */
static void catch_signals(h2ws_engine *engine, const sigset_t *signals) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_mask = *signals;
    runs = engine;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void *drain_and_stop(void *engine) {
    h2ws_status status = h2ws_drain(engine, DRAIN_MS);
    if (status != H2WS_OK) fail("drain", status);
    h2ws_stop(engine);
    return NULL;
}

/* In a host of one thread another one waits: what is open may need the clock to come to its end. */
static h2ws_status drain(h2ws_engine *engine, const struct settings *settings) {
    pthread_t thread;
    if (!settings->one_thread || pthread_create(&thread, NULL, drain_and_stop, engine) != 0)
        return h2ws_drain(engine, DRAIN_MS);
    while (h2ws_run(engine, 0, clock_turn()) == H2WS_OK) {}
    pthread_join(thread, NULL);
    return H2WS_OK;
}

static int serve(h2ws_engine *engine, struct settings *settings, const sigset_t *signals) {
    h2ws_tls *tls = NULL;
    if (settings->cert && load_tls(settings, &tls) != H2WS_OK) return fail("tls_create", H2WS_INVALID_CONFIG);
    settings->options.tls = tls;
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)settings->port);
    h2ws_listener listener;
    size_t len;
    h2ws_status status = h2ws_listen(engine, str(address), &settings->options, &listener);
    if (status != H2WS_OK) {
        fail("listen", status);
    } else if ((status = h2ws_listener_address(engine, listener, address, sizeof address, &len)) != H2WS_OK) {
        fail("listener_address", status);
    } else {
        printf("listening on http%s://%.*s\n", tls ? "s" : "", (int)len, address);
        fflush(stdout);
        int signal;
        if (settings->one_thread) catch_signals(engine, signals);
        while ((signal = next_signal(engine, settings, signals)) == SIGHUP) {
            if (!tls) continue;
            if (load_tls(settings, &tls) != H2WS_OK) fail("tls_reload", H2WS_TLS);
            else fprintf(stderr, "host-c: the certificate was loaded anew\n");
        }
        status = drain(engine, settings);
        if (status != H2WS_OK) fail("drain", status);
    }
    h2ws_tls_destroy(tls);
    return status == H2WS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void) {
    struct settings settings;
    if (!settings_read(&settings)) return BAD_SETTINGS;
    manual_control = settings.manual;
    if (getenv("VERBOSE")) log_up_to = H2WS_LOG_DEBUG;

    /* Before any thread starts: all inherit the mask, so the signals wait for sigwait. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

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
    h2ws_status status = settings.one_thread ? h2ws_engine_create_driven(&settings.config, &callbacks, &engine)
                                             : h2ws_engine_create(&settings.config, &callbacks, &engine);
    if (status != H2WS_OK) return fail("engine_create", status);

    int exit_code = EXIT_FAILURE, error = settings.one_thread ? 0 : clock_start();
    if (error == 0) {
        exit_code = serve(engine, &settings, &signals);
        clock_stop();
    } else {
        fprintf(stderr, "host-c: clock thread: %s\n", strerror(error));
    }
    status = h2ws_engine_destroy(engine);
    return status == H2WS_OK ? exit_code : fail("engine_destroy", status);
}
