//! `h2ws_stats`: counters.

use super::engine::{h2ws_engine, host};
use super::guard::guard;
use super::status::h2ws_status;
use super::view::{Versioned, checked_size};
use crate::host::{Error, Stats};

/// A snapshot of an engine's counters: initialise it with H2WS_STATS_INIT. Those named `open_` go up and down, all others
/// only up. The counters are read one after another while the loops run.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_stats {
    /// Set by H2WS_STATS_INIT; left as it is.
    pub size: usize,
    /// Connections open now.
    pub open_connections: u64,
    /// Requests and WebSockets open now.
    pub open_streams: u64,
    /// WebSockets open now, accepted and not yet closed.
    pub open_websockets: u64,
    /// Connections taken, by a listener or by `h2ws_adopt`.
    pub connections: u64,
    /// Connections given to `on_fallback`.
    pub fallbacks: u64,
    /// TLS handshakes that succeeded.
    pub tls_handshakes: u64,
    /// Those of them that resumed a session.
    pub tls_resumed: u64,
    /// Ordinary requests.
    pub requests: u64,
    /// WebSocket handshakes.
    pub handshakes: u64,
    /// WebSockets accepted.
    pub accepted: u64,
    /// Messages received (whole, or by their last fragment).
    pub messages_in: u64,
    /// Messages sent (whole, or by their last fragment).
    pub messages_out: u64,
    /// Messages that came compressed.
    pub compressed_in: u64,
    /// Messages that were sent compressed.
    pub compressed_out: u64,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes written to sockets.
    pub bytes_out: u64,
    /// Reads that brought bytes.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Handshakes refused by the host.
    pub rejected_by_host: u64,
    /// Handshakes refused: no or an empty `:authority`, or user information in it; and whatever has another `host`.
    pub refused_authority: u64,
    /// Handshakes refused: a `:scheme` that is neither http nor https.
    pub refused_scheme: u64,
    /// Handshakes refused: `:protocol` is not websocket.
    pub refused_protocol: u64,
    /// Handshakes refused: `sec-websocket-version` is not 13.
    pub refused_version: u64,
    /// Handshakes refused: a content-length, END_STREAM or a malformed field.
    pub refused_malformed: u64,
    /// CONNECT without `:protocol`.
    pub refused_plain_connect: u64,
    /// Handshakes refused: the host did not decide in time.
    pub refused_undecided: u64,
    /// Requests refused: too many header fields.
    pub refused_header_fields: u64,
    /// Requests refused: the engine was draining.
    pub refused_draining: u64,
    /// Connections refused: too many.
    pub refused_connections: u64,
    /// Connections that began with neither an HTTP/2 preface nor anything the host takes.
    pub refused_preface: u64,
    /// TLS handshakes that failed.
    pub refused_tls: u64,
    /// Limit hit: a message longer than `max_message` (close 1009).
    pub limit_message: u64,
    /// Limit hit: more than `max_fragments` (close 1008).
    pub limit_fragments: u64,
    /// Limit hit: a message that inflates by more than `deflate_ratio` (close 1009).
    pub limit_ratio: u64,
    /// Limit hit: WebSockets accepted without contexts of their own, for want of `deflate_memory`.
    pub limit_deflate_memory: u64,
    /// Limit hit: more early data than `early_data` (reset ENHANCE_YOUR_CALM).
    pub limit_early_data: u64,
    /// Limit hit: H2WS_BUSY at the cap of a stream's send queue.
    pub limit_send_queue: u64,
    /// Limit hit: H2WS_BUSY at the cap of a loop's command queue.
    pub limit_command_queue: u64,
    /// Limit hit: resets (GOAWAY ENHANCE_YOUR_CALM).
    pub limit_resets: u64,
    /// Limit hit: PING (GOAWAY ENHANCE_YOUR_CALM).
    pub limit_pings: u64,
    /// Limit hit: SETTINGS (GOAWAY ENHANCE_YOUR_CALM).
    pub limit_settings: u64,
    /// Limit hit: frames that carry nothing (GOAWAY ENHANCE_YOUR_CALM).
    pub limit_idle_frames: u64,
    /// Deadline passed: preface.
    pub timeout_preface: u64,
    /// Deadline passed: a TLS handshake.
    pub timeout_tls: u64,
    /// Deadline passed: a connection without a request or a stream.
    pub timeout_keep_alive: u64,
    /// Deadline passed: acknowledgement of our SETTINGS.
    pub timeout_settings: u64,
    /// Deadline passed: a header block.
    pub timeout_header: u64,
    /// Deadline passed: closing handshake or the end of the stream after it.
    pub timeout_close: u64,
    /// Deadline passed: an idle WebSocket.
    pub timeout_idle: u64,
    /// Deadline passed: a Ping without a Pong.
    pub timeout_ping: u64,
    /// Deadline passed: a connection that takes no bytes.
    pub timeout_write: u64,
    /// WebSocket frames that broke RFC 6455 (close 1002).
    pub violation_frame: u64,
    /// Text that is not UTF-8 (close 1007).
    pub violation_utf8: u64,
    /// Compressed messages that cannot be inflated (close 1007).
    pub violation_deflate: u64,
    /// Streams that broke RFC 9113's flow control, or sent HEADERS on a WebSocket.
    pub violation_stream: u64,
    /// HTTP/2 connections ended for an error of the peer.
    pub violation_connection: u64,
    /// HTTP/1.1 connections ended for an error of the peer.
    pub violation_http1: u64,
    /// Connection tasks ended by a bug in h2ws or a panicking handler.
    pub panics: u64,
}

// SAFETY: integers only, `size` first; all of 8 bytes where a pointer has 8, so there is no padding there.
unsafe impl Versioned for h2ws_stats {
    const NAME: &'static str = "h2ws_stats";
    const INIT: &'static str = "H2WS_STATS_INIT";
    const FIRST_SIZE: usize = 8 + 58 * 8;
}
const _: () = assert!(size_of::<h2ws_stats>() >= h2ws_stats::FIRST_SIZE, "a field was taken away");

/// Takes a snapshot of the counters into `*out_stats`, as far as its `size` reaches; newer fields than this library has
/// become 0. Any thread, also inside a callback; does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn h2ws_engine_stats(engine: *const h2ws_engine, out_stats: *mut h2ws_stats) -> h2ws_status {
    guard("h2ws_engine_stats", || {
        // SAFETY: NULL or a live engine, NULL or an initialised struct (the caller's contract).
        let (engine, size) = unsafe { (host(engine)?, checked_size(out_stats, "out_stats")?) };
        // SAFETY: `size` bytes are writable (the caller's contract).
        unsafe { write(&engine.stats(), out_stats, size) }
    })
}

/// # Safety
/// `size` bytes at `out` are writable.
unsafe fn write(stats: &Stats, out: *mut h2ws_stats, size: usize) -> Result<(), Error> {
    let value = h2ws_stats::new(stats, size);
    let ours = size_of::<h2ws_stats>();
    // SAFETY: at most `ours` bytes are read and at most `size` written (the same contract).
    unsafe {
        out.cast::<u8>().copy_from_nonoverlapping((&raw const value).cast(), size.min(ours));
        out.cast::<u8>().add(size.min(ours)).write_bytes(0, size.saturating_sub(ours));
    }
    Ok(())
}

impl h2ws_stats {
    /// Naming all twice makes the compiler say so when one of the structs gains or loses a counter.
    #[rustfmt::skip]
    fn new(stats: &Stats, size: usize) -> Self {
        let Stats {
            open_connections, open_streams, open_websockets, connections, fallbacks, tls_handshakes, tls_resumed, requests, handshakes,
            accepted, messages_in, messages_out, compressed_in, compressed_out, bytes_in, bytes_out, reads, writes, rejected_by_host,
            refused_authority, refused_scheme, refused_protocol, refused_version, refused_malformed,
            refused_plain_connect, refused_undecided, refused_header_fields, refused_draining, refused_connections,
            refused_preface, refused_tls, limit_message, limit_fragments, limit_ratio, limit_deflate_memory, limit_early_data, limit_send_queue,
            limit_command_queue, limit_resets, limit_pings, limit_settings, limit_idle_frames, timeout_preface, timeout_tls, timeout_keep_alive,
            timeout_settings, timeout_header, timeout_close, timeout_idle, timeout_ping, timeout_write,
            violation_frame, violation_utf8, violation_deflate, violation_stream, violation_connection,
            violation_http1, panics,
        } = *stats;
        Self {
            size,
            open_connections, open_streams, open_websockets, connections, fallbacks, tls_handshakes, tls_resumed, requests, handshakes,
            accepted, messages_in, messages_out, compressed_in, compressed_out, bytes_in, bytes_out, reads, writes, rejected_by_host,
            refused_authority, refused_scheme, refused_protocol, refused_version, refused_malformed,
            refused_plain_connect, refused_undecided, refused_header_fields, refused_draining, refused_connections,
            refused_preface, refused_tls, limit_message, limit_fragments, limit_ratio, limit_deflate_memory, limit_early_data, limit_send_queue,
            limit_command_queue, limit_resets, limit_pings, limit_settings, limit_idle_frames, timeout_preface, timeout_tls, timeout_keep_alive,
            timeout_settings, timeout_header, timeout_close, timeout_idle, timeout_ping, timeout_write,
            violation_frame, violation_utf8, violation_deflate, violation_stream, violation_connection,
            violation_http1, panics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::MaybeUninit;

    /// What `write` leaves in a struct of `size` bytes that was full of ones, as 8-byte words.
    fn written(size: usize) -> Vec<u64> {
        let stats = Stats { open_connections: 11, panics: 99, ..Stats::default() };
        let mut words = vec![u64::MAX; size / 8 + 1];
        // SAFETY: the vector has `size` bytes and eight more.
        unsafe { write(&stats, words.as_mut_ptr().cast(), size).expect("cannot fail") };
        words
    }

    #[test]
    fn the_counters_are_in_the_order_of_the_host_layers() {
        assert_eq!(size_of::<h2ws_stats>() / 8 - 1, Stats::default().fields().count(), "as many as the host layer's");
        let words = written(size_of::<h2ws_stats>());
        assert_eq!(words[..2], [size_of::<h2ws_stats>() as u64, 11], "size, then the first counter");
        assert_eq!(words[words.len() - 2..], [99, u64::MAX], "the last counter, and nothing after it");
    }

    #[test]
    fn an_older_hosts_struct_is_not_overrun_and_a_newer_ones_is_zeroed() {
        assert_eq!(written(24)[2..], [0, u64::MAX], "the second counter, and nothing after it");
        let newer = size_of::<h2ws_stats>() + 16;
        let words = written(newer);
        assert_eq!(words[words.len() - 4..], [99, 0, 0, u64::MAX], "the last counter, two unknown ones, nothing after");
    }

    #[test]
    fn no_struct_and_a_wrong_size_are_refused() {
        // SAFETY: all zero is a valid value.
        let mut stats = unsafe { MaybeUninit::<h2ws_stats>::zeroed().assume_init() };
        // SAFETY: NULL, and a whole struct.
        let errors = unsafe {
            [checked_size::<h2ws_stats>(std::ptr::null(), "out_stats"), checked_size(&raw mut stats, "out_stats")]
        };
        let texts = errors.map(|e| e.expect_err("is refused").text().to_owned());
        assert_eq!(texts[0], "out_stats is NULL; pass a h2ws_stats");
        assert!(texts[1].starts_with("out_stats->size is 0; "), "{}", texts[1]);
    }
}
