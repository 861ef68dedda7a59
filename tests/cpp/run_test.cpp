// engine::create_driven: a server of one thread, and its end.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <h2ws.hpp>
#include <iostream>
#include <string>
#include <thread>

#include "check.hpp"

namespace {

struct host : h2ws::handler {
    explicit host(int *closed) : closed(closed) {}
    void on_request(const h2ws::request &request) override {
        CHECK(std::this_thread::get_id() == thread, "on the thread that runs the loop");
        request.stream().respond(200, {}, "hello");
    }
    void on_closed(const h2ws::closed &) override { ++*closed; }

    int *closed;
    std::thread::id thread = std::this_thread::get_id();
};

// What a server on the port answers.
std::string ask(int port) {
    const std::string request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0, "a connection");
    CHECK(send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()), "the request");
    std::string answer;
    char buffer[256];
    for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
    close(fd);
    return answer;
}

void one_thread_serves_and_ends() {
    int closed = 0;
    h2ws::config config;
    config.loops = 1;
    auto made = h2ws::engine::create_driven(config, std::make_unique<host>(&closed));
    CHECK(made.ok(), "an engine");
    auto engine = std::move(made).value();
    auto listener = engine.listen("127.0.0.1:0");
    CHECK(listener.ok(), "a listener");
    const std::string address = listener.value().address().value();
    const int port = std::atoi(address.substr(address.rfind(':') + 1).c_str());
    std::string answer;
    std::thread client([&] {
        answer = ask(port);
        CHECK(engine.interrupt().ok(), "the loop is interrupted");
    });
    CHECK(engine.run().ok(), "runs until it is interrupted");
    client.join();
    CHECK(answer.find("200") != std::string::npos && answer.find("hello") != std::string::npos, "the answer, not " + answer);
    CHECK(engine.run(1).code() == H2WS_WRONG_THREAD, "the thread has loop 0");
    CHECK(engine.drain(1000).ok(), "drains on its thread");
    CHECK(closed == 1, "on_closed once");
    CHECK(engine.stop().ok(), "stops");
    CHECK(engine.run().code() == H2WS_SHUTTING_DOWN, "says that the loop has ended");
}

void an_engine_with_threads_is_not_run() {
    int closed = 0;
    auto engine = h2ws::engine::create({}, std::make_unique<host>(&closed));
    CHECK(engine.ok() && engine.value().run().code() == H2WS_WRONG_STATE, "its loops have threads");
    CHECK(!h2ws::engine::create_driven({}, nullptr).ok(), "a handler is needed");
}

} // namespace

int main() {
    one_thread_serves_and_ends();
    an_engine_with_threads_is_not_run();
    if (failures == 0) std::cout << "run_test: ok\n";
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
