//! `h2ws_callbacks`: the host's functions, and the `Handler` that calls them.

use super::engine::h2ws_engine;
use super::event::{
    H2WS_BINARY, H2WS_CAUSE_CLOSE_FRAME, H2WS_CAUSE_COMPLETE, H2WS_CAUSE_DISCONNECTED, H2WS_CAUSE_DRAIN,
    H2WS_CAUSE_END_STREAM, H2WS_CAUSE_GOAWAY, H2WS_CAUSE_REJECTED, H2WS_CAUSE_RESET, H2WS_CAUSE_TIMEOUT,
    H2WS_CAUSE_VIOLATION, H2WS_CLOSE, H2WS_HTTP, H2WS_LOCAL, H2WS_LOG_DEBUG, H2WS_LOG_ERROR, H2WS_LOG_INFO,
    H2WS_LOG_WARN, H2WS_PING, H2WS_PONG, H2WS_REMOTE, H2WS_TEXT, H2WS_WEBSOCKET, h2ws_body, h2ws_cause, h2ws_closed,
    h2ws_control, h2ws_fragment, h2ws_kind, h2ws_log_level, h2ws_message, h2ws_message_kind, h2ws_request,
};
use super::stream::{context_pointer, h2ws_stream};
use super::tls::with_tls_view;
use super::view::{Versioned, h2ws_str, invalid, read_versioned, with_header_views};
use crate::host::{
    Body, Cause, Closed, Config, ControlFrame, ControlKind, Error, Fragment, Handler, ListenerId, LogLevel, Message,
    MessageKind, Request, Side, Status, StreamId, StreamKind,
};
use std::ffi::{c_int, c_void};
use std::os::fd::{IntoRawFd, OwnedFd};

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
}

// SAFETY: `size` first, then pointers and nullable function pointers, for which all zero is valid; what C writes there is
// a function of that type or NULL (the contract of `h2ws_engine_create`). Words only, so no padding.
unsafe impl Versioned for h2ws_callbacks {
    const NAME: &'static str = "h2ws_callbacks";
    const INIT: &'static str = "H2WS_CALLBACKS_INIT";
    const FIRST_SIZE: usize = 12 * size_of::<usize>();
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
    if config.fallback && callbacks.on_fallback.is_none() {
        return Err(Error::new(
            Status::InvalidConfig,
            "fallback is 1 and callbacks->on_fallback is NULL; set it, or leave fallback 0",
        ));
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

    fn fallback(&self, socket: OwnedFd, already_read: &[u8]) {
        if let Some(on_fallback) = self.callbacks.on_fallback {
            // SAFETY: as in `request`; the descriptor is the host's from here on.
            unsafe { on_fallback(self.user, socket.into_raw_fd(), h2ws_str::of(already_read)) }
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
