//! A peer's bytes to an HTTP/1.1 connection, and to the WebSocket that it may become: whatever comes, the connection ends
//! when the peer does, every stream has its last event, nothing panics, and another connection goes on.
//!
//! Input: whether the bytes begin behind an accepted handshake, and where they are cut (2 bytes), then what the peer sends.

#![no_main]

mod peer;

use h2ws::{Accept, Body, Config, Control, Delivery, Engine, Handler, Message, Request, StreamKind};
use libfuzzer_sys::fuzz_target;
use peer::Peer;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// RFC 6455 §1.3; the path chooses how it is accepted.
const UPGRADE: &str = " HTTP/1.1\r\nHost: fuzz\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

struct Host(Engine);

impl Handler for Host {
    fn request(&self, request: &Request<'_>) {
        let plain = |name: &str| {
            let text = name.to_ascii_lowercase();
            !matches!(&text[..], "connection" | "upgrade" | "transfer-encoding" | "keep-alive" | "sec-websocket-key")
        };
        assert!(request.headers.keys().all(|name| plain(name.as_str())), "what is of the connection stays here");
        // an error: the peer has gone
        let _ = match request.kind {
            StreamKind::Http if request.path.contains('r') => self.0.respond(request.stream, 200, Default::default(), b"x"),
            StreamKind::Http => self.0.respond_start(request.stream, 200, Default::default()),
            StreamKind::WebSocket if request.path.contains('r') => {
                self.0.reject(request.stream, 403, Default::default(), b"")
            }
            StreamKind::WebSocket => {
                let accept = Accept {
                    control: if request.path.contains('m') { Control::Manual } else { Control::Auto },
                    delivery: if request.path.contains('f') { Delivery::Fragments } else { Delivery::Messages },
                    ..Accept::default()
                };
                self.0.accept(request.stream, &accept)
            }
        };
        if request.end {
            let _ = self.0.finish(request.stream, None);
        }
    }

    fn body(&self, body: &Body<'_>) {
        let _ = self.0.send_body(body.stream, body.data);
        if body.end {
            let _ = self.0.finish(body.stream, body.trailers.cloned());
        }
    }

    fn message(&self, message: &Message<'_>) {
        let _ = self.0.send(message.stream, message.kind, message.data);
    }
}

/// One engine for all inputs, and a connection that must go on.
fn host() -> &'static (Engine, Mutex<Peer>) {
    static HOST: OnceLock<(Engine, Mutex<Peer>)> = OnceLock::new();
    HOST.get_or_init(|| {
        let config = Config {
            loops: 1,
            max_message: 4096,
            max_fragments: 8,
            max_header_list: 2048,
            max_header_fields: 16,
            stream_window: 8192,
            connection_window: 65_535,
            send_queue: 16 << 10,
            close_timeout: 50,
            deflate: true,
            // the sentinel is asked more often than a peer may ask
            ping_rate: 1 << 20,
            ..Config::default()
        };
        let engine = Engine::start(config, Host).expect("a valid configuration");
        let sentinel = Peer::connect(&engine, &peer::opening(b""));
        (engine, Mutex::new(sentinel))
    })
}

fuzz_target!(|data: &[u8]| {
    let [what, cut, input @ ..] = data else { return };
    let (engine, sentinel) = host();
    let path = [None, Some("/a"), Some("/m"), Some("/f")][usize::from(what & 3)];
    let mut opening = path.map_or_else(Vec::new, |path| format!("GET {path}{UPGRADE}").into_bytes());
    let (first, rest) = input.split_at((*cut as usize).min(input.len()));
    opening.extend_from_slice(first);
    let mut peer = Peer::connect(engine, &opening);
    peer.send(rest);
    peer.end();
    // our FIN may be seen before we have seen the peer's
    let begin = Instant::now();
    while engine.stats().open_streams > 0 {
        assert!(begin.elapsed() < Duration::from_secs(10), "every stream ends with its connection");
        std::thread::yield_now();
    }
    assert_eq!(engine.stats().panics, 0, "nothing panics");
    if what & 0x70 == 0 {
        sentinel.lock().expect("no panic before").ping();
    }
});
