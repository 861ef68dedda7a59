//! Event loops: one thread each, with a single-threaded tokio runtime on it. A connection lives on one loop for
//! life, as one task; what the loop's tasks share is in [`LoopState`], reached by a thread-local.

use super::command::{Command, Op};
use super::event::{Handler, LogLevel};
use super::handle::StreamId;
use super::listener::accept_all;
use super::preface;
use super::send_queue::Pool;
use super::shared::{LoopShared, Shared};
use super::status::{Error, Status};
use super::table::{Parts, Slot, Slots};
use super::{http1, http2};
use slab::Slab;
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Notify;

/// Bytes read from a socket at once.
pub(crate) const READ: usize = 256 << 10;

/// What the tasks of one loop share.
pub(crate) struct LoopState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
    pub(crate) handler: Arc<dyn Handler>,
    /// Which stream of which connection a handle names.
    pub(crate) slots: RefCell<Slots>,
    pub(crate) connections: RefCell<Slab<Served>>,
    pub(crate) pool: RefCell<Pool>,
    pub(crate) buffers: Buffers,
    /// Connections that are open or before their preface; each holds a clone.
    pub(crate) alive: Rc<()>,
    /// Rung when the engine drains or ends, for connections that are before their preface.
    pub(crate) ending: Notify,
    stopping: Cell<bool>,
}

/// Buffers that are lent for a tick; a connection that waits has none.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) read: Cell<Vec<u8>>,
    pub(crate) input: Cell<Vec<u8>>,
    pub(crate) output: Cell<Vec<u8>>,
    pub(crate) payload: Cell<Vec<u8>>,
}

impl Buffers {
    /// The buffer to read into, [`READ`] bytes long.
    pub(crate) fn take_read(&self) -> Vec<u8> {
        let mut buffer = self.read.take();
        if buffer.len() < READ {
            buffer.resize(READ, 0);
        }
        buffer
    }
}

/// A connection whose protocol is known.
#[derive(Clone)]
pub(crate) enum Served {
    Http1(Rc<http1::Connection>),
    Http2(Rc<http2::Connection>),
}

impl Served {
    fn drain(&self, deadline: Duration) {
        match self {
            Self::Http1(connection) => connection.drain(deadline),
            Self::Http2(connection) => connection.drain(deadline),
        }
    }

    fn cut(&self) {
        match self {
            Self::Http1(connection) => connection.cut(),
            Self::Http2(connection) => connection.cut(),
        }
    }
}

thread_local! {
    static STATE: OnceCell<Rc<LoopState>> = const { OnceCell::new() };
}

/// The state of the loop `index` of this engine, if this is its thread.
#[inline]
pub(crate) fn current(shared: &Shared, index: usize) -> Option<Rc<LoopState>> {
    STATE.with(|state| state.get().filter(|s| s.index == index && std::ptr::eq(&*s.shared, shared)).cloned())
}

/// Whether this is any loop's thread.
pub(crate) fn on_any_loop() -> bool {
    STATE.with(|state| state.get().is_some())
}

/// Waits for `future`, `limit` ms at most; 0 is for ever.
pub(crate) async fn within<T>(limit: u32, future: impl Future<Output = T>) -> Option<T> {
    if limit == 0 {
        return Some(future.await);
    }
    tokio::time::timeout(Duration::from_millis(limit.into()), future).await.ok()
}

impl LoopState {
    pub(crate) fn own(&self) -> &LoopShared {
        &self.shared.loops[self.index]
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Applies what the host said of a stream.
    #[inline]
    pub(crate) fn apply(&self, parts: Parts, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        let entry = self.slots.borrow().find(parts).ok_or(Status::Gone)?;
        let connections = self.connections.borrow();
        let connection = connections.get(entry.connection as usize).ok_or(Status::Gone)?;
        match connection {
            Served::Http1(connection) => connection.apply(slot, op),
            Served::Http2(connection) => connection.apply(entry.stream, slot, op),
        }
    }

    fn apply_posted(&self, stream: StreamId, op: Op<'_>) {
        let parts = Parts::of(stream.0);
        let weight = if op.fills_queue() { op.weight() as u32 } else { 0 };
        self.apply_queued(stream, op);
        // after it was applied: at any time its bytes are counted here or in `queued`, so that no other thread finds
        // more room than there is
        if let Some(slot) = self.own().streams.slot(parts.slot).filter(|s| s.alive(parts.generation)) {
            slot.in_flight.fetch_sub(weight, Ordering::Relaxed);
            slot.posted.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn apply_queued(&self, stream: StreamId, op: Op<'_>) {
        let parts = Parts::of(stream.0);
        let Some(slot) = self.own().streams.slot(parts.slot).filter(|s| s.alive(parts.generation)) else { return };
        if let Err(e) = self.apply(parts, slot, op)
            && e.status() != Status::Gone
        {
            self.shared.log(LogLevel::Debug, &format!("a command from another thread was refused: {e}"));
        }
    }

    fn each_connection(&self, f: impl Fn(&Served)) {
        let all: Vec<_> = self.connections.borrow().iter().map(|(_, c)| c.clone()).collect();
        all.iter().for_each(f);
    }

    async fn serve(self: Rc<Self>) {
        let mailbox = &self.own().mailbox;
        loop {
            mailbox.wait().await;
            let (commands, owed) = mailbox.drain();
            for command in commands {
                match command {
                    Command::Stream { stream, parcel } => parcel.open(|op| self.apply_posted(stream, op)),
                    Command::Connect(incoming) => {
                        tokio::task::spawn_local(preface::serve(Rc::clone(&self), *incoming));
                    }
                    Command::Listen { bound, options, end } => {
                        tokio::task::spawn_local(accept_all(Arc::clone(&self.shared), bound, options, end));
                    }
                    Command::Drain(deadline) => {
                        self.ending.notify_waiters();
                        self.each_connection(|c| c.drain(deadline));
                    }
                    Command::Cut => self.each_connection(|c| c.cut()),
                    Command::Stop => {
                        mailbox.close();
                        self.stopping.set(true);
                        self.ending.notify_waiters();
                        self.each_connection(|c| c.cut());
                        // every task ends at its next poll, or at once when it is dropped with the runtime
                        while Rc::strong_count(&self.alive) > 1 && !self.connections.borrow().is_empty() {
                            tokio::task::yield_now().await;
                        }
                        return;
                    }
                }
            }
            for stream in owed {
                self.apply_queued(stream, Op::Owed);
            }
        }
    }
}

/// Starts the thread of a loop; returns when it runs.
pub(crate) fn spawn(shared: &Arc<Shared>, index: usize, handler: Arc<dyn Handler>) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let (started, result) = mpsc::channel();
    let thread = std::thread::Builder::new().name(format!("h2ws-loop-{index}")).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build_local(Default::default())
        {
            Ok(runtime) => runtime,
            Err(e) => {
                let _ = started.send(Err(e));
                return;
            }
        };
        let state = Rc::new(LoopState {
            pool: RefCell::new(Pool::new(&shared, index)),
            shared,
            index,
            handler,
            slots: RefCell::default(),
            connections: RefCell::default(),
            buffers: Buffers::default(),
            alive: Rc::new(()),
            ending: Notify::new(),
            stopping: Cell::new(false),
        });
        STATE.with(|s| s.set(Rc::clone(&state)).ok().expect("a thread runs one loop"));
        let _ = started.send(Ok(()));
        drop(started);
        runtime.block_on(state.serve());
        // tasks that are left (listeners, connections before their preface) are dropped here
        runtime.shutdown_timeout(Duration::ZERO);
    })?;
    match result.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(io::Error::other("the loop's thread ended before it began")),
    }
}
