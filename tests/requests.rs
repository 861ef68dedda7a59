//! Ordinary requests on a connection that serves WebSockets too (RFC 9113 §8.1).
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, Side, Status, StreamKind};
use http::HeaderMap;
use support::client::{fields, headers, request_fields, with_field};
use support::frame::*;
use support::host::{Event, Host, header_map};

#[test]
fn a_get_is_heard_and_answered() {
    let host = Host::start();
    let mut client = host.client();
    let mut sent = request_fields("GET", "/hello?a=b%20c");
    sent.push(("accept".to_owned(), "text/plain".to_owned()));
    let stream = client.open(&sent, true);
    let response = client.response(stream);
    assert_eq!((response.head.status(), response.head.field("content-type")), ("200", Some("text/plain")));
    assert_eq!(response.body, b"hello, world");
    let head = host.request("/hello?a=b%20c");
    assert_eq!(head.kind, StreamKind::Http);
    assert_eq!((head.method.as_str(), head.scheme.as_str(), head.authority.as_str()), ("GET", "http", "localhost"));
    assert_eq!(head.field("accept"), Some("text/plain"));
    assert!(head.end, "END_STREAM was on the head");
    assert_eq!(head.h2_stream, stream);
    let closed = host.closed(head.stream);
    assert_eq!((closed.kind, closed.facts()), (StreamKind::Http, (0, Cause::Complete, NO_ERROR, Side::Local)));
    let bodies = host.events(|events| events.iter().filter(|event| matches!(event, Event::Body { .. })).count());
    assert_eq!(bodies, 0, "no body event where there is no body");
    assert_eq!(host.stats().requests, 1);
}

#[test]
fn rfc9113_8_3_1_host_stands_in_for_authority() {
    let host = Host::start();
    let mut client = host.client();
    let sent = with_field(with_field(request_fields("GET", "/hello"), ":authority", None), "host", Some("example.com"));
    let stream = client.open(&sent, true);
    assert_eq!(client.response(stream).head.status(), "200");
    assert_eq!(host.request("/hello").authority, "example.com");
}

#[test]
fn rfc9113_8_3_1_host_that_contradicts_authority_is_refused() {
    let host = Host::start();
    let mut client = host.client();
    let of = |authority, said| {
        let fields = with_field(request_fields("GET", "/hello"), ":authority", Some(authority));
        with_field(fields, "host", Some(said))
    };
    for (authority, said) in [("localhost", "localhost"), ("localhost", "LOCALHOST:80"), ("localhost:80", "localhost")]
    {
        let stream = client.open(&of(authority, said), true);
        assert_eq!(client.response(stream).head.status(), "200", "{authority} and {said}");
    }
    for (authority, said) in [("evil.test", "localhost"), ("localhost", "evil.test"), ("localhost", "localhost:81")] {
        let stream = client.open(&of(authority, said), true);
        assert_eq!(client.response(stream).head.status(), "400", "{authority} and {said}");
    }
    let mut twice = of("localhost", "localhost");
    twice.push(("host".into(), "localhost".into()));
    let stream = client.open(&twice, true);
    assert_eq!(client.response(stream).head.status(), "400", "two of them");
    let stats = host.stats();
    assert_eq!((stats.requests, stats.refused_authority), (3, 4));
}

#[test]
fn rfc9113_8_3_1_options_of_the_server_itself() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&request_fields("OPTIONS", "*"), true);
    assert_eq!(client.response(stream).head.status(), "404");
    assert_eq!(host.request("*").method, "OPTIONS");
}

#[test]
fn a_body_comes_in_order_with_its_end_said_once() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/test");
    client.data(stream, b"one ");
    client.data(stream, b"two ");
    client.data_end(stream, b"three");
    let id = host.request("/test").stream;
    assert_eq!(host.body(id), (b"one two three".to_vec(), None));
    host.engine.respond(id, 201, HeaderMap::new(), b"").expect("undecided");
    let response = client.response(stream);
    assert_eq!((response.head.status(), response.body.len()), ("201", 0));
    assert_eq!(host.closed(id).cause, Cause::Complete);
    let ends = host.events(|events| events.iter().filter(|e| matches!(e, Event::Body { end: true, .. })).count());
    assert_eq!(ends, 1);
}

#[test]
fn a_body_can_end_with_an_empty_data_frame() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/echo-body");
    client.data(stream, b"all");
    client.data_end(stream, b"");
    assert_eq!(client.response(stream).body, b"all");
}

#[test]
fn rfc9113_8_1_trailers_go_both_ways() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/echo-body");
    client.data(stream, b"body");
    client.send(&headers(stream, &fields(&[("x-checksum", "4"), ("x-more", "yes")]), true));
    let response = client.response(stream);
    assert_eq!(response.body, b"body");
    assert_eq!(response.trailers, Some(fields(&[("x-checksum", "4"), ("x-more", "yes")])));
    let (body, trailers) = host.body(host.request("/echo-body").stream);
    assert_eq!(body, b"body");
    assert_eq!(trailers, Some(fields(&[("x-checksum", "4"), ("x-more", "yes")])));
}

#[test]
fn rfc9113_8_1_a_response_ends_with_trailers() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/trailers");
    let response = client.response(stream);
    assert_eq!(response.body, b"body");
    assert_eq!(response.trailers, Some(fields(&[("x-checksum", "4")])));
}

#[test]
fn rfc9110_9_3_2_head_has_the_fields_and_no_body() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&request_fields("HEAD", "/hello"), true);
    let head = client.next_on(stream);
    assert_eq!((head.status(), head.field("content-type")), ("200", Some("text/plain")));
    assert!(head.ends_stream() || client.next_on(stream) == Frame::data_end(stream, []), "no body to HEAD");
    assert_eq!(host.request("/hello").method, "HEAD");
    client.expect_silence_on(stream);
}

#[test]
fn rfc9110_15_2_interim_responses_come_before_the_response() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/inform");
    let interim = client.next_on(stream);
    assert_eq!((interim.status(), interim.field("link")), ("103", Some("</style.css>; rel=preload")));
    assert!(!interim.ends_stream());
    let response = client.response(stream);
    assert_eq!((response.head.status(), response.body.as_slice()), ("200", &b"after"[..]));
}

#[test]
fn rfc9110_15_2_101_and_finals_are_no_interim_responses() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    for status in [99, 101, 200, 600] {
        let error = host.engine.inform(id, status, HeaderMap::new()).expect_err("not an interim status");
        assert_eq!(error.status(), Status::InvalidArgument, "status {status}");
    }
    for status in [0, 99, 100, 101, 199, 1000] {
        let error = host.engine.respond(id, status, HeaderMap::new(), b"").expect_err("not a final status");
        assert_eq!(error.status(), Status::InvalidArgument, "status {status}");
    }
    host.engine.respond(id, 200, HeaderMap::new(), b"").expect("undecided");
    assert_eq!(client.response(stream).head.status(), "200");
}

#[test]
fn rfc9110_15_3_5_and_15_4_5_have_no_body() {
    let host = Host::start();
    let mut client = host.client();
    for status in ["204", "304"] {
        let stream = client.get(&format!("/status/{status}"));
        let head = client.next_on(stream);
        assert_eq!(head.status(), status);
        assert!(head.ends_stream(), "{status} ends with its head: {head:?}");
        if status == "204" {
            assert_eq!(head.field("content-length"), None, "RFC 9110 §8.6: none in a 204");
        }
    }
}

#[test]
fn rfc9113_8_1_an_early_response_leaves_the_rest_of_the_body_unread() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/early");
    client.data(stream, b"the first of much");
    let response = client.response(stream);
    assert_eq!((response.head.status(), response.body.as_slice()), ("413", &b"enough"[..]));
    client.expect(&Frame::rst(stream, NO_ERROR));
    client.data(stream, b"sent before the reset was seen");
    let id = host.request("/early").stream;
    assert_eq!(host.closed(id).facts(), (0, Cause::Complete, NO_ERROR, Side::Local));
    let next = client.get("/hello");
    assert_eq!(client.response(next).body, b"hello, world", "the connection goes on");
}

#[test]
fn a_response_may_begin_while_the_body_still_comes() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/echo-body");
    assert_eq!(client.next_on(stream).status(), "200");
    for piece in ["one", "two", "three"] {
        client.data(stream, piece.as_bytes());
        client.expect(&Frame::data(stream, piece.as_bytes()));
    }
    client.data_end(stream, b"");
    let (rest, last) = client.rest_of(stream);
    assert!(rest.is_empty() && last.ends_stream(), "{rest:?} {last:?}");
}

#[test]
fn a_response_can_be_streamed_from_another_thread() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    host.engine.respond_start(id, 200, header_map(&[("x-kind", "slow")])).expect("undecided");
    assert_eq!(client.next_on(stream).field("x-kind"), Some("slow"), "the head goes out before the body is there");
    host.engine.send_body(id, b"one").expect("open");
    client.expect(&Frame::data(stream, *b"one"));
    host.engine.send_body(id, b"two").expect("open");
    host.engine.finish(id, None).expect("open");
    let (rest, last) = client.rest_of(stream);
    assert_eq!((rest.as_slice(), last.ends_stream()), (&b"two"[..], true));
    assert_eq!(host.closed(id).cause, Cause::Complete);
    client.sync();
    assert_eq!(host.engine.send_body(id, b"late").expect_err("over").status(), Status::Gone);
}

#[test]
fn calls_in_the_wrong_state_say_so() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    let status = |result: Result<(), h2ws::Error>| result.expect_err("not now").status();
    assert_eq!(status(host.engine.send_body(id, b"early")), Status::WrongState);
    assert_eq!(status(host.engine.finish(id, None)), Status::WrongState);
    assert_eq!(status(host.engine.accept(id, &h2ws::Accept::default())), Status::WrongState);
    assert_eq!(status(host.engine.send(id, h2ws::MessageKind::Text, b"no")), Status::WrongState);
    host.engine.respond_start(id, 200, HeaderMap::new()).expect("undecided");
    assert_eq!(status(host.engine.respond(id, 200, HeaderMap::new(), b"")), Status::WrongState);
    assert_eq!(status(host.engine.inform(id, 103, HeaderMap::new())), Status::WrongState);
    host.engine.finish(id, None).expect("open");
    assert_eq!(client.response(stream).head.status(), "200");
}

#[test]
fn a_cancelled_request_is_closed_with_the_peers_code() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/test");
    client.data(stream, b"some");
    let id = host.request("/test").stream;
    client.rst(stream, CANCEL);
    assert_eq!(host.closed(id).facts(), (0, Cause::Reset, CANCEL, Side::Remote));
    client.expect_silence_on(stream);
    assert_eq!(host.engine.respond(id, 200, HeaderMap::new(), b"").expect_err("over").status(), Status::Gone);
}

#[test]
fn the_host_can_abort_a_response() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    host.engine.respond_start(id, 200, HeaderMap::new()).expect("undecided");
    assert_eq!(client.next_on(stream).status(), "200");
    host.engine.abort(id, INTERNAL_ERROR).expect("open");
    client.expect(&Frame::rst(stream, INTERNAL_ERROR));
    assert_eq!(host.closed(id).facts(), (0, Cause::Reset, INTERNAL_ERROR, Side::Local));
}

#[test]
fn rfc9113_8_1_1_a_body_that_belies_content_length_is_malformed() {
    for (length, body) in [("3", &b"four"[..]), ("5", &b"four"[..])] {
        let host = Host::start();
        let mut client = host.client();
        let sent = with_field(request_fields("POST", "/test"), "content-length", Some(length));
        let stream = client.open(&sent, false);
        let id = host.request("/test").stream;
        client.data_end(stream, body);
        client.expect(&Frame::rst(stream, PROTOCOL_ERROR));
        let closed = host.closed(id);
        assert_eq!((closed.cause, closed.h2_code), (Cause::Violation, PROTOCOL_ERROR), "content-length {length}");
        let next = client.get("/hello");
        assert_eq!(client.response(next).head.status(), "200", "a stream error only");
    }
}

#[test]
fn rfc9113_8_1_1_a_malformed_request_does_not_reach_the_host() {
    for broken in [
        with_field(request_fields("GET", "/test"), ":path", None),
        with_field(request_fields("GET", "/test"), ":scheme", None),
        with_field(request_fields("GET", "/test"), ":method", None),
        with_field(request_fields("GET", "/test"), ":path", Some("")),
        with_field(request_fields("GET", "/test"), "connection", Some("close")),
        with_field(request_fields("GET", "/test"), "te", Some("gzip")),
    ] {
        let host = Host::start();
        let mut client = host.client();
        let stream = client.open(&broken, true);
        client.expect(&Frame::rst(stream, PROTOCOL_ERROR));
        host.expect_no_request();
    }
}

#[test]
fn a_hundred_streams_at_once() {
    let host = Host::start();
    let mut client = host.client();
    let streams: Vec<_> = (0..100).map(|_| client.post("/echo-body")).collect();
    for round in 0..3 {
        for stream in &streams {
            client.data(*stream, format!("{round} of {stream};").as_bytes());
        }
    }
    assert_eq!(host.wait_stats("100 open streams", |stats| stats.open_streams == 100).requests, 100);
    for stream in &streams {
        client.data_end(*stream, b"");
    }
    for stream in streams {
        let expected: String = (0..3).map(|round| format!("{round} of {stream};")).collect();
        assert_eq!(client.response(stream).body, expected.as_bytes());
    }
    host.wait_stats("no open streams", |stats| stats.open_streams == 0);
}

#[test]
fn a_large_body_goes_through_both_ways() {
    let host = Host::start();
    let mut client = host.client();
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let stream = client.post("/echo-body");
    client.data_within_windows(stream, &body);
    client.data_end(stream, b"");
    let response = client.response(stream);
    assert!(response.body == body, "{} bytes of {} came back, or others", response.body.len(), body.len());
}

#[test]
fn a_body_comes_only_as_demanded() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.post("/demand-body");
    let id = host.request("/demand-body").stream;
    client.data(stream, b"one");
    client.data_end(stream, b"two");
    client.sync();
    let heard = |host: &Host| host.events(|e| e.iter().filter(|e| matches!(e, Event::Body { .. })).count());
    assert_eq!(heard(&host), 0, "nothing was demanded, not even of the end");
    // what waited may come as one piece; the end without bytes needs no demand of its own
    host.engine.demand(id, 2).expect("open");
    assert_eq!(host.body(id).0, b"onetwo");
    host.engine.respond(id, 200, HeaderMap::new(), b"").expect("undecided");
    assert_eq!(client.response(stream).head.status(), "200");
}
