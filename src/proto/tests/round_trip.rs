//! Round trips: what tungstenite's client writes we read, what we write it reads.

use super::super::close::put_close;
use super::super::frame::{OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT, put_head};
use super::*;
use proptest::prelude::*;
use std::io::Cursor;
use tungstenite::Message;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame, FrameSocket};
use tungstenite::protocol::{Role, WebSocket};

/// Payloads of every length form, short ones more often.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..140),
        2 => prop::collection::vec(any::<u8>(), 140..2000),
        1 => (any::<u8>(), 65_500usize..65_600).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

fn message() -> impl Strategy<Value = Event> {
    prop_oneof![
        "\\PC{0,200}".prop_map(|string| text(&string)),
        payload().prop_map(|bytes| binary(&bytes)),
        prop::collection::vec(any::<u8>(), 0..126).prop_map(Event::Ping),
        prop::collection::vec(any::<u8>(), 0..126).prop_map(Event::Pong),
    ]
}

fn theirs(event: &Event) -> Message {
    match event.clone() {
        Event::Message(MessageKind::Text, payload) => {
            Message::text(String::from_utf8(payload).expect("texts are made of strings"))
        }
        Event::Message(MessageKind::Binary, payload) => Message::binary(payload),
        Event::Ping(payload) => Message::Ping(payload.into()),
        Event::Pong(payload) => Message::Pong(payload.into()),
        other => panic!("not made here: {other:?}"),
    }
}

/// What tungstenite's client puts on the wire for `events`: masked with its own random masks.
fn written_by_a_client(events: &[Event]) -> Vec<u8> {
    let mut client = WebSocket::from_raw_socket(Cursor::new(Vec::new()), Role::Client, None);
    for event in events {
        client.send(theirs(event)).expect("a Vec takes all");
    }
    client.into_inner().into_inner()
}

/// The same, as our side writes it.
fn written_by_us(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events {
        let (opcode, payload) = match event {
            Event::Message(MessageKind::Text, payload) => (OPCODE_TEXT, payload),
            Event::Message(MessageKind::Binary, payload) => (OPCODE_BINARY, payload),
            Event::Ping(payload) => (OPCODE_PING, payload),
            Event::Pong(payload) => (OPCODE_PONG, payload),
            other => panic!("not made here: {other:?}"),
        };
        put_head(&mut out, opcode, true, payload.len());
        out.extend(payload);
    }
    out
}

fn pieces(bytes: &[u8], mut at: Vec<usize>) -> Vec<&[u8]> {
    at.sort_unstable();
    let mut rest = bytes;
    let mut taken = 0;
    let mut pieces = Vec::new();
    for cut in at {
        let cut = cut % (bytes.len() + 1);
        if cut >= taken {
            let (piece, after) = rest.split_at(cut - taken);
            pieces.push(piece);
            rest = after;
            taken = cut;
        }
    }
    pieces.push(rest);
    pieces
}

proptest! {
    #[test]
    fn a_tungstenite_clients_messages_come_whole(
        events in prop::collection::vec(message(), 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        parts in any::<bool>(),
    ) {
        let wire = written_by_a_client(&events);
        let rules = if parts { PARTS } else { WHOLE };
        prop_assert_eq!(joined(receive(&rules, pieces(&wire, cuts))), events);
    }

    #[test]
    fn fragments_with_control_frames_between_come_whole(
        bytes in payload(),
        at in prop::collection::vec(any::<usize>(), 0..6),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        parts in any::<bool>(),
    ) {
        let fragments = pieces(&bytes, at);
        let mut client = FrameSocket::new(Cursor::new(Vec::new()));
        for (i, fragment) in fragments.iter().enumerate() {
            let opcode = if i == 0 { Data::Binary } else { Data::Continue };
            let mut frame = Frame::message(fragment.to_vec(), OpCode::Data(opcode), i + 1 == fragments.len());
            frame.header_mut().mask = Some([i as u8, 0xfe, 0x07, 0x80]);
            client.send(frame).expect("a Vec takes all");
            let mut ping = Frame::ping(vec![i as u8; i]);
            ping.header_mut().mask = Some([0; 4]);
            client.send(ping).expect("a Vec takes all");
        }
        let (stream, _) = client.into_inner();
        let wire = stream.into_inner();
        let rules = if parts { PARTS } else { WHOLE };
        let events = joined(receive(&rules, pieces(&wire, cuts)));
        let mut expected: Vec<Event> = (0..fragments.len()).map(|i| Event::Ping(vec![i as u8; i])).collect();
        expected.insert(fragments.len() - 1, binary(&bytes));
        prop_assert_eq!(events, expected);
    }

    #[test]
    fn a_tungstenite_client_reads_what_we_write(events in prop::collection::vec(message(), 1..6)) {
        let wire = written_by_us(&events);
        let mut client = WebSocket::from_raw_socket(Wire(&wire), Role::Client, None);
        for event in &events {
            prop_assert_eq!(client.read().expect("a valid frame"), theirs(event));
        }
    }

    #[test]
    fn a_tungstenite_client_reads_our_close(
        code in prop_oneof![1000u16..=1003, 1007u16..=1013, 3000u16..=4999],
        reason in "\\PC{0,40}",
    ) {
        prop_assume!(reason.len() <= 123);
        let mut wire = Vec::new();
        put_close(&mut wire, Some(code), &reason);
        let mut client = WebSocket::from_raw_socket(Wire(&wire), Role::Client, None);
        let expected = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        prop_assert_eq!(client.read().expect("a valid close"), Message::Close(Some(expected)));
    }
}

#[test]
fn rfc6455_5_4_a_tungstenite_client_reads_our_fragments() {
    let mut wire = Vec::new();
    for (opcode, fin, payload) in
        [(OPCODE_TEXT, false, "He"), (OPCODE_CONTINUATION, false, "ll"), (OPCODE_CONTINUATION, true, "o")]
    {
        put_head(&mut wire, opcode, fin, payload.len());
        wire.extend(payload.as_bytes());
    }
    put_close(&mut wire, None, "");
    let mut client = WebSocket::from_raw_socket(Wire(&wire), Role::Client, None);
    assert_eq!(client.read().expect("three fragments"), Message::text("Hello"));
    assert_eq!(client.read().expect("an empty close"), Message::Close(None));
}
