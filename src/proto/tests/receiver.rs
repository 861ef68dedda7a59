//! Bytes in, events out, section by section of RFC 6455.

use super::super::close::put_close;
use super::*;

/// Feeds it whole, byte by byte, cut at each position and, if it is short, at each pair of positions;
/// all of that again with parts. The events are the same.
fn check(name: &str, input: &[u8], expected: &[Event]) {
    for rules in [WHOLE, PARTS, GATHERED] {
        let events = |pieces: &[&[u8]]| {
            let events = receive(&rules, pieces.iter().copied());
            if rules.parts { joined(events) } else { events }
        };
        let how = if rules.parts { "parts, " } else { "" };
        assert_eq!(events(&[input]), expected, "{name}: {how}whole");
        assert_eq!(events(&input.chunks(1).collect::<Vec<_>>()), expected, "{name}: {how}byte by byte");
        for cut in cuts(input.len()) {
            let (before, after) = input.split_at(cut);
            assert_eq!(events(&[before, after]), expected, "{name}: {how}cut at {cut}");
            if input.len() <= 48 {
                for second in 0..=after.len() {
                    let (middle, after) = after.split_at(second);
                    assert_eq!(
                        events(&[before, middle, after]),
                        expected,
                        "{name}: {how}cut at {cut} and {second} later"
                    );
                }
            }
        }
    }
}

/// Each position; of a long input those around its heads.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).filter(move |cut| len < 700 || *cut < 20 || len - cut < 20)
}

fn fails(name: &str, input: &[u8], violation: Violation, code: u16) {
    assert_eq!(violation.close_code(), code, "{name}: close code");
    check(name, input, &[Event::Fails(violation)]);
}

#[test]
fn rfc6455_5_2_each_length_form_is_read() {
    for len in [0, 1, 7, 8, 63, 64, 124, 125, 126, 127, 1000, 65_535, 65_536, 70_000] {
        let payload: Vec<u8> = (0..len).map(|i| b'a' + (i % 26) as u8).collect();
        check("binary", &frame(0x82, &payload), &[binary(&payload)]);
        check("text", &frame(0x81, &payload), &[Event::Message(MessageKind::Text, payload.clone())]);
    }
}

#[test]
fn rfc6455_5_7_the_examples_are_read() {
    check("masked Hello", &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], &[text("Hello")]);
    check(
        "masked Pong",
        &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
        &[Event::Pong(b"Hello".into())],
    );
}

#[test]
fn rfc6455_5_1_an_unmasked_frame_fails_as_soon_as_its_second_byte_is_there() {
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8a] {
        fails("unmasked", &[first, 0], Violation::Unmasked, 1002);
        fails("unmasked", &[first, 5, 1, 2, 3, 4, 5], Violation::Unmasked, 1002);
        fails("unmasked", &[first, 126], Violation::Unmasked, 1002);
    }
}

#[test]
fn rfc6455_5_2_reserved_bits_fail() {
    for (bit, bits) in [(0x40, 4), (0x20, 2), (0x10, 1), (0x50, 5), (0x70, 7)] {
        for opcode in [0x81, 0x82, 0x88, 0x89, 0x8a, 0x80, 0x01] {
            fails("reserved bits", &frame(opcode | bit, b"x"), Violation::ReservedBits(bits), 1002);
        }
    }
}

#[test]
fn rfc6455_5_2_reserved_opcodes_fail() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for fin in [0x80, 0] {
            fails("reserved opcode", &frame(fin | opcode, b""), Violation::ReservedOpcode(opcode), 1002);
        }
    }
}

#[test]
fn rfc6455_5_2_a_length_not_in_its_shortest_form_fails() {
    for len in [0u16, 1, 5, 125] {
        for opcode in [0x81, 0x82, 0x01] {
            let mut input = vec![opcode, 0x80 | 126];
            input.extend(len.to_be_bytes());
            masked(&mut input, &vec![b'x'; len as usize]);
            fails("16 bits", &input, Violation::LengthNotMinimal(len.into()), 1002);
        }
    }
    for len in [0u64, 1, 125, 126, 65_535] {
        let mut input = vec![0x82, 0x80 | 127];
        input.extend(len.to_be_bytes());
        masked(&mut input, &vec![b'x'; len as usize]);
        fails("64 bits", &input, Violation::LengthNotMinimal(len), 1002);
    }
}

#[test]
fn rfc6455_5_2_a_length_with_its_highest_bit_set_fails() {
    for len in [1u64 << 63, u64::MAX] {
        let mut input = vec![0x82, 0x80 | 127];
        input.extend(len.to_be_bytes());
        masked(&mut input, b"");
        fails("highest bit", &input, Violation::LengthTooLarge(len), 1002);
    }
}

#[test]
fn rfc6455_5_4_fragments_make_one_message() {
    type Fragments<'a> = &'a [(u8, &'a [u8])];
    let cases: &[(&str, Fragments<'_>, Event)] = &[
        ("two", &[(0x01, b"He"), (0x80, b"llo")], text("Hello")),
        ("three", &[(0x02, b"a"), (0x00, b"b"), (0x80, b"c")], binary(b"abc")),
        ("empty first", &[(0x01, b""), (0x80, b"x")], text("x")),
        ("empty last", &[(0x01, b"x"), (0x80, b"")], text("x")),
        ("all empty", &[(0x02, b""), (0x00, b""), (0x80, b"")], binary(b"")),
        ("empty text", &[(0x01, b""), (0x80, b"")], text("")),
    ];
    for (name, frames, event) in cases {
        let input: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(*first, payload)).collect();
        check(name, &input, std::slice::from_ref(event));
        check(&format!("{name}, twice"), &input.repeat(2), &[event.clone(), event.clone()]);
    }
}

#[test]
fn rfc6455_5_4_a_large_message_in_many_fragments_is_put_together() {
    let payload: Vec<u8> = (0..500_000u32).map(|i| (i / 3) as u8).collect();
    let mut input = Vec::new();
    let pieces: Vec<&[u8]> = payload.chunks(1000).collect();
    for (i, piece) in pieces.iter().enumerate() {
        let opcode = if i == 0 { 2 } else { 0 };
        let fin = if i + 1 == pieces.len() { 0x80 } else { 0 };
        input.extend(frame(fin | opcode, piece));
    }
    check("500 fragments", &input, &[binary(&payload)]);
}

#[test]
fn rfc6455_5_4_a_continuation_without_a_start_fails() {
    fails("final", &frame(0x80, b"x"), Violation::ContinuationWithoutStart, 1002);
    fails("not final", &frame(0x00, b""), Violation::ContinuationWithoutStart, 1002);
    let after = [frame(0x81, b"whole"), frame(0x80, b"x")].concat();
    check("after a whole message", &after, &[text("whole"), Event::Fails(Violation::ContinuationWithoutStart)]);
    let after = [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"x")].concat();
    check("after a fragmented one", &after, &[text("ab"), Event::Fails(Violation::ContinuationWithoutStart)]);
}

#[test]
fn rfc6455_5_4_a_new_message_inside_a_message_fails() {
    for (first, opcode) in [(0x81, 1), (0x82, 2), (0x01, 1), (0x02, 2)] {
        let input = [frame(0x01, b"begun"), frame(first, b"x")].concat();
        fails("data inside", &input, Violation::DataInsideMessage(opcode), 1002);
    }
}

#[test]
fn rfc6455_5_5_control_frames_come_between_fragments() {
    let input = [
        frame(0x01, b"He"),
        frame(0x89, b"ping"),
        frame(0x00, b"ll"),
        frame(0x8a, b""),
        frame(0x89, b""),
        frame(0x80, b"o"),
        frame(0x82, b"next"),
    ]
    .concat();
    let expected =
        [Event::Ping(b"ping".into()), Event::Pong(vec![]), Event::Ping(vec![]), text("Hello"), binary(b"next")];
    check("interleaved", &input, &expected);
}

#[test]
fn rfc6455_5_5_control_frames_hold_125_bytes_and_no_more() {
    let longest: Vec<u8> = (0..125).collect();
    check("ping", &frame(0x89, &longest), &[Event::Ping(longest.clone())]);
    check("pong", &frame(0x8a, &longest), &[Event::Pong(longest.clone())]);
    for opcode in [8, 9, 10] {
        for len in [126, 65_536] {
            let input = frame(0x80 | opcode, &vec![b'x'; len]);
            fails("too long", &input, Violation::ControlTooLong(opcode), 1002);
        }
    }
}

#[test]
fn rfc6455_5_5_control_frames_are_never_fragmented() {
    for opcode in [8, 9, 10] {
        fails("fragmented", &frame(opcode, b""), Violation::ControlFragmented(opcode), 1002);
    }
}

#[test]
fn rfc6455_5_5_1_a_close_gives_its_code_and_reason() {
    check("empty", &frame(0x88, b""), &[Event::Close(None, String::new())]);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999u16] {
        check("code", &frame(0x88, &code.to_be_bytes()), &[Event::Close(Some(code), String::new())]);
        let reason = format!("because {code} \u{1f600}");
        let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        check("code and reason", &frame(0x88, &payload), &[Event::Close(Some(code), reason)]);
    }
    let reason = "r".repeat(123);
    let payload = [&1000u16.to_be_bytes()[..], reason.as_bytes()].concat();
    check("longest reason", &frame(0x88, &payload), &[Event::Close(Some(1000), reason)]);
}

#[test]
fn rfc6455_5_5_1_half_a_close_code_fails() {
    fails("one byte", &frame(0x88, b"\x03"), Violation::CloseLength, 1002);
}

#[test]
fn rfc6455_7_4_a_close_code_that_may_not_be_sent_fails_and_keeps_the_peers_value() {
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535u16] {
        fails("code", &frame(0x88, &code.to_be_bytes()), Violation::CloseCode(code), 1002);
        assert!(Violation::CloseCode(code).to_string().contains(&code.to_string()), "{code} in the text");
    }
}

#[test]
fn rfc6455_5_5_1_a_close_reason_that_is_not_utf8_fails() {
    for reason in [&b"\xff"[..], b"ok \xed\xa0\x80", b"cut \xe2\x82"] {
        let payload = [&1000u16.to_be_bytes()[..], reason].concat();
        fails("reason", &frame(0x88, &payload), Violation::CloseReasonNotUtf8, 1007);
    }
}

#[test]
fn rfc6455_5_5_1_nothing_after_a_close_is_read() {
    let mut input = frame(0x88, &1000u16.to_be_bytes());
    input.extend(frame(0x81, b"late"));
    input.extend(b"\xff\xff garbage");
    check("after close", &input, &[Event::Close(Some(1000), String::new())]);
    let inside = [frame(0x01, b"half"), frame(0x88, b""), frame(0x80, b"rest")].concat();
    check("close inside a message", &inside, &[Event::Close(None, String::new())]);
}

#[test]
fn after_a_violation_nothing_is_read() {
    let mut receiver = Receiver::default();
    let mut out = Vec::new();
    let mut input = &frame(0x83, b"")[..];
    assert_eq!(receiver.feed(&mut input, &WHOLE, &mut out), Err(Violation::ReservedOpcode(3)));
    let whole = frame(0x81, b"whole");
    let mut input = &whole[..];
    assert_eq!(receiver.feed(&mut input, &WHOLE, &mut out), Ok(None));
    assert!(input.is_empty(), "the input is taken");
    let mut receiver = Receiver::default();
    let wrong = frame(0x81, b"\xff");
    assert_eq!(receiver.feed(&mut &wrong[..], &WHOLE, &mut out), Err(Violation::TextNotUtf8));
    assert_eq!(receiver.feed(&mut &whole[..], &WHOLE, &mut out), Ok(None));
}

#[test]
fn rfc6455_8_1_text_is_checked() {
    for good in ["", "plain", "κόσμε", "\u{0}", "\u{10ffff}", "日本語テキスト", &"ä".repeat(40_000)] {
        check("good", &frame(0x81, good.as_bytes()), &[text(good)]);
    }
    let mut bad_after_64 = vec![b'x'; 100];
    bad_after_64.push(0xff);
    let bad: &[&[u8]] = &[b"\xff", b"a\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"cut \xe2\x82", &bad_after_64];
    for bytes in bad {
        fails(&format!("{bytes:02x?}"), &frame(0x81, bytes), Violation::TextNotUtf8, 1007);
    }
}

#[test]
fn rfc6455_8_1_a_character_may_be_cut_between_fragments() {
    let payload = "a\u{20ac}b\u{1f600}".as_bytes();
    for cut in 0..=payload.len() {
        let input = [frame(0x01, &payload[..cut]), frame(0x89, b""), frame(0x80, &payload[cut..])].concat();
        check("cut character", &input, &[Event::Ping(vec![]), text("a\u{20ac}b\u{1f600}")]);
    }
    check(
        "never completed",
        &[frame(0x01, b"\xe2\x82"), frame(0x80, b"")].concat(),
        &[Event::Fails(Violation::TextNotUtf8)],
    );
}

#[test]
fn rfc6455_8_1_bad_text_fails_before_its_frame_is_complete() {
    for rules in [WHOLE, PARTS, GATHERED] {
        let mut payload = b"fine so far \xff".to_vec();
        payload.resize(300, b'x');
        let input = frame(0x81, &payload);
        let bad = 8 + 13;
        let events = receive(&rules, [&input[..bad - 1], &input[bad - 1..bad]]);
        assert_eq!(joined(events), [Event::Fails(Violation::TextNotUtf8)], "parts {}", rules.parts);
        let fragment = [frame(0x01, b"\xf4"), frame(0x00, b"\x90")].concat();
        assert_eq!(joined(receive(&rules, [&fragment[..]])), [Event::Fails(Violation::TextNotUtf8)]);
    }
}

#[test]
fn binary_is_not_checked() {
    check("not UTF-8", &frame(0x82, b"\xff\xfe"), &[binary(b"\xff\xfe")]);
    check("in fragments", &[frame(0x02, b"\xff"), frame(0x80, b"\xe2")].concat(), &[binary(b"\xff\xe2")]);
}

#[test]
fn rfc6455_7_4_1_a_message_over_the_limit_fails_when_it_is_announced() {
    let rules = Rules { max_message: 1000, ..WHOLE };
    assert_eq!(receive(&rules, [&frame(0x82, &[7; 1000])[..]]), [binary(&[7; 1000])]);
    let fragments = [frame(0x02, &[7; 600]), frame(0x80, &[7; 400])].concat();
    assert_eq!(receive(&rules, [&fragments[..]]), [binary(&[7; 1000])]);

    let too_long = |length| vec![Event::Fails(Violation::MessageTooLong { length, limit: 1000 })];
    assert_eq!(receive(&rules, [&frame(0x82, &[7; 1001])[..]]), too_long(1001));
    assert_eq!(receive(&rules, [&frame(0x82, &[7; 1001])[..8]]), too_long(1001), "the head is enough");
    let fragments = [frame(0x02, &[7; 600]), frame(0x80, &[7; 401])].concat();
    assert_eq!(receive(&rules, [&fragments[..]]), too_long(1001));
    assert_eq!(receive(&rules, [&fragments[..608 + 8]]), too_long(1001));
    let mut longest = vec![0x82, 0xff];
    longest.extend((u64::MAX >> 1).to_be_bytes());
    longest.extend([0; 4]);
    assert_eq!(receive(&rules, [&longest[..]]), too_long(u64::MAX >> 1));
    let after = [frame(0x02, b"x"), {
        longest[0] = 0x80;
        longest
    }]
    .concat();
    assert_eq!(receive(&rules, [&after[..]]), too_long((u64::MAX >> 1) + 1));
    assert_eq!(Violation::MessageTooLong { length: 1001, limit: 1000 }.close_code(), 1009);
}

#[test]
fn fragments_over_the_limit_fail_also_when_they_are_empty() {
    let rules = Rules { max_fragments: 3, ..WHOLE };
    let first = frame(0x02, b"");
    let more = frame(0x00, b"");
    let last = frame(0x80, b"x");
    let three = [&first[..], &more, &last].concat();
    assert_eq!(receive(&rules, [&three.repeat(5)[..]]), vec![binary(b"x"); 5], "each message anew");
    let four = [&first[..], &more, &more, &more].concat();
    assert_eq!(receive(&rules, [&four[..]]), [Event::Fails(Violation::TooManyFragments { limit: 3 })]);
    assert_eq!(Violation::TooManyFragments { limit: 3 }.close_code(), 1008);
}

#[test]
fn parts_have_no_limit_on_length_or_fragments() {
    let rules = Rules { max_message: 10, max_fragments: 2, parts: true, gather: 0, compression: false };
    let mut input = frame(0x02, &[1; 300]);
    for _ in 0..100 {
        input.extend(frame(0x00, &[1; 300]));
    }
    input.extend(frame(0x80, b""));
    assert_eq!(joined(receive(&rules, [&input[..]])), [binary(&[1; 30_300])]);
    assert_eq!(joined(receive(&rules, [&frame(0x82, &[1; 300])[..]])), [binary(&[1; 300])]);
}

#[test]
fn with_gather_short_messages_are_one_part_and_long_ones_begin_when_they_are_long() {
    let part = |size, first, last| Event::Part(MessageKind::Binary, vec![1; size], first, last);
    let short = [frame(0x02, &[1; 60]), frame(0x00, b""), frame(0x80, &[1; 40])].concat();
    for cuts in 1..=short.len() {
        assert_eq!(receive(&GATHERED, short.chunks(cuts)), [part(100, true, true)], "in pieces of {cuts}");
    }
    let long = [frame(0x02, &[1; 60]), frame(0x00, &[1; 41]), frame(0x00, &[1; 5]), frame(0x80, &[1; 3])].concat();
    let events = receive(&GATHERED, [&long[..]]);
    assert_eq!(events, [part(101, true, false), part(5, false, false), part(3, false, true)]);
    let next = [&long[..], &short].concat();
    assert_eq!(receive(&GATHERED, [&next[..]])[3..], [part(100, true, true)], "of the next message nothing was given");
    let mut receiver = Receiver::default();
    feed_all(&mut receiver, &long[..90], &GATHERED, &mut Vec::new()).expect("valid so far");
    assert!(receiver.held() <= 100, "{} bytes are held", receiver.held());
    let cut = [frame(0x02, &[1; 60]), frame(0x88, b"")].concat();
    let close = Event::Close(None, String::new());
    for pieces in 1..=cut.len() {
        let seen = receive(&GATHERED, cut.chunks(pieces));
        assert_eq!(seen, [part(60, true, false), close.clone()], "a message that a Close cuts, in pieces of {pieces}");
    }
    let mut receiver = Receiver::default();
    let (mut input, mut out) = (&cut[..], Vec::new());
    while let Ok(Some(received)) = receiver.feed(&mut input, &GATHERED, &mut out) {
        assert_eq!(input.is_empty(), matches!(received, Received::Close { .. }), "the Close is not left behind");
    }
    let control = [frame(0x02, &[1; 60]), frame(0x89, b"p"), frame(0x80, &[1; 10])].concat();
    assert_eq!(receive(&GATHERED, [&control[..]]), [Event::Ping(b"p".to_vec()), part(70, true, true)]);
}

#[test]
fn parts_come_as_their_bytes_come() {
    let input = frame(0x81, b"abcdef");
    let part = |payload: &[u8], first, last| Event::Part(MessageKind::Text, payload.to_vec(), first, last);
    let events = receive(&PARTS, [&input[..8], &input[8..11], &input[11..]]);
    assert_eq!(events, [part(b"ab", true, false), part(b"cde", false, false), part(b"f", false, true)]);
    let events = receive(&PARTS, [&[frame(0x01, b"ab"), frame(0x00, b""), frame(0x80, b"")].concat()[..]]);
    assert_eq!(events, [part(b"ab", true, false), part(b"", false, true)], "the end comes although it is empty");
    let events = receive(&PARTS, [&[frame(0x01, b""), frame(0x80, b"x")].concat()[..]]);
    assert_eq!(events, [part(b"x", true, true)]);
    let events = receive(&PARTS, [&frame(0x81, b"")[..]]);
    assert_eq!(events, [part(b"", true, true)]);
    let euro = [frame(0x01, b"\xe2"), frame(0x80, b"\x82\xac")].concat();
    assert_eq!(receive(&PARTS, [&euro[..]]), [part(b"\xe2", true, false), part(b"\x82\xac", false, true)]);
}

#[test]
fn parts_hold_nothing() {
    let mut receiver = Receiver::default();
    let mut events = Vec::new();
    for piece in frame(0x82, &[5; 100_000]).chunks(777) {
        feed_all(&mut receiver, piece, &PARTS, &mut events).expect("a valid frame");
        assert_eq!(receiver.held(), 0);
    }
    assert_eq!(joined(events), [binary(&[5; 100_000])]);
}

#[test]
fn held_counts_what_came_not_what_was_announced() {
    let mut receiver = Receiver::default();
    let mut out = Vec::new();
    let rules = Rules { max_message: 1 << 30, ..WHOLE };
    let mut head = vec![0x82, 0xff];
    head.extend((1u64 << 30).to_be_bytes());
    head.extend([0; 4]);
    assert_eq!(receiver.feed(&mut &head[..], &rules, &mut out), Ok(None));
    assert_eq!(receiver.held(), 0);
    let mut come = 0;
    for piece in [1, 10, 100, 1000, 10_000, 100_000] {
        assert_eq!(receiver.feed(&mut &vec![0; piece][..], &rules, &mut out), Ok(None));
        come += piece;
        assert_eq!(receiver.held(), come);
        assert!(receiver.allocated() <= 2 * come + 64, "{} allocated for {come}", receiver.allocated());
    }
}

#[test]
fn one_large_message_after_another_is_put_together_in_the_same_buffer() {
    let mut receiver = Receiver::default();
    let mut out = Vec::new();
    let mut buffers = Vec::new();
    for round in 0..4 {
        let input = frame(0x82, &[round; 50_000]);
        for piece in input.chunks(16_384) {
            receiver.feed(&mut &piece[..], &WHOLE, &mut out).expect("a valid frame");
        }
        assert_eq!(out, [round; 50_000]);
        buffers.push((out.as_ptr(), out.capacity()));
    }
    assert_eq!(buffers[1..], [buffers[0]; 3], "the first message's buffer serves the others");
}

#[test]
fn a_message_is_not_moved_for_its_last_few_bytes() {
    // in frames of HTTP/2 of the usual size, the head of the WebSocket's frame in the first
    let rules = Rules { max_message: 1 << 24, ..WHOLE };
    for size in [65_536, 1 << 20, 1 << 24] {
        let mut receiver = Receiver::default();
        let mut out = Vec::new();
        let input = frame(0x82, &vec![1; size]);
        let (half, rest) = input.split_at(size / 2);
        for piece in half.chunks(16_384) {
            assert_eq!(receiver.feed(&mut &piece[..], &rules, &mut out), Ok(None));
        }
        let (buffer, capacity) = receiver.message_buffer();
        assert!(capacity >= size, "{capacity} for {size}");
        for piece in rest.chunks(16_384) {
            receiver.feed(&mut &piece[..], &rules, &mut out).expect("a valid frame");
        }
        assert_eq!((out.len(), out.as_ptr()), (size, buffer));
    }
}

#[test]
fn a_callers_much_larger_buffer_is_not_taken_for_a_few_bytes() {
    let mut receiver = Receiver::default();
    let mut out = Vec::with_capacity(1 << 20);
    let input = frame(0x82, &[1; 1000]);
    assert_eq!(receiver.feed(&mut &input[..500], &WHOLE, &mut out), Ok(None));
    assert_eq!(out.capacity(), 1 << 20);
    assert!(receiver.allocated() < 1200, "{} allocated for 500", receiver.allocated());
}

#[test]
fn what_a_message_needed_is_given_back_at_its_end() {
    let mut receiver = Receiver::default();
    let mut events = Vec::new();
    let input = [frame(0x02, &[1; 5000]), frame(0x89, &[2; 100]), frame(0x80, &[3; 5000])].concat();
    for piece in input.chunks(99) {
        feed_all(&mut receiver, piece, &WHOLE, &mut events).expect("valid frames");
    }
    assert_eq!(events.len(), 2);
    assert_eq!((receiver.held(), receiver.allocated()), (0, 0));
    for piece in [&frame(0x89, b"ping")[..3], &frame(0x89, b"ping")[3..8], &frame(0x89, b"ping")[8..]] {
        feed_all(&mut receiver, piece, &WHOLE, &mut events).expect("a valid ping");
    }
    assert_eq!(receiver.allocated(), 0, "after a ping that was cut");
}

#[test]
fn in_message_says_whether_a_fragmented_message_is_open() {
    let mut receiver = Receiver::default();
    let mut steps = |bytes: &[u8]| {
        feed_all(&mut receiver, bytes, &WHOLE, &mut Vec::new()).expect("valid frames");
        receiver.in_message()
    };
    let whole = frame(0x81, b"whole");
    assert!(!steps(&whole[..8]), "a whole message on its way is not fragmented");
    assert!(!steps(&whole[8..]));
    assert!(steps(&frame(0x01, b"a")));
    assert!(steps(&frame(0x89, b"ping")));
    assert!(steps(&frame(0x80, b"b")[..6]));
    assert!(!steps(&frame(0x80, b"b")[6..]));
}

#[test]
fn a_message_in_pieces_is_handed_out_without_a_copy() {
    let mut receiver = Receiver::default();
    let mut out = Vec::with_capacity(7);
    let input = frame(0x82, &[9; 10_000]);
    assert_eq!(receiver.feed(&mut &input[..9000], &WHOLE, &mut out), Ok(None));
    assert_eq!(out.capacity(), 7, "out is not used before the end");
    let (buffer, _) = receiver.message_buffer();
    let received = receiver.feed(&mut &input[9000..], &WHOLE, &mut out);
    assert_eq!(received, Ok(Some(Received::Message { kind: MessageKind::Binary })));
    assert_eq!(out, [9; 10_000]);
    assert_eq!(out.as_ptr(), buffer, "the buffer that was filled is the one handed out");
}

#[test]
fn one_call_takes_one_event() {
    let both = [frame(0x81, b"one"), frame(0x81, b"two")].concat();
    let mut input = &both[..];
    let mut out = Vec::new();
    let mut receiver = Receiver::default();
    assert_eq!(receiver.feed(&mut input, &WHOLE, &mut out), Ok(Some(Received::Message { kind: MessageKind::Text })));
    assert_eq!((&out[..], input.len()), (&b"one"[..], 9));
    assert_eq!(receiver.feed(&mut input, &WHOLE, &mut out), Ok(Some(Received::Message { kind: MessageKind::Text })));
    assert_eq!((&out[..], input.len()), (&b"two"[..], 0));
    assert_eq!(receiver.feed(&mut input, &WHOLE, &mut out), Ok(None));
}

#[test]
fn each_violation_says_what_and_with_which_value() {
    let texts = [
        (Violation::ReservedBits(4), "100"),
        (Violation::ReservedOpcode(11), "11"),
        (Violation::ControlTooLong(9), "9"),
        (Violation::ControlFragmented(8), "8"),
        (Violation::LengthNotMinimal(17), "17"),
        (Violation::LengthTooLarge(u64::MAX), "18446744073709551615"),
        (Violation::DataInsideMessage(2), "2"),
        (Violation::CloseLength, "1 byte"),
        (Violation::CloseCode(1005), "1005"),
        (Violation::MessageTooLong { length: 77, limit: 70 }, "77"),
        (Violation::MessageTooLong { length: 77, limit: 70 }, "70"),
        (Violation::TooManyFragments { limit: 1024 }, "1024"),
    ];
    for (violation, value) in texts {
        assert!(violation.to_string().contains(value), "{violation} should have {value}");
        let mut close = Vec::new();
        put_close(&mut close, Some(violation.close_code()), &violation.to_string());
        assert!(close.len() <= 127, "{violation} fits into a Close");
    }
}
