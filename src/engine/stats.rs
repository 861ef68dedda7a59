//! Counters: what happened so far, and how much is open now. Relaxed atomics; a snapshot is not one instant.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A snapshot of an engine's counters. Those named `open_` go up and down, all others only up.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats { $($(#[$doc])* pub $name: u64,)* }

        /// The live counters.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64,)* }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }

        impl Stats {
            /// Adds another snapshot's values.
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// Names and values, in the order of the C struct.
            pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Connections open now.
    open_connections,
    /// Requests and WebSockets open now.
    open_streams,
    /// WebSockets open now, accepted and not yet closed.
    open_websockets,
    /// Connections taken, by a listener or by `adopt`.
    connections,
    /// Connections given to `fallback`.
    fallbacks,
    /// TLS handshakes that succeeded.
    tls_handshakes,
    /// Those of them that resumed a session.
    tls_resumed,
    /// Ordinary requests.
    requests,
    /// WebSocket handshakes.
    handshakes,
    /// WebSockets accepted.
    accepted,
    /// Messages received (whole, or by their last fragment).
    messages_in,
    /// Messages sent (whole, or by their last fragment).
    messages_out,
    /// Messages that came compressed.
    compressed_in,
    /// Messages that were sent compressed.
    compressed_out,
    /// Bytes read from sockets.
    bytes_in,
    /// Bytes written to sockets.
    bytes_out,
    /// Reads that brought bytes.
    reads,
    /// Writes.
    writes,
    /// Handshakes refused by the host.
    rejected_by_host,
    /// Handshakes refused: no or an empty `:authority`, or user information in it; and whatever has another `host`.
    refused_authority,
    /// Handshakes refused: a `:scheme` that is neither http nor https.
    refused_scheme,
    /// Handshakes refused: `:protocol` is not websocket.
    refused_protocol,
    /// Handshakes refused: `sec-websocket-version` is not 13.
    refused_version,
    /// Handshakes refused: a content-length, END_STREAM or a malformed field.
    refused_malformed,
    /// CONNECT without `:protocol`.
    refused_plain_connect,
    /// Handshakes refused: the host did not decide in time.
    refused_undecided,
    /// Requests refused: too many header fields.
    refused_header_fields,
    /// Requests refused: the engine was draining.
    refused_draining,
    /// Connections refused: too many.
    refused_connections,
    /// Connections that began with neither an HTTP/2 preface nor anything the host takes.
    refused_preface,
    /// TLS handshakes that failed.
    refused_tls,
    /// Limit hit: a message longer than `max_message` (close 1009).
    limit_message,
    /// Limit hit: more than `max_fragments` (close 1008).
    limit_fragments,
    /// Limit hit: a message that inflates by more than `deflate_ratio` (close 1009).
    limit_ratio,
    /// Limit hit: WebSockets accepted without contexts of their own, for want of `deflate_memory`.
    limit_deflate_memory,
    /// Limit hit: more early data than `early_data` (reset ENHANCE_YOUR_CALM).
    limit_early_data,
    /// Limit hit: `Busy` at the cap of a stream's send queue.
    limit_send_queue,
    /// Limit hit: `Busy` at the cap of a loop's command queue.
    limit_command_queue,
    /// Limit hit: resets (GOAWAY ENHANCE_YOUR_CALM).
    limit_resets,
    /// Limit hit: PING (GOAWAY ENHANCE_YOUR_CALM).
    limit_pings,
    /// Limit hit: SETTINGS (GOAWAY ENHANCE_YOUR_CALM).
    limit_settings,
    /// Limit hit: frames that carry nothing (GOAWAY ENHANCE_YOUR_CALM).
    limit_idle_frames,
    /// Deadline passed: preface.
    timeout_preface,
    /// Deadline passed: a TLS handshake.
    timeout_tls,
    /// Deadline passed: a connection without a request or a stream.
    timeout_keep_alive,
    /// Deadline passed: acknowledgement of our SETTINGS.
    timeout_settings,
    /// Deadline passed: a header block.
    timeout_header,
    /// Deadline passed: closing handshake or the end of the stream after it.
    timeout_close,
    /// Deadline passed: an idle WebSocket.
    timeout_idle,
    /// Deadline passed: a Ping without a Pong.
    timeout_ping,
    /// Deadline passed: a connection that takes no bytes.
    timeout_write,
    /// WebSocket frames that broke RFC 6455 (close 1002).
    violation_frame,
    /// Text that is not UTF-8 (close 1007).
    violation_utf8,
    /// Compressed messages that cannot be inflated (close 1007).
    violation_deflate,
    /// Streams that broke RFC 9113's flow control, or sent HEADERS on a WebSocket.
    violation_stream,
    /// HTTP/2 connections ended for an error of the peer.
    violation_connection,
    /// HTTP/1.1 connections ended for an error of the peer.
    violation_http1,
    /// Connection tasks ended by a bug in h2ws or a panicking handler.
    panics,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Adds `n` to a counter that its loop's thread alone writes: those of every read, write and message, where the bus lock of
/// [`count`] would be felt.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

/// Takes one away from an `open_` counter.
pub(crate) fn uncount(counter: &AtomicU64) {
    counter.fetch_sub(1, Ordering::Relaxed);
}
