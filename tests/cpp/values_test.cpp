// What needs no peer: views, results, owners, and the errors of calls.
#include <array>
#include <cstdlib>
#include <h2ws.hpp>
#include <iostream>
#include <sys/socket.h>

#include "check.hpp"

namespace {

// Counts how many of it live, to see that the engine frees it.
struct quiet : h2ws::handler {
    explicit quiet(int *living_count) : living(living_count) { ++*living; }
    ~quiet() override { --*living; }
    quiet(const quiet &) = delete;
    quiet &operator=(const quiet &) = delete;
    void on_request(const h2ws::request &) override {}
    void on_log(h2ws::log_level, std::string_view) override {}
    int *living;
};

void bytes_of_containers() {
    const std::string text = "abc";
    const std::vector<std::uint8_t> vector = {1, 2, 3};
    const std::array<char, 2> array = {'x', 'y'};
    CHECK(h2ws::bytes(text).text() == "abc", "bytes of a string");
    CHECK(h2ws::bytes(std::string_view("abc")).size() == 3, "bytes of a view");
    CHECK(h2ws::bytes(vector)[2] == 3, "bytes of a vector");
    CHECK(h2ws::bytes(array).size() == 2, "bytes of an array");
    CHECK(h2ws::bytes("abc").size() == 3, "bytes of a literal, without its NUL");
    CHECK(h2ws::bytes().empty() && h2ws::bytes().begin() == h2ws::bytes().end(), "no bytes");
    CHECK((!std::is_constructible_v<h2ws::bytes, std::vector<int>>), "only one-byte elements are bytes");
}

void headers_are_found_by_name() {
    const std::vector<h2ws_header> fields = {h2ws::header("a", "1"), h2ws::header("b", "2"), h2ws::header("b", "3")};
    const h2ws::headers headers = fields;
    CHECK(headers.find("b") == std::string_view("2"), "the first of two fields");
    CHECK(!headers.find("c"), "no such field");
    std::string all;
    for (auto [name, value] : headers) all.append(name).append("=").append(value).append(";");
    CHECK(all == "a=1;b=2;b=3;", "all fields in their order");
    CHECK(h2ws::headers().native() == nullptr, "no fields are NULL in C");
}

void a_missing_handler_is_refused() {
    const auto engine = h2ws::engine::create({}, nullptr);
    CHECK(engine.status() == H2WS_INVALID_ARGUMENT, "a status");
    CHECK(engine.error().text.find("handler") != std::string::npos, "the text names the argument");
}

void a_bad_field_is_named_and_the_handler_freed() {
    int living = 0;
    h2ws::config config;
    config.loops = 65;
    const auto engine = h2ws::engine::create(config, std::make_unique<quiet>(&living));
    CHECK(engine.status() == H2WS_INVALID_CONFIG, "a status");
    CHECK(!engine && engine.error().text.find("loops") != std::string::npos, "the text names the field");
    CHECK(living == 0, "the handler is freed where there is no engine");
}

void an_engine_owns_its_handler_and_a_listener_may_outlive_it() {
    int living = 0;
    std::optional<h2ws::listener> outliving;
    {
        h2ws::config config;
        config.loops = 1;
        auto engine = h2ws::engine::create(config, std::make_unique<quiet>(&living));
        CHECK(engine.ok(), "an engine");
        if (!engine) return;
        auto moved = std::move(engine).value();
        auto listener = moved.listen("127.0.0.1:0");
        CHECK(listener.ok(), "a listener");
        if (!listener) return;
        const std::string address = listener.value().address().value();
        CHECK(address.rfind("127.0.0.1:", 0) == 0 && address != "127.0.0.1:0", "the address that was bound");
        const auto second = moved.listen(address);
        CHECK(second.status() == H2WS_ADDRESS_IN_USE, "a status for an address in use");
        CHECK(second.ok() || second.error().text.find(address) != std::string::npos, "the text names the address");
        CHECK(moved.listen("nonsense").status() == H2WS_INVALID_ARGUMENT, "a status for what is no address");
        outliving.emplace(std::move(listener).value());
        CHECK(moved.stats().open_connections == 0, "no connection");
        CHECK(living == 1, "the engine keeps the handler");
    }
    CHECK(living == 0, "the handler is freed with the engine");
    CHECK(outliving->address().status().gone(), "a listener without its engine is gone");
    CHECK(outliving->close().gone(), "closing it is harmless");
}

void adopt_refuses_what_is_no_socket() {
    int living = 0;
    h2ws::config config;
    config.loops = 1;
    auto engine = h2ws::engine::create(config, std::make_unique<quiet>(&living));
    CHECK(engine.ok(), "an engine");
    if (!engine) return;
    int pipes[2];
    CHECK(pipe(pipes) == 0, "a pipe");
    CHECK(engine.value().adopt(pipes[0]).status() == H2WS_NOT_A_SOCKET, "a pipe is no stream socket");
    ::close(pipes[1]);
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair of sockets");
    CHECK(engine.value().adopt(pair[0], std::string_view("PRI * HTTP/2.0\r\n")).ok(), "a UNIX socket is adopted");
    ::close(pair[1]);
}

void a_stream_that_never_was_is_gone() {
    int living = 0;
    h2ws::config config;
    config.loops = 1;
    auto engine = h2ws::engine::create(config, std::make_unique<quiet>(&living));
    CHECK(engine.ok(), "an engine");
    if (!engine) return;
    const h2ws::stream stream = engine.value().stream(0x1234);
    CHECK(stream.accept().gone(), "accept");
    CHECK(stream.respond(200, {}, "hello").gone(), "respond with a literal");
    CHECK(stream.respond(200, {}, std::string("hello")).gone(), "respond with a string");
    CHECK(stream.respond(200, {}, std::vector<char>{'x'}).gone(), "respond with a vector");
    CHECK(stream.respond(204).gone(), "respond with no body");
    CHECK(stream.send_body(std::string_view("hello")).gone(), "send_body");
    CHECK(stream.send_text("hello").gone(), "send_text");
    CHECK(stream.send_uncompressed(h2ws::message_kind::text, "hello").gone(), "send_uncompressed");
    h2ws::accept_options plain;
    plain.no_deflate = true;
    CHECK(stream.accept(plain).gone(), "accept without compression");
    CHECK(stream.close().gone(), "close");
    CHECK(stream.abort().gone(), "abort");
    CHECK(stream.demand(1).gone(), "demand");
    CHECK(!h2ws::last_error().empty(), "a text");
}

void tls_says_what_cannot_be_used() {
    const auto none = h2ws::tls::create({});
    CHECK(none.status() == H2WS_INVALID_ARGUMENT, "a status");
    const auto missing = h2ws::tls::create({{{h2ws::file("/no/such.pem"), h2ws::memory("key")}}});
    CHECK(missing.status() == H2WS_TLS, "a status of its own");
    CHECK(!missing && missing.error().text.find("/no/such.pem") != std::string::npos, "the text names the file");
}

// What run.sh makes: a certificate and its key in one file.
void tls_is_listened_with(const char *pem) {
    int living = 0;
    const auto tls = h2ws::tls::create({{{h2ws::file(pem), h2ws::file(pem)}}});
    CHECK(tls.ok(), tls ? "" : tls.error().text);
    if (!tls) return;
    CHECK(tls.value().reload({{{h2ws::file("/no/such.pem"), h2ws::file(pem)}}}) == H2WS_TLS, "a reload may fail");
    auto engine = h2ws::engine::create({}, std::make_unique<quiet>(&living));
    CHECK(engine.ok(), "an engine");
    if (!engine) return;
    h2ws::connection_options options;
    options.tls = &tls.value();
    options.http1 = false;
    CHECK(engine.value().listen("127.0.0.1:0", options).ok(), "a listener");
    options.http2 = false;
    CHECK(engine.value().listen("127.0.0.1:0", options).status() == H2WS_INVALID_ARGUMENT, "no protocol is left");
}

} // namespace

int main(int argc, char **argv) {
    bytes_of_containers();
    headers_are_found_by_name();
    a_missing_handler_is_refused();
    a_bad_field_is_named_and_the_handler_freed();
    an_engine_owns_its_handler_and_a_listener_may_outlive_it();
    adopt_refuses_what_is_no_socket();
    a_stream_that_never_was_is_gone();
    tls_says_what_cannot_be_used();
    CHECK(argc == 2, "the path of a certificate with its key");
    if (argc == 2) tls_is_listened_with(argv[1]);
    if (failures == 0) std::cout << "values_test: ok\n";
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
