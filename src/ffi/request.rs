//! Ordinary requests: the response, whole or in pieces.

use super::engine::{h2ws_engine, host};
use super::guard::guard;
use super::status::h2ws_status;
use super::stream::h2ws_stream;
use super::view::{h2ws_headers, h2ws_str, header_map};
use crate::host::StreamId;

/// Answers a request with a whole response: `status` is 200 to 999, `headers` may be NULL, `body` may be empty; both are
/// borrowed until the call returns. A `content-length` is added where there is none; for HEAD, 204 and 304 the body is
/// not sent. `on_closed` follows when all has gone out. H2WS_WRONG_STATE: it is a handshake, or was answered already.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_respond(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    status: u16,
    headers: *const h2ws_headers,
    body: h2ws_str,
) -> h2ws_status {
    guard("h2ws_respond", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, headers, body) = unsafe { (host(engine)?, header_map(headers, "headers")?, body.bytes("body")?) };
        engine.respond(StreamId::from_raw(stream), status, headers, body)
    })
}

/// Begins the response to a request: `status` is 200 to 999, `headers` may be NULL and are borrowed until the call
/// returns. The body follows by `h2ws_send_body`, its end by `h2ws_finish`.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_respond_start(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    status: u16,
    headers: *const h2ws_headers,
) -> h2ws_status {
    guard("h2ws_respond_start", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, headers) = unsafe { (host(engine)?, header_map(headers, "headers")?) };
        engine.respond_start(StreamId::from_raw(stream), status, headers)
    })
}

/// Sends an informational response before the final one: `status` is 100 to 199 but not 101, `headers` may be NULL and
/// are borrowed until the call returns. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_inform(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    status: u16,
    headers: *const h2ws_headers,
) -> h2ws_status {
    guard("h2ws_inform", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, headers) = unsafe { (host(engine)?, header_map(headers, "headers")?) };
        engine.inform(StreamId::from_raw(stream), status, headers)
    })
}

/// Sends a piece of the body of a response that `h2ws_respond_start` began. `data` is borrowed until the call returns.
/// H2WS_BUSY: the queue is full and nothing was taken; `on_writable` follows.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_send_body(engine: *mut h2ws_engine, stream: h2ws_stream, data: h2ws_str) -> h2ws_status {
    guard("h2ws_send_body", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        engine.send_body(StreamId::from_raw(stream), data)
    })
}

/// Ends the body of a response that `h2ws_respond_start` began; `trailers` may be NULL and are borrowed until the call
/// returns. `on_closed` follows when all has gone out. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_finish(
    engine: *mut h2ws_engine,
    stream: h2ws_stream,
    trailers: *const h2ws_headers,
) -> h2ws_status {
    guard("h2ws_finish", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, map) = unsafe { (host(engine)?, header_map(trailers, "trailers")?) };
        engine.finish(StreamId::from_raw(stream), (!map.is_empty()).then_some(map))
    })
}

/// Makes the body of a request come only as `h2ws_demand` asks. To be called inside `on_request`, before the body can
/// have begun to come. Does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_set_demand(engine: *mut h2ws_engine, stream: h2ws_stream) -> h2ws_status {
    guard("h2ws_set_demand", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.set_demand(StreamId::from_raw(stream))
    })
}
