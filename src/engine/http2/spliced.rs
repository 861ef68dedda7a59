//! Payloads that are written from where they lie, between the bytes of the output: what is large is copied by the kernel alone.

use crate::engine::pool::{Piece, Pool};
use std::collections::VecDeque;
use std::io::IoSlice;

/// A payload of a frame that is shorter is put into the output.
const LEAST: usize = 8 << 10;
/// Of buffers that are larger together, only one is kept for what is left of it to be written.
const HELD: usize = 1 << 20;
/// Payloads that are collected before they are written. A peer that reads faster than we write is woken for each write, at our cost: once for
/// 1 MiB instead of 256 KiB is 0.87 of a large echo's time. They are no copies, so that no memory is taken by it.
const BATCH: usize = 1 << 20;
/// Slices that are written at once: a batch in the smallest frames that a peer may ask for (RFC 9113 section 6.5.2), each behind its head.
const AT_ONCE: usize = 2 * (BATCH / (16 << 10)) + 1;

/// The payloads.
#[derive(Debug, Default)]
pub(super) struct Spliced {
    pieces: VecDeque<Splice>,
    /// Bytes of the first that the socket has taken.
    sent: usize,
    /// Bytes that wait.
    len: usize,
    /// The size of the buffers.
    held: usize,
    /// The transport takes several slices at once.
    allowed: bool,
}

#[derive(Debug)]
struct Splice {
    /// Where in the output it goes. Ascending.
    at: usize,
    piece: Piece,
    /// The size of its buffer, if that is another than the one before.
    holds: usize,
}

impl Spliced {
    pub(super) fn new(allowed: bool) -> Self {
        Self { allowed, ..Self::default() }
    }

    /// Bytes that wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is a batch.
    #[inline]
    pub(super) fn full(&self) -> bool {
        self.len >= BATCH
    }

    /// Whether a payload of `n` bytes is worth it.
    #[inline]
    pub(super) fn wants(&self, n: usize) -> bool {
        self.allowed && n >= LEAST
    }

    /// Takes a payload that goes behind the output's first `at` bytes; gives it back if there is no room for its buffer.
    pub(super) fn push(&mut self, at: usize, piece: Piece) -> Result<(), Piece> {
        let known = self.pieces.back().is_some_and(|last| last.piece.is_of_buffer_of(&piece));
        let holds = if known { 0 } else { piece.buffer_size() };
        if holds > 0 && self.held > 0 && self.held + holds > HELD {
            return Err(piece);
        }
        self.held += holds;
        self.len += piece.len();
        self.pieces.push_back(Splice { at, piece, holds });
        Ok(())
    }

    /// What is to be written next, and how many slices that is; `written` bytes of the output have been.
    pub(super) fn slices<'a>(&'a self, output: &'a [u8], written: usize) -> ([IoSlice<'a>; AT_ONCE], usize) {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let mut n = 0;
        let mut put = |bytes: &'a [u8]| {
            if !bytes.is_empty() && n < AT_ONCE {
                slices[n] = IoSlice::new(bytes);
                n += 1;
            }
        };
        let (mut from, mut sent) = (written, self.sent);
        for splice in self.pieces.iter().take(AT_ONCE) {
            put(&output[from..splice.at]);
            put(&splice.piece.bytes()[sent..]);
            (from, sent) = (splice.at, 0);
        }
        if self.pieces.len() < AT_ONCE {
            put(&output[from..]);
        }
        (slices, n)
    }

    /// Takes `n` bytes off, which were the next.
    pub(super) fn consume(&mut self, pool: &mut Pool, written: &mut usize, mut n: usize) {
        while let Some(first) = self.pieces.front() {
            let before = first.at - *written;
            if n < before {
                break;
            }
            *written = first.at;
            n -= before;
            let left = first.piece.len() - self.sent;
            let taken = n.min(left);
            self.len -= taken;
            n -= taken;
            if taken < left {
                self.sent += taken;
                return;
            }
            self.sent = 0;
            let Some(Splice { piece, holds, .. }) = self.pieces.pop_front() else { return };
            // the next may be of the same buffer
            match self.pieces.front_mut() {
                Some(next) if next.holds == 0 => next.holds = holds,
                _ => self.held -= holds,
            }
            pool.recycle_piece(piece);
            if self.pieces.is_empty() {
                // a connection that is idle has no list of them
                self.pieces = VecDeque::new();
            }
        }
        *written += n;
    }

    /// The output's first `n` bytes are there no more.
    pub(super) fn shift(&mut self, n: usize) {
        for splice in &mut self.pieces {
            splice.at -= n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::config::Config;
    use crate::engine::send_queue::SendQueue;
    use crate::engine::shared::Shared;
    use std::sync::Arc;

    fn new_pool() -> Pool {
        Pool::new(&Arc::new(Shared::new(Config { loops: 1, ..Config::default() })), 0)
    }

    /// A queue with one payload of `size` bytes in a buffer of its own, behind its head.
    fn queue(pool: &mut Pool, byte: u8, size: usize) -> SendQueue {
        let mut queue = SendQueue::default();
        queue.push_raw(pool, &vec![byte; size]);
        queue
    }

    /// All that is written, in steps, of payloads that are spliced as soon as there is room for them.
    #[test]
    fn what_is_written_is_the_output_with_the_payloads_in_their_places() {
        for (step, writes) in
            [(1, 300), (7, 300), (1000, 300), (9_000, usize::MAX), (20_000, usize::MAX), (usize::MAX, usize::MAX)]
        {
            let mut pool = new_pool();
            let (mut output, mut expected, mut payloads) = (Vec::new(), Vec::new(), VecDeque::new());
            for round in 0..40_u8 {
                let between = vec![round; usize::from(round % 4) * 3];
                output.extend_from_slice(&between);
                expected.extend_from_slice(&between);
                let mut queue = queue(&mut pool, round, 50_000);
                while queue.len() > 0 {
                    let n = queue.front().len().min(LEAST + usize::from(round));
                    payloads.push_back((output.len(), queue.share(n).expect("a piece")));
                    queue.consume(&mut pool, n);
                }
                expected.extend_from_slice(&[round; 50_000]);
            }
            output.extend_from_slice(b"the end");
            expected.extend_from_slice(b"the end");
            let mut spliced = Spliced::new(true);
            let (mut written, mut all) = (0, Vec::new());
            for _ in 0..writes {
                while let Some((at, piece)) = payloads.pop_front() {
                    if let Err(piece) = spliced.push(at, piece) {
                        payloads.push_front((at, piece));
                        break;
                    }
                }
                let end = payloads.front().map_or(output.len(), |(at, _)| *at);
                let (slices, n) = spliced.slices(&output[..end], written);
                let together = slices[..n].iter().map(|slice| &slice[..]).collect::<Vec<_>>().concat();
                if together.is_empty() {
                    break;
                }
                let taken = together.len().min(step);
                all.extend_from_slice(&together[..taken]);
                spliced.consume(&mut pool, &mut written, taken);
            }
            assert!(all == expected[..all.len()], "step {step}");
            assert_eq!(all.len(), expected.len().min(step.saturating_mul(writes)), "step {step}");
            if writes == usize::MAX {
                assert_eq!((written, spliced.len(), spliced.held, spliced.pieces.capacity()), (output.len(), 0, 0, 0));
            }
        }
    }

    #[test]
    fn one_large_buffer_is_held_or_small_ones_up_to_a_limit() {
        let mut pool = new_pool();
        let mut spliced = Spliced::new(true);
        let mut large = queue(&mut pool, 1, 2 * HELD);
        let mut small = queue(&mut pool, 2, LEAST * 5);
        for _ in 0..3 {
            spliced.push(0, large.share(LEAST).expect("a piece")).expect("the first, and the same again");
            large.consume(&mut pool, LEAST);
        }
        assert!(spliced.push(0, small.share(LEAST).expect("a piece")).is_err(), "the large one is there");
        let mut written = 0;
        spliced.consume(&mut pool, &mut written, 3 * LEAST - 1);
        assert!(spliced.push(0, small.share(LEAST).expect("a piece")).is_err(), "a byte of it is");
        spliced.consume(&mut pool, &mut written, 1);
        assert_eq!((spliced.len(), spliced.held), (0, 0));
        let fit = (0..1000).take_while(|_| {
            let mut next = queue(&mut pool, 3, 5 * LEAST);
            spliced.push(0, next.share(LEAST).expect("a piece")).is_ok()
        });
        let fit = fit.count();
        assert!((HELD / (8 * LEAST)..=HELD / (5 * LEAST)).contains(&fit), "{fit} of {HELD} bytes");
        assert!(spliced.push(0, large.share(LEAST).expect("a piece")).is_err(), "a large one waits for them");
    }

    #[test]
    fn the_output_may_lose_what_was_written() {
        let mut pool = new_pool();
        let mut spliced = Spliced::new(true);
        let mut output = b"headtail".to_vec();
        let mut large = queue(&mut pool, 1, 40_000);
        spliced.push(4, large.share(40_000).expect("a piece")).expect("the first");
        let mut written = 0;
        spliced.consume(&mut pool, &mut written, 4 + 39_999);
        assert_eq!((written, spliced.len()), (4, 1));
        output.drain(..4);
        spliced.shift(4);
        let (slices, n) = spliced.slices(&output, 0);
        assert_eq!(slices[..n].iter().map(|s| s.to_vec()).collect::<Vec<_>>(), [vec![1], b"tail".to_vec()]);
    }

    #[test]
    fn a_batch_is_written_at_once() {
        const FRAME: usize = 16 << 10;
        const HEAD: &[u8] = &[0; 9];
        let mut pool = new_pool();
        let mut spliced = Spliced::new(true);
        let mut large = queue(&mut pool, 1, 2 * BATCH);
        let mut output = Vec::new();
        while !spliced.full() {
            output.extend_from_slice(HEAD);
            spliced.push(output.len(), large.share(FRAME).expect("a piece")).expect("of one buffer");
            large.consume(&mut pool, FRAME);
        }
        assert_eq!(spliced.len(), BATCH);
        output.extend_from_slice(b"the end");
        let (slices, n) = spliced.slices(&output, 0);
        assert_eq!(slices[..n].iter().map(|slice| slice.len()).sum::<usize>(), output.len() + BATCH);
    }

    #[test]
    fn only_what_is_worth_it_and_where_slices_are_taken() {
        assert!(
            Spliced::new(true).wants(LEAST)
                && !Spliced::new(true).wants(LEAST - 1)
                && !Spliced::new(false).wants(LEAST)
        );
        assert!(queue(&mut new_pool(), 1, 10).share(10).is_none(), "what has gathered is not shared");
    }
}
