//! Peers that mean harm. Each attack is bounded in memory, in streams and in what it is answered, while a sentinel on
//! another connection of the same loop keeps its echo.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, Cause, Config, MessageKind, Status};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::client::{Client, End, Hello, connect_fields, headers, request_fields, with_field};
use support::frame::*;
use support::host::Host;
use support::hpack;
use support::process;

const MIB: u64 = 1 << 20;

/// Memory is the whole process's: one attack at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `attack` against a host while a sentinel echoes on its own connection. Asserts that the sentinel never
/// failed, that it did get echoes meanwhile, and that the process did not grow by `growth` or more. The attack's own
/// bytes do not count if they are made by `prepare`.
fn attack<P>(
    change: impl FnOnce(&mut Config),
    growth: u64,
    prepare: impl FnOnce() -> P,
    attack: impl FnOnce(&Host, &mut P),
) {
    let _alone = alone();
    let host = Host::with(change);
    let mut prepared = prepare();
    let mut sentinel = host.client();
    let stream = sentinel.connect_websocket("/echo?sentinel");
    sentinel.echo(stream, "before");
    let before = process::resident();
    let over = AtomicBool::new(false);
    let echoes = std::thread::scope(|scope| {
        let echoing = scope.spawn(|| {
            let mut echoes = 0;
            loop {
                sentinel.echo(stream, &format!("sentinel {echoes}"));
                echoes += 1;
                if over.load(Ordering::Relaxed) {
                    return echoes;
                }
            }
        });
        // also when the attack's assertions fail, or the sentinel would go on for ever
        let _stop = Stop(&over);
        attack(&host, &mut prepared);
        drop(_stop);
        echoing.join().expect("the sentinel keeps its echo")
    });
    sentinel.echo(stream, "after");
    // what the host's own record keeps of the sentinel is not h2ws's
    let kept = echoes * 400;
    let grown = process::resident().saturating_sub(before).saturating_sub(kept);
    let growth = growth * process::memory_factor();
    assert!(grown < growth, "{} KiB more, {} KiB allowed", grown >> 10, growth >> 10);
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn nothing() {}

/// The same bytes many times.
fn repeated(bytes: &[u8], times: usize) -> Vec<u8> {
    bytes.repeat(times)
}

/// Floods a connection that has one socket with `bytes`, and asserts that it ends with ENHANCE_YOUR_CALM, that the
/// socket's host is told so, and that the flood was counted.
fn calmed(host: &Host, bytes: Vec<u8>, counter: impl Fn(&h2ws::Stats) -> u64) -> Client {
    let mut client = host.client();
    client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    client.flood(bytes);
    assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, ENHANCE_YOUR_CALM), "{closed:?}");
    host.wait_stats("one flood", |stats| counter(stats) == 1 && stats.open_connections == 1);
    client
}

fn reset_pairs(count: u32, path: &str, first: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for n in 0..count {
        let stream = first + 2 * n;
        bytes.extend(headers(stream, &connect_fields(path), false).encode());
        bytes.extend(Frame::rst(stream, CANCEL).encode());
    }
    bytes
}

/// CVE-2023-44487, in one burst.
#[test]
fn rapid_reset_in_a_burst() {
    attack(
        |_| {},
        32 * MIB,
        || reset_pairs(10_000, "/echo", 3),
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_resets);
            assert!(host.request_count() < 500, "{} of 10,000 requests reached the host", host.request_count());
        },
    );
}

/// CVE-2023-44487, one at a time, so that each request reaches the host before it is taken back.
#[test]
fn rapid_reset_one_by_one() {
    attack(
        |_| {},
        32 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            let mut taken_back = 0;
            let end = loop {
                let stream = client.open(&connect_fields("/never"), false);
                client.send(&Frame::rst(stream, CANCEL));
                taken_back += 1;
                // an answer to a PING says that both were read
                client.send(&Frame::ping([1; 8]));
                if let Some(end) = client.take_or_end("the answer to a PING", |frame| frame.kind == PING) {
                    break end;
                }
                assert!(taken_back < 10_000, "10,000 resets were taken");
            };
            assert_eq!(end, End::Fin);
            assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
            assert!(taken_back >= 90, "a burst of 100 is allowed, {taken_back} were");
        },
    );
}

/// The bucket fills up again: what is slow enough is no attack.
#[test]
fn resets_within_their_rate_are_no_attack() {
    let change = |config: &mut Config| {
        config.reset_burst = 5;
        config.reset_rate = 1 << 20;
    };
    attack(change, 16 * MIB, nothing, |host, ()| {
        let mut client = host.client();
        for _ in 0..40 {
            let stream = client.open(&connect_fields("/never"), false);
            client.rst(stream, CANCEL);
            client.sync();
        }
        let stream = client.connect_websocket("/echo");
        client.echo(stream, "served");
    });
}

/// A socket or an exchange that was answered may be reset, also one that the host answered when others had been written.
#[test]
fn resets_of_what_was_answered_late_are_no_attack() {
    attack(
        |config| config.reset_burst = 5,
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            for n in 0..20 {
                let socket = n % 2 == 0;
                let path = if socket { format!("/never?{n}") } else { format!("/test?{n}") };
                let stream = if socket { client.open(&connect_fields(&path), false) } else { client.get(&path) };
                let id = host.request(&path).stream;
                // something is written, and the answer is not
                client.sync();
                if socket {
                    host.engine.accept(id, &Accept::default()).expect("undecided");
                } else {
                    host.engine.respond_start(id, 200, http::HeaderMap::new()).expect("undecided");
                }
                assert_eq!(client.next_on(stream).status(), "200");
                client.rst(stream, CANCEL);
                client.sync();
            }
            assert_eq!(host.stats().limit_resets, 0);
        },
    );
}

/// CVE-2025-8671 (MadeYouReset): the server is made to reset what it serves.
#[test]
fn made_you_reset_by_window_updates() {
    let prepare = || {
        let mut bytes = Vec::new();
        for n in 0..10_000 {
            let stream = 3 + 2 * n;
            bytes.extend(headers(stream, &connect_fields("/quiet"), false).encode());
            bytes.extend(Frame::window_update(stream, 0).encode());
        }
        bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_resets);
            assert!(host.request_count() < 1000, "{} of 10,000 requests reached the host", host.request_count());
        },
    );
}

/// CVE-2025-8671 with bodies that belie their content-length.
#[test]
fn made_you_reset_by_content_length() {
    let prepare = || {
        let fields = with_field(request_fields("POST", "/test"), "content-length", Some("1"));
        let mut bytes = Vec::new();
        for n in 0..10_000 {
            let stream = 3 + 2 * n;
            bytes.extend(headers(stream, &fields, false).encode());
            bytes.extend(Frame::data_end(stream, *b"two").encode());
        }
        bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_resets);
            assert!(host.request_count() < 1000, "{} of 10,000 requests reached the host", host.request_count());
        },
    );
}

/// CVE-2019-9514: resets of streams that are over.
#[test]
fn resets_of_streams_that_are_over() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::rst(1, CANCEL).encode(), 100_000),
        |host, bytes| {
            let mut client = host.client();
            let stream = client.connect_websocket("/quiet");
            assert_eq!(stream, 1);
            client.flood(std::mem::take(bytes));
            assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
            host.wait_stats("one flood", |stats| stats.limit_resets == 1 && stats.open_connections == 1);
        },
    );
}

/// CVE-2024-27316: a header block that never ends.
#[test]
fn continuation_flood() {
    let prepare = || {
        let mut bytes = Frame::new(HEADERS, 0, 3, hpack::encode(&request_fields("GET", "/hello"))).encode();
        let field = hpack::encode(&[("x-filler", "x".repeat(1000))]);
        bytes.extend(repeated(&Frame::new(CONTINUATION, 0, 3, field).encode(), 10_000));
        bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client();
            client.connect_websocket("/quiet");
            client.flood(std::mem::take(bytes));
            assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
            assert_eq!(host.request_count(), 2, "the sentinel's and the socket's: the block reached nobody");
            host.wait_stats("the connection gone", |stats| stats.open_connections == 1);
        },
    );
}

/// CVE-2024-27316 with CONTINUATION frames that carry nothing.
#[test]
fn empty_continuation_flood() {
    let prepare = || {
        let mut bytes = Frame::new(HEADERS, 0, 3, hpack::encode(&request_fields("GET", "/hello"))).encode();
        bytes.extend(repeated(&Frame::new(CONTINUATION, 0, 3, []).encode(), 100_000));
        bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client();
            client.connect_websocket("/quiet");
            client.flood(std::mem::take(bytes));
            assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
            assert_eq!(host.request_count(), 2, "the sentinel's and the socket's: the block reached nobody");
        },
    );
}

/// CVE-2016-6581 and its kin: a large entry of the dynamic table, and one byte for each further field that names it.
#[test]
fn header_bomb() {
    let prepare = || {
        let mut client_bytes = Vec::new();
        for n in 0..100 {
            let mut block = hpack::encode(&request_fields("GET", "/hello"));
            block.extend(hpack::encode_indexed("x-large", &"x".repeat(3900)));
            block.extend([0x80 | 62; 4000]);
            client_bytes.extend(Frame::new(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, block).encode());
        }
        client_bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client_with(&Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Hello::default() });
            client.flood(std::mem::take(bytes));
            assert_eq!(host.request_count(), 1, "only the sentinel's: 800 KB became 1.5 GB of fields for nobody");
            let accepted = client.untaken().iter().any(|frame| frame.kind == HEADERS && frame.status() == "200");
            assert!(!accepted, "{:?}", client.untaken());
        },
    );
}

#[test]
fn many_fields_of_one_byte_each() {
    let prepare = || {
        let mut block = hpack::encode(&request_fields("GET", "/hello"));
        // `cookie` of the static table with an empty value, as an entry of ours and then by one byte each
        block.extend(hpack::encode_indexed("cookie", ""));
        block.extend([0x80 | 62; 400]);
        block
    };
    attack(
        |_| {},
        16 * MIB,
        prepare,
        |host, block| {
            let mut client = host.client();
            for n in 0..50 {
                let block =
                    if n == 0 { block.clone() } else { [&block[..block.len() - 400 - 9], &[0x80 | 62; 400]].concat() };
                client.send(&Frame::new(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, block));
                assert_eq!(client.response(1 + 2 * n).head.status(), "431");
            }
            assert_eq!(host.request_count(), 1, "only the sentinel's");
        },
    );
}

/// CVE-2019-9516: fields with an empty name.
#[test]
fn empty_header_names() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            let mut fields = request_fields("GET", "/hello");
            fields.extend((0..50).map(|_| (String::new(), String::new())));
            let stream = client.open(&fields, true);
            let answer = client.take("RST_STREAM or GOAWAY", |frame| frame.stream == stream || frame.kind == GOAWAY);
            assert!(matches!(answer.kind, RST_STREAM | GOAWAY), "{answer:?}");
            assert_eq!(host.request_count(), 1, "only the sentinel's");
        },
    );
}

/// CVE-2019-9512.
#[test]
fn ping_flood() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::ping([9; 8]).encode(), 100_000),
        |host, bytes| {
            let client = calmed(host, std::mem::take(bytes), |stats| stats.limit_pings);
            let answers = client.untaken().iter().filter(|frame| frame.kind == PING).count();
            assert!(answers < 1000, "{answers} of 100,000 were answered");
        },
    );
}

/// CVE-2019-9515.
#[test]
fn settings_flood() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::settings(&[]).encode(), 100_000),
        |host, bytes| {
            let client = calmed(host, std::mem::take(bytes), |stats| stats.limit_settings);
            assert!(client.settings_acks() < 100, "{} of 100,000 were answered", client.settings_acks());
        },
    );
}

/// CVE-2019-9515: each change of the initial window touches every stream.
#[test]
fn settings_that_toggle_windows_of_many_streams() {
    let prepare = || {
        let toggle = [1u32, 1 << 20].map(|size| Frame::settings(&[(INITIAL_WINDOW_SIZE, size)]).encode()).concat();
        repeated(&toggle, 50_000)
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client();
            for _ in 0..100 {
                client.connect_websocket("/quiet");
            }
            client.flood(std::mem::take(bytes));
            assert_eq!(client.goaway().error_code(), ENHANCE_YOUR_CALM);
            host.wait_stats("one flood", |stats| stats.limit_settings == 1 && stats.open_streams == 1);
        },
    );
}

/// CVE-2019-9513.
#[test]
fn priority_churn() {
    let prepare = || repeated(&Frame::new(PRIORITY, 0, 1, [0, 0, 0, 0, 16]).encode(), 100_000);
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_idle_frames);
        },
    );
}

#[test]
fn unknown_frames() {
    let prepare = || repeated(&Frame::new(0xfa, 0xff, 1, [1, 2, 3]).encode(), 100_000);
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_idle_frames);
        },
    );
}

/// RFC 9113 §5.5: a few of them are nothing.
#[test]
fn a_few_unknown_frames_are_ignored() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            let stream = client.connect_websocket("/echo");
            for n in 0..200 {
                client.send(&Frame::new(0xfa, 0xff, if n % 2 == 0 { 0 } else { stream }, vec![0; n]));
            }
            client.echo(stream, "served");
        },
    );
}

#[test]
fn window_update_flood_on_the_connection() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::window_update(0, 1).encode(), 100_000),
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_idle_frames);
        },
    );
}

#[test]
fn window_update_flood_on_a_socket() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::window_update(1, 1).encode(), 100_000),
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_idle_frames);
        },
    );
}

/// CVE-2019-9518.
#[test]
fn empty_data_flood() {
    attack(
        |_| {},
        32 * MIB,
        || repeated(&Frame::data(1, []).encode(), 100_000),
        |host, bytes| {
            calmed(host, std::mem::take(bytes), |stats| stats.limit_idle_frames);
        },
    );
}

/// The other side of that limit: h2 allows a hundred in a connection's life, of which some are a week long.
#[test]
fn some_empty_data_is_no_attack() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            let socket = client.connect_websocket("/echo");
            let post = client.post("/echo-body");
            for _ in 0..200 {
                client.data(socket, b"");
                client.data(post, b"");
            }
            client.echo(socket, "served");
            client.data_end(post, b"body");
            assert_eq!(client.response(post).body, b"body");
        },
    );
}

/// RUSTSEC-2026-0258 has a budget for small DATA frames in h2, which ordinary chat would use up.
#[test]
fn small_messages_in_a_burst_are_no_attack() {
    const MESSAGES: usize = 20_000;
    let prepare = || {
        let bytes = repeated(&Frame::data(1, ws_binary(b"x")).encode(), MESSAGES);
        assert!(bytes.len() < 1_000_000);
        bytes
    };
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client();
            let stream = client.connect_websocket("/quiet");
            assert_eq!(stream, 1);
            client.send_bytes(bytes);
            let id = host.request("/quiet").stream;
            host.wait_stats("all messages", |stats| stats.messages_in >= MESSAGES as u64);
            assert_eq!(host.wait_messages(id, MESSAGES).len(), MESSAGES);
        },
    );
}

#[test]
fn a_body_in_single_bytes_is_no_attack() {
    const BYTES: usize = 20_000;
    attack(
        |_| {},
        64 * MIB,
        || repeated(&Frame::data(1, *b"x").encode(), BYTES),
        |host, bytes| {
            let mut client = host.client();
            let stream = client.post("/test");
            assert_eq!(stream, 1);
            client.send_bytes(bytes);
            client.data_end(stream, b"");
            // then the host's record is searched once, and not again for each of its events
            client.sync();
            assert_eq!(host.body(host.request("/test").stream).0.len(), BYTES);
        },
    );
}

/// Lengths that are announced and never come reserve nothing.
#[test]
fn messages_that_are_only_announced() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            let streams: Vec<_> = (0..100).map(|_| client.connect_websocket("/quiet")).collect();
            for stream in streams {
                client.data(stream, &ws_head(true, BINARY, 16 << 20));
                client.data(stream, b"x");
            }
            client.sync();
        },
    );
}

#[test]
fn endless_fragments_of_nothing() {
    let prepare = || {
        let mut bytes = Frame::data(1, ws_frame(false, TEXT, b"")).encode();
        let sixteen = repeated(&ws_frame(false, CONTINUE, b""), 16);
        bytes.extend(repeated(&Frame::data(1, sixteen).encode(), 2000));
        bytes
    };
    attack(
        |_| {},
        16 * MIB,
        prepare,
        |host, bytes| {
            let mut client = host.client();
            let stream = client.connect_websocket("/quiet");
            client.send_bytes(bytes);
            client.expect(&Frame::data_end(stream, server_close(1008, "")));
            let next = client.connect_websocket("/echo");
            client.echo(next, "the connection goes on");
        },
    );
}

/// A host that takes parts can be sent more than any memory: nothing of it is held.
#[test]
fn a_message_without_end_for_a_host_that_takes_parts() {
    const LENGTH: usize = 64 << 20;
    let prepare = || vec![0x37; 16_384];
    attack(
        |_| {},
        16 * MIB,
        prepare,
        |host, chunk| {
            let mut client = host.client();
            let stream = client.connect_websocket("/sink");
            client.data(stream, &ws_head(true, BINARY, 1 << 40));
            for _ in 0..LENGTH / chunk.len() {
                client.data_within_windows(stream, chunk);
            }
            client.sync();
            assert!(
                host.sunk() > (LENGTH - (1 << 20)) as u64,
                "{} of {LENGTH} bytes were given to the host",
                host.sunk()
            );
        },
    );
}

/// Handshakes that wait for the host, each with as much early data as there may be.
#[test]
fn early_data_of_many_handshakes() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client();
            for _ in 0..128 {
                let stream = client.open(&connect_fields("/never"), false);
                client.data(stream, &vec![0; 16 << 10]);
            }
            let over = client.open(&connect_fields("/never"), false);
            client.expect(&Frame::rst(over, REFUSED_STREAM));
        },
    );
}

/// Sockets whose host is not ready, each filled up with the smallest messages: the bound is streams x window.
#[test]
fn sockets_without_demand_are_bounded_by_their_windows() {
    const WINDOW: usize = 256 << 10;
    const SOCKETS: usize = 32;
    let prepare = || repeated(&ws_binary(b""), 16_380 / 6);
    attack(
        |_| {},
        3 * (SOCKETS * WINDOW) as u64,
        prepare,
        |host, messages| {
            let mut client = host.client();
            for n in 0..SOCKETS {
                let stream = client.connect_websocket(&format!("/demand?{n}"));
                while client.window(stream) >= messages.len() as i64 {
                    client.data(stream, messages);
                }
            }
            client.sync();
            let window = client.window(1);
            assert!(window < 16_384, "the window stays shut: {window}");
        },
    );
}

/// CVE-2019-9517: responses that nobody reads.
#[test]
fn responses_behind_a_shut_window() {
    attack(
        |_| {},
        32 * MIB,
        nothing,
        |host, ()| {
            let mut client = host.client_with(&Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Hello::default() });
            let streams: Vec<_> = (0..128).map(|_| client.get("/bytes/100000")).collect();
            for stream in &streams {
                assert_eq!(client.next_on(*stream).status(), "200");
            }
            // CVE-2019-9511: and then by the byte
            for stream in &streams {
                client.window_update(*stream, 1);
                client.expect(&Frame::data(*stream, *b"x"));
            }
            for stream in streams {
                client.rst(stream, CANCEL);
            }
            host.wait_stats("no requests", |stats| stats.open_streams == 1);
        },
    );
}

/// A host that sends to all, of whom one does not read.
#[test]
fn a_slow_reader_is_busy_alone() {
    attack(
        |config| config.send_queue = 64 << 10,
        16 * MIB,
        nothing,
        |host, ()| {
            let mut slow = host.client_with(&Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Hello::default() });
            slow.connect_websocket("/quiet?slow");
            let slow_id = host.request("/quiet?slow").stream;
            let mut fast = host.client();
            let stream = fast.connect_websocket("/quiet?fast");
            let fast_id = host.request("/quiet?fast").stream;
            let mut refused = 0;
            for n in 0..1000u32 {
                let payload = [&n.to_be_bytes()[..], &[0; 1000]].concat();
                host.engine.send(fast_id, MessageKind::Binary, &payload).expect("a reader that keeps up is never busy");
                if let Err(error) = host.engine.send(slow_id, MessageKind::Binary, &payload) {
                    assert_eq!(error.status(), Status::Busy);
                    refused += 1;
                }
                assert_eq!(fast.ws_message(stream).1, payload);
            }
            assert!(refused > 900, "64 KiB of 1 MB may wait; {refused} of 1000 were refused");
        },
    );
}

#[test]
fn pings_of_websockets_that_nobody_reads() {
    let prepare = || repeated(&ws_frame(true, WS_PING, &[7; 125]), 120);
    attack(
        |_| {},
        32 * MIB,
        prepare,
        |host, pings| {
            let mut client = host.client_with(&Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Hello::default() });
            let stream = client.connect_websocket("/demand");
            for _ in 0..500 {
                client.data_within_windows(stream, pings);
            }
            client.sync();
        },
    );
}

/// As many silent connections as there may be cost little each.
#[test]
fn idle_connections_are_cheap() {
    attack(
        |_| {},
        16 * MIB,
        nothing,
        |host, ()| {
            let clients: Vec<_> =
                (0..200).map(|_| Client::raw(support::client::Socket::connect(&host.address))).collect();
            host.wait_stats("all taken", |stats| stats.open_connections == 201);
            drop(clients);
            host.wait_stats("all gone", |stats| stats.open_connections == 1);
        },
    );
}
