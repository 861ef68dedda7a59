// A WebSocket echo server in C++, and one ordinary page, on one port.
//
//     c++ -std=c++17 echo.cpp $(pkg-config --cflags --libs h2ws) -pthread -o echo && ./echo 8080
//     curl --http2-prior-knowledge http://127.0.0.1:8080/
//
// The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it.
#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <h2ws.hpp>
#include <iostream>

// The functions run on h2ws' own threads. They must not block, and what they are given is gone when they return. What
// they throw ends that one exchange, and nothing else.
class echo : public h2ws::handler {
    void on_request(const h2ws::request &request) override {
        if (request.is_websocket()) {
            request.stream().accept(); // reject() would refuse it
        } else {
            request.stream().respond(200, {h2ws::header("content-type", "text/plain")}, "hello\n");
        }
    }

    void on_message(const h2ws::message &message) override {
        // Sending never waits. Busy means that this peer takes nothing just now: 1 MiB is on its way to it. A server
        // that may lose nothing keeps the message and sends it in on_writable; this one gives up on such a peer.
        if (message.stream().send(message.kind(), message.data()).busy()) message.stream().close(1013, "you do not read");
    }

    // Exactly once for each request, after which the stream names nothing any more.
    void on_closed(const h2ws::closed &closed) override {
        if (closed.is_websocket()) std::cout << "closed: " << closed.code() << ' ' << closed.reason() << std::endl;
    }
};

int main(int argc, char **argv) {
    // The signals that end the server wait for sigwait below; threads started from here on leave them alone.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    h2ws::config config; // the defaults
    auto engine = h2ws::engine::create(config, std::make_unique<echo>());
    if (!engine) {
        std::cerr << "engine: " << engine.error().text << '\n';
        return EXIT_FAILURE;
    }

    const char *from_environment = std::getenv("PORT");
    const std::string port = argc > 1 ? argv[1] : from_environment ? from_environment : "8080";
    auto listener = engine.value().listen("127.0.0.1:" + port);
    if (!listener) {
        std::cerr << "listen: " << listener.error().text << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "listening on http://" << listener.value().address().value() << std::endl;

    int signal;
    sigwait(&ends, &signal);
    engine.value().drain(5000); // tells every peer that it is over and waits for them, 5 s at most
    return EXIT_SUCCESS;        // destroys the listener and the engine; no callback comes after that
}
