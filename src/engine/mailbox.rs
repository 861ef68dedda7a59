//! The bounded queue that carries what other threads say to a loop.

use super::command::{Command, Op, Parcel};
use super::handle::StreamId;
use super::payload::Payload;
use super::pool::LARGE;
use super::status::{Error, Status};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Commands that may wait for one loop, whatever their size.
const MAX_COMMANDS: usize = 1 << 16;
/// What a queue that has been taken keeps room for.
const KEPT_COMMANDS: usize = 1 << 10;
const KEPT_BYTES: usize = 128 << 10;

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
    queued: Queued,
    weight: usize,
    closed: bool,
}

/// What is queued. The mailbox and its loop have one each, which they exchange: their buffers grow once.
#[derive(Debug, Default)]
pub(crate) struct Queued {
    pub(crate) commands: Vec<Command>,
    /// Payloads, one behind the other: a message costs no buffer of its own.
    pub(crate) bytes: Vec<u8>,
    /// Streams that were told `Busy` while the queue was full. At most one entry a stream (`Slot::owed`).
    pub(crate) owed: Vec<StreamId>,
}

impl Queued {
    fn put(&mut self, stream: StreamId, op: Op<'_>) {
        self.commands.push(match op {
            Op::Message { kind, data: Payload::Lent(lent), compress } if lent.len() < LARGE => {
                let begin = self.bytes.len();
                self.bytes.extend_from_slice(lent);
                Command::Message { stream, kind, at: begin..self.bytes.len(), compress }
            }
            op => Command::Stream { stream, parcel: Parcel::pack(op) },
        });
    }

    /// The loop has done with all of it: what a burst has taken is given back.
    pub(crate) fn clear(&mut self) {
        self.commands.clear();
        self.commands.shrink_to(KEPT_COMMANDS);
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.owed.clear();
    }
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
            if queue.queued.commands.len() >= MAX_COMMANDS || (queue.weight > 0 && queue.weight + weight > cap) {
                return Err(Status::Busy.into());
            }
            commit(&op)?;
            queue.weight += weight;
            queue.queued.put(stream, op);
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
        let waits = !queue.queued.commands.is_empty();
        drop(queue);
        if waits {
            self.wake();
        }
    }

    /// Asks for a look whether `writable` is due. The caller has set `Slot::owed`, so this comes once a stream.
    pub(crate) fn owe(&self, stream: StreamId) {
        self.lock().queued.owed.push(stream);
        self.wake();
    }

    /// Queues what is not a host's: it is bounded elsewhere.
    pub(crate) fn push(&self, command: Command) -> Result<(), Error> {
        {
            let mut queue = self.lock();
            if queue.closed {
                return Err(Status::ShuttingDown.into());
            }
            queue.queued.commands.push(command);
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
        let waits = !queue.queued.commands.is_empty() || !queue.queued.owed.is_empty();
        drop(queue);
        if waits {
            self.wake();
        }
    }

    /// Waits until there is something.
    pub(crate) async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Takes all that is there, in exchange for `taken`, which is [clear](Queued::clear).
    pub(crate) fn drain(&self, taken: &mut Queued) {
        self.woken.store(false, Ordering::Release);
        let mut queue = self.lock();
        queue.weight = 0;
        std::mem::swap(&mut queue.queued, taken);
    }

    /// Refuses everything from now on, and drops what is there (sockets close with it).
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.queued = Queued::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::frame::MessageKind;

    #[test]
    fn messages_stand_one_behind_the_other_and_large_ones_by_themselves() {
        let mailbox = Mailbox::default();
        let open = AtomicBool::new(false);
        let mut taken = Queued::default();
        for round in 0..3 {
            let sizes = [0, 5, LARGE - 1, LARGE, 7];
            for (n, size) in sizes.into_iter().enumerate() {
                let data = vec![n as u8 + round; size];
                let op = Op::Message { kind: MessageKind::Binary, data: Payload::Lent(&data), compress: true };
                mailbox.post(StreamId(n as u64), op, 1 << 20, &open, |_| Ok(())).expect("room");
            }
            mailbox.drain(&mut taken);
            assert_eq!(taken.bytes.len(), 5 + LARGE - 1 + 7);
            for (n, (size, command)) in sizes.into_iter().zip(taken.commands.drain(..)).enumerate() {
                let expected = vec![n as u8 + round; size];
                match command {
                    Command::Message { stream, at, .. } if size < LARGE => {
                        assert_eq!((stream, &taken.bytes[at]), (StreamId(n as u64), &expected[..]));
                    }
                    Command::Stream { stream, parcel } if size >= LARGE => parcel.open(|op| match op {
                        Op::Message { data, .. } => {
                            assert_eq!((stream, data.bytes()), (StreamId(n as u64), &expected[..]));
                        }
                        other => panic!("{other:?}"),
                    }),
                    other => panic!("{other:?} for {size} bytes"),
                }
            }
            taken.clear();
        }
    }

    #[test]
    fn what_a_burst_has_taken_is_given_back() {
        let mailbox = Mailbox::default();
        let open = AtomicBool::new(false);
        let mut taken = Queued::default();
        for _ in 0..2 {
            for _ in 0..10 * KEPT_COMMANDS {
                let op = Op::Message { kind: MessageKind::Binary, data: Payload::Lent(&[7; 1000]), compress: true };
                mailbox.post(StreamId(1), op, 1 << 30, &open, |_| Ok(())).expect("room");
            }
            mailbox.drain(&mut taken);
            assert_eq!((taken.commands.len(), taken.bytes.len()), (10 * KEPT_COMMANDS, 10 * KEPT_COMMANDS * 1000));
            // at once: a loop that then waits may do so for long
            taken.clear();
            let kept = [taken.commands.capacity(), taken.bytes.capacity(), taken.commands.len() + taken.bytes.len()];
            assert!(kept[0] <= KEPT_COMMANDS && kept[1] <= KEPT_BYTES && kept[2] == 0, "{kept:?}");
        }
    }

    #[test]
    fn the_queue_refuses_what_exceeds_its_cap_but_takes_one_large_item() {
        let mailbox = Mailbox::default();
        let stream = StreamId(1);
        let open = AtomicBool::new(false);
        let post = |n: usize| mailbox.post(stream, Op::Ping(&vec![0; n]), 100, &open, |_| Ok(()));
        assert!(post(200).is_ok(), "nothing else waits");
        assert_eq!(post(1).expect_err("full").status(), Status::Busy);
        mailbox.drain(&mut Queued::default());
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
        mailbox.drain(&mut Queued::default());
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
        let mut taken = Queued::default();
        mailbox.drain(&mut taken);
        assert_eq!(taken.commands.len(), 2);
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
