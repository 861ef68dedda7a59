//! The buffers of what waits to be sent, and the contexts to compress it with, shared by the sockets of a loop: an idle socket has
//! none.

use super::deflate::Contexts;
use super::shared::Shared;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// A payload of this size is not gathered with others; a gathering buffer is sealed at this size.
pub(crate) const LARGE: usize = 16 << 10;
/// A buffer to gather in has no more room than this; that of a large payload may.
pub(super) const GATHERING: usize = 2 * LARGE;
/// Buffers to gather in that a pool keeps.
const POOLED: usize = 64;
/// The largest buffer for one large payload that a pool keeps, and the bytes of all of them.
const POOLED_LARGE: usize = 512 << 10;
const POOLED_LARGE_SUM: usize = 4 << 20;

/// The pool of a loop.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) contexts: Contexts,
    /// The message that the host has been lent, if it is large: what it sends of it is sent from there.
    pub(crate) lent: Option<Rc<Vec<u8>>>,
    pub(super) buffers: Vec<Vec<u8>>,
    pub(super) large: Vec<Vec<u8>>,
    large_sum: usize,
}

impl Pool {
    pub(crate) fn new(shared: &Arc<Shared>, of_loop: usize) -> Self {
        Self {
            contexts: Contexts::new(shared, of_loop),
            lent: None,
            buffers: Vec::new(),
            large: Vec::new(),
            large_sum: 0,
        }
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// A buffer for a large payload. Asking the system for fresh pages costs as much as filling them.
    pub(super) fn take_large(&mut self, room: usize) -> Vec<u8> {
        match self.large.iter().rposition(|b| (room..=4 * room).contains(&b.capacity())) {
            Some(i) => {
                let buffer = self.large.swap_remove(i);
                self.large_sum -= buffer.capacity();
                buffer
            }
            None => Vec::with_capacity(room),
        }
    }

    /// What the host sends, where it lies in what it was lent. A small part of that is copied: it would keep all of it.
    pub(super) fn of_lent(&self, bytes: &[u8]) -> Option<Piece> {
        let lent = self.lent.as_ref().filter(|lent| bytes.len() >= lent.capacity() / 2)?;
        let (all, part) = (lent.as_ptr_range(), bytes.as_ptr_range());
        if part.start < all.start || part.end > all.end {
            return None;
        }
        let start = part.start.addr() - all.start.addr();
        Some(Piece { buffer: Buffer::Lent(Rc::clone(lent)), range: start..start + bytes.len() })
    }

    /// What was held of a buffer has been sent.
    pub(crate) fn recycle_piece(&mut self, piece: Piece) {
        self.recycle(piece.buffer);
    }

    pub(super) fn recycle(&mut self, buffer: Buffer) {
        match buffer {
            Buffer::Own(own) => self.give(own),
            // others may send it too
            Buffer::Lent(lent) => Rc::try_unwrap(lent).into_iter().for_each(|own| self.give(own)),
        }
    }

    pub(super) fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > GATHERING {
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

#[derive(Debug)]
pub(super) enum Buffer {
    Own(Vec<u8>),
    /// The message of which the host has sent this, which it may have sent to several sockets.
    Lent(Rc<Vec<u8>>),
}

/// A buffer, of which a part is sent.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(super) buffer: Buffer,
    pub(super) range: Range<usize>,
}

impl Piece {
    pub(super) fn own(buffer: Vec<u8>, start: usize) -> Self {
        let range = start..buffer.len();
        Self { buffer: Buffer::Own(buffer), range }
    }

    /// `n` bytes of it from `start` on, held beside it.
    pub(super) fn share(&mut self, start: usize, n: usize) -> Self {
        if let Buffer::Own(own) = &mut self.buffer {
            self.buffer = Buffer::Lent(Rc::new(std::mem::take(own)));
        }
        let Buffer::Lent(lent) = &self.buffer else { unreachable!("it has just been made so") };
        let start = self.range.start + start;
        Self { buffer: Buffer::Lent(Rc::clone(lent)), range: start..start + n }
    }

    /// Whether both are parts of one buffer.
    pub(crate) fn is_of_buffer_of(&self, other: &Self) -> bool {
        matches!((&self.buffer, &other.buffer), (Buffer::Lent(one), Buffer::Lent(two)) if Rc::ptr_eq(one, two))
    }

    /// Bytes that are held for its sake.
    pub(crate) fn buffer_size(&self) -> usize {
        match &self.buffer {
            Buffer::Own(own) => own.capacity(),
            Buffer::Lent(lent) => lent.capacity(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.buffer {
            Buffer::Own(own) => &own[self.range.clone()],
            Buffer::Lent(lent) => &lent[self.range.clone()],
        }
    }
}
