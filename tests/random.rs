//! Random conversations: a peer and a host that do at random what each may do, on narrow windows. What must hold
//! whatever they do is checked by the client on each frame (`support/rules.rs`), by the host at its end, and here:
//! echoes come back whole and in order, and everything comes to an end.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Accept, MessageKind, StreamId};
use http::HeaderMap;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use support::client::{Client, Hello, connect_fields};
use support::frame::*;
use support::host::{Event, Host};

const STEPS: usize = 1500;

/// xorshift64*: the same numbers for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next(n) == 0
    }
}

/// A stream as the client sees it.
#[derive(Debug)]
struct Open {
    echoes: bool,
    /// Inside a fragmented message: its kind and what of it was sent.
    fragments: Option<(u8, Vec<u8>)>,
    /// Sent and not yet echoed.
    expected: VecDeque<(u8, Vec<u8>)>,
    /// Bytes of the server that are no whole frame yet.
    bytes: Vec<u8>,
    parts: Option<(u8, Vec<u8>)>,
    /// It is an ordinary request.
    request: bool,
    said_close: bool,
    ended: bool,
}

struct Peer {
    client: Client,
    random: Random,
    open: HashMap<u32, Open>,
    opened: usize,
}

impl Peer {
    fn pick(&mut self) -> Option<u32> {
        let mut streams: Vec<u32> = self.open.iter().filter(|(_, open)| !open.ended).map(|(id, _)| *id).collect();
        streams.sort_unstable();
        (!streams.is_empty()).then(|| streams[self.random.next(streams.len() as u64) as usize])
    }

    fn step(&mut self) {
        let choice = self.random.next(100);
        if choice < 8 && self.open.len() < 40 {
            return self.connect();
        }
        if choice < 12 {
            let increment = 1 + self.random.next(20_000) as u32;
            return self.client.window_update(0, increment);
        }
        if choice < 14 {
            let size = self.random.next(3000) as u32;
            return self.client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, size)]));
        }
        let Some(stream) = self.pick() else { return };
        match choice {
            14..40 => self.client.window_update(stream, 1 + self.random.next(4000) as u32),
            40..42 => {
                let code = self.random.next(14) as u32;
                self.client.rst(stream, code);
                self.open.remove(&stream);
            }
            42..44 => {
                self.client.data_end(stream, b"");
                self.open.get_mut(&stream).unwrap().ended = true;
            }
            _ if self.open[&stream].request => self.body(stream),
            44..47 => self.close(stream),
            47..52 => {
                self.say(stream, &ws_frame(true, WS_PING, b"ping"));
            }
            _ => self.message(stream),
        }
    }

    fn connect(&mut self) {
        let paths = ["/echo", "/echo", "/fragments", "/quiet", "/demand", "/demand-fragments", "/manual", "/later"];
        let at = self.random.next(paths.len() as u64 + 3) as usize;
        self.opened += 1;
        let (stream, request) = match paths.get(at) {
            Some(path) => (self.client.open(&connect_fields(&format!("{path}?{}", self.opened)), false), false),
            None if at == paths.len() => {
                self.client.get("/bytes/5000");
                return;
            }
            None => (self.client.post("/echo-body"), true),
        };
        let open = Open {
            echoes: at < 3,
            fragments: None,
            expected: VecDeque::new(),
            bytes: Vec::new(),
            parts: None,
            request,
            said_close: false,
            ended: false,
        };
        self.open.insert(stream, open);
    }

    /// Sends DATA if the windows allow it, padded or in two frames now and then.
    fn say(&mut self, stream: u32, bytes: &[u8]) -> bool {
        let padding = if self.random.one_in(10) { self.random.next(50) as usize } else { 0 };
        let room = self.client.window(0).min(self.client.window(stream)).min(16_384);
        if self.open[&stream].said_close || room < (bytes.len() + padding + 2) as i64 {
            return false;
        }
        if padding > 0 {
            let payload = [&[padding as u8][..], bytes, &vec![0; padding]].concat();
            self.client.send(&Frame::new(DATA, PADDED, stream, payload));
        } else {
            let (first, second) = bytes.split_at(self.random.next(bytes.len() as u64 + 1) as usize);
            self.client.send_all(&[Frame::data(stream, first), Frame::data(stream, second)]);
        }
        true
    }

    fn body(&mut self, stream: u32) {
        let length = self.random.next(1500) as usize;
        self.say(stream, &vec![b'b'; length]);
    }

    fn close(&mut self, stream: u32) {
        if self.say(stream, &ws_close(1000, "enough")) {
            let ends = self.random.one_in(2);
            let open = self.open.get_mut(&stream).unwrap();
            open.said_close = true;
            if ends {
                open.ended = true;
                self.client.data_end(stream, b"");
            }
        }
    }

    fn message(&mut self, stream: u32) {
        let length = self.random.next(1200) as usize;
        let payload = vec![b'a' + (length % 26) as u8; length];
        let (opcode, text) = match &self.open[&stream].fragments {
            Some((opcode, _)) => (CONTINUE, *opcode),
            None if self.random.one_in(2) => (TEXT, TEXT),
            None => (BINARY, BINARY),
        };
        let fin = !self.random.one_in(4);
        if !self.say(stream, &ws_frame(fin, opcode, &payload)) {
            return;
        }
        let open = self.open.get_mut(&stream).unwrap();
        let (_, mut whole) = open.fragments.take().unwrap_or((text, Vec::new()));
        whole.extend(payload);
        if fin {
            open.expected.push_back((text, whole));
        } else {
            open.fragments = Some((text, whole));
        }
    }

    /// Takes what has come.
    fn listen(&mut self) {
        assert_eq!(self.client.read_available(), None, "the connection must not end: {:?}", self.client.untaken());
        for frame in self.client.take_all() {
            assert_ne!(frame.kind, GOAWAY, "nothing was done that ends a connection: {frame:?}");
            let Some(open) = self.open.get_mut(&frame.stream) else { continue };
            if frame.kind == DATA && !open.request {
                open.bytes.extend(&frame.payload);
                while let Some(frame) = take_ws_frame(&mut open.bytes) {
                    open.heard(frame);
                }
            }
            let rejected = frame.kind == HEADERS && !open.request && frame.status() != "200";
            if frame.kind == RST_STREAM || rejected {
                self.open.remove(&frame.stream);
            } else if frame.ends_stream() {
                if !open.ended {
                    self.client.data_end(frame.stream, b"");
                }
                self.open.remove(&frame.stream);
            }
        }
    }
}

impl Open {
    fn heard(&mut self, frame: WsFrame) {
        if frame.opcode >= CLOSE || !self.echoes {
            return;
        }
        let (opcode, mut whole) = self.parts.take().unwrap_or((frame.opcode, Vec::new()));
        whole.extend(frame.payload);
        if !frame.fin {
            self.parts = Some((opcode, whole));
            return;
        }
        // a host that interferes sends "host", which no echo is
        if whole != b"host" {
            let expected = self.expected.pop_front().expect("an echo of something");
            assert!(expected == (opcode, whole), "echoes come back whole and in order");
        }
    }
}

/// What the host does on its own, from another thread.
fn interfere(host: &Host, random: &mut Random, ids: &[(StreamId, String)]) {
    if ids.is_empty() {
        return;
    }
    let (id, path) = &ids[random.next(ids.len() as u64) as usize];
    let (id, engine) = (*id, &host.engine);
    // each may be refused, as the stream may be in any state: that is part of the conversation
    let _any = match random.next(100) {
        0..30 => engine.demand(id, 1 + random.next(5) as u32),
        30..50 if !path.starts_with("/fragments") => engine.send(id, MessageKind::Binary, b"host"),
        50..55 => engine.ping(id, b"host"),
        55..57 => engine.close(id, Some(1000), "host"),
        57..58 => engine.abort(id, 8),
        58..80 => engine.accept(id, &Accept::default()),
        80..82 => engine.reject(id, 403, HeaderMap::new(), b"no"),
        82..90 => engine.set_context(id, random.next(1000)),
        90..92 => engine.pong(id, b"host"),
        _ => Ok(()),
    };
}

fn converse(seed: u64) {
    let host = Host::with(|config| {
        config.stream_window = 4096;
        config.connection_window = 65_535;
        config.send_queue = 16 << 10;
        config.close_timeout = 1000;
        // the conversation is fast, not hostile
        config.settings_rate = 1 << 20;
        config.ping_rate = 1 << 20;
        config.idle_frame_rate = 1 << 24;
        config.reset_burst = 1 << 20;
    });
    let hello = Hello { settings: vec![(INITIAL_WINDOW_SIZE, 1000)], connection_credit: 0, acknowledge: true };
    let client = host.client_with(&hello);
    let mut peer = Peer { client, random: Random(seed), open: HashMap::new(), opened: 0 };
    let mut random = Random(!seed);
    let mut ids = Vec::new();
    for step in 0..STEPS {
        peer.step();
        if step % 4 == 0 {
            peer.listen();
        }
        if step % 16 == 0 {
            ids = host.events(|events| {
                let heads = events.iter().rev().filter_map(|event| match event {
                    Event::Request(head) => Some((head.stream, head.path.clone())),
                    _ => None,
                });
                heads.take(60).collect()
            });
        }
        interfere(&host, &mut random, &ids);
    }
    match random.next(8) {
        0 => return drop(peer),
        1 => return peer.client.reset(),
        2 => return host.engine.shutdown().expect("running"),
        3 => {
            let _cut_at_the_deadline = host.engine.drain(Duration::from_millis(20));
            return;
        }
        // in the middle of a frame
        4 => return peer.client.send_bytes(&Frame::data(1, [0; 100]).encode()[..50]),
        _ => {}
    }
    // all windows open and all demand is there: everything must come to its end
    peer.client.send(&Frame::settings(&[(INITIAL_WINDOW_SIZE, 1 << 29)]));
    peer.client.window_update(0, 1 << 29);
    peer.client.sync();
    let undecided = host.events(|events| {
        events
            .iter()
            .filter_map(|e| if let Event::Request(head) = e { Some(head.stream) } else { None })
            .collect::<Vec<_>>()
    });
    for id in undecided {
        let _over = host.engine.demand(id, u32::MAX);
        let _decided = host.engine.accept(id, &Accept::default());
        let _not_manual = host.engine.close(id, Some(1000), "end");
    }
    peer.client.sync();
    peer.listen();
    let left: Vec<u32> = peer.open.keys().copied().collect();
    for stream in left {
        if !peer.open[&stream].ended {
            peer.client.data_end(stream, b"");
            peer.open.get_mut(&stream).unwrap().ended = true;
        }
    }
    host.wait_stats("every stream over", |stats| stats.open_streams == 0);
    peer.client.sync();
    peer.listen();
    let stats = host.stats();
    assert_eq!((stats.open_websockets, stats.panics, stats.violation_connection), (0, 0, 0), "{stats:#?}");
    let mut client = peer.client;
    let stream = client.connect_websocket("/echo?last");
    client.echo(stream, "the connection is as good as new");
}

#[test]
fn random_conversations() {
    let seeds = std::env::var("H2WS_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let first: u64 = std::env::var("H2WS_FIRST_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in first..first + seeds {
        println!("seed {seed}");
        converse(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}
