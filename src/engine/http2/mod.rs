//! A connection that speaks HTTP/2. The only module that names the `h2` crate.
//!
//! `h2`, unmodified, is the control plane: preface, SETTINGS, HPACK, stream states, PING, GOAWAY, resets, and the
//! bodies of ordinary requests. The data plane of WebSockets is ours: a scanner takes DATA and WINDOW_UPDATE of
//! accepted sockets out of the input ([`input`]), and our DATA goes out between `h2`'s frames ([`output`]). `h2` sees
//! streams that are opened and then silent until their end.
//!
//! One task owns the connection and all its streams ([`task`]); the host's words reach it through [`ops`].

mod deadlines;
mod deliver;
mod drive;
mod exchange;
mod inflow;
mod input;
mod ops;
mod output;
mod progress;
mod request;
mod spliced;
mod start;
mod stream;
mod task;
mod wake;
mod windows;

use super::config::Config;
use super::deadline::after;
use super::ending::{Answerable, End};
use super::event::{Cause, Handler, LogLevel, Side, StreamKind, TlsInfo};
use super::flag::Flag;
use super::flood::Floods;
use super::handle::{ConnectionId, ListenerId, StreamId};
use super::loops::LoopState;
use super::pipe::Pipe;
use super::websocket::Limits;
use crate::proto::scan::Scanner;
use bytes::Bytes;
use h2::server;
use slab::Slab;
use spliced::Spliced;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};
use stream::{Role, Stream};
use wake::Ready;

pub(crate) use task::Task;

/// RFC 9113 §6.9.2: each window before any SETTINGS or WINDOW_UPDATE.
const DEFAULT_WINDOW: i64 = 65_535;
/// RFC 9113 §6.9.1: no window may exceed this.
const MAX_WINDOW: i64 = (1 << 31) - 1;
/// What we take in one frame: our SETTINGS_MAX_FRAME_SIZE, the protocol's default.
const MAX_FRAME: usize = 16_384;
/// Reset streams that `h2` remembers, so that frames still under way to them are no errors.
const REMEMBERED_RESETS: usize = 256;
const REMEMBER_RESETS: Duration = Duration::from_secs(10);

/// A connection, as the loop and the host's calls see it.
pub(crate) struct Connection {
    id: ConnectionId,
    listener: Option<ListenerId>,
    state: Rc<LoopState>,
    peer: Box<str>,
    tls: Option<Box<TlsInfo>>,
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
    h2: server::Connection<Pipe, Bytes>,
    pipe: Pipe,
    flag: Arc<Flag>,
    flag_waker: Waker,
    ready: Arc<Ready>,

    scanner: Scanner,
    /// Inside a header block: every frame is `h2`'s to judge (RFC 9113 §6.10).
    in_headers: bool,
    /// The peer's first SETTINGS have come.
    settings: bool,
    /// The peer has acknowledged ours.
    settings_acked: bool,
    /// A header block has ended with the frame that is being passed.
    headers_done: bool,
    frame: input::Frame,
    /// Frames passed to `h2` since it was polled.
    passed: u32,

    streams: Slab<Box<Stream>>,
    ids: HashMap<u32, u32, BuildHasherDefault<IdHasher>>,
    /// The last id looked up, and its key.
    last: Option<(u32, u32)>,

    /// The connection's windows (RFC 9113 §6.9.1), both ours: `h2` believes that its own are endless.
    send_window: i64,
    recv_window: i64,
    /// Bytes to be given back with the connection's next WINDOW_UPDATE.
    released: u32,
    /// The peer's SETTINGS_INITIAL_WINDOW_SIZE and SETTINGS_MAX_FRAME_SIZE.
    initial_send_window: i64,
    max_send_frame: usize,
    /// What a new stream's peer may send: ours, or the protocol's default while ours is not acknowledged.
    initial_recv_window: i64,
    /// How much larger than `stream_window` the streams' windows are, all together.
    all_grown: u32,
    /// Bytes of bodies that `h2` has counted against its endless window.
    body_sent: u32,

    /// Streams that have something to send, in turn.
    sending: VecDeque<u32>,
    /// Streams whose END_STREAM we have sent ourselves: `h2`'s is taken out.
    swallow: Vec<u32>,
    /// Resets that we asked `h2` for: they are not the peer's doing.
    own_resets: u32,
    /// Bytes of the output that have been looked at, and that the socket has taken.
    walked: usize,
    written: usize,
    /// What is written between.
    spliced: Spliced,
    /// WINDOW_UPDATEs that our DATA justifies.
    update_credit: u32,

    /// The last `emit` stopped before all was out.
    emit_more: bool,
    /// Response heads may be in the output.
    unflushed_answers: bool,
    events: VecDeque<Event>,
    /// Sockets whose end waits until the host has had its turn.
    late: Vec<(u32, StreamId)>,
    floods: Floods,
    limits: Limits,
    config: Config,
    tally: Tally,

    /// The time of this tick.
    now: Instant,
    /// The earliest deadline that the timer knows.
    armed: Option<Instant>,
    settings_deadline: Option<Instant>,
    header_deadline: Option<Instant>,
    write_deadline: Option<Instant>,
    drain_deadline: Option<Instant>,
    /// While there is no stream.
    idle_deadline: Option<Instant>,
    draining: bool,
    cut: bool,
    /// The socket takes nothing: what is unwritten is given up.
    dead: bool,
    /// We ended the connection for this reason.
    failure: Option<(h2::Reason, Box<str>)>,
    /// `h2` or the socket has ended; how, for the streams that are left.
    ended: Option<End>,
}

/// What the host is told when nothing is borrowed.
#[derive(Debug)]
enum Event {
    Closed {
        stream: StreamId,
        slot: u32,
        context: u64,
        kind: StreamKind,
        end: End,
    },
    Writable {
        stream: StreamId,
        context: u64,
    },
    /// Early data of a socket that was accepted just now.
    Early {
        key: u32,
        stream: StreamId,
        bytes: Vec<u8>,
    },
    /// There may be something that waits for demand.
    Pending {
        key: u32,
        stream: StreamId,
    },
    /// What the peer did to end its side, for a host that answers it itself.
    Answerable(Answerable),
    Log(LogLevel, String),
}

/// Counters of hot paths, added to the engine's once a tick.
#[derive(Debug, Default)]
struct Tally {
    ended_sockets: u64,
    messages_in: u64,
    messages_out: u64,
}

/// Stream identifiers are small and distinct: one multiplication spreads them.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0 ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Connection {
    /// Ends all exchanges in an orderly way, within `limit`.
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
}

impl Core {
    fn find(&mut self, id: u32) -> Option<u32> {
        if let Some((last, key)) = self.last
            && last == id
        {
            return Some(key);
        }
        let key = *self.ids.get(&id)?;
        self.last = Some((id, key));
        Some(key)
    }

    /// The stream `handle` under `key`, if it is still there.
    fn get(&mut self, key: u32, handle: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(key as usize).map(|s| &mut **s).filter(|s| s.handle == handle)
    }

    /// Puts a stream into the list of those that have something to send.
    #[inline]
    fn touch(&mut self, key: u32) {
        if let Some(stream) = self.streams.get_mut(key as usize)
            && !stream.listed
        {
            stream.listed = true;
            self.sending.push_back(key);
        }
    }

    /// What a socket has pending is looked at again when the host has had its turn; once, however many frames say so.
    fn comes_late(&mut self, key: u32) {
        if let Some(stream) = self.streams.get_mut(key as usize)
            && !stream.late
        {
            stream.late = true;
            self.late.push((key, stream.handle));
        }
    }

    /// Ends the connection: the peer broke a rule or a limit of it.
    fn fail(&mut self, reason: h2::Reason, text: impl Into<Box<str>>) {
        if self.failure.is_none() {
            self.h2.abrupt_shutdown(reason);
            self.failure = Some((reason, text.into()));
            self.flag.raise();
        }
    }

    /// Takes the stream away and queues its last event. What it still had to send is lost.
    fn end(&mut self, key: u32, end: End) {
        if !self.streams.contains(key as usize) {
            return;
        }
        let stream = self.streams.remove(key as usize);
        self.ids.remove(&stream.id);
        self.last = None;
        self.all_grown -= stream.inflow.grown();
        if stream.kind() == StreamKind::WebSocket && matches!(stream.role, Role::WebSocket(_)) {
            self.tally.ended_sockets += 1;
        }
        self.events.push_back(Event::Closed {
            stream: stream.handle,
            slot: stream.slot,
            context: stream.context,
            kind: stream.kind(),
            end,
        });
        // h2 notices that the handles are gone
        self.flag.raise();
    }

    /// Resets the stream, then ends it.
    fn reset(&mut self, key: u32, reason: h2::Reason, end: End) {
        if let Some(stream) = self.streams.get_mut(key as usize) {
            stream.send.reset(reason);
            self.own_resets += 1;
            let h2_code = if end.h2_code == 0 { u32::from(reason) } else { end.h2_code };
            self.end(key, end.h2(h2_code));
        }
    }

    /// The peer broke a rule of HTTP/2 on one stream: RST_STREAM (RFC 9113 §5.4.2). Counts as provoked.
    fn stream_error(&mut self, key: u32, reason: h2::Reason, text: &'static str) {
        let Some(stream) = self.streams.get(key as usize) else { return };
        let end = stream.cut_off(Cause::Violation, Side::Local).because(text);
        self.reset(key, reason, end);
        self.own_resets -= 1;
    }
}
