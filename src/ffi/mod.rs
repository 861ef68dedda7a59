//! The C ABI: `include/h2ws.h` is generated from these files, and from this page, by
//! `tests/header_sync.rs` (`make header`).
//!
//! # Conventions
//! - A call returns a `h2ws_status`: 0 is H2WS_OK, all others are negative. Text for people comes
//!   from `h2ws_last_error`, on the thread that made the failed call.
//! - Arguments come in the order receiver, inputs, outputs. Outputs are named `out_*` and are
//!   written only when the call succeeds. No argument is both input and output, but for the
//!   `size` of `h2ws_stats`.
//! - Bytes and text are `h2ws_str`: pointer and length, not NUL-terminated; the pointer may be NULL
//!   only when the length is 0. Text is UTF-8; other bytes give H2WS_NOT_UTF8.
//! - Flags are `int32_t`, 0 or 1. Any other value is refused, as is an unknown constant.
//! - Structs that the host fills begin with `size`. Initialise them with their `_INIT` macro. Fields
//!   are only ever appended: a program built against an older header works with a newer library,
//!   and one built against a newer header with an older library while it leaves the newer fields 0.
//! - Streams, connections and listeners are named by 64-bit handles. A handle that is stale, or
//!   never was one, gives H2WS_GONE, however late it is used and on whichever thread. 0 names nothing.
//! - No call lets a panic out: a bug in h2ws gives H2WS_PANIC and leaves the engine alive.
//!
//! # Ownership
//! | what | who owns it | until |
//! |---|---|---|
//! | `h2ws_engine *` from `h2ws_engine_create` | the host | `h2ws_engine_destroy` |
//! | `h2ws_tls *` from `h2ws_tls_create` | the host | `h2ws_tls_destroy`; listeners that use it go on |
//! | a pointer in an argument, and all that it points to | the host | borrowed until the call returns |
//! | a pointer in an event, and all that it points to | h2ws | borrowed until the callback returns |
//! | `fd` given to `h2ws_adopt` | h2ws, from the call on, also when the call fails | h2ws closes it |
//! | `fd` given to `on_fallback` | the host | the host closes it |
//! | the host's end of a duplex, from `h2ws_attach` or `on_duplex` | the host | `h2ws_duplex_close` |
//! | `user` of `h2ws_callbacks` | the host | `on_destroy`, after which h2ws does not use it |
//! | `context` of a stream | the host | `on_closed` of that stream, after which h2ws does not use it |
//! | text from `h2ws_status_text`, `h2ws_version` | h2ws | the library is unloaded |
//!
//! # Threads
//! - An engine has its own threads, the loops; with `h2ws_engine_create_driven` threads of the host
//!   run them. Callbacks run on them, with no lock held. All callbacks of one connection and its
//!   streams run on one thread, one after another; callbacks of different connections may run at the
//!   same time on different loops.
//! - Every function may be called from any thread at any time, also several at once, also inside a
//!   callback. The exceptions are three, and all block: `h2ws_run`, `h2ws_drain` and
//!   `h2ws_engine_destroy` give H2WS_WRONG_THREAD inside a callback. No other function blocks, but that
//!   `h2ws_tls_create` and `h2ws_tls_reload` read files.
//! - While `h2ws_engine_destroy` runs, and after it, no other thread may use the engine pointer.
//! - A callback that blocks holds up its own loop: the connections there wait, others do not.
//! - A callback has to return: no C++ exception and no longjmp may leave it.
//!
//! # Life of a stream
//! 1. `on_request` names it. For a WebSocket (`kind` is H2WS_WEBSOCKET) answer with `h2ws_accept` or
//!    `h2ws_reject`; for a request (H2WS_HTTP) with `h2ws_respond`, or with `h2ws_respond_start`,
//!    `h2ws_send_body` and `h2ws_finish`. At once or later, on any thread.
//! 2. Events follow: `on_message`, `on_fragment` and `on_control`, or `on_body`; `on_writable` after
//!    H2WS_BUSY.
//! 3. `on_closed` is the last event, exactly once. The handle is stale when it returns.

// cbindgen exports what is `pub` here; nothing of it is public in Rust. Types carry their C names.
#![allow(unreachable_pub, non_camel_case_types)]

mod callbacks;
mod config;
mod connection;
mod duplex;
mod engine;
mod event;
mod guard;
mod listener;
mod request;
mod run;
mod stats;
mod status;
mod stream;
mod tls;
mod version;
mod view;
mod websocket;

// For the fuzz target of the C API, which calls the exported functions from Rust.
#[cfg(fuzzing)]
pub use {
    callbacks::*, connection::*, duplex::*, engine::*, event::*, listener::*, request::*, run::*, stats::*, stream::*,
    tls::*, view::*, websocket::*,
};
