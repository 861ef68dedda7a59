//! What became of the streams of a conversation, whoever served it.

use h2ws::ControlKind;
use h2ws::proto::frame::MessageKind;

/// What became of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// The connection ended first.
    Open,
    Whole,
    Trailers(String),
    Reset(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Socket(Vec<Told>, End),
    Request(Vec<u8>, End),
}

/// What a WebSocket said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Message(MessageKind, Vec<u8>),
    /// A message of which only the beginning came, on a socket that takes parts.
    Begun(MessageKind, Vec<u8>),
    Control(ControlKind, Option<u16>, Vec<u8>),
}

impl Told {
    /// Parts are put together: where they are cut depends on the reads, which are not compared.
    pub(crate) fn add_part(told: &mut Vec<Told>, kind: MessageKind, data: &[u8], first: bool, last: bool) {
        // control frames may have come between the parts
        let open = told.iter_mut().rev().find(|told| matches!(told, Told::Begun(..)));
        assert_eq!(first, open.is_none(), "the first part, and no other, begins a message");
        match open {
            Some(begun) => {
                let Told::Begun(of, whole) = begun else { unreachable!("just found") };
                assert_eq!(*of, kind, "all parts of a message are of its kind");
                whole.extend_from_slice(data);
                if last {
                    *begun = Told::Message(kind, std::mem::take(whole));
                }
            }
            None if last => told.push(Told::Message(kind, data.to_vec())),
            None => told.push(Told::Begun(kind, data.to_vec())),
        }
    }
}
