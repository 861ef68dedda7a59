/* Answers each request with the version, until its standard input ends. */
#include <h2ws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_request(void *user, const h2ws_request *request) {
    h2ws_respond(user, request->stream, 200, NULL, (h2ws_str){h2ws_version(), strlen(h2ws_version())});
}

int main(void) {
    h2ws_callbacks callbacks = H2WS_CALLBACKS_INIT;
    callbacks.on_request = on_request;
    h2ws_engine *engine;
    h2ws_listener listener;
    char address[64];
    size_t len;
    if (h2ws_engine_create(NULL, &callbacks, &engine) != H2WS_OK) return EXIT_FAILURE;
    if (h2ws_listen(engine, H2WS_STR("127.0.0.1:0"), NULL, &listener) != H2WS_OK) return EXIT_FAILURE;
    if (h2ws_listener_address(engine, listener, address, sizeof address, &len) != H2WS_OK) return EXIT_FAILURE;
    printf("listening on http://%s\n", address);
    fflush(stdout);
    for (char byte; read(STDIN_FILENO, &byte, 1) > 0;) { /* ends with its standard input */
    }
    h2ws_drain(engine, 5000);
    h2ws_engine_destroy(engine);
    return EXIT_SUCCESS;
}
