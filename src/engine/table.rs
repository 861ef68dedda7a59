//! The part of each stream's and connection's state that any thread may read: whether the handle is alive,
//! what may be done with it now, and how much waits to be sent. The loop that owns the object writes it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// The bits of a handle: `| loop 6 | connection? 1 | slot 25 | generation 32 |`.
const SLOT_BITS: u32 = 25;
/// Slots of one loop, for streams and connections together.
pub(crate) const MAX_SLOTS: u32 = 1 << SLOT_BITS;
/// Slots of the first chunk; each further chunk doubles what there is.
const FIRST_CHUNK: u32 = 256;
const CHUNKS: usize = (SLOT_BITS - FIRST_CHUNK.trailing_zeros() + 1) as usize;

/// A handle, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) of_loop: usize,
    pub(crate) connection: bool,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl Parts {
    pub(crate) fn of(raw: u64) -> Self {
        Self {
            of_loop: (raw >> 58) as usize,
            connection: raw >> 57 & 1 == 1,
            slot: (raw >> 32) as u32 & (MAX_SLOTS - 1),
            generation: raw as u32,
        }
    }

    pub(crate) fn raw(self) -> u64 {
        (self.of_loop as u64) << 58
            | u64::from(self.connection) << 57
            | u64::from(self.slot) << 32
            | u64::from(self.generation)
    }
}

/// How far an exchange is, as far as the host can tell. Whoever moves it on first wins.
pub(crate) mod phase {
    /// The host has not answered.
    pub(crate) const UNDECIDED: u8 = 0;
    /// Accepted, or a response head was given: data may be sent.
    pub(crate) const OPEN: u8 = 1;
    /// Closed by the host, or its response is complete: nothing more may be sent.
    pub(crate) const FINISHED: u8 = 2;
}

/// One object's shared state.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Odd-or-even does not matter: the slot is alive for handles with exactly this generation. 0: free.
    generation: AtomicU32,
    /// Bytes waiting in the stream's send queue.
    pub(crate) queued: AtomicU32,
    /// Operations waiting in the loop's command queue for this stream: while there are any, the loop's own go that way
    /// too, so that what was said first is done first.
    pub(crate) posted: AtomicU32,
    /// The bytes of those.
    pub(crate) in_flight: AtomicU32,
    /// One of [`phase`].
    pub(crate) phase: AtomicU8,
    /// It is a WebSocket handshake or a WebSocket.
    pub(crate) websocket: AtomicBool,
    /// The kind of the message that the host sends in fragments: 0 none, 1 text, 2 binary.
    pub(crate) fragments: AtomicU8,
    /// `Busy` was said and `writable` is owed.
    pub(crate) owed: AtomicBool,
    /// What other threads say of it does not wake its loop.
    pub(crate) corked: AtomicBool,
}

impl Slot {
    pub(crate) fn alive(&self, generation: u32) -> bool {
        generation != 0 && self.generation.load(Ordering::Acquire) == generation
    }

    /// Makes the send queue's length known to all threads. True: `writable` was owed and is due.
    #[inline]
    pub(crate) fn publish(&self, queued: usize, cap: usize) -> bool {
        self.queued.store(queued as u32, Ordering::Release);
        queued <= cap / 2 && self.owed.load(Ordering::Acquire) && self.owed.swap(false, Ordering::AcqRel)
    }

    /// Moves the phase on; false if it was not `from`.
    pub(crate) fn advance(&self, from: u8, to: u8) -> bool {
        self.phase.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// All slots of a loop. Grows by chunks that never move.
#[derive(Debug)]
pub(crate) struct Table {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
}

impl Default for Table {
    fn default() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }
}

/// Which chunk, and where in it.
fn place(slot: u32) -> (usize, usize) {
    if slot < FIRST_CHUNK {
        return (0, slot as usize);
    }
    let chunk = slot.ilog2() - FIRST_CHUNK.ilog2() + 1;
    (chunk as usize, (slot - (FIRST_CHUNK << (chunk - 1))) as usize)
}

impl Table {
    /// A slot that may be free; `None` if there never was one of this number.
    pub(crate) fn slot(&self, slot: u32) -> Option<&Slot> {
        let (chunk, at) = place(slot);
        self.chunks.get(chunk)?.get()?.get(at)
    }

    /// The slot, making room up to it.
    fn make(&self, slot: u32) -> &Slot {
        let (chunk, at) = place(slot);
        let len = if chunk == 0 { FIRST_CHUNK } else { FIRST_CHUNK << (chunk - 1) };
        &self.chunks[chunk].get_or_init(|| (0..len).map(|_| Slot::default()).collect())[at]
    }
}

/// What the loop itself knows of its slots: which are free, and what a slot is.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

/// What a slot stands for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    generation: u32,
    alive: bool,
    /// The connection's key in the loop.
    pub(crate) connection: u32,
    /// The stream's key in the connection; unused for a connection's own slot.
    pub(crate) stream: u32,
}

impl Slots {
    /// Takes a slot. `None` if all are taken.
    pub(crate) fn take(
        &mut self,
        table: &Table,
        of_loop: usize,
        is_connection: bool,
        connection: u32,
        stream: u32,
    ) -> Option<Parts> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if (self.entries.len() as u32) < MAX_SLOTS => {
                self.entries.push(Entry::default());
                self.entries.len() as u32 - 1
            }
            None => return None,
        };
        let entry = &mut self.entries[slot as usize];
        entry.generation += 1;
        entry.alive = true;
        entry.connection = connection;
        entry.stream = stream;
        let shared = table.make(slot);
        shared.queued.store(0, Ordering::Relaxed);
        shared.posted.store(0, Ordering::Relaxed);
        shared.in_flight.store(0, Ordering::Relaxed);
        shared.phase.store(phase::UNDECIDED, Ordering::Relaxed);
        shared.websocket.store(false, Ordering::Relaxed);
        shared.fragments.store(0, Ordering::Relaxed);
        shared.owed.store(false, Ordering::Relaxed);
        shared.corked.store(false, Ordering::Relaxed);
        shared.generation.store(entry.generation, Ordering::Release);
        Some(Parts { of_loop, connection: is_connection, slot, generation: entry.generation })
    }

    /// Gives a slot back. One whose generations are used up is never given out again, so that no handle
    /// ever names two things.
    pub(crate) fn give_back(&mut self, table: &Table, slot: u32) {
        if let Some(shared) = table.slot(slot) {
            shared.generation.store(0, Ordering::Release);
        }
        self.entries[slot as usize].alive = false;
        if self.entries[slot as usize].generation < u32::MAX {
            self.free.push(slot);
        }
    }

    /// What a live handle stands for.
    #[inline]
    pub(crate) fn find(&self, parts: Parts) -> Option<Entry> {
        let entry = *self.entries.get(parts.slot as usize)?;
        (entry.alive && entry.generation == parts.generation).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_survives_being_taken_apart() {
        for parts in [
            Parts { of_loop: 0, connection: false, slot: 0, generation: 1 },
            Parts { of_loop: 63, connection: true, slot: MAX_SLOTS - 1, generation: u32::MAX },
        ] {
            assert_eq!(Parts::of(parts.raw()), parts);
        }
    }

    #[test]
    fn chunks_cover_every_slot_once() {
        let mut next = (0, 0);
        for slot in 0..100_000 {
            let (chunk, at) = place(slot);
            assert!((chunk, at) == next || (chunk, at) == (next.0 + 1, 0), "slot {slot}");
            next = (chunk, at + 1);
        }
        assert_eq!(place(MAX_SLOTS - 1).0, CHUNKS - 1);
    }

    #[test]
    fn a_stale_handle_finds_nothing() {
        let table = Table::default();
        let mut slots = Slots::default();
        let old = slots.take(&table, 0, false, 1, 2).expect("room");
        assert!(slots.find(old).is_some());
        slots.give_back(&table, old.slot);
        assert!(slots.find(old).is_none());
        let new = slots.take(&table, 0, false, 3, 4).expect("room");
        assert_eq!(new.slot, old.slot, "slots are used again");
        assert!(slots.find(old).is_none(), "handles are not");
        assert_eq!(slots.find(new).expect("alive").connection, 3);
    }

    #[test]
    fn a_slot_without_generations_left_is_retired() {
        let table = Table::default();
        let mut slots = Slots::default();
        let first = slots.take(&table, 0, false, 0, 0).expect("room");
        slots.entries[first.slot as usize].generation = u32::MAX;
        slots.give_back(&table, first.slot);
        let next = slots.take(&table, 0, false, 0, 0).expect("room");
        assert_ne!(next.slot, first.slot);
    }
}
