//! What all threads share of an engine, and the way of a host's word to the loop that owns its stream.

use super::command::{Command, Op};
use super::config::Config;
use super::event::{Handler, LogLevel, MessageKind, TlsInfo};
use super::handle::{ConnectionId, ListenerId, StreamId};
use super::interrupt::Interrupts;
use super::listener::{Admitted, Incoming, ListenOptions, Listeners};
use super::loops;
use super::mailbox::Mailbox;
use super::stats::{Counters, Stats, count, uncount};
use super::status::{Error, Status};
use super::table::{Parts, Slot, Table, phase};
use super::transport::Socket;
use super::wire::Attached;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all threads share of one loop.
#[derive(Debug, Default)]
pub(crate) struct LoopShared {
    pub(crate) mailbox: Mailbox,
    pub(crate) streams: Table,
    pub(crate) counters: Counters,
    /// Connections that are here or on their way.
    pub(crate) load: AtomicUsize,
    /// It has its thread.
    pub(crate) entered: AtomicBool,
    pub(crate) interrupts: Interrupts,
    /// Subprotocols that clients offered on handshakes that are undecided: any thread may accept.
    pub(crate) offers: Mutex<HashMap<StreamId, Arc<[Box<str>]>>>,
}

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Loops that threads of the host have entered and not left.
    pub(crate) held: AtomicUsize,
    pub(crate) loops: Box<[LoopShared]>,
    pub(crate) listeners: Listeners,
    pub(crate) attached: Attached,
    pub(crate) draining: AtomicBool,
    /// What the contexts of all sockets may take by now; at most `deflate_memory`.
    pub(crate) deflate_promised: AtomicU64,
    /// Dropped at the end of the engine, so that a handler that holds the engine does not hold it for ever.
    handler: Mutex<Option<Arc<dyn Handler>>>,
    connections: Mutex<usize>,
    idle: Condvar,
    last_connection: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("loops", &self.loops.len()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            loops: (0..config.loops).map(|_| LoopShared::default()).collect(),
            config,
            held: AtomicUsize::new(0),
            listeners: Listeners::default(),
            attached: Attached::default(),
            draining: AtomicBool::new(false),
            deflate_promised: AtomicU64::new(0),
            handler: Mutex::new(None),
            connections: Mutex::new(0),
            idle: Condvar::new(),
            last_connection: AtomicU64::new(0),
        }
    }

    /// The host; `None` before the start and after the end.
    pub(crate) fn handler(&self) -> Option<Arc<dyn Handler>> {
        self.handler.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_handler(&self, handler: Option<Arc<dyn Handler>>) {
        let old = std::mem::replace(&mut *self.handler.lock().unwrap_or_else(PoisonError::into_inner), handler);
        drop(old); // outside of the lock: it may be the last one, and run the host's code
    }

    /// A line for the host's log. Not to be called while a connection's state is borrowed.
    pub(crate) fn log(&self, level: LogLevel, text: &str) {
        match level {
            LogLevel::Error => tracing::error!(target: "h2ws", "{text}"),
            LogLevel::Warn => tracing::warn!(target: "h2ws", "{text}"),
            LogLevel::Info => tracing::info!(target: "h2ws", "{text}"),
            LogLevel::Debug => tracing::debug!(target: "h2ws", "{text}"),
        }
        if let Some(handler) = self.handler() {
            handler.log(level, text);
            loops::told();
        }
    }

    /// Gives a socket to the loop that has the fewest.
    pub(crate) fn connect(
        self: &Arc<Self>,
        listener: Option<ListenerId>,
        socket: Socket,
        already_read: Vec<u8>,
        options: ListenOptions,
        tls: Option<Box<TlsInfo>>,
    ) -> Result<ConnectionId, Error> {
        if self.draining.load(Ordering::Acquire) {
            return Err(Status::ShuttingDown.into());
        }
        let emptiest = || {
            let loads = self.loops.iter().map(|l| l.load.load(Ordering::Relaxed)).enumerate();
            loads.min_by_key(|(_, load)| *load).map_or(0, |(at, _)| at)
        };
        // what a loop's thread attaches stays with it: bytes that go from one to the other need wake nobody
        let at = match &socket {
            Socket::Wire(_) => loops::current_index(self).unwrap_or_else(emptiest),
            _ => emptiest(),
        };
        let chosen = &self.loops[at];
        {
            let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            if *open >= self.config.max_connections as usize {
                count(&chosen.counters.refused_connections);
                return Err(Error::new(
                    Status::Busy,
                    format!("{open} connections are open; raise max_connections to take more"),
                ));
            }
            *open += 1;
        }
        chosen.load.fetch_add(1, Ordering::Relaxed);
        count(&chosen.counters.open_connections);
        count(&chosen.counters.connections);
        let number = self.last_connection.fetch_add(1, Ordering::Relaxed) + 1;
        let id = ConnectionId((at as u64) << 58 | 1 << 57 | number);
        let admitted = Admitted { shared: Arc::clone(self), of_loop: at };
        if let Socket::Wire(wire) = &socket {
            self.attached.add(id, wire);
        }
        let incoming = Box::new(Incoming { id, listener, socket, already_read, options, tls, admitted });
        match chosen.mailbox.push(Command::Connect(incoming)) {
            Ok(()) => Ok(id),
            Err(e) => {
                self.attached.remove(id);
                Err(e)
            }
        }
    }

    /// A connection has ended; [`Admitted`] says so.
    pub(super) fn disconnected(&self, of_loop: usize) {
        let chosen = &self.loops[of_loop];
        chosen.load.fetch_sub(1, Ordering::Relaxed);
        uncount(&chosen.counters.open_connections);
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        *open -= 1;
        let idle = *open == 0;
        drop(open);
        if idle {
            self.idle.notify_all();
            if self.draining.load(Ordering::Acquire) && self.held.load(Ordering::Acquire) > 0 {
                self.loops.iter().for_each(|of_loop| of_loop.interrupts.interrupt());
            }
        }
    }

    /// Whether no connection is open.
    pub(crate) fn is_idle(&self) -> bool {
        *self.connections.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    /// Waits until no connection is open; false if the time was up first.
    pub(crate) fn wait_idle(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        while *open > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            open = self.idle.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// All counters, summed over the loops.
    pub(crate) fn stats(&self) -> Stats {
        let mut sum = Stats::default();
        for l in &self.loops {
            sum.add(&l.counters.snapshot());
        }
        sum
    }

    /// What the client of an undecided handshake offered.
    pub(crate) fn offers(&self, stream: StreamId) -> Option<Arc<[Box<str>]>> {
        let of_loop = self.loops.get(Parts::of(stream.0).of_loop)?;
        of_loop.offers.lock().unwrap_or_else(PoisonError::into_inner).get(&stream).cloned()
    }

    /// Whether a handle names a stream that the host has not answered.
    pub(crate) fn undecided(&self, stream: StreamId) -> Result<(), Error> {
        let (_, slot) = self.find(stream)?;
        if slot.phase.load(Ordering::Acquire) == phase::UNDECIDED {
            Ok(())
        } else {
            Err(Error::new(Status::WrongState, "this exchange has been answered"))
        }
    }

    /// The stream that a handle names, and its loop.
    #[inline]
    fn find(&self, stream: StreamId) -> Result<(&LoopShared, &Slot), Error> {
        let parts = Parts::of(stream.0);
        let of_loop = self.loops.get(parts.of_loop).filter(|_| !parts.connection).ok_or(Status::Gone)?;
        let slot = of_loop.streams.slot(parts.slot).filter(|slot| slot.alive(parts.generation)).ok_or(Status::Gone)?;
        Ok((of_loop, slot))
    }

    /// Does what the host says of a stream: at once on the stream's own loop, by its queue from elsewhere.
    ///
    /// Where it is called the operation is known, so that of everything that looks at it one arm is left. The way of a message is
    /// short then, and lies together in memory: after a system call nothing of it is in the processor's caches.
    #[inline(always)]
    pub(crate) fn perform(&self, stream: StreamId, op: Op<'_>) -> Result<(), Error> {
        let parts = Parts::of(stream.0);
        let (of_loop, slot) = self.find(stream)?;
        match loops::current(self, parts.of_loop) {
            Some(state) if slot.posted.load(Ordering::Acquire) == 0 => {
                if let Err(busy) = check_room(slot, &op, self.config.send_queue, &of_loop.counters) {
                    slot.owed.store(true, Ordering::Relaxed);
                    return Err(busy);
                }
                permit(slot, &op)?;
                state.apply(parts, slot, op)
            }
            _ => self.post(of_loop, slot, stream, op),
        }
    }

    /// On the stream's own loop: one credit more, whatever other threads have said that still waits. It adds up in any order.
    pub(crate) fn credit_again(&self, stream: StreamId) -> Result<(), Error> {
        let parts = Parts::of(stream.0);
        let (_, slot) = self.find(stream)?;
        match loops::current(self, parts.of_loop) {
            Some(state) => state.apply(parts, slot, Op::Demand(1)),
            None => Err(Error::new(Status::WrongState, "possible inside a callback of the stream alone")),
        }
    }

    /// What other threads say of a stream wakes nobody from now on.
    pub(crate) fn cork(&self, stream: StreamId) -> Result<(), Error> {
        let (of_loop, slot) = self.find(stream)?;
        // a slot that is another stream's by now would be corked for ever
        of_loop.mailbox.while_shut(|| {
            let alive = slot.alive(Parts::of(stream.0).generation);
            slot.corked.fetch_or(alive, Ordering::Relaxed);
            if alive { Ok(()) } else { Err(Status::Gone.into()) }
        })
    }

    /// Wakes the loop for what other threads have said of a stream meanwhile.
    pub(crate) fn uncork(&self, stream: StreamId) -> Result<(), Error> {
        let (of_loop, slot) = self.find(stream)?;
        of_loop.mailbox.uncork(&slot.corked);
        Ok(())
    }

    /// From another thread: what can be said at once is said at once, the rest goes by the loop's queue.
    #[inline(never)]
    fn post(&self, of_loop: &LoopShared, slot: &Slot, stream: StreamId, op: Op<'_>) -> Result<(), Error> {
        let weight = if op.fills_queue() { op.weight() as u32 } else { 0 };
        let posted = check_room(slot, &op, self.config.send_queue, &of_loop.counters).and_then(|()| {
            of_loop
                .mailbox
                .post(stream, op, self.config.command_queue as usize, &slot.corked, |op| {
                    // it may have ended since, and the slot be another's by now
                    if !slot.alive(Parts::of(stream.0).generation) {
                        return Err(Status::Gone.into());
                    }
                    permit(slot, op)?;
                    slot.posted.fetch_add(1, Ordering::AcqRel);
                    slot.in_flight.fetch_add(weight, Ordering::Relaxed);
                    Ok(())
                })
                .inspect_err(|e| {
                    if e.status() == Status::Busy {
                        count(&of_loop.counters.limit_command_queue);
                    }
                })
        });
        if posted.as_ref().is_err_and(|e| e.status() == Status::Busy) && !slot.owed.swap(true, Ordering::AcqRel) {
            of_loop.mailbox.owe(stream);
        }
        posted
    }
}

/// Refuses what does not fit into the stream's send queue. What comes below low water (half the cap) is taken whatever its
/// size: `writable` was said for it, and would be said again for ever.
#[inline]
fn check_room(slot: &Slot, op: &Op<'_>, cap: u32, counters: &Counters) -> Result<(), Error> {
    let waiting = slot.queued.load(Ordering::Relaxed) as usize + slot.in_flight.load(Ordering::Relaxed) as usize;
    let cap = cap as usize;
    if waiting > cap / 2 && op.fills_queue() && waiting + op.weight() > cap {
        count(&counters.limit_send_queue);
        return Err(Status::Busy.into());
    }
    Ok(())
}

/// RFC 6455 §5.4: the fragments of a message stand together, but for control frames between them.
#[inline]
fn fragments(slot: &Slot, op: &Op<'_>) -> Result<(), Error> {
    let open = slot.fragments.load(Ordering::Acquire);
    match op {
        Op::Message { .. } if open != 0 => {
            Err(Error::new(Status::WrongState, "a message in fragments has not been completed"))
        }
        Op::Fragment { kind, last, .. } => {
            let kind = match kind {
                MessageKind::Text => 1,
                MessageKind::Binary => 2,
            };
            if open != 0 && open != kind {
                let text = "a message in fragments was begun with the other kind";
                return Err(Error::new(Status::WrongState, text));
            }
            slot.fragments.store(if *last { 0 } else { kind }, Ordering::Release);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Refuses what the exchange's phase does not allow, and moves the phase on.
#[inline]
fn permit(slot: &Slot, op: &Op<'_>) -> Result<(), Error> {
    let websocket = slot.websocket.load(Ordering::Relaxed);
    let now = slot.phase.load(Ordering::Acquire);
    let wrong = |text: &'static str| Err(Error::new(Status::WrongState, text));
    const OVER: &str = "this exchange has been finished by the host";
    const EARLY: &str = "nothing can be sent before accept or respond_start";
    match op {
        Op::Message { .. } | Op::Fragment { .. } | Op::Ping(_) | Op::Pong(_) => {
            if !websocket {
                return wrong("this stream is an ordinary request; answer it with respond");
            }
            match now {
                phase::OPEN => fragments(slot, op),
                phase::UNDECIDED => wrong(EARLY),
                _ => wrong("a Close has been sent on this WebSocket"),
            }
        }
        Op::SendBody(_) => {
            if websocket {
                return wrong("a WebSocket has no body; send messages");
            }
            match now {
                phase::OPEN => Ok(()),
                phase::UNDECIDED => wrong(EARLY),
                _ => wrong(OVER),
            }
        }
        Op::Accept(_) => {
            if !websocket {
                return wrong("this stream is no WebSocket handshake; answer it with respond");
            }
            if slot.advance(phase::UNDECIDED, phase::OPEN) { Ok(()) } else { wrong("this handshake has been decided") }
        }
        Op::Respond { reject, .. } => {
            if *reject != websocket {
                return wrong(if websocket {
                    "this stream is a WebSocket handshake; answer it with accept or reject"
                } else {
                    "this stream is an ordinary request; answer it with respond"
                });
            }
            if slot.advance(phase::UNDECIDED, phase::FINISHED) {
                Ok(())
            } else {
                wrong("this exchange has been answered")
            }
        }
        Op::RespondStart { .. } => {
            if websocket {
                return wrong("this stream is a WebSocket handshake; answer it with accept or reject");
            }
            if slot.advance(phase::UNDECIDED, phase::OPEN) { Ok(()) } else { wrong("this exchange has been answered") }
        }
        Op::Inform { .. } => {
            if now == phase::UNDECIDED {
                Ok(())
            } else {
                wrong("an interim response comes before the response")
            }
        }
        Op::Finish(_) => {
            if websocket {
                return wrong("a WebSocket ends by close");
            }
            if slot.advance(phase::OPEN, phase::FINISHED) { Ok(()) } else { wrong(OVER) }
        }
        Op::Close { .. } => {
            if !websocket {
                return wrong("an ordinary request ends by its response, or by abort");
            }
            if slot.advance(phase::OPEN, phase::FINISHED) {
                Ok(())
            } else if now == phase::UNDECIDED {
                wrong("an undecided handshake is ended by reject")
            } else {
                wrong("a Close has been sent on this WebSocket")
            }
        }
        Op::Abort(_) | Op::Demand(_) | Op::SetDemand | Op::SetContext(_) | Op::Owed => Ok(()),
    }
}
