//! A client that speaks HTTP/1.1 byte by byte, and the WebSocket that its connection may become.

use super::FAILURE;
use super::frame::{WsFrame, take_ws_frame, ws_frame, ws_text};
use super::host::Host;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// RFC 6455 §1.3: this key, and the answer to it.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Fin,
    Reset,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub version: String,
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }
}

/// A connection.
#[derive(Debug)]
pub struct Http1 {
    pub socket: TcpStream,
    buffer: Vec<u8>,
}

impl Http1 {
    pub fn connect(host: &Host) -> Self {
        let socket = TcpStream::connect(&host.address).expect("the host listens");
        socket.set_read_timeout(Some(FAILURE)).expect("a time-out");
        socket.set_nodelay(true).expect("TCP");
        Self { socket, buffer: Vec::new() }
    }

    /// A connection that has sent `bytes`.
    pub fn send_to(host: &Host, bytes: impl AsRef<[u8]>) -> Self {
        let mut client = Self::connect(host);
        client.send(bytes);
        client
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).expect("the host reads");
    }

    /// A request without a body.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send(get(path));
        self.answer()
    }

    pub fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).expect("connected");
    }

    /// Ends the connection with RST.
    pub fn reset(self) {
        let socket = socket2::Socket::from(self.socket);
        socket.set_linger(Some(Duration::ZERO)).expect("TCP");
    }

    /// Reads once. `None`: more has come.
    fn read(&mut self) -> Option<End> {
        let mut piece = [0; 16 << 10];
        match self.socket.read(&mut piece) {
            Ok(0) => Some(End::Fin),
            Ok(n) => {
                self.buffer.extend_from_slice(&piece[..n]);
                None
            }
            Err(e) if e.kind() == ErrorKind::ConnectionReset => Some(End::Reset),
            Err(e) => panic!("expected more bytes: {e}; there are {:?}", String::from_utf8_lossy(&self.buffer)),
        }
    }

    fn fill(&mut self) {
        let end = self.read();
        let there = String::from_utf8_lossy(&self.buffer);
        assert_eq!(end, None, "expected more bytes; there are {there:?}");
    }

    fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).expect("a line of text");
            }
            self.fill();
        }
    }

    fn fields(&mut self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                return fields;
            }
            let (name, value) = line.split_once(':').expect("a field");
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        while self.buffer.len() < n {
            self.fill();
        }
        self.buffer.drain(..n).collect()
    }

    /// A response's head, interim ones too.
    pub fn head(&mut self) -> Answer {
        let line = self.line();
        let mut words = line.splitn(3, ' ');
        let version = words.next().expect("a version").to_owned();
        let status = words.next().and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status line: {line:?}"));
        Answer { version, status, fields: self.fields(), body: Vec::new(), trailers: Vec::new() }
    }

    /// A whole response to anything but HEAD.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if let Some(length) = answer.field("content-length") {
            let length = length.parse().expect("a number");
            answer.body = self.take(length);
        } else if answer.field("transfer-encoding") == Some("chunked") {
            loop {
                let line = self.line();
                let size = usize::from_str_radix(&line, 16).expect("a chunk's size");
                if size == 0 {
                    answer.trailers = self.fields();
                    break;
                }
                answer.body.extend(self.take(size));
                assert_eq!(self.line(), "", "a chunk ends with CRLF");
            }
        } else if !matches!(answer.status, 100..=199 | 204 | 304) {
            while self.read().is_none() {}
            answer.body = std::mem::take(&mut self.buffer);
        }
        answer
    }

    /// Reads to the end of the connection; what had come before it, and how it ended.
    pub fn end(mut self) -> (Vec<u8>, End) {
        loop {
            if let Some(end) = self.read() {
                return (self.buffer, end);
            }
        }
    }

    /// The connection ends, with nothing before it.
    pub fn expect_end(self, expected: End) {
        let (rest, end) = self.end();
        assert_eq!((String::from_utf8_lossy(&rest).as_ref(), end), ("", expected));
    }

    /// Opens a WebSocket.
    pub fn upgrade(host: &Host, path: &str) -> Self {
        let mut client = Self::send_to(host, upgrade(path, ""));
        let answer = client.head();
        assert_eq!(answer.status, 101, "{answer:?}");
        client
    }

    /// A frame of the server's.
    pub fn frame(&mut self) -> WsFrame {
        loop {
            if let Some(frame) = take_ws_frame(&mut self.buffer) {
                return frame;
            }
            self.fill();
        }
    }

    pub fn expect_frame(&mut self, opcode: u8, payload: &[u8]) {
        let frame = self.frame();
        assert_eq!((frame.opcode, &frame.payload[..]), (opcode, payload), "{frame:?}");
    }

    /// A text goes there and comes back.
    pub fn echo(&mut self, text: &str) {
        self.send(ws_text(text));
        self.expect_frame(super::frame::TEXT, text.as_bytes());
    }

    pub fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        self.send(ws_frame(true, opcode, payload));
    }
}

/// A request without a body.
pub fn get(path: &str) -> String {
    request("GET", path, "")
}

/// A request's head, with further `fields`, each with its CRLF.
pub fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// A WebSocket's handshake, with further `fields`, each with its CRLF.
pub fn upgrade(path: &str, fields: &str) -> String {
    let own = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    request("GET", path, &format!("{own}Sec-WebSocket-Key: {KEY}\r\n{fields}"))
}

/// Another client's socket, on which all is well.
pub struct Sentinel(Http1);

impl Sentinel {
    pub fn of(host: &Host) -> Self {
        let mut client = Http1::upgrade(host, "/echo");
        client.echo("before");
        Self(client)
    }

    /// It still is.
    pub fn check(&mut self) {
        self.0.echo("still here");
    }
}
