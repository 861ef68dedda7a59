/// h2ws for C++17: the C API of h2ws.h with owners, views and virtual functions. Header-only.
///
///     struct echo : h2ws::handler {
///         void on_request(const h2ws::request &r) override {
///             if (r.is_websocket()) r.stream().accept();
///             else r.stream().respond(200, {}, "hello\n");
///         }
///         void on_message(const h2ws::message &m) override { m.stream().send(m.kind(), m.data()); }
///     };
///     auto engine = h2ws::engine::create({}, std::make_unique<echo>());
///     auto listener = engine.value().listen("127.0.0.1:8080");
///
/// Nothing here throws but bad_alloc, and std::bad_variant_access where a result is used that is an error. What a
/// handler throws goes no further than this header: the exchange ends with 500, or the WebSocket with 1011, a duplex is
/// cut off, and the log says what was thrown.
#ifndef H2WS_HPP
#define H2WS_HPP

#include <h2ws.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace h2ws {

enum class stream_kind : std::int32_t { http = H2WS_HTTP, websocket = H2WS_WEBSOCKET };
enum class message_kind : std::int32_t { text = H2WS_TEXT, binary = H2WS_BINARY };
enum class control_kind : std::int32_t {
    close = H2WS_CLOSE,
    ping = H2WS_PING,
    pong = H2WS_PONG,
    violation = H2WS_VIOLATION,  ///< only with `manual_control`
    end = H2WS_END,              ///< only with `manual_control`
};
/// Whether a direction of a duplex has ended.
enum class duplex_end : std::int32_t {
    open = H2WS_DUPLEX_OPEN,    ///< more may come
    ended = H2WS_DUPLEX_ENDED,  ///< in order
    reset = H2WS_DUPLEX_RESET,  ///< cut off: what came may not be all
};
enum class side : std::int32_t { local = H2WS_LOCAL, remote = H2WS_REMOTE };
enum class log_level : std::int32_t {
    error = H2WS_LOG_ERROR,
    warn = H2WS_LOG_WARN,
    info = H2WS_LOG_INFO,
    debug = H2WS_LOG_DEBUG
};
enum class cause : std::int32_t {
    complete = H2WS_CAUSE_COMPLETE,
    close_frame = H2WS_CAUSE_CLOSE_FRAME,
    end_stream = H2WS_CAUSE_END_STREAM,
    reset = H2WS_CAUSE_RESET,
    goaway = H2WS_CAUSE_GOAWAY,
    disconnected = H2WS_CAUSE_DISCONNECTED,
    timeout = H2WS_CAUSE_TIMEOUT,
    drain = H2WS_CAUSE_DRAIN,
    rejected = H2WS_CAUSE_REJECTED,
    violation = H2WS_CAUSE_VIOLATION
};

/// The outcome of a call. Cheap: a number. The text of a failure is in last_error() until this thread's next failure.
class status {
public:
    constexpr status(h2ws_status code = H2WS_OK) noexcept : code_(code) {}

    constexpr bool ok() const noexcept { return code_ == H2WS_OK; }
    /// Nothing was taken; on_writable follows.
    constexpr bool busy() const noexcept { return code_ == H2WS_BUSY; }
    /// The stream, connection or listener has ended.
    constexpr bool gone() const noexcept { return code_ == H2WS_GONE; }
    constexpr explicit operator bool() const noexcept { return ok(); }
    constexpr h2ws_status code() const noexcept { return code_; }
    /// A sentence for the number alone.
    std::string_view text() const noexcept { return h2ws_status_text(code_); }

    friend constexpr bool operator==(status a, status b) noexcept { return a.code_ == b.code_; }
    friend constexpr bool operator!=(status a, status b) noexcept { return a.code_ != b.code_; }

private:
    h2ws_status code_;
};

/// What this thread's last failed call had to say.
inline std::string last_error() {
    std::string text(h2ws_last_error(nullptr, 0), '\0');
    // One more for the NUL, which std::string has room for.
    if (!text.empty()) h2ws_last_error(&text[0], text.size() + 1);
    return text;
}

/// A failure with its text.
struct error {
    h2ws::status status;
    std::string text;
};

/// A value, or why there is none.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    result(h2ws::error failure) : content_(std::in_place_index<1>, std::move(failure)) {}

    bool ok() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }
    /// std::bad_variant_access if it is an error.
    T &value() & { return std::get<0>(content_); }
    const T &value() const & { return std::get<0>(content_); }
    T &&value() && { return std::get<0>(std::move(content_)); }
    /// std::bad_variant_access if it is a value.
    const h2ws::error &error() const { return std::get<1>(content_); }
    h2ws::status status() const noexcept { return ok() ? h2ws::status() : std::get_if<1>(&content_)->status; }

private:
    std::variant<T, h2ws::error> content_;
};

/// Bytes that somebody else owns: what std::span<const std::uint8_t> is in C++20.
class bytes {
public:
    constexpr bytes() noexcept = default;
    bytes(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}
    bytes(h2ws_str view) noexcept : bytes(view.data, view.len) {}
    /// Of a text up to its NUL, which stays outside.
    bytes(const char *text) noexcept : bytes(text, std::char_traits<char>::length(text)) {}
    /// Of a string, string_view, vector or array of one-byte elements.
    template <class C, class E = std::remove_pointer_t<decltype(std::declval<const C &>().data())>,
              class = std::enable_if_t<sizeof(E) == 1 && std::is_trivially_copyable_v<E>>>
    bytes(const C &container) noexcept : bytes(container.data(), container.size()) {}

    constexpr const std::uint8_t *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr const std::uint8_t *begin() const noexcept { return data_; }
    constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
    constexpr std::uint8_t operator[](std::size_t i) const noexcept { return data_[i]; }
    std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {
inline h2ws_str str(std::string_view view) noexcept { return h2ws_str{view.data(), view.size()}; }
inline h2ws_str str(bytes view) noexcept { return str(view.text()); }
inline std::string_view view(h2ws_str str) noexcept { return {str.data, str.len}; }
inline error last(status status) { return {status, last_error()}; }
} // namespace detail

/// A header field to send: `{header("server", "mine"), header("vary", "origin")}`. Borrows both texts.
inline h2ws_header header(std::string_view name, std::string_view value) noexcept {
    return h2ws_header{detail::str(name), detail::str(value)};
}

/// Header fields that somebody else owns. From a braced list, good until the end of the call that it is written in.
class headers {
public:
    struct field {
        std::string_view name, value;
    };
    class iterator {
    public:
        explicit iterator(const h2ws_header *at) noexcept : at_(at) {}
        field operator*() const noexcept { return {detail::view(at_->name), detail::view(at_->value)}; }
        iterator &operator++() noexcept { return ++at_, *this; }
        friend bool operator==(iterator a, iterator b) noexcept { return a.at_ == b.at_; }
        friend bool operator!=(iterator a, iterator b) noexcept { return a.at_ != b.at_; }

    private:
        const h2ws_header *at_;
    };

    headers() noexcept : fields_{nullptr, 0} {}
    headers(h2ws_headers fields) noexcept : fields_(fields) {}
    headers(const std::vector<h2ws_header> &fields) noexcept : fields_{fields.data(), fields.size()} {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime" // that is what a view is
#endif
    headers(std::initializer_list<h2ws_header> fields) noexcept : fields_{fields.begin(), fields.size()} {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

    iterator begin() const noexcept { return iterator(fields_.items); }
    iterator end() const noexcept { return iterator(fields_.items + fields_.count); }
    std::size_t size() const noexcept { return fields_.count; }
    bool empty() const noexcept { return fields_.count == 0; }
    /// The first field of that name, which is to be written in lower case.
    std::optional<std::string_view> find(std::string_view name) const noexcept {
        for (field f : *this)
            if (f.name == name) return f.value;
        return std::nullopt;
    }
    const h2ws_headers *native() const noexcept { return empty() ? nullptr : &fields_; }

private:
    h2ws_headers fields_;
};

/// How a WebSocket is accepted; see h2ws_accept_options.
struct accept_options {
    std::string_view subprotocol = {};  ///< one of those offered
    h2ws::headers headers = {};
    void *context = nullptr;            ///< comes with each event of the stream
    bool manual_control = false;        ///< the handler answers Ping and Close
    bool fragments = false;             ///< on_fragment instead of on_message
    bool demand = false;                ///< messages come only as stream::demand asks
    bool no_deflate = false;            ///< no compression on this socket
};

/// A request, and the WebSocket that it may become. A name, not an owner: copy it freely, keep it as long as you like.
/// Once it has ended every call answers H2WS_GONE. Its engine must be alive. All calls may be made on any thread and
/// inside any callback, and none of them waits.
class stream {
public:
    stream() noexcept = default;
    stream(h2ws_engine *engine, h2ws_stream id) noexcept : engine_(engine), id_(id) {}

    h2ws_stream id() const noexcept { return id_; }
    h2ws_engine *engine() const noexcept { return engine_; }
    friend bool operator==(stream a, stream b) noexcept { return a.id_ == b.id_; }
    friend bool operator!=(stream a, stream b) noexcept { return a.id_ != b.id_; }

    // The answer to a WebSocket handshake.
    status accept() const noexcept { return h2ws_accept(engine_, id_, nullptr); }
    status accept(const accept_options &options) const noexcept {
        h2ws_accept_options native{};
        native.size = sizeof native;
        native.subprotocol = detail::str(options.subprotocol);
        native.headers = options.headers.native();
        native.context = options.context;
        native.manual_control = options.manual_control;
        native.fragments = options.fragments;
        native.demand = options.demand;
        native.no_deflate = options.no_deflate;
        return h2ws_accept(engine_, id_, &native);
    }
    status reject(std::uint16_t code, headers fields = {}, bytes body = {}) const noexcept {
        return h2ws_reject(engine_, id_, code, fields.native(), detail::str(body));
    }

    // The answer to an ordinary request: whole, or head, body and end.
    status respond(std::uint16_t code, headers fields = {}, bytes body = {}) const noexcept {
        return h2ws_respond(engine_, id_, code, fields.native(), detail::str(body));
    }
    status respond_start(std::uint16_t code, headers fields = {}) const noexcept {
        return h2ws_respond_start(engine_, id_, code, fields.native());
    }
    status inform(std::uint16_t code, headers fields = {}) const noexcept {
        return h2ws_inform(engine_, id_, code, fields.native());
    }
    status send_body(bytes data) const noexcept { return h2ws_send_body(engine_, id_, detail::str(data)); }
    status finish(headers trailers = {}) const noexcept { return h2ws_finish(engine_, id_, trailers.native()); }

    // A WebSocket. `busy()` says that nothing was taken and on_writable will come.
    status send(message_kind kind, bytes data) const noexcept {
        return h2ws_send(engine_, id_, static_cast<std::int32_t>(kind), detail::str(data));
    }
    /// Never compressed, whatever was agreed on.
    status send_uncompressed(message_kind kind, bytes data) const noexcept {
        return h2ws_send_uncompressed(engine_, id_, static_cast<std::int32_t>(kind), detail::str(data));
    }
    status send_text(std::string_view text) const noexcept { return send(message_kind::text, bytes(text)); }
    status send_binary(bytes data) const noexcept { return send(message_kind::binary, data); }
    status send_fragment(message_kind kind, bytes data, bool last) const noexcept {
        return h2ws_send_fragment(engine_, id_, static_cast<std::int32_t>(kind), detail::str(data), last);
    }
    status ping(bytes data = {}) const noexcept { return h2ws_ping(engine_, id_, detail::str(data)); }
    status pong(bytes data = {}) const noexcept { return h2ws_pong(engine_, id_, detail::str(data)); }
    /// Code 0 sends a Close without a code.
    status close(std::uint16_t code = 1000, std::string_view reason = {}) const noexcept {
        return h2ws_close(engine_, id_, code, detail::str(reason));
    }
    status abort(std::uint32_t h2_code = 8 /* CANCEL */) const noexcept { return h2ws_abort(engine_, id_, h2_code); }

    // Both kinds.
    status demand(std::uint32_t n) const noexcept { return h2ws_demand(engine_, id_, n); }
    status set_demand() const noexcept { return h2ws_set_demand(engine_, id_); }
    status set_context(void *context) const noexcept { return h2ws_set_context(engine_, id_, context); }

private:
    h2ws_engine *engine_ = nullptr;
    h2ws_stream id_ = 0;
};

/// The host's end of a connection whose bytes it moves, from engine::attach or on_duplex. A name, as a stream is: its owner
/// calls close or abort in the end, whatever has happened before. Any thread may call, one at a time for each direction,
/// and nothing waits.
class duplex {
public:
    duplex() noexcept = default;
    duplex(h2ws_engine *engine, h2ws_connection id) noexcept : engine_(engine), id_(id) {}

    h2ws_connection id() const noexcept { return id_; }
    h2ws_engine *engine() const noexcept { return engine_; }
    friend bool operator==(duplex a, duplex b) noexcept { return a.id_ == b.id_; }
    friend bool operator!=(duplex a, duplex b) noexcept { return a.id_ != b.id_; }

    /// Copies up to `capacity` bytes into `buffer`, `len` says how many. With 0 of them `end` says whether more may come,
    /// of which on_duplex tells.
    status read(void *buffer, std::size_t capacity, std::size_t &len, duplex_end &end) const noexcept {
        h2ws_duplex_end native = H2WS_DUPLEX_OPEN;
        len = 0;
        const status s = h2ws_duplex_read(engine_, id_, buffer, capacity, &len, &native);
        end = static_cast<duplex_end>(native);
        return s;
    }
    /// Gives bytes to the other side, copied; `taken` says how many. After less than all, on_duplex tells of room.
    status write(bytes data, std::size_t &taken) const noexcept {
        taken = 0;
        return h2ws_duplex_write(engine_, id_, detail::str(data), &taken);
    }
    /// Nothing more is written: the other side sees the end behind what was.
    status shut() const noexcept { return h2ws_duplex_shut(engine_, id_); }
    /// What was written goes out, then the end.
    status close() const noexcept { return h2ws_duplex_close(engine_, id_, 0); }
    /// The other side is cut off at once.
    status abort() const noexcept { return h2ws_duplex_close(engine_, id_, 1); }

private:
    h2ws_engine *engine_ = nullptr;
    h2ws_connection id_ = 0;
};

namespace detail {
/// An event: valid until the callback that it is given to returns, as are all views of it.
template <class Native>
class event {
public:
    event(h2ws_engine *engine, const Native &native) noexcept : engine_(engine), native_(native) {}
    event(const event &) = delete;
    event &operator=(const event &) = delete;

    h2ws::stream stream() const noexcept { return {engine_, native_.stream}; }
    const Native &native() const noexcept { return native_; }

protected:
    h2ws_engine *engine_;
    const Native &native_;
};

/// One of a stream that may have a context.
template <class Native>
class stream_event : public event<Native> {
public:
    using event<Native>::event;
    /// What was set by accept_options or set_context, as the pointer that it was.
    template <class T = void>
    T *context() const noexcept {
        return static_cast<T *>(this->native_.context);
    }
};
} // namespace detail

/// What a TLS handshake came to. Valid as long as the request that it is of.
class tls_info {
public:
    explicit tls_info(const h2ws_tls_info &native) noexcept : native_(&native) {}
    std::string_view version() const noexcept { return detail::view(native_->version); }
    std::string_view cipher() const noexcept { return detail::view(native_->cipher); }
    /// Empty if the client asked for none.
    std::string_view server_name() const noexcept { return detail::view(native_->server_name); }
    /// Empty if the client offered none.
    std::string_view alpn() const noexcept { return detail::view(native_->alpn); }
    bool resumed() const noexcept { return native_->resumed != 0; }
    /// The client's certificates, its own first.
    std::size_t peer_certificate_count() const noexcept { return native_->peer_certificate_count; }
    /// DER.
    bytes peer_certificate(std::size_t i) const noexcept { return native_->peer_certificates[i]; }

private:
    const h2ws_tls_info *native_;
};

/// The head of a request or of a WebSocket handshake.
class request : public detail::event<h2ws_request> {
public:
    using event::event;
    h2ws_connection connection() const noexcept { return native_.connection; }
    stream_kind kind() const noexcept { return static_cast<stream_kind>(native_.kind); }
    bool is_websocket() const noexcept { return native_.kind == H2WS_WEBSOCKET; }
    /// No body follows.
    bool end() const noexcept { return native_.end != 0; }
    std::string_view method() const noexcept { return detail::view(native_.method); }
    std::string_view scheme() const noexcept { return detail::view(native_.scheme); }
    std::string_view authority() const noexcept { return detail::view(native_.authority); }
    std::string_view path() const noexcept { return detail::view(native_.path); }
    std::string_view peer() const noexcept { return detail::view(native_.peer); }
    h2ws::headers headers() const noexcept { return native_.headers; }
    /// The HTTP version that carried it: 10, 11 or 20.
    int version() const noexcept { return native_.version; }
    /// The TLS of its connection; none on cleartext.
    std::optional<tls_info> tls() const noexcept {
        return native_.tls ? std::optional<tls_info>(*native_.tls) : std::nullopt;
    }
    /// The listener that accepted its connection; 0: the host did.
    h2ws_listener listener() const noexcept { return native_.listener; }
    std::size_t subprotocol_count() const noexcept { return native_.subprotocol_count; }
    std::string_view subprotocol(std::size_t i) const noexcept { return detail::view(native_.subprotocols[i]); }
    bool offers(std::string_view subprotocol) const noexcept {
        for (std::size_t i = 0; i < subprotocol_count(); i++)
            if (this->subprotocol(i) == subprotocol) return true;
        return false;
    }
};

/// A piece of a request's body, or its end.
class body : public detail::stream_event<h2ws_body> {
public:
    using stream_event::stream_event;
    bytes data() const noexcept { return native_.data; }
    bool end() const noexcept { return native_.end != 0; }
    headers trailers() const noexcept { return native_.trailers; }
};

/// A whole message.
class message : public detail::stream_event<h2ws_message> {
public:
    using stream_event::stream_event;
    message_kind kind() const noexcept { return static_cast<message_kind>(native_.kind); }
    bool is_text() const noexcept { return native_.kind == H2WS_TEXT; }
    bytes data() const noexcept { return native_.data; }
    std::string_view text() const noexcept { return detail::view(native_.data); }
};

/// A part of a message.
class fragment : public detail::stream_event<h2ws_fragment> {
public:
    using stream_event::stream_event;
    message_kind kind() const noexcept { return static_cast<message_kind>(native_.kind); }
    bool first() const noexcept { return native_.first != 0; }
    bool last() const noexcept { return native_.last != 0; }
    bytes data() const noexcept { return native_.data; }
};

/// A Ping, Pong or Close of the peer.
class control : public detail::stream_event<h2ws_control> {
public:
    using stream_event::stream_event;
    control_kind kind() const noexcept { return static_cast<control_kind>(native_.kind); }
    /// Of a Close; 0 if it had none.
    std::uint16_t code() const noexcept { return native_.code; }
    bytes data() const noexcept { return native_.data; }
};

/// How an exchange ended.
class closed : public detail::stream_event<h2ws_closed> {
public:
    using stream_event::stream_event;
    stream_kind kind() const noexcept { return static_cast<stream_kind>(native_.kind); }
    bool is_websocket() const noexcept { return native_.kind == H2WS_WEBSOCKET; }
    std::uint16_t code() const noexcept { return native_.code; }
    std::string_view reason() const noexcept { return detail::view(native_.reason); }
    h2ws::cause cause() const noexcept { return static_cast<h2ws::cause>(native_.cause); }
    h2ws::side side() const noexcept { return static_cast<h2ws::side>(native_.side); }
    std::uint32_t h2_code() const noexcept { return native_.h2_code; }
};

/// What can be done now on a connection whose bytes the host moves. Valid until on_duplex returns.
class duplex_ready {
public:
    duplex_ready(h2ws_engine *engine, const h2ws_duplex &native) noexcept : engine_(engine), native_(native) {}
    duplex_ready(const duplex_ready &) = delete;
    duplex_ready &operator=(const duplex_ready &) = delete;

    h2ws::duplex duplex() const noexcept { return {engine_, native_.connection}; }
    /// That of attach_options, as the pointer that it was; nullptr for one that was handed back.
    template <class T = void>
    T *context() const noexcept {
        return static_cast<T *>(native_.context);
    }
    /// It is new to the host: it does not speak HTTP/2, and config.fallback is 2, or was accepted `raw`.
    bool handed_back() const noexcept { return native_.handed_back != 0; }
    /// There is something to read, or the end. Not told again before a read has taken all that there was.
    bool readable() const noexcept { return native_.readable != 0; }
    /// After a write that took less than all there is room.
    bool writable() const noexcept { return native_.writable != 0; }
    /// With handed_back: the listener that accepted it; 0: it was adopted.
    h2ws_listener listener() const noexcept { return native_.listener; }
    /// With handed_back: the peer's address.
    std::string_view peer() const noexcept { return detail::view(native_.peer); }
    /// With handed_back: its TLS, which stays here; none on cleartext.
    std::optional<tls_info> tls() const noexcept {
        return native_.tls ? std::optional<tls_info>(*native_.tls) : std::nullopt;
    }
    const h2ws_duplex &native() const noexcept { return native_; }

private:
    h2ws_engine *engine_;
    const h2ws_duplex &native_;
};

/// What a server does: derive from it. Called on h2ws' own threads, several at once if there is more than one loop, but
/// for one stream always on the same one. A function that blocks holds up all streams of its loop.
class handler {
public:
    virtual ~handler() = default;

    virtual void on_request(const request &) = 0;
    virtual void on_body(const body &) {}
    virtual void on_message(const message &) {}
    virtual void on_fragment(const fragment &) {}
    virtual void on_control(const control &) {}
    /// After a call said busy(): the stream takes data again.
    virtual void on_writable(stream, void * /*context*/) {}
    /// The last event of a stream, once for each on_request.
    virtual void on_closed(const closed &) {}
    /// A connection that does not speak HTTP/2, if config.fallback is 1. The fd is yours.
    virtual void on_fallback(int fd, bytes /*already_read*/) { ::close(fd); }
    /// A connection whose bytes the host moves: one of engine::attach, one accepted `raw`, or, if config.fallback is 2, one
    /// that does not speak HTTP/2. Cut off unless this is overridden.
    virtual void on_duplex(const duplex_ready &ready) { ready.duplex().abort(); }
    /// A connection has ended that was adopted or attached, after the last on_closed of its streams, or that was handed back
    /// as a duplex. Not called for those that end with the engine.
    virtual void on_disconnected(h2ws_connection) {}
    /// Warnings and errors go to stderr unless this is overridden.
    virtual void on_log(log_level level, std::string_view text) {
        if (level > log_level::warn) return;
        std::fprintf(stderr, "h2ws: %.*s\n", static_cast<int>(text.size()), text.data());
    }
};

/// The fields of h2ws_config; zero is the default of each.
struct config : h2ws_config {
    config() noexcept : h2ws_config{} { size = sizeof(h2ws_config); }
};

/// A certificate or a key, PEM or DER, in a file.
inline h2ws_tls_source file(std::string_view path) noexcept { return {detail::str(path), {nullptr, 0}}; }
/// A certificate or a key, PEM or DER, in memory.
inline h2ws_tls_source memory(bytes content) noexcept { return {{nullptr, 0}, detail::str(content)}; }

enum class client_auth : std::int32_t {
    none = H2WS_CLIENT_AUTH_NONE,
    optional = H2WS_CLIENT_AUTH_OPTIONAL,
    required = H2WS_CLIENT_AUTH_REQUIRED,
};

/// What a tls is loaded from: `{{{h2ws::file("cert.pem"), h2ws::file("key.pem")}}}`. Borrows all texts and bytes.
struct tls_config {
    std::vector<h2ws_tls_identity> identities;
    h2ws::client_auth client_auth = h2ws::client_auth::none;
    h2ws_tls_source client_roots = {};
};

/// Certificates and keys, loaded. Listeners and connections that use it may outlive it.
class tls {
public:
    static result<tls> create(const tls_config &config) {
        const h2ws_tls_config native = of(config);
        h2ws_tls *loaded = nullptr;
        status s = h2ws_tls_create(&native, &loaded);
        if (!s) return detail::last(s);
        return tls(loaded);
    }
    /// For handshakes that begin from now on. When it fails nothing has changed.
    status reload(const tls_config &config) const noexcept {
        const h2ws_tls_config native = of(config);
        return h2ws_tls_reload(native_.get(), &native);
    }
    h2ws_tls *native() const noexcept { return native_.get(); }

private:
    struct destroyer {
        void operator()(h2ws_tls *native) const noexcept { h2ws_tls_destroy(native); }
    };
    explicit tls(h2ws_tls *native) noexcept : native_(native) {}
    static h2ws_tls_config of(const tls_config &config) noexcept {
        h2ws_tls_config native{};
        native.size = sizeof native;
        native.identities = config.identities.data();
        native.identity_count = config.identities.size();
        native.client_auth = static_cast<std::int32_t>(config.client_auth);
        native.client_roots = config.client_roots;
        return native;
    }
    std::unique_ptr<h2ws_tls, destroyer> native_;
};

/// What connections may do.
struct connection_options {
    bool websockets = true;
    bool http1 = true;
    bool http2 = true;
    const h2ws::tls *tls = nullptr;  ///< none: cleartext; used until the call returns
    bool raw = false;                ///< nothing is served: all go to on_duplex, unread, behind the TLS if there is any
};

/// A connection whose socket stays with the host; see h2ws_attach_options. Borrows `peer` and `tls` until the call returns.
struct attach_options {
    std::string_view peer = {};          ///< its address as text, for the requests
    const h2ws_tls_info *tls = nullptr;  ///< that the host speaks on it; its `alpn` chooses the protocol
    void *context = nullptr;             ///< comes with each on_duplex of it
    bool websockets = true;
    bool http1 = true;
    bool http2 = true;
};

namespace detail {
template <class Native>
Native native(const connection_options &options) noexcept {
    Native native{};
    native.size = sizeof native;
    native.no_websockets = !options.websockets;
    native.no_http1 = !options.http1;
    native.no_http2 = !options.http2;
    native.raw = options.raw;
    native.tls = options.tls ? options.tls->native() : nullptr;
    return native;
}

/// What the C callbacks get as `user`.
struct core {
    std::unique_ptr<h2ws::handler> handler;
    h2ws_engine *engine = nullptr; // set before the first connection can come
};

inline void log_exception(core &core, const char *callback, const char *what) noexcept {
#if defined(__cpp_exceptions)
    try {
#endif
        core.handler->on_log(log_level::error, std::string("exception in ") + callback + ": " + what);
#if defined(__cpp_exceptions)
    } catch (...) {
        std::fprintf(stderr, "h2ws: exception in on_log\n");
    }
#endif
}

/// Ends an exchange whose callback threw. Which of these calls fits depends on how far it had come; the others answer
/// that it is in the wrong state. What the handler has finished itself stays as it is.
inline void end_exchange(h2ws_engine *engine, h2ws_stream stream) noexcept {
    const h2ws_str body = str(std::string_view("internal error\n"));
    if (h2ws_close(engine, stream, 1011, str(std::string_view("internal error"))) == H2WS_OK) return;
    if (h2ws_reject(engine, stream, 500, nullptr, body) == H2WS_OK) return;
    if (h2ws_respond(engine, stream, 500, nullptr, body) == H2WS_OK) return;
    // A body that has begun must not look complete. Nothing is sent here: the answer tells whether one has.
    const h2ws_status begun = h2ws_send_body(engine, stream, h2ws_str{nullptr, 0});
    if (begun == H2WS_OK || begun == H2WS_BUSY) h2ws_abort(engine, stream, 2 /* INTERNAL_ERROR */);
}

/// Calls a function of the handler; nothing that it throws gets out. `stream` 0: there is none to end. False: it threw.
template <class F>
bool guarded(core &core, const char *callback, h2ws_stream stream, F &&call) noexcept {
#if defined(__cpp_exceptions)
    try {
        call();
        return true;
    } catch (const std::exception &e) {
        log_exception(core, callback, e.what());
    } catch (...) {
        log_exception(core, callback, "not a std::exception");
    }
    if (stream != 0) end_exchange(core.engine, stream);
    return false;
#else
    (void)core, (void)callback, (void)stream;
    call();
    return true;
#endif
}

/// The C callback that makes an Event of a Native and hands it to a member of the handler.
template <class Event, class Native>
void deliver(void *user, const Native *native, const char *callback, void (handler::*member)(const Event &)) noexcept {
    core &c = *static_cast<core *>(user);
    guarded(c, callback, native->stream, [&] { ((*c.handler).*member)(Event(c.engine, *native)); });
}

inline h2ws_callbacks callbacks(core *core) noexcept {
    h2ws_callbacks table{};
    table.size = sizeof table;
    table.user = core;
    table.on_request = [](void *user, const h2ws_request *e) { deliver(user, e, "on_request", &handler::on_request); };
    table.on_body = [](void *user, const h2ws_body *e) { deliver(user, e, "on_body", &handler::on_body); };
    table.on_message = [](void *user, const h2ws_message *e) { deliver(user, e, "on_message", &handler::on_message); };
    table.on_fragment = [](void *user, const h2ws_fragment *e) {
        deliver(user, e, "on_fragment", &handler::on_fragment);
    };
    table.on_control = [](void *user, const h2ws_control *e) { deliver(user, e, "on_control", &handler::on_control); };
    table.on_writable = [](void *user, h2ws_stream id, void *context) {
        auto &c = *static_cast<detail::core *>(user);
        guarded(c, "on_writable", id, [&] { c.handler->on_writable(stream(c.engine, id), context); });
    };
    table.on_closed = [](void *user, const h2ws_closed *e) {
        auto &c = *static_cast<detail::core *>(user);
        guarded(c, "on_closed", 0, [&] { c.handler->on_closed(closed(c.engine, *e)); }); // it has ended already
    };
    table.on_fallback = [](void *user, int fd, h2ws_str already_read) {
        auto &c = *static_cast<detail::core *>(user);
        guarded(c, "on_fallback", 0, [&] { c.handler->on_fallback(fd, bytes(already_read)); });
    };
    table.on_duplex = [](void *user, const h2ws_duplex *e) {
        auto &c = *static_cast<detail::core *>(user);
        if (!guarded(c, "on_duplex", 0, [&] { c.handler->on_duplex(duplex_ready(c.engine, *e)); }))
            duplex(c.engine, e->connection).abort(); // gone if the handler has ended it
    };
    table.on_disconnected = [](void *user, h2ws_connection connection) {
        auto &c = *static_cast<detail::core *>(user);
        guarded(c, "on_disconnected", 0, [&] { c.handler->on_disconnected(connection); });
    };
    table.on_log = [](void *user, std::int32_t level, h2ws_str text) {
        auto &c = *static_cast<detail::core *>(user);
        guarded(c, "on_log", 0, [&] { c.handler->on_log(static_cast<log_level>(level), view(text)); });
    };
    return table;
}
} // namespace detail

/// A listening socket. Its destructor stops accepting; connections that it has accepted stay. It may outlive its engine.
class listener {
public:
    listener(std::weak_ptr<h2ws_engine> engine, h2ws_listener id) noexcept : engine_(std::move(engine)), id_(id) {}
    listener(listener &&other) noexcept : engine_(std::move(other.engine_)), id_(std::exchange(other.id_, 0)) {}
    listener &operator=(listener &&other) noexcept {
        if (this != &other) {
            close();
            engine_ = std::move(other.engine_);
            id_ = std::exchange(other.id_, 0);
        }
        return *this;
    }
    ~listener() { close(); }

    /// The bound address: `127.0.0.1:8080`.
    result<std::string> address() const {
        auto engine = engine_.lock();
        if (!engine) return error{H2WS_GONE, "the engine has been destroyed"};
        std::string text(256, '\0');
        std::size_t len = 0;
        status s = h2ws_listener_address(engine.get(), id_, &text[0], text.size(), &len);
        if (!s) return detail::last(s);
        text.resize(len);
        return text;
    }
    status close() noexcept {
        h2ws_listener id = std::exchange(id_, 0);
        auto engine = engine_.lock();
        return engine && id != 0 ? h2ws_listener_close(engine.get(), id) : H2WS_GONE;
    }
    /// Lets it listen until the engine ends.
    void detach() noexcept { id_ = 0; }

private:
    std::weak_ptr<h2ws_engine> engine_;
    h2ws_listener id_;
};

/// Owns an engine and its handler. The destructor cuts what is left, gives each stream its on_closed, joins the threads
/// and then destroys the handler. To be destroyed outside callbacks: inside one it can only be leaked, and is.
class engine {
public:
    static result<engine> create(const h2ws::config &config, std::unique_ptr<h2ws::handler> handler) {
        return make(h2ws_engine_create, config, std::move(handler));
    }
    /// An engine without threads: its loops run inside run(). Destroyed on the thread that runs its loop, it runs that to its end;
    /// loops of other threads have to have ended by then.
    static result<engine> create_driven(const h2ws::config &config, std::unique_ptr<h2ws::handler> handler) {
        return make(h2ws_engine_create_driven, config, std::move(handler));
    }
    /// Runs a loop of a driven engine on this thread, for `timeout_ms`, or, -1, until the engine ends; no longer than until it is
    /// interrupted. H2WS_SHUTTING_DOWN: the loop has ended. Not inside a callback.
    status run(std::uint32_t loop = 0, std::int32_t timeout_ms = -1) const noexcept {
        return h2ws_run(engine_.get(), loop, timeout_ms);
    }
    /// Lets run() return soon, or as soon as it is called. Any thread.
    status interrupt(std::uint32_t loop = 0) const noexcept { return h2ws_interrupt(engine_.get(), loop); }
    /// Begins the end, which run() says when it has come. Any thread.
    status stop() const noexcept { return h2ws_stop(engine_.get()); }

    /// `127.0.0.1:8080`, `[::1]:0`, `unix:/path`.
    result<listener> listen(std::string_view address, connection_options options = {}) const {
        const auto native = detail::native<h2ws_listen_options>(options);
        h2ws_listener id = 0;
        status s = h2ws_listen(engine_.get(), detail::str(address), &native, &id);
        if (!s) return detail::last(s);
        return listener(engine_, id);
    }
    /// Hands over a connected socket. The fd is h2ws' from the call on, also when it fails.
    result<h2ws_connection> adopt(int fd, bytes already_read = {}, connection_options options = {}) const {
        const auto native = detail::native<h2ws_adopt_options>(options);
        h2ws_connection id = 0;
        status s = h2ws_adopt(engine_.get(), fd, detail::str(already_read), &native, &id);
        if (!s) return detail::last(s);
        return id;
    }
    /// Serves a connection whose socket stays with the host, say for TLS of its own: what comes from the peer it writes to
    /// the duplex, what there is for the peer it reads from it. on_duplex may come before this returns.
    result<h2ws::duplex> attach(const attach_options &options = {}) const {
        h2ws_attach_options native{};
        native.size = sizeof native;
        native.context = options.context;
        native.peer = detail::str(options.peer);
        native.tls = options.tls;
        native.no_websockets = !options.websockets;
        native.no_http1 = !options.http1;
        native.no_http2 = !options.http2;
        h2ws_connection id = 0;
        status s = h2ws_attach(engine_.get(), &native, &id);
        if (!s) return detail::last(s);
        return h2ws::duplex(engine_.get(), id);
    }
    /// Ends all connections gracefully and waits for that, `deadline_ms` at most; a loop of this thread runs meanwhile. Not inside
    /// a callback.
    status drain(std::uint32_t deadline_ms) const noexcept { return h2ws_drain(engine_.get(), deadline_ms); }
    h2ws_stats stats() const noexcept {
        h2ws_stats stats{};
        stats.size = sizeof stats;
        h2ws_engine_stats(engine_.get(), &stats);
        return stats;
    }
    h2ws::stream stream(h2ws_stream id) const noexcept { return {engine_.get(), id}; }
    h2ws_engine *native() const noexcept { return engine_.get(); }

private:
    struct destroyer {
        detail::core *core;
        void operator()(h2ws_engine *native) const noexcept {
            if (h2ws_engine_destroy(native) == H2WS_OK) delete core; // else callbacks may still come
        }
    };
    static result<engine> make(decltype(h2ws_engine_create) *create, const h2ws::config &config,
                               std::unique_ptr<h2ws::handler> handler) {
        if (!handler) return error{H2WS_INVALID_ARGUMENT, "engine::create: handler is null; pass std::make_unique<your handler>()"};
        auto core = std::make_unique<detail::core>();
        core->handler = std::move(handler);
        h2ws_callbacks callbacks = detail::callbacks(core.get());
        status s = create(&config, &callbacks, &core->engine);
        if (!s) return detail::last(s);
        h2ws_engine *native = core->engine;
        return engine(std::shared_ptr<h2ws_engine>(native, destroyer{core.release()}));
    }
    explicit engine(std::shared_ptr<h2ws_engine> native) noexcept : engine_(std::move(native)) {}
    std::shared_ptr<h2ws_engine> engine_;
};

static_assert(std::is_move_constructible_v<listener> && !std::is_copy_constructible_v<listener>);

} // namespace h2ws

#endif
