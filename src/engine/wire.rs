//! The byte transport: what a connection's task and its host have between them where a socket would be, or where the host takes
//! the place of HTTP. Two bounded queues of bytes. The task has one end, as a [`Transport`](super::transport::Transport) or as the
//! [`relay`](super::relay) between a socket and the host; the host has the other and calls it from any thread.
//!
//! The task never calls the host from in here, where its state may be borrowed: it leaves word ([`Wire::news`]), which is passed on
//! when it has done its part (`preface::Part`).

use super::byte_queue::{ByteQueue, CAPACITY};
use super::handle::ConnectionId;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

/// What a host may do now that it could not before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// There is something to read, or the end. Not told again before a read has taken all that there was.
    pub readable: bool,
    /// After a write that took less than it was given: there is room.
    pub writable: bool,
}

/// What a host's read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes; 0: none now, word comes.
    Bytes(usize),
    /// The other side has ended in order: nothing follows.
    End,
    /// The other side was cut off: nothing follows, and what came may not be all.
    Reset,
}

/// The state of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    Ended,
    Reset,
}

#[derive(Debug, Default)]
struct Direction {
    bytes: ByteQueue,
    flow: Flow,
    /// The task waits: for bytes, or for room.
    task: Option<Waker>,
}

#[derive(Debug, Default)]
struct Queues {
    /// From the host to the task.
    down: Direction,
    /// From the task to the host.
    up: Direction,
    /// The host has been told, or is going to be, that there is something to read, and has not taken all of it.
    told: bool,
    /// The host has been refused some of a write.
    wants_room: bool,
    /// The host has gone: what there is for it is nobody's.
    detached: bool,
    news: Ready,
}

impl Queues {
    fn tell_readable(&mut self) {
        if !self.told && !self.detached {
            self.told = true;
            self.news.readable = true;
        }
    }
}

/// Both ends.
#[derive(Debug)]
pub(crate) struct Wire {
    queues: Mutex<Queues>,
    /// Comes with each event of it.
    pub(crate) context: u64,
    /// The peer's address as text.
    pub(crate) peer: String,
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// What the host does.
impl Wire {
    pub(crate) fn new(context: u64, peer: String) -> Self {
        Self { queues: Mutex::default(), context, peer }
    }

    /// The queues hold plain data: a panic elsewhere leaves them whole.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is room for, and says how much. `None`: the task reads no more.
    pub(crate) fn write(&self, bytes: &[u8]) -> Option<usize> {
        let mut queues = self.lock();
        if queues.down.flow != Flow::Open || queues.up.flow == Flow::Reset {
            return None;
        }
        let n = queues.down.bytes.put(bytes);
        queues.wants_room |= n < bytes.len();
        let waker = queues.down.task.take();
        drop(queues);
        wake(waker);
        Some(n)
    }

    /// Nothing more is written.
    pub(crate) fn shut(&self) {
        let mut queues = self.lock();
        if queues.down.flow == Flow::Open {
            queues.down.flow = Flow::Ended;
        }
        let waker = queues.down.task.take();
        drop(queues);
        wake(waker);
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> Read {
        let mut queues = self.lock();
        let n = queues.up.bytes.take(into);
        queues.told = queues.up.flow != Flow::Open || !queues.up.bytes.is_empty();
        if n > 0 {
            let waker = queues.up.task.take();
            drop(queues);
            wake(waker);
            return Read::Bytes(n);
        }
        match queues.up.flow {
            Flow::Ended if queues.up.bytes.is_empty() => Read::End,
            Flow::Reset if queues.up.bytes.is_empty() => Read::Reset,
            _ => Read::Bytes(0),
        }
    }

    /// The host goes. `abort`: at once, and what it has written may be lost.
    pub(crate) fn detach(&self, abort: bool) {
        let mut queues = self.lock();
        queues.detached = true;
        queues.news = Ready::default();
        queues.up.bytes.clear();
        if abort {
            queues.down.bytes.clear();
            queues.down.flow = Flow::Reset;
        } else if queues.down.flow == Flow::Open {
            queues.down.flow = Flow::Ended;
        }
        let wakers = [queues.down.task.take(), queues.up.task.take()];
        drop(queues);
        wakers.into_iter().for_each(wake);
    }

    /// What the host is to be told, once.
    pub(crate) fn news(&self) -> Option<Ready> {
        let news = std::mem::take(&mut self.lock().news);
        (news != Ready::default()).then_some(news)
    }
}

/// The wires whose ends the hosts have, by the connection's name. An entry stands until its host lets it go, or the engine ends;
/// `max_connections` bounds those whose connections are open.
#[derive(Debug, Default)]
pub(crate) struct Attached(RwLock<HashMap<ConnectionId, Arc<Wire>>>);

impl Attached {
    pub(crate) fn add(&self, connection: ConnectionId, wire: &Arc<Wire>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(connection, Arc::clone(wire));
    }

    pub(crate) fn find(&self, connection: ConnectionId) -> Option<Arc<Wire>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&connection).cloned()
    }

    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn remove(&self, connection: ConnectionId) -> Option<Arc<Wire>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&connection)
    }
}

/// The task's end. When it is dropped the host sees the end.
#[derive(Debug)]
pub(crate) struct WireEnd(pub(crate) Arc<Wire>);

impl WireEnd {
    pub(crate) fn poll_read(&self, cx: &Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut queues = self.0.lock();
        let n = queues.down.bytes.take(into);
        if n > 0 {
            if queues.wants_room && queues.down.bytes.len() <= CAPACITY / 2 && !queues.detached {
                queues.wants_room = false;
                queues.news.writable = true;
            }
            return Poll::Ready(Ok(n));
        }
        match queues.down.flow {
            Flow::Open => {
                queues.down.task = Some(cx.waker().clone());
                Poll::Pending
            }
            Flow::Ended => Poll::Ready(Ok(0)),
            Flow::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    /// Room for the host's bytes; 0 leaves word for when there is some.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<usize> {
        let mut queues = self.0.lock();
        if queues.detached {
            return Poll::Ready(CAPACITY);
        }
        let room = CAPACITY - queues.up.bytes.len();
        if room == 0 {
            queues.up.task = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(room)
    }

    pub(crate) fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut queues = self.0.lock();
        if queues.down.flow == Flow::Reset || queues.up.flow != Flow::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if queues.detached {
            return Poll::Ready(Ok(bytes.len()));
        }
        let n = queues.up.bytes.put(bytes);
        if n == 0 && !bytes.is_empty() {
            queues.up.task = Some(cx.waker().clone());
            return Poll::Pending;
        }
        queues.tell_readable();
        Poll::Ready(Ok(n))
    }

    /// Nothing more is written to the host.
    pub(crate) fn shut(&self) {
        self.end_with(Flow::Ended);
    }

    /// The host sees that it was cut off.
    pub(crate) fn reset(&self) {
        self.end_with(Flow::Reset);
    }

    /// Whether the host has gone, and leaves word for when it does. An error: it went at once.
    pub(crate) fn detached(&self, cx: &Context<'_>) -> io::Result<bool> {
        let mut queues = self.0.lock();
        queues.down.task = Some(cx.waker().clone());
        if queues.down.flow == Flow::Reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(queues.detached)
    }

    fn end_with(&self, flow: Flow) {
        let mut queues = self.0.lock();
        if queues.up.flow == Flow::Open {
            queues.up.flow = flow;
            queues.tell_readable();
        }
    }
}

impl Drop for WireEnd {
    /// As a socket that is closed: the host sees the end, or a reset if there was something that nobody has read.
    fn drop(&mut self) {
        let unread = !self.0.lock().down.bytes.is_empty();
        self.end_with(if unread { Flow::Reset } else { Flow::Ended });
        let mut queues = self.0.lock();
        queues.down.flow = Flow::Reset;
        queues.down.bytes.clear();
        if queues.wants_room && !queues.detached {
            queues.wants_room = false;
            queues.news.writable = true;
        }
    }
}
