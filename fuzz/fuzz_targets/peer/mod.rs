//! The peer's end of a connection, for the targets that drive a whole engine.
#![allow(dead_code)]

use h2ws::{Engine, ListenOptions};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long a server may take: beyond that it hangs.
const LIMIT: Duration = Duration::from_secs(20);

pub struct Peer(UnixStream);

/// Preface, SETTINGS and the acknowledgement of the server's, then `more`.
pub fn opening(more: &[u8]) -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(4, 0, 0, b"")[..], &frame(4, 1, 0, b""), more].concat()
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HEADERS with an Extended CONNECT for `path`, each field a literal that is not indexed (RFC 7541 §6.2.2).
pub fn handshake(stream: u32, path: &str) -> Vec<u8> {
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "fuzz"),
        ("sec-websocket-version", "13"),
    ];
    frame(1, 4, 2 * stream + 1, &block(&fields))
}

pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        for (lead, text) in [(Some(0), name), (None, value)] {
            block.extend(lead);
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

impl Peer {
    /// Gives the engine a socket and the bytes that were read from it.
    pub fn connect(engine: &Engine, already_read: &[u8]) -> Self {
        let (ours, theirs) = Self::pair();
        engine.adopt(theirs, already_read, &ListenOptions::default()).expect("a connected socket");
        ours
    }

    pub fn pair() -> (Self, OwnedFd) {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        ours.set_read_timeout(Some(LIMIT)).expect("a time-out");
        ours.set_write_timeout(Some(LIMIT)).expect("a time-out");
        (Self(ours), theirs.into())
    }

    /// An error: the server has ended the connection already.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Says that nothing more comes; reads until the server ends too.
    pub fn end(mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
        let mut sink = [0; 16 << 10];
        loop {
            match self.0.read(&mut sink) {
                Ok(0) => return,
                Ok(_) => {}
                // libFuzzer's clock
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return,
                Err(e) => panic!("the server does not end: {e}"),
            }
        }
    }

    /// A PING, and all that comes until its answer.
    pub fn ping(&mut self) {
        self.0.write_all(&frame(6, 0, 0, b"sentinel")).expect("the server reads");
        let mut head = [0; 9];
        loop {
            self.0.read_exact(&mut head).expect("the server answers");
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; len];
            self.0.read_exact(&mut payload).expect("a whole frame");
            if head[3] == 6 && head[4] == 1 && payload == b"sentinel" {
                return;
            }
        }
    }
}
