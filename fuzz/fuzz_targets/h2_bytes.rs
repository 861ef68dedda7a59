//! A peer's bytes to a whole connection: whatever comes, the connection ends when the peer does, every stream has its last
//! event, nothing panics, and another connection goes on.
//!
//! Input: what is opened first and where the bytes are cut (2 bytes), then what the peer sends after its preface.

#![no_main]

mod peer;

use h2ws::{Accept, Body, Config, Control, Delivery, Engine, Handler, Message, Request, StreamKind};
use libfuzzer_sys::fuzz_target;
use peer::Peer;
use std::sync::{Mutex, OnceLock};

struct Host(Engine);

impl Handler for Host {
    fn request(&self, request: &Request<'_>) {
        // an error: the peer has reset the stream
        let _ = match request.kind {
            StreamKind::Http => self.0.respond_start(request.stream, 200, Default::default()),
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
            stream_window: 8192,
            connection_window: 65_535,
            send_queue: 16 << 10,
            close_timeout: 50,
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
    let mut opening = Vec::new();
    for (bit, path) in [(1, "/a"), (2, "/m"), (4, "/f")] {
        if what & bit != 0 {
            opening.extend(peer::handshake(bit as u32, path));
        }
    }
    let (first, rest) = input.split_at((*cut as usize).min(input.len()));
    opening.extend_from_slice(first);
    let mut peer = Peer::connect(engine, &peer::opening(&opening));
    peer.send(rest);
    peer.end();
    let stats = engine.stats();
    assert_eq!(stats.panics, 0, "nothing panics");
    assert_eq!(stats.open_streams, 0, "every stream has ended with its connection");
    if what & 0x70 == 0 {
        sentinel.lock().expect("no panic before").ping();
    }
});
