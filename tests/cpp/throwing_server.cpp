// A server whose handler throws in every function. exceptions.mjs drives it.
#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <h2ws.hpp>
#include <iostream>
#include <stdexcept>

namespace {

class throwing : public h2ws::handler {
    void on_request(const h2ws::request &request) override {
        const auto path = request.path();
        if (path == "/fine") {
            request.stream().respond(200, {}, "fine\n");
        } else if (path == "/socket") {
            request.stream().accept();
        } else if (path == "/accept-and-throw") {
            request.stream().accept();
            throw std::runtime_error("after accept");
        } else if (path == "/start-and-throw") {
            request.stream().respond_start(200);
            throw std::runtime_error("after respond_start");
        } else if (path == "/throw-an-int") {
            throw 7;
        } else if (path != "/body") {
            throw std::runtime_error("at once");
        }
    }
    void on_body(const h2ws::body &) override { throw std::runtime_error("in the body"); }
    void on_message(const h2ws::message &message) override {
        if (message.text() == "throw") throw std::runtime_error("in the message");
        message.stream().send(message.kind(), message.data());
    }
    void on_control(const h2ws::control &control) override {
        if (control.kind() == h2ws::control_kind::ping) throw std::runtime_error("in the ping");
    }
    void on_closed(const h2ws::closed &) override { throw std::runtime_error("at the end"); }
    void on_log(h2ws::log_level level, std::string_view text) override {
        if (level > h2ws::log_level::warn) return;
        std::cerr << text << std::endl;
        if (text.find("after accept") != text.npos) throw std::runtime_error("in the log");
    }
};

} // namespace

int main() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    h2ws::config config;
    config.loops = 1;
    auto engine = h2ws::engine::create(config, std::make_unique<throwing>());
    auto listener = engine.value().listen("127.0.0.1:0");
    std::cout << "listening on http://" << listener.value().address().value() << std::endl;
    int signal;
    sigwait(&ends, &signal);
    return engine.value().drain(5000).ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
