//! WebSockets: the answer to a handshake, messages, control frames.

use super::engine::{h2ws_engine, host};
use super::event::{H2WS_BINARY, H2WS_TEXT, h2ws_message_kind};
use super::guard::guard;
use super::status::h2ws_status;
use super::stream::{context_number, h2ws_stream};
use super::view::{Versioned, flag, h2ws_headers, h2ws_str, header_map, invalid, read_versioned};
use crate::host::{Accept, Control, Credit, Delivery, Error, MessageKind, StreamId};
use std::ffi::c_void;

/// How a handshake is accepted: initialise it with H2WS_ACCEPT_OPTIONS_INIT. All zero: no subprotocol, whole messages as
/// they come, h2ws answers Ping and Close.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_accept_options {
    /// Set by H2WS_ACCEPT_OPTIONS_INIT.
    pub size: usize,
    /// One of those that the client offered; empty for none. Borrowed until the call returns.
    pub subprotocol: h2ws_str,
    /// Further fields of the response; may be NULL. Borrowed until the call returns.
    pub headers: *const h2ws_headers,
    /// Comes with each event of the stream; `h2ws_set_context` changes it.
    pub context: *mut c_void,
    /// 1: the host answers Ping and Close itself, with `h2ws_pong` and `h2ws_close`.
    pub manual_control: i32,
    /// 1: `on_fragment` instead of `on_message`: parts as they arrive, held nowhere and without a limit of size.
    pub fragments: i32,
    /// 1: messages and fragments come only as `h2ws_demand` asks.
    pub demand: i32,
    /// 1: no permessage-deflate on this socket, whatever the client offers and `h2ws_config` says.
    pub no_deflate: i32,
}

// SAFETY: integers and pointers, `size` first, all zero is valid; four `i32` at the end fill a multiple of the alignment,
// so there is no padding.
unsafe impl Versioned for h2ws_accept_options {
    const NAME: &'static str = "h2ws_accept_options";
    const INIT: &'static str = "H2WS_ACCEPT_OPTIONS_INIT";
    const FIRST_SIZE: usize = 5 * size_of::<usize>() + 16;
}
const _: () = assert!(size_of::<h2ws_accept_options>() >= h2ws_accept_options::FIRST_SIZE, "a field was taken away");

/// Accepts a handshake: 200, and the stream is a WebSocket. `options` is borrowed until the call returns and may be NULL
/// for the defaults. H2WS_WRONG_STATE: it is a request, or was answered already.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_accept(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    options: *const h2ws_accept_options,
) -> h2ws_status {
    guard("h2ws_accept", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, accept) = unsafe { (host(engine)?, read_options(options)?) };
        engine.accept(StreamId::from_raw(stream), &accept)
    })
}

/// Refuses a handshake with a response: `status` is 300 to 999, `headers` may be NULL, `body` may be empty; both are
/// borrowed until the call returns. `on_closed` follows. H2WS_WRONG_STATE: it was answered already.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_reject(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    status: u16,
    headers: *const h2ws_headers,
    body: h2ws_str,
) -> h2ws_status {
    guard("h2ws_reject", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, headers, body) = unsafe { (host(engine)?, header_map(headers, "headers")?, body.bytes("body")?) };
        engine.reject(StreamId::from_raw(stream), status, headers, body)
    })
}

/// Sends a message: `kind` is H2WS_TEXT, then `data` is UTF-8, or H2WS_BINARY. `data` is borrowed until the call returns.
/// What is sent of a large message that `on_message` has been lent, to any sockets of the same loop, need not be copied.
/// It is compressed if the socket agreed on permessage-deflate and it is no shorter than `deflate_min_size`.
/// H2WS_BUSY: the queue is full and nothing was taken; `on_writable` follows.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_send(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    kind: h2ws_message_kind,
    data: h2ws_str,
) -> h2ws_status {
    guard("h2ws_send", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.send(StreamId::from_raw(stream), message_kind(kind)?, data)
    })
}

/// Sends a message as `h2ws_send` does, but never compressed: for what is compressed already, and for secrets that stand
/// beside text which an attacker chooses, whose size would tell of them.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_send_uncompressed(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    kind: h2ws_message_kind,
    data: h2ws_str,
) -> h2ws_status {
    guard("h2ws_send_uncompressed", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.send_uncompressed(StreamId::from_raw(stream), message_kind(kind)?, data)
    })
}

/// Sends a part of a message, a frame of its own, never compressed; the message is complete with `last` 1. `kind` is the same for all
/// parts; a part of a text may end inside a character. `data` is borrowed until the call returns. No other message may go
/// between (H2WS_WRONG_STATE); Ping, Pong and Close may. H2WS_BUSY as for `h2ws_send`.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_send_fragment(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    kind: h2ws_message_kind,
    data: h2ws_str,
    last: i32,
) -> h2ws_status {
    guard("h2ws_send_fragment", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.send_fragment(StreamId::from_raw(stream), message_kind(kind)?, data, flag(last, "last")?)
    })
}

/// Sends a Ping with up to 125 bytes (else H2WS_TOO_LARGE), borrowed until the call returns.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_ping(engine: *mut h2ws_engine, stream: h2ws_stream, data: h2ws_str) -> h2ws_status {
    guard("h2ws_ping", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.ping(StreamId::from_raw(stream), data)
    })
}

/// Sends a Pong with up to 125 bytes (else H2WS_TOO_LARGE), borrowed until the call returns. Pings are answered by h2ws
/// unless the socket was accepted with `manual_control`. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_pong(engine: *mut h2ws_engine, stream: h2ws_stream, data: h2ws_str) -> h2ws_status {
    guard("h2ws_pong", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.pong(StreamId::from_raw(stream), data)
    })
}

/// Begins the closing handshake with a Close, after what waits to be sent; or answers the peer's, with `manual_control`.
/// `code` 0: a Close without code and reason; else 1000 to 1003, 1007 to 1014 or 3000 to 4999. `reason` is UTF-8, at most 123 bytes (else H2WS_TOO_LARGE), borrowed
/// until the call returns. `on_closed` follows. Nothing can be sent after it (H2WS_WRONG_STATE).
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_close(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    code: u16,
    reason: h2ws_str,
) -> h2ws_status {
    guard("h2ws_close", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, reason) = unsafe { (host(engine)?, reason.text("reason")?) };
        engine.close(StreamId::from_raw(stream), (code != 0).then_some(code), reason)
    })
}

fn message_kind(kind: h2ws_message_kind) -> Result<MessageKind, Error> {
    match kind {
        H2WS_TEXT => Ok(MessageKind::Text),
        H2WS_BINARY => Ok(MessageKind::Binary),
        _ => Err(invalid(format!("kind is {kind}; it must be H2WS_TEXT (1) or H2WS_BINARY (2)"))),
    }
}

/// # Safety
/// As [`read_versioned`], and NULL is allowed; what it points to is borrowed while `'a` lasts.
unsafe fn read_options<'a>(options: *const h2ws_accept_options) -> Result<Accept<'a>, Error> {
    if options.is_null() {
        return Ok(Accept::default());
    }
    // SAFETY: the same contract.
    let options = unsafe { read_versioned(options, "options")? };
    // SAFETY: the same contract.
    let (subprotocol, headers) = unsafe {
        (options.subprotocol.text("options->subprotocol")?, header_map(options.headers, "options->headers")?)
    };
    Ok(Accept {
        subprotocol: (!subprotocol.is_empty()).then_some(subprotocol),
        headers,
        context: context_number(options.context),
        control: if flag(options.manual_control, "options->manual_control")? { Control::Manual } else { Control::Auto },
        delivery: if flag(options.fragments, "options->fragments")? { Delivery::Fragments } else { Delivery::Messages },
        credit: if flag(options.demand, "options->demand")? { Credit::Demand } else { Credit::Auto },
        compress: !flag(options.no_deflate, "options->no_deflate")?,
    })
}
