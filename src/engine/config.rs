//! Every limit and deadline, its default and its range, in one place.

use super::status::{Error, Status};

/// The configuration of an engine. Start from [`Config::default`].
///
/// Sizes are bytes, times are milliseconds. A time of 0 means "no such deadline" where the range starts at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Event loops, a thread each. Default: the processors of the machine; 1 to 64.
    pub loops: u32,
    /// Connections at once; one more is closed at once. Default 1,000,000.
    pub max_connections: u32,
    /// Streams of one connection at once (SETTINGS_MAX_CONCURRENT_STREAMS). Default 128.
    pub max_streams: u32,
    /// A header block, as RFC 9113 §6.5.2 counts. Default 16 KiB.
    pub max_header_list: u32,
    /// Header fields of one block. Default 100.
    pub max_header_fields: u32,
    /// A message, put together. Default 16 MiB.
    pub max_message: u32,
    /// Fragments of one message. Default 1,024.
    pub max_fragments: u32,
    /// What a peer may send on one stream before the host has taken it. Default 256 KiB. Inside of a WebSocket frame that is longer, over HTTP/2,
    /// four times as much while the host takes what comes; by that all streams of a connection have at most a fourth of its window more.
    pub stream_window: u32,
    /// What a peer may send on one connection before it was read. Default 16 MiB.
    pub connection_window: u32,
    /// What waits to be sent on one stream before `Busy`. Default 1 MiB. `writable` comes at half of it; one message
    /// given below that half may exceed it.
    pub send_queue: u32,
    /// What waits to be applied by one loop from other threads before `Busy`. Default 64 MiB.
    pub command_queue: u32,
    /// What a client may send on a WebSocket before it is accepted. Default 16 KiB.
    pub early_data: u32,
    /// Until the connection preface is complete. Default 10 s.
    pub preface_timeout: u32,
    /// Until the peer acknowledges our SETTINGS. Default 10 s.
    pub settings_timeout: u32,
    /// Until a header block that began is complete. Default 10 s.
    pub header_timeout: u32,
    /// Until the host decides about a handshake; then it is refused with 503. Default 30 s.
    pub accept_timeout: u32,
    /// Until the peer answers our Close, and again until it ends the stream. Default 5 s.
    pub close_timeout: u32,
    /// A WebSocket on which nothing came for so long is closed with 1001. Default 0: never.
    pub idle_timeout: u32,
    /// A Ping goes to a WebSocket on which nothing came for so long. Default 0: never.
    pub ping_interval: u32,
    /// A WebSocket that has not answered such a Ping for so long is reset. Default 0: never.
    pub ping_timeout: u32,
    /// A connection that takes none of our bytes for so long is cut. Default 30 s.
    pub write_timeout: u32,
    /// RST_STREAMs, the peer's and those it provoked: a burst of so many. Default 100.
    pub reset_burst: u32,
    /// And so many a second. Default 33.
    pub reset_rate: u32,
    /// PINGs a second. Default 100.
    pub ping_rate: u32,
    /// SETTINGS a second. Default 10.
    pub settings_rate: u32,
    /// Empty DATA, PRIORITY and unknown frames, and WINDOW_UPDATEs beyond what our DATA justifies, a second.
    /// Default 1,000.
    pub idle_frame_rate: u32,
    /// Until a TLS handshake is complete. Default 10 s.
    pub tls_timeout: u32,
    /// An HTTP/1.1 connection on which no request came for so long is closed; one of HTTP/2, without a stream, on which nothing
    /// came. Default 60 s.
    pub keep_alive_timeout: u32,
    /// How hard messages are compressed: 1 is fastest, 9 searches longest. Default 1.
    pub deflate_level: u32,
    /// The window of what we compress (RFC 7692 §7.1.2.1), as a power of 2. Default 15: 32 KiB.
    pub deflate_server_window_bits: u32,
    /// The window that a client may use (RFC 7692 §7.1.2.2), if it lets us choose. Default 15.
    pub deflate_client_window_bits: u32,
    /// A message shorter than this is sent uncompressed. Default 256.
    pub deflate_min_size: u32,
    /// What the contexts that sockets keep for themselves may take, all together: promised at accept, allocated at
    /// first use. A socket beyond it keeps none. Default 256 MiB.
    pub deflate_memory: u32,
    /// A message that inflates to more than this times what came, and to more than 1 MiB, is refused. Default 1,000.
    pub deflate_ratio: u32,
    /// Whether and how a connection that does not speak HTTP/2 goes to the host. Default no.
    pub fallback: Fallback,
    /// Whether permessage-deflate (RFC 7692) is agreed to when a client offers it. Default no.
    pub deflate: bool,
    /// Whether we compress a message with those before it as context (RFC 7692 §7.1.1.1), at the price of up to
    /// 384 KiB for each socket that does. Default no: all sockets of a loop share contexts.
    pub deflate_server_takeover: bool,
    /// Whether clients may do so (RFC 7692 §7.1.1.2), at up to 48 KiB a socket. Default no.
    pub deflate_client_takeover: bool,
}

/// How the host gets connections that do not speak HTTP/2 ([`crate::Handler::fallback`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Not at all: they are served over HTTP/1.1, or refused.
    #[default]
    Off,
    /// As sockets. Those over TLS cannot be given so, and are served.
    Socket,
    /// As byte duplexes ([`crate::Engine::duplex_read`]): the sockets, and TLS if there is any, stay here.
    Duplex,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            loops: std::thread::available_parallelism().map_or(1, |n| n.get().min(64) as u32),
            max_connections: 1_000_000,
            max_streams: 128,
            max_header_list: 16 << 10,
            max_header_fields: 100,
            max_message: 16 << 20,
            max_fragments: 1024,
            stream_window: 256 << 10,
            connection_window: 16 << 20,
            send_queue: 1 << 20,
            command_queue: 64 << 20,
            early_data: 16 << 10,
            preface_timeout: 10_000,
            settings_timeout: 10_000,
            header_timeout: 10_000,
            accept_timeout: 30_000,
            close_timeout: 5_000,
            idle_timeout: 0,
            ping_interval: 0,
            ping_timeout: 0,
            write_timeout: 30_000,
            reset_burst: 100,
            reset_rate: 33,
            ping_rate: 100,
            settings_rate: 10,
            idle_frame_rate: 1_000,
            tls_timeout: 10_000,
            keep_alive_timeout: 60_000,
            deflate_level: 1,
            deflate_server_window_bits: 15,
            deflate_client_window_bits: 15,
            deflate_min_size: 256,
            deflate_memory: 256 << 20,
            deflate_ratio: 1_000,
            fallback: Fallback::Off,
            deflate: false,
            deflate_server_takeover: false,
            deflate_client_takeover: false,
        }
    }
}

/// The longest deadline: a day.
const DAY: u32 = 86_400_000;
/// A flow-control window's largest size (RFC 9113 §6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;

/// The numeric fields: name, getter, range. The order is the header's.
type Field = (&'static str, fn(&mut Config) -> &mut u32, u32, u32);

/// Every numeric field with its range; bindings that take fields by name use it too.
pub const FIELDS: &[Field] = &[
    ("loops", |c| &mut c.loops, 1, 64),
    ("max_connections", |c| &mut c.max_connections, 1, 16_000_000),
    ("max_streams", |c| &mut c.max_streams, 1, 1 << 20),
    ("max_header_list", |c| &mut c.max_header_list, 1 << 10, 1 << 20),
    ("max_header_fields", |c| &mut c.max_header_fields, 8, 10_000),
    ("max_message", |c| &mut c.max_message, 125, 1 << 30),
    ("max_fragments", |c| &mut c.max_fragments, 1, 1 << 24),
    ("stream_window", |c| &mut c.stream_window, 1 << 10, MAX_WINDOW),
    ("connection_window", |c| &mut c.connection_window, 65_535, MAX_WINDOW),
    ("send_queue", |c| &mut c.send_queue, 1 << 10, 1 << 30),
    ("command_queue", |c| &mut c.command_queue, 1 << 10, 1 << 30),
    ("early_data", |c| &mut c.early_data, 0, 1 << 20),
    ("preface_timeout", |c| &mut c.preface_timeout, 0, DAY),
    ("settings_timeout", |c| &mut c.settings_timeout, 0, DAY),
    ("header_timeout", |c| &mut c.header_timeout, 0, DAY),
    ("accept_timeout", |c| &mut c.accept_timeout, 0, DAY),
    ("close_timeout", |c| &mut c.close_timeout, 1, DAY),
    ("idle_timeout", |c| &mut c.idle_timeout, 0, DAY),
    ("ping_interval", |c| &mut c.ping_interval, 0, DAY),
    ("ping_timeout", |c| &mut c.ping_timeout, 0, DAY),
    ("write_timeout", |c| &mut c.write_timeout, 0, DAY),
    ("reset_burst", |c| &mut c.reset_burst, 1, 1 << 20),
    ("reset_rate", |c| &mut c.reset_rate, 1, 1 << 20),
    ("ping_rate", |c| &mut c.ping_rate, 1, 1 << 20),
    ("settings_rate", |c| &mut c.settings_rate, 1, 1 << 20),
    ("idle_frame_rate", |c| &mut c.idle_frame_rate, 1, 1 << 24),
    ("tls_timeout", |c| &mut c.tls_timeout, 0, DAY),
    ("keep_alive_timeout", |c| &mut c.keep_alive_timeout, 0, DAY),
    ("deflate_level", |c| &mut c.deflate_level, 1, 9),
    ("deflate_server_window_bits", |c| &mut c.deflate_server_window_bits, 9, 15),
    ("deflate_client_window_bits", |c| &mut c.deflate_client_window_bits, 9, 15),
    ("deflate_min_size", |c| &mut c.deflate_min_size, 1, 1 << 30),
    ("deflate_memory", |c| &mut c.deflate_memory, 1 << 16, 1 << 31),
    ("deflate_ratio", |c| &mut c.deflate_ratio, 2, 1 << 20),
];

impl Config {
    /// Refuses the first field that is out of its range.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`], with the field, its value and the range in the text.
    pub fn validate(&self) -> Result<(), Error> {
        let mut copy = self.clone();
        for (name, field, least, most) in FIELDS {
            let value = *field(&mut copy);
            if !(*least..=*most).contains(&value) {
                return Err(Error::new(
                    Status::InvalidConfig,
                    format!("{name} is {value}; it must be from {least} to {most}"),
                ));
            }
        }
        if self.connection_window < self.stream_window {
            return Err(Error::new(
                Status::InvalidConfig,
                format!(
                    "connection_window is {}, less than stream_window {}: one stalled stream would stall its \
                     siblings; raise connection_window",
                    self.connection_window, self.stream_window
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(Config::default().validate().is_ok());
    }

    #[test]
    fn each_field_is_refused_outside_its_range_by_name_value_and_range() {
        for (name, field, least, most) in FIELDS {
            for wrong in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
                let mut config = Config::default();
                *field(&mut config) = wrong;
                let error = config.validate().expect_err(name);
                assert_eq!(error.status(), Status::InvalidConfig);
                assert_eq!(error.text(), format!("{name} is {wrong}; it must be from {least} to {most}"));
            }
        }
    }

    #[test]
    fn a_connection_window_below_a_streams_is_refused() {
        let config = Config { connection_window: 65_535, stream_window: 65_536, ..Config::default() };
        let error = config.validate().expect_err("connection window too small");
        assert!(error.text().contains("raise connection_window"), "{error}");
    }
}
