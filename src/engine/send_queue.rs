//! What waits to be sent on one WebSocket: frames, ready for the wire, in few large pieces.
//!
//! Small frames gather in one pooled buffer, so that all that a tick produced for a socket leaves as one run of
//! bytes; a large payload gets a buffer of its own, of the right size, or is sent from the message that it was in when it came
//! ([`Pool::lent`]).

use super::payload::Payload;
use super::pool::{GATHERING, LARGE, Piece, Pool};
use crate::proto::frame::{LONGEST_HEAD, head_before, put_head};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Pieces that are written at once.
const AT_ONCE: usize = 8;

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
                self.push_piece(pool, Piece::own(own, start));
            }
            payload => self.push_frame(pool, opcode, fin, payload.bytes()),
        }
    }

    /// Appends a frame.
    #[inline]
    pub(crate) fn push_frame(&mut self, pool: &mut Pool, opcode: u8, fin: bool, payload: &[u8]) {
        let room = payload.len() + LONGEST_HEAD;
        if room >= LARGE {
            return self.push_large(pool, opcode, fin, payload);
        }
        self.ready(pool, room);
        let before = self.tail.len();
        put_head(&mut self.tail, opcode, fin, payload.len());
        self.tail.extend_from_slice(payload);
        self.len += self.tail.len() - before;
    }

    #[inline(never)]
    fn push_large(&mut self, pool: &mut Pool, opcode: u8, fin: bool, payload: &[u8]) {
        if let Some(piece) = pool.of_lent(payload) {
            self.ready(pool, LONGEST_HEAD);
            let before = self.tail.len();
            put_head(&mut self.tail, opcode, fin, payload.len());
            self.len += self.tail.len() - before;
            return self.push_piece(pool, piece);
        }
        let mut buffer = pool.take_large(payload.len() + LONGEST_HEAD);
        put_head(&mut buffer, opcode, fin, payload.len());
        buffer.extend_from_slice(payload);
        self.push_piece(pool, Piece::own(buffer, 0));
    }

    fn push_piece(&mut self, pool: &mut Pool, piece: Piece) {
        self.seal(pool);
        self.len += piece.range.len();
        self.sealed.get_or_insert_default().push_back(piece);
    }

    /// Appends the last `n` bytes of a payload, whose frame has begun. There are some.
    pub(crate) fn push_rest(&mut self, pool: &mut Pool, payload: Payload<'_>, n: usize) {
        match payload {
            Payload::Own(own) if n >= LARGE => {
                let start = own.len() - n;
                self.push_piece(pool, Piece::own(own, start));
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
            let piece = pool.of_lent(bytes).unwrap_or_else(|| {
                let mut buffer = pool.take_large(bytes.len());
                buffer.extend_from_slice(bytes);
                Piece::own(buffer, 0)
            });
            return self.push_piece(pool, piece);
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
            self.sealed.get_or_insert_default().push_back(Piece::own(full, 0));
        }
    }

    /// The bytes that are next, as far as they lie together. Empty only if the queue is.
    #[inline]
    pub(crate) fn front(&self) -> &[u8] {
        match self.sealed.as_ref().and_then(|sealed| sealed.front()) {
            Some(piece) => &piece.bytes()[self.sent..],
            None => &self.tail[self.sent..],
        }
    }

    /// Whether [`Self::front`] is not all.
    #[inline]
    pub(crate) fn in_pieces(&self) -> bool {
        self.sealed.is_some()
    }

    /// The bytes that are next, and how many pieces they are.
    pub(crate) fn fronts(&self) -> ([IoSlice<'_>; AT_ONCE], usize) {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let sealed = self.sealed.iter().flat_map(|sealed| sealed.iter()).map(Piece::bytes);
        let mut n = 0;
        for (slice, bytes) in slices.iter_mut().zip(sealed.chain(std::iter::once(&self.tail[..]))) {
            *slice = IoSlice::new(&bytes[if n == 0 { self.sent } else { 0 }..]);
            n += 1;
        }
        (slices, n)
    }

    /// The next `n` bytes, which [`Self::front`] has, to be held beyond [`Self::consume`]; if they are of a large payload.
    pub(crate) fn share(&mut self, n: usize) -> Option<Piece> {
        let piece = self.sealed.as_mut()?.front_mut()?;
        (piece.buffer_size() > GATHERING).then(|| piece.share(self.sent, n))
    }

    /// Takes `n` bytes off, which were the next.
    #[inline]
    pub(crate) fn consume(&mut self, pool: &mut Pool, n: usize) {
        self.len -= n;
        self.sent += n;
        if self.sealed.is_some() {
            self.consume_pieces(pool);
        }
        if self.sealed.is_none() && self.sent == self.tail.len() {
            self.sent = 0;
            pool.give(std::mem::take(&mut self.tail));
        }
    }

    #[inline(never)]
    fn consume_pieces(&mut self, pool: &mut Pool) {
        let Some(sealed) = &mut self.sealed else { return };
        while sealed.front().is_some_and(|piece| piece.range.len() <= self.sent)
            && let Some(piece) = sealed.pop_front()
        {
            self.sent -= piece.range.len();
            pool.recycle(piece.buffer);
        }
        if sealed.is_empty() {
            self.sealed = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::config::Config;
    use crate::engine::payload::Shown;
    use crate::engine::shared::Shared;
    use std::cell::RefCell;
    use std::sync::Arc;

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
            assert_eq!(
                last.is_some_and(|p| p.bytes().as_ptr().addr().wrapping_sub(at.addr()) <= LONGEST_HEAD),
                size >= LARGE,
                "{size} bytes"
            );
        }
        queue.push_rest(&mut pool, copy(50_000), LARGE);
        queue.push_rest(&mut pool, copy(50_000), 5);
        queue.push_rest(&mut pool, Payload::Lent(&[7; 10]), 2);
        expected.extend_from_slice(&[7; LARGE + 7]);
        assert!(drain(&mut queue, &mut pool, 999) == expected);
    }

    #[test]
    fn what_the_host_passes_on_is_sent_from_where_it_came() {
        let pool = RefCell::new(new_pool());
        let mut payload: Vec<u8> = (0..100_000_u32).map(|at| at as u8).collect();
        let (before, at) = (payload.clone(), payload.as_ptr());
        let mut queues = [SendQueue::default(), SendQueue::default()];
        let shown = Shown::new(&pool, &mut payload);
        assert_eq!(shown.as_ptr(), at);
        let own = before.clone();
        let mut expected = Vec::new();
        for (part, stays) in
            [(&shown[..], true), (&shown[50_000..], true), (&shown[50_001..], false), (&own[..], false)]
        {
            for queue in &mut queues {
                queue.push_frame(&mut pool.borrow_mut(), 2, true, part);
                let last = queue.sealed.as_ref().and_then(|sealed| sealed.back()).expect("a piece");
                assert_eq!(last.bytes().as_ptr() == part.as_ptr(), stays, "{} bytes", part.len());
            }
            put_head(&mut expected, 2, true, part.len());
            expected.extend_from_slice(part);
        }
        queues[1].push_rest(&mut pool.borrow_mut(), Payload::Lent(&shown), 60_000);
        drop(shown);
        assert_eq!((payload.capacity(), pool.borrow().lent.is_some()), (0, false), "it is the queues' now");
        let [one, other] = &mut queues;
        assert!(drain(one, &mut pool.borrow_mut(), 999) == expected);
        expected.extend_from_slice(&before[40_000..]);
        assert!(drain(other, &mut pool.borrow_mut(), 70_000) == expected);
        assert!(pool.borrow().large.iter().any(|buffer| buffer.as_ptr() == at), "whoever is the last gives it back");
    }

    #[test]
    fn what_the_host_does_not_pass_on_is_its_buffer_again() {
        let pool = RefCell::new(new_pool());
        for size in [0, 9, LARGE - 1, LARGE, 70_000] {
            let mut payload = vec![7; size];
            let at = payload.as_ptr();
            drop(Shown::new(&pool, &mut payload));
            assert_eq!((payload.len(), payload.as_ptr()), (size, at));
            let mut queue = SendQueue::default();
            queue.push_frame(&mut pool.borrow_mut(), 2, true, &payload);
            assert_ne!(queue.front().as_ptr().wrapping_add(queue.front().len() - size), at, "after that it is copied");
        }
    }

    #[test]
    fn pieces_are_written_together_and_come_off_so() {
        let mut pool = new_pool();
        let sizes = [9, 20_000, 3, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000, 4];
        for step in [9_999, 20_011, 33_333, usize::MAX] {
            let (mut queue, mut expected, mut all) = (SendQueue::default(), Vec::new(), Vec::new());
            for (i, size) in sizes.into_iter().enumerate() {
                let payload = vec![i as u8; size];
                queue.push_frame(&mut pool, 2, true, &payload);
                put_head(&mut expected, 2, true, size);
                expected.extend_from_slice(&payload);
            }
            while queue.len() > 0 {
                let (pieces, n) = queue.fronts();
                assert_eq!(pieces[0].as_ptr(), queue.front().as_ptr());
                assert!(n == AT_ONCE || pieces.iter().map(|piece| piece.len()).sum::<usize>() == queue.len());
                let together: Vec<u8> = pieces[..n].iter().flat_map(|piece| piece.iter().copied()).collect();
                let taken = together.len().min(step);
                all.extend_from_slice(&together[..taken]);
                queue.consume(&mut pool, taken);
            }
            assert!(all == expected && !queue.in_pieces() && queue.front().is_empty(), "step {step}");
        }
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
