//! The turns of a loop that its host drives: whose turn it is, and when the loop's ends.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

/// Where a turn of a loop that its host drives stands. A loop with a thread of its own has but one, and nobody looks.
#[derive(Default)]
pub(crate) struct Turn {
    polls: Cell<u64>,
    /// Of the poll that was last; 0: nobody polls, the host hears of an event when it is told.
    number: Cell<u64>,
    /// The host has been told something, or nobody asks.
    told: Cell<bool>,
    /// The host wants its thread back.
    interrupted: Cell<bool>,
    pub(super) over: Cell<bool>,
    pub(super) waiting: RefCell<Option<Waker>>,
    /// The host has its turn: nobody runs the loop.
    pub(super) of_host: Cell<bool>,
    /// Tasks for the next poll: of connections that the host has said something of in its turn, or that wait until a full
    /// host has taken what it was told. Each stands here a few times at most.
    pub(super) next: RefCell<Vec<Waker>>,
}

impl Turn {
    /// It lasts until the host has been told something.
    pub(super) fn begin_poll(&self) {
        self.polls.set(self.polls.get() + 1);
        self.number.set(self.polls.get());
        self.told.set(false);
    }

    /// It lasts whatever the host is told.
    pub(super) fn begin_run(&self) {
        self.number.set(0);
        self.told.set(true);
    }

    #[inline]
    pub(super) fn number(&self) -> u64 {
        self.number.get()
    }

    /// The turn ends as soon as the task that runs has done its part.
    #[inline]
    pub(super) fn end(&self) {
        if !self.told.replace(true) {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waiting.borrow_mut().take() {
            waker.wake();
        }
    }

    pub(super) fn interrupt(&self) {
        self.interrupted.set(true);
        self.wake();
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let told = self.number.get() != 0 && self.told.get();
        if told || self.over.get() || self.interrupted.take() {
            return Poll::Ready(());
        }
        *self.waiting.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}
