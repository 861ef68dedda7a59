//! Compressed messages to what they were (RFC 7692 §7.2.2). All limits are held while inflating: what a message would
//! be is known only when it is too late.

use super::TAIL;
use crate::proto::receive::Violation;
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;

/// The window of every inflater, as a power of 2: zlib-rs takes the memory of the largest one in any case, and it does
/// for all smaller ones.
const BITS: u8 = 15;
/// A message that inflates to less than this has any ratio, bytes.
const RATIO_FROM: u64 = 1 << 20;
/// What a buffer first gets, for each byte that came.
const GUESS: usize = 4;
/// An empty last block with fixed codes (RFC 1951 §3.2.6). It can be read only where a block may begin.
const END: [u8; 2] = [3, 0];

/// What a message may inflate to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes; `None`: any number.
    pub max_message: Option<u32>,
    /// Times what came, beyond 1 MiB.
    pub ratio: u32,
}

/// An inflater: one message after another, each whole or in parts.
pub struct Inflater {
    zlib: Decompress,
    /// The window is kept from message to message (RFC 7692 §7.1.1.2).
    takeover: bool,
    /// Of the message so far: bytes that came, and what those of earlier parts inflated to.
    came: u64,
    gave: u64,
    /// The last block ended with the last byte that came: nothing needs to be put behind it.
    ended: bool,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("takeover", &self.takeover).finish_non_exhaustive()
    }
}

impl Inflater {
    /// What one takes on the heap, bytes: zlib-rs's state and the largest window, whatever the window agreed on.
    pub const MEMORY: usize = 48 << 10;

    /// An inflater, with or without context takeover.
    pub fn new(takeover: bool) -> Self {
        let zlib = Decompress::new_with_window_bits(false, BITS);
        Self { zlib, takeover, came: 0, gave: 0, ended: false }
    }

    /// Inflates a message, or the next part of one; `last` ends it. `out` is overwritten, and grows with what comes out
    /// of it, not much beyond the bounds.
    ///
    /// # Errors
    /// [`Violation::NotDeflate`], [`Violation::MessageTooLong`], [`Violation::InflatesTooMuch`]. The inflater is then of
    /// no more use.
    pub fn inflate(&mut self, part: &[u8], last: bool, bounds: &Bounds, out: &mut Vec<u8>) -> Result<(), Violation> {
        out.clear();
        self.came += part.len() as u64;
        self.run(part, bounds, out)?;
        if last {
            // no byte at all is an empty message to most peers, though RFC 7692 §7.2.3.6 wants one
            if !self.ended && self.came > 0 {
                self.end(bounds, out)?;
            }
            (self.came, self.gave, self.ended) = (0, 0, false);
        } else {
            self.gave += out.len() as u64;
        }
        Ok(())
    }

    /// Puts back what the sender took off, after which a block may begin.
    fn end(&mut self, bounds: &Bounds, out: &mut Vec<u8>) -> Result<(), Violation> {
        let before = out.len();
        self.run(&TAIL, bounds, out)?;
        if !self.takeover {
            // and shows that it may, where the window need not be kept
            self.run(&END, bounds, out)?;
            if !self.ended {
                return Err(Violation::NotDeflate);
            }
        }
        // else it was the inside of a block
        if out.len() == before { Ok(()) } else { Err(Violation::NotDeflate) }
    }

    fn run(&mut self, mut input: &[u8], bounds: &Bounds, out: &mut Vec<u8>) -> Result<(), Violation> {
        let most = self.most(bounds);
        let room = most.saturating_sub(self.gave);
        // a lent buffer may have some room: too little would mean to copy all of it half-way
        let guess = (GUESS * input.len()).max(64);
        if out.capacity() - out.len() < guess {
            grow(out, guess, room);
        }
        loop {
            let (came, gave) = (self.zlib.total_in(), out.len());
            let status =
                self.zlib.decompress_vec(input, out, FlushDecompress::Sync).map_err(|_| Violation::NotDeflate)?;
            let taken = (self.zlib.total_in() - came) as usize;
            input = &input[taken..];
            self.ended &= taken == 0;
            let length = self.gave + out.len() as u64;
            if length > most {
                return Err(self.too_much(length, bounds));
            }
            if status == Status::StreamEnd {
                self.ended = input.is_empty();
                // RFC 7692 §7.2.3.4: a block may be the last one; what follows begins anew, as in any inflater
                self.zlib.reset(false);
                if input.is_empty() {
                    return Ok(());
                }
            } else if out.len() == out.capacity() {
                let more = out.len();
                grow(out, more, room);
            } else if input.is_empty() {
                return Ok(());
            } else if taken == 0 && out.len() == gave {
                return Err(Violation::NotDeflate);
            }
        }
    }

    /// What the message may inflate to, as far as is known by now.
    fn most(&self, bounds: &Bounds) -> u64 {
        let by_ratio = self.came.saturating_mul(bounds.ratio.into()).max(RATIO_FROM);
        bounds.max_message.map_or(by_ratio, |max| by_ratio.min(max.into()))
    }

    fn too_much(&self, length: u64, bounds: &Bounds) -> Violation {
        match bounds.max_message {
            Some(limit) if length > limit.into() => Violation::MessageTooLong { length, limit },
            _ => Violation::InflatesTooMuch { ratio: bounds.ratio },
        }
    }
}

/// Makes room for `more` bytes, but not beyond one more than `most`: that one shows that it is too much.
fn grow(out: &mut Vec<u8>, more: usize, most: u64) {
    let left = (most + 1).saturating_sub(out.len() as u64);
    out.reserve_exact(usize::try_from(left).map_or(more, |left| more.min(left)).max(1));
}
