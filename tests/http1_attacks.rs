//! What an HTTP/1.1 peer may try: each is refused within its bound, and another client notices nothing.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, Cause, Side, Stats};
use std::io::Write;
use std::time::Duration;
use support::frame::{CLOSE, ws_close, ws_text};
use support::host::Host;
use support::http1::{End, Http1, Sentinel, get, request, upgrade};

/// A head that is answered with `status` and the end of the connection; the host does not hear of it.
fn refused(bytes: impl AsRef<[u8]>, status: u16, part: &str) {
    let host = broken(bytes, status, part);
    assert_eq!(host.request_count(), 1, "the sentinel's");
}

/// A request that is; the host may have heard of its head.
fn broken(bytes: impl AsRef<[u8]>, status: u16, part: &str) -> Host {
    let host = Host::start();
    let mut sentinel = Sentinel::of(&host);
    let mut client = Http1::send_to(&host, bytes);
    let answer = client.answer();
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text().contains(part), "expected {part:?}: {answer:?}");
    assert_eq!(answer.field("connection"), Some("close"));
    client.expect_end(End::Fin);
    assert_eq!(host.stats().violation_http1, 1);
    sentinel.check();
    host
}

fn post(fields: &str) -> String {
    request("POST", "/echo-body", fields)
}

// --- two readers must see one request (RFC 9112 §11.2)

#[test]
fn rfc9112_6_3_length_and_chunked_in_one_request() {
    for fields in [
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\ntransfer-encoding:\tchunked\r\n",
    ] {
        refused(post(fields) + "0\r\n\r\n" + &get("/hello"), 400, "transfer-encoding and content-length");
    }
}

#[test]
fn rfc9112_6_3_more_than_one_length() {
    for fields in ["Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\ncontent-length: 3\r\n"] {
        refused(post(fields) + "abc" + &get("/hello"), 400, "more than one content-length");
    }
    refused(post("Content-Length: 3, 3\r\n") + "abc", 400, "not a number");
}

#[test]
fn rfc9110_8_6_a_length_is_digits() {
    for length in ["+3", "-1", "0x3", "3 ", "", "3.0", "99999999999999999999", "\u{663}"] {
        let fields = format!("Content-Length: x{length}\r\n");
        refused(post(&fields) + "abc", 400, "");
        if length.trim() != length || length.is_empty() || !length.is_ascii() {
            continue;
        }
        refused(post(&format!("Content-Length: {length}\r\n")) + "abc", 400, "not a number");
    }
}

#[test]
fn rfc9112_6_1_other_codings() {
    for (coding, status) in [
        ("gzip", 501),
        ("gzip, chunked", 501),
        ("chunked, gzip", 501),
        ("chunked\r\nTransfer-Encoding: chunked", 501),
        ("xchunked", 501),
        ("\"chunked\"", 501),
    ] {
        refused(post(&format!("Transfer-Encoding: {coding}\r\n")) + "0\r\n\r\n", status, "not chunked alone");
    }
    let old = "POST /echo-body HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    refused(old, 400, "HTTP/1.0");
}

#[test]
fn rfc9112_5_2_folded_fields() {
    refused(request("GET", "/hello", "X-A: 1\r\n 2\r\n"), 400, "folded");
    refused(request("GET", "/hello", "X-A: 1\r\n\tContent-Length: 3\r\n"), 400, "folded");
    refused("GET /hello HTTP/1.1\r\n Host: localhost\r\n\r\n", 400, "");
}

#[test]
fn rfc9112_5_1_names_stand_at_their_colon() {
    for field in ["Content-Length : 3", "X A: 1", ": 1", "X-\u{e4}: 1", "X(a): 1", "NoColon"] {
        refused(request("POST", "/echo-body", &format!("{field}\r\n")), 400, "");
    }
}

#[test]
fn rfc9112_2_2_lines_end_with_crlf() {
    refused("GET /hello HTTP/1.1\nHost: a\n\n", 400, "LF");
    refused("GET /hello HTTP/1.1\r\nHost: a\r\nX: 1\n\r\n", 400, "LF");
    refused("GET /hello HTTP/1.1\r\nHost: a\n\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "LF");
    refused("GET /hello HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", 400, "");
    refused("GET /hello HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400, "");
    refused("\r\n".repeat(9) + &get("/hello"), 400, "empty lines");
    let host = Host::start();
    let mut client = Http1::send_to(&host, "\r\n".repeat(3) + &get("/hello"));
    assert_eq!(client.answer().status, 200, "a few are skipped");
}

#[test]
fn rfc9112_3_2_one_host() {
    refused("GET /hello HTTP/1.1\r\n\r\n", 400, "host");
    refused("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "host");
    refused("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "host");
}

#[test]
fn rfc9112_3_the_request_line() {
    refused("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "");
    refused("GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n", 505, "version");
    refused("G\u{e4}T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "");
    refused("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version");
    refused("GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 505, "version");
    refused("GET /hello\r\n\r\n", 400, "");
    refused("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, "tunnels");
}

#[test]
fn rfc9112_7_1_broken_chunks_before_the_answer() {
    let head = request("POST", "/demand-body", "Transfer-Encoding: chunked\r\n");
    for (chunks, part) in [
        ("x\r\n", "hexadecimal"),
        ("\r\n", "hexadecimal"),
        ("-1\r\n", "hexadecimal"),
        ("0x3\r\n", "hexadecimal"),
        ("10000000000000003\r\nabc", "digits"),
        ("3\nabc", "hexadecimal"),
        ("3\rabc", "CRLF"),
        ("3\r\nabcd\r\n", "CRLF"),
        ("3\r\nabc\n", "CRLF"),
        ("3;a\nb\r\nabc\r\n", "extension"),
        ("0\r\nX: 1\n\r\n", "LF"),
    ] {
        broken(head.clone() + chunks, 400, part);
    }
    broken(format!("{head}3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(300)), 400, "too long");
}

#[test]
fn broken_chunks_after_the_answer_began_cut_the_connection() {
    let host = Host::start();
    let mut sentinel = Sentinel::of(&host);
    let mut client = Http1::send_to(&host, post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n");
    assert_eq!(client.head().status, 200);
    client.send("x\r\n");
    let (_, end) = client.end();
    assert_eq!(end, End::Reset, "no client takes it for a whole response");
    let closed = host.closed(host.request("/echo-body").stream);
    assert_eq!(closed.facts(), (0, Cause::Violation, 0, Side::Local));
    sentinel.check();
}

/// What stands behind a handshake is the socket's (RFC 9110 §7.8): never a request, whichever way it comes, and whatever
/// becomes of the handshake.
#[test]
fn rfc9110_7_8_bytes_behind_an_upgrade_smuggle_no_request() {
    let host = Host::start();
    let mut sentinel = Sentinel::of(&host);
    let smuggled = get("/hello") + &upgrade("/echo", "");
    for split in [0, 1, 3, smuggled.len()] {
        let (early, late) = smuggled.split_at(split);
        let path = format!("/later?{split}");
        let mut client = Http1::send_to(&host, upgrade(&path, "") + early);
        let stream = host.request(&path).stream;
        host.engine.accept(stream, &Accept::default()).unwrap();
        assert_eq!(client.head().status, 101);
        client.send(late);
        // 'G' is 0x47: reserved bits, no frame that a client may send (RFC 6455 §5.2)
        let close = client.frame();
        assert_eq!((close.opcode, &close.payload[..2]), (CLOSE, &1002u16.to_be_bytes()[..]), "after {split} bytes");
        client.expect_end(End::Fin);
        assert_eq!(host.closed(stream).facts(), (1002, Cause::Violation, 0, Side::Local));
    }
    // in a frame it is a message, whole, before or after the answer
    let text = ws_text(&smuggled);
    for split in [0, 1, 8, text.len()] {
        let path = format!("/later?text{split}");
        let early = [upgrade(&path, "").as_bytes(), &text[..split]].concat();
        let mut client = Http1::send_to(&host, early);
        let stream = host.request(&path).stream;
        host.engine.accept(stream, &Accept::default()).unwrap();
        assert_eq!(client.head().status, 101);
        client.send(&text[split..]);
        assert_eq!(host.wait_messages(stream, 1), [smuggled.as_bytes()], "after {split} bytes");
        client.send(ws_close(1000, ""));
        client.expect_frame(CLOSE, &1000u16.to_be_bytes());
        client.expect_end(End::Fin);
    }
    // a refused one
    for path in ["/reject/404", "/nowhere"] {
        let mut client = Http1::send_to(&host, upgrade(path, "") + &smuggled);
        assert_eq!(client.answer().status, 404, "one answer");
        client.expect_end(End::Fin);
    }
    sentinel.check();
    let stats = host.stats();
    assert_eq!(host.request_count(), 11, "the sentinel's, and ten handshakes");
    assert_eq!((stats.handshakes, stats.violation_http1, stats.violation_frame), (11, 0, 4));
}

// --- size and number

#[test]
fn rfc9110_15_heads_have_a_bound() {
    let host = Host::with(|config| {
        config.max_header_list = 2000;
        config.max_header_fields = 10;
    });
    let mut sentinel = Sentinel::of(&host);
    let fields = |n: usize, len: usize| format!("X: {}\r\n", "y".repeat(len)).repeat(n);
    for (text, status) in [
        (request("GET", "/hello", &fields(1, 3000)), 431),
        (request("GET", "/hello", &fields(10, 1)), 431),
        (get(&format!("/{}", "p".repeat(3000))), 414),
        // without an end
        (format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(3000)), 431),
        (format!("GET /{}", "p".repeat(3000)), 414),
    ] {
        let mut client = Http1::send_to(&host, text);
        assert_eq!(client.answer().status, status);
        client.expect_end(End::Fin);
    }
    let mut client = Http1::send_to(&host, request("GET", "/hello", &fields(9, 1)));
    assert_eq!(client.answer().status, 200, "ten fields, with host");
    sentinel.check();
}

#[test]
fn trailers_have_a_bound() {
    let host = Host::with(|config| {
        config.max_header_list = 2000;
        config.max_header_fields = 10;
    });
    let mut sentinel = Sentinel::of(&host);
    let head = request("POST", "/demand-body", "Transfer-Encoding: chunked\r\n") + "0\r\n";
    for trailers in [format!("X: {}", "y".repeat(3000)), "X: 1\r\n".repeat(11)] {
        let mut client = Http1::send_to(&host, head.clone() + &trailers);
        assert_eq!(client.answer().status, 431);
        client.expect_end(End::Fin);
    }
    sentinel.check();
}

#[test]
fn a_pipeline_is_not_read_ahead_without_end() {
    let host = Host::start();
    let mut sentinel = Sentinel::of(&host);
    let mut client = Http1::send_to(&host, get("/test"));
    host.request("/test");
    client.socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let many = get("/hello").repeat(1000);
    let mut sent = 0;
    while let Ok(n) = client.socket.write(many.as_bytes()) {
        sent += n;
        assert!(sent < 100 << 20, "the host reads on");
    }
    let read = host.stats().bytes_in;
    assert!(read < 1 << 20, "{read} bytes were read ahead");
    assert_eq!(host.request_count(), 2);
    sentinel.check();
}

// --- slow peers

/// What a peer that stops after `bytes` comes to.
fn stalls(bytes: &str, change: impl FnOnce(&mut h2ws::Config), counted: impl Fn(&Stats) -> u64) -> Vec<u8> {
    let host = Host::with(change);
    let mut sentinel = Sentinel::of(&host);
    let client = Http1::send_to(&host, bytes);
    let (answer, _) = client.end();
    host.wait_stats("the deadline is counted", |stats| counted(stats) == 1);
    sentinel.check();
    answer
}

#[test]
fn rfc9110_15_5_9_a_slow_head_is_answered_with_408() {
    for begun in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: y", "GET / HTTP/1.1\r\nHost: a\r\n\r"] {
        let answer = stalls(begun, |config| config.header_timeout = 60, |stats| stats.timeout_header);
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn a_head_that_drips_is_slow_too() {
    let host = Host::with(|config| config.header_timeout = 200);
    let mut sentinel = Sentinel::of(&host);
    let mut client = Http1::send_to(&host, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    // a byte comes long before the last one is too old, and so few of them that no limit of size is near
    let mut dripped = 0;
    while host.stats().timeout_header == 0 {
        assert!(dripped < 1_000, "a byte every 10 ms, and no end of it");
        dripped += usize::from(client.socket.write_all(b"y").is_ok());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(host.stats().violation_http1, 0, "it was slow, not wrong");
    sentinel.check();
}

#[test]
fn an_idle_connection_is_ended_quietly() {
    let answer = stalls(&get("/hello"), |config| config.keep_alive_timeout = 60, |stats| stats.timeout_keep_alive);
    assert!(answer.ends_with(b"hello, world"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn a_connection_without_a_byte_is_ended() {
    let answer = stalls("", |config| config.preface_timeout = 60, |stats| stats.timeout_preface);
    assert_eq!(answer, b"");
}

#[test]
fn many_handshakes_that_nobody_decides_hold_no_thread() {
    let host = Host::start();
    let mut sentinel = Sentinel::of(&host);
    let waiting: Vec<Http1> = (0..200).map(|n| Http1::send_to(&host, upgrade(&format!("/never?{n}"), ""))).collect();
    host.wait_stats("all are there", |stats| stats.handshakes == 201);
    sentinel.check();
    drop(waiting);
    host.wait_stats("all are gone", |stats| stats.open_connections == 1);
}
