//! What waits to be sent on one WebSocket: frames, ready for the wire, in few large pieces.
//!
//! Small frames gather in one pooled buffer, so that all that a tick produced for a socket leaves as one run of
//! bytes; a large payload gets a buffer of its own, of the right size.

use super::deflate::Contexts;
use super::payload::Payload;
use super::shared::Shared;
use crate::proto::frame::{LONGEST_HEAD, head_before, put_head};
use std::collections::VecDeque;
use std::sync::Arc;

/// A payload of this size is not gathered with others; a gathering buffer is sealed at this size.
const LARGE: usize = 16 << 10;
/// Buffers to gather in that a pool keeps.
const POOLED: usize = 64;
/// The largest buffer for one large payload that a pool keeps, and the bytes of all of them.
const POOLED_LARGE: usize = 512 << 10;
const POOLED_LARGE_SUM: usize = 4 << 20;

/// Buffers to gather in and contexts to compress with, shared by the sockets of a loop: an idle socket has none.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) contexts: Contexts,
    buffers: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
    large_sum: usize,
}

impl Pool {
    pub(crate) fn new(shared: &Arc<Shared>, of_loop: usize) -> Self {
        Self { contexts: Contexts::new(shared, of_loop), buffers: Vec::new(), large: Vec::new(), large_sum: 0 }
    }

    fn take(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// A buffer for a large payload. Asking the system for fresh pages costs as much as filling them.
    fn take_large(&mut self, room: usize) -> Vec<u8> {
        match self.large.iter().rposition(|b| (room..=4 * room).contains(&b.capacity())) {
            Some(i) => {
                let buffer = self.large.swap_remove(i);
                self.large_sum -= buffer.capacity();
                buffer
            }
            None => Vec::with_capacity(room),
        }
    }

    fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 2 * LARGE {
            if buffer.capacity() <= POOLED_LARGE && self.large_sum + buffer.capacity() <= POOLED_LARGE_SUM {
                buffer.clear();
                self.large_sum += buffer.capacity();
                self.large.push(buffer);
            }
        } else if buffer.capacity() > 0 && self.buffers.len() < POOLED {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

/// A buffer, the first bytes of which are not sent.
#[derive(Debug, Default)]
struct Piece {
    buffer: Vec<u8>,
    start: usize,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// Buffers in front of `tail`.
    #[expect(clippy::box_collection, reason = "most sockets never have one: 8 bytes instead of 32")]
    sealed: Option<Box<VecDeque<Piece>>>,
    tail: Vec<u8>,
    /// Bytes of the front buffer that have been sent.
    sent: usize,
    len: usize,
}

impl SendQueue {
    /// Bytes that wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends a data frame.
    #[inline(always)]
    pub(crate) fn push_data(&mut self, pool: &mut Pool, opcode: u8, fin: bool, payload: Payload<'_>) {
        match payload {
            Payload::Own(mut own) if own.len() >= LARGE => {
                let start = head_before(&mut own, opcode, fin);
                self.push_piece(pool, own, start);
            }
            payload => self.push_frame(pool, opcode, fin, payload.bytes()),
        }
    }

    /// Appends a frame.
    #[inline]
    pub(crate) fn push_frame(&mut self, pool: &mut Pool, opcode: u8, fin: bool, payload: &[u8]) {
        let room = payload.len() + LONGEST_HEAD;
        if room >= LARGE {
            let mut buffer = pool.take_large(room);
            put_head(&mut buffer, opcode, fin, payload.len());
            buffer.extend_from_slice(payload);
            self.push_piece(pool, buffer, 0);
            return;
        }
        self.ready(pool, room);
        let before = self.tail.len();
        put_head(&mut self.tail, opcode, fin, payload.len());
        self.tail.extend_from_slice(payload);
        self.len += self.tail.len() - before;
    }

    fn push_piece(&mut self, pool: &mut Pool, buffer: Vec<u8>, start: usize) {
        self.seal(pool);
        self.len += buffer.len() - start;
        self.sealed.get_or_insert_default().push_back(Piece { buffer, start });
    }

    /// Appends the last `n` bytes of a payload, whose frame has begun. There are some.
    pub(crate) fn push_rest(&mut self, pool: &mut Pool, payload: Payload<'_>, n: usize) {
        match payload {
            Payload::Own(own) if n >= LARGE => {
                let start = own.len() - n;
                self.push_piece(pool, own, start);
            }
            payload => {
                let bytes = payload.bytes();
                self.push_raw(pool, &bytes[bytes.len() - n..]);
            }
        }
    }

    /// Appends bytes that are frames already, or the rest of one.
    pub(crate) fn push_raw(&mut self, pool: &mut Pool, bytes: &[u8]) {
        if bytes.len() >= LARGE {
            let mut buffer = pool.take_large(bytes.len());
            buffer.extend_from_slice(bytes);
            self.push_piece(pool, buffer, 0);
            return;
        }
        self.ready(pool, bytes.len());
        self.tail.extend_from_slice(bytes);
        self.len += bytes.len();
    }

    #[inline]
    fn ready(&mut self, pool: &mut Pool, room: usize) {
        if self.tail.len() + room > LARGE {
            self.seal(pool);
        }
        if self.tail.capacity() == 0 {
            self.tail = pool.take();
        }
    }

    fn seal(&mut self, pool: &mut Pool) {
        if !self.tail.is_empty() {
            let full = std::mem::replace(&mut self.tail, pool.take());
            self.sealed.get_or_insert_default().push_back(Piece { buffer: full, start: 0 });
        }
    }

    /// The bytes that are next, as far as they lie together. Empty only if the queue is.
    #[inline]
    pub(crate) fn front(&self) -> &[u8] {
        match self.sealed.as_ref().and_then(|sealed| sealed.front()) {
            Some(piece) => &piece.buffer[piece.start + self.sent..],
            None => &self.tail[self.sent..],
        }
    }

    /// Takes `n` bytes of [`Self::front`] off.
    #[inline]
    pub(crate) fn consume(&mut self, pool: &mut Pool, n: usize) {
        self.len -= n;
        self.sent += n;
        if let Some(sealed) = &mut self.sealed {
            if sealed.front().is_some_and(|piece| piece.buffer.len() == piece.start + self.sent) {
                self.sent = 0;
                pool.give(sealed.pop_front().unwrap_or_default().buffer);
            }
            if sealed.is_empty() {
                self.sealed = None;
            }
        } else if self.sent == self.tail.len() {
            self.sent = 0;
            pool.give(std::mem::take(&mut self.tail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::config::Config;

    fn new_pool() -> Pool {
        Pool::new(&Arc::new(Shared::new(Config { loops: 1, ..Config::default() })), 0)
    }

    fn drain(queue: &mut SendQueue, pool: &mut Pool, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while queue.len() > 0 {
            let n = queue.front().len().min(step);
            assert!(n > 0, "bytes wait, so there is a front");
            all.extend_from_slice(&queue.front()[..n]);
            queue.consume(pool, n);
        }
        assert!(queue.front().is_empty());
        all
    }

    #[test]
    fn frames_come_out_in_order_whatever_their_size_and_the_steps() {
        let mut pool = new_pool();
        let sizes = [0, 1, 125, 126, 5_000, 12_000, 20_000, 3, 65_536, 70_000, 7];
        for step in [1, 7, 4096, usize::MAX] {
            let mut queue = SendQueue::default();
            let mut expected = Vec::new();
            for (i, size) in sizes.into_iter().enumerate() {
                let payload = vec![i as u8; size];
                queue.push_frame(&mut pool, 2, true, &payload);
                put_head(&mut expected, 2, true, size);
                expected.extend_from_slice(&payload);
                assert_eq!(queue.len(), expected.len());
            }
            assert!(drain(&mut queue, &mut pool, step) == expected, "step {step}");
        }
    }

    #[test]
    fn a_large_copy_is_sent_from_where_it_is() {
        let mut pool = new_pool();
        let copy = |n: usize| Payload::Lent(&[7; 1 << 20][..n]).into_own();
        let mut queue = SendQueue::default();
        let mut expected = Vec::new();
        for size in [0, 9, LARGE - LONGEST_HEAD - 1, LARGE, 70_000, 3] {
            let own = copy(size);
            let Payload::Own(buffer) = &own else { unreachable!() };
            let at = buffer.as_ptr();
            queue.push_data(&mut pool, 2, true, own);
            put_head(&mut expected, 2, true, size);
            expected.extend_from_slice(&[7; 1 << 20][..size]);
            let last = queue.sealed.as_ref().and_then(|sealed| sealed.back());
            assert_eq!(last.is_some_and(|piece| piece.buffer.as_ptr() == at), size >= LARGE, "{size} bytes");
        }
        queue.push_rest(&mut pool, copy(50_000), LARGE);
        queue.push_rest(&mut pool, copy(50_000), 5);
        queue.push_rest(&mut pool, Payload::Lent(&[7; 10]), 2);
        expected.extend_from_slice(&[7; LARGE + 7]);
        assert!(drain(&mut queue, &mut pool, 999) == expected);
    }

    #[test]
    fn pushing_while_draining_keeps_the_order() {
        let mut pool = new_pool();
        let mut queue = SendQueue::default();
        queue.push_raw(&mut pool, b"abc");
        queue.consume(&mut pool, 2);
        queue.push_raw(&mut pool, b"def");
        queue.push_frame(&mut pool, 2, true, &[9; LARGE]);
        queue.push_raw(&mut pool, b"g");
        let all = drain(&mut queue, &mut pool, 3);
        assert_eq!(&all[..4], b"cdef");
        assert_eq!(all.last(), Some(&b'g'));
    }

    #[test]
    fn an_empty_queue_holds_no_buffer() {
        let mut pool = new_pool();
        let mut queue = SendQueue::default();
        queue.push_raw(&mut pool, b"abc");
        queue.consume(&mut pool, 3);
        assert_eq!((queue.tail.capacity(), pool.buffers.len()), (0, 1));
    }
}
