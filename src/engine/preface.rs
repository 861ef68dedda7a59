//! The first bytes of a connection: an HTTP/2 preface (RFC 9113 §3.4), or something else.

use super::config::Fallback;
use super::event::{HandedBack, LogLevel, TlsInfo};
use super::handle::{ConnectionId, ListenerId};
use super::listener::{Admitted, Incoming, ListenOptions};
use super::loops::{LoopState, within};
use super::relay::relay;
use super::stats::count;
use super::tls::handshake::accept;
use super::transport::{Socket, Transport, linger};
use super::wire::{Wire, WireEnd};
use super::{http1, http2};
use crate::proto::scan::{FrameHead, PREFACE, frame_type};
use std::cell::OnceCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What may come in front of a line's end before we stop looking for an HTTP/1 request line.
const MAX_LINE: usize = 4 << 10;

/// Error codes of RFC 9113 §7.
const PROTOCOL_ERROR: u32 = 1;
const HTTP_1_1_REQUIRED: u32 = 13;

/// To a request of HTTP/1.1 where it is not spoken.
const NO_HTTP1: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 30\r\n\r\nThis port speaks HTTP/2 only.\n";

/// A connection whose protocol is known.
pub(crate) struct Greeted {
    pub(crate) id: ConnectionId,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) transport: Transport,
    /// The peer's address as text.
    pub(crate) peer: String,
    pub(crate) tls: Option<Box<TlsInfo>>,
    /// All that was read from it so far.
    pub(crate) read: Vec<u8>,
    pub(crate) websockets: bool,
}

/// A connection whose protocol has begun.
enum Begun {
    Http1(http1::Task),
    Http2(http2::Task),
}

/// The loop's part in a connection, from its first byte to its last.
struct Part {
    state: Rc<LoopState>,
    id: ConnectionId,
    adopted: bool,
    wire: OnceCell<Arc<Wire>>,
    _admitted: Admitted,
    _alive: Rc<()>,
}

impl Part {
    /// Serves the connection in a task of its own: its turns go through nothing that belongs to its beginning.
    fn spawn(self, service: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(async move {
            self.attended(pin!(service)).await;
            self.end();
        });
    }

    /// What the task has to say of its wire is said when nothing of it is borrowed.
    async fn attended<T>(&self, mut service: Pin<&mut impl Future<Output = T>>) -> T {
        poll_fn(|cx| {
            let polled = service.as_mut().poll(cx);
            if let Some(wire) = self.wire.get() {
                self.pass_on(wire);
            }
            polled
        })
        .await
    }

    fn pass_on(&self, wire: &Wire) {
        if let Some(ready) = wire.news() {
            // the host's code: its panic must not end the loop
            let _ = catch_unwind(AssertUnwindSafe(|| self.state.host().duplex(self.id, wire.context, ready)));
        }
    }

    /// Says that the connection has ended to a host that has a part in it.
    fn end(self) {
        if self.adopted || self.wire.get().is_some() {
            // the host's code: its panic must not end the loop
            let _ = catch_unwind(AssertUnwindSafe(|| self.state.host().disconnected(self.id)));
        }
    }
}

/// Finds out what a connection speaks, and serves it to its end.
pub(crate) async fn serve(state: Rc<LoopState>, incoming: Incoming) {
    let Incoming { id, listener, socket, already_read, options, tls, admitted } = incoming;
    let wire = OnceCell::new();
    if let Socket::Wire(own) = &socket {
        let _ = wire.set(Arc::clone(own));
    }
    let _alive = Rc::clone(&state.alive);
    let part = Part { state, id, adopted: listener.is_none(), wire, _admitted: admitted, _alive };
    let peer = socket.peer();
    let transport = match Transport::register(socket) {
        Ok(transport) => transport,
        Err(e) => {
            part.state.shared.log(LogLevel::Warn, &format!("a socket could not be watched: {e}"));
            return part.end();
        }
    };
    let websockets = options.websockets;
    let greeted = Greeted { id, listener, transport, peer, tls, read: already_read, websockets };
    let begun = part.attended(Box::pin(converse(&part, greeted, options)).as_mut()).await;
    match begun {
        Some(Begun::Http1(task)) => part.spawn(task.serve()),
        Some(Begun::Http2(task)) => part.spawn(task.serve()),
        None => part.end(),
    }
}

/// Finds out what the connection speaks. `None`: it has ended.
async fn converse(part: &Part, greeted: Greeted, options: ListenOptions) -> Option<Begun> {
    let state = &part.state;
    // made before the flag is read, so that no end is missed between the two
    let ending = state.ending.notified();
    if state.stopping() || state.shared.draining.load(Ordering::Acquire) {
        return None;
    }
    let (found, mut greeted) = tokio::select! {
        biased;
        // it has asked for nothing yet, so nothing is lost; a connection that began now would not be told
        () = ending => return None,
        greeted = greet(state, greeted, &options) => greeted?,
    };
    match found {
        _ if options.raw => hand_back(state, greeted, &part.wire, Fallback::Duplex).await,
        Found::Http2 if options.http2 => return http2::Task::begin(state, greeted).await.map(Begun::Http2),
        // a host that takes them has an HTTP/1.1 of its own
        _ if falls_back(state, &greeted.transport) => {
            hand_back(state, greeted, &part.wire, state.shared.config.fallback).await;
        }
        // what is no HTTP/2 preface is answered over HTTP/1.1, which may be with 400
        Found::Http1 | Found::Other if options.http1 => return Some(Begun::Http1(http1::Task::begin(state, greeted))),
        other => {
            count(&state.own().counters.refused_preface);
            let text = format!("connection of {} refused: it does not begin with an HTTP/2 preface", greeted.peer);
            state.shared.log(LogLevel::Info, &text);
            let answer = match other {
                Found::Http1 => NO_HTTP1.to_vec(),
                Found::Http2 => goaway(HTTP_1_1_REQUIRED),
                _ => goaway(PROTOCOL_ERROR),
            };
            let _ = poll_fn(|cx| greeted.transport.poll_write(cx, &answer)).await;
            linger(&mut greeted.transport).await;
        }
    }
    None
}

/// The shortest conversation over HTTP/2: SETTINGS, which come first (RFC 9113 §3.4), and GOAWAY.
fn goaway(code: u32) -> Vec<u8> {
    let settings = FrameHead::new(0, frame_type::SETTINGS, 0, 0);
    let goaway = FrameHead::new(8, frame_type::GOAWAY, 0, 0);
    [&settings.raw[..], &goaway.raw, &[0; 4], &code.to_be_bytes()].concat()
}

/// Shakes hands if there is TLS, and reads until it is clear what this is. `None`: it came to nothing.
async fn greet(state: &LoopState, mut greeted: Greeted, options: &ListenOptions) -> Option<(Found, Greeted)> {
    if let Some(tls) = &options.tls {
        let Transport::Plain(socket) = greeted.transport else { return None };
        let (transport, info) = accept(state, socket, tls, options, &greeted.peer, &mut greeted.read).await?;
        greeted.transport = transport;
        greeted.tls = Some(info);
    }
    if options.raw {
        return Some((Found::Other, greeted));
    }
    if greeted.tls.as_ref().is_some_and(|tls| tls.alpn == Some("http/1.1")) {
        return Some((Found::Http1, greeted));
    }
    // what is no HTTP/2 is judged by HTTP/1.1, the host's or ours, under deadlines of its own
    let http1 = options.http1 || falls_back(state, &greeted.transport);
    let limit = state.shared.config.preface_timeout;
    match within(limit, look(&mut greeted.transport, &mut greeted.read, http1)).await {
        Some(Found::End) => None,
        Some(found) => Some((found, greeted)),
        None => {
            count(&state.own().counters.timeout_preface);
            let text = format!("connection of {} ended: no preface within {limit} ms (preface_timeout)", greeted.peer);
            state.shared.log(LogLevel::Info, &text);
            None
        }
    }
}

/// Whether a connection that is no HTTP/2 is the host's.
fn falls_back(state: &LoopState, transport: &Transport) -> bool {
    match state.shared.config.fallback {
        Fallback::Off => false,
        // nobody else could go on with a session of ours
        Fallback::Socket => matches!(transport, Transport::Plain(_)),
        // of a wire the host has the other end
        Fallback::Duplex => !matches!(transport, Transport::Wire(_)),
    }
}

/// Gives the connection to the host, with what was read: its socket, or its bytes.
async fn hand_back(state: &LoopState, greeted: Greeted, wire: &OnceCell<Arc<Wire>>, how: Fallback) {
    let Greeted { id, listener, mut transport, peer, tls, read, .. } = greeted;
    count(&state.own().counters.fallbacks);
    let mut back =
        HandedBack { connection: id, listener, peer: &peer, tls: tls.as_deref(), socket: None, already_read: &read };
    // the host's code: its panic must not end the loop
    let tell = |back| catch_unwind(AssertUnwindSafe(|| state.host().fallback(back)));
    if how == Fallback::Socket {
        let Some(Ok(fd)) = transport.into_fd() else { return };
        back.socket = Some(fd);
        let _ = tell(back);
        return;
    }
    let own = Arc::new(Wire::new(0, peer.clone()));
    let end = WireEnd(Arc::clone(&own));
    state.shared.attached.add(id, &own);
    let _ = wire.set(own);
    back.already_read = &[];
    match tell(back) {
        Ok(()) => relay(state, &mut transport, end, &read).await,
        // after its panic the host closes nothing
        Err(_) => drop(state.shared.attached.remove(id)),
    }
}

enum Found {
    Http2,
    /// A request line of HTTP/1.
    Http1,
    /// Neither.
    Other,
    /// The connection ended.
    End,
}

/// Reads until it is clear what this is. `http1`: somebody takes all that is no HTTP/2 preface for HTTP/1.1.
async fn look(transport: &mut Transport, read: &mut Vec<u8>, http1: bool) -> Found {
    let mut buffer = vec![0; 1024];
    loop {
        let n = read.len().min(PREFACE.len());
        if read[..n] == PREFACE[..n] {
            if n == PREFACE.len() {
                return Found::Http2;
            }
        } else if http1 {
            return Found::Http1;
        } else if let Some(end) = read.iter().position(|&b| b == b'\n') {
            let line = read[..end].strip_suffix(b"\r").unwrap_or(&read[..end]);
            let http1 = line.len() > 9 && line[line.len() - 9..].starts_with(b" HTTP/1.");
            return if http1 { Found::Http1 } else { Found::Other };
        } else if read.len() > MAX_LINE || read.iter().any(|&b| b < b' ' && b != b'\r' && b != b'\t') {
            return Found::Other;
        }
        match poll_fn(|cx| transport.poll_read(cx, &mut buffer)).await {
            Ok(0) if read.is_empty() => return Found::End,
            Ok(0) => return Found::Other,
            Ok(n) => read.extend_from_slice(&buffer[..n]),
            Err(_) => return Found::End,
        }
    }
}
