//! `h2ws_connection`: sockets that the host accepted and hands over.

use super::engine::{h2ws_engine, host, needs_duplex};
use super::guard::guard;
use super::status::h2ws_status;
use super::tls::{h2ws_tls, shared};
use super::view::{Versioned, flag, h2ws_str, read_versioned};
use crate::host::{AdoptOptions, Error, Status};
use std::ffi::c_int;
use std::os::fd::{FromRawFd, OwnedFd};

/// Names a connection. 0 names nothing.
pub type h2ws_connection = u64;

/// What an adopted connection may do: initialise it with H2WS_ADOPT_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_adopt_options {
    /// Set by H2WS_ADOPT_OPTIONS_INIT.
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
unsafe impl Versioned for h2ws_adopt_options {
    const NAME: &'static str = "h2ws_adopt_options";
    const INIT: &'static str = "H2WS_ADOPT_OPTIONS_INIT";
    const FIRST_SIZE: usize = 2 * size_of::<usize>() + 16;
}
const _: () = assert!(size_of::<h2ws_adopt_options>() >= h2ws_adopt_options::FIRST_SIZE, "a field was taken away");

/// Serves a connected TCP or UNIX stream socket that the host accepted. `already_read` is what the host has read from it,
/// copied; `already_read` and `options` are borrowed until the call returns; `options` may be NULL for the defaults,
/// `out_connection` may be NULL.
///
/// `fd` is owned by h2ws from the call on, **also when the call fails**: it is closed then, and the host may not use or
/// close it. H2WS_NOT_A_SOCKET: it is not open, a pipe, a datagram or a listening socket. It is made non-blocking.
/// Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_adopt(
    engine: *mut h2ws_engine,
    fd: c_int,
    already_read: h2ws_str,
    options: *const h2ws_adopt_options,
    out_connection: *mut h2ws_connection,
) -> h2ws_status {
    guard("h2ws_adopt", || {
        // First of all, so that every way out of here closes it.
        // SAFETY: the caller gives `fd` away (its contract).
        let socket = unsafe { take(fd)? };
        // SAFETY: the caller's pointers, as the contract above wants them.
        let (host, prefix, options) =
            unsafe { (host(engine)?, already_read.bytes("already_read")?, read_options(options)?) };
        if options.raw {
            // SAFETY: as above.
            unsafe { needs_duplex(engine, "options->raw")? };
        }
        let named = |e: Error| Error::new(e.status(), format!("fd {fd}: {}", e.text()));
        let connection = host.adopt(socket, prefix, &options).map_err(named)?;
        if !out_connection.is_null() {
            // SAFETY: not NULL, so writable (the caller's contract).
            unsafe { out_connection.write(connection.to_raw()) };
        }
        Ok(())
    })
}

/// The descriptor, if it is one.
///
/// # Safety
/// Nobody else owns `fd`.
unsafe fn take(fd: c_int) -> Result<OwnedFd, Error> {
    if fd < 0 {
        return Err(Error::new(Status::NotASocket, format!("fd is {fd}, no descriptor; pass what accept() gave")));
    }
    // An `OwnedFd` of a closed number would close somebody else's descriptor later (or abort, in a debug build of std).
    // SAFETY: F_GETFD takes no pointer and changes nothing.
    if unsafe { fcntl(fd, F_GETFD) } < 0 {
        let why = std::io::Error::last_os_error();
        return Err(Error::new(
            Status::NotASocket,
            format!("fd {fd} is not open ({why}); pass what accept() gave, once"),
        ));
    }
    // SAFETY: open, as just seen, and given to us (the caller's contract).
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The same number on every UNIX.
const F_GETFD: c_int = 1;

unsafe extern "C" {
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
}

/// # Safety
/// As [`read_versioned`], and NULL is allowed; `tls` is NULL or live.
unsafe fn read_options(options: *const h2ws_adopt_options) -> Result<AdoptOptions, Error> {
    if options.is_null() {
        return Ok(AdoptOptions::default());
    }
    // SAFETY: the same contract.
    let options = unsafe { read_versioned(options, "options")? };
    Ok(AdoptOptions {
        // SAFETY: NULL or live (the same contract).
        tls: unsafe { shared(options.tls) },
        websockets: !flag(options.no_websockets, "options->no_websockets")?,
        http1: !flag(options.no_http1, "options->no_http1")?,
        http2: !flag(options.no_http2, "options->no_http2")?,
        raw: flag(options.raw, "options->raw")?,
    })
}
