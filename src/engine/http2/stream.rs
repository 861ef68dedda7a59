//! One stream: an ordinary exchange, a handshake that is undecided, or a WebSocket.

use super::inflow::Inflow;
use crate::engine::credit::Credited;
use crate::engine::ending::{End, Tail};
use crate::engine::event::{Cause, Side, StreamKind};
use crate::engine::handle::StreamId;
use crate::engine::send_queue::SendQueue;
use crate::engine::websocket::WebSocket;
use crate::proto::deflate::Offer;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

/// A stream.
pub(super) struct Stream {
    pub(super) handle: StreamId,
    pub(super) slot: u32,
    /// The HTTP/2 stream identifier.
    pub(super) id: u32,
    pub(super) context: u64,
    pub(super) role: Role,
    pub(super) recv: RecvStream,
    pub(super) send: Sender,
    pub(super) waker: Waker,
    /// What the peer lets us send (RFC 9113 §6.9.1); below 0 after a SETTINGS that took it back (§6.9.2).
    /// Only of WebSockets: `h2` keeps it for ordinary exchanges.
    pub(super) send_window: i64,
    /// What we let the peer send.
    pub(super) inflow: Inflow,
    pub(super) out: SendQueue,
    /// It stands in the list of those that have something to send.
    pub(super) listed: bool,
    /// It stands in the list of those that are looked at in the host's next turn.
    pub(super) late: bool,
    /// The peer's END_STREAM has been seen by the scanner: what follows is `h2`'s to judge.
    pub(super) end_scanned: bool,
    /// `h2` has reported the peer's END_STREAM.
    pub(super) received_end: bool,
    /// Our END_STREAM is out.
    pub(super) sent_end: bool,
    /// A response head has gone to the socket: a RST_STREAM from now on is an ordinary end, no rapid reset.
    pub(super) answered: bool,
    pub(super) deadline: Option<Instant>,
    /// When something came last.
    pub(super) last_in: Instant,
}

/// What the stream is.
pub(super) enum Role {
    Http(Box<Exchange>),
    Handshake(Handshake),
    WebSocket(WebSocket),
}

/// What `h2` lets us send on it now.
pub(super) enum Sender {
    Head(SendResponse<Bytes>),
    Body(SendStream<Bytes>),
    Gone,
}

impl Sender {
    pub(super) fn reset(&mut self, reason: Reason) {
        match self {
            Self::Head(head) => head.send_reset(reason),
            Self::Body(body) => body.send_reset(reason),
            Self::Gone => {}
        }
    }
}

/// A handshake before the host's decision.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    /// What came too early (RFC 6455 §4.1: the client waits for the answer), for the socket that may be.
    pub(super) early: Vec<u8>,
    /// Subprotocols were offered.
    pub(super) offered: bool,
    /// The offer of permessage-deflate.
    pub(super) compression: Option<Offer>,
}

/// An ordinary exchange.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) head_request: bool,
    /// Body of the request that waits for the host's demand.
    pub(super) pending: VecDeque<u8>,
    pub(super) credit: Credited,
    /// The request's end has been seen, with its trailers; it is delivered after `pending`.
    pub(super) request_end: Option<Tail>,
    pub(super) end_delivered: bool,
    /// The response's body.
    pub(super) body: VecDeque<Bytes>,
    pub(super) queued: usize,
    /// The response ends with `body` and these trailers.
    pub(super) finish: Option<Tail>,
    /// The response has no body, whatever the host gives (HEAD, 204, 304).
    pub(super) bodiless: bool,
    /// It was a handshake that the host refused.
    pub(super) rejected: bool,
}

impl Stream {
    pub(super) fn kind(&self) -> StreamKind {
        match &self.role {
            Role::Http(exchange) if !exchange.rejected => StreamKind::Http,
            _ => StreamKind::WebSocket,
        }
    }

    pub(super) fn websocket(&mut self) -> Option<&mut WebSocket> {
        match &mut self.role {
            Role::WebSocket(websocket) => Some(websocket),
            _ => None,
        }
    }

    /// The end of a stream that was not closed by both sides: the code is 0 before the accept.
    pub(super) fn cut_off(&self, cause: Cause, side: Side) -> End {
        match &self.role {
            Role::WebSocket(websocket) => websocket.cut_off(cause, side),
            _ => End::new(0, cause, side),
        }
    }
}
