//! WebSocket frames on a stream (RFC 6455 §5), both ways.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, ControlKind, MessageKind, Side, Stats, Status};
use support::client::{Client, Hello, Socket, connect_fields, headers};
use support::frame::*;
use support::host::{Event, Host};

#[test]
fn rfc6455_5_6_text_and_binary_come_back_as_they_went() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    client.data(stream, &ws_text("Hellö"));
    client.expect(&Frame::data(stream, server_frame(TEXT, "Hellö".as_bytes())));
    client.data(stream, &ws_binary(&[0, 255, 1]));
    client.expect(&Frame::data(stream, server_frame(BINARY, &[0, 255, 1])));
    let id = host.request("/echo").stream;
    let kinds = host.events(|events| {
        events
            .iter()
            .filter_map(|event| match event {
                Event::Message { stream, kind, context, .. } if *stream == id => Some((*kind, *context)),
                _ => None,
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(kinds, [(MessageKind::Text, 7), (MessageKind::Binary, 7)], "kind and context of each");
    host.wait_stats("two messages each way", |stats| (stats.messages_in, stats.messages_out) == (2, 2));
}

#[test]
fn rfc6455_5_2_every_length_encoding() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 300_000] {
        let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
        client.data_within_windows(stream, &ws_binary(&payload));
        let (opcode, echo) = client.ws_message(stream);
        assert!((opcode, &echo) == (BINARY, &payload), "a message of {length} bytes");
    }
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    let bytes = [ws_text("é in two frames"), ws_frame(true, BINARY, &[7; 130])].concat();
    for byte in bytes {
        client.data(stream, &[byte]);
    }
    assert_eq!(client.ws_message(stream), (TEXT, "é in two frames".as_bytes().to_vec()));
    assert_eq!(client.ws_message(stream), (BINARY, vec![7; 130]));
}

#[test]
fn many_messages_of_one_data_frame_are_answered_in_one() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    let sent: Vec<u8> = texts.iter().flat_map(|text| ws_text(text)).collect();
    let expected: Vec<u8> = texts.iter().flat_map(|text| server_frame(TEXT, text.as_bytes())).collect();
    client.data(stream, &sent);
    client.expect(&Frame::data(stream, expected));
}

/// Not on the loop's thread.
#[test]
fn what_is_said_under_a_cork_goes_out_at_once_when_it_is_out() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    host.engine.cork(id).expect("open");
    host.engine.uncork(id).expect("nothing waits");
    host.engine.cork(id).expect("open");
    for (n, text) in texts.iter().enumerate() {
        host.engine.send(id, MessageKind::Text, text.as_bytes()).expect("room");
        if n == 10 {
            client.sync();
        }
    }
    host.engine.uncork(id).expect("open");
    let expected: Vec<u8> = texts.iter().flat_map(|text| server_frame(TEXT, text.as_bytes())).collect();
    client.expect(&Frame::data(stream, expected));
    host.engine.send(id, MessageKind::Text, b"no cork any more").expect("room");
    assert_eq!(client.ws_message(stream).1, b"no cork any more");
}

/// Its own limits hold, and `writable` comes as ever.
#[test]
fn a_cork_does_not_keep_writable_back() {
    let host = Host::with(|config| config.send_queue = 10_000);
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    host.engine.cork(id).expect("open");
    let mut sent = 0;
    while host.engine.send(id, MessageKind::Binary, &[7; 1000]).is_ok() {
        sent += 1;
    }
    assert!(sent > 0);
    host.wait_for("writable", |events| {
        events.iter().find(|event| matches!(event, Event::Writable { stream } if *stream == id)).map(|_| ())
    });
    for _ in 0..sent {
        assert_eq!(client.ws_message(stream).1, [7; 1000]);
    }
}

#[test]
fn rfc6455_5_4_fragments_are_put_together_with_control_frames_between() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    client.data(stream, &ws_frame(false, TEXT, b"one "));
    client.data(stream, &ws_frame(true, WS_PING, b"between"));
    client.expect(&Frame::data(stream, server_frame(WS_PONG, b"between")));
    client.data(stream, &ws_frame(false, CONTINUE, b""));
    // a character cut in two
    client.data(stream, &ws_frame(false, CONTINUE, &"é".as_bytes()[..1]));
    client.data(stream, &ws_frame(true, CONTINUE, &"é".as_bytes()[1..]));
    client.expect(&Frame::data(stream, server_frame(TEXT, "one é".as_bytes())));
    assert_eq!(host.messages(host.request("/echo").stream).len(), 1);
}

#[test]
fn rfc6455_5_5_2_each_ping_has_its_pong() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    let id = host.request("/echo").stream;
    let pings = [ws_frame(true, WS_PING, b"1"), ws_frame(true, WS_PING, b""), ws_frame(true, WS_PING, &[b'x'; 125])];
    client.data(stream, &pings.concat());
    for payload in [&b"1"[..], b"", &[b'x'; 125]] {
        let pong = client.ws_frame(stream);
        assert_eq!((pong.opcode, pong.payload.as_slice()), (WS_PONG, payload));
    }
    assert_eq!(host.control(id, ControlKind::Ping), (b"1".to_vec(), None), "the host hears of it");
}

#[test]
fn rfc6455_5_5_3_a_pong_nobody_asked_for_is_heard_and_not_answered() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    client.data(stream, &ws_frame(true, WS_PONG, b"here"));
    assert_eq!(host.control(host.request("/echo").stream, ControlKind::Pong), (b"here".to_vec(), None));
    client.expect_silence_on(stream);
}

#[test]
fn the_host_can_ping() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    host.engine.ping(id, b"there?").expect("open");
    client.expect(&Frame::data(stream, server_frame(WS_PING, b"there?")));
    client.data(stream, &ws_frame(true, WS_PONG, b"there?"));
    assert_eq!(host.control(id, ControlKind::Pong).0, b"there?");
}

#[test]
fn with_manual_control_the_host_answers_pings() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/manual");
    let id = host.request("/manual").stream;
    client.data(stream, &ws_frame(true, WS_PING, b"there?"));
    assert_eq!(host.control(id, ControlKind::Ping).0, b"there?");
    client.expect_silence_on(stream);
    host.engine.pong(id, b"here").expect("open");
    client.expect(&Frame::data(stream, server_frame(WS_PONG, b"here")));
}

#[test]
fn a_host_that_takes_parts_gets_them_as_they_come() {
    let host = Host::with(|config| config.max_message = 1000);
    let mut client = host.client();
    let stream = client.connect_websocket("/fragments");
    let id = host.request("/fragments").stream;
    let payload: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
    let frame = ws_binary(&payload);
    client.data_within_windows(stream, &frame[..50_000]);
    let parts = |events: &[Event]| -> Vec<(Vec<u8>, bool, bool)> {
        events
            .iter()
            .filter_map(|event| match event {
                Event::Fragment { stream, data, first, last, .. } if *stream == id => {
                    Some((data.clone(), *first, *last))
                }
                _ => None,
            })
            .collect()
    };
    let half = host.wait_for("the first half", |events| {
        let parts = parts(events);
        (parts.iter().map(|(data, ..)| data.len()).sum::<usize>() >= 49_000).then_some(parts)
    });
    assert!(half.iter().all(|(_, _, last)| !last), "the message is not complete");
    client.data_within_windows(stream, &frame[50_000..]);
    let all = host.wait_for("the last part", |events| {
        let parts = parts(events);
        parts.last().is_some_and(|(_, _, last)| *last).then_some(parts)
    });
    let firsts: Vec<bool> = all.iter().map(|(_, first, _)| *first).collect();
    assert!(firsts[0] && !firsts[1..].contains(&true), "first is on the first part only: {firsts:?}");
    let together: Vec<u8> = all.into_iter().flat_map(|(data, ..)| data).collect();
    assert!(together == payload, "the parts are the message, whatever max_message says");
    let (opcode, echo) = client.ws_message(stream);
    assert!((opcode, &echo) == (BINARY, &payload), "sent back part by part");
}

#[test]
fn rfc6455_5_4_the_host_can_send_in_fragments() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    host.engine.send_fragment(id, MessageKind::Text, b"one", false).expect("open");
    let frame = client.ws_frame(stream);
    assert_eq!((frame.fin, frame.opcode, frame.payload.as_slice()), (false, TEXT, &b"one"[..]));
    host.engine.ping(id, b"between").expect("control frames may come between");
    assert_eq!(client.ws_frame(stream).opcode, WS_PING);
    host.engine.send_fragment(id, MessageKind::Text, b"", false).expect("open");
    let frame = client.ws_frame(stream);
    assert_eq!((frame.fin, frame.opcode, frame.payload.len()), (false, CONTINUE, 0));
    host.engine.send_fragment(id, MessageKind::Text, b"two", true).expect("open");
    let frame = client.ws_frame(stream);
    assert_eq!((frame.fin, frame.opcode, frame.payload.as_slice()), (true, CONTINUE, &b"two"[..]));
    host.engine.send(id, MessageKind::Binary, b"whole").expect("the fragmented message is complete");
    assert_eq!(client.ws_message(stream), (BINARY, b"whole".to_vec()));
    host.wait_stats("a fragmented message to count once", |stats| stats.messages_out == 2);
}

#[test]
fn a_whole_conversation_may_come_byte_by_byte() {
    let host = Host::start();
    let mut client = Client::raw(Socket::connect(&host.address));
    let hello = Hello::default();
    let stream = client.next_stream();
    let mut bytes = Client::hello_bytes(&hello);
    bytes.extend(headers(stream, &connect_fields("/echo"), false).encode());
    bytes.extend(Frame::data(stream, ws_text("hello")).encode());
    bytes.extend(Frame::window_update(stream, 10).encode());
    bytes.extend(Frame::new(DATA, PADDED, stream, [&[3][..], &ws_binary(b"padded"), &[0; 3]].concat()).encode());
    bytes.extend(Frame::ping([1; 8]).encode());
    bytes.extend(Frame::settings(&[(INITIAL_WINDOW_SIZE, 1 << 20)]).encode());
    bytes.extend(Frame::data_end(stream, ws_close(1000, "bye")).encode());
    for byte in bytes {
        client.send_bytes(&[byte]);
    }
    client.finish_hello(&hello);
    assert_eq!(client.next_on(stream).status(), "200");
    let (bytes, last) = client.rest_of(stream);
    let expected = [server_frame(TEXT, b"hello"), server_frame(BINARY, b"padded"), server_close(1000, "")];
    assert_eq!((bytes, last.ends_stream()), (expected.concat(), true));
    client.take("the answer to the PING", |frame| *frame == Frame::new(PING, ACK, 0, [1; 8]));
    let id = host.request("/echo").stream;
    assert_eq!(host.closed(id).facts(), (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn messages_in_the_same_segment_as_the_handshake_are_heard() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.next_stream();
    client.send_all(&[
        headers(stream, &connect_fields("/echo"), false),
        Frame::data(stream, [ws_text("one"), ws_text("two")].concat()),
    ]);
    assert_eq!(client.next_on(stream).status(), "200");
    assert_eq!(client.ws_message(stream).1, b"one");
    assert_eq!(client.ws_message(stream).1, b"two");
}

#[test]
fn messages_of_many_threads_arrive_each_in_its_order() {
    const THREADS: u8 = 4;
    const EACH: u8 = 250;
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let engine = &host.engine;
            scope.spawn(move || {
                for n in 0..EACH {
                    engine.send(id, MessageKind::Binary, &[thread, n]).expect("room for all");
                }
            });
        }
    });
    let mut next = [0; THREADS as usize];
    for _ in 0..u32::from(THREADS) * u32::from(EACH) {
        let (_, message) = client.ws_message(stream);
        let thread = usize::from(message[0]);
        assert_eq!(message[1], next[thread], "of thread {thread}");
        next[thread] += 1;
    }
}

/// The client breaks RFC 6455 with `bytes`; then: Close with `code` and END_STREAM in one DATA frame, and when the
/// client has ended its side too, nothing more. A sibling is not touched.
fn assert_violation(path: &str, bytes: &[u8], code: u16, counter: impl Fn(&Stats) -> u64, what: &str) {
    let host = Host::with(|config| {
        config.max_message = 1000;
        config.max_fragments = 10;
    });
    let mut client = host.client();
    let sibling = client.connect_websocket("/echo");
    let stream = client.connect_websocket(path);
    client.data(stream, bytes);
    violated(&host, &mut client, stream, code, what);
    let closed = host.closed(host.request(path).stream);
    assert_eq!(closed.facts(), (code, Cause::Violation, NO_ERROR, Side::Local), "{what}: {closed:?}");
    assert!(!closed.reason.is_empty(), "{what}: the reason says what");
    assert_eq!(counter(&host.stats()), 1, "{what}: counted: {:#?}", host.stats());
    client.echo(sibling, "a sibling is not touched");
}

fn violated(_host: &Host, client: &mut Client, stream: u32, code: u16, what: &str) {
    let frame = client.next_on(stream);
    assert_eq!(frame, Frame::data_end(stream, server_close(code, "")), "{what}");
    client.data_end(stream, &ws_close(code, ""));
    client.expect_silence_on(stream);
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

#[test]
fn rfc6455_5_1_a_client_must_mask() {
    assert_violation("/quiet", &unmasked(0x81, b"hello"), 1002, |s| s.violation_frame, "no mask");
    assert_violation("/quiet", &unmasked(0x89, b""), 1002, |s| s.violation_frame, "no mask on a Ping");
}

#[test]
fn rfc6455_5_2_reserved_bits_and_opcodes_fail_the_connection() {
    for rsv in [0x40, 0x20, 0x10] {
        let mut frame = ws_text("x");
        frame[0] |= rsv;
        assert_violation("/quiet", &frame, 1002, |s| s.violation_frame, &format!("RSV {rsv:#x}"));
    }
    for opcode in [3, 7, 11, 15] {
        let frame = ws_frame(true, opcode, b"");
        assert_violation("/quiet", &frame, 1002, |s| s.violation_frame, &format!("opcode {opcode}"));
    }
}

#[test]
fn rfc6455_5_2_lengths_use_the_fewest_bytes() {
    let mask = [0, 0, 0, 0];
    let long = [&[0x82, 0xfe, 0, 125][..], &mask, &[0; 125]].concat();
    assert_violation("/quiet", &long, 1002, |s| s.violation_frame, "125 in two bytes");
    let longer = [&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 200][..], &mask, &[0; 200]].concat();
    assert_violation("/quiet", &longer, 1002, |s| s.violation_frame, "200 in eight bytes");
    let negative = [&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0][..], &mask].concat();
    assert_violation("/quiet", &negative, 1002, |s| s.violation_frame, "the most significant bit set");
}

#[test]
fn rfc6455_5_4_fragments_come_in_order() {
    let alone = ws_frame(true, CONTINUE, b"x");
    assert_violation("/quiet", &alone, 1002, |s| s.violation_frame, "a continuation of nothing");
    let torn = [ws_frame(false, TEXT, b"x"), ws_frame(true, TEXT, b"y")].concat();
    assert_violation("/quiet", &torn, 1002, |s| s.violation_frame, "a message inside a message");
}

#[test]
fn rfc6455_5_5_control_frames_are_short_and_whole() {
    let long = ws_frame(true, WS_PING, &[0; 126]);
    assert_violation("/quiet", &long, 1002, |s| s.violation_frame, "a Ping of 126 bytes");
    let part = ws_frame(false, WS_PING, b"x");
    assert_violation("/quiet", &part, 1002, |s| s.violation_frame, "a fragmented Ping");
}

#[test]
fn rfc6455_5_5_1_a_close_frame_is_well_formed() {
    let short = ws_frame(true, CLOSE, &[3]);
    assert_violation("/quiet", &short, 1002, |s| s.violation_frame, "a Close of one byte");
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let frame = ws_close(code, "");
        assert_violation("/quiet", &frame, 1002, |s| s.violation_frame, &format!("Close {code}"));
    }
    let reason = ws_frame(true, CLOSE, &[0x03, 0xe8, 0xff]);
    assert_violation("/quiet", &reason, 1007, |s| s.violation_utf8, "a reason that is not UTF-8");
}

#[test]
fn rfc6455_8_1_text_is_utf8_and_is_failed_as_soon_as_it_is_not() {
    let whole = ws_frame(true, TEXT, b"\xc0\x80");
    assert_violation("/quiet", &whole, 1007, |s| s.violation_utf8, "an overlong form");
    let surrogate = ws_frame(true, TEXT, b"\xed\xa0\x80");
    assert_violation("/quiet", &surrogate, 1007, |s| s.violation_utf8, "a surrogate");
    let cut = ws_frame(true, TEXT, b"\xc3");
    assert_violation("/quiet", &cut, 1007, |s| s.violation_utf8, "a character cut by the end");
    let early = ws_frame(false, TEXT, b"ok \xff");
    assert_violation("/quiet", &early, 1007, |s| s.violation_utf8, "found before the message is complete");
    let across = [ws_frame(false, TEXT, b"\xf4"), ws_frame(false, CONTINUE, b"\x90")].concat();
    assert_violation("/quiet", &across, 1007, |s| s.violation_utf8, "found across fragments");
    let mut inside = ws_head(true, TEXT, 500);
    inside.extend([0xff; 4]);
    assert_violation("/quiet", &inside, 1007, |s| s.violation_utf8, "found inside a frame that has not all come");
    assert_violation("/fragments", &early, 1007, |s| s.violation_utf8, "the same for parts");
}

#[test]
fn rfc6455_7_4_1_a_message_over_the_limit_is_1009_from_its_announcement_on() {
    let announced = ws_head(true, BINARY, 1001);
    assert_violation("/quiet", &announced, 1009, |s| s.limit_message, "announced");
    let enormous = ws_head(true, BINARY, u64::MAX >> 1);
    assert_violation("/quiet", &enormous, 1009, |s| s.limit_message, "announced as 2^63 - 1");
    let sum = [ws_frame(false, BINARY, &[0; 600]), ws_head(true, CONTINUE, 401)].concat();
    assert_violation("/quiet", &sum, 1009, |s| s.limit_message, "by the sum of its fragments");
}

#[test]
fn rfc6455_7_4_1_too_many_fragments_are_1008_however_small() {
    let mut frames = ws_frame(false, BINARY, b"");
    for _ in 0..10 {
        frames.extend(ws_frame(false, CONTINUE, b""));
    }
    assert_violation("/quiet", &frames, 1008, |s| s.limit_fragments, "11 fragments");
}

#[test]
fn a_message_at_the_limits_is_taken() {
    let host = Host::with(|config| {
        config.max_message = 1000;
        config.max_fragments = 10;
    });
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    client.data(stream, &ws_binary(&[1; 1000]));
    assert_eq!(client.ws_message(stream), (BINARY, vec![1; 1000]));
    for n in 0..10 {
        client.data(stream, &ws_frame(n == 9, if n == 0 { BINARY } else { CONTINUE }, &[n; 100]));
    }
    assert_eq!(client.ws_message(stream).1.len(), 1000);
}

#[test]
fn what_came_before_a_violation_is_heard_and_what_comes_after_is_not() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    client.data(stream, &[ws_text("before"), ws_frame(true, 3, b""), ws_text("after")].concat());
    violated(&host, &mut client, stream, 1002, "a reserved opcode in the middle");
    assert_eq!(host.closed(id).cause, Cause::Violation);
    assert_eq!(host.messages(id), [b"before".to_vec()]);
}

#[test]
fn after_a_violation_a_peer_that_does_not_end_its_side_is_reset() {
    let host = Host::with(|config| config.close_timeout = 50);
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    client.data(stream, &ws_frame(true, 3, b""));
    client.expect(&Frame::data_end(stream, server_close(1002, "")));
    client.expect(&Frame::rst(stream, NO_ERROR));
    let closed = host.closed(host.request("/quiet").stream);
    assert_eq!((closed.code, closed.cause, closed.side), (1002, Cause::Violation, Side::Local));
}

#[test]
fn the_context_can_be_changed() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    host.engine.set_context(id, u64::MAX).expect("open");
    // what is said of a stream is done in its order: when this is here, that is done
    host.engine.send(id, MessageKind::Text, b"changed").expect("open");
    client.ws_message(stream);
    client.data(stream, &ws_text("x"));
    let context = host.wait_for("a message", |events| {
        events.iter().find_map(|event| match event {
            Event::Message { context, .. } => Some(*context),
            _ => None,
        })
    });
    assert_eq!(context, u64::MAX);
}

#[test]
fn a_handle_that_is_over_is_gone_for_every_call() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    client.rst(stream, CANCEL);
    host.closed(id);
    let again = client.connect_websocket("/quiet?again");
    let gone = |result: Result<(), h2ws::Error>| assert_eq!(result.expect_err("over").status(), Status::Gone);
    for id in [id, h2ws::StreamId::from_raw(0), h2ws::StreamId::from_raw(u64::MAX)] {
        gone(host.engine.send(id, MessageKind::Text, b"x"));
        gone(host.engine.send_fragment(id, MessageKind::Text, b"x", true));
        gone(host.engine.ping(id, b""));
        gone(host.engine.pong(id, b""));
        gone(host.engine.close(id, Some(1000), ""));
        gone(host.engine.abort(id, CANCEL));
        gone(host.engine.demand(id, 1));
        gone(host.engine.cork(id));
        gone(host.engine.uncork(id));
        gone(host.engine.set_context(id, 1));
        gone(host.engine.accept(id, &h2ws::Accept::default()));
        gone(host.engine.finish(id, None));
        gone(host.engine.send_body(id, b""));
    }
    host.engine.send(host.request("/quiet?again").stream, MessageKind::Text, b"alive").expect("open");
    assert_eq!(client.ws_message(again).1, b"alive");
}
