//! The events: what the callbacks get. They are filled here and in `callbacks.rs`, and only read by the host.

use super::connection::h2ws_connection;
use super::listener::h2ws_listener;
use super::stream::h2ws_stream;
use super::tls::h2ws_tls_info;
use super::view::{h2ws_headers, h2ws_str};
use std::ffi::c_void;

/// What a stream is for: H2WS_HTTP or H2WS_WEBSOCKET.
pub type h2ws_kind = i32;
/// An ordinary request; answer with `h2ws_respond` or `h2ws_respond_start`.
pub const H2WS_HTTP: h2ws_kind = 0;
/// A WebSocket handshake; answer with `h2ws_accept` or `h2ws_reject`.
pub const H2WS_WEBSOCKET: h2ws_kind = 1;

/// What a message is: H2WS_TEXT or H2WS_BINARY, the opcodes of RFC 6455 section 5.2.
pub type h2ws_message_kind = i32;
/// UTF-8 text, checked.
pub const H2WS_TEXT: h2ws_message_kind = 1;
/// Any bytes.
pub const H2WS_BINARY: h2ws_message_kind = 2;

/// What a control frame is: H2WS_CLOSE, H2WS_PING or H2WS_PONG, the opcodes of RFC 6455 section 5.2; or, with `manual_control`,
/// that none will come any more: H2WS_VIOLATION, H2WS_END.
pub type h2ws_control_kind = i32;
/// A Close; it has been answered, unless the socket was accepted with `manual_control`.
pub const H2WS_CLOSE: h2ws_control_kind = 8;
/// A Ping; it has been answered, unless the socket was accepted with `manual_control`.
pub const H2WS_PING: h2ws_control_kind = 9;
/// A Pong.
pub const H2WS_PONG: h2ws_control_kind = 10;
/// The peer broke a rule or a limit, and nothing of it is heard any more. Only with `manual_control`: send what is yet to be said
/// to what came before, then `h2ws_close` with the event's code, within `close_timeout`. Otherwise the Close has been sent, and
/// `on_closed` tells of it.
pub const H2WS_VIOLATION: h2ws_control_kind = 16;
/// The peer has ended its side without a Close (END_STREAM, or TCP's FIN). Only with `manual_control`: the socket goes on for what is
/// sent, until `h2ws_close`; over HTTP/1.1 for `close_timeout`. The data say so if that was inside a message. Otherwise our side ends too, and `on_closed` tells of it.
pub const H2WS_END: h2ws_control_kind = 17;

/// What ended a stream: one of H2WS_CAUSE_*. More may come in later versions.
pub type h2ws_cause = i32;
/// A response went out whole.
pub const H2WS_CAUSE_COMPLETE: h2ws_cause = 0;
/// The closing handshake of RFC 6455 section 7.
pub const H2WS_CAUSE_CLOSE_FRAME: h2ws_cause = 1;
/// The stream ended without a Close frame.
pub const H2WS_CAUSE_END_STREAM: h2ws_cause = 2;
/// A RST_STREAM.
pub const H2WS_CAUSE_RESET: h2ws_cause = 3;
/// A GOAWAY that left this stream out, or a connection error.
pub const H2WS_CAUSE_GOAWAY: h2ws_cause = 4;
/// The transport ended or failed.
pub const H2WS_CAUSE_DISCONNECTED: h2ws_cause = 5;
/// A deadline or idle time passed; the reason says which.
pub const H2WS_CAUSE_TIMEOUT: h2ws_cause = 6;
/// The engine drained.
pub const H2WS_CAUSE_DRAIN: h2ws_cause = 7;
/// The handshake was refused, by the host or because nobody decided.
pub const H2WS_CAUSE_REJECTED: h2ws_cause = 8;
/// The peer broke a rule or a limit; the reason says which.
pub const H2WS_CAUSE_VIOLATION: h2ws_cause = 9;

/// Who began the end of a stream: H2WS_LOCAL or H2WS_REMOTE.
pub type h2ws_side = i32;
/// The host or h2ws.
pub const H2WS_LOCAL: h2ws_side = 0;
/// The peer.
pub const H2WS_REMOTE: h2ws_side = 1;

/// The weight of a log line: one of H2WS_LOG_*.
pub type h2ws_log_level = i32;
/// A bug in h2ws.
pub const H2WS_LOG_ERROR: h2ws_log_level = 1;
/// An operator should look.
pub const H2WS_LOG_WARN: h2ws_log_level = 2;
/// Life cycle; every refused handshake, with its reason.
pub const H2WS_LOG_INFO: h2ws_log_level = 3;
/// Each connection.
pub const H2WS_LOG_DEBUG: h2ws_log_level = 4;

/// A request or a WebSocket handshake has come. All pointers are borrowed until the callback returns.
#[repr(C)]
pub struct h2ws_request {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Names the exchange, and the WebSocket that it may become, until `on_closed`.
    pub stream: h2ws_stream,
    /// The connection that it came on.
    pub connection: h2ws_connection,
    /// H2WS_HTTP or H2WS_WEBSOCKET.
    pub kind: h2ws_kind,
    /// 1: there is no body, no `on_body` will come.
    pub end: i32,
    /// The method; `GET` for a WebSocket handshake, whichever HTTP version carried it.
    pub method: h2ws_str,
    /// `http` or `https`.
    pub scheme: h2ws_str,
    /// The `:authority`, or the `host` field where there was none. May be empty on a request.
    pub authority: h2ws_str,
    /// Path and query, as sent.
    pub path: h2ws_str,
    /// The peer's address as text: `127.0.0.1:4711`, `[::1]:4711` or `unix`.
    pub peer: h2ws_str,
    /// The header fields; names are lower-case.
    pub headers: h2ws_headers,
    /// What the client offered in `sec-websocket-protocol`, in its order; may be NULL when there is none.
    pub subprotocols: *const h2ws_str,
    /// How many it offered.
    pub subprotocol_count: usize,
    /// The HTTP version that carried it: 10, 11 or 20.
    pub version: i32,
    /// The TLS of its connection; NULL on cleartext.
    pub tls: *const h2ws_tls_info,
    /// The listener that accepted its connection; 0: the host gave the socket to `h2ws_adopt`.
    pub listener: h2ws_listener,
    /// The number of its HTTP/2 stream (RFC 9113 section 5.1.1); 0 over HTTP/1.1.
    pub h2_stream: u32,
}

/// A piece of a request's body, or its end. All pointers are borrowed until the callback returns.
#[repr(C)]
pub struct h2ws_body {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Of which request.
    pub stream: h2ws_stream,
    /// What `h2ws_set_context` set, or NULL.
    pub context: *mut c_void,
    /// The bytes; may be empty at the end.
    pub data: h2ws_str,
    /// 1: nothing follows.
    pub end: i32,
    /// The trailers, if there were any; only with `end`.
    pub trailers: h2ws_headers,
}

/// A whole message. All pointers are borrowed until the callback returns.
#[repr(C)]
pub struct h2ws_message {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Of which socket.
    pub stream: h2ws_stream,
    /// What `h2ws_accept` or `h2ws_set_context` set, or NULL.
    pub context: *mut c_void,
    /// H2WS_TEXT or H2WS_BINARY.
    pub kind: h2ws_message_kind,
    /// The payload.
    pub data: h2ws_str,
}

/// A part of a message, on a socket accepted with `fragments`. Parts follow what arrived, not the peer's frames; of a
/// text message a part may end inside a character. All pointers are borrowed until the callback returns.
#[repr(C)]
pub struct h2ws_fragment {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Of which socket.
    pub stream: h2ws_stream,
    /// What `h2ws_accept` or `h2ws_set_context` set, or NULL.
    pub context: *mut c_void,
    /// H2WS_TEXT or H2WS_BINARY, the same for all parts of a message.
    pub kind: h2ws_message_kind,
    /// 1: a message begins.
    pub first: i32,
    /// 1: the message is complete.
    pub last: i32,
    /// The payload; may be empty.
    pub data: h2ws_str,
}

/// A Ping, Pong or Close frame has come, or what takes a Close's place. All pointers are borrowed until the callback returns.
#[repr(C)]
pub struct h2ws_control {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Of which socket.
    pub stream: h2ws_stream,
    /// What `h2ws_accept` or `h2ws_set_context` set, or NULL.
    pub context: *mut c_void,
    /// H2WS_PING, H2WS_PONG or H2WS_CLOSE; with `manual_control` also H2WS_VIOLATION or H2WS_END.
    pub kind: h2ws_control_kind,
    /// A Close's code, 0 if it had none; the code that answers a violation; else 0.
    pub code: u16,
    /// A Ping's or Pong's payload, a Close's reason, what was wrong.
    pub data: h2ws_str,
}

/// A stream has ended: its last event, exactly once for each `on_request`. The handle is stale when the callback
/// returns. All pointers are borrowed until then.
#[repr(C)]
pub struct h2ws_closed {
    /// The size of this struct in the library that runs.
    pub size: usize,
    /// Which stream.
    pub stream: h2ws_stream,
    /// What `h2ws_accept` or `h2ws_set_context` set, or NULL; h2ws does not use it any more.
    pub context: *mut c_void,
    /// What it was for: H2WS_HTTP or H2WS_WEBSOCKET.
    pub kind: h2ws_kind,
    /// The close code of RFC 6455 section 7.1.5: the peer's own, 1005 if its Close had none, 1006 if there was no Close.
    /// 0 for a request and for a handshake that was not accepted.
    pub code: u16,
    /// What ended it.
    pub cause: h2ws_cause,
    /// Who began the end.
    pub side: h2ws_side,
    /// The HTTP/2 error code that went with it (RFC 9113 section 7), 0 if none.
    pub h2_code: u32,
    /// The peer's reason, or what went wrong.
    pub reason: h2ws_str,
}
