//! Limits of permessage-deflate (RFC 7692): bombs, what waits for demand, memory of contexts.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use support::deflate::*;
use support::frame::*;
use support::host::Event;
use support::process;

/// Memory is the whole process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

// --- demand

#[test]
fn what_waits_for_demand_waits_compressed() {
    let _alone = alone();
    let host = host(|config| {
        config.max_message = 64 << 20;
        config.deflate_ratio = 1 << 20;
    });
    let mut client = host.client();
    let stream = open(&mut client, "/demand");
    let bomb = zeros(32 << 20);
    let before = process::resident();
    for _ in 0..5 {
        client.data_within_windows(stream, &ws_frame(true, BINARY_COMPRESSED, &bomb));
    }
    client.sync();
    let grown = process::resident().saturating_sub(before);
    assert!(grown < (16 << 20) * process::memory_factor(), "{grown} bytes for 160 MiB that are 160 KiB on the wire");
    let id = host.request("/demand").stream;
    assert_eq!(host.messages(id).len(), 0, "no demand, no message");
    host.engine.demand(id, 1).expect("open");
    assert_eq!(host.wait_messages(id, 1)[0].len(), 32 << 20);
    client.sync();
    assert_eq!(host.messages(id).len(), 1, "as many as were asked for");
}

#[test]
fn parts_that_wait_for_demand_are_inflated_piece_by_piece() {
    let _alone = alone();
    let host = host(|config| config.deflate_ratio = 1 << 20);
    let mut client = host.client();
    let stream = open(&mut client, "/demand-fragments");
    let message = json(20_000);
    let compressed = Peer::new(false, false).compress(message.as_bytes());
    assert!((50_000..200_000).contains(&compressed.len()), "many pieces, one window: {}", compressed.len());
    client.data_within_windows(stream, &ws_frame(true, TEXT_COMPRESSED, &compressed));
    client.data(stream, &ws_text("after"));
    let id = host.request("/demand-fragments").stream;
    let count = || {
        host.events(|events| {
            events.iter().filter(|e| matches!(e, Event::Fragment { .. }) && e.stream() == Some(id)).count()
        })
    };
    for asked in 1..=3 {
        host.engine.demand(id, 1).expect("open");
        host.wait_for("a part", |events| {
            (events.iter().filter(|e| matches!(e, Event::Fragment { .. })).count() == asked).then_some(())
        });
        client.sync();
        assert_eq!(count(), asked, "one part for one demand");
    }
    host.engine.demand(id, 1 << 20).expect("open");
    let (got, longest) = parts(&host, "/demand-fragments", 2);
    assert!(got == [message.as_bytes(), b"after"], "all of it, in order");
    assert!(longest <= 1_100_000, "{longest} bytes in one part");
}

#[test]
fn what_waited_for_demand_may_be_answered_in_its_callback() {
    let _alone = alone();
    let host = host(takeover);
    let mut client = host.client();
    let stream = open(&mut client, "/demand-echo");
    let mut peer = Peer::new(true, true);
    let messages = [json(10), json(100), json(10)];
    for message in &messages {
        client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &peer.compress(message.as_bytes())));
    }
    client.sync();
    host.engine.demand(host.request("/demand-echo").stream, 3).expect("open");
    for message in &messages {
        let (opcode, payload) = client.ws_message(stream);
        assert_eq!((opcode, peer.inflate(&payload)), (TEXT_COMPRESSED, message.clone().into_bytes()));
    }
}

#[test]
fn a_bad_message_that_waited_for_demand_fails_the_socket_then() {
    let _alone = alone();
    let host = host(|_| {});
    let mut client = host.client();
    let stream = open(&mut client, "/demand");
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, &HELLO));
    client.data(stream, &ws_frame(true, TEXT_COMPRESSED, b"\x07"));
    client.sync();
    let id = host.request("/demand").stream;
    host.engine.demand(id, 5).expect("open");
    expect_failure(&host, &mut client, stream, "/demand", 1007);
    assert_eq!(host.messages(id), [b"Hello"]);
    assert_eq!(host.stats().violation_deflate, 1);
}

// --- limits

#[test]
fn the_limit_of_a_message_counts_what_it_inflates_to() {
    let _alone = alone();
    let host = host(|config| config.max_message = 100_000);
    let mut client = host.client();
    let stream = open(&mut client, "/quiet");
    client.data(stream, &ws_frame(true, BINARY_COMPRESSED, &zeros(100_000)));
    assert_eq!(host.wait_messages(host.request("/quiet").stream, 1)[0].len(), 100_000, "just as long as allowed");
    client.data(stream, &ws_frame(true, BINARY_COMPRESSED, &zeros(100_001)));
    expect_failure(&host, &mut client, stream, "/quiet", 1009);
    assert_eq!(host.stats().limit_message, 1);
}

#[test]
fn a_bomb_in_small_frames_is_defused_with_a_sentinel_alive() {
    let _alone = alone();
    let host = host(|_| {});
    let mut client = host.client();
    let sentinel = client.connect_websocket("/echo");
    let bomb = zeros(1 << 30);
    assert!(bomb.len() < 2 << 20, "1 GiB in {} bytes", bomb.len());
    client.echo(sentinel, "before");
    let before = process::resident();
    for attempt in 0..3 {
        let stream = open(&mut client, "/quiet");
        let mut frames = ws_frame(false, BINARY_COMPRESSED, &[]);
        // fewer than max_fragments
        for part in bomb.chunks(bomb.len() / 900) {
            frames.extend(ws_frame(false, CONTINUE, part));
        }
        frames.extend(ws_frame(true, CONTINUE, &[]));
        client.data_within_windows(stream, &frames);
        let (bytes, _) = client.rest_of(stream);
        assert_eq!(bytes, server_close(1009, ""), "attempt {attempt}");
        client.data_end(stream, b"");
        client.echo(sentinel, "still here");
    }
    let grown = process::resident().saturating_sub(before);
    assert!(grown < (48 << 20) * process::memory_factor(), "{grown} bytes more; max_message is 16 MiB");
    let stats = host.stats();
    assert_eq!((stats.limit_message, stats.compressed_in), (3, 0));
}

#[test]
fn the_ratio_guard_stops_what_the_limit_of_a_message_would_allow() {
    let _alone = alone();
    let host = host(|config| {
        config.max_message = 1 << 30;
        config.deflate_ratio = 100;
    });
    let mut client = host.client();
    let sentinel = client.connect_websocket("/echo");
    let before = process::resident();
    for (path, n) in [("/quiet", 256 << 20), ("/sink", 256 << 20)] {
        let stream = open(&mut client, path);
        client.data_within_windows(stream, &ws_frame(true, BINARY_COMPRESSED, &zeros(n)));
        expect_failure(&host, &mut client, stream, path, 1009);
        client.echo(sentinel, "still here");
    }
    let grown = process::resident().saturating_sub(before);
    // 256 KiB of compressed bytes may become 100 times as much
    assert!(grown < (80 << 20) * process::memory_factor(), "{grown} bytes more");
    assert_eq!(host.stats().limit_ratio, 2);
    // up to 1 MiB any ratio is good
    let stream = open(&mut client, "/demand");
    client.data(stream, &ws_frame(true, BINARY_COMPRESSED, &zeros(1 << 20)));
    let id = host.request("/demand").stream;
    host.engine.demand(id, 1).expect("open");
    assert_eq!(host.wait_messages(id, 1)[0].len(), 1 << 20);
}

#[test]
fn a_socket_that_takes_parts_takes_any_length_within_the_ratio() {
    let _alone = alone();
    let host = host(|config| config.deflate_ratio = 1100);
    let mut client = host.client();
    let stream = open(&mut client, "/sink");
    let before = process::resident();
    client.data_within_windows(stream, &ws_frame(true, BINARY_COMPRESSED, &zeros(256 << 20)));
    // counted when it is inflated, which is before the host has its last part
    host.wait_stats("the message, and its last part", |stats| stats.compressed_in == 1 && host.sunk() >= 256 << 20);
    assert_eq!(host.sunk(), 256 << 20);
    let grown = process::resident().saturating_sub(before);
    assert!(grown < (16 << 20) * process::memory_factor(), "{grown} bytes more for 256 MiB in parts");
}

// --- memory

#[test]
fn without_memory_sockets_are_accepted_without_contexts_of_their_own() {
    let _alone = alone();
    let host = host(|config| {
        takeover(config);
        config.deflate_memory = 500 << 10;
    });
    let mut client = host.client();
    const SERVER: &str = "permessage-deflate; server_no_context_takeover";
    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let mut streams = Vec::new();
    // 48 KiB for each inflater, 384 KiB for the first compressor
    for (i, expected) in ["permessage-deflate", SERVER, BOTH, BOTH].into_iter().enumerate() {
        let (stream, answer) = offer(&mut client, "/echo", OFFER);
        assert_eq!(answer.as_deref(), Some(expected), "socket {i}");
        streams.push((stream, Peer::new(i < 2, i < 1)));
    }
    assert_eq!(host.stats().limit_deflate_memory, 3);
    // parts want an inflater in any case
    let (parts, answer) = offer(&mut client, "/fragments", OFFER);
    assert_eq!(answer, None, "no memory, no compression");
    client.data(parts, &ws_text("plain"));
    assert_eq!(client.ws_message(parts), (TEXT, b"plain".to_vec()));
    for round in 0..2 {
        for (stream, peer) in &mut streams {
            peer.echo(&mut client, *stream, TEXT, json(20 + round).as_bytes());
        }
    }
    // an end of any kind gives back what was promised
    client.rst(streams[0].0, CANCEL);
    client.data(streams[1].0, &ws_close(1000, ""));
    client.data_end(streams[1].0, b"");
    host.wait_stats("two ends", |stats| stats.open_websockets == 3);
    let (stream, answer) = offer(&mut client, "/echo", OFFER);
    assert_eq!(answer.as_deref(), Some("permessage-deflate"), "there is room again");
    let mut peer = Peer::new(true, true);
    peer.echo(&mut client, stream, TEXT, json(20).as_bytes());
    drop(client);
    host.wait_stats("all ended", |stats| stats.open_streams == 0);
    let mut client = host.client();
    let (_, answer) = offer(&mut client, "/echo", OFFER);
    assert_eq!(answer.as_deref(), Some("permessage-deflate"), "also after the end of a connection");
}

#[test]
fn sockets_without_takeover_share_their_contexts() {
    let _alone = alone();
    const SOCKETS: u64 = 200;
    let host = host(|config| {
        config.deflate_memory = 64 << 10;
        config.max_streams = SOCKETS as u32;
    });
    let mut client = host.client();
    let streams: Vec<u32> = (0..SOCKETS).map(|_| open(&mut client, "/echo")).collect();
    let (message, mut peer) = (json(40), Peer::new(false, false));
    let before = process::resident();
    for stream in streams {
        peer.echo(&mut client, stream, TEXT, message.as_bytes());
    }
    let grown = process::resident().saturating_sub(before);
    // contexts of their own would be 417 KiB each
    let most = (SOCKETS * (16 << 10)) * process::memory_factor();
    assert!(grown < most, "{grown} bytes for {SOCKETS} sockets, {most} expected at most");
    let stats = host.stats();
    assert_eq!((stats.compressed_in, stats.compressed_out, stats.limit_deflate_memory), (SOCKETS, SOCKETS, 0));
}

#[test]
fn contexts_take_what_was_promised_for_them() {
    let _alone = alone();
    // docs/compression.md: 256 KiB and four windows for a compressor, 48 KiB for an inflater
    const PROMISED: u64 = (256 << 10) + (4 << 15) + (48 << 10);
    const SOCKETS: u64 = 100;
    let host = host(|config| {
        takeover(config);
        config.deflate_memory = (SOCKETS * PROMISED) as u32;
    });
    let mut client = host.client();
    let mut peers: Vec<_> = (0..SOCKETS).map(|_| (open(&mut client, "/plain"), Peer::new(true, true))).collect();
    assert_eq!(host.stats().limit_deflate_memory, 0, "the budget is for so many");
    let (_, answer) = offer(&mut client, "/plain", OFFER);
    assert_ne!(answer.as_deref(), Some("permessage-deflate"), "and for no more");
    let ids = host.events(|events| {
        let request = |event: &Event| matches!(event, Event::Request(_)).then(|| event.stream()).flatten();
        events.iter().filter_map(request).take(SOCKETS as usize).collect::<Vec<_>>()
    });
    // incompressible, so that windows are full
    let message: Vec<u8> = (0..100_000u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29) as u8).collect();
    let compressed: Vec<_> = peers.iter_mut().map(|(_, peer)| peer.compress(&message)).collect();
    let before = process::resident();
    for (((stream, _), id), compressed) in peers.iter().zip(ids).zip(&compressed) {
        client.data_within_windows(*stream, &ws_frame(true, BINARY_COMPRESSED, compressed));
        assert!(client.ws_message(*stream).1 == message, "the echo of what was inflated");
        host.engine.send(id, h2ws::MessageKind::Binary, &message).expect("taken");
        assert_eq!(client.ws_message(*stream).0, BINARY_COMPRESSED);
    }
    // and what the test's host keeps of each message
    let grown = process::resident().saturating_sub(before);
    let most = SOCKETS * (PROMISED + message.len() as u64) + (8 << 20);
    assert!(grown < most * process::memory_factor(), "{grown} bytes more, {most} expected at most");
    assert!(grown > SOCKETS * PROMISED / 2, "{grown} bytes more: the contexts are the sockets' own");
}
