//! Batches: what finds no room waits, in its order.
#![allow(missing_docs, clippy::unwrap_used)]

use h2ws_jni::batch::{Batch, JOINED};
use h2ws_jni::record::{Head, Kind, LAYOUT, PAYLOAD, first_length, length};

fn head(number: u32) -> Head {
    Head { kind: Kind::Message, flags: 1, code: 0x0203, stream: 4, context: 5, number }
}

/// A batch with buffers of its own.
#[derive(Default)]
struct Lender {
    batch: Batch,
    buffer: Vec<u8>,
}

impl Lender {
    fn begin(&mut self, room: usize) -> &mut Batch {
        self.batch.end();
        // what was there before is not to be taken for records
        self.buffer = vec![0xaa; room];
        // SAFETY: it is touched again behind the end only
        unsafe { self.batch.begin(&mut self.buffer) };
        &mut self.batch
    }
}

/// The numbers of the records in it.
fn numbers(batch: &Batch) -> Vec<u32> {
    let (mut rest, mut numbers) = (batch.records(), Vec::new());
    while let Some(length) = first_length(rest) {
        numbers.push(u32::from_ne_bytes(rest[28..32].try_into().unwrap()));
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
    numbers
}

#[test]
fn a_record_is_laid_out_as_java_is_told() {
    let mut lender = Lender::default();
    let batch = lender.begin(1024);
    batch.push(
        Head { kind: Kind::Closed, flags: 9, code: 1006, stream: 1 << 60, context: 77, number: 8 },
        &[b"ab", b"c"],
    );
    let record = batch.records();
    let at = |index: usize| LAYOUT[index] as usize;
    assert_eq!(record.len(), length(3));
    assert_eq!(record.len() % 8, 0);
    assert_eq!(record[at(1)..at(1) + 4], (record.len() as u32).to_ne_bytes());
    assert_eq!((record[at(2)], record[at(3)]), (7, 9));
    assert_eq!(record[at(4)..at(4) + 2], 1006u16.to_ne_bytes());
    assert_eq!(record[at(5)..at(5) + 8], (1u64 << 60).to_ne_bytes());
    assert_eq!(record[at(6)..at(6) + 8], 77u64.to_ne_bytes());
    assert_eq!(record[at(7)..at(7) + 4], 3u32.to_ne_bytes());
    assert_eq!(record[at(8)..at(8) + 4], 8u32.to_ne_bytes());
    assert_eq!(record[at(0)..], *b"abc\0\0\0\0\0");
}

#[test]
fn what_finds_no_room_waits_in_its_order() {
    let mut lender = Lender::default();
    let batch = lender.begin(3 * length(8));
    assert!(!batch.full());
    for number in 0..7 {
        batch.push(head(number), &[&[0; 8]]);
    }
    assert!(batch.full());
    // shorter, and it would fit: but not before its turn
    batch.push(head(7), &[]);
    assert_eq!(numbers(batch), [0, 1, 2]);
    for expected in [&[3, 4, 5][..], &[6, 7]] {
        let batch = lender.begin(3 * length(8));
        batch.refill().unwrap();
        assert_eq!(numbers(batch), expected);
    }
    let batch = lender.begin(3 * length(8));
    assert!(!batch.waits() && !batch.full());
}

#[test]
fn a_record_larger_than_the_buffer_says_how_large() {
    let mut lender = Lender::default();
    let batch = lender.begin(64);
    batch.push(head(1), &[&[0; 1000]]);
    assert!(batch.records().is_empty() && batch.waits());
    let batch = lender.begin(64);
    assert_eq!(batch.refill(), Err(length(1000)));
    let batch = lender.begin(length(1000));
    batch.refill().unwrap();
    assert_eq!(numbers(batch), [1]);
}

#[test]
fn a_record_that_is_cut_is_none() {
    let mut lender = Lender::default();
    let batch = lender.begin(1024);
    batch.push(head(1), &[b"abc"]);
    let record = batch.records();
    for cut in 0..record.len() {
        assert_eq!(first_length(&record[..cut]), None, "{cut} bytes");
    }
    let mut short = record.to_vec();
    short[..4].copy_from_slice(&(PAYLOAD as u32 - 8).to_ne_bytes());
    assert_eq!(first_length(&short), None, "shorter than its own head");
}

/// Flags 1: text, 2: the first, 4: the last.
fn part(stream: u64, flags: u8) -> Head {
    Head { kind: Kind::Fragment, flags: 1 | flags, code: 0, stream, context: 9, number: 0 }
}

/// Stream, flags and payload of each record.
fn parts(batch: &Batch) -> Vec<(u64, u8, Vec<u8>)> {
    let (mut rest, mut parts) = (batch.records(), Vec::new());
    while let Some(length) = first_length(rest) {
        let size = u32::from_ne_bytes(rest[24..28].try_into().unwrap()) as usize;
        assert_eq!(length, h2ws_jni::record::length(size));
        let stream = u64::from_ne_bytes(rest[8..16].try_into().unwrap());
        parts.push((stream, rest[5], rest[PAYLOAD..PAYLOAD + size].to_vec()));
        assert!(rest[PAYLOAD + size..length].iter().all(|byte| *byte == 0), "what is behind it is padding");
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
    parts
}

#[test]
fn parts_of_a_message_that_come_together_are_one() {
    let mut lender = Lender::default();
    let batch = lender.begin(1024);
    assert!(!batch.extend(part(1, 0), b"x"), "nothing is there yet");
    batch.push(part(1, 2), &[b"first"]);
    for more in [&b"more"[..], b"", b"and more"] {
        assert!(batch.extend(part(1, 0), more));
    }
    assert!(batch.extend(part(1, 4), b"last"));
    assert!(!batch.extend(part(1, 0), b"behind the last"));
    assert_eq!(parts(batch), [(1, 7, b"firstmoreand morelast".to_vec())]);
}

#[test]
fn parts_of_others_and_of_the_next_message_stay_apart() {
    let mut lender = Lender::default();
    let batch = lender.begin(1024);
    batch.push(part(1, 2), &[b"a"]);
    assert!(!batch.extend(part(2, 0), b"another stream's"));
    assert!(!batch.extend(part(1, 2), b"another message's"));
    assert!(!batch.extend(Head { kind: Kind::Body, ..part(1, 0) }, b"no part"));
    batch.push(part(2, 0), &[b"b"]);
    assert!(!batch.extend(part(1, 0), b"not the last record"));
    batch.push(Head { kind: Kind::Body, ..part(1, 0) }, &[b"c"]);
    assert!(!batch.extend(part(1, 0), b"no part before"));
    assert_eq!(parts(batch).len(), 3);
}

#[test]
fn parts_are_joined_up_to_a_limit() {
    let mut lender = Lender::default();
    let batch = lender.begin(4 * JOINED);
    batch.push(part(1, 2), &[&[1; 10]]);
    assert!(batch.extend(part(1, 0), &vec![2; JOINED - 10]));
    assert!(!batch.extend(part(1, 0), b"3"));
    batch.push(part(1, 0), &[b"3"]);
    assert!(!batch.extend(part(1, 0), &vec![4; JOINED]));
    assert_eq!(parts(batch).iter().map(|(_, _, bytes)| bytes.len()).collect::<Vec<_>>(), [JOINED, 1]);
}

#[test]
fn a_part_for_which_there_is_no_room_stays_apart() {
    let mut lender = Lender::default();
    let batch = lender.begin(length(12));
    batch.push(part(1, 2), &[b"0123"]);
    assert!(batch.extend(part(1, 0), b"45678"), "its padding is room");
    assert!(!batch.extend(part(1, 0), &[7; 8]));
    assert_eq!(parts(batch), [(1, 3, b"012345678".to_vec())], "as it was");
    batch.push(part(1, 0), &[&[7; 8]]);
    assert!(!batch.extend(part(1, 0), b"9"), "records keep their order");
    let batch = lender.begin(1024);
    batch.refill().unwrap();
    assert!(!batch.extend(part(1, 0), b"x"), "of several that waited the last is not known");
    batch.push(part(1, 0), &[b"y"]);
    assert!(batch.extend(part(1, 4), b"z"));
    assert_eq!(parts(batch), [(1, 1, vec![7; 8]), (1, 5, b"yz".to_vec())]);
}

#[test]
fn records_are_written_where_java_looks() {
    let mut batch = Batch::default();
    let mut buffer = vec![0xaa; length(3) + 8];
    // SAFETY: it is touched again behind the end only
    unsafe { batch.begin(&mut buffer) };
    batch.push(head(1), &[b"abc"]);
    assert_eq!(batch.end(), length(3));
    assert_eq!(buffer[PAYLOAD..], *b"abc\0\0\0\0\0\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa");
}

#[test]
fn what_is_told_outside_of_a_poll_waits_for_the_next() {
    let mut lender = Lender::default();
    lender.batch.push(head(1), &[]);
    assert!(lender.batch.waits() && lender.batch.full());
    assert_eq!(lender.batch.end(), 0);
    let batch = lender.begin(1024);
    batch.push(head(2), &[]);
    batch.refill().unwrap();
    assert_eq!(numbers(batch), [1, 2]);
    assert!(!batch.waits());
}
