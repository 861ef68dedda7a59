//! What a loop has to tell Java: records in the buffer that Java gave to `poll`, and those that found no room there.

use crate::record::{self, Head};

/// A batch of records.
///
/// Its bound: the engine asks [`Self::full`] before it reads and after each message, so that beyond the buffer there is one
/// event for each connection of the loop, and what is told of ends.
#[derive(Debug, Default)]
pub struct Batch {
    /// What Java will see; empty outside of a poll.
    buffer: Vec<u8>,
    /// How much of it Java's buffer has room for.
    room: usize,
    /// Records that wait for the next poll. Begins at `taken`.
    waiting: Vec<u8>,
    taken: usize,
}

impl Batch {
    /// A poll begins, whose buffer is so large.
    pub fn begin(&mut self, room: usize) {
        self.buffer.clear();
        self.room = room;
    }

    /// Appends a record.
    pub fn push(&mut self, head: Head, parts: &[&[u8]]) {
        let length = record::length(parts.iter().map(|part| part.len()).sum());
        // behind what waits, whatever room there is: records keep their order
        let into =
            if self.waits() || self.buffer.len() + length > self.room { &mut self.waiting } else { &mut self.buffer };
        head.append(into, parts);
    }

    /// Whether Java should take what there is before there is more.
    pub fn full(&self) -> bool {
        self.waits() || self.buffer.len() >= self.room - self.room / 4
    }

    /// Records have found no room.
    pub fn waits(&self) -> bool {
        self.taken < self.waiting.len()
    }

    /// Moves what waits into the buffer, as far as there is room. `Err`: not even the first record fits, which is so long.
    pub fn refill(&mut self) -> Result<(), usize> {
        let mut end = self.taken;
        while let Some(length) = record::first_length(&self.waiting[end..]) {
            if self.buffer.len() + (end - self.taken) + length > self.room {
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
        self.buffer.extend_from_slice(&self.waiting[self.taken..end]);
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
        &self.buffer
    }
}
