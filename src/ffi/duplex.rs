//! `h2ws_duplex`: connections whose bytes the host moves. Either the socket is the host's and HTTP is ours (`h2ws_attach`), or the
//! socket is ours and the protocol is the host's (`config.fallback` 2, and `raw` listeners).

use super::connection::h2ws_connection;
use super::engine::{h2ws_engine, host, needs_duplex, output};
use super::guard::guard;
use super::listener::h2ws_listener;
use super::status::h2ws_status;
use super::stream::context_number;
use super::tls::{h2ws_tls_info, read_info};
use super::view::{Versioned, flag, h2ws_str, invalid, read_versioned, reserved};
use crate::host::{Attach, ConnectionId, Error, ListenOptions, Read};
use std::ffi::c_void;

/// What `on_duplex` tells: what can be done now on a connection whose bytes the host moves.
#[repr(C)]
pub struct h2ws_duplex {
    /// The size that h2ws knows.
    pub size: usize,
    /// Which.
    pub connection: h2ws_connection,
    /// That of `h2ws_attach`; NULL for one that h2ws has handed back.
    pub context: *mut c_void,
    /// 1: it is new to the host: it does not speak HTTP/2, as `config.fallback` 2 asks, or was accepted `raw`.
    pub handed_back: i32,
    /// 1: there is something to read, or the end. Not told again before a read has taken all that there was.
    pub readable: i32,
    /// 1: after a `h2ws_duplex_write` that took less than all, there is room.
    pub writable: i32,
    /// Always 0.
    pub reserved: i32,
    /// With `handed_back`: the listener that accepted it; 0: it was adopted.
    pub listener: h2ws_listener,
    /// With `handed_back`: the peer's address as text.
    pub peer: h2ws_str,
    /// With `handed_back`: its TLS, which stays here; NULL on cleartext.
    pub tls: *const h2ws_tls_info,
}

/// A connection whose socket stays with the host: initialise it with H2WS_ATTACH_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_attach_options {
    /// Set by H2WS_ATTACH_OPTIONS_INIT.
    pub size: usize,
    /// Comes with each `on_duplex` of it.
    pub context: *mut c_void,
    /// The peer's address as text, for the requests; may be empty.
    pub peer: h2ws_str,
    /// The TLS that the host speaks on it: its `alpn` chooses the protocol, and it comes with each request. NULL: cleartext.
    pub tls: *const h2ws_tls_info,
    /// 1: requests only.
    pub no_websockets: i32,
    /// 1: HTTP/1.1 is not served.
    pub no_http1: i32,
    /// 1: HTTP/2 is not served.
    pub no_http2: i32,
    /// 0.
    pub reserved: i32,
}

// SAFETY: `size` first, then pointers, a view and four `i32` that fill a multiple of the alignment: no padding. All may be 0.
unsafe impl Versioned for h2ws_attach_options {
    const NAME: &'static str = "h2ws_attach_options";
    const INIT: &'static str = "H2WS_ATTACH_OPTIONS_INIT";
    const FIRST_SIZE: usize = 5 * size_of::<usize>() + 16;
}
const _: () = assert!(size_of::<h2ws_attach_options>() >= h2ws_attach_options::FIRST_SIZE, "a field was taken away");

/// Whether a direction has ended: one of H2WS_DUPLEX_*.
pub type h2ws_duplex_end = i32;
/// More may come.
pub const H2WS_DUPLEX_OPEN: h2ws_duplex_end = 0;
/// The other side has ended in order: nothing follows.
pub const H2WS_DUPLEX_ENDED: h2ws_duplex_end = 1;
/// The other side was cut off: nothing follows, and what came may not be all.
pub const H2WS_DUPLEX_RESET: h2ws_duplex_end = 2;

/// Serves a connection whose socket stays with the host, say for TLS of its own. What comes from the peer it gives to
/// `h2ws_duplex_write`; what there is for the peer it gets from `h2ws_duplex_read`, as `on_duplex` tells. `on_disconnected` says
/// that the connection has ended for h2ws. `h2ws_duplex_close` ends the host's part, and has to be called in any case.
///
/// Each direction holds up to 256 KiB. H2WS_INVALID_ARGUMENT: the engine has no `on_duplex`. `options` is borrowed until the call returns. `on_duplex` may come before it returns.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_attach(
    engine: *mut h2ws_engine,
    options: *const h2ws_attach_options,
    out_connection: *mut h2ws_connection,
) -> h2ws_status {
    guard("h2ws_attach", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (host, attach) = unsafe {
            let host = host(engine)?;
            needs_duplex(engine, "h2ws_attach")?;
            (host, read_options(options)?)
        };
        let out_connection = output(out_connection, "out_connection")?;
        let connection = host.attach(attach)?;
        // SAFETY: not NULL, so writable (the caller's contract).
        unsafe { out_connection.write(connection.to_raw()) };
        Ok(())
    })
}

/// Gives bytes to the other side, copied: as many as there is room for, which `*out_taken` says. After less than all, `on_duplex`
/// tells when there is room. H2WS_GONE: the other side has ended, or `h2ws_duplex_shut` was called.
/// Any thread, one at a time for each connection; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_duplex_write(
    engine: *mut h2ws_engine,
    connection: h2ws_connection,
    data: h2ws_str,
    out_taken: *mut usize,
) -> h2ws_status {
    guard("h2ws_duplex_write", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (engine, data) = unsafe { (host(engine)?, data.bytes("data")?) };
        let out_taken = output(out_taken, "out_taken")?;
        let taken = engine.duplex_write(ConnectionId::from_raw(connection), data)?;
        // SAFETY: not NULL, so writable (the caller's contract).
        unsafe { out_taken.write(taken) };
        Ok(())
    })
}

/// Takes bytes of the other side: up to `capacity`, which `*out_len` says. With 0 bytes `*out_end` says whether more may come, of
/// which `on_duplex` tells, or what has ended it. Any thread, one at a time for each connection; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_duplex_read(
    engine: *mut h2ws_engine,
    connection: h2ws_connection,
    buffer: *mut c_void,
    capacity: usize,
    out_len: *mut usize,
    out_end: *mut h2ws_duplex_end,
) -> h2ws_status {
    guard("h2ws_duplex_read", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        let engine = unsafe { host(engine)? };
        let (out_len, out_end) = (output(out_len, "out_len")?, output(out_end, "out_end")?);
        if buffer.is_null() || capacity == 0 {
            return Err(invalid(format!("buffer is NULL or capacity is {capacity}; give room for at least a byte")));
        }
        if isize::try_from(capacity).is_err() {
            return Err(invalid(format!("capacity is {capacity}, more than memory holds; was it set?")));
        }
        // SAFETY: `capacity` writable bytes that nobody else touches until the call returns (the caller's contract). They may be
        // uninitialised in C's eyes, but are only written here.
        let into = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), capacity) };
        let (len, end) = match engine.duplex_read(ConnectionId::from_raw(connection), into)? {
            Read::Bytes(n) => (n, H2WS_DUPLEX_OPEN),
            Read::End => (0, H2WS_DUPLEX_ENDED),
            Read::Reset => (0, H2WS_DUPLEX_RESET),
        };
        // SAFETY: not NULL, so writable (the caller's contract).
        unsafe {
            out_len.write(len);
            out_end.write(end);
        }
        Ok(())
    })
}

/// Nothing more is written: the other side sees the end behind what was. Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_duplex_shut(engine: *mut h2ws_engine, connection: h2ws_connection) -> h2ws_status {
    guard("h2ws_duplex_shut", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.duplex_shut(ConnectionId::from_raw(connection))
    })
}

/// Ends the host's part: the handle is stale. What was written still goes out, and then the end; with `abort` 1 the other side is
/// cut off at once. Any thread; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_duplex_close(
    engine: *mut h2ws_engine,
    connection: h2ws_connection,
    abort: i32,
) -> h2ws_status {
    guard("h2ws_duplex_close", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        let engine = unsafe { host(engine)? };
        engine.duplex_close(ConnectionId::from_raw(connection), flag(abort, "abort")?)
    })
}

/// # Safety
/// As [`read_versioned`]; `peer` is as [`h2ws_str::bytes`] wants it, `tls` as [`read_info`] does.
unsafe fn read_options(options: *const h2ws_attach_options) -> Result<Attach, Error> {
    // SAFETY: the same contract.
    let options = unsafe { read_versioned(options, "options")? };
    reserved(options.reserved, "options->reserved")?;
    Ok(Attach {
        // SAFETY: the same contract.
        peer: unsafe { options.peer.text("options->peer")? }.to_owned(),
        // SAFETY: the same contract.
        tls: unsafe { read_info(options.tls, "options->tls")? },
        context: context_number(options.context),
        options: ListenOptions {
            websockets: !flag(options.no_websockets, "options->no_websockets")?,
            http1: !flag(options.no_http1, "options->no_http1")?,
            http2: !flag(options.no_http2, "options->no_http2")?,
            raw: false,
            tls: None,
        },
    })
}
