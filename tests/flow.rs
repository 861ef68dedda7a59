//! Flow control and back-pressure: RFC 9113 §5.2, §6.1, §6.9 on the streams of WebSockets, whose windows are h2ws's
//! own, and what the host sees of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, AdoptOptions, Cause, MessageBuffer, MessageKind, Side, Status, StreamId};
use http::HeaderMap;
use std::os::unix::net::UnixStream;
use support::client::{Client, Hello, connect_fields, headers};
use support::frame::*;
use support::host::{Event, Host, relayed};

/// A client that takes `stream` bytes on each new stream, and 65,535 on the connection.
fn narrow(stream: u32) -> Hello {
    Hello { settings: vec![(INITIAL_WINDOW_SIZE, stream)], connection_credit: 0, ..Hello::default() }
}

/// A WebSocket of a client, and the host's name for it.
fn socket(host: &Host, client: &mut Client, path: &str) -> (u32, StreamId) {
    let stream = client.connect_websocket(path);
    (stream, host.request(path).stream)
}

/// Takes DATA on `stream` until `least` bytes have come; then asserts that these are all.
fn take_exactly(client: &mut Client, stream: u32, least: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < least {
        let frame = client.next_on(stream);
        assert_eq!(frame.kind, DATA, "{frame:?}");
        assert!(!frame.payload.is_empty(), "an empty DATA frame carries nothing: {frame:?}");
        bytes.extend(frame.payload);
    }
    assert_eq!(bytes.len(), least, "more than the window allows");
    client.expect_silence_on(stream);
    bytes
}

/// A whole message that is `length` bytes on the wire; 134 to 65,543.
fn message_of(length: usize) -> Vec<u8> {
    let message = ws_binary(&vec![0x5a; length - 8]);
    assert_eq!(message.len(), length);
    message
}

// --- what the peer may send

#[test]
fn rfc9113_6_9_1_an_overrun_of_a_streams_window_is_a_stream_error() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (sibling, _) = socket(&host, &mut client, "/echo");
    let (stream, id) = socket(&host, &mut client, "/demand");
    client.data(stream, &message_of(4096));
    client.sync();
    assert_eq!(client.window(stream), 0, "no credit without demand");
    client.data(stream, b"x");
    client.expect(&Frame::rst(stream, FLOW_CONTROL_ERROR));
    assert_eq!(host.closed(id).facts(), (1006, Cause::Violation, FLOW_CONTROL_ERROR, Side::Local));
    assert_eq!(host.stats().violation_stream, 1);
    client.echo(sibling, "a sibling is not touched");
}

#[test]
fn rfc9113_6_1_padding_counts_towards_an_overrun() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand");
    client.data(stream, &message_of(4090));
    // 1 of length, 1 of data, 4 of padding; then 1 and 1 and none
    client.send(&Frame::new(DATA, PADDED, stream, [4, 0x82, 0, 0, 0, 0]));
    client.expect_silence_on(stream);
    client.send(&Frame::new(DATA, PADDED, stream, [0, 0x80]));
    client.expect(&Frame::rst(stream, FLOW_CONTROL_ERROR));
    assert_eq!(host.closed(id).cause, Cause::Violation);
}

/// What was read is given back to the connection at once, so only what is there in one piece can overrun its window:
/// here, what came with an adopted socket.
#[test]
fn rfc9113_6_9_1_an_overrun_of_the_connections_window_is_a_connection_error() {
    for (over, last) in [(0, 16_383), (1, 16_384)] {
        let host = Host::with(|config| {
            config.connection_window = 65_535;
            config.stream_window = 65_535;
        });
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut client = Client::raw(ours);
        let mut bytes = Client::hello_bytes(&Hello::default());
        let streams = [client.next_stream(), client.next_stream()];
        for (stream, path) in streams.iter().zip(["/demand?1", "/demand?2"]) {
            bytes.extend(headers(*stream, &connect_fields(path), false).encode());
        }
        for (n, length) in [16_384, 16_384, 16_384, last].into_iter().enumerate() {
            bytes.extend(Frame::data(streams[n % 2], message_of(length)).encode());
        }
        host.engine.adopt(theirs.into(), &bytes, &AdoptOptions::default()).expect("a stream socket");
        if over == 0 {
            client.finish_hello(&Hello::default());
            client.sync();
            assert_eq!(client.next_on(streams[1]).status(), "200", "a full window is no error");
            continue;
        }
        client.expect_goaway(FLOW_CONTROL_ERROR);
        for path in ["/demand?1", "/demand?2"] {
            let closed = host.closed(host.request(path).stream);
            assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, FLOW_CONTROL_ERROR));
        }
        assert_eq!(host.stats().violation_connection, 1);
    }
}

#[test]
fn rfc9113_6_1_padding_is_taken_off_and_given_back() {
    let host = Host::with(|config| config.stream_window = 1024);
    let mut client = host.client();
    let (stream, _) = socket(&host, &mut client, "/echo");
    // 100 x (1 + 7 + 200): twenty times the window
    for n in 0..100u8 {
        let mut padded = vec![200];
        padded.extend(ws_binary(&[n]));
        padded.extend([0; 200]);
        let length = padded.len() as i64;
        while client.window(stream) < length {
            let before = client.credit(stream);
            client.wait_credit(stream, before + 1);
        }
        client.send(&Frame::new(DATA, PADDED, stream, padded));
        assert_eq!(client.ws_message(stream), (BINARY, vec![n]));
    }
}

#[test]
fn rfc9113_6_1_a_frame_of_nothing_but_padding_is_nothing() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, _) = socket(&host, &mut client, "/echo");
    client.send(&Frame::new(DATA, PADDED, stream, [0]));
    client.send(&Frame::new(DATA, PADDED, stream, [3, 0, 0, 0]));
    client.echo(stream, "hello");
}

#[test]
fn rfc9113_6_1_padding_longer_than_the_frame_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/echo");
    client.send(&Frame::new(DATA, PADDED, stream, [4, 0, 0, 0]));
    client.expect_goaway(PROTOCOL_ERROR);
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, PROTOCOL_ERROR));
}

#[test]
fn rfc9113_6_1_padding_without_its_length_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, _) = socket(&host, &mut client, "/echo");
    client.send(&Frame::new(DATA, PADDED, stream, []));
    client.wait_end();
    let code = client.goaway().error_code();
    assert!([PROTOCOL_ERROR, FRAME_SIZE_ERROR].contains(&code), "error code {code}");
}

#[test]
fn rfc9113_6_1_data_on_stream_0_or_an_idle_stream_is_a_connection_error() {
    for stream in [0, 101] {
        let host = Host::start();
        let mut client = host.client();
        socket(&host, &mut client, "/echo");
        client.data(stream, b"x");
        client.expect_goaway(PROTOCOL_ERROR);
    }
}

#[test]
fn rfc9113_4_2_a_frame_over_the_size_is_an_error() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/quiet");
    client.data(stream, &message_of(16_384));
    assert_eq!(host.wait_messages(id, 1)[0].len(), 16_376, "16,384 is allowed (RFC 9113 §6.5.2)");
    client.data(stream, &message_of(16_385));
    client.expect_goaway(FRAME_SIZE_ERROR);
}

#[test]
fn rfc9113_5_1_data_after_end_stream_is_an_error_and_is_not_heard() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/manual");
    client.data_end(stream, &ws_close(1000, ""));
    client.data(stream, &ws_text("late"));
    let closed = host.closed(id);
    assert!(host.messages(id).is_empty(), "{closed:?}");
    let answer = client.take("RST_STREAM or GOAWAY", |frame| matches!(frame.kind, RST_STREAM | GOAWAY));
    assert_eq!(answer.error_code(), STREAM_CLOSED, "{answer:?}");
}

#[test]
fn rfc8441_5_data_before_the_accept_is_held_and_then_heard() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/later"), false);
    client.data(stream, &ws_text("one"));
    let two = ws_text("two");
    client.data(stream, &two[..3]);
    client.data(stream, &two[3..]);
    let id = host.request("/later").stream;
    client.expect_silence_on(stream);
    assert!(host.messages(id).is_empty(), "nothing is heard before the accept");
    host.engine.accept(id, &Accept::default()).expect("undecided");
    assert_eq!(client.next_on(stream).status(), "200");
    assert_eq!(host.wait_messages(id, 2), [b"one".to_vec(), b"two".to_vec()]);
    client.data(stream, &ws_text("three"));
    assert_eq!(host.wait_messages(id, 3)[2], b"three");
}

/// END_STREAM is TCP's FIN (RFC 8441 §5): a client that has left before it was let in.
#[test]
fn rfc8441_5_end_stream_before_the_accept_takes_the_handshake_back() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/later"), false);
    client.data_end(stream, &ws_text("never heard"));
    let id = host.request("/later").stream;
    client.expect(&Frame::rst(stream, CANCEL));
    assert_eq!(host.closed(id).facts(), (0, Cause::EndStream, CANCEL, Side::Remote));
    client.sync();
    assert_eq!(host.engine.accept(id, &Accept::default()).expect_err("over").status(), Status::Gone);
}

#[test]
fn early_data_up_to_its_limit_is_held_and_more_is_reset() {
    let host = Host::with(|config| config.early_data = 1024);
    let mut client = host.client();
    let (sibling, _) = socket(&host, &mut client, "/echo");
    let stream = client.open(&connect_fields("/later"), false);
    let id = host.request("/later").stream;
    client.data(stream, &message_of(1024));
    client.expect_silence_on(stream);
    client.data(stream, b"x");
    client.expect(&Frame::rst(stream, ENHANCE_YOUR_CALM));
    let closed = host.closed(id);
    assert_eq!(closed.facts(), (0, Cause::Violation, ENHANCE_YOUR_CALM, Side::Local), "{closed:?}");
    assert_eq!(host.stats().limit_early_data, 1);
    client.sync();
    assert_eq!(host.engine.accept(id, &Accept::default()).expect_err("over").status(), Status::Gone);
    client.echo(sibling, "a sibling is not touched");
}

#[test]
fn early_data_has_16_kib_by_default() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&connect_fields("/later"), false);
    let id = host.request("/later").stream;
    client.data(stream, &message_of(16_384));
    client.expect_silence_on(stream);
    host.engine.accept(id, &Accept::default()).expect("undecided");
    assert_eq!(host.wait_messages(id, 1)[0].len(), 16_376);
    let second = client.open(&connect_fields("/later?2"), false);
    client.data(second, &message_of(16_384));
    client.data(second, b"x");
    client.expect(&Frame::rst(second, ENHANCE_YOUR_CALM));
}

#[test]
fn a_rejected_handshakes_early_data_costs_the_connection_nothing() {
    let host = Host::with(|config| {
        config.connection_window = 65_535;
        config.stream_window = 65_535;
    });
    let mut client = host.client();
    for n in 0..20 {
        let path = format!("/later?{n}");
        let stream = client.open(&connect_fields(&path), false);
        client.data_within_windows(stream, &message_of(10_000));
        host.engine.reject(host.request(&path).stream, 403, HeaderMap::new(), b"").expect("undecided");
        assert_eq!(client.response(stream).head.status(), "403");
    }
}

// --- demand

#[test]
fn messages_come_only_as_demanded() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand");
    for n in 0..5 {
        client.data(stream, &ws_text(&n.to_string()));
    }
    client.sync();
    assert!(host.messages(id).is_empty(), "nothing was demanded");
    host.engine.demand(id, 2).expect("open");
    assert_eq!(host.wait_messages(id, 2), [b"0".to_vec(), b"1".to_vec()]);
    client.sync();
    assert_eq!(host.messages(id).len(), 2, "two were demanded");
    host.engine.demand(id, 10).expect("open");
    assert_eq!(host.wait_messages(id, 5)[4], b"4");
    for n in 5..12 {
        client.data(stream, &ws_text(&n.to_string()));
    }
    client.sync();
    assert_eq!(host.messages(id).len(), 12, "demand is kept until it is used");
    client.data(stream, &ws_text("12"));
    client.sync();
    assert_eq!(host.messages(id).len(), 12, "12 were demanded");
}

#[test]
fn without_demand_the_window_stays_shut_and_siblings_go_on() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (stalled, id) = socket(&host, &mut client, "/demand");
    let (sibling, _) = socket(&host, &mut client, "/echo");
    for _ in 0..4 {
        client.data(stalled, &message_of(1024));
    }
    client.sync();
    assert_eq!(client.credit(stalled), 0, "no WINDOW_UPDATE without demand");
    for n in 0..100 {
        client.echo(sibling, &format!("sibling {n} {}", "x".repeat(200)));
    }
    let get = client.get("/hello");
    assert_eq!(client.response(get).body, b"hello, world");
    assert_eq!(client.credit(stalled), 0, "still none");
    host.engine.demand(id, 4).expect("open");
    host.wait_messages(id, 4);
    client.wait_credit(stalled, 2048);
    assert!(client.credit(stalled) <= 4096, "never more than was sent: {}", client.credit(stalled));
}

/// A long message, bytes.
const LONG: usize = 40_000;

/// It has begun: `n` bytes of it, and the credit that the stream has when all is done for them.
fn begun(client: &mut Client, stream: u32, n: usize) -> u64 {
    client.data(stream, &message_of(LONG)[..n]);
    client.sync();
    client.credit(stream)
}

#[test]
fn a_long_frame_has_four_windows_while_the_host_takes_it() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (stream, _) = socket(&host, &mut client, "/sink");
    assert_eq!(begun(&mut client, stream, 1000), 3 * 4096 + 1000);
    assert_eq!(client.window(stream), 4 * 4096);
    for part in message_of(LONG)[1000..].chunks(2000) {
        assert!(client.window(stream) >= 2048, "{}", client.window(stream));
        client.data(stream, part);
        client.sync();
    }
    // what it had more is used up, and not given again
    while client.window(stream) > 4096 {
        client.data(stream, &message_of(1024));
        client.sync();
    }
    for _ in 0..10 {
        client.data(stream, &message_of(1024));
        client.sync();
        assert!((2048..=4096).contains(&client.window(stream)), "{}", client.window(stream));
    }
}

#[test]
fn a_long_frame_that_nobody_takes_has_the_usual_window() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand-fragments");
    assert_eq!(begun(&mut client, stream, 4096), 0);
    client.data(stream, b"x");
    client.expect(&Frame::rst(stream, FLOW_CONTROL_ERROR));
    assert_eq!(host.closed(id).cause, Cause::Violation);
}

#[test]
fn the_windows_of_long_frames_are_a_part_of_the_connections() {
    let host = Host::with(|config| {
        config.stream_window = 4096;
        config.connection_window = 65_536;
    });
    let mut client = host.client();
    let sockets = ["/sink?1", "/sink?2", "/sink?3"].map(|path| socket(&host, &mut client, path));
    let [(first, id), (second, _), (third, _)] = sockets;
    let more = [first, second, third].map(|stream| begun(&mut client, stream, 100));
    assert_eq!(more, [3 * 4096 + 100, 4096 + 100, 0], "a fourth is 16,384");
    // one that ends leaves its part to the others
    client.send(&Frame::rst(first, CANCEL));
    host.closed(id);
    client.data(third, b"x");
    client.sync();
    assert_eq!(client.credit(third), 3 * 4096 + 101);
}

#[test]
fn control_frames_are_served_without_demand() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand");
    client.data(stream, &[ws_text("waits"), ws_frame(true, WS_PING, b"now")].concat());
    client.expect(&Frame::data(stream, server_frame(WS_PONG, b"now")));
    assert!(host.messages(id).is_empty());
}

#[test]
fn a_close_waits_behind_messages_that_wait_for_demand() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand");
    client.data(stream, &[ws_text("one"), ws_text("two"), ws_close(1000, "bye")].concat());
    client.sync();
    assert_eq!(host.closed_so_far(id), None);
    host.engine.demand(id, 2).expect("open");
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    client.data_end(stream, b"");
    assert_eq!(host.closed(id).facts(), (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
    assert_eq!(host.messages(id), [b"one".to_vec(), b"two".to_vec()], "nothing was lost");
}

#[test]
fn a_close_without_messages_before_it_needs_no_demand() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand");
    client.data(stream, &ws_close(1001, "going"));
    client.expect(&Frame::data_end(stream, server_close(1001, "")));
    client.data_end(stream, b"");
    assert_eq!(host.closed(id).code, 1001);
}

#[test]
fn a_message_larger_than_the_window_does_not_deadlock() {
    let host = Host::with(|config| {
        config.stream_window = 1024;
        config.connection_window = 65_535;
    });
    let mut client = host.client();
    let payload: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    for (path, demand) in [("/echo", false), ("/demand", true)] {
        let (stream, id) = socket(&host, &mut client, path);
        client.data_within_windows(stream, &ws_binary(&payload));
        if demand {
            client.sync();
            assert!(host.messages(id).is_empty(), "nothing was demanded");
            host.engine.demand(id, 1).expect("open");
        }
        assert!(host.wait_messages(id, 1)[0] == payload, "{path}: the message, whole");
        assert!(client.window(stream) <= 1024, "never more than the window: {}", client.window(stream));
    }
}

#[test]
fn parts_come_only_as_demanded() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/demand-fragments");
    let payload: Vec<u8> = (0..20_000u32).map(|n| n as u8).collect();
    let frame = ws_binary(&payload);
    client.data(stream, &frame[..4096]);
    client.sync();
    let parts = |events: &[Event]| -> Vec<u8> {
        events
            .iter()
            .filter_map(|event| match event {
                Event::Fragment { stream, data, .. } if *stream == id => Some(data.clone()),
                _ => None,
            })
            .flatten()
            .collect()
    };
    assert!(host.events(parts).is_empty(), "nothing was demanded");
    assert_eq!(client.credit(stream), 0, "no WINDOW_UPDATE without demand");
    host.engine.demand(id, u32::MAX).expect("open");
    client.data_within_windows(stream, &frame[4096..]);
    let all = host.wait_for("all parts", |events| {
        let all = parts(events);
        (all.len() == payload.len()).then_some(all)
    });
    assert!(all == payload);
}

/// A host that takes several parts as one has asked for one.
#[test]
fn a_part_that_is_joined_to_the_one_before_needs_no_demand() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/join");
    let message = ws_binary(&[7; 1000]);
    let parts = |events: &[Event]| {
        events.iter().filter(|event| matches!(event, Event::Fragment { stream, .. } if *stream == id)).count()
    };
    let wrong = host.engine.joined(id).expect_err("this thread is no loop");
    assert_eq!(wrong.status(), Status::WrongState);
    // the first part of a message, its second, and then all others with the same credit; the next one's first uses that up
    host.engine.demand(id, 2).expect("open");
    for piece in [&message[..], &message[..]].iter().flat_map(|message| message.chunks(100)) {
        client.data(stream, piece);
        // what comes before the loop knows of the demand is held, and held as one
        host.wait_for("the first part", |events| (parts(events) > 0).then_some(()));
        client.sync();
    }
    assert_eq!(host.events(parts), 11 + 1, "the second part of the second message was not asked for");
    host.engine.demand(id, 1).expect("open");
    host.wait_for("the end of the second message", |events| {
        events.iter().filter(|event| matches!(event, Event::Fragment { last: true, .. })).nth(1).map(|_| ())
    });
    host.engine.abort(id, CANCEL).expect("open");
    host.closed(id);
    // the loop has come back from `closed`
    client.sync();
    assert_eq!(host.engine.joined(id).expect_err("it is gone").status(), Status::Gone);
}

#[test]
fn a_body_that_is_not_demanded_keeps_its_window_shut() {
    let host = Host::with(|config| config.stream_window = 4096);
    let mut client = host.client();
    let stream = client.post("/demand-body");
    let id = host.request("/demand-body").stream;
    client.data(stream, &[1; 4096]);
    client.sync();
    assert_eq!(client.credit(stream), 0, "no WINDOW_UPDATE without demand");
    let (sibling, _) = socket(&host, &mut client, "/echo");
    client.echo(sibling, "a sibling goes on");
    host.engine.demand(id, u32::MAX).expect("open");
    client.wait_credit(stream, 2048);
    client.data_end(stream, b"");
    assert_eq!(host.body(id).0.len(), 4096);
    host.engine.respond(id, 200, HeaderMap::new(), b"").expect("undecided");
    assert_eq!(client.response(stream).head.status(), "200");
}

// --- what we may send

#[test]
fn rfc9113_6_9_a_zero_window_holds_and_opens_by_the_byte() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(0));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Text, b"hello, window").expect("open");
    client.expect_silence_on(stream);
    let mut all = Vec::new();
    for step in [1, 2, 5] {
        client.window_update(stream, step);
        all.extend(take_exactly(&mut client, stream, step as usize));
    }
    client.window_update(stream, 1000);
    all.extend(take_exactly(&mut client, stream, 7));
    assert_eq!(all, server_frame(TEXT, b"hello, window"));
}

#[test]
fn rfc9113_6_9_the_connections_window_holds_too() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(1 << 20));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[9; 100_000]).expect("open");
    take_exactly(&mut client, stream, 65_535);
    client.window_update(0, 10);
    take_exactly(&mut client, stream, 10);
    client.window_update(0, 1 << 20);
    take_exactly(&mut client, stream, 100_010 - 65_545);
}

/// Small ones and large ones, whole and in fragments: what a host's own thread says is cut by the windows anywhere.
#[test]
fn what_another_thread_sends_arrives_byte_by_byte() {
    let lengths = [0, 100, 16_373, 16_374, 16_375, 16_384, 70_000, 5, 200_000, 16_384, 1];
    let payload = |length: usize| (0..length).map(|at| (at * 31 + length) as u8).collect::<Vec<_>>();
    let mut expected: Vec<u8> = lengths.into_iter().flat_map(|length| server_frame(BINARY, &payload(length))).collect();
    for (opcode, length) in [(BINARY, 20_000), (CONTINUE, 3), (CONTINUE, 100_000)] {
        let begin = expected.len();
        expected.extend(server_frame(opcode, &payload(length)));
        expected[begin] &= if length == 100_000 { 0xff } else { 0x7f };
    }
    for window in [1, 700, 40_000, 1 << 20] {
        let host = Host::start();
        let mut client = host.client_with(&narrow(window));
        client.window_update(0, 1 << 24);
        let (stream, id) = socket(&host, &mut client, "/quiet");
        for length in lengths {
            host.engine.send(id, MessageKind::Binary, &payload(length)).expect("room");
        }
        for (length, last) in [(20_000, false), (3, false), (100_000, true)] {
            host.engine.send_fragment(id, MessageKind::Binary, &payload(length), last).expect("room");
        }
        let mut all = Vec::new();
        while all.len() < expected.len() {
            let frame = client.next_on(stream);
            assert_eq!(frame.kind, DATA, "{frame:?}");
            // as much again and a little more, or one byte at a time would take for ever
            client.window_update(stream, frame.payload.len() as u32 * 3 / 2 + 1);
            all.extend(frame.payload);
        }
        assert!(all == expected, "through a window of {window}");
    }
}

/// Of pieces, compressed or not: the same bytes as any other message.
#[test]
fn a_message_put_together_in_a_buffer_arrives() {
    let payload = |length: usize| (0..length).map(|at| (at * 31 + length) as u8 & 0x7f).collect::<Vec<_>>();
    let buffer = |bytes: &[u8], room: usize| {
        let mut buffer = MessageBuffer::with_capacity(room);
        let (one, rest) = bytes.split_at(bytes.len() / 3);
        buffer.extend_from_slice(one);
        buffer.extend(rest.len()).copy_from_slice(rest);
        buffer
    };
    let host = Host::start();
    let mut client = host.client_with(&narrow(1 << 20));
    client.window_update(0, 1 << 24);
    let (stream, id) = socket(&host, &mut client, "/quiet");
    for length in [0, 1, 125, 126, 16_383, 16_384, 70_000, 300_000] {
        for room in [0, length, 400_000] {
            host.engine.send_buffer(id, MessageKind::Text, buffer(&payload(length), room), room > 0).expect("room");
            let message = client.ws_message(stream);
            assert!(message == (TEXT, payload(length)), "{length} bytes in a buffer of {room}");
            client.window_update(stream, length as u32 + 10);
        }
    }
    let refused = host.engine.send_buffer(id, MessageKind::Text, buffer(b"abc\xff", 4), true);
    assert_eq!(refused.unwrap_err().status(), Status::NotUtf8);
    host.engine.abort(id, CANCEL).expect("open");
    host.closed(id);
    // the loop has come back from `closed`
    client.sync();
    let refused = host.engine.send_buffer(id, MessageKind::Binary, buffer(b"abc", 3), true);
    assert_eq!(refused.unwrap_err().status(), Status::Gone);
}

/// Large ones are sent from where they came, to several sockets from the same place.
#[test]
fn what_is_passed_on_arrives_at_each_socket() {
    let lengths = [16_383, 16_384, 70_000, 9, 40_000, 300_000];
    let payload = |length: usize| (0..length).map(|at| (at * 31 + length) as u8).collect::<Vec<_>>();
    let messages = lengths.map(payload);
    let expected: Vec<u8> =
        messages.iter().flat_map(|all| relayed(all).map(|part| server_frame(BINARY, part))).flatten().collect();
    for window in [700, 40_000, 1 << 20] {
        let host = Host::with(|config| {
            config.loops = 1;
            config.send_queue = 1 << 22;
        });
        let mut client = host.client_with(&narrow(window));
        client.window_update(0, 1 << 24);
        let streams = ["/relay?1", "/relay?2", "/relay?3"].map(|path| socket(&host, &mut client, path).0);
        for message in &messages {
            client.data_within_windows(streams[0], &ws_binary(message));
        }
        for stream in streams {
            let mut all = Vec::new();
            while all.len() < expected.len() {
                let frame = client.next_on(stream);
                assert_eq!(frame.kind, DATA, "{frame:?}");
                client.window_update(stream, frame.payload.len() as u32 * 3 / 2 + 1);
                all.extend(frame.payload);
            }
            assert!(all == expected, "through a window of {window}");
        }
    }
}

/// RFC 9113 §6.9.2 has this case as its example.
#[test]
fn rfc9113_6_9_2_a_window_may_become_negative() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(100));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[1; 500]).expect("open");
    take_exactly(&mut client, stream, 100);
    let acks = client.settings_acks();
    client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, 40)]));
    client.sync();
    assert_eq!(client.settings_acks(), acks + 1, "SETTINGS are acknowledged");
    client.window_update(stream, 60);
    client.expect_silence_on(stream);
    client.window_update(stream, 10);
    take_exactly(&mut client, stream, 10);
    client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, 60)]));
    take_exactly(&mut client, stream, 20);
    client.window_update(stream, 1000);
    take_exactly(&mut client, stream, 504 - 130);
}

#[test]
fn rfc9113_6_9_2_a_new_initial_window_is_for_new_streams_too() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(0));
    client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, 10)]));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[1; 50]).expect("open");
    take_exactly(&mut client, stream, 10);
}

#[test]
fn rfc9113_6_9_1_an_overflow_of_a_streams_window_is_a_stream_error() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(65_535));
    let (sibling, _) = socket(&host, &mut client, "/echo");
    let (stream, id) = socket(&host, &mut client, "/quiet");
    client.window_update(stream, MAX_WINDOW - 65_535);
    client.expect_silence_on(stream);
    client.window_update(stream, 1);
    client.expect(&Frame::rst(stream, FLOW_CONTROL_ERROR));
    assert_eq!(host.closed(id).facts(), (1006, Cause::Violation, FLOW_CONTROL_ERROR, Side::Local));
    assert_eq!(host.stats().violation_stream, 1);
    client.echo(sibling, "a sibling is not touched");
}

#[test]
fn rfc9113_6_9_1_an_overflow_of_the_connections_window_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(65_535));
    let (_, id) = socket(&host, &mut client, "/quiet");
    client.window_update(0, MAX_WINDOW - 65_535);
    client.sync();
    client.window_update(0, 1);
    client.expect_goaway(FLOW_CONTROL_ERROR);
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, FLOW_CONTROL_ERROR));
}

#[test]
fn rfc9113_6_9_2_an_overflow_by_settings_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(100));
    let (stream, _) = socket(&host, &mut client, "/quiet");
    client.window_update(stream, 1000);
    client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, MAX_WINDOW)]));
    client.expect_goaway(FLOW_CONTROL_ERROR);
}

#[test]
fn rfc9113_6_5_2_an_initial_window_over_the_largest_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client();
    socket(&host, &mut client, "/quiet");
    client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, MAX_WINDOW + 1)]));
    client.expect_goaway(FLOW_CONTROL_ERROR);
}

#[test]
fn rfc9113_6_9_an_increment_of_0_is_an_error_of_its_stream() {
    let host = Host::start();
    let mut client = host.client();
    let (sibling, _) = socket(&host, &mut client, "/echo");
    let (stream, id) = socket(&host, &mut client, "/quiet");
    client.window_update(stream, 0);
    client.expect(&Frame::rst(stream, PROTOCOL_ERROR));
    assert_eq!(host.closed(id).facts(), (1006, Cause::Violation, PROTOCOL_ERROR, Side::Local));
    client.echo(sibling, "a sibling is not touched");
}

#[test]
fn rfc9113_6_9_an_increment_of_0_on_the_connection_ends_it() {
    let host = Host::start();
    let mut client = host.client();
    socket(&host, &mut client, "/quiet");
    client.window_update(0, 0);
    client.expect_goaway(PROTOCOL_ERROR);
}

#[test]
fn rfc9113_6_9_a_window_update_of_another_length_is_a_connection_error() {
    for on_stream in [true, false] {
        let host = Host::start();
        let mut client = host.client();
        let (stream, _) = socket(&host, &mut client, "/quiet");
        client.send(&Frame::new(WINDOW_UPDATE, 0, if on_stream { stream } else { 0 }, [0, 0, 1]));
        client.expect_goaway(FRAME_SIZE_ERROR);
    }
}

#[test]
fn rfc9113_6_9_a_window_update_on_an_idle_stream_is_a_connection_error() {
    let host = Host::start();
    let mut client = host.client();
    socket(&host, &mut client, "/quiet");
    client.window_update(101, 1);
    client.expect_goaway(PROTOCOL_ERROR);
}

#[test]
fn rfc9113_6_9_a_window_update_on_a_stream_that_is_over_is_ignored() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/quiet");
    client.rst(stream, CANCEL);
    host.closed(id);
    client.window_update(stream, 1);
    let (other, _) = socket(&host, &mut client, "/echo");
    client.echo(other, "the connection goes on");
}

#[test]
fn rfc9113_6_9_1_the_reserved_bit_of_a_window_update_is_ignored() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(0));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Text, b"hello").expect("open");
    client.window_update(stream, 0x8000_0003);
    take_exactly(&mut client, stream, 3);
}

#[test]
fn rfc9113_6_9_1_an_empty_end_stream_needs_no_window() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(4));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.data(stream, &ws_close(1000, ""));
    client.expect(&Frame::data_end(stream, []));
    client.data_end(stream, b"");
    assert_eq!(host.closed(id).facts(), (1000, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn a_close_waits_for_the_window_and_is_not_lost() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(3));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    client.data(stream, &ws_close(1000, ""));
    let expected = server_close(1000, "");
    client.expect(&Frame::data(stream, &expected[..3]));
    client.expect_silence_on(stream);
    client.window_update(stream, 1);
    let (rest, last) = client.rest_of(stream);
    assert_eq!((rest.as_slice(), last.ends_stream()), (&expected[3..], true));
    client.data_end(stream, b"");
    assert_eq!(host.closed(id).facts(), (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn a_large_message_goes_out_in_frames_of_the_peers_size() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[3; 200_000]).expect("one message may exceed what is usual");
    let (opcode, payload) = client.ws_message(stream);
    assert!(opcode == BINARY && payload == [3; 200_000], "no frame was over 16,384 bytes, or the client had failed");
}

/// Large payloads are written from where they lie: of several sockets, between frames of others, and in whatever parts the socket
/// takes, which has no room for all.
#[test]
fn large_messages_of_several_sockets_come_whole() {
    let host = Host::with(|config| config.send_queue = 4 << 20);
    let mut client = host.client();
    let sockets: Vec<_> = (0..5).map(|n| socket(&host, &mut client, &format!("/quiet?{n}"))).collect();
    // larger than what is kept for the output, about as large, and smaller; with small ones before, between and after them
    let sizes = [9, 1_500_000, 100, 400_000, 33_000, 70_000, 20_000, 1];
    let payload = |of: usize, size: usize| -> Vec<u8> { (0..size).map(|at| (at * 7 + at / 251 + of) as u8).collect() };
    for (of, (_, id)) in sockets.iter().enumerate() {
        for size in sizes {
            host.engine.send(*id, MessageKind::Binary, &payload(of, size)).expect("there is room");
        }
    }
    for (of, (stream, _)) in sockets.iter().enumerate() {
        for size in sizes {
            let (opcode, got) = client.ws_message(*stream);
            assert!(opcode == BINARY && got == payload(of, size), "socket {of}: {} of {size} bytes", got.len());
        }
    }
}

#[test]
fn rfc9113_6_5_2_a_peer_that_takes_larger_frames_may_get_them() {
    let host = Host::start();
    let settings = vec![(INITIAL_WINDOW_SIZE, 1 << 20), (MAX_FRAME_SIZE, 40_000)];
    let mut client = host.client_with(&Hello { settings, ..Hello::default() });
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[3; 200_000]).expect("open");
    let (opcode, payload) = client.ws_message(stream);
    assert!(opcode == BINARY && payload == [3; 200_000], "no frame was over 40,000 bytes, or the client had failed");
}

#[test]
fn sockets_and_bodies_share_the_connections_window_fairly() {
    const LENGTH: usize = 300_000;
    let host = Host::start();
    let mut client = host.client_with(&narrow(1 << 20));
    let body = client.get(&format!("/bytes/{LENGTH}"));
    let (one, one_id) = socket(&host, &mut client, "/quiet?1");
    let (two, two_id) = socket(&host, &mut client, "/quiet?2");
    assert_eq!(client.next_on(body).status(), "200");
    for id in [one_id, two_id] {
        host.engine.send(id, MessageKind::Binary, &[4; LENGTH]).expect("open");
    }
    client.sync();
    let mut took = [0usize; 3];
    let count = |client: &mut Client, took: &mut [usize; 3], until: usize| {
        while took.iter().sum::<usize>() < until {
            let frame = client.take("DATA", |frame| frame.kind == DATA);
            let at = [body, one, two].iter().position(|stream| *stream == frame.stream).unwrap();
            took[at] += frame.payload.len();
        }
    };
    count(&mut client, &mut took, 65_535);
    let before = took;
    // all three wait now; each step has room for one frame
    for step in 1..=30 {
        client.window_update(0, 16_384);
        count(&mut client, &mut took, 65_535 + step * 16_384);
    }
    for (at, name) in ["body", "first socket", "second socket"].iter().enumerate() {
        let share = took[at] - before[at];
        assert!(share >= 30 * 16_384 / 10, "the {name} had {share} of {} bytes: {took:?}", 30 * 16_384);
    }
    client.window_update(0, 1 << 20);
    count(&mut client, &mut took, 3 * LENGTH + 20);
}

#[test]
fn a_small_message_does_not_wait_for_a_siblings_large_one() {
    const LENGTH: usize = 8 << 20;
    let host = Host::start();
    let mut client = host.client_with(&narrow(1 << 30));
    let (large, large_id) = socket(&host, &mut client, "/quiet");
    let (small, _) = socket(&host, &mut client, "/echo");
    host.engine.send(large_id, MessageKind::Binary, &vec![5; LENGTH]).expect("one message, nothing else waits");
    client.data(small, &ws_text("hello"));
    let mut of_large = 0;
    let mut credit = 0;
    loop {
        let frame = client.take("DATA", |frame| frame.kind == DATA);
        credit += frame.payload.len();
        if frame.stream == small {
            break;
        }
        of_large += frame.payload.len();
        if credit >= 32_768 {
            client.window_update(0, credit as u32);
            credit = 0;
        }
        assert!(of_large < LENGTH / 2, "half of the large message came first");
    }
    client.rst(large, CANCEL);
    host.closed(large_id);
}

// --- busy and writable

#[test]
fn send_says_busy_at_the_cap_and_writable_follows_once() {
    let host = Host::with(|config| config.send_queue = 64 << 10);
    let mut client = host.client_with(&narrow(0));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    let (sibling, sibling_id) = socket(&host, &mut client, "/quiet?sibling");
    let mut taken = 0;
    // twice: a message on its way to the loop counts double for a moment, and leaves room when it has come
    for _ in 0..2 {
        let refused = loop {
            match host.engine.send(id, MessageKind::Binary, &[taken as u8; 1000]) {
                Ok(()) => taken += 1,
                Err(error) => break error,
            }
            assert!(taken < 100, "100 KB are taken where 64 KiB may wait");
        };
        assert_eq!(refused.status(), Status::Busy);
        client.sync();
    }
    assert!(taken >= 60, "{taken} messages of 1,004 bytes are less than 64 KiB");
    for _ in 0..3 {
        let again = host.engine.send(id, MessageKind::Binary, &[0; 1000]).expect_err("still full");
        assert_eq!(again.status(), Status::Busy);
    }
    assert_eq!(host.stats().limit_send_queue, 5);
    host.engine.send(sibling_id, MessageKind::Text, b"free").expect("a sibling's queue is its own");
    let writables = |host: &Host| {
        host.events(|e| e.iter().filter(|e| matches!(e, Event::Writable { stream } if *stream == id)).count())
    };
    client.sync();
    assert_eq!(writables(&host), 0, "it is still full");
    client.window_update(stream, 1 << 20);
    client.window_update(sibling, 1 << 20);
    for n in 0..taken {
        assert_eq!(client.ws_message(stream), (BINARY, vec![n as u8; 1000]), "what was taken is sent, in order");
    }
    host.wait_for("writable", |e| e.iter().any(|e| matches!(e, Event::Writable { .. })).then_some(()));
    client.sync();
    assert_eq!(writables(&host), 1, "once, however often it was busy");
    host.engine.send(id, MessageKind::Text, b"again").expect("writable");
    assert_eq!(client.ws_message(stream), (TEXT, b"again".to_vec()));
    assert_eq!(client.ws_message(sibling), (TEXT, b"free".to_vec()));
}

#[test]
fn one_message_may_exceed_the_cap_if_nothing_waits() {
    let host = Host::with(|config| config.send_queue = 4096);
    let mut client = host.client_with(&narrow(0));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    host.engine.send(id, MessageKind::Binary, &[1; 50_000]).expect("nothing else waits");
    let refused = host.engine.send(id, MessageKind::Binary, b"x").expect_err("now something waits");
    assert_eq!(refused.status(), Status::Busy);
    client.window_update(stream, 1 << 20);
    assert_eq!(client.ws_message(stream), (BINARY, vec![1; 50_000]));
    host.wait_for("writable", |e| e.iter().any(|e| matches!(e, Event::Writable { .. })).then_some(()));
}

#[test]
fn a_bodys_queue_has_the_same_cap() {
    let host = Host::with(|config| config.send_queue = 16 << 10);
    let mut client = host.client_with(&narrow(0));
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    host.engine.respond_start(id, 200, HeaderMap::new()).expect("undecided");
    let mut taken = 0;
    while host.engine.send_body(id, &[taken as u8; 1000]).is_ok() {
        taken += 1;
        assert!(taken < 40, "40 KB are taken where 16 KiB may wait");
    }
    client.window_update(stream, 1 << 20);
    host.wait_for("writable", |e| e.iter().any(|e| matches!(e, Event::Writable { .. })).then_some(()));
    host.engine.finish(id, None).expect("open");
    let response = client.response(stream);
    let expected: Vec<u8> = (0..taken).flat_map(|n| [n as u8; 1000]).collect();
    assert!(response.body == expected, "{} bytes, expected {}", response.body.len(), expected.len());
}

#[test]
fn a_close_is_taken_when_the_queue_is_full() {
    let host = Host::with(|config| config.send_queue = 4096);
    let mut client = host.client_with(&narrow(0));
    let (stream, id) = socket(&host, &mut client, "/quiet");
    while host.engine.send(id, MessageKind::Binary, &[1; 1000]).is_ok() {}
    host.engine.close(id, Some(1001), "bye").expect("a Close is never refused for want of room");
    client.window_update(stream, 1 << 20);
    loop {
        let frame = client.ws_frame(stream);
        if frame.opcode == CLOSE {
            assert_eq!(frame.payload, close_payload(1001, "bye"));
            break;
        }
        assert_eq!(frame.payload, [1; 1000]);
    }
    client.data_end(stream, &ws_close(1001, ""));
    assert_eq!(host.closed(id).code, 1001);
}

#[test]
fn pings_of_a_peer_that_reads_nothing_do_not_pile_up() {
    let host = Host::with(|config| config.send_queue = 4096);
    let mut client = host.client_with(&narrow(0));
    let (stream, _) = socket(&host, &mut client, "/quiet");
    let ping: Vec<u8> = (0..100).flat_map(|n| ws_frame(true, WS_PING, &[n; 100])).collect();
    for _ in 0..20 {
        client.data(stream, &ping);
    }
    client.sync();
    client.window_update(stream, 1 << 20);
    let mut pongs = 0;
    let mut last = Vec::new();
    client.data(stream, &ws_frame(true, WS_PING, b"the last"));
    while last != b"the last" {
        let pong = client.ws_frame(stream);
        assert_eq!(pong.opcode, WS_PONG);
        last = pong.payload;
        pongs += 1;
    }
    assert!(pongs <= 45, "{pongs} pongs of 102 bytes waited where 4 KiB may");
}

#[test]
fn rfc9113_6_9_a_bodys_window_opens_by_the_byte_too() {
    let host = Host::start();
    let mut client = host.client_with(&narrow(0));
    let streams: Vec<_> = (0..3).map(|_| client.get("/bytes/100000")).collect();
    for stream in &streams {
        assert_eq!(client.next_on(*stream).status(), "200");
    }
    for stream in streams {
        for step in [1, 2, 5] {
            client.window_update(stream, step);
            take_exactly(&mut client, stream, step as usize);
        }
    }
}
