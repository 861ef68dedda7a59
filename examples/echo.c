/* A WebSocket echo server in C, and one ordinary page, on one port.
 *
 *     cc echo.c $(pkg-config --cflags --libs h2ws) -pthread -o echo && ./echo 8080
 *     curl --http2-prior-knowledge http://127.0.0.1:8080/
 *
 * The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it. */
#define _POSIX_C_SOURCE 200809L
#include <h2ws.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Callbacks run on h2ws' own threads. They must not block, and what they are given is gone when they return.
 * `user` is the engine, because main leaves `callbacks.user` NULL. */
static void on_request(void *user, const h2ws_request *request) {
    h2ws_engine *engine = user;
    if (request->kind == H2WS_WEBSOCKET) {
        h2ws_accept(engine, request->stream, NULL); /* h2ws_reject would refuse it */
    } else {
        h2ws_respond(engine, request->stream, 200, NULL, H2WS_STR("hello\n"));
    }
}

static void on_message(void *user, const h2ws_message *message) {
    /* Sending never waits. H2WS_BUSY means that this peer takes nothing just now: 1 MiB is on its way to it. A server
     * that may lose nothing keeps the message and sends it in on_writable; this one gives up on such a peer. */
    h2ws_status status = h2ws_send(user, message->stream, message->kind, message->data);
    if (status == H2WS_BUSY) h2ws_close(user, message->stream, 1013, H2WS_STR("you do not read"));
}

/* Exactly once for each request, after which the stream's handle names nothing any more. */
static void on_closed(void *user, const h2ws_closed *closed) {
    (void)user;
    if (closed->kind == H2WS_WEBSOCKET) {
        printf("closed: %u %.*s\n", (unsigned)closed->code, (int)closed->reason.len, closed->reason.data);
        fflush(stdout);
    }
}

static void on_log(void *user, int32_t level, h2ws_str text) {
    (void)user;
    if (level <= H2WS_LOG_INFO) fprintf(stderr, "h2ws: %.*s\n", (int)text.len, text.data);
}

/* Says what the last call on this thread complained about. */
static int fail(const char *call) {
    char text[256];
    h2ws_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", call, text);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    /* The signals that end the server wait for sigwait below; threads started from here on leave them alone. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    h2ws_config config = H2WS_CONFIG_INIT; /* all zero: the defaults */
    h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
    callbacks.on_request = on_request;
    callbacks.on_message = on_message;
    callbacks.on_closed = on_closed;
    callbacks.on_log = on_log;

    h2ws_engine *engine;
    if (h2ws_engine_create(&config, &callbacks, &engine) != H2WS_OK) return fail("h2ws_engine_create");

    const char *port = argc > 1 ? argv[1] : getenv("PORT") ? getenv("PORT") : "8080";
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    h2ws_str wanted = {address, strlen(address)};
    h2ws_listener listener;
    size_t len;
    if (h2ws_listen(engine, wanted, NULL, &listener) != H2WS_OK) return fail("h2ws_listen");
    if (h2ws_listener_address(engine, listener, address, sizeof address, &len) != H2WS_OK) return fail("h2ws_listener_address");
    printf("listening on http://%.*s\n", (int)len, address);
    fflush(stdout);

    int signal;
    sigwait(&ends, &signal);
    h2ws_drain(engine, 5000);    /* tells every peer that it is over and waits for them, 5 s at most */
    h2ws_engine_destroy(engine); /* ends the threads; no callback comes after it */
    return EXIT_SUCCESS;
}
