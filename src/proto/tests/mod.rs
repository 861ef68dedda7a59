//! Tests of the receiver: frames by hand, cut everywhere, and against tungstenite.

mod deflate;
mod deflate_handshake;
mod differential;
mod handshake;
mod http1;
mod receiver;
mod round_trip;

use super::frame::MessageKind;
use super::receive::{Received, Receiver, Rules, Violation};
use std::io::{self, Read, Write};

/// Limits that only the tests of limits reach.
const WHOLE: Rules = Rules { max_message: 1 << 20, max_fragments: 1000, parts: false, gather: 0, compression: false };
const PARTS: Rules = Rules { parts: true, ..WHOLE };
const GATHERED: Rules = Rules { gather: 100, ..PARTS };

/// What came out, with the payload.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Message(MessageKind, Vec<u8>),
    Part(MessageKind, Vec<u8>, bool, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Fails(Violation),
}

fn text(payload: &str) -> Event {
    Event::Message(MessageKind::Text, payload.as_bytes().to_vec())
}

fn binary(payload: &[u8]) -> Event {
    Event::Message(MessageKind::Binary, payload.to_vec())
}

/// A client's frame, masked, its length in the shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..65_536 => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    masked(&mut out, payload);
    out
}

/// A mask, and the payload under it.
fn masked(out: &mut Vec<u8>, payload: &[u8]) {
    let mask = [0x9f, 0x21, 0x80, 0x6b];
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Feeds `input` to the end, or to the first violation.
fn feed_all(
    receiver: &mut Receiver,
    mut input: &[u8],
    rules: &Rules,
    events: &mut Vec<Event>,
) -> Result<(), Violation> {
    let mut out = b"left by the call before".to_vec();
    while let Some(received) = receiver.feed(&mut input, rules, &mut out)? {
        let payload = out.clone();
        events.push(match received {
            Received::Message { kind } => Event::Message(kind, payload),
            Received::Part { kind, first, last } => Event::Part(kind, payload, first, last),
            Received::Compressed { .. } | Received::CompressedPart { .. } => unreachable!("not agreed on"),
            Received::Ping => Event::Ping(payload),
            Received::Pong => Event::Pong(payload),
            Received::Close { code } => Event::Close(code, String::from_utf8(payload).expect("a reason is UTF-8")),
        });
    }
    assert!(input.is_empty(), "no event, but {} bytes are left", input.len());
    Ok(())
}

/// The events of a new receiver that gets `pieces` one after another.
fn receive<'a>(rules: &Rules, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut receiver = Receiver::default();
    let mut events = Vec::new();
    for piece in pieces {
        if let Err(violation) = feed_all(&mut receiver, piece, rules, &mut events) {
            events.push(Event::Fails(violation));
            break;
        }
    }
    events
}

/// Parts put together to messages, after a check that first and last stand where they should.
/// A message that never ended is left out.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut open: Option<(MessageKind, Vec<u8>)> = None;
    let mut joined = Vec::new();
    for event in events {
        match event {
            Event::Part(kind, payload, first, last) => {
                assert_eq!(first, open.is_none(), "first belongs to the first part alone");
                assert!(last || !payload.is_empty(), "an empty part that is not the last");
                let (began_as, mut so_far) = open.take().unwrap_or((kind, Vec::new()));
                assert_eq!(began_as, kind, "a message keeps its kind");
                so_far.extend(payload);
                if last {
                    joined.push(Event::Message(kind, so_far));
                } else {
                    open = Some((kind, so_far));
                }
            }
            other => joined.push(other),
        }
    }
    joined
}

/// tungstenite's stream: reads the input, then would block; what is written goes nowhere.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
