//! `h2ws_listener`: listening sockets of the engine's own.

use super::engine::{h2ws_engine, host, needs_duplex};
use super::guard::guard;
use super::status::{copy_text, h2ws_status};
use super::tls::{h2ws_tls, shared};
use super::view::{Versioned, flag, h2ws_str, invalid, read_versioned};
use crate::host::{Error, ListenOptions, ListenerId};
use std::ffi::c_char;

/// Names a listening socket. 0 names nothing; a stale one gives H2WS_GONE.
pub type h2ws_listener = u64;

/// What a listener's connections may do: initialise it with H2WS_LISTEN_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_listen_options {
    /// Set by H2WS_LISTEN_OPTIONS_INIT.
    pub size: usize,
    /// 1: requests only. SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3) is not sent, `Upgrade` is ignored.
    pub no_websockets: i32,
    /// 1: HTTP/1.1 is not served, and over TLS not offered.
    pub no_http1: i32,
    /// 1: HTTP/2 is not served, and over TLS not offered.
    pub no_http2: i32,
    /// 1: nothing is served. Every connection goes to `on_duplex`, which must be set, unread, behind the TLS if there is any.
    pub raw: i32,
    /// Serves TLS with these certificates; NULL: cleartext. Used until the call returns.
    pub tls: *const h2ws_tls,
}

// SAFETY: `size` first, four `i32` that fill a multiple of the alignment, a pointer: no padding. All of them may be 0.
unsafe impl Versioned for h2ws_listen_options {
    const NAME: &'static str = "h2ws_listen_options";
    const INIT: &'static str = "H2WS_LISTEN_OPTIONS_INIT";
    const FIRST_SIZE: usize = 2 * size_of::<usize>() + 16;
}
const _: () = assert!(size_of::<h2ws_listen_options>() >= h2ws_listen_options::FIRST_SIZE, "a field was taken away");

/// Listens on `address`: `127.0.0.1:8080`, `[::1]:0` (a free port) or `unix:/path`. `address` and `options` are borrowed
/// until the call returns; `options` may be NULL for the defaults, `out_listener` may be NULL.
///
/// H2WS_ADDRESS_IN_USE and H2WS_IO have the address in their text. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_listen(
    engine: *mut h2ws_engine,
    address: h2ws_str,
    options: *const h2ws_listen_options,
    out_listener: *mut h2ws_listener,
) -> h2ws_status {
    guard("h2ws_listen", || {
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (host, address, options) = unsafe { (host(engine)?, address.text("address")?, read_options(options)?) };
        if options.raw {
            // SAFETY: as above.
            unsafe { needs_duplex(engine, "options->raw")? };
        }
        let listener = host.listen(address, &options)?;
        if !out_listener.is_null() {
            // SAFETY: not NULL, so writable (the caller's contract).
            unsafe { out_listener.write(listener.to_raw()) };
        }
        Ok(())
    })
}

/// The bound address of a listener as text, as `h2ws_listen` takes it, with the port that was chosen.
///
/// Writes at most `capacity` bytes into `buffer`, a terminating NUL included; `buffer` may be NULL when `capacity` is 0.
/// `*out_len` is the length of the whole text without the NUL, so that the text was cut if it is not less than
/// `capacity`; `out_len` may be NULL. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_listener_address(
    engine: *mut h2ws_engine,
    listener: h2ws_listener,
    buffer: *mut c_char,
    capacity: usize,
    out_len: *mut usize,
) -> h2ws_status {
    guard("h2ws_listener_address", || {
        if buffer.is_null() && capacity > 0 {
            return Err(invalid(format!(
                "buffer is NULL with capacity {capacity}; NULL is allowed only with capacity 0"
            )));
        }
        // SAFETY: NULL or a live engine (the caller's contract).
        let text = unsafe { host(engine)? }.listener_address(ListenerId::from_raw(listener))?;
        // SAFETY: `capacity` writable bytes or NULL, and writable or NULL (the caller's contract).
        unsafe {
            copy_text(&text, buffer, capacity);
            if let Some(out_len) = out_len.as_mut() {
                *out_len = text.len();
            }
        }
        Ok(())
    })
}

/// Stops listening. Connections that were accepted stay. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_listener_close(engine: *mut h2ws_engine, listener: h2ws_listener) -> h2ws_status {
    guard("h2ws_listener_close", || {
        // SAFETY: NULL or a live engine (the caller's contract).
        unsafe { host(engine)? }.close_listener(ListenerId::from_raw(listener))
    })
}

/// # Safety
/// As [`read_versioned`], and NULL is allowed; `tls` is NULL or live.
unsafe fn read_options(options: *const h2ws_listen_options) -> Result<ListenOptions, Error> {
    if options.is_null() {
        return Ok(ListenOptions::default());
    }
    // SAFETY: the same contract.
    let options = unsafe { read_versioned(options, "options")? };
    Ok(ListenOptions {
        // SAFETY: NULL or live (the same contract).
        tls: unsafe { shared(options.tls) },
        websockets: !flag(options.no_websockets, "options->no_websockets")?,
        http1: !flag(options.no_http1, "options->no_http1")?,
        http2: !flag(options.no_http2, "options->no_http2")?,
        raw: flag(options.raw, "options->raw")?,
    })
}
