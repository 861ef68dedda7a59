//! Requests over HTTP/1.1 (RFC 9112): the same events as over HTTP/2.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, ListenOptions, Side, Status, StreamKind};
use http::HeaderMap;
use std::io::Write;
use std::time::Duration;
use support::host::{Event, Host, header_map};
use support::http1::{End, Http1, get, request, upgrade};

#[test]
fn a_request_is_told_and_answered() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    let answer = client.get("/hello?a=b");
    assert_eq!((answer.version.as_str(), answer.status, answer.text()), ("HTTP/1.1", 200, "hello, world"));
    assert_eq!(answer.field("content-length"), Some("12"));
    let head = host.request("/hello?a=b");
    assert_eq!((head.method.as_str(), head.scheme.as_str(), head.authority.as_str()), ("GET", "http", "localhost"));
    assert_eq!((head.kind, head.end), (StreamKind::Http, true));
    assert_eq!(host.closed(head.stream).facts(), (0, Cause::Complete, 0, Side::Local));
}

#[test]
fn connection_fields_are_not_the_hosts_business() {
    let host = Host::start();
    let fields = "Connection: keep-alive, x-hop\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nTE: trailers\r\nX-Own: 1\r\nX-Own: 2\r\n";
    Http1::send_to(&host, request("GET", "/hello", fields)).answer();
    let names: Vec<String> = host.request("/hello").headers.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["host", "te", "x-own", "x-own"], "in their order, and all of one name");
}

#[test]
fn rfc9112_9_3_connections_persist() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    for n in 0..50 {
        assert_eq!(client.get(&format!("/bytes/{n}")).body.len(), n);
    }
    assert_eq!(host.stats().connections, 1);
    client.send(request("GET", "/hello", "Connection: close\r\n"));
    let answer = client.answer();
    assert_eq!(answer.field("connection"), Some("close"));
    client.expect_end(End::Fin);
}

#[test]
fn rfc9112_9_3_http_1_0_ends_unless_asked() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, "GET /hello HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.version.as_str(), answer.text()), ("HTTP/1.0", "hello, world"));
    client.expect_end(End::Fin);
    let mut client = Http1::send_to(&host, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().field("connection"), Some("keep-alive"));
    assert_eq!(client.get("/hello").status, 200);
}

#[test]
fn rfc9112_9_3_2_pipelined_requests_are_answered_in_order() {
    let host = Host::start();
    let all: String = (0..20).map(|n| get(&format!("/bytes/{n}"))).collect();
    let mut client = Http1::send_to(&host, all);
    for n in 0..20 {
        assert_eq!(client.answer().body.len(), n);
    }
}

#[test]
fn the_next_request_waits_for_the_answer_to_the_last() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, get("/test") + &get("/hello"));
    let first = host.request("/test");
    assert_eq!(host.request_count(), 1, "one at a time");
    host.engine.respond(first.stream, 200, HeaderMap::new(), b"first").unwrap();
    assert_eq!(client.answer().text(), "first");
    assert_eq!(client.answer().text(), "hello, world");
}

#[test]
fn a_client_may_end_its_side_and_wait() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, get("/test") + &get("/hello"));
    client.half_close();
    host.engine.respond(host.request("/test").stream, 200, HeaderMap::new(), b"late").unwrap();
    assert_eq!(client.answer().text(), "late");
    assert_eq!(client.answer().text(), "hello, world");
    client.expect_end(End::Fin);
}

#[test]
fn a_body_by_length_comes_and_goes_in_pieces() {
    let host = Host::start();
    let body: Vec<u8> = (0..2_000_000u32).map(|i| i as u8).collect();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/echo-body", &format!("Content-Length: {}\r\n", body.len())));
    let mut socket = client.socket.try_clone().unwrap();
    let sent = body.clone();
    let writer = std::thread::spawn(move || socket.write_all(&sent).unwrap());
    let answer = client.answer();
    writer.join().unwrap();
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
    assert!(answer.body == body, "what was sent comes back");
    assert_eq!(client.get("/hello").status, 200, "the connection goes on");
}

#[test]
fn rfc9112_7_1_a_chunked_body_and_its_trailers_come_and_go() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/echo-body", "Transfer-Encoding: chunked\r\n"));
    for byte in b"5;ext=\"x\"\r\nhello\r\n7\r\n, world\r\n0\r\nX-Sum: 12\r\nx-more: a b\r\n\r\n" {
        client.send([*byte]);
    }
    let answer = client.answer();
    assert_eq!(answer.text(), "hello, world");
    let trailers: Vec<_> = answer.trailers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(trailers, [("x-sum", "12"), ("x-more", "a b")]);
    assert_eq!(client.get("/hello").status, 200, "the connection goes on");
    assert_eq!(client.get("/trailers").trailers, [("x-checksum".to_owned(), "4".to_owned())]);
}

#[test]
fn http_1_0_gets_no_chunks_and_no_trailers() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, "GET /trailers HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.field("transfer-encoding"), answer.text()), (None, "body"));
}

#[test]
fn a_body_comes_as_it_is_asked_for() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/demand-body", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n");
    let stream = host.request("/demand-body").stream;
    let bodies = || host.events(|e| e.iter().filter(|e| matches!(e, Event::Body { .. })).count());
    client.send("3\r\ndef\r\n0\r\n\r\n");
    assert_eq!(bodies(), 0, "nothing was asked for");
    host.engine.demand(stream, 1).unwrap();
    host.wait_for("a piece", |e| e.iter().any(|e| matches!(e, Event::Body { .. })).then_some(()));
    host.engine.demand(stream, 100).unwrap();
    assert_eq!(host.body(stream).0, b"abcdef");
    host.engine.respond(stream, 200, HeaderMap::new(), b"").unwrap();
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_body_that_is_not_asked_for_is_not_read() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/demand-body", "Content-Length: 1000000000\r\n"));
    client.socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let piece = vec![0; 1 << 20];
    let mut sent = 0;
    while let Ok(n) = client.socket.write(&piece) {
        sent += n;
        assert!(sent < 100 << 20, "the host reads what was not asked for");
    }
    let read = host.stats().bytes_in;
    assert!(read < 1 << 20, "{read} bytes were read of a body that nobody wants");
    let stream = host.request("/demand-body").stream;
    client.reset();
    // nothing is read, so that it is known when something is written
    host.engine.respond_start(stream, 200, HeaderMap::new()).unwrap();
    // unless that has been seen already
    let _either = host.engine.demand(stream, 1000);
    assert_eq!(host.closed(stream).cause, Cause::Disconnected);
}

#[test]
fn rfc9110_10_1_1_a_body_is_asked_for_when_it_is_wanted() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/echo-body", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
    assert_eq!(client.head().status, 100);
    client.send("abc");
    assert_eq!(client.answer().text(), "abc");

    let mut client = Http1::connect(&host);
    client.send(request("POST", "/early", "Expect: 100-continue\r\nContent-Length: 1000000\r\n"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (413, "enough"), "an answer instead of 100");
}

#[test]
fn an_answer_before_the_body_is_an_answer() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("POST", "/early", "Content-Length: 100000\r\n"));
    assert_eq!(client.answer().status, 413);
    // the rest is not read as a request
    let _ = client.socket.write_all(get("/hello").as_bytes());
    let (rest, _) = client.end();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    assert_eq!(host.request_count(), 1);
}

#[test]
fn rfc9110_9_3_2_head_has_no_body() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send(request("HEAD", "/bytes/1000", ""));
    let head = client.head();
    assert_eq!((head.status, head.field("content-length")), (200, Some("1000")));
    for status in [204, 304] {
        client.send(get(&format!("/status/{status}")));
        let head = client.head();
        assert_eq!((head.status, head.field("transfer-encoding")), (status, None));
    }
    assert_eq!(client.get("/hello").text(), "hello, world", "nothing came in between");
}

#[test]
fn rfc9110_15_2_an_interim_response_comes_first() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, get("/inform"));
    let interim = client.head();
    assert_eq!((interim.status, interim.field("link")), (103, Some("</style.css>; rel=preload")));
    assert_eq!(client.answer().text(), "after");
    let mut old = Http1::send_to(&host, "GET /inform HTTP/1.0\r\n\r\n");
    assert_eq!(old.answer().text(), "after", "HTTP/1.0 knows none");
}

#[test]
fn rfc9112_3_2_each_form_of_target_is_understood() {
    let host = Host::start();
    let mut client = Http1::connect(&host);
    client.send("GET http://example.org:81/test?q HTTP/1.1\r\nHost: other\r\n\r\n");
    let head = host.request("/test?q");
    assert_eq!(head.authority, "example.org:81", "RFC 9112 §3.2.2: the target's, not host's");
    host.engine.respond(head.stream, 200, HeaderMap::new(), b"").unwrap();
    client.answer();
    client.send(request("OPTIONS", "*", ""));
    assert_eq!(client.answer().status, 404);
    assert_eq!(host.request("*").method, "OPTIONS");
}

#[test]
fn rfc9113_3_1_an_upgrade_to_h2c_is_ignored() {
    let host = Host::start();
    let fields = "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let mut client = Http1::send_to(&host, request("GET", "/hello", fields));
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("upgrade"), answer.text()), (200, None, "hello, world"));
    assert_eq!(client.get("/hello").status, 200);
}

#[test]
fn a_peer_that_does_not_read_makes_the_host_wait() {
    let host = Host::start();
    let mut client = Http1::send_to(&host, get("/test"));
    let stream = host.request("/test").stream;
    host.engine.respond_start(stream, 200, header_map(&[("content-length", "100000000")])).unwrap();
    let piece = vec![b'x'; 100_000];
    let (mut sent, mut busy) = (0, 0);
    while sent < 1000 {
        match host.engine.send_body(stream, &piece) {
            Ok(()) => sent += 1,
            Err(e) => {
                assert_eq!(e.status(), Status::Busy);
                busy += 1;
                if busy == 1 {
                    // the queue, a batch of output, and what the system takes
                    assert!(sent * piece.len() < 16 << 20, "{sent} pieces wait");
                    let socket = client.socket.try_clone().unwrap();
                    std::thread::spawn(move || std::io::copy(&mut { socket }, &mut std::io::sink()));
                }
                host.wait_for("writable", |events| {
                    let found = events.iter().position(|e| matches!(e, Event::Writable { stream: s } if *s == stream));
                    found.map(|at| events.remove(at))
                });
            }
        }
    }
    assert!(busy > 0, "100 MB do not fit anywhere");
    host.engine.finish(stream, None).unwrap();
    assert_eq!(host.closed(stream).cause, Cause::Complete);
    client.half_close();
}

#[test]
fn an_abort_is_tcps_reset() {
    let host = Host::start();
    let client = Http1::send_to(&host, get("/test"));
    let stream = host.request("/test").stream;
    host.engine.abort(stream, 8).unwrap();
    client.expect_end(End::Reset);
    assert_eq!(host.closed(stream).facts(), (0, Cause::Reset, 8, Side::Local));
}

#[test]
fn a_client_that_goes_is_told() {
    let host = Host::start();
    let client = Http1::send_to(&host, get("/test"));
    let stream = host.request("/test").stream;
    client.reset();
    assert_eq!(host.closed(stream).facts(), (0, Cause::Disconnected, 0, Side::Remote));
    let client = Http1::send_to(&host, request("POST", "/demand-body", "Content-Length: 10\r\n") + "abc");
    let stream = host.request("/demand-body").stream;
    host.engine.demand(stream, 10).unwrap();
    drop(client);
    assert_eq!(host.closed(stream).cause, Cause::Disconnected, "a body that is not whole");
}

#[test]
fn a_response_that_is_not_what_its_head_says_is_cut() {
    let host = Host::start();
    // the end of the body alone, and in one turn with all else
    for alone in [true, false] {
        let path = if alone { "/test/alone" } else { "/test" };
        let mut client = Http1::send_to(&host, get(path));
        let stream = host.request(path).stream;
        host.engine.respond_start(stream, 200, header_map(&[("content-length", "10")])).unwrap();
        if alone {
            assert_eq!(client.head().status, 200);
        }
        host.engine.send_body(stream, b"abc").unwrap();
        host.engine.finish(stream, None).unwrap();
        let (_, end) = client.end();
        assert_eq!(end, End::Reset, "no client takes it for whole; the end alone: {alone}");
        assert_eq!(host.closed(stream).facts(), (0, Cause::Reset, 0, Side::Local));
    }
}

#[test]
fn a_host_that_panics_ends_its_connection_alone() {
    let host = Host::start();
    let mut other = Http1::connect(&host);
    assert_eq!(other.get("/hello").status, 200);
    let client = Http1::send_to(&host, get("/panic"));
    client.expect_end(End::Reset);
    assert_eq!(host.stats().panics, 1);
    assert_eq!(other.get("/hello").status, 200);
}

#[test]
fn drain_finishes_what_was_begun() {
    let host = Host::start();
    let idle = Http1::connect(&host);
    let mut kept = Http1::connect(&host);
    assert_eq!(kept.get("/hello").status, 200);
    let mut busy = Http1::send_to(&host, get("/test"));
    let stream = host.request("/test").stream;
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        idle.expect_end(End::Fin);
        kept.expect_end(End::Fin);
        host.engine.respond(stream, 200, HeaderMap::new(), b"last").unwrap();
        let answer = busy.answer();
        assert_eq!((answer.field("connection"), answer.text()), (Some("close"), "last"));
        busy.expect_end(End::Fin);
        drained.join().unwrap().unwrap();
    });
}

#[test]
fn a_listener_without_websockets_ignores_the_upgrade() {
    let host = Host::with_options(|_| {}, &ListenOptions { websockets: false, ..ListenOptions::default() });
    let mut client = Http1::send_to(&host, upgrade("/hello", ""));
    assert_eq!(client.answer().text(), "hello, world");
    assert_eq!(host.request("/hello").kind, StreamKind::Http);
}

#[test]
fn http2_may_be_off() {
    let host = Host::with_options(|_| {}, &ListenOptions { http2: false, ..ListenOptions::default() });
    assert_eq!(Http1::connect(&host).get("/hello").status, 200);
    let client = Http1::send_to(&host, support::frame::PREFACE);
    let (answer, end) = client.end();
    assert_eq!(end, End::Fin);
    let expected = [&[0, 0, 0, 4, 0, 0, 0, 0, 0][..], &[0, 0, 8, 7, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 0, 0, 0x0d]];
    assert_eq!(answer, expected.concat(), "SETTINGS, then GOAWAY with HTTP_1_1_REQUIRED");
    let error =
        host.engine.listen("127.0.0.1:0", &ListenOptions { http1: false, http2: false, ..ListenOptions::default() });
    assert_eq!(error.unwrap_err().status(), Status::InvalidArgument);
}
