//! A client that compresses (RFC 7692), with flate2 alone.

use super::client::{Client, connect_fields, with_field};
use super::frame::*;
use super::host::{Event, Host};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use h2ws::{Cause, Config, Side};

pub const OFFER: &str = "permessage-deflate; client_max_window_bits";
/// "Hello" as RFC 7692 §7.2.3.1 compresses it.
pub const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
pub const TEXT_COMPRESSED: u8 = TEXT | COMPRESSED;
pub const BINARY_COMPRESSED: u8 = BINARY | COMPRESSED;

pub fn host(change: impl FnOnce(&mut Config)) -> Host {
    Host::with(|config| {
        config.deflate = true;
        config.deflate_min_size = 1;
        change(config);
    })
}

pub fn takeover(config: &mut Config) {
    config.deflate_server_takeover = true;
    config.deflate_client_takeover = true;
}

/// Opens a socket with an offer; gives the stream and the answer to the offer.
pub fn offer(client: &mut Client, path: &str, offer: &str) -> (u32, Option<String>) {
    let stream = client.open(&with_field(connect_fields(path), "sec-websocket-extensions", Some(offer)), false);
    let head = client.next_on(stream);
    assert_eq!(head.status(), "200", "the handshake is accepted, whatever is offered: {head:?}");
    let answers: Vec<_> = head.fields.iter().filter(|(name, _)| name == "sec-websocket-extensions").collect();
    assert!(answers.len() <= 1, "one answer at most: {answers:?}");
    (stream, answers.first().map(|(_, value)| value.clone()))
}

/// A socket that compresses.
pub fn open(client: &mut Client, path: &str) -> u32 {
    let (stream, answer) = offer(client, path, OFFER);
    assert!(answer.is_some(), "expected the offer to be accepted");
    stream
}

/// The client's contexts: flate2 alone, used as RFC 7692 §7.2 wants it.
pub struct Peer {
    pub deflate: Compress,
    pub inflate: Decompress,
    client_takeover: bool,
    server_takeover: bool,
}

impl Peer {
    pub fn new(client_takeover: bool, server_takeover: bool) -> Self {
        Self::with_bits(client_takeover, server_takeover, 15)
    }

    pub fn with_bits(client_takeover: bool, server_takeover: bool, client_bits: u8) -> Self {
        Self {
            deflate: Compress::new_with_window_bits(Compression::new(6), false, client_bits),
            inflate: Decompress::new_with_window_bits(false, 15),
            client_takeover,
            server_takeover,
        }
    }

    pub fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.client_takeover {
            self.deflate.reset();
        }
        let mut out = Vec::with_capacity(2 * message.len() + 100);
        self.deflate.compress_vec(message, &mut out, FlushCompress::Sync).expect("compresses");
        if out.is_empty() {
            // zlib makes no flush right after a flush (RFC 7692 §7.2.3.6)
            return vec![0];
        }
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]), "a sync flush");
        out.truncate(out.len() - 4);
        out
    }

    pub fn inflate(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.server_takeover {
            self.inflate = Decompress::new_with_window_bits(false, 15);
        }
        let mut out = Vec::with_capacity(1 << 20);
        self.inflate
            .decompress_vec(&[message, &[0, 0, 0xff, 0xff]].concat(), &mut out, FlushDecompress::Sync)
            .expect("the server's message can be inflated");
        assert!(out.len() < out.capacity(), "a message of less than 1 MiB");
        out
    }

    /// Sends a message compressed to an echo and takes it back; gives the length of the compressed echo.
    #[track_caller]
    pub fn echo(&mut self, client: &mut Client, stream: u32, opcode: u8, message: &[u8]) -> usize {
        let compressed = self.compress(message);
        client.data_within_windows(stream, &ws_frame(true, opcode | COMPRESSED, &compressed));
        let (got, payload) = client.ws_message(stream);
        assert_eq!(got, opcode | COMPRESSED, "a compressed echo");
        assert!(self.inflate(&payload) == message, "the echo of {} bytes", message.len());
        payload.len()
    }
}

/// Some JSON of `items` objects.
pub fn json(items: usize) -> String {
    let item = |i: usize| format!("{{\"id\":{i},\"name\":\"user-{}\",\"online\":{}}}", i * 7919, i.is_multiple_of(3));
    format!("[{}]", (0..items).map(item).collect::<Vec<_>>().join(","))
}

/// What a message of `n` zeros is on the wire: a part for each MiB, all but the last the same.
pub fn zeros(n: usize) -> Vec<u8> {
    let part = |n: usize| {
        let mut out = Vec::with_capacity(n / 500 + 100);
        Compress::new_with_window_bits(Compression::new(9), false, 15)
            .compress_vec(&vec![0; n], &mut out, FlushCompress::Sync)
            .expect("compresses");
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]), "a sync flush");
        out
    };
    let mut out = part(1 << 20).repeat(n.saturating_sub(1) >> 20);
    out.extend(part(n - (n.saturating_sub(1) >> 20 << 20)));
    out.truncate(out.len() - 4);
    out
}

/// Asserts that the socket is failed with `code`, and how the host hears of it.
#[track_caller]
pub fn expect_failure(host: &Host, client: &mut Client, stream: u32, path: &str, code: u16) {
    let (bytes, last) = client.rest_of(stream);
    assert_eq!(bytes, server_close(code, ""), "the Close of a socket that is failed");
    assert!(last.ends_stream(), "and the end of the stream: {last:?}");
    client.data_end(stream, b"");
    let closed = host.closed(host.request(path).stream);
    assert_eq!((closed.code, closed.cause, closed.side), (code, Cause::Violation, Side::Local), "{closed:?}");
}

/// The parts of a stream's messages put together; and the longest of them.
pub fn parts(host: &Host, path: &str, messages: usize) -> (Vec<Vec<u8>>, usize) {
    let id = host.request(path).stream;
    host.wait_for(&format!("{messages} messages in parts"), |events| {
        let (mut whole, mut open, mut longest) = (Vec::new(), None::<Vec<u8>>, 0);
        for event in events.iter() {
            let Event::Fragment { stream, data, first, last, .. } = event else { continue };
            if *stream != id {
                continue;
            }
            assert_eq!(*first, open.is_none(), "first belongs to the first part alone");
            assert!(*last || !data.is_empty(), "an empty part that is not the last");
            longest = longest.max(data.len());
            let mut so_far = open.take().unwrap_or_default();
            so_far.extend(data);
            if *last { whole.push(so_far) } else { open = Some(so_far) }
        }
        (whole.len() == messages).then_some((whole, longest))
    })
}
