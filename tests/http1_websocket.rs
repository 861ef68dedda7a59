//! WebSockets over HTTP/1.1 (RFC 6455 §4.2): the same socket as over HTTP/2, on a connection of its own.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, Cause, ControlKind, MessageKind, Side, Status, StreamKind};
use http::HeaderMap;
use std::io::Write;
use std::time::Duration;
use support::frame::*;
use support::host::{Event, Host, relayed};
use support::http1::{ACCEPT, End, Http1, KEY, get, request, upgrade};

// --- the handshake

#[test]
fn rfc6455_4_2_2_a_handshake_is_accepted() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, upgrade("/echo?x", "Sec-WebSocket-Protocol: other, echo\r\nX-Own: 1\r\n"));
    let answer = client.head();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.field("upgrade"), Some("websocket"));
    assert_eq!(answer.field("connection"), Some("upgrade"));
    assert_eq!(answer.field("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(answer.field("sec-websocket-protocol"), Some("echo"));
    assert_eq!(answer.field("sec-websocket-extensions"), None);
    assert_eq!((answer.field("content-length"), answer.field("transfer-encoding")), (None, None));
    let head = host.request("/echo?x");
    assert_eq!((head.kind, head.method.as_str(), head.subprotocols.len()), (StreamKind::WebSocket, "GET", 2));
    let names: Vec<&str> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains(&"x-own") && !names.contains(&"upgrade") && !names.contains(&"sec-websocket-key"),
        "{names:?}"
    );
    client.echo("hello");
    let stats = host.stats();
    assert_eq!((stats.handshakes, stats.accepted, stats.open_websockets), (1, 1, 1));
}

#[test]
fn the_hosts_fields_are_in_the_answer() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, upgrade("/headers", ""));
    let answer = client.head();
    assert_eq!((answer.status, answer.field("x-extra"), answer.field("content-length")), (101, Some("1"), None));
    assert_eq!(answer.field("connection"), Some("upgrade"));
}

#[test]
fn a_refusal_is_an_answer_and_the_end() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, upgrade("/reject/403", "") + &get("/hello"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("x-reason"), answer.text()), (403, Some("none"), "no\n"));
    assert_eq!(answer.field("connection"), Some("close"));
    client.expect_end(End::Fin);
    assert_eq!(host.request_count(), 1, "what follows a handshake is no request");
    let closed = host.closed(host.request("/reject/403").stream);
    assert_eq!((closed.kind, closed.facts()), (StreamKind::WebSocket, (0, Cause::Rejected, 0, Side::Local)));
    assert_eq!(host.stats().rejected_by_host, 1);
}

/// A handshake that is refused before the host hears of it.
fn refused(request: impl AsRef<[u8]>, status: u16, part: &str) -> support::http1::Answer {
    let host = Host::start();
    let mut client = Http1::send_to(&host, request);
    let answer = client.answer();
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text().contains(part), "{answer:?}");
    client.expect_end(End::Fin);
    host.expect_no_request();
    answer
}

const BASIC: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

#[test]
fn rfc6455_4_2_2_another_version_is_answered_with_426() {
    for version in ["8", "0", "14", "x", ""] {
        let fields = format!("{BASIC}Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: {version}\r\n");
        let answer = refused(request("GET", "/echo", &fields), 426, "must be 13");
        assert_eq!(answer.field("sec-websocket-version"), Some("13"));
        assert_eq!(answer.field("upgrade"), Some("websocket"), "RFC 9110 §15.5.22");
    }
    refused(request("GET", "/echo", &format!("{BASIC}Sec-WebSocket-Key: {KEY}\r\n")), 426, "missing");
}

#[test]
fn rfc6455_4_2_1_there_is_one_key_of_16_bytes() {
    let version = "Sec-WebSocket-Version: 13\r\n";
    for key in
        ["", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ!=", "dGhlIHNhbXBsZSBub25jZSBpcyBsb25n"]
    {
        refused(request("GET", "/echo", &format!("{BASIC}{version}Sec-WebSocket-Key: {key}\r\n")), 400, "key");
    }
    refused(request("GET", "/echo", &format!("{BASIC}{version}")), 400, "key");
    let twice = format!("{BASIC}{version}Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Key: {KEY}\r\n");
    refused(request("GET", "/echo", &twice), 400, "key");
}

#[test]
fn rfc6455_4_1_subprotocols_are_unique_tokens() {
    refused(upgrade("/echo", "Sec-WebSocket-Protocol: a, a\r\n"), 400, "twice");
    refused(upgrade("/echo", "Sec-WebSocket-Protocol: a b\r\n"), 400, "tokens");
}

#[test]
fn rfc6455_4_2_1_there_is_a_host() {
    let text = upgrade("/echo", "").replace("Host: localhost", "Host: ");
    refused(text, 400, "host");
    let text = upgrade("/echo", "").replace("Host: localhost", "Host: user@localhost");
    refused(text, 400, "host");
    let text = upgrade("/echo", "").replace("Host: localhost\r\n", "");
    refused(text, 400, "host");
}

#[test]
fn a_handshake_has_no_body() {
    refused(upgrade("/echo", "Content-Length: 3\r\n") + "abc", 400, "no body");
    refused(upgrade("/echo", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, "no body");
}

#[test]
fn what_only_looks_like_a_handshake_is_a_request() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    for (text, path) in [
        (upgrade("/hello?1", "").replace("GET", "POST"), "/hello?1"),
        (upgrade("/hello?2", "").replace("keep-alive, Upgrade", "keep-alive"), "/hello?2"),
        (upgrade("/hello?3", "").replace("Upgrade: websocket", "Upgrade: other"), "/hello?3"),
    ] {
        client.send(text);
        assert_eq!(client.answer().text(), "hello, world", "{path}");
        assert_eq!(host.request(path).kind, StreamKind::Http);
    }
    client.send(upgrade("/hello?4", "").replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(client.answer().text(), "hello, world");
}

#[test]
fn names_and_lists_are_as_in_rfc9110() {
    let host = Host::start();
    let text = format!(
        "GET /echo HTTP/1.1\r\nhost:localhost\r\nUPGRADE: h2c, WebSocket\r\nConnection: a\r\nconnection: UPGRADE\r\n\
         sec-websocket-version:13\r\nsec-websocket-key:  {KEY}  \r\n\r\n"
    );
    let mut client = Http1::send_to(&host, text);
    assert_eq!(client.head().status, 101);
}

// --- before the answer

#[test]
fn what_comes_before_the_101_is_the_sockets_first() {
    let host = Host::start();
    let early = [upgrade("/later", "").into_bytes(), ws_text("first"), ws_text("second")].concat();
    let mut client = Http1::send_to(&host, early);
    let stream = host.request("/later").stream;
    client.send(&ws_text("third")[..3]);
    host.engine.accept(stream, &Accept::default()).unwrap();
    client.send(&ws_text("third")[3..]);
    assert_eq!(client.head().status, 101);
    let messages = host.wait_messages(stream, 3);
    assert_eq!(messages, [b"first".to_vec(), b"second".to_vec(), b"third".to_vec()]);
    host.engine.send(stream, MessageKind::Text, b"now").unwrap();
    client.expect_frame(TEXT, b"now");
    assert_eq!(host.request_count(), 1);
}

#[test]
fn what_looks_like_a_request_behind_a_handshake_is_a_sockets_bytes() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, upgrade("/echo", "") + &get("/hello"));
    assert_eq!(client.head().status, 101);
    // 'G' is 0x47: reserved bits
    let close = client.frame();
    assert_eq!((close.opcode, &close.payload[..2]), (CLOSE, &1002u16.to_be_bytes()[..]));
    assert_eq!(host.request_count(), 1);
}

#[test]
fn too_much_before_the_answer_ends_the_connection() {
    let host = Host::with(|config| config.early_data = 100);
    let mut client = Http1::send_to(&host, upgrade("/never", ""));
    let stream = host.request("/never").stream;
    client.send([0; 100]);
    client.send([0; 1]);
    client.expect_end(End::Reset);
    let closed = host.closed(stream);
    assert_eq!(closed.facts(), (0, Cause::Violation, 0, Side::Local));
    assert!(closed.reason.contains("early_data"), "{closed:?}");
    assert_eq!(host.stats().limit_early_data, 1);
}

#[test]
fn an_undecided_handshake_is_answered_in_time() {
    let host = Host::with(|config| config.accept_timeout = 50);
    let mut client = Http1::send_to(&host, upgrade("/never", ""));
    assert_eq!(client.answer().status, 503);
    client.expect_end(End::Fin);
    assert_eq!(host.closed(host.request("/never").stream).cause, Cause::Timeout);
    assert_eq!(host.stats().refused_undecided, 1);
}

#[test]
fn a_client_that_leaves_before_the_answer_is_told() {
    let host = Host::start();
    let client = Http1::send_to(&host, upgrade("/never", ""));
    let stream = host.request("/never").stream;
    drop(client);
    assert_eq!(host.closed(stream).facts(), (0, Cause::EndStream, 0, Side::Remote));
    // the handle goes when the callback has returned, which is before its loop serves anybody else
    Http1::upgrade(&host, "/echo");
    assert_eq!(host.engine.accept(stream, &Accept::default()).unwrap_err().status(), Status::Gone);
}

// --- the socket

#[test]
fn messages_of_all_sizes_come_and_go() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000, 5_000_000] {
        let data = vec![7; size];
        let mut socket = client.socket.try_clone().unwrap();
        let frame = ws_binary(&data);
        let writer = std::thread::spawn(move || socket.write_all(&frame).unwrap());
        let echoed = client.frame();
        writer.join().unwrap();
        assert!(echoed.opcode == BINARY && echoed.payload == data, "{size} bytes");
    }
    for byte in ws_text("byte by byte") {
        client.send([byte]);
    }
    client.expect_frame(TEXT, b"byte by byte");
}

/// Large ones are sent from where they came, to several sockets from the same place; a socket that reads late keeps nothing from
/// the others.
#[test]
fn what_is_passed_on_arrives_at_each_socket() {
    let host = Host::with(|config| {
        config.loops = 1;
        config.send_queue = 1 << 26;
    });
    let mut sender = Http1::upgrade(&host, "/relay");
    let mut reader = Http1::upgrade(&host, "/relay");
    let messages = [9, 16_384, 5_000_000, 70_000, 300_000].map(|size| vec![size as u8; size]);
    for message in &messages {
        let mut socket = sender.socket.try_clone().unwrap();
        let frame = ws_binary(message);
        let writer = std::thread::spawn(move || socket.write_all(&frame).unwrap());
        for part in relayed(message) {
            let frame = sender.frame();
            assert!(frame.opcode == BINARY && frame.payload == part, "{} of {} bytes", part.len(), message.len());
        }
        writer.join().unwrap();
    }
    for part in messages.iter().flat_map(|message| relayed(message)) {
        let frame = reader.frame();
        assert!(frame.opcode == BINARY && frame.payload == part, "{} bytes", part.len());
    }
}

#[test]
fn pings_are_answered_and_fragments_put_together() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    let all = [ws_frame(false, TEXT, b"a"), ws_frame(true, WS_PING, b"p"), ws_frame(true, CONTINUE, b"b")].concat();
    client.send(all);
    client.expect_frame(WS_PONG, b"p");
    client.expect_frame(TEXT, b"ab");
}

#[test]
fn the_limits_of_messages_hold() {
    let host = Host::with(|config| {
        config.max_message = 1000;
        config.max_fragments = 3;
    });
    for (frames, code) in [
        (ws_binary(&[0; 1001]), 1009u16),
        (
            [
                ws_frame(false, BINARY, b""),
                ws_frame(false, CONTINUE, b""),
                ws_frame(false, CONTINUE, b""),
                ws_frame(false, CONTINUE, b""),
            ]
            .concat(),
            1008,
        ),
        (ws_frame(true, TEXT, b"\xff"), 1007),
        (ws_frame(true, 3, b""), 1002),
        (vec![0x81, 0x01, b'x'], 1002),
    ] {
        let mut client = Http1::upgrade(&host, "/echo");
        client.send(frames);
        let close = client.frame();
        assert_eq!((close.opcode, &close.payload[..2]), (CLOSE, &code.to_be_bytes()[..]));
        client.expect_end(End::Fin);
    }
    let stats = host.stats();
    assert_eq!((stats.limit_message, stats.limit_fragments, stats.violation_utf8, stats.violation_frame), (1, 1, 1, 2));
}

#[test]
fn without_demand_the_peer_has_to_wait() {
    let host = Host::with(|config| config.stream_window = 64 << 10);
    let mut client = Http1::upgrade(&host, "/demand");
    let stream = host.request("/demand").stream;
    client.socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let message = ws_binary(&[1; 20_000]);
    let mut sent = 0;
    while client.socket.write_all(&message).is_ok() {
        sent += 1;
        assert!(sent < 5_000, "the host reads what it has no room for");
    }
    let read = host.stats().bytes_in;
    assert!(read < 1 << 20, "{read} bytes were read, and wait");
    host.engine.demand(stream, 10).unwrap();
    assert_eq!(host.wait_messages(stream, 10).len(), 10);
    host.engine.demand(stream, sent).unwrap();
    assert_eq!(host.wait_messages(stream, sent as usize).len(), sent as usize);
}

#[test]
fn a_peer_that_does_not_read_makes_the_host_wait() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/quiet");
    let stream = host.request("/quiet").stream;
    let data = vec![2; 100_000];
    let mut sent = 0;
    while host.engine.send(stream, MessageKind::Binary, &data).is_ok() {
        sent += 1;
        assert!(sent < 1000, "100 MB wait");
    }
    for _ in 0..sent {
        assert_eq!(client.frame().payload.len(), data.len());
    }
    host.wait_for("writable", |events| {
        events.iter().any(|e| matches!(e, Event::Writable { stream: s } if *s == stream)).then_some(())
    });
    host.engine.send(stream, MessageKind::Text, b"again").unwrap();
    client.expect_frame(TEXT, b"again");
}

#[test]
fn parts_are_delivered_as_they_come() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/fragments");
    let whole = ws_text("a message in parts");
    client.send(&whole[..10]);
    let first = client.frame();
    assert!(!first.fin && first.opcode == TEXT, "{first:?}");
    client.send(&whole[10..]);
    let mut text = first.payload;
    loop {
        let part = client.frame();
        text.extend(part.payload);
        if part.fin {
            break;
        }
    }
    assert_eq!(text, b"a message in parts");
}

#[test]
fn with_manual_control_the_host_answers() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/manual");
    let stream = host.request("/manual").stream;
    client.send_frame(WS_PING, b"p");
    assert_eq!(host.control(stream, ControlKind::Ping).0, b"p");
    client.send(ws_close(1000, "done"));
    assert_eq!(host.control(stream, ControlKind::Close), (b"done".to_vec(), Some(1000)));
    host.engine.send(stream, MessageKind::Text, b"one more").unwrap();
    client.expect_frame(TEXT, b"one more");
    host.engine.close(stream, Some(1000), "").unwrap();
    client.expect_frame(CLOSE, &close_payload(1000, ""));
    client.expect_end(End::Fin);
}

// --- quiet sockets, drain

#[test]
fn a_quiet_socket_is_pinged_and_ended() {
    let host = Host::with(|config| {
        config.ping_interval = 30;
        config.ping_timeout = 100;
    });
    let mut client = Http1::upgrade(&host, "/echo");
    let stream = host.request("/echo").stream;
    client.expect_frame(WS_PING, b"");
    client.send_frame(WS_PONG, b"");
    client.expect_frame(WS_PING, b"");
    client.expect_end(End::Reset);
    // no HTTP/2, no code of its own (docs/close.md)
    assert_eq!(host.closed(stream).facts(), (1006, Cause::Timeout, 0, Side::Local));
    assert_eq!(host.stats().timeout_ping, 1);
}

#[test]
fn an_idle_socket_is_closed() {
    let host = Host::with(|config| config.idle_timeout = 50);
    let mut client = Http1::upgrade(&host, "/echo");
    client.expect_frame(CLOSE, &close_payload(1001, "idle"));
    client.send(ws_close(1001, ""));
    client.expect_end(End::Fin);
    assert_eq!(host.closed(host.request("/echo").stream).cause, Cause::Timeout);
}

#[test]
fn drain_closes_with_1001() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    let mut late = Http1::send_to(&host, upgrade("/later", ""));
    let later = host.request("/later").stream;
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        client.expect_frame(CLOSE, &close_payload(1001, "going away"));
        client.send(ws_close(1001, ""));
        client.expect_end(End::Fin);
        host.engine.reject(later, 503, HeaderMap::new(), b"").unwrap();
        assert_eq!(late.answer().status, 503);
        drained.join().unwrap().unwrap();
    });
    assert_eq!(host.closed(host.request("/echo").stream).facts(), (1001, Cause::Drain, 0, Side::Local));
}

#[test]
fn a_socket_accepted_during_a_drain_is_closed() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, upgrade("/later", ""));
    let stream = host.request("/later").stream;
    let mut other = Http1::upgrade(&host, "/echo");
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        other.expect_frame(CLOSE, &close_payload(1001, "going away"));
        host.engine.accept(stream, &Accept::default()).unwrap();
        assert_eq!(client.head().status, 101);
        client.expect_frame(CLOSE, &close_payload(1001, "going away"));
        for client in [&mut client, &mut other] {
            client.send(ws_close(1001, ""));
        }
        drained.join().unwrap().unwrap();
    });
}
