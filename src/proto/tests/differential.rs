//! The same bytes to our receiver and to tungstenite's `WebSocketContext` as a server: the same messages
//! come out, except where a deviation is named here.

use super::*;
use proptest::prelude::*;
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

/// The same limits for both.
const LIMITS: Rules = Rules { max_message: 1 << 17, ..WHOLE };

/// What tungstenite 0.30 does otherwise, and why we do not do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Deviation {
    /// It reads lengths that are not in their shortest form, or have the highest bit set (a limit refuses those).
    Length,
    /// It gives the application 1002 with a text of its own in place of a code that may not be sent.
    CloseCode,
    /// It counts 1014 (Bad Gateway) among the codes that may not be sent.
    BadGateway,
    /// It checks text and length when a frame is complete, we when its bytes or its head are there.
    FailsEarlier,
    /// It checks rules in another order, so that a frame with two faults fails for the other one.
    OtherFault,
    /// It has no limit on fragments.
    Fragments,
}

/// What tungstenite says of `input`: its events and the error that ended it, if one did.
fn theirs(input: &[u8]) -> (Vec<Event>, Option<Error>) {
    let limit = Some(LIMITS.max_message as usize);
    let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit).read_buffer_size(4096);
    let mut context = WebSocketContext::new(Role::Server, Some(config));
    let mut wire = Wire(input);
    let mut events = Vec::new();
    loop {
        events.push(match context.read(&mut wire) {
            Ok(Message::Text(payload)) => text(payload.as_str()),
            Ok(Message::Binary(payload)) => binary(&payload),
            Ok(Message::Ping(payload)) => Event::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Event::Pong(payload.to_vec()),
            Ok(Message::Close(None)) => Event::Close(None, String::new()),
            Ok(Message::Close(Some(close))) => Event::Close(Some(close.code.into()), close.reason.as_str().to_owned()),
            Ok(Message::Frame(frame)) => panic!("only for sending: {frame}"),
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => return (events, None),
            // After a Close: as if nothing more came.
            Err(Error::ConnectionClosed) => return (events, None),
            Err(error) => return (events, Some(error)),
        });
    }
}

/// Whether the two name the same fault.
fn same_fault(ours: &Violation, theirs: &Error) -> bool {
    use Violation as V;
    match theirs {
        Error::Protocol(error) => matches!(
            (ours, error),
            (V::Unmasked, ProtocolError::UnmaskedFrameFromClient)
                | (V::ReservedBits(_), ProtocolError::NonZeroReservedBits)
                | (
                    V::ReservedOpcode(_),
                    ProtocolError::UnknownControlFrameType(_)
                        | ProtocolError::UnknownDataFrameType(_)
                        | ProtocolError::InvalidOpcode(_)
                )
                | (V::ControlTooLong(_), ProtocolError::ControlFrameTooBig)
                | (V::ControlFragmented(_), ProtocolError::FragmentedControlFrame)
                | (V::ContinuationWithoutStart, ProtocolError::UnexpectedContinueFrame)
                | (V::DataInsideMessage(_), ProtocolError::ExpectedFragment(_))
                | (V::CloseLength, ProtocolError::InvalidCloseSequence)
        ),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => matches!(ours, V::MessageTooLong { .. }),
        Error::Utf8(_) => matches!(ours, V::TextNotUtf8 | V::CloseReasonNotUtf8),
        _ => false,
    }
}

/// A fault of a head may stand beside any other fault of the frame, a wrong close code beside a wrong reason.
fn same_or_other(ours: &Violation, theirs: &Error) -> Result<Option<Deviation>, String> {
    use Violation as V;
    let of_payload = matches!(ours, V::CloseLength | V::CloseCode(_) | V::CloseReasonNotUtf8 | V::TextNotUtf8);
    match theirs {
        _ if same_fault(ours, theirs) => Ok(None),
        Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_) if !of_payload => Ok(Some(Deviation::OtherFault)),
        Error::Utf8(_) if matches!(ours, V::CloseCode(_)) => Ok(Some(Deviation::OtherFault)),
        _ => Err(format!("we say {ours:?}, they {theirs:?}")),
    }
}

/// Compares; gives the deviation that explains the difference, if there is one.
fn compare(input: &[u8]) -> Result<Option<Deviation>, String> {
    let mut ours = receive(&LIMITS, [input]);
    let (theirs, error) = theirs(input);
    let fault = match ours.last() {
        Some(Event::Fails(violation)) => Some(violation.clone()),
        _ => None,
    };
    if fault.is_some() {
        ours.pop();
    }
    let differ =
        |why: &str| Err(format!("{why}\n ours {ours:?} {fault:?}\n theirs {theirs:?} {error:?}\n {input:02x?}"));
    match (&fault, &error) {
        (Some(Violation::LengthNotMinimal(_) | Violation::LengthTooLarge(_)), _) => {
            // What tungstenite makes of the rest has nothing to compare with.
            return if theirs.starts_with(&ours) { Ok(Some(Deviation::Length)) } else { differ("before the length") };
        }
        // Of a control frame the length's form is a fault already, whatever the length.
        (Some(Violation::ControlTooLong(_)), error)
            if theirs != ours || !matches!(error, Some(Error::Protocol(ProtocolError::ControlFrameTooBig))) =>
        {
            return if theirs.starts_with(&ours) { Ok(Some(Deviation::Length)) } else { differ("before the length") };
        }
        (Some(Violation::TooManyFragments { .. }), _) => {
            return if theirs.starts_with(&ours) { Ok(Some(Deviation::Fragments)) } else { differ("before the limit") };
        }
        (Some(Violation::CloseCode(_)), None) => {
            let replaced = matches!(theirs.split_last(), Some((Event::Close(Some(1002), _), before)) if before == ours);
            return if replaced { Ok(Some(Deviation::CloseCode)) } else { differ("close code") };
        }
        _ => {}
    }
    if let (Some(Event::Close(Some(1014), _)), Some(Event::Close(Some(1002), _))) = (ours.last(), theirs.last()) {
        return if ours[..ours.len() - 1] == theirs[..theirs.len() - 1] {
            Ok(Some(Deviation::BadGateway))
        } else {
            differ("before 1014")
        };
    }
    if ours != theirs {
        return differ("events");
    }
    match (fault, error) {
        (None, None) => Ok(None),
        (Some(fault), Some(error)) => same_or_other(&fault, &error),
        (Some(fault), None) => {
            // They fail once the frame is complete.
            let completed = [input, &vec![0; LIMITS.max_message as usize + 200]].concat();
            match self::theirs(&completed).1 {
                Some(error) => same_or_other(&fault, &error).map(|other| other.or(Some(Deviation::FailsEarlier))),
                None => Err(format!("we say {fault:?}, they nothing when it is complete\n {input:02x?}")),
            }
        }
        (None, Some(error)) => Err(format!("they fail with {error:?}, we do not\n {ours:?}\n {input:02x?}")),
    }
}

#[test]
fn tungstenite_deviates_where_it_is_said_to() {
    use Deviation as D;
    let raw = |head: &[u8], payload: &[u8]| {
        let mut out = head.to_vec();
        masked(&mut out, payload);
        out
    };
    let mut many = frame(0x02, b"");
    many.extend(frame(0x00, b"").repeat(1000));
    let cases: &[(&str, Vec<u8>, Option<Deviation>)] = &[
        ("16 bits for 5", raw(&[0x82, 0xfe, 0, 5], b"12345"), Some(D::Length)),
        ("64 bits for 5", raw(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 5], b"12345"), Some(D::Length)),
        ("highest bit", raw(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 5], b""), Some(D::Length)),
        ("code 999", frame(0x88, &999u16.to_be_bytes()), Some(D::CloseCode)),
        ("code 1005", frame(0x88, &1005u16.to_be_bytes()), Some(D::CloseCode)),
        ("code 1014", frame(0x88, &1014u16.to_be_bytes()), Some(D::BadGateway)),
        ("cut frame, bad text", frame(0x81, b"\xff rest")[..7].to_vec(), Some(D::FailsEarlier)),
        ("head of what is too long", raw(&[0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0], b""), None),
        ("empty fragments", many, Some(D::Fragments)),
        ("half a code", frame(0x88, b"x"), None),
        ("unmasked", vec![0x81, 1, b'x'], None),
        ("reserved bit", frame(0xc1, b"x"), None),
        ("reserved opcode", frame(0x83, b"x"), None),
        ("reserved control opcode", frame(0x8b, b"x"), None),
        ("long ping", frame(0x89, &[0; 126]), None),
        ("fragmented ping", frame(0x09, b"x"), None),
        ("continuation", frame(0x80, b"x"), None),
        ("message in message", [frame(0x01, b"x"), frame(0x81, b"x")].concat(), None),
        ("bad text", frame(0x81, b"\xff"), None),
        ("bad reason", frame(0x88, b"\x03\xe8\xff"), None),
        ("after a close", [frame(0x88, b""), frame(0x81, b"x")].concat(), None),
    ];
    for (name, input, deviation) in cases {
        assert_eq!(compare(input), Ok(*deviation), "{name}");
    }
    assert!(!CloseCode::from(1014).is_allowed(), "1014 is allowed now: BadGateway can go");
}

/// One frame: mostly right, sometimes wrong in any of its fields.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        12 => prop::sample::select(vec![0x81u8, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8a]),
        1 => Just(0x88),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        6 => "\\PC{0,40}".prop_map(String::into_bytes),
        3 => prop::collection::vec(any::<u8>(), 0..140),
        1 => (prop::sample::select(vec![999u16, 1000, 1001, 1005, 1014, 3000, 5000]), "[a-z]{0,5}")
            .prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
    ];
    let length_form = prop_oneof![9 => Just(0u8), 1 => 1u8..=3];
    (first, payload, length_form).prop_map(|(first, payload, form)| {
        let mut out = vec![first];
        match form {
            0 => return frame(first, &payload),
            1 => out.extend([&[0x80 | 126][..], &(payload.len() as u16).to_be_bytes()].concat()),
            2 => out.extend([&[0x80 | 127][..], &(payload.len() as u64).to_be_bytes()].concat()),
            _ => {
                out.push(payload.len().min(125) as u8);
                out.extend(&payload[..payload.len().min(125)]);
                return out;
            }
        }
        masked(&mut out, &payload);
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    #[test]
    fn frames_give_the_same_messages(frames in prop::collection::vec(any_frame(), 1..12), cut in 0usize..20) {
        let mut input = frames.concat();
        input.truncate(input.len() - cut.min(input.len()));
        if let Err(difference) = compare(&input) {
            prop_assert!(false, "{}\n{:02x?}", difference, input);
        }
    }

    #[test]
    fn any_bytes_give_the_same_messages(input in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(difference) = compare(&input) {
            prop_assert!(false, "{}\n{:02x?}", difference, input);
        }
    }
}
