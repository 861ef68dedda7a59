//! WebSockets over HTTP/2 (RFC 8441), and ordinary requests beside them, for any host.
//!
//! ```
//! use h2ws::{Accept, Config, Engine, Handler, ListenOptions, Message, Request, StreamKind};
//!
//! struct Echo(Engine);
//!
//! impl Handler for Echo {
//!     fn request(&self, request: &Request<'_>) {
//!         let answered = match request.kind {
//!             StreamKind::WebSocket => self.0.accept(request.stream, &Accept::default()),
//!             StreamKind::Http => self.0.respond(request.stream, 200, Default::default(), b"hello\n"),
//!         };
//!         answered.expect("the first answer to a request that has just come");
//!     }
//!
//!     fn message(&self, message: &Message<'_>) {
//!         // Busy: the peer does not read; a real host would wait for `writable`
//!         let _ = self.0.send(message.stream, message.kind, message.data);
//!     }
//! }
//!
//! let engine = Engine::start(Config::default(), Echo)?;
//! let listener = engine.listen("127.0.0.1:0", &ListenOptions::default())?;
//! println!("listening on {}", engine.listener_address(listener)?);
//! engine.shutdown()?;
//! # Ok::<(), h2ws::Error>(())
//! ```
//!
//! Layers, each of which uses those to its left only: `proto <- engine <- host <- ffi`. `host` is what is public here.

mod engine;
pub mod ffi;
mod host;
#[doc(hidden)]
pub mod proto;

pub use host::*;
