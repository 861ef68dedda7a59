// h2ws::duplex: connections whose bytes the host moves, by attach, by a raw listener, and with a handler that throws.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <h2ws.hpp>
#include <iostream>
#include <mutex>
#include <set>
#include <stdexcept>

#include "check.hpp"

namespace {

constexpr auto WAIT = std::chrono::seconds(20);
const std::string GET = "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

// What the loop's thread has told.
struct told {
    std::mutex lock;
    std::condition_variable changed;
    std::string received, peer, logged;
    bool ended = false;
    void *context = nullptr;
    std::set<h2ws_connection> disconnected;

    template <class F>
    bool wait(F condition) {
        std::unique_lock<std::mutex> held(lock);
        return changed.wait_for(held, WAIT, condition);
    }
};

struct host : h2ws::handler {
    explicit host(told *tell) : to(*tell) {}

    void on_request(const h2ws::request &request) override { request.stream().respond(200, {}, "from " + std::string(request.peer())); }

    // A raw connection gets back what it sends; of an attached one the bytes are kept.
    void on_duplex(const h2ws::duplex_ready &ready) override {
        if (throws) throw std::runtime_error("on purpose");
        char buffer[256];
        std::size_t n = 0;
        auto end = h2ws::duplex_end::open;
        const auto duplex = ready.duplex();
        std::lock_guard<std::mutex> held(to.lock);
        if (ready.handed_back()) to.peer = ready.peer();
        if (ready.context()) to.context = ready.context();
        while (ready.readable() && duplex.read(buffer, sizeof buffer, n, end) && n > 0) {
            if (to.context) {
                to.received.append(buffer, n);
                continue;
            }
            std::size_t taken = 0;
            CHECK(duplex.write(h2ws::bytes(buffer, n), taken).ok() && taken == n, "there is room for a line");
        }
        if (end != h2ws::duplex_end::open) {
            CHECK(end == h2ws::duplex_end::ended, "an end in order");
            if (!to.context) CHECK(duplex.close().ok(), "the host's part ends");
            to.ended = true;
        }
        to.changed.notify_all();
    }
    void on_disconnected(h2ws_connection connection) override {
        std::lock_guard<std::mutex> held(to.lock);
        to.disconnected.insert(connection);
        to.changed.notify_all();
    }
    void on_log(h2ws::log_level, std::string_view text) override {
        std::lock_guard<std::mutex> held(to.lock);
        to.logged.append(text).append("\n");
    }

    told &to;
    bool throws = false;
};

h2ws::engine start(std::unique_ptr<host> handler) {
    h2ws::config config;
    config.loops = 1;
    return h2ws::engine::create(config, std::move(handler)).value();
}

int connect_to(const std::string &address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const timeval limit{20, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK(connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0, "a connection");
    return fd;
}

void a_socket_that_stays_with_the_host_is_served() {
    told told;
    int mark = 0;
    auto engine = start(std::make_unique<host>(&told));
    h2ws::attach_options options;
    options.peer = "192.0.2.1:7";
    options.context = &mark;
    const auto attached = engine.attach(options);
    CHECK(attached.ok(), "a duplex");
    if (!attached) return;
    const h2ws::duplex duplex = attached.value();
    std::size_t taken = 0;
    CHECK(duplex.write(GET, taken).ok() && taken == GET.size(), "all of it is taken");
    CHECK(told.wait([&] { return told.ended; }), "the end behind the answer");
    CHECK(told.context == &mark, "its context comes with each event");
    CHECK(told.received.rfind("HTTP/1.1 200", 0) == 0, "the answer");
    CHECK(told.received.find("from 192.0.2.1:7") != std::string::npos, "the request names the peer");
    CHECK(duplex.shut().ok(), "our side ends");
    CHECK(told.wait([&] { return told.disconnected.count(duplex.id()) == 1; }), "on_disconnected names the connection");
    CHECK(duplex.close().ok(), "the host's part ends");
    CHECK(duplex.close().gone() && duplex.write("x", taken).gone() && taken == 0, "a name of nothing");
}

void a_raw_connection_is_the_hosts() {
    told told;
    auto engine = start(std::make_unique<host>(&told));
    h2ws::connection_options options;
    options.raw = true;
    const auto listener = engine.listen("127.0.0.1:0", options);
    const int fd = connect_to(listener.value().address().value());
    CHECK(send(fd, "over to me", 10, 0) == 10, "ten bytes are sent");
    char buffer[16] = "";
    CHECK(recv(fd, buffer, 10, MSG_WAITALL) == 10 && !std::memcmp(buffer, "over to me", 10), "they come back");
    CHECK(shutdown(fd, SHUT_WR) == 0, "FIN");
    CHECK(recv(fd, buffer, 1, 0) == 0, "the host's end behind it");
    ::close(fd);
    CHECK(told.wait([&] { return told.disconnected.size() == 1; }), "on_disconnected");
    CHECK(told.peer.rfind("127.0.0.1:", 0) == 0, "its peer's address");
}

void a_handler_that_throws_loses_the_duplex_and_nothing_else() {
    told told;
    auto handler = std::make_unique<host>(&told);
    handler->throws = true;
    auto engine = start(std::move(handler));
    h2ws::connection_options options;
    options.raw = true;
    const auto raw = engine.listen("127.0.0.1:0", options);
    const int cut = connect_to(raw.value().address().value());
    char buffer[256];
    CHECK(recv(cut, buffer, 1, 0) <= 0, "it is cut off");
    ::close(cut);
    CHECK(told.wait([&] { return told.disconnected.size() == 1; }), "on_disconnected");
    CHECK(told.logged.find("exception in on_duplex: on purpose") != std::string::npos, "the log says what was thrown");
    const auto served = engine.listen("127.0.0.1:0");
    const int fd = connect_to(served.value().address().value());
    CHECK(send(fd, GET.data(), GET.size(), 0) == static_cast<ssize_t>(GET.size()), "a request");
    CHECK(recv(fd, buffer, 12, MSG_WAITALL) == 12 && !std::memcmp(buffer, "HTTP/1.1 200", 12), "the next one is served");
    ::close(fd);
}

void who_overrides_nothing_cuts_it_off() {
    struct silent : h2ws::handler {
        void on_request(const h2ws::request &) override {}
    };
    h2ws::config config;
    config.loops = 1;
    auto engine = h2ws::engine::create(config, std::make_unique<silent>());
    h2ws::connection_options options;
    options.raw = true;
    const auto listener = engine.value().listen("127.0.0.1:0", options);
    const int fd = connect_to(listener.value().address().value());
    char byte;
    CHECK(recv(fd, &byte, 1, 0) <= 0, "it is cut off");
    ::close(fd);
}

void what_serves_nothing_is_refused() {
    told told;
    auto engine = start(std::make_unique<host>(&told));
    h2ws::attach_options options;
    options.http1 = options.http2 = false;
    const auto attached = engine.attach(options);
    CHECK(attached.status() == H2WS_INVALID_ARGUMENT, "a status");
    CHECK(!attached && attached.error().text.find("leave HTTP/1.1 or HTTP/2 on") != std::string::npos, "the way out");
}

} // namespace

int main() {
    a_socket_that_stays_with_the_host_is_served();
    a_raw_connection_is_the_hosts();
    a_handler_that_throws_loses_the_duplex_and_nothing_else();
    who_overrides_nothing_cuts_it_off();
    what_serves_nothing_is_refused();
    if (failures == 0) std::cout << "duplex_test: ok" << std::endl;
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
