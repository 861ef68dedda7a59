//! A peer's bytes to the WebSocket receiver: whole and cut in pieces they give the same events, with whole
//! messages and with parts, and no more is held than has come.
//!
//! Input: rules (1 byte), how many cuts (1 byte), the lengths of the pieces (1 byte each), the peer's bytes.

#![no_main]

use h2ws::proto::frame::MessageKind;
use h2ws::proto::receive::{Received, Receiver, Rules, Violation};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, PartialEq)]
enum Event {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, Vec<u8>),
    Fails(Violation),
}

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>, rules: &Rules) -> Vec<Event> {
    let mut receiver = Receiver::default();
    let mut out = Vec::new();
    let mut events = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let mut come = 0;
    for mut piece in pieces {
        come += piece.len();
        loop {
            let before = piece.len();
            let received = match receiver.feed(&mut piece, rules, &mut out) {
                Ok(Some(received)) => received,
                Ok(None) => {
                    assert!(piece.is_empty(), "{} bytes left without an event", piece.len());
                    break;
                }
                Err(violation) => {
                    assert!(matches!(violation.close_code(), 1002 | 1007..=1009));
                    assert!(violation.to_string().len() <= 123, "the text fits into a Close");
                    events.push(Event::Fails(violation));
                    return events;
                }
            };
            assert!(piece.len() < before, "an event takes bytes");
            assert!(receiver.held() <= come, "{} held of {come}", receiver.held());
            assert!(out.capacity() <= 4 * come + 64, "{} allocated for {come}", out.capacity());
            let payload = out.clone();
            events.push(match received {
                Received::Message { kind } => {
                    assert!(!rules.parts);
                    Event::Message(kind, payload)
                }
                Received::Part { kind, first, last } => {
                    assert!(rules.parts);
                    assert_eq!(first, open.is_none());
                    assert!(last || !payload.is_empty());
                    let mut message = open.take().unwrap_or_default();
                    message.extend(payload);
                    if !last {
                        open = Some(message);
                        continue;
                    }
                    Event::Message(kind, message)
                }
                Received::Compressed { .. } | Received::CompressedPart { .. } => unreachable!("not agreed on"),
                Received::Ping => Event::Ping(payload),
                Received::Pong => Event::Pong(payload),
                Received::Close { code } => Event::Close(code, payload),
            });
            match events.last() {
                Some(Event::Message(MessageKind::Text, payload) | Event::Close(_, payload)) => {
                    assert!(std::str::from_utf8(payload).is_ok());
                }
                Some(Event::Ping(payload) | Event::Pong(payload)) => assert!(payload.len() <= 125),
                Some(Event::Message(..) | Event::Fails(_)) | None => {}
            }
        }
    }
    events
}

fuzz_target!(|data: &[u8]| {
    let [rules, cuts, rest @ ..] = data else { return };
    let Some((lengths, input)) = rest.split_at_checked(*cuts as usize % 16) else { return };
    let tight = rules & 1 != 0;
    let whole = Rules {
        max_message: if tight { 40 } else { 1 << 20 },
        max_fragments: if tight { 3 } else { 1024 },
        parts: false,
        gather: 0,
        compression: false,
    };
    let parts = Rules { parts: true, ..whole };
    let gathered = Rules { gather: 50, ..parts };

    let mut pieces = Vec::new();
    let mut after = input;
    for length in lengths {
        let (piece, rest) = after.split_at((*length as usize).min(after.len()));
        pieces.push(piece);
        after = rest;
    }
    pieces.push(after);

    let mut seen = Vec::new();
    for rules in [whole, parts, gathered] {
        let at_once = events(std::iter::once(input), &rules);
        assert_eq!(events(pieces.iter().copied(), &rules), at_once, "in pieces");
        assert_eq!(events(input.chunks(1), &rules), at_once, "byte by byte");
        seen.push(at_once);
    }
    // Parts have no limits; but for those the two are the same.
    if !matches!(
        seen[0].last(),
        Some(Event::Fails(Violation::MessageTooLong { .. } | Violation::TooManyFragments { .. }))
    ) {
        assert_eq!(seen[0], seen[1], "messages and parts");
        assert_eq!(seen[0], seen[2], "messages and parts that were gathered");
    }
});
