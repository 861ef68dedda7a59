//! Event loops: one thread each, with a single-threaded tokio runtime on it. A connection lives on one loop for
//! life, as one task; what the loop's tasks share is in [`LoopState`], reached by a thread-local.

use super::buffers::Buffers;
use super::command::{Command, Op};
use super::event::{Handler, LogLevel};
use super::handle::StreamId;
use super::interrupt::Listening;
use super::listener::accept_all;
use super::mailbox::Queued;
use super::payload::Payload;
use super::pool::Pool;
use super::preface;
use super::shared::{LoopShared, Shared};
use super::status::{Error, Status};
use super::table::{Parts, Slot, Slots};
use super::turn::Turn;
use super::{http1, http2};
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::LocalRuntime;
use tokio::sync::Notify;

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
    pub(crate) turn: Turn,
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
    static STATE: RefCell<Option<Rc<LoopState>>> = const { RefCell::new(None) };
}

/// The state of this thread's loop, if it has one. A thread that ends may have lost it while its loop is being dropped.
#[inline]
fn with_state<R>(f: impl FnOnce(&Rc<LoopState>) -> R) -> Option<R> {
    STATE.try_with(|state| state.borrow().as_ref().map(f)).ok().flatten()
}

/// The state of the loop `index` of this engine, if this is its thread.
#[inline]
pub(crate) fn current(shared: &Shared, index: usize) -> Option<Rc<LoopState>> {
    with_state(|s| (s.index == index && std::ptr::eq(&*s.shared, shared)).then(|| Rc::clone(s))).flatten()
}

/// Which loop of this engine has this thread.
pub(crate) fn current_index(shared: &Shared) -> Option<usize> {
    with_state(|s| std::ptr::eq(&*s.shared, shared).then_some(s.index)).flatten()
}

/// Whether this is any loop's thread.
pub(crate) fn on_any_loop() -> bool {
    with_state(|_| ()).is_some()
}

/// The host has been told something, outside of a connection: if this is a loop's thread, its turn ends.
pub(crate) fn told() {
    with_state(|s| s.turn.end());
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

    /// The host, which is about to be told something.
    #[inline]
    pub(crate) fn host(&self) -> &dyn Handler {
        self.turn.end();
        &*self.handler
    }

    /// Lets the task run in the host's next turn.
    pub(crate) fn next_turn(&self, cx: &Context<'_>) {
        self.turn.next.borrow_mut().push(cx.waker().clone());
    }

    /// Wakes a task of this loop; in the host's turn for the next poll, since outside of it that costs a system call.
    pub(crate) fn wake(&self, waker: &Waker) {
        if self.turn.of_host.get() {
            self.turn.next.borrow_mut().push(waker.clone());
        } else {
            waker.wake_by_ref();
        }
    }

    /// The number of the host's turn, in which it comes to what it is told now; 0: it does at once.
    #[inline]
    pub(crate) fn turn(&self) -> u64 {
        self.turn.number()
    }

    /// Whether the host has enough for now, which can be only if it comes to what it is told in a turn of its own.
    #[inline]
    pub(crate) fn full(&self) -> bool {
        self.turn() != 0 && self.handler.full()
    }

    /// Whether the host has enough for now. Then the task is woken when it has taken that.
    #[inline]
    pub(crate) fn pauses(&self, cx: &Context<'_>) -> bool {
        let full = self.full();
        if full {
            self.next_turn(cx);
        }
        full
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Applies what the host said of a stream.
    #[inline(always)]
    pub(crate) fn apply(&self, parts: Parts, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        let entry = self.slots.borrow().find(parts).ok_or(Status::Gone)?;
        let connections = self.connections.borrow();
        let connection = connections.get(entry.connection as usize).ok_or(Status::Gone)?;
        match connection {
            Served::Http1(connection) => connection.apply(slot, op),
            Served::Http2(connection) => connection.apply(entry.stream, slot, op),
        }
    }

    /// Whether the handle still names a stream: what was queued for it may come after its end.
    pub(crate) fn is_open(&self, stream: StreamId) -> bool {
        let parts = Parts::of(stream.0);
        self.own().streams.slot(parts.slot).is_some_and(|slot| slot.alive(parts.generation))
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
        let mut taken = Queued::default();
        loop {
            mailbox.wait().await;
            mailbox.drain(&mut taken);
            for command in taken.commands.drain(..) {
                match command {
                    Command::Message { stream, kind, at, compress } => {
                        let data = Payload::Lent(&taken.bytes[at]);
                        self.apply_posted(stream, Op::Message { kind, data, compress });
                    }
                    Command::Stream { stream, parcel } => parcel.open(|op| self.apply_posted(stream, op)),
                    Command::Connect(incoming) => {
                        tokio::task::spawn_local(preface::serve(Rc::clone(&self), *incoming));
                    }
                    Command::Listen { id, bound, options, end } => {
                        tokio::task::spawn_local(accept_all(Arc::clone(&self.shared), id, bound, options, end));
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
            for stream in taken.owed.drain(..) {
                self.apply_queued(stream, Op::Owed);
            }
            taken.clear();
        }
    }
}

/// A loop and its runtime, on the thread that made it.
pub(crate) struct Wheel {
    /// The first to go: tasks that are left (listeners, connections before their preface) find their loop while they are dropped.
    runtime: LocalRuntime,
    state: Rc<LoopState>,
    _thread: OfThread,
}

impl Wheel {
    /// Makes this thread the loop's.
    fn new(shared: &Arc<Shared>, index: usize, handler: Arc<dyn Handler>) -> io::Result<Self> {
        Ok(Self::on(Self::runtime()?, shared, index, handler))
    }

    /// Makes this thread the loop's, which runs inside [`Self::poll`] and [`Self::run_for`].
    pub(crate) fn driven(shared: &Arc<Shared>, index: usize, handler: Arc<dyn Handler>) -> io::Result<Self> {
        let runtime = Self::runtime()?;
        let listening = {
            let _of_runtime = runtime.enter();
            shared.loops[index].interrupts.listen()?
        };
        let wheel = Self::on(runtime, shared, index, handler);
        wheel.begin(listening);
        Ok(wheel)
    }

    fn runtime() -> io::Result<LocalRuntime> {
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build_local(Default::default())
    }

    fn on(runtime: LocalRuntime, shared: &Arc<Shared>, index: usize, handler: Arc<dyn Handler>) -> Self {
        let state = Rc::new(LoopState {
            pool: RefCell::new(Pool::new(shared, index)),
            shared: Arc::clone(shared),
            index,
            handler,
            slots: RefCell::default(),
            connections: RefCell::default(),
            buffers: Buffers::default(),
            alive: Rc::new(()),
            ending: Notify::new(),
            stopping: Cell::new(false),
            turn: Turn::default(),
        });
        STATE.with(|s| *s.borrow_mut() = Some(Rc::clone(&state)));
        Self { runtime, _thread: OfThread(Rc::clone(&state)), state }
    }

    /// Runs the loop until the engine ends.
    fn run(self) {
        self.runtime.block_on(Rc::clone(&self.state).serve());
    }

    fn begin(&self, listening: Listening) {
        let state = Rc::clone(&self.state);
        self.runtime.spawn_local(async move {
            loop {
                listening.wait(&state.own().interrupts).await;
                state.turn.interrupt();
            }
        });
        let state = Rc::clone(&self.state);
        self.runtime.spawn_local(async move {
            Rc::clone(&state).serve().await;
            state.turn.over.set(true);
            state.turn.wake();
        });
    }

    /// Runs the loop until the host has been told something, `timeout` has passed, or it is interrupted. False: the loop has ended.
    pub(crate) fn poll(&self, timeout: Option<Duration>) -> bool {
        self.state.turn.begin_poll();
        self.turn(timeout)
    }

    /// Runs the loop for `timeout`, whatever the host is told, unless it is interrupted. False: the loop has ended.
    pub(crate) fn run_for(&self, timeout: Option<Duration>) -> bool {
        self.state.turn.begin_run();
        self.turn(timeout)
    }

    fn turn(&self, timeout: Option<Duration>) -> bool {
        let turn = &self.state.turn;
        turn.of_host.set(false);
        let mailbox = &self.state.own().mailbox;
        self.runtime.block_on(async {
            turn.next.borrow_mut().drain(..).for_each(Waker::wake);
            mailbox.attend();
            let ended = poll_fn(|cx| turn.poll(cx));
            match timeout {
                None => ended.await,
                // a look at the sockets, and what is ready then
                Some(Duration::ZERO) => {
                    tokio::task::yield_now().await;
                    tokio::task::yield_now().await;
                }
                Some(limit) => drop(tokio::time::timeout(limit, ended).await),
            }
        });
        mailbox.leave();
        turn.of_host.set(true);
        !turn.over.get()
    }
}

/// Takes the loop's state from its thread.
struct OfThread(Rc<LoopState>);

impl Drop for OfThread {
    fn drop(&mut self) {
        // it has gone already if the thread itself ends, and its loop with it
        let _ = STATE.try_with(|s| s.borrow_mut().take());
        let state = &self.0;
        // nobody comes to what is queued
        state.own().mailbox.close();
        // of a loop that did not come to its end: connections keep the state, which keeps them
        drop(std::mem::take(&mut *state.connections.borrow_mut()));
        drop(state.turn.next.take());
        drop(state.turn.waiting.take());
    }
}

/// Starts the thread of a loop; returns when it runs.
pub(crate) fn spawn(shared: &Arc<Shared>, index: usize, handler: Arc<dyn Handler>) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let (started, result) = mpsc::channel();
    let thread = std::thread::Builder::new().name(format!("h2ws-loop-{index}")).spawn(move || {
        match Wheel::new(&shared, index, handler) {
            Ok(wheel) => {
                drop(shared);
                let _ = started.send(Ok(()));
                drop(started);
                wheel.run();
            }
            Err(e) => {
                let _ = started.send(Err(e));
            }
        }
    })?;
    match result.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(io::Error::other("the loop's thread ended before it began")),
    }
}
