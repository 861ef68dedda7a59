//! What the engine tells its host.
//!
//! Every method runs on the loop's own thread with no lock of ours held; it may call anything on
//! the engine that does not block, for any stream. A method that blocks holds up its loop alone.

use super::handle::{ConnectionId, ListenerId, StreamId};
pub use super::tls::info::TlsInfo;
pub use super::wire::{Read, Ready};
pub use crate::proto::frame::MessageKind;
use std::os::fd::OwnedFd;

/// The host: receives events. All methods do nothing unless they are written.
#[allow(unused_variables)]
pub trait Handler: Send + Sync + 'static {
    /// A request or a WebSocket handshake has come. Answer now or later, from any thread.
    fn request(&self, request: &Request<'_>) {}
    /// A piece of a request's body, or its end.
    fn body(&self, body: &Body<'_>) {}
    /// A whole message.
    fn message(&self, message: &Message<'_>) {}
    /// A part of a message, on a socket accepted with [`Delivery::Fragments`].
    fn fragment(&self, fragment: &Fragment<'_>) {}
    /// A Ping, Pong or Close frame has come. With [`Control::Auto`] it has been answered already.
    fn control(&self, control: &ControlFrame<'_>) {}
    /// After [`crate::Status::Busy`]: the stream takes data again. Once for each time it was busy.
    fn writable(&self, stream: StreamId, context: u64) {}
    /// The last event of a stream, exactly once for each `request`.
    fn closed(&self, closed: &Closed<'_>) {}
    /// A connection in which the host has a part has ended: one that it gave to [`crate::Engine::adopt`] or
    /// [`crate::Engine::attach`], after the last `closed` of its streams, or one that it has as a duplex. Not told of those that end
    /// with the engine.
    fn disconnected(&self, connection: ConnectionId) {}
    /// A connection that is the host's: it does not speak HTTP/2 ([`crate::Config::fallback`]), or was accepted
    /// [raw](crate::ListenOptions::raw).
    fn fallback(&self, back: HandedBack<'_>) {}
    /// A duplex can be read or written again. `context` is what [`crate::Engine::attach`] was given, 0 for a fallback.
    fn duplex(&self, connection: ConnectionId, context: u64, ready: Ready) {}
    /// Whether it has enough for now: connections then read no more, until the next [`crate::Loop::poll`]. For a host that queues
    /// its events: what it holds is bounded by where it says so, and one event more for each connection.
    fn full(&self) -> bool {
        false
    }
    /// A line for the log. Never the payload of a message or the value of a header.
    fn log(&self, level: LogLevel, text: &str) {}
}

/// A connection that goes to the host.
#[derive(Debug)]
pub struct HandedBack<'a> {
    /// Names it; without a [`socket`](Self::socket) the host reads and writes by this name
    /// ([`crate::Engine::duplex_read`]).
    pub connection: ConnectionId,
    /// The listener that accepted it; `None` if the host did.
    pub listener: Option<ListenerId>,
    /// The peer's address as text.
    pub peer: &'a str,
    /// Its TLS; `None` on cleartext.
    pub tls: Option<&'a TlsInfo>,
    /// With [`crate::Fallback::Socket`]: the socket, non-blocking, the host's from here on.
    pub socket: Option<OwnedFd>,
    /// With [`crate::Fallback::Socket`]: what was read from it.
    pub already_read: &'a [u8],
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// An ordinary request; answer with `respond`.
    Http,
    /// A WebSocket handshake; answer with `accept` or `reject`.
    WebSocket,
}

/// A request head. All is borrowed until the method returns.
#[derive(Debug)]
pub struct Request<'a> {
    /// Names the exchange, and the WebSocket that it may become.
    pub stream: StreamId,
    /// The connection that it came on.
    pub connection: ConnectionId,
    /// The listener that accepted its connection; `None` if the host did.
    pub listener: Option<ListenerId>,
    /// Request or handshake.
    pub kind: StreamKind,
    /// `GET` for a WebSocket handshake, whichever HTTP version carried it (over HTTP/2 it is CONNECT,
    /// but routes are written for GET).
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The `:authority`, or the `host` field where there was none. May be empty on a request.
    pub authority: &'a str,
    /// Path and query, as sent.
    pub path: &'a str,
    /// The header fields, in the order of the request. Names are lower-case.
    pub headers: &'a http::HeaderMap,
    /// What the client offered in `sec-websocket-protocol`, in its order.
    pub subprotocols: &'a [&'a str],
    /// The peer's address as text: `127.0.0.1:4711`, or `unix`.
    pub peer: &'a str,
    /// There is no body: no `body` event will come.
    pub end: bool,
    /// The HTTP version that carried it.
    pub version: http::Version,
    /// The TLS of its connection; `None` on cleartext.
    pub tls: Option<&'a TlsInfo>,
    /// The number of its HTTP/2 stream (RFC 9113 §5.1.1), for logs and for hosts whose applications ask; 0 over HTTP/1.1.
    pub h2_stream: u32,
}

/// A piece of a request's body.
#[derive(Debug)]
pub struct Body<'a> {
    /// Of which request.
    pub stream: StreamId,
    /// What the host set by `set_context`.
    pub context: u64,
    /// The bytes; may be empty at the end.
    pub data: &'a [u8],
    /// Nothing follows.
    pub end: bool,
    /// The trailers, if there were any; only with `end`.
    pub trailers: Option<&'a http::HeaderMap>,
}

/// A message, whole.
#[derive(Debug)]
pub struct Message<'a> {
    /// Of which socket.
    pub stream: StreamId,
    /// What the host set by `set_context`.
    pub context: u64,
    /// Text or binary.
    pub kind: MessageKind,
    /// The payload, borrowed until the method returns.
    pub data: &'a [u8],
}

/// A part of a message. Parts follow what arrived, not the peer's frames; of a text message a part may
/// end inside a character.
#[derive(Debug)]
pub struct Fragment<'a> {
    /// Of which socket.
    pub stream: StreamId,
    /// What the host set by `set_context`.
    pub context: u64,
    /// Text or binary, the same for all parts of a message.
    pub kind: MessageKind,
    /// The payload, borrowed until the method returns.
    pub data: &'a [u8],
    /// A message begins.
    pub first: bool,
    /// The message is complete.
    pub last: bool,
}

/// A control frame of the peer; or, with `Control::Manual`, that no further one will come.
#[derive(Debug)]
pub struct ControlFrame<'a> {
    /// Of which socket.
    pub stream: StreamId,
    /// What the host set by `set_context`.
    pub context: u64,
    /// Which.
    pub kind: ControlKind,
    /// A Ping's or Pong's payload; a Close's reason; what was wrong.
    pub data: &'a [u8],
    /// A Close's code, if it had one; the code that answers what was wrong.
    pub code: Option<u16>,
}

/// The kinds of control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlKind {
    /// A Ping; with `Control::Auto` the Pong is on its way.
    Ping,
    /// A Pong.
    Pong,
    /// A Close; with `Control::Auto` it has been answered.
    Close,
    /// The peer broke a rule or a limit, after which nothing of it is heard. Only with `Control::Manual`: the host says what
    /// it has yet to say to what came before, then closes with this code, within `close_timeout`. With `Control::Auto` the
    /// Close has been sent, and `closed` tells of it.
    Violation,
    /// The peer has ended its side without a Close (END_STREAM, or TCP's FIN). Only with `Control::Manual`: the host may go on
    /// sending until it closes. Its data say so if that was inside a message. With `Control::Auto` our side ends too, and `closed` tells of it.
    End,
}

/// How an exchange ended.
#[derive(Debug)]
pub struct Closed<'a> {
    /// Which; the handle is gone when this method returns.
    pub stream: StreamId,
    /// What the host set by `set_context`.
    pub context: u64,
    /// What it was for.
    pub kind: StreamKind,
    /// The close code of RFC 6455 §7.1.5: the peer's own, 1005 if its Close had none, 1006 if there was no
    /// Close. 0 for an ordinary request and a handshake that was not accepted.
    pub code: u16,
    /// The peer's reason, or what went wrong.
    pub reason: &'a str,
    /// What ended it.
    pub cause: Cause,
    /// The HTTP/2 error code that went with it (RFC 9113 §7), 0 if none.
    pub h2_code: u32,
    /// Who began the end.
    pub side: Side,
}

/// What ended an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A response went out whole.
    Complete,
    /// The closing handshake of RFC 6455 §7.
    CloseFrame,
    /// The stream ended without a Close frame.
    EndStream,
    /// A RST_STREAM.
    Reset,
    /// A GOAWAY that left this stream out, or a connection error.
    GoAway,
    /// The transport ended or failed.
    Disconnected,
    /// A deadline or idle time passed; the reason says which.
    Timeout,
    /// The engine drained.
    Drain,
    /// The handshake was refused: by the host, or by us before the host saw it.
    Rejected,
    /// The peer broke a rule or a limit; the reason says which.
    Violation,
}

/// Who began the end of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The host or h2ws.
    Local,
    /// The peer.
    Remote,
}

/// Who answers Ping and Close frames on a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Control {
    /// h2ws does.
    #[default]
    Auto,
    /// The host does, with `pong` and `close`: also what the peer did wrong, and that it ended without a Close.
    Manual,
}

/// How messages come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Whole, up to the limit of a message's size.
    #[default]
    Messages,
    /// In parts as they arrive, held nowhere and without a limit of size.
    Fragments,
    /// As `Fragments`, but what is not compressed is held up to so many bytes: a message that is no longer comes as one part, which is
    /// the first and the last, a longer one in parts once it is longer.
    FragmentsAbove(u32),
}

/// How much the host is ready to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Credit {
    /// Everything, at once.
    #[default]
    Auto,
    /// As many `message`, `fragment` or `body` events as it has asked for by `demand`.
    Demand,
}

/// The weight of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// A bug in h2ws.
    Error,
    /// An operator should look.
    Warn,
    /// Life cycle; every refused handshake, with its reason.
    Info,
    /// Each connection.
    Debug,
}
