//! Compressed messages (RFC 7692 §7.2): its examples byte for byte, what breaks the rules, limits, round trips.

use super::{WHOLE, frame};
use crate::proto::deflate::{Bounds, Deflater, Inflater};
use crate::proto::frame::MessageKind;
use crate::proto::receive::{COMPRESSED_PART, Received, Receiver, Rules, Violation};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds { max_message: Some(1 << 20), ratio: 1000 };
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn inflate(inflater: &mut Inflater, message: &[u8]) -> Result<Vec<u8>, Violation> {
    let mut out = b"left by the message before".to_vec();
    inflater.inflate(message, true, &BOUNDS, &mut out).map(|()| out)
}

/// With a new inflater of either kind, whole and byte by byte: all agree.
#[track_caller]
fn inflates(message: &[u8]) -> Result<Vec<u8>, Violation> {
    let whole = inflate(&mut Inflater::new(false), message);
    assert_eq!(inflate_bytes(message), whole, "byte by byte");
    if whole.is_ok() {
        assert_eq!(inflate(&mut Inflater::new(true), message), whole, "with context takeover");
    }
    whole
}

fn inflate_bytes(message: &[u8]) -> Result<Vec<u8>, Violation> {
    let mut inflater = Inflater::new(false);
    let (mut all, mut out) = (Vec::new(), Vec::new());
    for byte in message {
        inflater.inflate(&[*byte], false, &BOUNDS, &mut out)?;
        all.extend_from_slice(&out);
    }
    inflater.inflate(&[], true, &BOUNDS, &mut out)?;
    all.extend_from_slice(&out);
    Ok(all)
}

#[test]
fn rfc7692_7_2_3_1_a_message_in_one_block() {
    assert_eq!(inflates(&HELLO), Ok(b"Hello".to_vec()));
    let mut out = Vec::new();
    for takeover in [false, true] {
        Deflater::new(6, 15, takeover).deflate(b"Hello", &mut out);
        assert_eq!(out, HELLO, "takeover {takeover}");
    }
}

#[test]
fn rfc7692_7_2_3_2_messages_share_the_window() {
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let mut inflater = Inflater::new(true);
    assert_eq!(inflate(&mut inflater, &HELLO), Ok(b"Hello".to_vec()));
    assert_eq!(inflate(&mut inflater, &again), Ok(b"Hello".to_vec()));
    // and without takeover there is nothing to refer to
    let mut inflater = Inflater::new(false);
    assert_eq!(inflate(&mut inflater, &HELLO), Ok(b"Hello".to_vec()));
    assert_eq!(inflate(&mut inflater, &again), Err(Violation::NotDeflate));

    let mut out = Vec::new();
    let mut deflater = Deflater::new(6, 15, true);
    for expected in [&HELLO[..], &again] {
        deflater.deflate(b"Hello", &mut out);
        assert_eq!(out, expected);
    }
    let mut deflater = Deflater::new(6, 15, false);
    for _ in 0..2 {
        deflater.deflate(b"Hello", &mut out);
        assert_eq!(out, HELLO, "each message by itself");
    }
}

#[test]
fn rfc7692_7_2_3_3_a_stored_block() {
    assert_eq!(inflates(b"\x00\x05\x00\xfa\xffHello\x00"), Ok(b"Hello".to_vec()));
}

#[test]
fn rfc7692_7_2_3_4_a_last_block() {
    assert_eq!(inflates(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), Ok(b"Hello".to_vec()));
}

#[test]
fn a_last_block_may_also_end_the_message() {
    assert_eq!(inflates(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), Ok(b"Hello".to_vec()));
}

#[test]
fn what_follows_a_last_block_begins_anew() {
    let twice = [&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &HELLO[..]].concat();
    assert_eq!(inflates(&twice), Ok(b"HelloHello".to_vec()));
    let beyond = [&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xf2, 0x00, 0x11, 0x00, 0x00]].concat();
    assert_eq!(inflates(&beyond), Err(Violation::NotDeflate), "a match that reaches behind the last block");
    // the message after it as well
    let mut inflater = Inflater::new(true);
    assert_eq!(inflate(&mut inflater, &twice), Ok(b"HelloHello".to_vec()));
    assert_eq!(inflate(&mut inflater, &HELLO), Ok(b"Hello".to_vec()));
}

#[test]
fn rfc7692_7_2_3_5_two_blocks() {
    let blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(inflates(&blocks), Ok(b"Hello".to_vec()));
}

#[test]
fn rfc7692_7_2_3_6_an_empty_message() {
    assert_eq!(inflates(&[0]), Ok(Vec::new()));
    let mut out = vec![7];
    for takeover in [false, true] {
        let mut deflater = Deflater::new(1, 15, takeover);
        for _ in 0..2 {
            deflater.deflate(b"", &mut out);
            assert_eq!(out, [0], "takeover {takeover}");
        }
        deflater.deflate(b"Hello", &mut out);
        assert_eq!(inflate(&mut Inflater::new(false), &out), Ok(b"Hello".to_vec()), "after an empty message");
    }
}

#[test]
fn no_byte_at_all_is_an_empty_message() {
    assert_eq!(inflates(&[]), Ok(Vec::new()));
}

#[test]
fn rfc7692_7_2_2_what_is_no_deflate_data_is_refused() {
    for wrong in [
        &b"\x06"[..],                     // a block of the reserved type
        b"\x07",                          // the same, and the last one
        b"\x00\x05\x00\x00\x00Hello\x00", // a stored block whose length is not confirmed
        b"\x02\x04\x00",                  // a match before anything to refer to
        b"\xed\xfd\xff\xff\xff",          // code lengths that no code has
        b"plain text",
    ] {
        assert_eq!(inflates(wrong), Err(Violation::NotDeflate), "{wrong:02x?}");
    }
}

#[test]
fn rfc7692_7_2_2_a_message_that_ends_inside_a_block_is_refused() {
    let text: String = (0..400).map(|i| format!("{{\"id\":{i},\"name\":\"n{}\"}}", i * i)).collect();
    let mut whole = Vec::new();
    Deflater::new(6, 15, false).deflate(text.as_bytes(), &mut whole);
    assert_eq!(inflates(&whole), Ok(text.clone().into_bytes()));
    for cut in 1..whole.len() {
        let cut_off = inflate(&mut Inflater::new(false), &whole[..cut]);
        assert_eq!(cut_off, Err(Violation::NotDeflate), "cut at {cut} of {}", whole.len());
    }
    // inside a stored block the tail is taken for its bytes, with takeover too
    for takeover in [false, true] {
        let cut_off = inflate(&mut Inflater::new(takeover), b"\x00\x05\x00\xfa\xffHe");
        assert_eq!(cut_off, Err(Violation::NotDeflate), "takeover {takeover}");
    }
}

#[test]
fn the_tail_itself_is_no_block() {
    // a sender that forgot to take it off: an empty block more
    let untouched = [&HELLO[..], &[0, 0, 0xff, 0xff]].concat();
    assert_eq!(inflates(&untouched), Err(Violation::NotDeflate), "one byte is missing of a second empty block");
    let twice = [&HELLO[..], &[0, 0, 0xff, 0xff, 0]].concat();
    assert_eq!(inflates(&twice), Ok(b"Hello".to_vec()), "a flush more is none too many");
}

/// `n` zeros, as small as zlib makes them.
fn zeros(n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(9, 15, false).deflate(&vec![0; n], &mut out);
    out
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    let mut out = Vec::new();
    for (limit, n) in [(1000, 1000), (1 << 20, 1 << 20), (0, 0)] {
        let bounds = Bounds { max_message: Some(limit), ratio: 1 << 20 };
        let fits = Inflater::new(false).inflate(&zeros(n), true, &bounds, &mut out);
        assert_eq!((fits, out.len()), (Ok(()), n), "limit {limit}");
    }
    for n in [1001, 5000, 10 << 20] {
        let bounds = Bounds { max_message: Some(1000), ratio: 1 << 20 };
        let mut out = Vec::new();
        let error = Inflater::new(false).inflate(&zeros(n), true, &bounds, &mut out).expect_err("too long");
        assert!(matches!(error, Violation::MessageTooLong { limit: 1000, .. }), "{n} bytes: {error:?}");
        assert!(out.capacity() <= 2 * 1001, "{} bytes allocated for a limit of 1000", out.capacity());
    }
}

#[test]
fn what_inflates_too_much_is_refused_beyond_a_mebibyte() {
    let bounds = Bounds { max_message: None, ratio: 100 };
    let mut out = Vec::new();
    assert_eq!(Inflater::new(false).inflate(&zeros(1 << 20), true, &bounds, &mut out), Ok(()), "1 MiB at any ratio");
    let mut out = Vec::new();
    let refused = Inflater::new(false).inflate(&zeros((1 << 20) + 1), true, &bounds, &mut out);
    assert_eq!(refused, Err(Violation::InflatesTooMuch { ratio: 100 }));
    assert!(out.capacity() <= 2 << 20, "{} bytes allocated", out.capacity());
    let bounds = Bounds { max_message: None, ratio: 1100 };
    let mut out = Vec::new();
    assert_eq!(
        Inflater::new(false).inflate(&zeros(10 << 20), true, &bounds, &mut out),
        Ok(()),
        "DEFLATE's best is 1,032"
    );
    assert_eq!(out.len(), 10 << 20);
}

#[test]
fn the_ratio_is_that_of_the_whole_message_also_in_parts() {
    let bounds = Bounds { max_message: None, ratio: 100 };
    let (bomb, mut out) = (zeros(4 << 20), Vec::new());
    let mut inflater = Inflater::new(false);
    let refused = bomb.chunks(100).try_for_each(|part| inflater.inflate(part, false, &bounds, &mut out));
    assert_eq!(refused, Err(Violation::InflatesTooMuch { ratio: 100 }));
    assert!(out.capacity() <= 2 << 20, "{} bytes allocated for one part", out.capacity());
}

/// The receiver, for a socket with permessage-deflate.
const COMPRESSION: Rules = Rules { compression: true, ..WHOLE };

fn receive(rules: &Rules, mut input: &[u8]) -> Result<Vec<(Received, Vec<u8>)>, Violation> {
    let (mut receiver, mut out, mut all) = (Receiver::default(), Vec::new(), Vec::new());
    while let Some(received) = receiver.feed(&mut input, rules, &mut out)? {
        all.push((received, out.clone()));
    }
    Ok(all)
}

#[test]
fn rfc7692_6_2_rsv1_on_the_first_frame_of_a_message_says_that_it_is_compressed() {
    let text = Received::Compressed { kind: MessageKind::Text };
    for input in [
        frame(0xc1, &HELLO),
        [frame(0x41, &HELLO[..3]), frame(0x80, &HELLO[3..])].concat(),
        [frame(0x41, &[]), frame(0, &HELLO), frame(0x80, &[])].concat(),
    ] {
        assert_eq!(receive(&COMPRESSION, &input), Ok(vec![(text, HELLO.to_vec())]), "{input:02x?}");
    }
    let long = vec![0xff; 70_000];
    let binary = Received::Compressed { kind: MessageKind::Binary };
    assert_eq!(receive(&COMPRESSION, &frame(0xc2, &long)), Ok(vec![(binary, long)]));
    // and without it, it is not, whatever was agreed on; nor is the next message
    let plain = Received::Message { kind: MessageKind::Text };
    let both = [frame(0xc1, &HELLO), frame(0x81, b"plain")].concat();
    assert_eq!(receive(&COMPRESSION, &both), Ok(vec![(text, HELLO.to_vec()), (plain, b"plain".to_vec())]));
    let both = [frame(0x41, &HELLO), frame(0x80, &[]), frame(1, b"pl"), frame(0x80, b"ain")].concat();
    assert_eq!(receive(&COMPRESSION, &both), Ok(vec![(text, HELLO.to_vec()), (plain, b"plain".to_vec())]));
}

#[test]
fn rfc7692_6_1_rsv1_on_any_other_frame_is_refused() {
    for first in [0xc8, 0xc9, 0xca] {
        assert_eq!(receive(&COMPRESSION, &frame(first, b"")), Err(Violation::ReservedBits(4)), "control {first:02x}");
    }
    for start in [0x41, 0x01] {
        let input = [frame(start, b"x"), frame(0xc0, b"y")].concat();
        assert_eq!(receive(&COMPRESSION, &input), Err(Violation::ReservedBits(4)), "continuation after {start:02x}");
    }
}

#[test]
fn rfc6455_5_2_the_other_reserved_bits_stay_reserved() {
    for (bits, violation) in [(0x20, 2), (0x10, 1), (0x60, 6), (0x70, 7)] {
        for opcode in [0x81, 0x82, 0x89] {
            let refused = receive(&COMPRESSION, &frame(opcode | bits, &HELLO));
            let Err(Violation::ReservedBits(got)) = refused else { panic!("expected reserved bits, got {refused:?}") };
            assert_eq!(got & violation & 3, violation & 3, "bits {bits:02x} of {opcode:02x}");
        }
    }
}

#[test]
fn rfc7692_6_without_the_extension_rsv1_is_refused() {
    assert_eq!(receive(&WHOLE, &frame(0xc1, &HELLO)), Err(Violation::ReservedBits(4)));
    assert_eq!(receive(&WHOLE, &frame(0x41, &HELLO)), Err(Violation::ReservedBits(4)));
}

#[test]
fn compressed_bytes_have_a_limit_too() {
    let rules = Rules { max_message: 8000, ..COMPRESSION };
    let (most, beyond) = (vec![7; 8000 + 1000 + 1024], vec![7; 8000 + 1000 + 1025]);
    assert!(receive(&rules, &frame(0xc2, &most)).is_ok_and(|all| all.len() == 1), "an eighth and 1 KiB more");
    let refused = receive(&rules, &frame(0xc2, &beyond)[..20]);
    assert_eq!(refused, Err(Violation::MessageTooLong { length: beyond.len() as u64, limit: 8000 }), "by its head");
    let parts = [frame(0x42, &most), frame(0, b"x")].concat();
    assert!(matches!(receive(&rules, &parts), Err(Violation::MessageTooLong { limit: 8000, .. })));
    assert!(receive(&rules, &frame(0x82, &most[..8001])).is_err(), "what is not compressed has no slack");
}

#[test]
fn parts_of_a_compressed_message_are_short() {
    let rules = Rules { parts: true, ..COMPRESSION };
    let payload: Vec<u8> = (0..5 * COMPRESSED_PART + 3).map(|i| i as u8).collect();
    let (cut, rest) = payload.split_at(100);
    let input = [frame(0x42, cut), frame(0x89, b"?"), frame(0, &[]), frame(0x80, rest)].concat();
    let all = receive(&rules, &input).expect("right");
    let mut joined = Vec::new();
    for (i, (received, part)) in all.iter().enumerate() {
        if *received == Received::Ping {
            continue;
        }
        let last = i + 1 == all.len();
        assert_eq!(*received, Received::CompressedPart { kind: MessageKind::Binary, last }, "part {i}");
        assert!(part.len() <= COMPRESSED_PART, "{} bytes at once", part.len());
        joined.extend_from_slice(part);
    }
    assert_eq!(joined, payload);
    let small = receive(&rules, &frame(0xc1, &HELLO));
    assert_eq!(small, Ok(vec![(Received::CompressedPart { kind: MessageKind::Text, last: true }, HELLO.to_vec())]));
}

/// flate2 alone, as RFC 7692 §7.2 wants it used.
struct Peer {
    deflate: Compress,
    inflate: Decompress,
    takeover: (bool, bool),
}

impl Peer {
    fn compress(&mut self, message: &[u8]) -> Vec<u8> {
        if !self.takeover.0 {
            self.deflate.reset();
        }
        let mut out = Vec::with_capacity(2 * message.len() + 100);
        self.deflate.compress_vec(message, &mut out, FlushCompress::Sync).expect("compresses");
        if out.ends_with(&[0, 0, 0xff, 0xff]) {
            out.truncate(out.len() - 4);
        }
        // a second empty message makes no second flush
        if out.is_empty() { vec![0] } else { out }
    }

    fn inflate(&mut self, message: &[u8], len: usize) -> Vec<u8> {
        if !self.takeover.1 {
            self.inflate = Decompress::new_with_window_bits(false, 15);
        }
        let mut out = Vec::with_capacity(len + 100);
        let whole = [message, &[0, 0, 0xff, 0xff]].concat();
        self.inflate.decompress_vec(&whole, &mut out, FlushDecompress::Sync).expect("inflates");
        out
    }
}

fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let random = prop::collection::vec(any::<u8>(), 0..3000);
    let few = prop::collection::vec(prop::sample::select(b"abc{}\":0".to_vec()), 0..20_000);
    let run = (any::<u8>(), 0..100_000usize).prop_map(|(byte, n)| vec![byte; n]);
    prop::collection::vec(prop_oneof![random, few, run, Just(Vec::new())], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rfc7692_7_2_whatever_is_sent_comes_out_as_it_was(
        messages in messages(),
        level in 1u32..=9,
        bits in 9u8..=15,
        takeover in any::<bool>(),
        cut in 1usize..2000,
    ) {
        let mut peer = Peer {
            deflate: Compress::new_with_window_bits(Compression::new(level), false, bits),
            inflate: Decompress::new_with_window_bits(false, 15),
            takeover: (takeover, takeover),
        };
        let (mut deflater, mut inflater) = (Deflater::new(level, bits, takeover), Inflater::new(takeover));
        let (mut out, mut part) = (Vec::new(), Vec::new());
        for (i, message) in messages.iter().enumerate() {
            deflater.deflate(message, &mut out);
            prop_assert!(out.len() <= message.len() + message.len() / 8 + 1024, "the slack of Rules is enough");
            prop_assert!(peer.inflate(&out, message.len()) == *message, "to the peer, message {i}");
            let compressed = peer.compress(message);
            let mut back = Vec::new();
            if i % 2 == 0 {
                inflater.inflate(&compressed, true, &BOUNDS, &mut back).expect("whole");
            } else {
                for bytes in compressed.chunks(cut) {
                    inflater.inflate(bytes, false, &BOUNDS, &mut part).expect("a part");
                    back.extend_from_slice(&part);
                }
                inflater.inflate(&[], true, &BOUNDS, &mut part).expect("the end");
                back.extend_from_slice(&part);
            }
            prop_assert!(back == *message, "from the peer, message {i}");
        }
    }

    #[test]
    fn whatever_comes_ends_well_or_badly_but_within_the_limits(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for takeover in [false, true] {
            let mut out = Vec::new();
            let mut inflater = Inflater::new(takeover);
            let whole = inflater.inflate(&bytes, true, &Bounds { max_message: Some(5000), ratio: 1000 }, &mut out);
            prop_assert!(out.len() <= 5001 && out.capacity() <= 10_002, "{} in {}", out.len(), out.capacity());
            if let Err(violation) = whole {
                prop_assert!(matches!(violation.close_code(), 1007 | 1009));
            }
        }
    }
}
