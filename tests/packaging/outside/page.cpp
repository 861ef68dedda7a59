// Answers each request with the version, until its standard input ends.
#include <h2ws.hpp>
#include <iostream>

class page : public h2ws::handler {
    void on_request(const h2ws::request &request) override { request.stream().respond(200, {}, h2ws_version()); }
};

int main() {
    auto engine = h2ws::engine::create({}, std::make_unique<page>());
    if (!engine) return EXIT_FAILURE;
    auto listener = engine.value().listen("127.0.0.1:0");
    if (!listener) return EXIT_FAILURE;
    std::cout << "listening on http://" << listener.value().address().value() << std::endl;
    while (std::cin.get() != EOF) {
    }
    return engine.value().drain(5000) ? EXIT_SUCCESS : EXIT_FAILURE;
}
