//! A connection that speaks HTTP/1.1. The only module that uses `hyper`.
//!
//! `hyper`, on a pipe, reads requests and writes responses, one at a time: a [`Framer`](crate::proto::http1::Framer) in
//! front of it gives it one request, and keeps what comes behind ([`drive`]). When a handshake is accepted `hyper` has done,
//! and is dropped: the bytes of the socket are the WebSocket's own ([`socket`]), by the same code as over HTTP/2.
//!
//! One task owns the connection ([`task`]); the host's words reach it through [`ops`].

mod deadlines;
mod deliver;
mod drive;
mod exchange;
mod ops;
mod quiet;
mod request;
mod service;
mod socket;
mod start;
mod task;

use super::ending::{Answerable, End};
use super::event::{Handler, LogLevel, StreamKind, TlsInfo};
use super::flag::Flag;
use super::handle::{ConnectionId, ListenerId, StreamId};
use super::loops::LoopState;
use super::pipe::Pipe;
use super::send_queue::SendQueue;
use super::table::Slot;
use super::websocket::WebSocket;
use crate::proto::deflate::Offer;
use crate::proto::http1::Framer;
use exchange::Exchange;
use http::HeaderValue;
use hyper::server::conn::http1;
use service::{Front, Shared};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

pub(crate) use task::Task;

/// A connection, as the loop and the host's calls see it.
pub(crate) struct Connection {
    id: ConnectionId,
    listener: Option<ListenerId>,
    state: Rc<LoopState>,
    peer: Box<str>,
    tls: Option<Box<TlsInfo>>,
    websockets: bool,
    /// Never borrowed while the host's code runs.
    core: RefCell<Core>,
    /// The task runs, or has been woken and will: it looks for work before it sleeps and need not be woken.
    awake: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Where the loop keeps it.
    key: Cell<u32>,
    /// The turn in which the host was last told something of it.
    told: Cell<u64>,
}

/// All that the task owns.
struct Core {
    /// Whose configuration it has.
    engine: Arc<super::shared::Shared>,
    /// `None`: it is a WebSocket now.
    http: Option<Box<Http>>,
    /// What there is between the peer and the host: one exchange, or one socket.
    stream: Option<Box<Stream>>,
    pipe: Pipe,
    flag: Arc<Flag>,
    flag_waker: Waker,
    /// What was read and belongs to nothing yet: the next request, or a socket that is not accepted.
    held: Vec<u8>,
    /// Bytes of the pipe's output that the socket has taken.
    written: usize,
    eof: bool,

    events: VecDeque<Event>,
    /// The socket's end waits until the host has had its turn.
    late: bool,
    messages_in: u64,
    messages_out: u64,

    /// The time of this tick.
    now: Instant,
    /// The earliest deadline that the timer knows.
    armed: Option<Instant>,
    head_deadline: Option<Instant>,
    keep_alive_deadline: Option<Instant>,
    write_deadline: Option<Instant>,
    drain_deadline: Option<Instant>,
    draining: bool,
    cut: bool,
    /// The connection is over when the output is written.
    over: bool,
    /// It ends with TCP's RST: nothing more is written.
    reset: bool,
    /// How the stream ends that is still there when it is over.
    ended: Option<End>,
}

/// While the connection speaks HTTP/1.1.
struct Http {
    hyper: http1::Connection<Pipe, Front>,
    desk: Shared,
    framer: Framer,
    /// A request is with the host, or its response is not out.
    busy: bool,
    /// The request that came last asks for a WebSocket: what follows is no request.
    upgrade: bool,
    /// Its 101 is on its way.
    accepted: bool,
    /// That of the request.
    version: http::Version,
}

/// An exchange or a socket.
struct Stream {
    handle: StreamId,
    slot: u32,
    context: u64,
    role: Role,
    deadline: Option<Instant>,
}

enum Role {
    Http(Exchange),
    Handshake(Handshake),
    WebSocket(Socket),
}

/// A handshake before the host's decision.
struct Handshake {
    /// Subprotocols were offered.
    offered: bool,
    /// The offer of permessage-deflate.
    compression: Option<Offer>,
    /// The value of `sec-websocket-accept`.
    accept: HeaderValue,
}

/// A WebSocket that has the connection to itself.
struct Socket {
    websocket: WebSocket,
    out: SendQueue,
    /// Bytes that have come and wait for the host: at `stream_window` no more are read.
    arrived: u32,
    /// Our FIN is out.
    sent_end: bool,
    last_in: Instant,
}

/// What the host is told when nothing is borrowed.
#[derive(Debug)]
enum Event {
    Closed {
        stream: StreamId,
        slot: u32,
        context: u64,
        kind: StreamKind,
        /// It had been accepted.
        socket: bool,
        end: End,
    },
    Writable {
        stream: StreamId,
        context: u64,
    },
    /// There may be something that waits for demand.
    Pending {
        stream: StreamId,
    },
    /// What the peer did to end its side, for a host that answers it itself.
    Answerable(Answerable),
    Log(LogLevel, String),
}

impl Stream {
    fn kind(&self) -> StreamKind {
        match &self.role {
            Role::Http(exchange) if !exchange.rejected => StreamKind::Http,
            _ => StreamKind::WebSocket,
        }
    }
}

impl Connection {
    /// Ends the exchange in an orderly way, within `limit`.
    pub(crate) fn drain(&self, limit: Duration) {
        {
            let mut core = self.core.borrow_mut();
            if !core.draining {
                core.draining = true;
                // not all at once: a client that reconnects at every Close would come in one wave
                let jitter = limit.as_millis() as u64 / 10 * (self.id.0 % 16) / 16;
                let open = self.state.connections.borrow().len() as u64;
                core.drain_deadline = Some(Instant::now() + Duration::from_millis(jitter.min(open / 8)));
                let at = core.drain_deadline;
                core.arm(at);
            }
        }
        self.wake();
    }

    /// Ends the connection now.
    pub(crate) fn cut(&self) {
        self.core.borrow_mut().cut = true;
        self.wake();
    }

    /// Whether the host has been told something and has not come to it.
    #[inline]
    fn host_first(&self) -> bool {
        let turn = self.state.turn();
        turn != 0 && self.told.get() == turn
    }

    /// The host, which is about to be told something.
    #[inline]
    fn host(&self) -> &dyn Handler {
        self.told.set(self.state.turn());
        self.state.host()
    }

    /// Lets the task look for work.
    fn wake(&self) {
        if !self.awake.get()
            && let Some(waker) = &*self.waker.borrow()
        {
            self.awake.set(true);
            self.state.wake(waker);
        }
    }

    /// The shared part of a stream's state.
    fn slot(&self, slot: u32) -> Option<&Slot> {
        self.state.own().streams.slot(slot)
    }

    /// The host can send nothing more on this stream.
    fn finish_phase(&self, slot: u32) {
        if let Some(slot) = self.slot(slot) {
            slot.phase.store(super::table::phase::FINISHED, Ordering::Release);
        }
    }
}

impl Core {
    /// Takes the stream away and queues its last event. What it still had to send is lost.
    fn end(&mut self, end: End) {
        let Some(stream) = self.stream.take() else { return };
        let kind = stream.kind();
        let Stream { handle, slot, context, role, .. } = *stream;
        let socket = matches!(role, Role::WebSocket(_));
        self.events.push_back(Event::Closed { stream: handle, slot, context, kind, socket, end });
    }

    /// Ends the connection with TCP's RST, and the stream so.
    fn abort(&mut self, end: End) {
        self.end(end);
        self.over = true;
        self.reset = true;
    }

    fn log(&mut self, level: LogLevel, text: String) {
        self.events.push_back(Event::Log(level, text));
    }
}
