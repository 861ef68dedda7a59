//! `h2ws_config`: every limit and deadline of an engine.

use super::view::{Versioned, flag, invalid, read_versioned};
use crate::host::{Config, Error, FIELDS, Fallback};

/// The configuration of an engine: initialise it with H2WS_CONFIG_INIT, then set what is to differ.
///
/// 0 means the default. Sizes are bytes, times are milliseconds; the longest time is 86400000, a day, which is as good
/// as never. H2WS_INVALID_CONFIG names the first field that is out of its range.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h2ws_config {
    /// Set by H2WS_CONFIG_INIT.
    pub size: usize,
    /// Event loops, a thread each. Default: the processors of the machine; 1 to 64.
    pub loops: u32,
    /// Connections at once; one more is closed at once. Default 1000000; 1 to 16000000.
    pub max_connections: u32,
    /// Streams of one connection at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 128; 1 to 1048576.
    pub max_streams: u32,
    /// A header block, as RFC 9113 section 6.5.2 counts. Default 16384; 1024 to 1048576.
    pub max_header_list: u32,
    /// Header fields of one block. Default 100; 8 to 10000.
    pub max_header_fields: u32,
    /// A message, put together. Default 16777216; 125 to 1073741824.
    pub max_message: u32,
    /// Fragments of one message. Default 1024; 1 to 16777216.
    pub max_fragments: u32,
    /// What a peer may send on one stream before the host has taken it. Inside of a WebSocket frame that is longer, over
    /// HTTP/2, four times as much while the host takes what comes; all streams of a connection together have at most a
    /// fourth of `connection_window` more by that. Default 262144; 1024 to 2147483647.
    pub stream_window: u32,
    /// What a peer may send on one connection before it was read. Default 16777216; 65535 to 2147483647.
    pub connection_window: u32,
    /// What waits to be sent on one stream before H2WS_BUSY. on_writable comes at half of it; one
    /// message given below that half may exceed it.
    /// Default 1048576; 1024 to 1073741824.
    pub send_queue: u32,
    /// What waits to be applied by one loop from other threads before H2WS_BUSY. Default 67108864; 1024 to 1073741824.
    pub command_queue: u32,
    /// What a client may send on a WebSocket before it is accepted. Default 16384; 0 to 1048576.
    pub early_data: u32,
    /// Until the connection preface is complete. Default 10000; 0 to 86400000.
    pub preface_timeout: u32,
    /// Until the peer acknowledges our SETTINGS. Default 10000; 0 to 86400000.
    pub settings_timeout: u32,
    /// Until a header block that began is complete. Default 10000; 0 to 86400000.
    pub header_timeout: u32,
    /// Until the host decides about a handshake; then it is refused with 503. Default 30000; 0 to 86400000.
    pub accept_timeout: u32,
    /// Until the peer answers our Close, and again until it ends the stream. Default 5000; 1 to 86400000.
    pub close_timeout: u32,
    /// A WebSocket on which nothing came for so long is closed with 1001; 0 is never. Default 0; 0 to 86400000.
    pub idle_timeout: u32,
    /// A Ping goes to a WebSocket on which nothing came for so long; 0 is never. Default 0; 0 to 86400000.
    pub ping_interval: u32,
    /// A WebSocket that has not answered such a Ping for so long is reset; 0 is never. Default 0; 0 to 86400000.
    pub ping_timeout: u32,
    /// A connection that takes none of our bytes for so long is cut. Default 30000; 0 to 86400000.
    pub write_timeout: u32,
    /// RST_STREAMs, the peer's and those it provoked: a burst of so many. Default 100; 1 to 1048576.
    pub reset_burst: u32,
    /// And so many a second. Default 33; 1 to 1048576.
    pub reset_rate: u32,
    /// PINGs a second. Default 100; 1 to 1048576.
    pub ping_rate: u32,
    /// SETTINGS a second. Default 10; 1 to 1048576.
    pub settings_rate: u32,
    /// Empty DATA, PRIORITY and unknown frames, and WINDOW_UPDATEs beyond what our DATA justifies, a second.
    /// Default 1000; 1 to 16777216.
    pub idle_frame_rate: u32,
    /// Until a TLS handshake is complete. Default 10000; 0 to 86400000.
    pub tls_timeout: u32,
    /// An HTTP/1.1 connection on which no request came for so long is closed; one of HTTP/2, without a stream, on which nothing
    /// came. Default 60000; 0 to 86400000.
    pub keep_alive_timeout: u32,
    /// How hard messages are compressed: 1 is fastest, 9 searches longest. Default 1; 1 to 9.
    pub deflate_level: u32,
    /// The window of what h2ws compresses (RFC 7692 section 7.1.2.1), as a power of 2. Default 15; 9 to 15.
    pub deflate_server_window_bits: u32,
    /// The window that a client may use (RFC 7692 section 7.1.2.2), if it lets the server choose. Default 15; 9 to 15.
    pub deflate_client_window_bits: u32,
    /// A message shorter than this is sent uncompressed. Default 256; 1 to 1073741824.
    pub deflate_min_size: u32,
    /// What the contexts that sockets keep for themselves may take, all together: promised at accept, allocated at first
    /// use. A socket beyond it keeps none. Default 268435456; 65536 to 2147483648.
    pub deflate_memory: u32,
    /// A message that inflates to more than this times what came, and to more than 1 MiB, is refused.
    /// Default 1000; 2 to 1048576.
    pub deflate_ratio: u32,
    /// A connection that does not speak HTTP/2 goes to the host. 1: as a socket, to `on_fallback`, which must be set; one over TLS
    /// cannot, and is served. 2: as a duplex, to `on_duplex`, which must be set. Default 0: it is served over HTTP/1.1, or refused.
    pub fallback: i32,
    /// 1: permessage-deflate (RFC 7692) is agreed to when a client offers it. Default 0; 0 or 1.
    pub deflate: i32,
    /// 1: h2ws compresses a message with those before it as context (RFC 7692 section 7.1.1.1), at the price of up to
    /// 384 KiB for each socket that does. Default 0, all sockets of a loop share contexts; 0 or 1.
    pub deflate_server_takeover: i32,
    /// 1: clients may do so (RFC 7692 section 7.1.1.2), at up to 48 KiB a socket. Default 0; 0 or 1.
    pub deflate_client_takeover: i32,
}

// SAFETY: integers only, `size` first; the assertion below shows that there is no padding.
unsafe impl Versioned for h2ws_config {
    const NAME: &'static str = "h2ws_config";
    const INIT: &'static str = "H2WS_CONFIG_INIT";
    const FIRST_SIZE: usize = size_of::<usize>() + 38 * 4;
}
const _: () =
    assert!(size_of::<h2ws_config>() == size_of::<usize>() + (FIELDS.len() + 4) * 4, "a field is missing, or padding");

/// The configuration at `config`, defaults where it is 0; all defaults when it is NULL. Ranges are the host's to check.
///
/// # Safety
/// As [`read_versioned`], and NULL is allowed.
pub(super) unsafe fn read(config: *const h2ws_config) -> Result<Config, Error> {
    let mut result = Config::default();
    if config.is_null() {
        return Ok(result);
    }
    // SAFETY: the same contract.
    let given = unsafe { read_versioned(config, "config")? };
    for ((_, field, ..), value) in FIELDS.iter().zip(given.numbers()) {
        if value != 0 {
            *field(&mut result) = value;
        }
    }
    result.fallback = match given.fallback {
        0 => Fallback::Off,
        1 => Fallback::Socket,
        2 => Fallback::Duplex,
        other => return Err(invalid(format!("config->fallback is {other}; it must be 0, 1 or 2"))),
    };
    result.deflate = flag(given.deflate, "config->deflate")?;
    result.deflate_server_takeover = flag(given.deflate_server_takeover, "config->deflate_server_takeover")?;
    result.deflate_client_takeover = flag(given.deflate_client_takeover, "config->deflate_client_takeover")?;
    Ok(result)
}

impl h2ws_config {
    /// In the order of [`FIELDS`], which a test keeps.
    #[rustfmt::skip]
    fn numbers(&self) -> [u32; FIELDS.len()] {
        [
            self.loops, self.max_connections, self.max_streams, self.max_header_list, self.max_header_fields,
            self.max_message, self.max_fragments, self.stream_window, self.connection_window, self.send_queue,
            self.command_queue, self.early_data, self.preface_timeout, self.settings_timeout, self.header_timeout,
            self.accept_timeout, self.close_timeout, self.idle_timeout, self.ping_interval, self.ping_timeout,
            self.write_timeout, self.reset_burst, self.reset_rate, self.ping_rate, self.settings_rate,
            self.idle_frame_rate, self.tls_timeout, self.keep_alive_timeout, self.deflate_level,
            self.deflate_server_window_bits, self.deflate_client_window_bits, self.deflate_min_size,
            self.deflate_memory, self.deflate_ratio,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{MaybeUninit, offset_of};

    fn init() -> h2ws_config {
        // SAFETY: all zero is a valid value (contract of `Versioned`).
        let zero = unsafe { MaybeUninit::<h2ws_config>::zeroed().assume_init() };
        h2ws_config { size: size_of::<h2ws_config>(), ..zero }
    }

    #[test]
    fn null_and_zeros_are_the_defaults() {
        // SAFETY: NULL, and a whole struct.
        let (null, zeros) = unsafe { (read(std::ptr::null()), read(&init())) };
        assert_eq!(null.expect("NULL is allowed"), Config::default());
        assert_eq!(zeros.expect("zeros are allowed"), Config::default());
    }

    #[test]
    fn each_number_reaches_its_own_field() {
        let first = offset_of!(h2ws_config, loops);
        for (i, (name, field, ..)) in FIELDS.iter().enumerate() {
            let mut config = init();
            // SAFETY: number `i` of those that follow `size` without padding, see the assertion above.
            let read = unsafe {
                (&raw mut config).cast::<u8>().add(first + 4 * i).cast::<u32>().write(4711);
                read(&config)
            };
            let mut expected = Config::default();
            *field(&mut expected) = 4711;
            assert_eq!(read.expect("ranges are not checked here"), expected, "{name}");
        }
    }

    #[test]
    fn flags_are_checked() {
        for (config, text) in [
            (h2ws_config { fallback: 3, ..init() }, "config->fallback is 3; it must be 0, 1 or 2"),
            (h2ws_config { deflate: 2, ..init() }, "config->deflate is 2; it must be 0 or 1"),
            (
                h2ws_config { deflate_server_takeover: -1, ..init() },
                "config->deflate_server_takeover is -1; it must be 0 or 1",
            ),
            (
                h2ws_config { deflate_client_takeover: 2, ..init() },
                "config->deflate_client_takeover is 2; it must be 0 or 1",
            ),
        ] {
            // SAFETY: a whole struct.
            let error = unsafe { read(&config) }.expect_err("is refused");
            assert_eq!(error.text(), text);
        }
    }

    #[test]
    fn a_size_before_the_first_release_or_beyond_reason_is_refused() {
        for size in [0, 1, h2ws_config::FIRST_SIZE - 1, 4097, usize::MAX] {
            let config = h2ws_config { size, ..init() };
            // SAFETY: only `size` is read when it is wrong.
            let error = unsafe { read(&config) }.expect_err("is refused");
            assert!(error.text().starts_with(&format!("config->size is {size}; ")), "{error}");
            assert!(error.text().ends_with("initialise it with H2WS_CONFIG_INIT"), "{error}");
        }
    }

    #[test]
    fn a_newer_hosts_struct_is_taken_while_its_newer_fields_are_0() {
        let newer = size_of::<h2ws_config>() + 16;
        let mut bytes = vec![0_u64; newer / 8];
        // SAFETY: `newer` bytes, of which the first are the config.
        let taken = unsafe {
            bytes.as_mut_ptr().cast::<h2ws_config>().write(h2ws_config { size: newer, max_streams: 7, ..init() });
            read(bytes.as_ptr().cast())
        };
        assert_eq!(taken.expect("newer fields are 0").max_streams, 7);
        bytes[newer / 8 - 1] = 1;
        // SAFETY: as above.
        let error = unsafe { read(bytes.as_ptr().cast()) }.expect_err("a newer field is set");
        let text = format!("config->size is {newer} and byte {} is not 0", newer - 8);
        assert!(error.text().starts_with(&text), "{error}");
    }
}
