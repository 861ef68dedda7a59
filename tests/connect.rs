//! The opening handshake: RFC 8441 §3 to §5, and what RFC 9113 and RFC 9110 say of CONNECT.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, Cause, ListenOptions, LogLevel, MessageKind, Side, Stats, Status, StreamKind};
use http::HeaderMap;
use support::client::{Client, Hello, connect_fields, fields, headers, request_fields, with_field};
use support::frame::*;
use support::host::{Host, header_map};

/// Sends a handshake that must not reach the host, and gives its answer: HEADERS or RST_STREAM. The connection
/// must go on.
fn refused(fields: &[(String, String)]) -> (Host, Client, u32, Frame) {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(fields, false);
    let answer = client.next_on(stream);
    host.expect_no_request();
    let next = client.get("/hello");
    assert_eq!(client.response(next).head.status(), "200", "the connection goes on");
    (host, client, stream, answer)
}

/// Asserts an answer with `status`, END_STREAM and, as the client's side is open, RST_STREAM(NO_ERROR) (RFC 9113
/// §8.1); that the refusal is counted by its reason, and told to the log once, at info.
fn assert_refused(fields: &[(String, String)], status: &str, counter: impl Fn(&Stats) -> u64) -> Frame {
    let (host, mut client, stream, head) = refused(fields);
    assert_eq!((head.kind, head.status()), (HEADERS, status), "{head:?}");
    assert_whole(&mut client, stream, &head);
    assert_eq!(counter(&host.stats()), 1, "counted by its reason: {:#?}", host.stats());
    assert_eq!(host.stats().handshakes, 0, "a handshake that the host does not hear of is not counted as one");
    let lines = host.events(|events| {
        events
            .iter()
            .filter(|event| matches!(event, support::host::Event::Log { level: LogLevel::Info, text } if text.contains("refused")))
            .count()
    });
    assert_eq!(lines, 1, "a refused CONNECT says why once, at info: {:?}", host.log_lines(""));
    head
}

/// The response ends with END_STREAM, and then comes RST_STREAM(NO_ERROR).
fn assert_whole(client: &mut Client, stream: u32, head: &Frame) {
    let mut last = head.clone();
    while !last.ends_stream() {
        last = client.next_on(stream);
        assert_eq!(last.kind, DATA, "the body of the refusal: {last:?}");
    }
    client.expect(&Frame::rst(stream, NO_ERROR));
}

/// Asserts RST_STREAM(PROTOCOL_ERROR) as the only answer.
fn assert_malformed(fields: &[(String, String)]) {
    let (_host, _client, stream, answer) = refused(fields);
    assert_eq!(answer, Frame::rst(stream, PROTOCOL_ERROR), "a malformed request (RFC 9113 §8.1.1): {fields:?}");
}

#[test]
fn rfc8441_3_the_setting_is_in_the_first_settings_frame() {
    let host = Host::start();
    let client = host.client();
    assert_eq!(client.setting(ENABLE_CONNECT_PROTOCOL), Some(1));
}

#[test]
fn rfc8441_3_without_websockets_the_setting_is_absent_and_protocol_is_malformed() {
    let host = Host::with_options(|_| {}, &ListenOptions { websockets: false, ..ListenOptions::default() });
    let mut client = host.client();
    assert_eq!(client.setting(ENABLE_CONNECT_PROTOCOL), None);
    let stream = client.open(&connect_fields("/echo"), false);
    client.expect(&Frame::rst(stream, PROTOCOL_ERROR));
    host.expect_no_request();
    let get = client.get("/hello");
    assert_eq!(client.response(get).body, b"hello, world");
}

#[test]
fn rfc8441_3_what_the_client_says_of_the_setting_has_no_effect() {
    let host = Host::start();
    for settings in [vec![], vec![(ENABLE_CONNECT_PROTOCOL, 0)], vec![(ENABLE_CONNECT_PROTOCOL, 1)]] {
        let mut client = host.client_with(&Hello { settings, ..Hello::default() });
        let stream = client.connect_websocket("/echo");
        client.echo(stream, "hello");
    }
}

#[test]
fn rfc8441_3_a_value_other_than_0_and_1_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client();
    client.send(&Frame::settings(&[(ENABLE_CONNECT_PROTOCOL, 2)]));
    client.expect_goaway(PROTOCOL_ERROR);
}

#[test]
fn rfc8441_4_protocol_is_for_connect_only() {
    assert_malformed(&with_field(connect_fields("/echo"), ":method", Some("GET")));
}

#[test]
fn rfc8441_4_scheme_and_path_are_required() {
    assert_malformed(&with_field(connect_fields("/echo"), ":scheme", None));
    assert_malformed(&with_field(connect_fields("/echo"), ":path", None));
    assert_malformed(&with_field(connect_fields("/echo"), ":path", Some("")));
}

#[test]
fn rfc8441_5_authority_is_required() {
    assert_refused(&with_field(connect_fields("/echo"), ":authority", None), "400", |s| s.refused_authority);
    let with_host = with_field(with_field(connect_fields("/echo"), ":authority", None), "host", Some("localhost"));
    assert_refused(&with_host, "400", |s| s.refused_authority);
}

#[test]
fn rfc9113_8_3_1_an_empty_authority_is_refused() {
    let fields = with_field(connect_fields("/echo"), ":authority", Some(""));
    let (_host, _client, stream, answer) = refused(&fields);
    let malformed = answer == Frame::rst(stream, PROTOCOL_ERROR);
    assert!(malformed || answer.field(":status") == Some("400"), "expected 400 or a stream error, got {answer:?}");
}

#[test]
fn rfc9113_8_3_1_authority_has_no_user_information_and_agrees_with_host() {
    assert_refused(&with_field(connect_fields("/echo"), ":authority", Some("me@localhost")), "400", |s| {
        s.refused_authority
    });
    assert_refused(&with_field(connect_fields("/echo"), "host", Some("elsewhere")), "400", |s| s.refused_authority);
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&with_field(connect_fields("/echo"), "host", Some("localhost")), false);
    assert_eq!(client.next_on(stream).status(), "200", "the same host twice is no contradiction");
}

#[test]
fn rfc9113_8_5_a_plain_connect_is_never_a_tunnel() {
    let plain = fields(&[(":method", "CONNECT"), (":authority", "localhost:80")]);
    assert_refused(&plain, "501", |s| s.refused_plain_connect);
}

#[test]
fn rfc9113_8_5_a_plain_connect_has_neither_scheme_nor_path() {
    assert_malformed(&with_field(connect_fields("/echo"), ":protocol", None));
}

#[test]
fn rfc9220_3_another_protocol_is_not_implemented() {
    assert_refused(&with_field(connect_fields("/echo"), ":protocol", Some("connect-udp")), "501", |s| {
        s.refused_protocol
    });
    assert_refused(&with_field(connect_fields("/echo"), ":protocol", Some("WebSocket")), "501", |s| s.refused_protocol);
}

#[test]
fn rfc8441_5_the_scheme_is_http_or_https() {
    assert_refused(&with_field(connect_fields("/echo"), ":scheme", Some("ftp")), "400", |s| s.refused_scheme);
    assert_refused(&with_field(connect_fields("/echo"), ":scheme", Some("ws")), "400", |s| s.refused_scheme);
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&with_field(connect_fields("/echo"), ":scheme", Some("https")), false);
    assert_eq!(client.next_on(stream).status(), "200", "a proxy may have ended TLS");
    assert_eq!(host.request("/echo").scheme, "https");
}

#[test]
fn rfc9113_8_2_2_fields_of_the_connection_are_malformed() {
    for (name, value) in [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip"),
    ] {
        assert_malformed(&with_field(connect_fields("/echo"), name, Some(value)));
    }
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&with_field(connect_fields("/echo"), "te", Some("trailers")), false);
    assert_eq!(client.next_on(stream).status(), "200", "te: trailers is allowed");
}

#[test]
fn rfc9113_8_3_pseudo_fields_come_once_and_first() {
    let mut twice = connect_fields("/echo");
    twice.insert(0, (":path".to_owned(), "/other".to_owned()));
    assert_malformed(&twice);
    let mut late = connect_fields("/echo");
    let path = late.remove(3);
    late.push(path);
    assert_malformed(&late);
}

/// Allowed, and harsh: h2 answers these with a connection error.
#[test]
fn rfc9113_8_3_an_unknown_pseudo_field_and_an_upper_case_name_end_the_connection() {
    for (name, value) in [(":unknown", "1"), ("Upper", "1")] {
        let host = Host::start();
        let mut client = host.client();
        client.open(&with_field(connect_fields("/echo"), name, Some(value)), false);
        client.expect_goaway(PROTOCOL_ERROR);
        host.expect_no_request();
    }
}

#[test]
fn rfc8441_5_the_key_of_the_http1_handshake_is_not_processed() {
    let host = Host::start();
    let mut client = host.client();
    for key in ["dGhlIHNhbXBsZSBub25jZQ==", "not a key"] {
        let stream = client.open(&with_field(connect_fields("/echo"), "sec-websocket-key", Some(key)), false);
        let head = client.next_on(stream);
        assert_eq!(head.status(), "200");
        assert_eq!(head.field("sec-websocket-accept"), None, "there is no accept over HTTP/2: {head:?}");
    }
}

/// No 426 here: it needs an `upgrade` field (RFC 9110 §15.5.22), which HTTP/2 forbids.
#[test]
fn rfc6455_4_2_1_the_version_is_13() {
    let mut twice = connect_fields("/echo");
    twice.push(("sec-websocket-version".to_owned(), "8".to_owned()));
    for fields in [
        with_field(connect_fields("/echo"), "sec-websocket-version", None),
        with_field(connect_fields("/echo"), "sec-websocket-version", Some("8")),
        with_field(connect_fields("/echo"), "sec-websocket-version", Some("")),
        with_field(connect_fields("/echo"), "sec-websocket-version", Some("13, 8")),
        twice,
    ] {
        let head = assert_refused(&fields, "400", |s| s.refused_version);
        assert_eq!(head.field("sec-websocket-version"), Some("13"), "the answer says which (RFC 6455 §4.4)");
    }
}

#[test]
fn rfc9110_9_3_6_content_length_has_no_place_on_connect() {
    assert_refused(&with_field(connect_fields("/echo"), "content-length", Some("10")), "400", |s| s.refused_malformed);
}

#[test]
fn rfc9113_8_5_end_stream_on_the_handshake_is_refused() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/echo"), true);
    let response = client.response(stream);
    assert_eq!(response.head.status(), "400");
    host.expect_no_request();
    assert_eq!(host.stats().refused_malformed, 1);
}

#[test]
fn rfc8441_5_1_an_accepted_handshake_is_200_without_end_stream() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/echo"), false);
    let head = client.next_on(stream);
    assert_eq!((head.kind, head.flags, head.status()), (HEADERS, END_HEADERS, "200"));
    let stats = host.stats();
    assert_eq!((stats.handshakes, stats.accepted, stats.open_websockets), (1, 1, 1));
}

#[test]
fn rfc9110_8_6_the_hosts_fields_go_out_but_for_those_that_http2_forbids() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/headers"), false);
    let head = client.next_on(stream);
    assert_eq!((head.status(), head.field("x-extra")), ("200", Some("1")));
    assert_eq!(head.field("content-length"), None, "no content-length in a 2xx to CONNECT: {head:?}");
    assert_eq!(head.field("connection"), None, "no field of the connection (RFC 9113 §8.2.2): {head:?}");
}

#[test]
fn the_host_hears_the_whole_request_with_method_get() {
    let host = Host::start();
    let mut client = host.client();
    let mut sent = connect_fields("/echo?room=1&x=%20");
    sent = with_field(sent, ":authority", Some("example.com:8080"));
    sent.push(("origin".to_owned(), "https://example.com".to_owned()));
    sent.push(("cookie".to_owned(), "a=1".to_owned()));
    sent.push(("x-twice".to_owned(), "1".to_owned()));
    sent.push(("x-twice".to_owned(), "2".to_owned()));
    let stream = client.open(&sent, false);
    client.next_on(stream);
    let head = host.request("/echo?room=1&x=%20");
    assert_eq!(head.kind, StreamKind::WebSocket);
    assert_eq!((head.method.as_str(), head.scheme.as_str()), ("GET", "http"));
    assert_eq!(head.authority, "example.com:8080");
    assert_eq!(head.field("origin"), Some("https://example.com"), "the host checks the origin (RFC 6455 §10.2)");
    assert_eq!(head.field("cookie"), Some("a=1"));
    let twice: Vec<_> = head.headers.iter().filter(|(name, _)| name == "x-twice").map(|(_, v)| v.as_str()).collect();
    assert_eq!(twice, ["1", "2"]);
    assert_eq!(head.peer, client.local_address());
    assert!(head.headers.iter().all(|(name, _)| !name.starts_with(':')), "no pseudo fields: {head:?}");
    assert!(!head.end, "a WebSocket is open in both directions");
}

#[test]
fn rfc6455_4_2_2_the_subprotocol_is_one_of_the_offered() {
    let host = Host::start();
    let mut client = host.client();
    let mut offers = connect_fields("/echo");
    offers.push(("sec-websocket-protocol".to_owned(), "chat, superchat".to_owned()));
    offers.push(("sec-websocket-protocol".to_owned(), "echo".to_owned()));
    let stream = client.open(&offers, false);
    assert_eq!(client.next_on(stream).field("sec-websocket-protocol"), Some("echo"));
    let offered = host.request("/echo").subprotocols;
    assert_eq!(offered, ["chat", "superchat", "echo"], "lines of one name are one list, in order");
}

#[test]
fn rfc6455_4_2_2_no_subprotocol_is_answered_where_none_was_chosen() {
    let host = Host::start();
    let mut client = host.client();
    let offers = with_field(connect_fields("/echo"), "sec-websocket-protocol", Some("chat"));
    for fields in [connect_fields("/echo"), offers] {
        let stream = client.open(&fields, false);
        let head = client.next_on(stream);
        assert_eq!((head.status(), head.field("sec-websocket-protocol")), ("200", None));
    }
}

#[test]
fn rfc6455_4_2_2_a_subprotocol_that_was_not_offered_is_an_argument_error() {
    let host = Host::start();
    let mut client = host.client();
    let offers = with_field(connect_fields("/later"), "sec-websocket-protocol", Some("chat"));
    let stream = client.open(&offers, false);
    let id = host.request("/later").stream;
    let wrong = Accept { subprotocol: Some("echo"), ..Accept::default() };
    let error = host.engine.accept(id, &wrong).expect_err("echo was not offered");
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.text().contains("echo"), "the text names the value: {error}");
    let right = Accept { subprotocol: Some("chat"), ..Accept::default() };
    host.engine.accept(id, &right).expect("the handshake is still undecided");
    assert_eq!(client.next_on(stream).field("sec-websocket-protocol"), Some("chat"));
}

#[test]
fn a_handshake_can_be_accepted_later_from_another_thread() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/later"), false);
    let id = host.request("/later").stream;
    client.expect_silence_on(stream);
    host.engine.accept(id, &Accept { context: 42, ..Accept::default() }).expect("undecided");
    assert_eq!(client.next_on(stream).status(), "200");
    client.data(stream, &ws_text("hello"));
    host.wait_messages(id, 1);
    let context = host.events(|events| {
        events.iter().find_map(|event| match event {
            support::host::Event::Message { context, .. } => Some(*context),
            _ => None,
        })
    });
    assert_eq!(context, Some(42), "the context of accept comes with each event");
}

#[test]
fn rfc9113_8_1_a_rejection_has_status_fields_body_and_end_stream() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/reject/403"), false);
    let head = client.next_on(stream);
    assert_eq!((head.kind, head.status(), head.field("x-reason")), (HEADERS, "403", Some("none")));
    assert!(!head.ends_stream());
    client.expect(&Frame::data_end(stream, *b"no\n"));
    client.expect(&Frame::rst(stream, NO_ERROR));
    let closed = host.closed(host.request("/reject/403").stream);
    assert_eq!(closed.facts(), (0, Cause::Rejected, NO_ERROR, Side::Local));
    assert_eq!(closed.kind, StreamKind::WebSocket);
    let stats = host.stats();
    assert_eq!((stats.rejected_by_host, stats.accepted, stats.handshakes), (1, 0, 1));
}

#[test]
fn a_rejection_without_a_body_ends_with_its_head() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/nowhere"), false);
    let head = client.next_on(stream);
    assert_eq!(head.status(), "404");
    assert_whole(&mut client, stream, &head);
}

#[test]
fn a_handshake_that_the_client_takes_back_cannot_be_decided_any_more() {
    let host = Host::start();
    let mut client = host.client();
    for (path, decide) in [("/later?accept", true), ("/later?reject", false)] {
        let stream = client.open(&connect_fields(path), false);
        let id = host.request(path).stream;
        client.rst(stream, CANCEL);
        let closed = host.closed(id);
        assert_eq!(closed.facts(), (0, Cause::Reset, CANCEL, Side::Remote));
        client.sync();
        let decision = if decide {
            host.engine.accept(id, &Accept::default())
        } else {
            host.engine.reject(id, 403, HeaderMap::new(), b"")
        };
        assert_eq!(decision.expect_err("the stream has gone").status(), Status::Gone);
        client.expect_silence_on(stream);
    }
}

#[test]
fn calls_in_the_wrong_state_say_so_and_change_nothing() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/later"), false);
    let id = host.request("/later").stream;
    let status = |result: Result<(), h2ws::Error>| result.expect_err("not now").status();
    assert_eq!(status(host.engine.send(id, MessageKind::Text, b"early")), Status::WrongState);
    assert_eq!(status(host.engine.close(id, Some(1000), "")), Status::WrongState);
    assert_eq!(status(host.engine.respond_start(id, 200, HeaderMap::new())), Status::WrongState);
    assert_eq!(status(host.engine.reject(id, 200, HeaderMap::new(), b"")), Status::InvalidArgument);
    assert_eq!(status(host.engine.reject(id, 101, HeaderMap::new(), b"")), Status::InvalidArgument);
    host.engine.accept(id, &Accept::default()).expect("undecided");
    assert_eq!(status(host.engine.accept(id, &Accept::default())), Status::WrongState);
    assert_eq!(status(host.engine.reject(id, 403, HeaderMap::new(), b"")), Status::WrongState);
    for code in [0, 999, 1004, 1005, 1006, 1015, 5000] {
        assert_eq!(status(host.engine.close(id, Some(code), "")), Status::InvalidArgument, "close code {code}");
    }
    assert_eq!(status(host.engine.close(id, Some(1000), &"x".repeat(124))), Status::TooLarge);
    assert_eq!(status(host.engine.close(id, None, "a reason needs a code")), Status::InvalidArgument);
    assert_eq!(status(host.engine.ping(id, &[0; 126])), Status::TooLarge);
    assert_eq!(status(host.engine.send(id, MessageKind::Text, &[0xff])), Status::NotUtf8);
    assert_eq!(client.next_on(stream).status(), "200");
    client.expect_silence_on(stream);
    host.engine.send(id, MessageKind::Text, b"now").expect("open");
    assert_eq!(client.ws_message(stream), (TEXT, b"now".to_vec()));
}

#[test]
fn a_socket_and_requests_share_a_connection() {
    let host = Host::start();
    let mut client = host.client();
    let socket = client.connect_websocket("/echo");
    let get = client.get("/hello");
    client.echo(socket, "one");
    assert_eq!(client.response(get).body, b"hello, world");
    let post = client.post("/echo-body");
    client.data_end(post, b"body");
    client.echo(socket, "two");
    assert_eq!(client.response(post).body, b"body");
    assert_eq!(host.stats().connections, 1);
}

/// Which header fields a response may carry does not depend on how the host answers.
#[test]
fn rfc9113_8_2_2_no_response_carries_fields_of_the_connection() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&request_fields("GET", "/test"), true);
    let id = host.request("/test").stream;
    let forbidden =
        header_map(&[("connection", "close"), ("keep-alive", "1"), ("transfer-encoding", "chunked"), ("x-kept", "1")]);
    host.engine.respond(id, 200, forbidden, b"").expect("undecided");
    let head = client.next_on(stream);
    assert_eq!((head.status(), head.field("x-kept")), ("200", Some("1")));
    for name in ["connection", "keep-alive", "transfer-encoding"] {
        assert_eq!(head.field(name), None, "{head:?}");
    }
}

#[test]
fn rfc9113_6_2_a_handshake_with_padding_and_priority_is_taken() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.next_stream();
    let block = headers(stream, &connect_fields("/echo"), false).payload;
    let payload = [&[4][..], &[0, 0, 0, 0, 15], &block, &[0; 4]].concat();
    client.send(&Frame::new(HEADERS, END_HEADERS | PADDED | 0x20, stream, payload));
    assert_eq!(client.next_on(stream).status(), "200");
    client.echo(stream, "hello");
}

#[test]
fn rfc9113_6_10_a_handshake_in_continuation_frames_is_one() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.next_stream();
    let whole = headers(stream, &connect_fields("/echo"), false);
    let (first, rest) = whole.payload.split_at(7);
    let (second, third) = rest.split_at(1);
    client.send_all(&[
        Frame::new(HEADERS, 0, stream, first),
        Frame::new(CONTINUATION, 0, stream, second),
        Frame::new(CONTINUATION, END_HEADERS, stream, third),
    ]);
    assert_eq!(client.next_on(stream).status(), "200");
    client.echo(stream, "hello");
}
