//! Batches of records: whatever is pushed comes out whole, once, in its order, parts perhaps joined, and never more than there is room
//! for.
#![no_main]

use h2ws_jni::batch::{Batch, JOINED};
use h2ws_jni::record::{self, Head, Kind, PAYLOAD};
use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;

const KINDS: [Kind; 11] = [
    Kind::Request,
    Kind::Body,
    Kind::Message,
    Kind::Fragment,
    Kind::Control,
    Kind::Writable,
    Kind::Closed,
    Kind::Log,
    Kind::Fallback,
    Kind::Disconnected,
    Kind::Duplex,
];

/// No buffer is larger: that has room for 65,535 bytes, and for each record.
const MOST: usize = 1 << 16;

/// Reads a record as Java does: by the offsets of the layout.
fn read(record: &[u8]) -> (Head, &[u8]) {
    let [payload, _, kind, flags, code, stream, context, size, number] = record::LAYOUT.map(|offset| offset as usize);
    let u32_at = |at: usize| u32::from_ne_bytes(record[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
    let head = Head {
        kind: KINDS[record[kind] as usize - 1],
        flags: record[flags],
        code: u16::from_ne_bytes(record[code..code + 2].try_into().unwrap()),
        stream: u64_at(stream),
        context: u64_at(context),
        number: u32_at(number),
    };
    (head, &record[payload..payload + u32_at(size) as usize])
}

fn drain(batch: &Batch, room: usize, expected: &mut VecDeque<(Head, Vec<u8>)>) {
    let mut rest = batch.records();
    assert!(rest.len() <= room, "{} bytes for a buffer of {room}", rest.len());
    while let Some(length) = record::first_length(rest) {
        assert!(length >= PAYLOAD && length % 8 == 0);
        let (head, payload) = read(&rest[..length]);
        let (wanted, bytes) = expected.pop_front().expect("nothing comes that was not pushed");
        assert_eq!((head, payload), (wanted, &bytes[..]));
        rest = &rest[length..];
    }
    assert!(rest.is_empty(), "{} bytes are no record", rest.len());
}

fuzz_target!(|input: &[u8]| {
    let mut batch = Batch::default();
    let mut expected: VecDeque<(Head, Vec<u8>)> = VecDeque::new();
    let mut room = 256;
    let mut buffer = vec![0; MOST];
    let at = buffer.as_mut_ptr();
    // SAFETY: the buffer outlives the batch, is never shorter than `room`, and only the batch touches it
    let begin = |batch: &mut Batch, room: usize| unsafe { batch.begin(std::slice::from_raw_parts_mut(at, room)) };
    begin(&mut batch, room);
    for chunk in input.chunks(5) {
        let &[op, kind, a, b, fill] = chunk else { break };
        let n = usize::from(a) << 8 | usize::from(b);
        if op % 4 == 1 {
            // a part of a message, which may be joined to the one before
            let (flags, stream) = (a & 7, u64::from(kind % 2));
            let head = Head { kind: Kind::Fragment, flags, code: 0, stream, context: 9, number: 0 };
            let payload = vec![fill; n % 5000];
            if batch.extend(head, &payload) {
                let (whole, bytes) = expected.back_mut().expect("a part to be joined to");
                assert_eq!(
                    (whole.kind, whole.stream, whole.flags & 4),
                    (Kind::Fragment, stream, 0),
                    "a message goes on"
                );
                assert_eq!(flags & 2, 0, "it does not begin");
                whole.flags |= flags;
                bytes.extend(payload);
                assert!(bytes.len() <= JOINED);
            } else {
                batch.push(head, &[&payload]);
                expected.push_back((head, payload));
            }
            continue;
        }
        if op % 4 != 0 {
            let head = Head {
                kind: KINDS[usize::from(kind) % KINDS.len()],
                flags: a,
                code: n as u16,
                stream: u64::from(fill) << 56 | n as u64,
                context: u64::from(kind) << 40,
                number: u32::from(b) << 24,
            };
            let payload = vec![fill; n % 5000];
            let (first, second) = payload.split_at(payload.len() / 3);
            batch.push(head, &[first, &[], second]);
            expected.push_back((head, payload));
            continue;
        }
        drain(&batch, room, &mut expected);
        room = n;
        begin(&mut batch, room);
        while batch.waits() {
            match batch.refill() {
                Ok(()) => {
                    assert!(!batch.records().is_empty(), "what waits has been moved");
                    drain(&batch, room, &mut expected);
                }
                Err(needed) => {
                    assert!(needed > room, "{needed} bytes fit into {room}");
                    room = needed;
                }
            }
            begin(&mut batch, room);
        }
        assert!(expected.is_empty(), "{} records are lost", expected.len());
    }
});
