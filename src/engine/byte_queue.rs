//! A direction of a [wire](super::wire): bytes that wait, up to a bound.

use super::buffers::READ;
use std::cell::RefCell;

/// Bytes that may wait.
pub(crate) const CAPACITY: usize = READ;
/// An empty queue gives its buffer back if that is larger than this: a connection that waits has none.
const KEPT: usize = 4 << 10;
/// The size of a large buffer. When its end is reached at least half of it has been taken, so that what moves to its front is never
/// more than what came out.
const LARGE: usize = 2 * CAPACITY;
/// Buffers that a thread keeps for queues that fill again. Asking the system for fresh pages costs as much as filling them.
const SPARES: usize = 2;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn take_spare() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(LARGE))
}

fn give_spare(mut buffer: Vec<u8>) {
    if buffer.capacity() < LARGE {
        return;
    }
    SPARE.with_borrow_mut(|spares| {
        if spares.len() < SPARES {
            buffer.clear();
            spares.push(buffer);
        }
    });
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct ByteQueue {
    /// What waits begins at `taken`.
    bytes: Vec<u8>,
    taken: usize,
}

impl ByteQueue {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes what there is room for, and says how much.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(CAPACITY - self.len());
        if self.bytes.capacity() - self.bytes.len() < n {
            self.make_room(n);
        }
        self.bytes.extend_from_slice(&bytes[..n]);
        n
    }

    /// For `n` more, unless a small buffer may as well grow.
    fn make_room(&mut self, n: usize) {
        if self.bytes.capacity() < LARGE && self.len() + n > KEPT {
            let mut large = take_spare();
            large.extend_from_slice(&self.bytes[self.taken..]);
            self.bytes = large;
        } else if self.taken >= self.len() {
            self.bytes.drain(..self.taken);
        } else {
            return;
        }
        self.taken = 0;
    }

    /// Moves the first bytes, as many as there is room for, and says how many.
    pub(crate) fn take(&mut self, into: &mut [u8]) -> usize {
        let n = self.len().min(into.len());
        into[..n].copy_from_slice(&self.bytes[self.taken..self.taken + n]);
        self.taken += n;
        if self.is_empty() {
            self.clear();
        }
        n
    }

    /// Forgets what waits.
    pub(crate) fn clear(&mut self) {
        self.taken = 0;
        if self.bytes.capacity() > KEPT {
            give_spare(std::mem::take(&mut self.bytes));
        } else {
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spares() -> usize {
        SPARE.with_borrow(Vec::len)
    }

    #[test]
    fn bytes_come_out_in_order_whatever_the_steps() {
        for (put, take) in [(7, 7), (70, 30), (5_000, 1_000), (CAPACITY, 4_096), (100_000, CAPACITY)] {
            let mut queue = ByteQueue::default();
            let (mut written, mut read) = (0_usize, 0_usize);
            while read < 3 * CAPACITY {
                let bytes: Vec<u8> = (written..written + put).map(|i| (i % 251) as u8).collect();
                written += queue.put(&bytes);
                assert!(queue.len() <= CAPACITY && queue.bytes.capacity() <= LARGE);
                let mut buffer = vec![0; take];
                let n = queue.take(&mut buffer);
                assert!(buffer[..n].iter().enumerate().all(|(i, b)| *b == ((read + i) % 251) as u8), "{put} {take}");
                read += n;
                assert_eq!(queue.len(), written - read);
            }
        }
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let mut queue = ByteQueue::default();
        assert_eq!(queue.put(&[1; CAPACITY - 1]), CAPACITY - 1);
        assert_eq!(queue.put(&[2; 9]), 1);
        assert_eq!(queue.put(&[3; 9]), 0);
        assert_eq!(queue.take(&mut [0; 10]), 10);
        assert_eq!(queue.put(&[4; 99]), 10);
    }

    #[test]
    fn an_empty_queue_has_no_large_buffer_and_a_thread_keeps_a_few() {
        let mut queues: Vec<_> = (0..SPARES + 3).map(|_| ByteQueue::default()).collect();
        for queue in &mut queues {
            queue.put(&[1; KEPT + 1]);
        }
        let mut buffer = vec![0; CAPACITY];
        for queue in &mut queues {
            assert_eq!(queue.take(&mut buffer), KEPT + 1);
            assert_eq!(queue.bytes.capacity(), 0);
            assert!(spares() <= SPARES);
        }
        assert_eq!(spares(), SPARES);
        let kept = SPARE.with_borrow(|spares| spares[SPARES - 1].as_ptr());
        queues[0].put(&[1; KEPT + 1]);
        assert_eq!((queues[0].bytes.as_ptr(), spares()), (kept, SPARES - 1), "it is used again");
        queues[0].put(&[1; KEPT + 1]);
        assert_eq!(queues[0].bytes.as_ptr(), kept);
    }

    #[test]
    fn a_queue_of_little_stays_small() {
        let mut queue = ByteQueue::default();
        for _ in 0..10_000 {
            queue.put(&[1; 100]);
            queue.take(&mut [0; 70]);
            queue.take(&mut [0; 70]);
        }
        assert!(queue.bytes.capacity() <= KEPT, "{} bytes", queue.bytes.capacity());
        assert_eq!(spares(), 0);
    }
}
