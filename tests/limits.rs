//! Every limit and deadline of [`h2ws::Config`]: what the peer gets, what the host is told, and which counter says it.
//! Those of messages are in `websocket.rs`, of queues, windows and early data in `flow.rs`, of the closing handshake in
//! `close.rs`, of floods in `attacks.rs`.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, Config, Engine, Handler, MessageKind, Side, Status};
use http::HeaderMap;
use std::io::Write;
use std::net::TcpStream;
use support::client::{Client, End, Hello, connect_fields, headers, request_fields};
use support::frame::*;
use support::host::{Event, Host};

const MAX_HEADER_LIST_SIZE: u16 = 6;
const SETTINGS_TIMEOUT: u32 = 0x4;

struct Nobody;
impl Handler for Nobody {}

#[test]
fn a_field_out_of_its_range_is_refused_by_name_value_and_range() {
    let config = Config { loops: 65, ..Config::default() };
    let error = Engine::start(config, |_| Nobody).expect_err("65 loops");
    assert_eq!(error.status(), Status::InvalidConfig);
    assert_eq!(error.text(), "loops is 65; it must be from 1 to 64");
}

#[test]
fn rfc9113_6_5_2_the_limits_are_in_our_settings() {
    let host = Host::with(|config| {
        config.max_streams = 7;
        config.max_header_list = 5000;
        config.stream_window = 100_000;
        config.connection_window = 200_000;
    });
    let mut client = host.client();
    assert_eq!(client.setting(MAX_CONCURRENT_STREAMS), Some(7));
    assert_eq!(client.setting(MAX_HEADER_LIST_SIZE), Some(5000));
    assert_eq!(client.setting(INITIAL_WINDOW_SIZE), Some(100_000));
    client.sync();
    assert_eq!(client.window(0), 200_000, "the connection's window is raised by WINDOW_UPDATE (RFC 9113 §6.9.2)");
}

#[test]
fn max_connections() {
    let host = Host::with(|config| config.max_connections = 2);
    let mut first = host.client();
    let second = host.client();
    let mut third = Client::raw(TcpStream::connect(&host.address).unwrap());
    third.wait_end();
    assert_eq!(host.stats().refused_connections, 1);
    let stream = first.connect_websocket("/echo");
    first.echo(stream, "the others go on");
    drop(second);
    host.wait_stats("room again", |stats| stats.open_connections == 1);
    let mut next = host.client();
    let stream = next.connect_websocket("/echo");
    next.echo(stream, "there is room again");
}

#[test]
fn rfc9113_5_1_2_max_streams() {
    let host = Host::with(|config| config.max_streams = 3);
    let mut client = host.client();
    let sockets: Vec<_> = (0..3).map(|_| client.connect_websocket("/echo")).collect();
    let over = client.open(&connect_fields("/echo?over"), false);
    client.expect(&Frame::rst(over, REFUSED_STREAM));
    assert_eq!(host.request_count(), 3, "the host does not hear of it");
    client.echo(sockets[0], "the others go on");
    client.rst(sockets[1], CANCEL);
    host.wait_stats("one to be over", |stats| stats.open_streams == 2);
    let next = client.connect_websocket("/echo?next");
    client.echo(next, "there is room again");
}

#[test]
fn rfc6585_5_max_header_list() {
    let host = Host::with(|config| config.max_header_list = 4096);
    let mut client = host.client();
    let mut large = request_fields("GET", "/hello");
    large.push(("x-large".to_owned(), "x".repeat(5000)));
    let stream = client.open(&large, true);
    assert_eq!(client.next_on(stream).status(), "431");
    host.expect_no_request();
    let next = client.get("/hello");
    assert_eq!(client.response(next).body, b"hello, world", "the connection goes on");
}

#[test]
fn rfc6585_5_max_header_fields() {
    let host = Host::with(|config| config.max_header_fields = 20);
    let mut client = host.client();
    let with = |base: Vec<(String, String)>, count: usize| {
        let mut fields = base;
        fields.extend((0..count).map(|n| (format!("x-{n}"), String::new())));
        fields
    };
    let stream = client.open(&with(request_fields("GET", "/hello"), 21), true);
    assert_eq!(client.response(stream).head.status(), "431");
    let stream = client.open(&with(connect_fields("/echo"), 21), false);
    let head = client.next_on(stream);
    assert_eq!(head.status(), "431");
    // the same field many times is many fields
    let mut same = request_fields("GET", "/hello");
    same.extend((0..21).map(|n| ("cookie".to_owned(), n.to_string())));
    let stream = client.open(&same, true);
    assert_eq!(client.response(stream).head.status(), "431");
    host.expect_no_request();
    host.wait_stats("three refusals", |stats| stats.refused_header_fields == 3);
    let stream = client.open(&with(request_fields("GET", "/hello"), 16), true);
    assert_eq!(client.response(stream).head.status(), "200", "20 or fewer are taken");
}

/// Field by field a hundred is the default.
#[test]
fn max_header_fields_is_100_by_default() {
    let host = Host::start();
    let mut client = host.client();
    let mut fields = request_fields("GET", "/hello");
    fields.extend((0..400).map(|n| (format!("x-{n}"), String::new())));
    let stream = client.open(&fields, true);
    assert_eq!(client.response(stream).head.status(), "431", "400 fields, though they are less than 16 KiB");
}

#[test]
fn command_queue() {
    let host = Host::with(|config| {
        config.command_queue = 10_000;
        config.send_queue = 1 << 20;
    });
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    let block = client.get("/block");
    host.request("/block");
    // the loop stands in the callback: what other threads say has to wait
    let mut taken = 0;
    let refused = loop {
        match host.engine.send(id, MessageKind::Binary, &[taken as u8; 1000]) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 20, "20 KB are taken where 10,000 bytes may wait");
    };
    assert_eq!(refused.status(), Status::Busy);
    assert_eq!(host.stats().limit_command_queue, 1);
    host.open_gate();
    assert_eq!(client.response(block).head.status(), "200");
    for n in 0..taken {
        assert_eq!(client.ws_message(stream), (BINARY, vec![n as u8; 1000]), "what was taken is sent");
    }
    host.wait_for("writable", |e| e.iter().any(|e| matches!(e, Event::Writable { .. })).then_some(()));
    host.engine.send(id, MessageKind::Text, b"again").expect("writable");
    assert_eq!(client.ws_message(stream), (TEXT, b"again".to_vec()));
}

#[test]
fn preface_timeout() {
    let host = Host::with(|config| config.preface_timeout = 50);
    for sent in [0, 1, PREFACE.len() - 1] {
        let mut socket = TcpStream::connect(&host.address).unwrap();
        socket.write_all(&PREFACE[..sent]).unwrap();
        Client::raw(socket).wait_end();
    }
    host.wait_stats("three in all", |stats| stats.timeout_preface == 3 && stats.open_connections == 0);
}

#[test]
fn settings_timeout() {
    let host = Host::with(|config| config.settings_timeout = 500);
    let mut client = host.client_with(&Hello { acknowledge: false, ..Hello::default() });
    let stream = client.connect_websocket("/quiet");
    client.expect_goaway(SETTINGS_TIMEOUT);
    let closed = host.closed(host.request("/quiet").stream);
    assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, SETTINGS_TIMEOUT), "stream {stream}");
    assert!(closed.reason.contains("settings_timeout"), "the reason says which: {}", closed.reason);
    assert_eq!(host.stats().timeout_settings, 1);
}

#[test]
fn a_client_that_acknowledges_outlives_the_settings_timeout() {
    let host = Host::with(|config| {
        config.settings_timeout = 500;
        config.preface_timeout = 500;
        config.header_timeout = 500;
        config.ping_interval = 1000;
    });
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    // later than those deadlines by their own clock: a Ping that is due after them
    assert_eq!(client.ws_frame(stream).opcode, WS_PING);
    client.echo(stream, "still here");
}

#[test]
fn header_timeout() {
    let host = Host::with(|config| config.header_timeout = 50);
    let mut client = host.client();
    let socket = client.connect_websocket("/quiet");
    let stream = client.next_stream();
    let whole = headers(stream, &request_fields("GET", "/hello"), true);
    client.send(&Frame::new(HEADERS, END_STREAM, stream, &whole.payload[..5]));
    client.wait_end();
    client.goaway();
    assert_eq!(host.stats().timeout_header, 1);
    let closed = host.closed(host.request("/quiet").stream);
    assert_eq!((closed.code, closed.side), (1006, Side::Local), "socket {socket}: {closed:?}");
}

#[test]
fn header_timeout_inside_a_frame() {
    let host = Host::with(|config| config.header_timeout = 50);
    let mut client = host.client();
    let stream = client.next_stream();
    let whole = headers(stream, &request_fields("GET", "/hello"), true).encode();
    client.send_bytes(&whole[..whole.len() - 1]);
    client.wait_end();
    assert_eq!(host.stats().timeout_header, 1);
}

#[test]
fn accept_timeout() {
    let host = Host::with(|config| config.accept_timeout = 50);
    let mut client = host.client();
    let sibling = client.connect_websocket("/echo");
    let stream = client.open(&connect_fields("/never"), false);
    let response = client.response(stream);
    assert_eq!(response.head.status(), "503");
    client.expect(&Frame::rst(stream, NO_ERROR));
    let closed = host.closed(host.request("/never").stream);
    assert_eq!((closed.code, closed.cause, closed.side), (0, Cause::Timeout, Side::Local), "{closed:?}");
    assert!(closed.reason.contains("accept_timeout"), "the reason says which: {}", closed.reason);
    host.wait_stats("one undecided", |stats| stats.refused_undecided == 1);
    client.echo(sibling, "a sibling is not touched");
}

#[test]
fn idle_timeout() {
    let host = Host::with(|config| config.idle_timeout = 50);
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    client.expect(&Frame::data(stream, server_close(1001, "idle")));
    client.data_end(stream, &ws_close(1001, "too late"));
    client.expect(&Frame::data_end(stream, []));
    let closed = host.closed(host.request("/quiet").stream);
    assert_eq!((closed.code, closed.cause, closed.side), (1001, Cause::Timeout, Side::Local), "{closed:?}");
    assert_eq!(host.stats().timeout_idle, 1);
}

#[test]
fn keep_alive_timeout() {
    let host = Host::with(|config| config.keep_alive_timeout = 50);
    let mut client = host.client();
    let stream = client.get("/hello");
    assert_eq!(client.response(stream).head.status(), "200");
    client.expect_goaway(NO_ERROR);
    assert_eq!(client.wait_end(), End::Fin);
    let mut silent = host.client();
    silent.expect_goaway(NO_ERROR);
    let stats = host.wait_stats("both are gone", |stats| stats.open_connections == 0);
    assert_eq!((stats.timeout_keep_alive, stats.violation_connection), (2, 0));
}

#[test]
fn a_connection_with_a_stream_is_not_idle() {
    let host = Host::with(|config| config.keep_alive_timeout = 50);
    let mut waits = host.client();
    let socket = waits.connect_websocket("/echo");
    let mut asks = host.client();
    let request = asks.get("/test");
    let held = host.request("/test").stream;
    // later than either by its own clock
    let mut idle = host.client();
    idle.expect_goaway(NO_ERROR);
    waits.echo(socket, "still here");
    host.engine.respond(held, 200, HeaderMap::new(), b"").expect("still undecided");
    assert_eq!(asks.response(request).head.status(), "200");
    asks.expect_goaway(NO_ERROR);
    assert_eq!(host.stats().timeout_keep_alive, 2);
}

#[test]
fn ping_interval() {
    let host = Host::with(|config| config.ping_interval = 30);
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    for _ in 0..3 {
        let ping = client.ws_frame(stream);
        assert_eq!(ping.opcode, WS_PING);
        client.data(stream, &ws_frame(true, WS_PONG, &ping.payload));
    }
    assert_eq!(host.closed_so_far(host.request("/quiet").stream), None);
}

#[test]
fn ping_timeout() {
    let host = Host::with(|config| {
        config.ping_interval = 100;
        config.ping_timeout = 700;
    });
    let mut client = host.client();
    let answers = client.connect_websocket("/echo");
    let silent = client.connect_websocket("/quiet");
    assert_eq!(client.ws_frame(silent).opcode, WS_PING);
    // one socket answers until the other has been reset
    loop {
        let frame = client.take("a Ping or RST_STREAM", |frame| matches!(frame.kind, DATA | RST_STREAM));
        if frame.kind == RST_STREAM {
            assert_eq!(frame, Frame::rst(silent, CANCEL));
            break;
        }
        if frame.stream == answers {
            let mut bytes = frame.payload;
            let ping = take_ws_frame(&mut bytes).expect("a whole Ping");
            client.data(answers, &ws_frame(true, WS_PONG, &ping.payload));
        }
    }
    let closed = host.closed(host.request("/quiet").stream);
    assert_eq!(closed.facts(), (1006, Cause::Timeout, CANCEL, Side::Local));
    assert!(closed.reason.contains("ping_timeout"), "the reason says which: {}", closed.reason);
    assert_eq!(host.stats().timeout_ping, 1);
}

#[test]
fn write_timeout() {
    let host = Host::with(|config| {
        config.write_timeout = 100;
        config.send_queue = 64 << 20;
    });
    let mut client = host.client();
    client.shrink_receive_buffer();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    // more than the buffers of both kernels hold, to a peer whose windows are open and who reads nothing
    host.engine.send(id, MessageKind::Binary, &vec![0; 32 << 20]).expect("one message may exceed the cap");
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause, closed.side), (1006, Cause::Timeout, Side::Local), "stream {stream}");
    assert!(closed.reason.contains("write_timeout"), "the reason says which: {}", closed.reason);
    host.wait_stats("the connection cut", |stats| stats.timeout_write == 1 && stats.open_connections == 0);
}

#[test]
fn a_window_that_is_shut_is_no_write_timeout() {
    let host = Host::with(|config| {
        config.write_timeout = 50;
        config.ping_interval = 150;
    });
    let mut client = host.client_with(&Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Hello::default() });
    let stalled = client.connect_websocket("/quiet");
    host.engine.send(host.request("/quiet").stream, MessageKind::Text, b"waits").expect("open");
    let other = client.connect_websocket("/quiet?other");
    client.window_update(other, 1000);
    // a Ping that is due later than the deadline, by the engine's own clock
    assert_eq!(client.ws_frame(other).opcode, WS_PING);
    client.window_update(stalled, 1000);
    assert_eq!(client.ws_message(stalled), (TEXT, b"waits".to_vec()));
}

#[test]
fn a_limit_of_one_connection_is_not_anothers() {
    let host = Host::with(|config| config.max_streams = 1);
    let mut clients = [host.client(), host.client()];
    for client in &mut clients {
        let stream = client.connect_websocket("/echo");
        client.echo(stream, "each has its own stream");
    }
}

#[test]
fn a_request_without_an_answer_has_no_deadline_of_its_own() {
    let host = Host::with(|config| config.accept_timeout = 50);
    let mut client = host.client();
    let request = client.get("/test");
    let handshake = client.open(&connect_fields("/never"), false);
    assert_eq!(client.next_on(handshake).status(), "503", "the deadline has passed");
    host.engine.respond(host.request("/test").stream, 200, HeaderMap::new(), b"").expect("still undecided");
    assert_eq!(client.response(request).head.status(), "200");
}

#[test]
fn a_limit_says_so_on_the_wire_before_fin() {
    let host = Host::with(|config| config.header_timeout = 50);
    let mut client = host.client();
    let stream = client.next_stream();
    client.send(&Frame::new(HEADERS, 0, stream, [0u8]));
    assert_eq!(client.wait_end(), End::Fin, "not a TCP RST, which could swallow the GOAWAY");
    client.goaway();
}
