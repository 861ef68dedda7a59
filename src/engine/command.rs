//! What a host can say of a stream, and what else reaches a loop from other threads, by its [mailbox](super::mailbox).

use super::event::{Control, Credit, Delivery};
use super::handle::{ListenerId, StreamId};
use super::listener::{Bound, Incoming, ListenOptions};
use super::payload::Payload;
use crate::proto::frame::MessageKind;
use bytes::Bytes;
use http::HeaderMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How a WebSocket is accepted.
#[derive(Clone, Debug)]
pub(crate) struct AcceptOptions {
    pub(crate) headers: HeaderMap,
    pub(crate) context: u64,
    pub(crate) control: Control,
    pub(crate) delivery: Delivery,
    pub(crate) credit: Credit,
    pub(crate) compress: bool,
}

/// What is done to one stream. Everything in it has been checked.
#[derive(Debug)]
pub(crate) enum Op<'a> {
    Accept(Box<AcceptOptions>),
    /// A whole response: to a request, or instead of an accept.
    Respond {
        status: u16,
        headers: HeaderMap,
        body: &'a [u8],
        reject: bool,
    },
    RespondStart {
        status: u16,
        headers: HeaderMap,
    },
    Inform {
        status: u16,
        headers: HeaderMap,
    },
    SendBody(&'a [u8]),
    Finish(Option<HeaderMap>),
    Message {
        kind: MessageKind,
        data: Payload<'a>,
        /// If the socket does.
        compress: bool,
    },
    Fragment {
        kind: MessageKind,
        data: Payload<'a>,
        last: bool,
    },
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    Close {
        code: Option<u16>,
        reason: &'a str,
    },
    Abort(u32),
    Demand(u32),
    SetDemand,
    SetContext(u64),
    /// `Busy` was said: see whether `writable` is due.
    Owed,
}

impl Op<'_> {
    /// Whether its bytes wait in the stream's send queue.
    #[inline]
    pub(crate) fn fills_queue(&self) -> bool {
        matches!(self, Self::SendBody(_) | Self::Message { .. } | Self::Fragment { .. } | Self::Ping(_) | Self::Pong(_))
    }

    /// The bytes that it carries.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Respond { body, .. } => body.len(),
            Self::Message { data, .. } | Self::Fragment { data, .. } => data.bytes().len(),
            Self::SendBody(data) | Self::Ping(data) | Self::Pong(data) => data.len(),
            _ => 0,
        }
    }
}

/// An [`Op`] that owns its bytes.
#[derive(Debug)]
pub(crate) struct Parcel {
    op: Op<'static>,
    data: Bytes,
}

impl Parcel {
    /// Copies what the host lent.
    pub(crate) fn pack(op: Op<'_>) -> Self {
        let copy = Bytes::copy_from_slice;
        let (op, data) = match op {
            Op::Accept(options) => (Op::Accept(options), Bytes::new()),
            Op::Respond { status, headers, body, reject } => {
                (Op::Respond { status, headers, body: &[], reject }, copy(body))
            }
            Op::RespondStart { status, headers } => (Op::RespondStart { status, headers }, Bytes::new()),
            Op::Inform { status, headers } => (Op::Inform { status, headers }, Bytes::new()),
            Op::SendBody(data) => (Op::SendBody(&[]), copy(data)),
            Op::Finish(trailers) => (Op::Finish(trailers), Bytes::new()),
            Op::Message { kind, data, compress } => {
                (Op::Message { kind, data: data.into_own(), compress }, Bytes::new())
            }
            Op::Fragment { kind, data, last } => (Op::Fragment { kind, data: data.into_own(), last }, Bytes::new()),
            Op::Ping(data) => (Op::Ping(&[]), copy(data)),
            Op::Pong(data) => (Op::Pong(&[]), copy(data)),
            Op::Close { code, reason } => (Op::Close { code, reason: "" }, copy(reason.as_bytes())),
            Op::Abort(code) => (Op::Abort(code), Bytes::new()),
            Op::Demand(n) => (Op::Demand(n), Bytes::new()),
            Op::SetDemand => (Op::SetDemand, Bytes::new()),
            Op::SetContext(context) => (Op::SetContext(context), Bytes::new()),
            Op::Owed => (Op::Owed, Bytes::new()),
        };
        Self { op, data }
    }

    /// Gives the operation with its bytes to `apply`.
    pub(crate) fn open<R>(self, apply: impl FnOnce(Op<'_>) -> R) -> R {
        let data = &self.data[..];
        apply(match self.op {
            Op::Respond { status, headers, reject, .. } => Op::Respond { status, headers, body: data, reject },
            Op::SendBody(_) => Op::SendBody(data),
            Op::Ping(_) => Op::Ping(data),
            Op::Pong(_) => Op::Pong(data),
            Op::Close { code, .. } => Op::Close { code, reason: std::str::from_utf8(data).unwrap_or("") },
            other => other,
        })
    }
}

/// What reaches a loop from elsewhere.
#[derive(Debug)]
pub(crate) enum Command {
    /// For one stream.
    Stream { stream: StreamId, parcel: Parcel },
    /// A message that is not large, whose bytes stand in [`Queued::bytes`](super::mailbox::Queued::bytes).
    Message { stream: StreamId, kind: MessageKind, at: Range<usize>, compress: bool },
    /// A bound socket to accept on, until it is notified.
    Listen { id: ListenerId, bound: Bound, options: ListenOptions, end: Arc<Notify> },
    /// A socket to serve.
    Connect(Box<Incoming>),
    /// End all connections in an orderly way; what is left after the time is cut.
    Drain(Duration),
    /// Cut all connections.
    Cut,
    /// Cut all connections and end the loop.
    Stop,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_gives_back_what_was_packed() {
        let data = Payload::Lent(b"hello");
        Parcel::pack(Op::Message { kind: MessageKind::Text, data, compress: true }).open(|op| match op {
            Op::Message { kind: MessageKind::Text, data, compress: true } => assert_eq!(data.bytes(), b"hello"),
            other => panic!("{other:?}"),
        });
        let parcel = Parcel::pack(Op::Close { code: Some(1000), reason: "bye" });
        parcel.open(|op| assert!(matches!(op, Op::Close { code: Some(1000), reason: "bye" })));
    }
}
