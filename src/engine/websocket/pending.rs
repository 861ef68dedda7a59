//! What a socket has received and its host has not asked for yet.

use crate::proto::frame::MessageKind;
use crate::proto::receive::{COMPRESSED_PART, Violation};
use std::collections::VecDeque;

/// What waits for the host's demand, compressed messages as they came. Each record costs less memory than it took on the
/// wire: 5 bytes of head here, [`HEAD`] at least there.
#[derive(Debug, Default)]
pub(super) struct Pending {
    records: VecDeque<Record>,
    bytes: VecDeque<u8>,
    /// What the peer did wrong after all that, or that it ended: for when the host has had its turn.
    pub(super) last: Option<Last>,
}

/// The shortest head of a client's frame, bytes.
const HEAD: u32 = 6;

/// After which nothing is received.
#[derive(Debug)]
pub(super) enum Last {
    Violation(Violation),
    End,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    what: What,
    len: u32,
}

/// What came, before its compression is undone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    Message(MessageKind),
    Fragment { kind: MessageKind, first: bool, last: bool },
    Compressed(MessageKind),
    CompressedPart { kind: MessageKind, last: bool },
    Close(Option<u16>),
}

impl Pending {
    pub(super) fn hold(&mut self, what: What, payload: &[u8]) {
        self.bytes.extend(payload);
        // parts of one message become one part: a peer that sends single bytes must not cost a record for each
        match (what, self.records.back_mut()) {
            (
                What::Fragment { first: false, last, .. },
                Some(Record { what: What::Fragment { last: end @ false, .. }, len }),
            )
            | (
                What::CompressedPart { last, .. },
                Some(Record { what: What::CompressedPart { last: end @ false, .. }, len }),
            ) => {
                *end = last;
                *len += payload.len() as u32;
                return;
            }
            _ => {}
        }
        self.records.push_back(Record { what, len: payload.len() as u32 });
    }

    /// There are records, beside what may be the last.
    pub(super) fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.last.is_none()
    }

    /// The first record, unless it `waits`, with its payload in the buffer; and how many bytes of the wire it frees.
    pub(super) fn take(&mut self, waits: impl FnOnce(What) -> bool, payload: &mut Vec<u8>) -> Option<(What, u32)> {
        let record = self.records.front_mut()?;
        if waits(record.what) {
            return None;
        }
        let mut what = record.what;
        let mut take = record.len as usize;
        let mut freed: u32 = 0;
        // not more at once than the receiver gives
        if let What::CompressedPart { last, .. } = &mut what
            && take > COMPRESSED_PART
        {
            (take, *last) = (COMPRESSED_PART, false);
            record.len -= take as u32;
        } else {
            self.records.pop_front();
            freed = HEAD;
        }
        freed = freed.saturating_add(take as u32);
        payload.clear();
        let (front, back) = self.bytes.as_slices();
        let n = front.len().min(take);
        payload.extend_from_slice(&front[..n]);
        payload.extend_from_slice(&back[..take - n]);
        self.bytes.drain(..take);
        Some((what, freed))
    }
}
