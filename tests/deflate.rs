//! permessage-deflate (RFC 7692) on the wire: the handshake, both directions, what breaks the rules.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use flate2::Decompress;
use h2ws::{Config, MessageKind, Stats, Status};
use support::client::{connect_fields, with_field};
use support::deflate::*;
use support::frame::*;
use support::host::{Host, header_map};

// --- the handshake

#[test]
fn rfc7692_5_1_nothing_is_agreed_on_unless_the_host_switched_it_on() {
    let host = Host::start();
    let mut client = host.client();
    let (stream, answer) = offer(&mut client, "/echo", OFFER);
    assert_eq!(answer, None);
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &HELLO));
    expect_failure(&host, &mut client, stream, "/echo", 1002);
}

#[test]
fn rfc7692_5_1_nothing_is_agreed_on_unless_the_client_offers_it() {
    let host = host(|_| {});
    let mut client = host.client();
    let fields = connect_fields("/echo");
    let stream = client.open(&fields, false);
    let head = client.next_on(stream);
    assert_eq!((head.status(), head.field("sec-websocket-extensions")), ("200", None), "{head:?}");
    client.echo(stream, &json(100));
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &HELLO));
    expect_failure(&host, &mut client, stream, "/echo", 1002);
}

#[test]
fn rfc7692_7_1_each_offer_is_answered_on_the_wire() {
    let plain = |config: &mut Config| takeover(config);
    let small = |config: &mut Config| {
        takeover(config);
        (config.deflate_server_window_bits, config.deflate_client_window_bits) = (10, 11);
    };
    let shared = |_: &mut Config| {};
    type Row = (fn(&mut Config), &'static str, Option<&'static str>);
    let rows: [Row; 10] = [
        (plain, "permessage-deflate", Some("permessage-deflate")),
        (plain, "permessage-deflate; server_max_window_bits=8", None),
        (plain, "permessage-deflate; server_max_window_bits=99", None),
        (plain, "permessage-deflate; server_max_window_bits=\"\"", None),
        (plain, "permessage-deflate; wrong, permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        (plain, "foo; bar=\"unterminated", None),
        (
            shared,
            "permessage-deflate; client_max_window_bits",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        (
            small,
            "permessage-deflate; client_max_window_bits",
            Some("permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"),
        ),
        (
            small,
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=\"9\"",
            Some("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"),
        ),
        (
            small,
            "permessage-deflate; server_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; server_max_window_bits=10"),
        ),
    ];
    for (config, line, expected) in rows {
        let host = host(config);
        let (_, answer) = offer(&mut host.client(), "/echo", line);
        assert_eq!(answer.as_deref(), expected, "the answer to {line:?}");
    }
}

#[test]
fn a_host_may_decline_for_one_socket() {
    let host = host(|_| {});
    let mut client = host.client();
    let (stream, answer) = offer(&mut client, "/no-deflate", OFFER);
    assert_eq!(answer, None);
    client.echo(stream, &json(100));
    let stats = host.stats();
    assert_eq!((stats.compressed_in, stats.compressed_out), (0, 0));
}

#[test]
fn a_host_may_not_answer_extensions_itself() {
    let host = host(|_| {});
    let mut client = host.client();
    client.open(&with_field(connect_fields("/later"), "sec-websocket-extensions", Some(OFFER)), false);
    let stream = host.request("/later").stream;
    let headers = header_map(&[("sec-websocket-extensions", "permessage-deflate")]);
    let error = host
        .engine
        .accept(stream, &h2ws::Accept { headers, ..h2ws::Accept::default() })
        .expect_err("h2ws agrees on extensions");
    assert_eq!(error.status(), Status::InvalidArgument, "{error}");
    assert!(error.text().contains("sec-websocket-extensions"), "{error}");
}

#[test]
fn an_accept_from_another_thread_answers_the_offer_too() {
    let host = host(|_| {});
    let mut client = host.client();
    let stream = client.open(&with_field(connect_fields("/later"), "sec-websocket-extensions", Some(OFFER)), false);
    let id = host.request("/later").stream;
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &HELLO)); // before the answer
    host.engine.accept(id, &h2ws::Accept::default()).expect("undecided");
    let head = client.next_on(stream);
    assert!(head.field("sec-websocket-extensions").is_some_and(|v| v.starts_with("permessage-deflate")), "{head:?}");
    assert_eq!(host.wait_messages(id, 1), [b"Hello"]);
    host.engine.send(id, MessageKind::Text, "Hello".repeat(10).as_bytes()).expect("sent");
    assert_eq!(client.ws_frame(stream).opcode, TEXT_COMPRESSED);
}

// --- messages

#[test]
fn rfc7692_7_2_messages_go_and_come_compressed() {
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/echo");
    let mut peer = Peer::new(false, false);
    for message in [json(5), json(50), json(5000), "Hellö".repeat(200)] {
        let sent = peer.echo(&mut client, stream, TEXT, message.as_bytes());
        assert!(sent < message.len(), "{sent} bytes for {}", message.len());
        peer.echo(&mut client, stream, BINARY, message.as_bytes());
    }
    let stats = host.wait_stats("eight messages", |stats| stats.messages_out == 8);
    assert_eq!((stats.compressed_in, stats.compressed_out, stats.messages_in), (8, 8, 8));
    let id = host.request("/echo").stream;
    assert_eq!(host.messages(id)[1], json(5).into_bytes(), "what the host was told");
}

#[test]
fn level_9_makes_fewer_bytes_than_level_1() {
    let message = json(3000);
    let [fastest, smallest] = [1, 9].map(|level| {
        let host = host(|config| config.deflate_level = level);
        let mut client = host.client();
        let stream = open(&mut client, "/echo");
        Peer::new(false, false).echo(&mut client, stream, TEXT, message.as_bytes())
    });
    assert!(smallest < fastest, "{smallest} bytes at level 9, {fastest} at level 1");
}

#[test]
fn rfc7692_7_1_1_with_takeover_a_second_message_is_smaller_than_the_first() {
    let host = host(takeover);
    let mut client = host.client();
    let (stream, answer) = offer(&mut client, "/echo", OFFER);
    assert_eq!(answer.as_deref(), Some("permessage-deflate"));
    let mut peer = Peer::new(true, true);
    let message = json(40);
    let first = peer.echo(&mut client, stream, TEXT, message.as_bytes());
    for _ in 0..5 {
        let next = peer.echo(&mut client, stream, TEXT, message.as_bytes());
        assert!(next * 4 < first, "{next} bytes with the window of a first one of {first}");
    }
}

#[test]
fn rfc7692_7_1_1_without_takeover_each_message_stands_by_itself() {
    let host = host(|_| {});
    let mut client = host.client();
    let (one, two) = (open(&mut client, "/echo"), open(&mut client, "/echo"));
    let mut peer = Peer::new(false, false);
    let message = json(40);
    let first = peer.echo(&mut client, one, TEXT, message.as_bytes());
    for stream in [two, one, two] {
        let next = peer.echo(&mut client, stream, TEXT, message.as_bytes());
        assert_eq!(next, first, "no trace of messages before, on this socket or another");
    }
}

#[test]
fn rfc7692_7_1_1_each_side_has_its_own_takeover() {
    for (server, client_side) in [(true, false), (false, true)] {
        let host = host(|config| {
            (config.deflate_server_takeover, config.deflate_client_takeover) = (server, client_side);
        });
        let mut client = host.client();
        let (stream, answer) = offer(&mut client, "/echo", OFFER);
        let expected = if server { "client_no_context_takeover" } else { "server_no_context_takeover" };
        assert_eq!(answer, Some(format!("permessage-deflate; {expected}")));
        let mut peer = Peer::new(client_side, server);
        let message = json(40);
        let first = peer.echo(&mut client, stream, TEXT, message.as_bytes());
        let second = peer.echo(&mut client, stream, TEXT, message.as_bytes());
        assert_eq!(second < first, server, "{first} bytes, then {second}");
    }
}

#[test]
fn rfc7692_7_1_2_every_pair_of_windows_works() {
    for bits in [9, 10, 12, 15] {
        for takeover in [false, true] {
            let host = host(|config| {
                (config.deflate_server_takeover, config.deflate_client_takeover) = (takeover, takeover);
                (config.deflate_server_window_bits, config.deflate_client_window_bits) = (bits, bits);
            });
            let mut client = host.client();
            let stream = open(&mut client, "/echo");
            let mut peer = Peer::with_bits(takeover, takeover, bits as u8);
            // only a window as small as was agreed on: it fails to read a match that reaches further
            peer.inflate = Decompress::new_with_window_bits(false, bits as u8);
            for message in [json(3), json(2000), json(2000), json(3)] {
                peer.echo(&mut client, stream, TEXT, message.as_bytes());
            }
        }
    }
}

#[test]
fn rfc7692_7_2_3_6_empty_messages() {
    let host = host(takeover);
    let mut client = host.client();
    let stream = open(&mut client, "/echo");
    for payload in [&[0][..], &[], &HELLO, &[0]] {
        client.data(stream, &ws_frame(true, BINARY_COMPRESSED, payload));
        let expected = if payload == HELLO { &b"Hello"[..] } else { b"" };
        let id = host.request("/echo").stream;
        client.sync();
        assert_eq!(host.messages(id).last().map(Vec::as_slice), Some(expected), "{payload:02x?}");
    }
    // an empty message is shorter than any deflate_min_size
    assert_eq!(client.ws_frame(stream), WsFrame { fin: true, opcode: BINARY, payload: Vec::new() });
}

#[test]
fn rfc7692_6_a_compressed_message_may_come_in_fragments_with_control_frames_between() {
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/echo");
    let (message, mut peer) = (json(30), Peer::new(false, false));
    let compressed = peer.compress(message.as_bytes());
    let mut frames = ws_frame(false, TEXT_COMPRESSED, &[]);
    for byte in &compressed {
        frames.extend(ws_frame(false, CONTINUE, &[*byte]));
    }
    frames.extend(ws_frame(true, WS_PING, b"?"));
    frames.extend(ws_frame(true, CONTINUE, &[]));
    client.data_within_windows(stream, &frames);
    assert_eq!(client.ws_frame(stream), WsFrame { fin: true, opcode: WS_PONG, payload: b"?".to_vec() });
    let (opcode, payload) = client.ws_message(stream);
    assert_eq!((opcode, peer.inflate(&payload)), (TEXT_COMPRESSED, message.into_bytes()));
}

#[test]
fn rfc7692_6_what_comes_uncompressed_is_taken_as_it_is() {
    let host = host(takeover);
    let mut client = host.client();
    let stream = open(&mut client, "/echo");
    let mut peer = Peer::new(true, true);
    for message in [json(10), json(20)] {
        client.data(stream, &ws_text(&message));
        let (opcode, payload) = client.ws_message(stream);
        assert_eq!((opcode, peer.inflate(&payload)), (TEXT_COMPRESSED, message.clone().into_bytes()));
        peer.echo(&mut client, stream, TEXT, message.as_bytes());
    }
}

#[test]
fn rfc7692_7_2_3_4_last_blocks_and_what_follows_them() {
    let host = host(takeover);
    let mut client = host.client();
    let stream = open(&mut client, "/quiet");
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for payload in [[&last[..], &[0]].concat(), last.to_vec(), [&last[..], &HELLO].concat(), HELLO.to_vec()] {
        client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &payload));
    }
    let messages = host.wait_messages(host.request("/quiet").stream, 4);
    assert_eq!(messages, [&b"Hello"[..], b"Hello", b"HelloHello", b"Hello"]);
}

#[test]
fn a_message_shorter_than_the_least_size_goes_uncompressed() {
    let host = host(|config| config.deflate_min_size = 256);
    let mut client = host.client();
    let stream = open(&mut client, "/echo");
    let message = "x".repeat(255);
    client.echo(stream, &message);
    client.data(stream, &ws_text(&"x".repeat(256)));
    assert_eq!(client.ws_frame(stream).opcode, TEXT_COMPRESSED);
}

/// Bytes that nothing compresses.
fn noise(n: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn what_compression_makes_no_smaller_goes_uncompressed_unless_it_is_in_the_window() {
    for (takeover_on, opcode) in [(false, BINARY), (true, BINARY_COMPRESSED)] {
        let host = host(|config| config.deflate_server_takeover = takeover_on);
        let mut client = host.client();
        let stream = open(&mut client, "/echo");
        let mut peer = Peer::new(false, takeover_on);
        for n in [1, 300, 40_000] {
            let message = noise(n);
            client.data_within_windows(stream, &ws_binary(&message));
            let (got, payload) = client.ws_message(stream);
            assert_eq!(got, opcode, "takeover {takeover_on}, {n} bytes");
            let inflated = if got == BINARY { payload } else { peer.inflate(&payload) };
            assert!(inflated == message, "takeover {takeover_on}, {n} bytes");
        }
    }
}

#[test]
fn a_host_may_send_uncompressed() {
    let host = host(takeover);
    let mut client = host.client();
    let (plain, echo) = (open(&mut client, "/plain"), open(&mut client, "/echo"));
    let mut peer = Peer::new(true, true);
    for message in [json(10), json(3000)] {
        client.data_within_windows(plain, &ws_text(&message));
        assert!(client.ws_message(plain) == (TEXT, message.clone().into_bytes()), "as it is");
        peer.echo(&mut client, echo, TEXT, message.as_bytes());
    }
    // the window is not touched by what goes past it, nor is the order of messages
    let id = host.request("/echo").stream;
    for compressed in [true, false, true] {
        let sent = if compressed {
            host.engine.send(id, MessageKind::Text, json(11).as_bytes())
        } else {
            host.engine.send_uncompressed(id, MessageKind::Text, json(11).as_bytes())
        };
        sent.expect("taken");
    }
    for expected in [TEXT_COMPRESSED, TEXT, TEXT_COMPRESSED] {
        let (opcode, payload) = client.ws_message(echo);
        assert_eq!(opcode, expected);
        let inflated = if opcode == TEXT { payload } else { peer.inflate(&payload) };
        assert_eq!(inflated, json(11).into_bytes());
    }
    let error = host.engine.send_uncompressed(id, MessageKind::Text, b"\xff").expect_err("no text");
    assert_eq!(error.status(), Status::NotUtf8);
}

#[test]
fn fragments_of_the_host_go_uncompressed() {
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/quiet");
    let id = host.request("/quiet").stream;
    let part = json(100);
    host.engine.send_fragment(id, MessageKind::Text, part.as_bytes(), false).expect("taken");
    host.engine.send_fragment(id, MessageKind::Text, part.as_bytes(), true).expect("taken");
    let frames = [client.ws_frame(stream), client.ws_frame(stream)];
    assert_eq!(frames.map(|frame| (frame.fin, frame.opcode)), [(false, TEXT), (true, CONTINUE)]);
}

// --- parts

#[test]
fn compressed_messages_are_delivered_in_parts_too() {
    for takeover_on in [false, true] {
        let host = host(|config| config.deflate_client_takeover = takeover_on);
        let mut client = host.client();
        let (stream, other) = (open(&mut client, "/fragments"), open(&mut client, "/quiet"));
        let mut peer = Peer::new(takeover_on, false);
        let messages = [json(1), json(20_000), String::new(), "ö".repeat(3000)];
        for message in &messages {
            let compressed = peer.compress(message.as_bytes());
            let (one, two) = compressed.split_at(compressed.len() / 2);
            client.data_within_windows(stream, &ws_frame(false, TEXT_COMPRESSED, one));
            client.data(other, &ws_frame(true, TEXT_COMPRESSED, &HELLO));
            client.data_within_windows(stream, &ws_frame(true, CONTINUE, two));
        }
        client.data(stream, &ws_text("plain"));
        let (mut got, longest) = parts(&host, "/fragments", 5);
        assert_eq!(got.pop(), Some(b"plain".to_vec()), "and uncompressed ones between them");
        assert!(got.iter().eq(messages.iter().map(String::as_bytes)), "takeover {takeover_on}");
        assert!(longest <= 1_100_000, "{longest} bytes in one part");
        assert_eq!(host.wait_messages(host.request("/quiet").stream, 4).len(), 4, "others have theirs meanwhile");
    }
}

#[test]
fn rfc6455_8_1_text_in_parts_is_checked_when_it_is_inflated() {
    let host = host(|_| {});
    let mut client = host.client();
    for (path, stream_path) in [("/fragments", "/fragments"), ("/echo", "/echo")] {
        let stream = open(&mut client, stream_path);
        let mut text = "x".repeat(5000).into_bytes();
        text.push(0xff);
        let compressed = Peer::new(false, false).compress(&text);
        client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &compressed));
        let (bytes, _) = client.rest_of(stream);
        assert!(bytes.ends_with(&server_close(1007, "")), "expected 1007 on {path}");
        client.data_end(stream, b"");
        assert_eq!(host.closed(host.request(path).stream).code, 1007);
    }
    let stats = host.stats();
    assert_eq!((stats.violation_utf8, stats.violation_deflate), (2, 0));
}

// --- what breaks the rules

/// A new socket on which `frames` are sent, and which is failed with `code`.
#[track_caller]
fn fails(frames: &[u8], code: u16, counter: fn(&Stats) -> u64) {
    let host = host(takeover);
    let mut client = host.client();
    let (stream, sentinel) = (open(&mut client, "/quiet"), client.connect_websocket("/echo"));
    client.data(stream, frames);
    expect_failure(&host, &mut client, stream, "/quiet", code);
    assert_eq!(counter(&host.stats()), 1, "the counter of close code {code}");
    client.echo(sentinel, "a sibling goes on");
}

#[test]
fn rfc7692_6_1_rsv1_on_a_continuation_is_refused() {
    let frames = [ws_frame(false, TEXT_COMPRESSED, &HELLO[..3]), ws_frame(true, COMPRESSED | CONTINUE, &HELLO[3..])];
    fails(&frames.concat(), 1002, |stats| stats.violation_frame);
}

#[test]
fn rfc7692_6_1_rsv1_on_a_control_frame_is_refused() {
    for opcode in [WS_PING, WS_PONG, CLOSE] {
        fails(&ws_frame(true, COMPRESSED | opcode, &HELLO), 1002, |stats| stats.violation_frame);
    }
}

#[test]
fn rfc6455_5_2_rsv2_and_rsv3_are_refused() {
    for bits in [0x20, 0x10, 0x70] {
        fails(&ws_frame(true, TEXT | bits, &HELLO), 1002, |stats| stats.violation_frame);
    }
}

#[test]
fn rfc7692_7_2_2_what_cannot_be_inflated_is_refused() {
    for payload in [&b"\x07"[..], b"plain text", b"\x00\x05\x00\x00\x00Hello\x00"] {
        fails(&ws_frame(true, BINARY_COMPRESSED, payload), 1007, |stats| stats.violation_deflate);
    }
}

#[test]
fn rfc7692_7_2_2_a_message_cut_short_is_refused() {
    let mut whole = Peer::new(false, false).compress(json(50).as_bytes());
    whole.truncate(whole.len() / 2);
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/quiet");
    client.data(stream, &ws_frame(true, BINARY_COMPRESSED, &whole));
    expect_failure(&host, &mut client, stream, "/quiet", 1007);
    assert_eq!(host.stats().violation_deflate, 1);
    // the contexts that sockets share are as good as new
    let stream = open(&mut client, "/echo");
    Peer::new(false, false).echo(&mut client, stream, TEXT, json(50).as_bytes());
}

#[test]
fn rfc7692_7_1_1_2_a_client_that_takes_over_although_it_may_not_is_refused() {
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/quiet");
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &HELLO));
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &[0xf2, 0x00, 0x11, 0x00, 0x00]));
    expect_failure(&host, &mut client, stream, "/quiet", 1007);
}
