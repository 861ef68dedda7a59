/*
 * h2ws: WebSockets over HTTP/2 (RFC 8441), and ordinary requests beside them.
 *
 * Generated from src/ffi: edit there, then run `make header`.
 *
 * # Conventions
 * - A call returns a `h2ws_status`: 0 is H2WS_OK, all others are negative. Text for people comes
 *   from `h2ws_last_error`, on the thread that made the failed call.
 * - Arguments come in the order receiver, inputs, outputs. Outputs are named `out_*` and are
 *   written only when the call succeeds. No argument is both input and output, but for the
 *   `size` of `h2ws_stats`.
 * - Bytes and text are `h2ws_str`: pointer and length, not NUL-terminated; the pointer may be NULL
 *   only when the length is 0. Text is UTF-8; other bytes give H2WS_NOT_UTF8.
 * - Flags are `int32_t`, 0 or 1. Any other value is refused, as is an unknown constant.
 * - Structs that the host fills begin with `size`. Initialise them with their `_INIT` macro. Fields
 *   are only ever appended: a program built against an older header works with a newer library,
 *   and one built against a newer header with an older library while it leaves the newer fields 0.
 * - Streams, connections and listeners are named by 64-bit handles. A handle that is stale, or
 *   never was one, gives H2WS_GONE, however late it is used and on whichever thread. 0 names nothing.
 * - No call lets a panic out: a bug in h2ws gives H2WS_PANIC and leaves the engine alive.
 *
 * # Ownership
 * | what | who owns it | until |
 * |---|---|---|
 * | `h2ws_engine *` from `h2ws_engine_create` | the host | `h2ws_engine_destroy` |
 * | `h2ws_tls *` from `h2ws_tls_create` | the host | `h2ws_tls_destroy`; listeners that use it go on |
 * | a pointer in an argument, and all that it points to | the host | borrowed until the call returns |
 * | a pointer in an event, and all that it points to | h2ws | borrowed until the callback returns |
 * | `fd` given to `h2ws_adopt` | h2ws, from the call on, also when the call fails | h2ws closes it |
 * | `fd` given to `on_fallback` | the host | the host closes it |
 * | the host's end of a duplex, from `h2ws_attach` or `on_duplex` | the host | `h2ws_duplex_close` |
 * | `user` of `h2ws_callbacks` | the host | `on_destroy`, after which h2ws does not use it |
 * | `context` of a stream | the host | `on_closed` of that stream, after which h2ws does not use it |
 * | text from `h2ws_status_text`, `h2ws_version` | h2ws | the library is unloaded |
 *
 * # Threads
 * - An engine has its own threads, the loops; with `h2ws_engine_create_driven` threads of the host
 *   run them. Callbacks run on them, with no lock held. All callbacks of one connection and its
 *   streams run on one thread, one after another; callbacks of different connections may run at the
 *   same time on different loops.
 * - Every function may be called from any thread at any time, also several at once, also inside a
 *   callback. The exceptions are three, and all block: `h2ws_run`, `h2ws_drain` and
 *   `h2ws_engine_destroy` give H2WS_WRONG_THREAD inside a callback. No other function blocks, but that
 *   `h2ws_tls_create` and `h2ws_tls_reload` read files.
 * - While `h2ws_engine_destroy` runs, and after it, no other thread may use the engine pointer.
 * - A callback that blocks holds up its own loop: the connections there wait, others do not.
 * - A callback has to return: no C++ exception and no longjmp may leave it.
 *
 * # Life of a stream
 * 1. `on_request` names it. For a WebSocket (`kind` is H2WS_WEBSOCKET) answer with `h2ws_accept` or
 *    `h2ws_reject`; for a request (H2WS_HTTP) with `h2ws_respond`, or with `h2ws_respond_start`,
 *    `h2ws_send_body` and `h2ws_finish`. At once or later, on any thread.
 * 2. Events follow: `on_message`, `on_fragment` and `on_control`, or `on_body`; `on_writable` after
 *    H2WS_BUSY.
 * 3. `on_closed` is the last event, exactly once. The handle is stale when it returns.
 */

#ifndef H2WS_H
#define H2WS_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header; `h2ws_version` gives the library's. */
#define H2WS_VERSION "0.1.0"
/** Its first number. */
#define H2WS_VERSION_MAJOR 0
/** Its second number. */
#define H2WS_VERSION_MINOR 1
/** Its third number. */
#define H2WS_VERSION_PATCH 0

/** A h2ws_str of a string literal: `H2WS_STR("hello")`. */
#ifdef __cplusplus
#define H2WS_STR(literal) (h2ws_str{("" literal), sizeof("" literal) - 1})
#else
#define H2WS_STR(literal) ((h2ws_str){("" literal), sizeof("" literal) - 1})
#endif

#ifdef __cplusplus
/** A T with its `size` set and all else 0: what the _INIT macros are in C++, where C's designators are not. */
template <typename T>
constexpr T h2ws_initialised() {
  T value{};
  value.size = sizeof(T);
  return value;
}
#define H2WS_INITIALISER(type) h2ws_initialised<type>()
#else
#define H2WS_INITIALISER(type) {.size = sizeof(type)}
#endif

/** Initialiser of a h2ws_config: `h2ws_config config = H2WS_CONFIG_INIT;` */
#define H2WS_CONFIG_INIT H2WS_INITIALISER(h2ws_config)
/** Initialiser of a h2ws_callbacks. */
#define H2WS_CALLBACKS_INIT H2WS_INITIALISER(h2ws_callbacks)
/** Initialiser of a h2ws_listen_options. */
#define H2WS_LISTEN_OPTIONS_INIT H2WS_INITIALISER(h2ws_listen_options)
/** Initialiser of a h2ws_adopt_options. */
#define H2WS_ADOPT_OPTIONS_INIT H2WS_INITIALISER(h2ws_adopt_options)
/** Initialiser of a h2ws_accept_options. */
#define H2WS_ACCEPT_OPTIONS_INIT H2WS_INITIALISER(h2ws_accept_options)
/** Initialiser of a h2ws_attach_options. */
#define H2WS_ATTACH_OPTIONS_INIT H2WS_INITIALISER(h2ws_attach_options)
/** Initialiser of a h2ws_tls_info. */
#define H2WS_TLS_INFO_INIT H2WS_INITIALISER(h2ws_tls_info)
/** Initialiser of a h2ws_tls_config. */
#define H2WS_TLS_CONFIG_INIT H2WS_INITIALISER(h2ws_tls_config)
/** Initialiser of a h2ws_stats. */
#define H2WS_STATS_INIT H2WS_INITIALISER(h2ws_stats)

/**
 * An engine: event loops, their threads, and all that is open on them.
 *
 * 1. `h2ws_engine_create` starts it.
 * 2. `h2ws_listen` and `h2ws_adopt` give it sockets.
 * 3. Callbacks tell what happens.
 * 4. `h2ws_drain` ends what is open, with good manners.
 * 5. `h2ws_engine_destroy` ends the rest and the engine.
 *
 * Its functions: `h2ws_engine_create`, `h2ws_engine_destroy`, `h2ws_engine_stats`, `h2ws_drain`; of loops on the host's own
 * threads: `h2ws_engine_create_driven`, `h2ws_run`, `h2ws_interrupt`, `h2ws_stop`; `h2ws_listen`,
 * `h2ws_listener_address`, `h2ws_listener_close`, `h2ws_adopt`; of bytes that the host moves: `h2ws_attach`,
 * `h2ws_duplex_read`, `h2ws_duplex_write`, `h2ws_duplex_shut`, `h2ws_duplex_close`; of a stream: `h2ws_accept`, `h2ws_reject`, `h2ws_send`,
 * `h2ws_send_fragment`, `h2ws_ping`, `h2ws_pong`, `h2ws_close`; `h2ws_respond`, `h2ws_respond_start`, `h2ws_inform`,
 * `h2ws_send_body`, `h2ws_finish`, `h2ws_set_demand`; `h2ws_abort`, `h2ws_demand`, `h2ws_set_context`.
 */
typedef struct h2ws_engine h2ws_engine;

/**
 * Certificates and keys, loaded: `tls` of `h2ws_listen_options` and `h2ws_adopt_options`. One may serve many listeners
 * and engines; each keeps what it needs, so it can be destroyed at any time.
 */
typedef struct h2ws_tls h2ws_tls;

/** The outcome of a call: H2WS_OK, or a negative H2WS_* number. Numbers are only ever appended. */
typedef int32_t h2ws_status;

/**
 * Bytes, or UTF-8 text: not NUL-terminated. `data` may be NULL only when `len` is 0. In C, H2WS_STR("literal") makes
 * one of a literal.
 */
typedef struct h2ws_str {
  /** The first byte, borrowed: see the function or event that has it. */
  const char *data;
  /** How many bytes. */
  size_t len;
} h2ws_str;

/**
 * Where a certificate or a key comes from: a file or bytes, not both. PEM or DER, which is seen from the content.
 */
typedef struct h2ws_tls_source {
  /** The path of a file, UTF-8; read during the call. */
  struct h2ws_str file;
  /** The content itself. */
  struct h2ws_str bytes;
} h2ws_tls_source;

/** A certificate chain with its key. Both may be in one PEM. */
typedef struct h2ws_tls_identity {
  /** The server's certificate, then those that vouch for it; the root may be left out. */
  struct h2ws_tls_source chain;
  /** PKCS#8, SEC1 or PKCS#1, not encrypted. */
  struct h2ws_tls_source key;
} h2ws_tls_identity;

/** Whether clients are asked for a certificate: one of H2WS_CLIENT_AUTH_*. */
typedef int32_t h2ws_client_auth;

/** What a `h2ws_tls` is loaded from: initialise it with H2WS_TLS_CONFIG_INIT. */
typedef struct h2ws_tls_config {
  /** Set by H2WS_TLS_CONFIG_INIT. */
  size_t size;
  /**
   * At least one. A client gets the first whose certificate has the name that it asks for (SNI) and whose key it can
   * use; a client that asks for no name or an unknown one gets the first of all.
   */
  const struct h2ws_tls_identity *identities;
  /** How many. */
  size_t identity_count;
  /** The roots that vouch for clients' certificates; empty if they are not asked. */
  struct h2ws_tls_source client_roots;
  /** One of H2WS_CLIENT_AUTH_*. */
  h2ws_client_auth client_auth;
  /** 0. */
  int32_t reserved;
} h2ws_tls_config;

/**
 * The configuration of an engine: initialise it with H2WS_CONFIG_INIT, then set what is to differ.
 *
 * 0 means the default. Sizes are bytes, times are milliseconds; the longest time is 86400000, a day, which is as good
 * as never. H2WS_INVALID_CONFIG names the first field that is out of its range.
 */
typedef struct h2ws_config {
  /** Set by H2WS_CONFIG_INIT. */
  size_t size;
  /** Event loops, a thread each. Default: the processors of the machine; 1 to 64. */
  uint32_t loops;
  /** Connections at once; one more is closed at once. Default 1000000; 1 to 16000000. */
  uint32_t max_connections;
  /** Streams of one connection at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 128; 1 to 1048576. */
  uint32_t max_streams;
  /** A header block, as RFC 9113 section 6.5.2 counts. Default 16384; 1024 to 1048576. */
  uint32_t max_header_list;
  /** Header fields of one block. Default 100; 8 to 10000. */
  uint32_t max_header_fields;
  /** A message, put together. Default 16777216; 125 to 1073741824. */
  uint32_t max_message;
  /** Fragments of one message. Default 1024; 1 to 16777216. */
  uint32_t max_fragments;
  /**
   * What a peer may send on one stream before the host has taken it. Inside of a WebSocket frame that is longer, over
   * HTTP/2, four times as much while the host takes what comes; all streams of a connection together have at most a
   * fourth of `connection_window` more by that. Default 262144; 1024 to 2147483647.
   */
  uint32_t stream_window;
  /** What a peer may send on one connection before it was read. Default 16777216; 65535 to 2147483647. */
  uint32_t connection_window;
  /**
   * What waits to be sent on one stream before H2WS_BUSY. on_writable comes at half of it; one
   * message given below that half may exceed it.
   * Default 1048576; 1024 to 1073741824.
   */
  uint32_t send_queue;
  /**
   * What waits to be applied by one loop from other threads before H2WS_BUSY. Default 67108864; 1024 to 1073741824.
   */
  uint32_t command_queue;
  /** What a client may send on a WebSocket before it is accepted. Default 16384; 0 to 1048576. */
  uint32_t early_data;
  /** Until the connection preface is complete. Default 10000; 0 to 86400000. */
  uint32_t preface_timeout;
  /** Until the peer acknowledges our SETTINGS. Default 10000; 0 to 86400000. */
  uint32_t settings_timeout;
  /** Until a header block that began is complete. Default 10000; 0 to 86400000. */
  uint32_t header_timeout;
  /** Until the host decides about a handshake; then it is refused with 503. Default 30000; 0 to 86400000. */
  uint32_t accept_timeout;
  /** Until the peer answers our Close, and again until it ends the stream. Default 5000; 1 to 86400000. */
  uint32_t close_timeout;
  /** A WebSocket on which nothing came for so long is closed with 1001; 0 is never. Default 0; 0 to 86400000. */
  uint32_t idle_timeout;
  /** A Ping goes to a WebSocket on which nothing came for so long; 0 is never. Default 0; 0 to 86400000. */
  uint32_t ping_interval;
  /**
   * A WebSocket that has not answered such a Ping for so long is reset; 0 is never. Default 0; 0 to 86400000.
   */
  uint32_t ping_timeout;
  /** A connection that takes none of our bytes for so long is cut. Default 30000; 0 to 86400000. */
  uint32_t write_timeout;
  /** RST_STREAMs, the peer's and those it provoked: a burst of so many. Default 100; 1 to 1048576. */
  uint32_t reset_burst;
  /** And so many a second. Default 33; 1 to 1048576. */
  uint32_t reset_rate;
  /** PINGs a second. Default 100; 1 to 1048576. */
  uint32_t ping_rate;
  /** SETTINGS a second. Default 10; 1 to 1048576. */
  uint32_t settings_rate;
  /**
   * Empty DATA, PRIORITY and unknown frames, and WINDOW_UPDATEs beyond what our DATA justifies, a second.
   * Default 1000; 1 to 16777216.
   */
  uint32_t idle_frame_rate;
  /** Until a TLS handshake is complete. Default 10000; 0 to 86400000. */
  uint32_t tls_timeout;
  /**
   * An HTTP/1.1 connection on which no request came for so long is closed; one of HTTP/2, without a stream, on which nothing
   * came. Default 60000; 0 to 86400000.
   */
  uint32_t keep_alive_timeout;
  /** How hard messages are compressed: 1 is fastest, 9 searches longest. Default 1; 1 to 9. */
  uint32_t deflate_level;
  /** The window of what h2ws compresses (RFC 7692 section 7.1.2.1), as a power of 2. Default 15; 9 to 15. */
  uint32_t deflate_server_window_bits;
  /**
   * The window that a client may use (RFC 7692 section 7.1.2.2), if it lets the server choose. Default 15; 9 to 15.
   */
  uint32_t deflate_client_window_bits;
  /** A message shorter than this is sent uncompressed. Default 256; 1 to 1073741824. */
  uint32_t deflate_min_size;
  /**
   * What the contexts that sockets keep for themselves may take, all together: promised at accept, allocated at first
   * use. A socket beyond it keeps none. Default 268435456; 65536 to 2147483648.
   */
  uint32_t deflate_memory;
  /**
   * A message that inflates to more than this times what came, and to more than 1 MiB, is refused.
   * Default 1000; 2 to 1048576.
   */
  uint32_t deflate_ratio;
  /**
   * A connection that does not speak HTTP/2 goes to the host. 1: as a socket, to `on_fallback`, which must be set; one over TLS
   * cannot, and is served. 2: as a duplex, to `on_duplex`, which must be set. Default 0: it is served over HTTP/1.1, or refused.
   */
  int32_t fallback;
  /** 1: permessage-deflate (RFC 7692) is agreed to when a client offers it. Default 0; 0 or 1. */
  int32_t deflate;
  /**
   * 1: h2ws compresses a message with those before it as context (RFC 7692 section 7.1.1.1), at the price of up to
   * 384 KiB for each socket that does. Default 0, all sockets of a loop share contexts; 0 or 1.
   */
  int32_t deflate_server_takeover;
  /** 1: clients may do so (RFC 7692 section 7.1.1.2), at up to 48 KiB a socket. Default 0; 0 or 1. */
  int32_t deflate_client_takeover;
} h2ws_config;

/**
 * Names an exchange: a request, or a WebSocket from its handshake on. 0 names nothing; a stale one gives H2WS_GONE.
 */
typedef uint64_t h2ws_stream;

/** Names a connection. 0 names nothing. */
typedef uint64_t h2ws_connection;

/** What a stream is for: H2WS_HTTP or H2WS_WEBSOCKET. */
typedef int32_t h2ws_kind;

/** A header field. */
typedef struct h2ws_header {
  /** The name; lower-case in events, any case in arguments. */
  struct h2ws_str name;
  /** The value: bytes, usually ASCII. */
  struct h2ws_str value;
} h2ws_header;

/** Header fields, in order. A name may come several times. */
typedef struct h2ws_headers {
  /** The first field; may be NULL only when `count` is 0. */
  const struct h2ws_header *items;
  /** How many fields. */
  size_t count;
} h2ws_headers;

/**
 * The TLS of a connection: that of h2ws in an event, whose pointers are borrowed until the callback returns; that of the host in
 * `h2ws_attach_options`, initialised with H2WS_TLS_INFO_INIT and borrowed until the call returns.
 */
typedef struct h2ws_tls_info {
  /** The size of this struct in the library that runs; set by H2WS_TLS_INFO_INIT. */
  size_t size;
  /** `TLSv1.2` or `TLSv1.3`. */
  struct h2ws_str version;
  /** The cipher suite, as `TLS13_AES_128_GCM_SHA256`. */
  struct h2ws_str cipher;
  /** The name that the client asked for (SNI); empty if it asked for none. */
  struct h2ws_str server_name;
  /** The protocol agreed on by ALPN: `h2` or `http/1.1`; empty if the client offered none. */
  struct h2ws_str alpn;
  /** The client's certificates in DER, its own first; NULL if it showed none. */
  const struct h2ws_str *peer_certificates;
  /** How many it showed. */
  size_t peer_certificate_count;
  /** 1: an earlier session was resumed. */
  int32_t resumed;
  /** Always 0. */
  int32_t reserved;
} h2ws_tls_info;

/** Names a listening socket. 0 names nothing; a stale one gives H2WS_GONE. */
typedef uint64_t h2ws_listener;

/** A request or a WebSocket handshake has come. All pointers are borrowed until the callback returns. */
typedef struct h2ws_request {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Names the exchange, and the WebSocket that it may become, until `on_closed`. */
  h2ws_stream stream;
  /** The connection that it came on. */
  h2ws_connection connection;
  /** H2WS_HTTP or H2WS_WEBSOCKET. */
  h2ws_kind kind;
  /** 1: there is no body, no `on_body` will come. */
  int32_t end;
  /** The method; `GET` for a WebSocket handshake, whichever HTTP version carried it. */
  struct h2ws_str method;
  /** `http` or `https`. */
  struct h2ws_str scheme;
  /** The `:authority`, or the `host` field where there was none. May be empty on a request. */
  struct h2ws_str authority;
  /** Path and query, as sent. */
  struct h2ws_str path;
  /** The peer's address as text: `127.0.0.1:4711`, `[::1]:4711` or `unix`. */
  struct h2ws_str peer;
  /** The header fields; names are lower-case. */
  struct h2ws_headers headers;
  /** What the client offered in `sec-websocket-protocol`, in its order; may be NULL when there is none. */
  const struct h2ws_str *subprotocols;
  /** How many it offered. */
  size_t subprotocol_count;
  /** The HTTP version that carried it: 10, 11 or 20. */
  int32_t version;
  /** The TLS of its connection; NULL on cleartext. */
  const struct h2ws_tls_info *tls;
  /** The listener that accepted its connection; 0: the host gave the socket to `h2ws_adopt`. */
  h2ws_listener listener;
  /** The number of its HTTP/2 stream (RFC 9113 section 5.1.1); 0 over HTTP/1.1. */
  uint32_t h2_stream;
} h2ws_request;

/** A piece of a request's body, or its end. All pointers are borrowed until the callback returns. */
typedef struct h2ws_body {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Of which request. */
  h2ws_stream stream;
  /** What `h2ws_set_context` set, or NULL. */
  void *context;
  /** The bytes; may be empty at the end. */
  struct h2ws_str data;
  /** 1: nothing follows. */
  int32_t end;
  /** The trailers, if there were any; only with `end`. */
  struct h2ws_headers trailers;
} h2ws_body;

/** What a message is: H2WS_TEXT or H2WS_BINARY, the opcodes of RFC 6455 section 5.2. */
typedef int32_t h2ws_message_kind;

/** A whole message. All pointers are borrowed until the callback returns. */
typedef struct h2ws_message {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Of which socket. */
  h2ws_stream stream;
  /** What `h2ws_accept` or `h2ws_set_context` set, or NULL. */
  void *context;
  /** H2WS_TEXT or H2WS_BINARY. */
  h2ws_message_kind kind;
  /** The payload. */
  struct h2ws_str data;
} h2ws_message;

/**
 * A part of a message, on a socket accepted with `fragments`. Parts follow what arrived, not the peer's frames; of a
 * text message a part may end inside a character. All pointers are borrowed until the callback returns.
 */
typedef struct h2ws_fragment {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Of which socket. */
  h2ws_stream stream;
  /** What `h2ws_accept` or `h2ws_set_context` set, or NULL. */
  void *context;
  /** H2WS_TEXT or H2WS_BINARY, the same for all parts of a message. */
  h2ws_message_kind kind;
  /** 1: a message begins. */
  int32_t first;
  /** 1: the message is complete. */
  int32_t last;
  /** The payload; may be empty. */
  struct h2ws_str data;
} h2ws_fragment;

/**
 * What a control frame is: H2WS_CLOSE, H2WS_PING or H2WS_PONG, the opcodes of RFC 6455 section 5.2; or, with `manual_control`,
 * that none will come any more: H2WS_VIOLATION, H2WS_END.
 */
typedef int32_t h2ws_control_kind;

/**
 * A Ping, Pong or Close frame has come, or what takes a Close's place. All pointers are borrowed until the callback returns.
 */
typedef struct h2ws_control {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Of which socket. */
  h2ws_stream stream;
  /** What `h2ws_accept` or `h2ws_set_context` set, or NULL. */
  void *context;
  /** H2WS_PING, H2WS_PONG or H2WS_CLOSE; with `manual_control` also H2WS_VIOLATION or H2WS_END. */
  h2ws_control_kind kind;
  /** A Close's code, 0 if it had none; the code that answers a violation; else 0. */
  uint16_t code;
  /** A Ping's or Pong's payload, a Close's reason, what was wrong. */
  struct h2ws_str data;
} h2ws_control;

/** What ended a stream: one of H2WS_CAUSE_*. More may come in later versions. */
typedef int32_t h2ws_cause;

/** Who began the end of a stream: H2WS_LOCAL or H2WS_REMOTE. */
typedef int32_t h2ws_side;

/**
 * A stream has ended: its last event, exactly once for each `on_request`. The handle is stale when the callback
 * returns. All pointers are borrowed until then.
 */
typedef struct h2ws_closed {
  /** The size of this struct in the library that runs. */
  size_t size;
  /** Which stream. */
  h2ws_stream stream;
  /** What `h2ws_accept` or `h2ws_set_context` set, or NULL; h2ws does not use it any more. */
  void *context;
  /** What it was for: H2WS_HTTP or H2WS_WEBSOCKET. */
  h2ws_kind kind;
  /**
   * The close code of RFC 6455 section 7.1.5: the peer's own, 1005 if its Close had none, 1006 if there was no Close.
   * 0 for a request and for a handshake that was not accepted.
   */
  uint16_t code;
  /** What ended it. */
  h2ws_cause cause;
  /** Who began the end. */
  h2ws_side side;
  /** The HTTP/2 error code that went with it (RFC 9113 section 7), 0 if none. */
  uint32_t h2_code;
  /** The peer's reason, or what went wrong. */
  struct h2ws_str reason;
} h2ws_closed;

/** The weight of a log line: one of H2WS_LOG_*. */
typedef int32_t h2ws_log_level;

/** What `on_duplex` tells: what can be done now on a connection whose bytes the host moves. */
typedef struct h2ws_duplex {
  /** The size that h2ws knows. */
  size_t size;
  /** Which. */
  h2ws_connection connection;
  /** That of `h2ws_attach`; NULL for one that h2ws has handed back. */
  void *context;
  /** 1: it is new to the host: it does not speak HTTP/2, as `config.fallback` 2 asks, or was accepted `raw`. */
  int32_t handed_back;
  /** 1: there is something to read, or the end. Not told again before a read has taken all that there was. */
  int32_t readable;
  /** 1: after a `h2ws_duplex_write` that took less than all, there is room. */
  int32_t writable;
  /** Always 0. */
  int32_t reserved;
  /** With `handed_back`: the listener that accepted it; 0: it was adopted. */
  h2ws_listener listener;
  /** With `handed_back`: the peer's address as text. */
  struct h2ws_str peer;
  /** With `handed_back`: its TLS, which stays here; NULL on cleartext. */
  const struct h2ws_tls_info *tls;
} h2ws_duplex;

/**
 * The host's functions: initialise it with H2WS_CALLBACKS_INIT, set `on_request` and what else is wanted. It is copied
 * by `h2ws_engine_create`.
 *
 * Callbacks run on the engine's loop threads, with no lock held, for different connections possibly at the same time.
 * They may call every function but `h2ws_drain` and `h2ws_engine_destroy`. One that blocks holds up its own loop.
 * Those that are NULL are not called: the event is dropped.
 */
typedef struct h2ws_callbacks {
  /** Set by H2WS_CALLBACKS_INIT. */
  size_t size;
  /** Passed to each callback; used on all loop threads. NULL: the callbacks get the engine itself. */
  void *user;
  /** A request or a WebSocket handshake has come. Answer now or later, on any thread. Required. */
  void (*on_request)(void *user, const struct h2ws_request *request);
  /** A piece of a request's body, or its end. */
  void (*on_body)(void *user, const struct h2ws_body *body);
  /** A whole message. */
  void (*on_message)(void *user, const struct h2ws_message *message);
  /** A part of a message, on a socket accepted with `fragments`. */
  void (*on_fragment)(void *user, const struct h2ws_fragment *fragment);
  /** A Ping, Pong or Close frame has come. */
  void (*on_control)(void *user, const struct h2ws_control *control);
  /** After H2WS_BUSY: the stream takes data again. Once for each time it was busy. */
  void (*on_writable)(void *user, h2ws_stream stream, void *context);
  /** The last event of a stream, exactly once for each `on_request`. */
  void (*on_closed)(void *user, const struct h2ws_closed *closed);
  /**
   * A connection that does not speak HTTP/2, given to the host as `config.fallback` asked: the socket, non-blocking,
   * which the host owns and closes, and what was read from it, borrowed until the callback returns.
   */
  void (*on_fallback)(void *user, int fd, struct h2ws_str already_read);
  /**
   * A line for the log, UTF-8, borrowed until the callback returns. Never the payload of a message or the value of a
   * header.
   */
  void (*on_log)(void *user, h2ws_log_level level, struct h2ws_str text);
  /**
   * Exactly once, after every other callback has returned, on the thread that calls `h2ws_engine_destroy`: `user` is
   * not used any more. The engine has stopped but is still there; a call gives H2WS_SHUTTING_DOWN. Not called when
   * `h2ws_engine_create` fails.
   */
  void (*on_destroy)(void *user);
  /**
   * A connection whose bytes the host moves can be read or written, or is new to it: `config.fallback` 2 and `h2ws_attach`.
   */
  void (*on_duplex)(void *user, const struct h2ws_duplex *duplex);
  /**
   * A connection in which the host has a part has ended: one that was adopted or attached, after the last `on_closed` of its
   * streams, or one that was handed back as a duplex. Not called for those that end with the engine.
   */
  void (*on_disconnected)(void *user, h2ws_connection connection);
} h2ws_callbacks;

/** What a listener's connections may do: initialise it with H2WS_LISTEN_OPTIONS_INIT. */
typedef struct h2ws_listen_options {
  /** Set by H2WS_LISTEN_OPTIONS_INIT. */
  size_t size;
  /**
   * 1: requests only. SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3) is not sent, `Upgrade` is ignored.
   */
  int32_t no_websockets;
  /** 1: HTTP/1.1 is not served, and over TLS not offered. */
  int32_t no_http1;
  /** 1: HTTP/2 is not served, and over TLS not offered. */
  int32_t no_http2;
  /**
   * 1: nothing is served. Every connection goes to `on_duplex`, which must be set, unread, behind the TLS if there is any.
   */
  int32_t raw;
  /** Serves TLS with these certificates; NULL: cleartext. Used until the call returns. */
  const struct h2ws_tls *tls;
} h2ws_listen_options;

/** What an adopted connection may do: initialise it with H2WS_ADOPT_OPTIONS_INIT. */
typedef struct h2ws_adopt_options {
  /** Set by H2WS_ADOPT_OPTIONS_INIT. */
  size_t size;
  /**
   * 1: requests only. SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3) is not sent, `Upgrade` is ignored.
   */
  int32_t no_websockets;
  /** 1: HTTP/1.1 is not served, and over TLS not offered. */
  int32_t no_http1;
  /** 1: HTTP/2 is not served, and over TLS not offered. */
  int32_t no_http2;
  /**
   * 1: nothing is served. Every connection goes to `on_duplex`, which must be set, unread, behind the TLS if there is any.
   */
  int32_t raw;
  /** Serves TLS with these certificates; NULL: cleartext. Used until the call returns. */
  const struct h2ws_tls *tls;
} h2ws_adopt_options;

/** A connection whose socket stays with the host: initialise it with H2WS_ATTACH_OPTIONS_INIT. */
typedef struct h2ws_attach_options {
  /** Set by H2WS_ATTACH_OPTIONS_INIT. */
  size_t size;
  /** Comes with each `on_duplex` of it. */
  void *context;
  /** The peer's address as text, for the requests; may be empty. */
  struct h2ws_str peer;
  /**
   * The TLS that the host speaks on it: its `alpn` chooses the protocol, and it comes with each request. NULL: cleartext.
   */
  const struct h2ws_tls_info *tls;
  /** 1: requests only. */
  int32_t no_websockets;
  /** 1: HTTP/1.1 is not served. */
  int32_t no_http1;
  /** 1: HTTP/2 is not served. */
  int32_t no_http2;
  /** 0. */
  int32_t reserved;
} h2ws_attach_options;

/** Whether a direction has ended: one of H2WS_DUPLEX_*. */
typedef int32_t h2ws_duplex_end;

/**
 * How a handshake is accepted: initialise it with H2WS_ACCEPT_OPTIONS_INIT. All zero: no subprotocol, whole messages as
 * they come, h2ws answers Ping and Close.
 */
typedef struct h2ws_accept_options {
  /** Set by H2WS_ACCEPT_OPTIONS_INIT. */
  size_t size;
  /** One of those that the client offered; empty for none. Borrowed until the call returns. */
  struct h2ws_str subprotocol;
  /** Further fields of the response; may be NULL. Borrowed until the call returns. */
  const struct h2ws_headers *headers;
  /** Comes with each event of the stream; `h2ws_set_context` changes it. */
  void *context;
  /** 1: the host answers Ping and Close itself, with `h2ws_pong` and `h2ws_close`. */
  int32_t manual_control;
  /**
   * 1: `on_fragment` instead of `on_message`: parts as they arrive, held nowhere and without a limit of size.
   */
  int32_t fragments;
  /** 1: messages and fragments come only as `h2ws_demand` asks. */
  int32_t demand;
  /** 1: no permessage-deflate on this socket, whatever the client offers and `h2ws_config` says. */
  int32_t no_deflate;
} h2ws_accept_options;

/**
 * A snapshot of an engine's counters: initialise it with H2WS_STATS_INIT. Those named `open_` go up and down, all others
 * only up. The counters are read one after another while the loops run.
 */
typedef struct h2ws_stats {
  /** Set by H2WS_STATS_INIT; left as it is. */
  size_t size;
  /** Connections open now. */
  uint64_t open_connections;
  /** Requests and WebSockets open now. */
  uint64_t open_streams;
  /** WebSockets open now, accepted and not yet closed. */
  uint64_t open_websockets;
  /** Connections taken, by a listener or by `h2ws_adopt`. */
  uint64_t connections;
  /** Connections given to `on_fallback`. */
  uint64_t fallbacks;
  /** TLS handshakes that succeeded. */
  uint64_t tls_handshakes;
  /** Those of them that resumed a session. */
  uint64_t tls_resumed;
  /** Ordinary requests. */
  uint64_t requests;
  /** WebSocket handshakes. */
  uint64_t handshakes;
  /** WebSockets accepted. */
  uint64_t accepted;
  /** Messages received (whole, or by their last fragment). */
  uint64_t messages_in;
  /** Messages sent (whole, or by their last fragment). */
  uint64_t messages_out;
  /** Messages that came compressed. */
  uint64_t compressed_in;
  /** Messages that were sent compressed. */
  uint64_t compressed_out;
  /** Bytes read from sockets. */
  uint64_t bytes_in;
  /** Bytes written to sockets. */
  uint64_t bytes_out;
  /** Reads that brought bytes. */
  uint64_t reads;
  /** Writes. */
  uint64_t writes;
  /** Handshakes refused by the host. */
  uint64_t rejected_by_host;
  /**
   * Handshakes refused: no or an empty `:authority`, or user information in it; and whatever has another `host`.
   */
  uint64_t refused_authority;
  /** Handshakes refused: a `:scheme` that is neither http nor https. */
  uint64_t refused_scheme;
  /** Handshakes refused: `:protocol` is not websocket. */
  uint64_t refused_protocol;
  /** Handshakes refused: `sec-websocket-version` is not 13. */
  uint64_t refused_version;
  /** Handshakes refused: a content-length, END_STREAM or a malformed field. */
  uint64_t refused_malformed;
  /** CONNECT without `:protocol`. */
  uint64_t refused_plain_connect;
  /** Handshakes refused: the host did not decide in time. */
  uint64_t refused_undecided;
  /** Requests refused: too many header fields. */
  uint64_t refused_header_fields;
  /** Requests refused: the engine was draining. */
  uint64_t refused_draining;
  /** Connections refused: too many. */
  uint64_t refused_connections;
  /** Connections that began with neither an HTTP/2 preface nor anything the host takes. */
  uint64_t refused_preface;
  /** TLS handshakes that failed. */
  uint64_t refused_tls;
  /** Limit hit: a message longer than `max_message` (close 1009). */
  uint64_t limit_message;
  /** Limit hit: more than `max_fragments` (close 1008). */
  uint64_t limit_fragments;
  /** Limit hit: a message that inflates by more than `deflate_ratio` (close 1009). */
  uint64_t limit_ratio;
  /** Limit hit: WebSockets accepted without contexts of their own, for want of `deflate_memory`. */
  uint64_t limit_deflate_memory;
  /** Limit hit: more early data than `early_data` (reset ENHANCE_YOUR_CALM). */
  uint64_t limit_early_data;
  /** Limit hit: H2WS_BUSY at the cap of a stream's send queue. */
  uint64_t limit_send_queue;
  /** Limit hit: H2WS_BUSY at the cap of a loop's command queue. */
  uint64_t limit_command_queue;
  /** Limit hit: resets (GOAWAY ENHANCE_YOUR_CALM). */
  uint64_t limit_resets;
  /** Limit hit: PING (GOAWAY ENHANCE_YOUR_CALM). */
  uint64_t limit_pings;
  /** Limit hit: SETTINGS (GOAWAY ENHANCE_YOUR_CALM). */
  uint64_t limit_settings;
  /** Limit hit: frames that carry nothing (GOAWAY ENHANCE_YOUR_CALM). */
  uint64_t limit_idle_frames;
  /** Deadline passed: preface. */
  uint64_t timeout_preface;
  /** Deadline passed: a TLS handshake. */
  uint64_t timeout_tls;
  /** Deadline passed: a connection without a request or a stream. */
  uint64_t timeout_keep_alive;
  /** Deadline passed: acknowledgement of our SETTINGS. */
  uint64_t timeout_settings;
  /** Deadline passed: a header block. */
  uint64_t timeout_header;
  /** Deadline passed: closing handshake or the end of the stream after it. */
  uint64_t timeout_close;
  /** Deadline passed: an idle WebSocket. */
  uint64_t timeout_idle;
  /** Deadline passed: a Ping without a Pong. */
  uint64_t timeout_ping;
  /** Deadline passed: a connection that takes no bytes. */
  uint64_t timeout_write;
  /** WebSocket frames that broke RFC 6455 (close 1002). */
  uint64_t violation_frame;
  /** Text that is not UTF-8 (close 1007). */
  uint64_t violation_utf8;
  /** Compressed messages that cannot be inflated (close 1007). */
  uint64_t violation_deflate;
  /** Streams that broke RFC 9113's flow control, or sent HEADERS on a WebSocket. */
  uint64_t violation_stream;
  /** HTTP/2 connections ended for an error of the peer. */
  uint64_t violation_connection;
  /** HTTP/1.1 connections ended for an error of the peer. */
  uint64_t violation_http1;
  /** Connection tasks ended by a bug in h2ws or a panicking handler. */
  uint64_t panics;
} h2ws_stats;

/** The call did what it says. */
#define H2WS_OK 0

/** An argument is missing, of the wrong size or out of its range. */
#define H2WS_INVALID_ARGUMENT (-1)

/** A configuration field is out of its range; the text names the field, its value and the range. */
#define H2WS_INVALID_CONFIG (-2)

/** Bytes that must be text are not UTF-8. */
#define H2WS_NOT_UTF8 (-3)

/** The stream is not in a state in which this can be done, say a message before `h2ws_accept`. */
#define H2WS_WRONG_STATE (-4)

/** The call blocks and was made inside a callback. */
#define H2WS_WRONG_THREAD (-5)

/** A header block, close reason or control payload is longer than the protocol allows. */
#define H2WS_TOO_LARGE (-6)

/** The stream, connection or listener has ended, or never was. */
#define H2WS_GONE (-20)

/** A queue is at its cap and nothing was taken; `on_writable` follows. */
#define H2WS_BUSY (-21)

/** The engine is draining or has stopped. */
#define H2WS_SHUTTING_DOWN (-22)

/** An operating system call failed; the text has its error. */
#define H2WS_IO (-60)

/** The address is in use by somebody else; the text has it. */
#define H2WS_ADDRESS_IN_USE (-61)

/** The descriptor is no connected TCP or UNIX stream socket. */
#define H2WS_NOT_A_SOCKET (-62)

/** Certificates or keys cannot be used; the text names the file and the reason. */
#define H2WS_TLS (-63)

/** A bug in h2ws was caught; the call did nothing more. */
#define H2WS_PANIC (-99)

/** They are not asked. */
#define H2WS_CLIENT_AUTH_NONE 0

/** They may show one; one that the roots do not vouch for ends the handshake. */
#define H2WS_CLIENT_AUTH_OPTIONAL 1

/** They must show one. */
#define H2WS_CLIENT_AUTH_REQUIRED 2

/** An ordinary request; answer with `h2ws_respond` or `h2ws_respond_start`. */
#define H2WS_HTTP 0

/** A WebSocket handshake; answer with `h2ws_accept` or `h2ws_reject`. */
#define H2WS_WEBSOCKET 1

/** UTF-8 text, checked. */
#define H2WS_TEXT 1

/** Any bytes. */
#define H2WS_BINARY 2

/** A Close; it has been answered, unless the socket was accepted with `manual_control`. */
#define H2WS_CLOSE 8

/** A Ping; it has been answered, unless the socket was accepted with `manual_control`. */
#define H2WS_PING 9

/** A Pong. */
#define H2WS_PONG 10

/**
 * The peer broke a rule or a limit, and nothing of it is heard any more. Only with `manual_control`: send what is yet to be said
 * to what came before, then `h2ws_close` with the event's code, within `close_timeout`. Otherwise the Close has been sent, and
 * `on_closed` tells of it.
 */
#define H2WS_VIOLATION 16

/**
 * The peer has ended its side without a Close (END_STREAM, or TCP's FIN). Only with `manual_control`: the socket goes on for what is
 * sent, until `h2ws_close`; over HTTP/1.1 for `close_timeout`. The data say so if that was inside a message. Otherwise our side ends too, and `on_closed` tells of it.
 */
#define H2WS_END 17

/** A response went out whole. */
#define H2WS_CAUSE_COMPLETE 0

/** The closing handshake of RFC 6455 section 7. */
#define H2WS_CAUSE_CLOSE_FRAME 1

/** The stream ended without a Close frame. */
#define H2WS_CAUSE_END_STREAM 2

/** A RST_STREAM. */
#define H2WS_CAUSE_RESET 3

/** A GOAWAY that left this stream out, or a connection error. */
#define H2WS_CAUSE_GOAWAY 4

/** The transport ended or failed. */
#define H2WS_CAUSE_DISCONNECTED 5

/** A deadline or idle time passed; the reason says which. */
#define H2WS_CAUSE_TIMEOUT 6

/** The engine drained. */
#define H2WS_CAUSE_DRAIN 7

/** The handshake was refused, by the host or because nobody decided. */
#define H2WS_CAUSE_REJECTED 8

/** The peer broke a rule or a limit; the reason says which. */
#define H2WS_CAUSE_VIOLATION 9

/** The host or h2ws. */
#define H2WS_LOCAL 0

/** The peer. */
#define H2WS_REMOTE 1

/** A bug in h2ws. */
#define H2WS_LOG_ERROR 1

/** An operator should look. */
#define H2WS_LOG_WARN 2

/** Life cycle; every refused handshake, with its reason. */
#define H2WS_LOG_INFO 3

/** Each connection. */
#define H2WS_LOG_DEBUG 4

/** More may come. */
#define H2WS_DUPLEX_OPEN 0

/** The other side has ended in order: nothing follows. */
#define H2WS_DUPLEX_ENDED 1

/** The other side was cut off: nothing follows, and what came may not be all. */
#define H2WS_DUPLEX_RESET 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, as `H2WS_VERSION` is that of the header. NUL-terminated, valid as long as the library
 * is loaded; do not free it. Any thread, also inside a callback; does not block.
 */
const char *h2ws_version(void);

/**
 * Writes the text of this thread's last failed call into `buffer`: the function's name, what happened, with which
 * value, and what to do. A call that succeeds leaves it as it was; before the first failure it is empty.
 *
 * Writes at most `capacity` bytes, a terminating NUL included, and cuts between characters; `buffer` may be NULL to
 * learn the length. Returns the length of the whole text without the NUL. Any thread, also inside a callback; does
 * not block.
 */
size_t h2ws_last_error(char *buffer,
                       size_t capacity);

/**
 * A sentence about a status, for when there is no better one. NUL-terminated, never NULL, valid as long as the
 * library is loaded; do not free it. Any thread, also inside a callback; does not block.
 */
const char *h2ws_status_text(h2ws_status status);

/**
 * Loads certificates and keys. `config` and all that it points to are borrowed until the call returns. `*out_tls` is
 * owned, free it with `h2ws_tls_destroy`.
 *
 * H2WS_TLS names the file and what is wrong: it cannot be read, has no certificate or no key in it, the key does not fit
 * the certificate, the certificate has expired. Any thread; blocks while it reads files.
 */
h2ws_status h2ws_tls_create(const struct h2ws_tls_config *config,
                            struct h2ws_tls **out_tls);

/**
 * Loads others in their place, for all listeners that use them. Handshakes that begin from now on use the new ones;
 * connections that are open go on; sessions of before are not resumed. When it fails, as `h2ws_tls_create` may, nothing
 * has changed. Any thread; blocks while it reads files.
 */
h2ws_status h2ws_tls_reload(struct h2ws_tls *tls,
                            const struct h2ws_tls_config *config);

/**
 * Frees it. Listeners and connections that use it go on, with what was loaded last. NULL is allowed and does nothing; no
 * other thread may use the pointer from the call on. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_tls_destroy(struct h2ws_tls *tls);

/**
 * Starts an engine: its loops run when this returns. `config` may be NULL for the defaults. `config` and `callbacks` are
 * borrowed until the call returns; `callbacks->user` until `on_destroy`. `*out_engine` is owned, free it with
 * `h2ws_engine_destroy`.
 *
 * H2WS_INVALID_CONFIG names the field, its value and its range; H2WS_IO: no threads or descriptors are to be had. When
 * it fails, nothing was started and `on_destroy` is not called. Any thread; blocks until the threads have started.
 */
h2ws_status h2ws_engine_create(const struct h2ws_config *config,
                               const struct h2ws_callbacks *callbacks,
                               struct h2ws_engine **out_engine);

/**
 * Makes an engine without threads: its loops run when threads of the host call `h2ws_run`. A host of one thread has one loop
 * (`h2ws_config.loops`), and needs no lock; each call of the system is cheaper too in a process of one thread. What is said to
 * the engine before its loops run waits for them.
 *
 * The arguments, what is owned and what can go wrong are those of `h2ws_engine_create`. On a thread that has run a loop,
 * outside of callbacks, `h2ws_drain` and `h2ws_engine_destroy` run it on while they wait. Any thread; does not block.
 */
h2ws_status h2ws_engine_create_driven(const struct h2ws_config *config,
                                      const struct h2ws_callbacks *callbacks,
                                      struct h2ws_engine **out_engine);

/**
 * Ends an engine: cuts what is left, so that every stream gets its `on_closed`, joins the threads, calls `on_destroy`,
 * frees it. Afterwards the pointer names nothing; no other thread may use it from the call on. NULL is allowed and does
 * nothing. To end with good manners, call `h2ws_drain` before.
 *
 * Blocks until the callbacks that run have returned. Inside a callback it gives H2WS_WRONG_THREAD and the engine
 * lives on; inside `on_destroy` it gives H2WS_WRONG_STATE, and so while loops that other threads run (`h2ws_run`) have not ended.
 */
h2ws_status h2ws_engine_destroy(struct h2ws_engine *engine);

/**
 * Ends what is open, with good manners: listeners close, each connection gets GOAWAY twice (RFC 9113 section 6.8),
 * each WebSocket a Close 1001, requests are answered. Blocks until every connection has ended; at `deadline_ms`
 * milliseconds what is left is cut, and that is H2WS_OK too. New calls to `h2ws_listen` and `h2ws_adopt` give
 * H2WS_SHUTTING_DOWN from then on.
 *
 * Any thread but a callback's: there it gives H2WS_WRONG_THREAD.
 */
h2ws_status h2ws_drain(struct h2ws_engine *engine,
                       uint32_t deadline_ms);

/**
 * Runs a loop of an engine of `h2ws_engine_create_driven` on the calling thread for `timeout_ms` milliseconds; -1: until the
 * engine ends. `loop` counts from 0 to `h2ws_config.loops` - 1. The callbacks of the loop's connections run inside, each when
 * there is something to tell. The first call binds the loop to the thread, for good.
 *
 * H2WS_OK: the time was up, or `h2ws_interrupt` was called. H2WS_SHUTTING_DOWN: the loop has ended, every stream of it had its
 * `on_closed`, and there is nothing left to run. H2WS_WRONG_THREAD: inside a callback, or the thread has another loop.
 * H2WS_WRONG_STATE: another thread has the loop, or the engine has threads of its own. H2WS_INVALID_ARGUMENT, H2WS_IO.
 *
 * Between two calls the loop rests, and its connections wait. What the thread then says to its streams is done at once, and on
 * its way with the next call. A thread that ends before its loop cuts the connections of the loop, without `on_closed`. Any
 * thread; blocks.
 */
h2ws_status h2ws_run(struct h2ws_engine *engine,
                     uint32_t loop,
                     int32_t timeout_ms);

/**
 * Lets `h2ws_run` of a loop return soon, or, if the loop rests, as soon as it is called. Several calls before that are as one. For an
 * engine with threads of its own it does nothing.
 *
 * Any thread, also inside a callback, and in a signal handler, which should keep `errno` as it was. Does not block.
 * H2WS_INVALID_ARGUMENT: there is no such loop; that one is not for signal handlers, since its text is allocated.
 */
h2ws_status h2ws_interrupt(struct h2ws_engine *engine,
                           uint32_t loop);

/**
 * Begins the end of an engine: what is open is cut, every stream gets its `on_closed`, and each `h2ws_run` returns
 * H2WS_SHUTTING_DOWN, now or when it is called again. `h2ws_engine_destroy` follows. To end with good manners, call `h2ws_drain`
 * before.
 *
 * Any thread, also inside a callback. Does not block. A second call does nothing.
 */
h2ws_status h2ws_stop(struct h2ws_engine *engine);

/**
 * Listens on `address`: `127.0.0.1:8080`, `[::1]:0` (a free port) or `unix:/path`. `address` and `options` are borrowed
 * until the call returns; `options` may be NULL for the defaults, `out_listener` may be NULL.
 *
 * H2WS_ADDRESS_IN_USE and H2WS_IO have the address in their text. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_listen(struct h2ws_engine *engine,
                        struct h2ws_str address,
                        const struct h2ws_listen_options *options,
                        h2ws_listener *out_listener);

/**
 * The bound address of a listener as text, as `h2ws_listen` takes it, with the port that was chosen.
 *
 * Writes at most `capacity` bytes into `buffer`, a terminating NUL included; `buffer` may be NULL when `capacity` is 0.
 * `*out_len` is the length of the whole text without the NUL, so that the text was cut if it is not less than
 * `capacity`; `out_len` may be NULL. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_listener_address(struct h2ws_engine *engine,
                                  h2ws_listener listener,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *out_len);

/** Stops listening. Connections that were accepted stay. Any thread, also inside a callback; does not block. */
h2ws_status h2ws_listener_close(struct h2ws_engine *engine,
                                h2ws_listener listener);

/**
 * Serves a connected TCP or UNIX stream socket that the host accepted. `already_read` is what the host has read from it,
 * copied; `already_read` and `options` are borrowed until the call returns; `options` may be NULL for the defaults,
 * `out_connection` may be NULL.
 *
 * `fd` is owned by h2ws from the call on, **also when the call fails**: it is closed then, and the host may not use or
 * close it. H2WS_NOT_A_SOCKET: it is not open, a pipe, a datagram or a listening socket. It is made non-blocking.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_adopt(struct h2ws_engine *engine,
                       int fd,
                       struct h2ws_str already_read,
                       const struct h2ws_adopt_options *options,
                       h2ws_connection *out_connection);

/**
 * Serves a connection whose socket stays with the host, say for TLS of its own. What comes from the peer it gives to
 * `h2ws_duplex_write`; what there is for the peer it gets from `h2ws_duplex_read`, as `on_duplex` tells. `on_disconnected` says
 * that the connection has ended for h2ws. `h2ws_duplex_close` ends the host's part, and has to be called in any case.
 *
 * Each direction holds up to 256 KiB. H2WS_INVALID_ARGUMENT: the engine has no `on_duplex`. `options` is borrowed until the call returns. `on_duplex` may come before it returns.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_attach(struct h2ws_engine *engine,
                        const struct h2ws_attach_options *options,
                        h2ws_connection *out_connection);

/**
 * Gives bytes to the other side, copied: as many as there is room for, which `*out_taken` says. After less than all, `on_duplex`
 * tells when there is room. H2WS_GONE: the other side has ended, or `h2ws_duplex_shut` was called.
 * Any thread, one at a time for each connection; does not block.
 */
h2ws_status h2ws_duplex_write(struct h2ws_engine *engine,
                              h2ws_connection connection,
                              struct h2ws_str data,
                              size_t *out_taken);

/**
 * Takes bytes of the other side: up to `capacity`, which `*out_len` says. With 0 bytes `*out_end` says whether more may come, of
 * which `on_duplex` tells, or what has ended it. Any thread, one at a time for each connection; does not block.
 */
h2ws_status h2ws_duplex_read(struct h2ws_engine *engine,
                             h2ws_connection connection,
                             void *buffer,
                             size_t capacity,
                             size_t *out_len,
                             h2ws_duplex_end *out_end);

/** Nothing more is written: the other side sees the end behind what was. Any thread; does not block. */
h2ws_status h2ws_duplex_shut(struct h2ws_engine *engine, h2ws_connection connection);

/**
 * Ends the host's part: the handle is stale. What was written still goes out, and then the end; with `abort` 1 the other side is
 * cut off at once. Any thread; does not block.
 */
h2ws_status h2ws_duplex_close(struct h2ws_engine *engine,
                              h2ws_connection connection,
                              int32_t abort);

/**
 * Ends a stream at once with RST_STREAM and the HTTP/2 error code `h2_code` (RFC 9113 section 7; 8 is CANCEL), as a TCP
 * RST ends a connection (RFC 8441 section 5). What waits to be sent is dropped. `on_closed` follows.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_abort(struct h2ws_engine *engine,
                       h2ws_stream stream,
                       uint32_t h2_code);

/**
 * Asks for `n` more `on_message`, `on_fragment` or `on_body` events, on a socket accepted with `demand` or a request
 * after `h2ws_set_demand`. What was asked for adds up. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_demand(struct h2ws_engine *engine,
                        h2ws_stream stream,
                        uint32_t n);

/**
 * Sets the `context` that comes with each later event of the stream; h2ws does not look into it. It is the host's to
 * free, in `on_closed` at the earliest. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_set_context(struct h2ws_engine *engine,
                             h2ws_stream stream,
                             void *context);

/**
 * Accepts a handshake: 200, and the stream is a WebSocket. `options` is borrowed until the call returns and may be NULL
 * for the defaults. H2WS_WRONG_STATE: it is a request, or was answered already.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_accept(struct h2ws_engine *engine,
                        h2ws_stream stream,
                        const struct h2ws_accept_options *options);

/**
 * Refuses a handshake with a response: `status` is 300 to 999, `headers` may be NULL, `body` may be empty; both are
 * borrowed until the call returns. `on_closed` follows. H2WS_WRONG_STATE: it was answered already.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_reject(struct h2ws_engine *engine,
                        h2ws_stream stream,
                        uint16_t status,
                        const struct h2ws_headers *headers,
                        struct h2ws_str body);

/**
 * Sends a message: `kind` is H2WS_TEXT, then `data` is UTF-8, or H2WS_BINARY. `data` is borrowed until the call returns.
 * What is sent of a large message that `on_message` has been lent, to any sockets of the same loop, need not be copied.
 * It is compressed if the socket agreed on permessage-deflate and it is no shorter than `deflate_min_size`.
 * H2WS_BUSY: the queue is full and nothing was taken; `on_writable` follows.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_send(struct h2ws_engine *engine,
                      h2ws_stream stream,
                      h2ws_message_kind kind,
                      struct h2ws_str data);

/**
 * Sends a message as `h2ws_send` does, but never compressed: for what is compressed already, and for secrets that stand
 * beside text which an attacker chooses, whose size would tell of them.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_send_uncompressed(struct h2ws_engine *engine,
                                   h2ws_stream stream,
                                   h2ws_message_kind kind,
                                   struct h2ws_str data);

/**
 * Sends a part of a message, a frame of its own, never compressed; the message is complete with `last` 1. `kind` is the same for all
 * parts; a part of a text may end inside a character. `data` is borrowed until the call returns. No other message may go
 * between (H2WS_WRONG_STATE); Ping, Pong and Close may. H2WS_BUSY as for `h2ws_send`.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_send_fragment(struct h2ws_engine *engine,
                               h2ws_stream stream,
                               h2ws_message_kind kind,
                               struct h2ws_str data,
                               int32_t last);

/**
 * Sends a Ping with up to 125 bytes (else H2WS_TOO_LARGE), borrowed until the call returns.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_ping(struct h2ws_engine *engine, h2ws_stream stream, struct h2ws_str data);

/**
 * Sends a Pong with up to 125 bytes (else H2WS_TOO_LARGE), borrowed until the call returns. Pings are answered by h2ws
 * unless the socket was accepted with `manual_control`. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_pong(struct h2ws_engine *engine,
                      h2ws_stream stream,
                      struct h2ws_str data);

/**
 * Begins the closing handshake with a Close, after what waits to be sent; or answers the peer's, with `manual_control`.
 * `code` 0: a Close without code and reason; else 1000 to 1003, 1007 to 1014 or 3000 to 4999. `reason` is UTF-8, at most 123 bytes (else H2WS_TOO_LARGE), borrowed
 * until the call returns. `on_closed` follows. Nothing can be sent after it (H2WS_WRONG_STATE).
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_close(struct h2ws_engine *engine,
                       h2ws_stream stream,
                       uint16_t code,
                       struct h2ws_str reason);

/**
 * Answers a request with a whole response: `status` is 200 to 999, `headers` may be NULL, `body` may be empty; both are
 * borrowed until the call returns. A `content-length` is added where there is none; for HEAD, 204 and 304 the body is
 * not sent. `on_closed` follows when all has gone out. H2WS_WRONG_STATE: it is a handshake, or was answered already.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_respond(struct h2ws_engine *engine,
                         h2ws_stream stream,
                         uint16_t status,
                         const struct h2ws_headers *headers,
                         struct h2ws_str body);

/**
 * Begins the response to a request: `status` is 200 to 999, `headers` may be NULL and are borrowed until the call
 * returns. The body follows by `h2ws_send_body`, its end by `h2ws_finish`.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_respond_start(struct h2ws_engine *engine,
                               h2ws_stream stream,
                               uint16_t status,
                               const struct h2ws_headers *headers);

/**
 * Sends an informational response before the final one: `status` is 100 to 199 but not 101, `headers` may be NULL and
 * are borrowed until the call returns. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_inform(struct h2ws_engine *engine,
                        h2ws_stream stream,
                        uint16_t status,
                        const struct h2ws_headers *headers);

/**
 * Sends a piece of the body of a response that `h2ws_respond_start` began. `data` is borrowed until the call returns.
 * H2WS_BUSY: the queue is full and nothing was taken; `on_writable` follows.
 * Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_send_body(struct h2ws_engine *engine,
                           h2ws_stream stream,
                           struct h2ws_str data);

/**
 * Ends the body of a response that `h2ws_respond_start` began; `trailers` may be NULL and are borrowed until the call
 * returns. `on_closed` follows when all has gone out. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_finish(struct h2ws_engine *engine,
                        h2ws_stream stream,
                        const struct h2ws_headers *trailers);

/**
 * Makes the body of a request come only as `h2ws_demand` asks. To be called inside `on_request`, before the body can
 * have begun to come. Does not block.
 */
h2ws_status h2ws_set_demand(struct h2ws_engine *engine,
                            h2ws_stream stream);

/**
 * Takes a snapshot of the counters into `*out_stats`, as far as its `size` reaches; newer fields than this library has
 * become 0. Any thread, also inside a callback; does not block.
 */
h2ws_status h2ws_engine_stats(const struct h2ws_engine *engine,
                              struct h2ws_stats *out_stats);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* H2WS_H */
