//! A WebSocket echo server in Rust, and one ordinary page, on one port.
//!
//!     cargo run --example echo -- 8080
//!     curl --http2-prior-knowledge http://127.0.0.1:8080/
//!
//! The port comes from the first argument or from PORT; 0 takes any free one. SIGTERM or Ctrl-C ends it.

use h2ws::{Accept, Closed, Config, Engine, Handler, ListenOptions, LogLevel, Message, Request, Status, StreamKind};
use http::HeaderMap;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;

struct Echo {
    engine: Engine,
}

/// These run on h2ws' own threads. They must not block. What a call answers is ignored here: the stream may have ended
/// meanwhile, which `closed` will tell.
impl Handler for Echo {
    fn request(&self, request: &Request<'_>) {
        let _ = match request.kind {
            StreamKind::WebSocket => self.engine.accept(request.stream, &Accept::default()),
            StreamKind::Http => self.engine.respond(request.stream, 200, HeaderMap::new(), b"hello\n"),
        };
    }

    fn message(&self, message: &Message<'_>) {
        // Sending never waits. Busy means that this peer takes nothing just now: 1 MiB is on its way to it. A server
        // that may lose nothing keeps the message and sends it in `writable`; this one gives up on such a peer.
        let sent = self.engine.send(message.stream, message.kind, message.data);
        if sent.is_err_and(|error| error.status() == Status::Busy) {
            let _ = self.engine.close(message.stream, Some(1013), "you do not read");
        }
    }

    /// Exactly once for each request, after which the stream's handle names nothing any more.
    fn closed(&self, closed: &Closed<'_>) {
        if closed.kind == StreamKind::WebSocket {
            println!("closed: {} {}", closed.code, closed.reason);
        }
    }

    fn log(&self, level: LogLevel, text: &str) {
        if level <= LogLevel::Info {
            eprintln!("h2ws: {text}");
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut ends = Signals::new([SIGTERM, SIGINT])?;
    let port = std::env::args().nth(1).or_else(|| std::env::var("PORT").ok()).unwrap_or_else(|| "8080".to_owned());
    // The handler is made from the engine, so that it can answer.
    let engine = Engine::start(Config::default(), |engine| Echo { engine })?;
    let listener = engine.listen(&format!("127.0.0.1:{port}"), &ListenOptions::default())?;
    println!("listening on http://{}", engine.listener_address(listener)?);

    ends.forever().next(); // waits
    engine.drain(Duration::from_secs(5))?; // tells every peer that it is over and waits for them, 5 s at most
    engine.shutdown()?; // ends the threads; the handler hears no more
    Ok(())
}
