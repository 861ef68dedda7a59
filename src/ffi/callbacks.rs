//! `h2ws_callbacks`: the host's functions, and the `Handler` that calls them.

use super::connection::h2ws_connection;
use super::duplex::h2ws_duplex;
use super::engine::h2ws_engine;
use super::event::{
    H2WS_BINARY, H2WS_CAUSE_CLOSE_FRAME, H2WS_CAUSE_COMPLETE, H2WS_CAUSE_DISCONNECTED, H2WS_CAUSE_DRAIN,
    H2WS_CAUSE_END_STREAM, H2WS_CAUSE_GOAWAY, H2WS_CAUSE_REJECTED, H2WS_CAUSE_RESET, H2WS_CAUSE_TIMEOUT,
    H2WS_CAUSE_VIOLATION, H2WS_CLOSE, H2WS_END, H2WS_HTTP, H2WS_LOCAL, H2WS_LOG_DEBUG, H2WS_LOG_ERROR, H2WS_LOG_INFO,
    H2WS_LOG_WARN, H2WS_PING, H2WS_PONG, H2WS_REMOTE, H2WS_TEXT, H2WS_VIOLATION, H2WS_WEBSOCKET, h2ws_body, h2ws_cause,
    h2ws_closed, h2ws_control, h2ws_fragment, h2ws_kind, h2ws_log_level, h2ws_message, h2ws_message_kind, h2ws_request,
};
use super::stream::{context_pointer, h2ws_stream};
use super::tls::with_tls_view;
use super::view::{Versioned, h2ws_str, invalid, read_versioned, with_header_views};
use crate::host::{
    Body, Cause, Closed, Config, ConnectionId, ControlFrame, ControlKind, Error, Fallback, Fragment, HandedBack,
    Handler, ListenerId, LogLevel, Message, MessageKind, Ready, Request, Side, Status, StreamId, StreamKind,
};
use std::ffi::{c_int, c_void};
use std::os::fd::IntoRawFd;

/// The host's functions: initialise it with H2WS_CALLBACKS_INIT, set `on_request` and what else is wanted. It is copied
/// by `h2ws_engine_create`.
///
/// Callbacks run on the engine's loop threads, with no lock held, for different connections possibly at the same time.
/// They may call every function but `h2ws_drain` and `h2ws_engine_destroy`. One that blocks holds up its own loop.
/// Those that are NULL are not called: the event is dropped.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_callbacks {
    /// Set by H2WS_CALLBACKS_INIT.
    pub size: usize,
    /// Passed to each callback; used on all loop threads. NULL: the callbacks get the engine itself.
    pub user: *mut c_void,
    /// A request or a WebSocket handshake has come. Answer now or later, on any thread. Required.
    pub on_request: Option<unsafe extern "C" fn(user: *mut c_void, request: *const h2ws_request)>,
    /// A piece of a request's body, or its end.
    pub on_body: Option<unsafe extern "C" fn(user: *mut c_void, body: *const h2ws_body)>,
    /// A whole message.
    pub on_message: Option<unsafe extern "C" fn(user: *mut c_void, message: *const h2ws_message)>,
    /// A part of a message, on a socket accepted with `fragments`.
    pub on_fragment: Option<unsafe extern "C" fn(user: *mut c_void, fragment: *const h2ws_fragment)>,
    /// A Ping, Pong or Close frame has come.
    pub on_control: Option<unsafe extern "C" fn(user: *mut c_void, control: *const h2ws_control)>,
    /// After H2WS_BUSY: the stream takes data again. Once for each time it was busy.
    pub on_writable: Option<unsafe extern "C" fn(user: *mut c_void, stream: h2ws_stream, context: *mut c_void)>,
    /// The last event of a stream, exactly once for each `on_request`.
    pub on_closed: Option<unsafe extern "C" fn(user: *mut c_void, closed: *const h2ws_closed)>,
    /// A connection that does not speak HTTP/2, given to the host as `config.fallback` asked: the socket, non-blocking,
    /// which the host owns and closes, and what was read from it, borrowed until the callback returns.
    pub on_fallback: Option<unsafe extern "C" fn(user: *mut c_void, fd: c_int, already_read: h2ws_str)>,
    /// A line for the log, UTF-8, borrowed until the callback returns. Never the payload of a message or the value of a
    /// header.
    pub on_log: Option<unsafe extern "C" fn(user: *mut c_void, level: h2ws_log_level, text: h2ws_str)>,
    /// Exactly once, after every other callback has returned, on the thread that calls `h2ws_engine_destroy`: `user` is
    /// not used any more. The engine has stopped but is still there; a call gives H2WS_SHUTTING_DOWN. Not called when
    /// `h2ws_engine_create` fails.
    pub on_destroy: Option<unsafe extern "C" fn(user: *mut c_void)>,
    /// A connection whose bytes the host moves can be read or written, or is new to it: `config.fallback` 2 and `h2ws_attach`.
    pub on_duplex: Option<unsafe extern "C" fn(user: *mut c_void, duplex: *const h2ws_duplex)>,
    /// A connection in which the host has a part has ended: one that was adopted or attached, after the last `on_closed` of its
    /// streams, or one that was handed back as a duplex. Not called for those that end with the engine.
    pub on_disconnected: Option<unsafe extern "C" fn(user: *mut c_void, connection: h2ws_connection)>,
}

// SAFETY: `size` first, then pointers and nullable function pointers, for which all zero is valid; what C writes there is
// a function of that type or NULL (the contract of `h2ws_engine_create`). Words only, so no padding.
unsafe impl Versioned for h2ws_callbacks {
    const NAME: &'static str = "h2ws_callbacks";
    const INIT: &'static str = "H2WS_CALLBACKS_INIT";
    const FIRST_SIZE: usize = 14 * size_of::<usize>();
}
const _: () = assert!(size_of::<h2ws_callbacks>() >= h2ws_callbacks::FIRST_SIZE, "a field was taken away");

/// The callbacks at `callbacks`, checked against `config`.
///
/// # Safety
/// As [`read_versioned`]; each function pointer is NULL or a function of its type.
pub(super) unsafe fn read(callbacks: *const h2ws_callbacks, config: &Config) -> Result<h2ws_callbacks, Error> {
    // SAFETY: the same contract.
    let callbacks = unsafe { read_versioned(callbacks, "callbacks")? };
    if callbacks.on_request.is_none() {
        return Err(invalid("callbacks->on_request is NULL; without it nothing can be answered: set it".into()));
    }
    let missing = match config.fallback {
        Fallback::Off => None,
        Fallback::Socket => callbacks.on_fallback.is_none().then_some((1, "on_fallback")),
        Fallback::Duplex => callbacks.on_duplex.is_none().then_some((2, "on_duplex")),
    };
    if let Some((value, name)) = missing {
        let text = format!("fallback is {value} and callbacks->{name} is NULL; set it, or leave fallback 0");
        return Err(Error::new(Status::InvalidConfig, text));
    }
    Ok(callbacks)
}

/// Calls the host's functions.
#[derive(Clone, Copy)]
pub(super) struct Callbacks {
    callbacks: h2ws_callbacks,
    /// `callbacks.user`, or the engine.
    user: *mut c_void,
}

// SAFETY: `user` is not touched here, only passed on; the host's functions and `user` are for use on all loop threads at
// once by the contract of `h2ws_callbacks`.
unsafe impl Send for Callbacks {}
// SAFETY: as above.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    pub(super) fn new(callbacks: h2ws_callbacks, engine: *mut h2ws_engine) -> Self {
        let user = if callbacks.user.is_null() { engine.cast() } else { callbacks.user };
        Self { callbacks, user }
    }

    pub(super) fn hear_of_duplexes(&self) -> bool {
        self.callbacks.on_duplex.is_some()
    }

    /// To be called once, after all others.
    pub(super) fn destroyed(&self) {
        if let Some(on_destroy) = self.callbacks.on_destroy {
            // SAFETY: a function of this type that takes `user` (contract of `h2ws_callbacks`).
            unsafe { on_destroy(self.user) }
        }
    }
}

// Each event is built on the stack and lives until the callback has returned.
impl Handler for Callbacks {
    fn request(&self, request: &Request<'_>) {
        let Some(on_request) = self.callbacks.on_request else { return };
        let subprotocols: Vec<h2ws_str> = request.subprotocols.iter().map(|s| h2ws_str::of(s.as_bytes())).collect();
        with_tls_view(request.tls, |tls| {
            with_header_views(Some(request.headers), |headers| {
                let event = h2ws_request {
                    size: size_of::<h2ws_request>(),
                    stream: request.stream.to_raw(),
                    connection: request.connection.to_raw(),
                    kind: stream_kind(request.kind),
                    end: request.end.into(),
                    method: h2ws_str::of(request.method.as_bytes()),
                    scheme: h2ws_str::of(request.scheme.as_bytes()),
                    authority: h2ws_str::of(request.authority.as_bytes()),
                    path: h2ws_str::of(request.path.as_bytes()),
                    peer: h2ws_str::of(request.peer.as_bytes()),
                    headers,
                    subprotocols: subprotocols.as_ptr(),
                    subprotocol_count: subprotocols.len(),
                    version: match request.version {
                        http::Version::HTTP_10 => 10,
                        http::Version::HTTP_11 => 11,
                        _ => 20,
                    },
                    tls,
                    listener: request.listener.map_or(0, ListenerId::to_raw),
                    h2_stream: request.h2_stream,
                };
                // SAFETY: a function of this type that takes `user` (contract of `h2ws_callbacks`).
                unsafe { on_request(self.user, &raw const event) }
            });
        });
    }

    fn body(&self, body: &Body<'_>) {
        let Some(on_body) = self.callbacks.on_body else { return };
        with_header_views(body.trailers, |trailers| {
            let event = h2ws_body {
                size: size_of::<h2ws_body>(),
                stream: body.stream.to_raw(),
                context: context_pointer(body.context),
                data: h2ws_str::of(body.data),
                end: body.end.into(),
                trailers,
            };
            // SAFETY: as in `request`.
            unsafe { on_body(self.user, &raw const event) }
        });
    }

    fn message(&self, message: &Message<'_>) {
        let Some(on_message) = self.callbacks.on_message else { return };
        let event = h2ws_message {
            size: size_of::<h2ws_message>(),
            stream: message.stream.to_raw(),
            context: context_pointer(message.context),
            kind: message_kind(message.kind),
            data: h2ws_str::of(message.data),
        };
        // SAFETY: as in `request`.
        unsafe { on_message(self.user, &raw const event) }
    }

    fn fragment(&self, fragment: &Fragment<'_>) {
        let Some(on_fragment) = self.callbacks.on_fragment else { return };
        let event = h2ws_fragment {
            size: size_of::<h2ws_fragment>(),
            stream: fragment.stream.to_raw(),
            context: context_pointer(fragment.context),
            kind: message_kind(fragment.kind),
            first: fragment.first.into(),
            last: fragment.last.into(),
            data: h2ws_str::of(fragment.data),
        };
        // SAFETY: as in `request`.
        unsafe { on_fragment(self.user, &raw const event) }
    }

    fn control(&self, control: &ControlFrame<'_>) {
        let Some(on_control) = self.callbacks.on_control else { return };
        let event = h2ws_control {
            size: size_of::<h2ws_control>(),
            stream: control.stream.to_raw(),
            context: context_pointer(control.context),
            kind: match control.kind {
                ControlKind::Ping => H2WS_PING,
                ControlKind::Pong => H2WS_PONG,
                ControlKind::Close => H2WS_CLOSE,
                ControlKind::Violation => H2WS_VIOLATION,
                ControlKind::End => H2WS_END,
            },
            code: control.code.unwrap_or(0),
            data: h2ws_str::of(control.data),
        };
        // SAFETY: as in `request`.
        unsafe { on_control(self.user, &raw const event) }
    }

    fn writable(&self, stream: StreamId, context: u64) {
        if let Some(on_writable) = self.callbacks.on_writable {
            // SAFETY: as in `request`.
            unsafe { on_writable(self.user, stream.to_raw(), context_pointer(context)) }
        }
    }

    fn closed(&self, closed: &Closed<'_>) {
        let Some(on_closed) = self.callbacks.on_closed else { return };
        let event = h2ws_closed {
            size: size_of::<h2ws_closed>(),
            stream: closed.stream.to_raw(),
            context: context_pointer(closed.context),
            kind: stream_kind(closed.kind),
            code: closed.code,
            cause: cause(closed.cause),
            side: match closed.side {
                Side::Local => H2WS_LOCAL,
                Side::Remote => H2WS_REMOTE,
            },
            h2_code: closed.h2_code,
            reason: h2ws_str::of(closed.reason.as_bytes()),
        };
        // SAFETY: as in `request`.
        unsafe { on_closed(self.user, &raw const event) }
    }

    fn fallback(&self, back: HandedBack<'_>) {
        if let Some(socket) = back.socket {
            if let Some(on_fallback) = self.callbacks.on_fallback {
                // SAFETY: as in `request`; the descriptor is the host's from here on.
                unsafe { on_fallback(self.user, socket.into_raw_fd(), h2ws_str::of(back.already_read)) }
            }
            return;
        }
        let Some(on_duplex) = self.callbacks.on_duplex else { return };
        with_tls_view(back.tls, |tls| {
            let event = h2ws_duplex {
                handed_back: 1,
                listener: back.listener.map_or(0, ListenerId::to_raw),
                peer: h2ws_str::of(back.peer.as_bytes()),
                tls,
                ..duplex_event(back.connection, 0, Ready::default())
            };
            // SAFETY: as in `request`.
            unsafe { on_duplex(self.user, &raw const event) }
        });
    }

    fn duplex(&self, connection: ConnectionId, context: u64, ready: Ready) {
        let Some(on_duplex) = self.callbacks.on_duplex else { return };
        let event = duplex_event(connection, context, ready);
        // SAFETY: as in `request`.
        unsafe { on_duplex(self.user, &raw const event) }
    }

    fn disconnected(&self, connection: ConnectionId) {
        if let Some(on_disconnected) = self.callbacks.on_disconnected {
            // SAFETY: as in `request`.
            unsafe { on_disconnected(self.user, connection.to_raw()) }
        }
    }

    fn log(&self, level: LogLevel, text: &str) {
        let Some(on_log) = self.callbacks.on_log else { return };
        let level = match level {
            LogLevel::Error => H2WS_LOG_ERROR,
            LogLevel::Warn => H2WS_LOG_WARN,
            LogLevel::Info => H2WS_LOG_INFO,
            LogLevel::Debug => H2WS_LOG_DEBUG,
        };
        // SAFETY: as in `request`.
        unsafe { on_log(self.user, level, h2ws_str::of(text.as_bytes())) }
    }
}

fn duplex_event(connection: ConnectionId, context: u64, ready: Ready) -> h2ws_duplex {
    h2ws_duplex {
        size: size_of::<h2ws_duplex>(),
        connection: connection.to_raw(),
        context: context_pointer(context),
        handed_back: 0,
        readable: ready.readable.into(),
        writable: ready.writable.into(),
        reserved: 0,
        listener: 0,
        peer: h2ws_str::of(b""),
        tls: std::ptr::null(),
    }
}

fn stream_kind(kind: StreamKind) -> h2ws_kind {
    match kind {
        StreamKind::Http => H2WS_HTTP,
        StreamKind::WebSocket => H2WS_WEBSOCKET,
    }
}

fn message_kind(kind: MessageKind) -> h2ws_message_kind {
    match kind {
        MessageKind::Text => H2WS_TEXT,
        MessageKind::Binary => H2WS_BINARY,
    }
}

fn cause(cause: Cause) -> h2ws_cause {
    match cause {
        Cause::Complete => H2WS_CAUSE_COMPLETE,
        Cause::CloseFrame => H2WS_CAUSE_CLOSE_FRAME,
        Cause::EndStream => H2WS_CAUSE_END_STREAM,
        Cause::Reset => H2WS_CAUSE_RESET,
        Cause::GoAway => H2WS_CAUSE_GOAWAY,
        Cause::Disconnected => H2WS_CAUSE_DISCONNECTED,
        Cause::Timeout => H2WS_CAUSE_TIMEOUT,
        Cause::Drain => H2WS_CAUSE_DRAIN,
        Cause::Rejected => H2WS_CAUSE_REJECTED,
        Cause::Violation => H2WS_CAUSE_VIOLATION,
    }
}
