//! permessage-deflate (RFC 7692) over HTTP/1.1: the same handshake, contexts and messages.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use support::FAILURE;
use support::deflate::*;
use support::frame::*;
use support::host::Host;

/// A WebSocket over HTTP/1.1: the connection, and what has come on it.
struct Upgraded {
    tcp: TcpStream,
    buffer: Vec<u8>,
}

impl Upgraded {
    /// Opens one with an offer; gives the answer to the offer.
    fn open(host: &Host, path: &str, offer: &str) -> (Self, Option<String>) {
        let mut tcp = TcpStream::connect(&host.address).expect("connects");
        tcp.set_read_timeout(Some(FAILURE)).expect("timeout");
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-extensions: {offer}\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).expect("sent");
        let mut upgraded = Self { tcp, buffer: Vec::new() };
        let end = loop {
            match upgraded.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => upgraded.read(),
            }
        };
        let head: Vec<u8> = upgraded.buffer.drain(..end).collect();
        let head = String::from_utf8(head).expect("ASCII");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let answer = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: ")).map(str::to_owned);
        (upgraded, answer)
    }

    fn read(&mut self) {
        let mut chunk = [0; 65_536];
        let n = self.tcp.read(&mut chunk).expect("something comes in time");
        assert!(n > 0, "the connection ended; not taken: {:02x?}", self.buffer);
        self.buffer.extend_from_slice(&chunk[..n]);
    }

    fn frame(&mut self) -> WsFrame {
        loop {
            match take_ws_frame(&mut self.buffer) {
                Some(frame) => return frame,
                None => self.read(),
            }
        }
    }
}

#[test]
fn over_http1_the_same_is_agreed_on_and_messages_are_compressed() {
    for takeover_on in [false, true] {
        let host = host(|config| {
            (config.deflate_server_takeover, config.deflate_client_takeover) = (takeover_on, takeover_on);
        });
        let (mut socket, answer) = Upgraded::open(&host, "/echo", OFFER);
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assert_eq!(answer.as_deref(), Some(if takeover_on { "permessage-deflate" } else { both }));
        let mut peer = Peer::new(takeover_on, takeover_on);
        for message in [json(10), json(3000), json(10)] {
            let frame = ws_frame(true, TEXT_COMPRESSED, &peer.compress(message.as_bytes()));
            socket.tcp.write_all(&frame).expect("sent");
            let echo = socket.frame();
            assert_eq!((echo.fin, echo.opcode), (true, TEXT_COMPRESSED));
            assert!(peer.inflate(&echo.payload) == message.as_bytes(), "takeover {takeover_on}");
        }
        socket.tcp.write_all(&ws_frame(true, TEXT_COMPRESSED, b"\x07")).expect("sent");
        assert_eq!(socket.frame(), WsFrame { fin: true, opcode: CLOSE, payload: close_payload(1007, "") });
        drop(socket);
        assert_eq!(host.closed(host.request("/echo").stream).code, 1007);
        let stats = host.stats();
        assert_eq!((stats.compressed_in, stats.compressed_out, stats.violation_deflate), (3, 3, 1));
    }
}

#[test]
fn over_http1_what_waits_for_demand_is_inflated_then() {
    let host = host(takeover);
    let (mut socket, _) = Upgraded::open(&host, "/demand-echo", OFFER);
    let mut peer = Peer::new(true, true);
    for message in ["one", "two"] {
        let compressed = peer.compress(message.repeat(100).as_bytes());
        socket.tcp.write_all(&ws_frame(true, TEXT_COMPRESSED, &compressed)).expect("sent");
    }
    socket.tcp.write_all(&ws_frame(true, TEXT_COMPRESSED, b"plain text")).expect("sent");
    let id = host.request("/demand-echo").stream;
    host.engine.demand(id, 3).expect("open");
    for message in ["one", "two"] {
        assert_eq!(peer.inflate(&socket.frame().payload), message.repeat(100).into_bytes());
    }
    assert_eq!(socket.frame(), WsFrame { fin: true, opcode: CLOSE, payload: close_payload(1007, "") });
}

#[test]
fn over_http1_a_host_may_decline() {
    let host = host(|_| {});
    let (mut socket, answer) = Upgraded::open(&host, "/no-deflate", OFFER);
    assert_eq!(answer, None);
    socket.tcp.write_all(&ws_text(&json(100))).expect("sent");
    assert_eq!(socket.frame(), WsFrame { fin: true, opcode: TEXT, payload: json(100).into_bytes() });
}
