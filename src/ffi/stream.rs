//! `h2ws_stream`: what can be done with any stream, request or WebSocket.

use super::engine::{h2ws_engine, host};
use super::guard::guard;
use super::status::h2ws_status;
use crate::host::StreamId;
use std::ffi::c_void;

/// Names an exchange: a request, or a WebSocket from its handshake on. 0 names nothing; a stale one gives H2WS_GONE.
pub type h2ws_stream = u64;

/// Ends a stream at once with RST_STREAM and the HTTP/2 error code `h2_code` (RFC 9113 section 7; 8 is CANCEL), as a TCP
/// RST ends a connection (RFC 8441 section 5). What waits to be sent is dropped. `on_closed` follows.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_abort(engine: *mut h2ws_engine, stream: h2ws_stream, h2_code: u32) -> h2ws_status {
    guard("h2ws_abort", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.abort(StreamId::from_raw(stream), h2_code)
    })
}

/// Asks for `n` more `on_message`, `on_fragment` or `on_body` events, on a socket accepted with `demand` or a request
/// after `h2ws_set_demand`. What was asked for adds up. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_demand(engine: *mut h2ws_engine, stream: h2ws_stream, n: u32) -> h2ws_status {
    guard("h2ws_demand", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.demand(StreamId::from_raw(stream), n)
    })
}

/// Sets the `context` that comes with each later event of the stream; h2ws does not look into it. It is the host's to
/// free, in `on_closed` at the earliest. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_set_context(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    context: *mut c_void,
) -> h2ws_status {
    guard("h2ws_set_context", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.set_context(StreamId::from_raw(stream), context_number(context))
    })
}

/// The host layer's form of a context.
pub(super) fn context_number(context: *mut c_void) -> u64 {
    context.expose_provenance() as u64
}

/// And back.
pub(super) fn context_pointer(context: u64) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(context as usize)
}
