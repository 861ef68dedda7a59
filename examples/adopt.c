/* A server that accepts its connections itself and hands them to h2ws: for programs that have their own accept loop,
 * look at a connection first, or take it from somewhere else.
 *
 *     cc adopt.c $(pkg-config --cflags --libs h2ws) -o adopt && ./adopt 8080
 *
 * The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it. See echo.c for
 * the callbacks. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <h2ws.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_request(void *user, const h2ws_request *request) {
    if (request->kind == H2WS_WEBSOCKET) h2ws_accept(user, request->stream, NULL);
    else h2ws_respond(user, request->stream, 200, NULL, H2WS_STR("hello\n"));
}

static void on_message(void *user, const h2ws_message *message) {
    if (h2ws_send(user, message->stream, message->kind, message->data) == H2WS_BUSY)
        h2ws_close(user, message->stream, 1013, H2WS_STR("you do not read"));
}

static volatile sig_atomic_t ended;
static void on_signal(int signal) { (void)signal, ended = 1; }

static int listen_on(const char *port, struct sockaddr_in *bound) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof *bound;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)bound, &len))
        return -1;
    return fd;
}

/* Until a signal comes: accepts, and gives each connection away. */
static void accept_all(h2ws_engine *engine, int listener, const sigset_t *while_waiting) {
    while (!ended) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        if (ppoll(&ready, 1, NULL, while_waiting) < 0) continue; /* a signal */
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) poll(NULL, 0, 10); /* too many open files: let some close */
            continue;
        }
        /* From this call on the fd is h2ws', which makes it non-blocking and closes it, also when the call fails. Bytes
         * that have been read from it already would go in as the third argument. */
        if (h2ws_adopt(engine, fd, (h2ws_str){NULL, 0}, NULL, NULL) != H2WS_OK) {
            char text[256];
            h2ws_last_error(text, sizeof text);
            fprintf(stderr, "h2ws_adopt: %s\n", text);
        }
    }
}

int main(int argc, char **argv) {
    /* The signals are blocked but while accept_all waits, so none can slip in between its look at `ended` and the wait. */
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, &before);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
    callbacks.on_request = on_request;
    callbacks.on_message = on_message;
    h2ws_engine *engine;
    if (h2ws_engine_create(NULL, &callbacks, &engine) != H2WS_OK) return EXIT_FAILURE;

    struct sockaddr_in bound;
    int listener = listen_on(argc > 1 ? argv[1] : getenv("PORT") ? getenv("PORT") : "8080", &bound);
    if (listener < 0) return perror("listen"), EXIT_FAILURE;
    printf("listening on http://127.0.0.1:%u\n", (unsigned)ntohs(bound.sin_port));
    fflush(stdout);

    accept_all(engine, listener, &before);
    close(listener);
    h2ws_drain(engine, 5000);
    h2ws_engine_destroy(engine);
    return EXIT_SUCCESS;
}
