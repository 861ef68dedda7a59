//! How `h2` says that there is something to do on a stream. Everything that wakes happens inside the connection's own task,
//! which looks before it goes to sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

/// Keys of streams that `h2` has something to say about. A key may be stale: it only means "look".
#[derive(Debug, Default)]
pub(super) struct Ready(Mutex<Vec<u32>>);

impl Ready {
    pub(super) fn push(&self, key: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn take(&self) -> Vec<u32> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream's waker.
#[derive(Debug)]
pub(super) struct StreamWaker {
    pub(super) key: u32,
    pub(super) ready: Arc<Ready>,
}

impl Wake for StreamWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.key);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.push(self.key);
    }
}
