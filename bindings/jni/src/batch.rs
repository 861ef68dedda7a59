//! What a loop has to tell Java: records in the buffer that Java gave to `poll`, and those that found no room there.

use crate::record::{self, Head};
use std::ptr::NonNull;

/// Parts of a message are joined up to so many bytes: what a program has asked for, some parts, is not much more memory for that.
pub const JOINED: usize = 128 << 10;

/// A batch of records.
///
/// Its bound: the engine asks [`Self::full`] before it reads and after each message, so that beyond the buffer there is one
/// event for each connection of the loop, and what is told of ends.
#[derive(Debug, Default)]
pub struct Batch {
    /// Java's buffer, where records are written at once: a large message is copied no more often than has to be.
    lent: Option<Lent>,
    /// Records that wait for the next poll. Begins at `taken`.
    waiting: Vec<u8>,
    taken: usize,
}

/// Memory that is someone else's, for a while.
#[derive(Debug)]
struct Lent {
    at: NonNull<[u8]>,
    /// How much of it has records.
    used: usize,
    /// Where the last one begins, if one was written in this poll.
    last: Option<usize>,
}

impl Lent {
    fn room(&self) -> usize {
        self.at.len() - self.used
    }

    /// The next `length` bytes; there has to be room.
    fn next(&mut self, length: usize) -> &mut [u8] {
        // SAFETY: whoever lent it touches none of it meanwhile, and what this gives is borrowed from us
        let all = unsafe { self.at.as_mut() };
        let next = &mut all[self.used..self.used + length];
        self.last = Some(self.used);
        self.used += length;
        next
    }

    /// The last record, and as much of what is behind it as makes it `length` bytes long; if there is so much room.
    fn last(&mut self, length: usize) -> Option<&mut [u8]> {
        let last = self.last?;
        // SAFETY: as for `next`
        let all = unsafe { self.at.as_mut() };
        all.get_mut(last..last + length)
    }

    /// The last record, as long as it is.
    fn last_written(&mut self) -> Option<&mut [u8]> {
        self.last(self.used - self.last?)
    }
}

impl Batch {
    /// A poll begins, whose records go into `buffer`.
    ///
    /// # Safety
    /// Until [`Self::end`] or the next call of this, or until the batch is dropped, the buffer stays where it is, and is read
    /// by [`Self::records`] only.
    pub unsafe fn begin(&mut self, buffer: &mut [u8]) {
        self.lent = Some(Lent { at: NonNull::from(buffer), used: 0, last: None });
    }

    /// The poll is over: the buffer is its owner's again. How much of it is records.
    pub fn end(&mut self) -> usize {
        self.lent.take().map_or(0, |lent| lent.used)
    }

    /// Appends a record.
    pub fn push(&mut self, head: Head, parts: &[&[u8]]) {
        let length = record::length(parts.iter().map(|part| part.len()).sum());
        // behind what waits, whatever room there is: records keep their order
        let waits = self.waits();
        match &mut self.lent {
            Some(lent) if !waits && length <= lent.room() => head.write(lent.next(length), parts),
            _ => head.append(&mut self.waiting, parts),
        }
    }

    /// Appends a part of a message to the record of the part before it, if that is the last one and there is room, up to [`JOINED`]
    /// bytes. Otherwise nothing is done.
    pub fn extend(&mut self, head: Head, part: &[u8]) -> bool {
        if self.waits() {
            return false;
        }
        let Some(lent) = &mut self.lent else { return false };
        let Some(size) = lent.last_written().and_then(|record| record::followed_by(record, head)) else { return false };
        if size + part.len() > JOINED {
            return false;
        }
        let length = record::length(size + part.len());
        let Some(record) = lent.last(length) else { return false };
        head.extend(record, size, part);
        lent.used = lent.last.unwrap_or(0) + length;
        true
    }

    /// Whether Java should take what there is before there is more.
    pub fn full(&self) -> bool {
        self.waits() || self.lent.as_ref().is_none_or(|lent| lent.room() <= lent.at.len() / 4)
    }

    /// Records have found no room.
    pub fn waits(&self) -> bool {
        self.taken < self.waiting.len()
    }

    /// Moves what waits into the buffer, as far as there is room. `Err`: not even the first record fits, which is so long.
    pub fn refill(&mut self) -> Result<(), usize> {
        let room = self.lent.as_ref().map_or(0, Lent::room);
        let mut end = self.taken;
        while let Some(length) = record::first_length(&self.waiting[end..]) {
            if end - self.taken + length > room {
                break;
            }
            end += length;
        }
        if end == self.taken {
            return match record::first_length(&self.waiting[end..]) {
                Some(length) => Err(length),
                None => Ok(()),
            };
        }
        if let Some(lent) = &mut self.lent {
            lent.next(end - self.taken).copy_from_slice(&self.waiting[self.taken..end]);
            // it was several
            lent.last = None;
        }
        self.taken = end;
        if !self.waits() {
            // a message of many MiB need not stay
            self.waiting = Vec::new();
            self.taken = 0;
        }
        Ok(())
    }

    /// The records of this poll.
    pub fn records(&self) -> &[u8] {
        let Some(lent) = &self.lent else { return &[] };
        // SAFETY: as for `next`
        let all = unsafe { lent.at.as_ref() };
        &all[..lent.used]
    }
}
