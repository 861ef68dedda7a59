//! What a host can say of a stream, and the bounded queue that carries it from other threads to a loop.

use super::event::{Control, Credit, Delivery};
use super::handle::{ListenerId, StreamId};
use super::listener::{Bound, Incoming, ListenOptions};
use super::payload::Payload;
use super::status::{Error, Status};
use crate::proto::frame::MessageKind;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Commands that may wait for one loop, whatever their size.
const MAX_COMMANDS: usize = 1 << 16;

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

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    /// A wake-up is under way: one is enough for all that is queued until then.
    woken: AtomicBool,
    notify: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    commands: VecDeque<Command>,
    weight: usize,
    closed: bool,
    /// Streams that were told `Busy` while the queue was full. At most one entry a stream (`Slot::owed`).
    owed: Vec<StreamId>,
}

impl Mailbox {
    /// The queue holds plain data: a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `f` while nothing can be queued: a stream's handle goes stale here, so that what `commit` found alive
    /// stays so until its operation is queued.
    pub(crate) fn while_shut<R>(&self, f: impl FnOnce() -> R) -> R {
        let _queue = self.lock();
        f()
    }

    /// Queues an operation if there is room and `commit` agrees; both under the lock, so that what `commit`
    /// changes and the order of the queue never differ. The loop is not woken for what is corked.
    pub(crate) fn post(
        &self,
        stream: StreamId,
        op: Op<'_>,
        cap: usize,
        corked: &AtomicBool,
        commit: impl FnOnce(&Op<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let corked = {
            let weight = op.weight();
            let mut queue = self.lock();
            if queue.closed {
                return Err(Status::ShuttingDown.into());
            }
            if queue.commands.len() >= MAX_COMMANDS || (queue.weight > 0 && queue.weight + weight > cap) {
                return Err(Status::Busy.into());
            }
            commit(&op)?;
            queue.weight += weight;
            queue.commands.push_back(Command::Stream { stream, parcel: Parcel::pack(op) });
            // under the lock: whoever takes the cork out does so before, or wakes the loop for this too
            corked.load(Ordering::Relaxed)
        };
        if !corked {
            self.wake();
        }
        Ok(())
    }

    /// Takes a cork out: the loop is woken for what was queued meanwhile.
    pub(crate) fn uncork(&self, corked: &AtomicBool) {
        let queue = self.lock();
        corked.store(false, Ordering::Relaxed);
        let waits = !queue.commands.is_empty();
        drop(queue);
        if waits {
            self.wake();
        }
    }

    /// Asks for a look whether `writable` is due. The caller has set `Slot::owed`, so this comes once a stream.
    pub(crate) fn owe(&self, stream: StreamId) {
        self.lock().owed.push(stream);
        self.wake();
    }

    /// Queues what is not a host's: it is bounded elsewhere.
    pub(crate) fn push(&self, command: Command) -> Result<(), Error> {
        {
            let mut queue = self.lock();
            if queue.closed {
                return Err(Status::ShuttingDown.into());
            }
            queue.commands.push_back(command);
        }
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.notify.notify_one();
        }
    }

    /// Until [`Self::attend`] the loop is not to be woken: it does not wait, and looks by itself before it does.
    pub(crate) fn leave(&self) {
        self.woken.store(true, Ordering::Release);
    }

    /// From now on the loop is woken for what is queued; what was queued meanwhile wakes it here.
    pub(crate) fn attend(&self) {
        // in this order: what is queued after the look finds the loop to be woken
        self.woken.store(false, Ordering::Release);
        let queue = self.lock();
        let waits = !queue.commands.is_empty() || !queue.owed.is_empty();
        drop(queue);
        if waits {
            self.wake();
        }
    }

    /// Waits until there is something.
    pub(crate) async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Takes all that is there.
    pub(crate) fn drain(&self) -> (VecDeque<Command>, Vec<StreamId>) {
        self.woken.store(false, Ordering::Release);
        let mut queue = self.lock();
        queue.weight = 0;
        (std::mem::take(&mut queue.commands), std::mem::take(&mut queue.owed))
    }

    /// Refuses everything from now on, and drops what is there (sockets close with it).
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.commands.clear();
        queue.owed.clear();
    }
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

    #[test]
    fn the_queue_refuses_what_exceeds_its_cap_but_takes_one_large_item() {
        let mailbox = Mailbox::default();
        let stream = StreamId(1);
        let open = AtomicBool::new(false);
        let post = |n: usize| mailbox.post(stream, Op::Ping(&vec![0; n]), 100, &open, |_| Ok(()));
        assert!(post(200).is_ok(), "nothing else waits");
        assert_eq!(post(1).expect_err("full").status(), Status::Busy);
        mailbox.drain();
        assert!(post(60).is_ok());
        assert!(post(40).is_ok());
        assert_eq!(post(1).expect_err("full").status(), Status::Busy);
    }

    #[test]
    fn what_is_queued_while_the_loop_is_away_wakes_it_when_it_is_back() {
        let mailbox = Mailbox::default();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut rung = || std::pin::pin!(mailbox.wait()).as_mut().poll(&mut cx).is_ready();
        mailbox.leave();
        mailbox.push(Command::Cut).expect("open");
        assert!(!rung(), "away");
        mailbox.attend();
        assert!(rung(), "back");
        mailbox.drain();
        mailbox.leave();
        mailbox.attend();
        assert!(!rung(), "nothing was queued");
        mailbox.push(Command::Cut).expect("open");
        assert!(rung(), "there");
    }

    #[test]
    fn what_is_corked_wakes_the_loop_when_the_cork_is_out() {
        let mailbox = Mailbox::default();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut rung = || std::pin::pin!(mailbox.wait()).as_mut().poll(&mut cx).is_ready();
        let corked = AtomicBool::new(true);
        let post = || mailbox.post(StreamId(1), Op::Ping(&[]), 100, &corked, |_| Ok(()));
        post().expect("room");
        post().expect("room");
        assert!(!rung(), "corked");
        mailbox.uncork(&corked);
        assert!(rung(), "uncorked");
        assert_eq!(mailbox.drain().0.len(), 2);
        mailbox.uncork(&corked);
        assert!(!rung(), "nothing was queued");
        post().expect("room");
        assert!(rung(), "no cork any more");
    }

    #[test]
    fn a_closed_queue_says_so() {
        let mailbox = Mailbox::default();
        mailbox.close();
        let error =
            mailbox.post(StreamId(1), Op::Demand(1), 100, &AtomicBool::new(false), |_| Ok(())).expect_err("closed");
        assert_eq!(error.status(), Status::ShuttingDown);
    }
}
