//! Random conversations, and their bytes.

use crate::support::frame::{
    ACK, BINARY, CLOSE, CONTINUATION, CONTINUE, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, PADDED, PING, PREFACE,
    PRIORITY, TEXT, WS_PING, WS_PONG, close_payload, ws_frame,
};
use crate::support::hpack;
use crate::{BARRIER, LIMIT, TRAILER};
use proptest::prelude::*;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Request,
    Messages,
    Parts,
}

/// A WebSocket frame or two; of a request, bytes.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Text(String),
    Binary(Vec<u8>),
    /// In two fragments, with a Ping between.
    Cut(Vec<u8>, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16),
}

impl Said {
    fn encode(&self, websocket: bool) -> Vec<u8> {
        match self {
            Self::Text(text) if websocket => ws_frame(true, TEXT, text.as_bytes()),
            Self::Binary(data) if websocket => ws_frame(true, BINARY, data),
            Self::Cut(a, b) if websocket => {
                [ws_frame(false, BINARY, a), ws_frame(true, WS_PING, b"between"), ws_frame(true, CONTINUE, b)].concat()
            }
            Self::Ping(data) if websocket => ws_frame(true, WS_PING, data),
            Self::Pong(data) if websocket => ws_frame(true, WS_PONG, data),
            Self::Close(code) if websocket => ws_frame(true, CLOSE, &close_payload(*code, "bye")),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Binary(data) | Self::Ping(data) | Self::Pong(data) => data.clone(),
            Self::Cut(a, b) => [&a[..], b].concat(),
            Self::Close(code) => code.to_be_bytes().to_vec(),
        }
    }
}

/// One step of a conversation.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data {
        stream: usize,
        len: usize,
        pad: Option<u8>,
        end: bool,
    },
    Trailers {
        stream: usize,
        cut: bool,
    },
    StreamWindow {
        stream: usize,
        increment: u32,
    },
    /// A PRIORITY frame (`None`), or one of a type that nobody knows.
    Other {
        stream: usize,
        kind: Option<u8>,
    },
    Reset {
        stream: usize,
        code: u32,
    },
    Ping,
    Settings,
    ConnectionWindow,
}

/// A stream of the client's.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    role: Role,
    /// Where its header block is cut into CONTINUATIONs, of its length in 256ths.
    cuts: Vec<u8>,
    /// Before which step it is opened.
    at: usize,
    says: Vec<Said>,
}

#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) streams: Vec<Opened>,
    pub(crate) steps: Vec<Step>,
    /// What is given along with the socket, and the sizes of the pieces that follow.
    pub(crate) first: usize,
    pub(crate) pieces: Vec<usize>,
}

pub(crate) fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

pub(crate) fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => "[a-zß€𝄞]{0,200}".prop_map(Said::Text),
        6 => bytes(300).prop_map(Said::Binary),
        // longer than a DATA frame, and than a 16-bit length
        1 => (200..70_000usize, any::<u8>()).prop_map(|(len, byte)| Said::Binary(vec![byte; len])),
        4 => (bytes(300), bytes(300)).prop_map(|(a, b)| Said::Cut(a, b)),
        2 => bytes(126).prop_map(Said::Ping),
        1 => bytes(126).prop_map(Said::Pong),
        1 => prop_oneof![Just(1000u16), Just(1001), 3000..5000u16].prop_map(Said::Close),
    ]
}

pub(crate) fn opened() -> impl Strategy<Value = Opened> {
    let role = prop_oneof![Just(Role::Request), Just(Role::Messages), Just(Role::Parts)];
    let cuts = proptest::collection::vec(any::<u8>(), 0..4);
    (role, cuts, 0..20usize, proptest::collection::vec(said(), 1..12)).prop_map(|(role, mut cuts, at, says)| {
        cuts.sort_unstable();
        Opened { role, cuts, at, says }
    })
}

pub(crate) fn conversation() -> impl Strategy<Value = Conversation> {
    let len = prop_oneof![8 => 0..40usize, 8 => 1..700usize, 1 => 700..=16_000usize];
    let step = prop_oneof![
        20 => (0..6usize, len, proptest::option::weighted(0.2, any::<u8>()), proptest::bool::weighted(0.06))
            .prop_map(|(stream, len, pad, end)| Step::Data { stream, len, pad, end }),
        1 => (0..6usize, any::<bool>()).prop_map(|(stream, cut)| Step::Trailers { stream, cut }),
        1 => (0..6usize, 0..14u32).prop_map(|(stream, code)| Step::Reset { stream, code }),
        1 => (0..6usize, 1..100_000u32).prop_map(|(stream, increment)| Step::StreamWindow { stream, increment }),
        1 => (0..6usize, proptest::option::of(0x20..0xffu8)).prop_map(|(stream, kind)| Step::Other { stream, kind }),
        1 => Just(Step::Ping),
        1 => Just(Step::Settings),
        1 => Just(Step::ConnectionWindow),
    ];
    (
        proptest::collection::vec(opened(), 1..6),
        proptest::collection::vec(step, 1..100),
        0..400usize,
        proptest::collection::vec(prop_oneof![1..20usize, 1..900usize, 900..40_000usize], 1..8),
    )
        .prop_map(|(mut streams, steps, first, pieces)| {
            // a stream's id says when it was opened
            streams.sort_by_key(|stream| stream.at);
            Conversation { streams, steps, first, pieces }
        })
}

/// A header block in HEADERS and CONTINUATIONs, some of them empty.
pub(crate) fn head(stream: u32, flags: u8, block: &[u8], cuts: &[u8]) -> Vec<u8> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| block.len() * usize::from(*cut) / 256).collect();
    ends.push(block.len());
    let (mut out, mut from) = (Vec::new(), 0);
    for (i, to) in ends.iter().enumerate() {
        let (kind, flags) = if i == 0 { (HEADERS, flags) } else { (CONTINUATION, 0) };
        let last = if i + 1 == ends.len() { END_HEADERS } else { 0 };
        out.extend(Frame::new(kind, flags | last, stream, &block[from..*to]).encode());
        from = *to;
    }
    out
}

/// A stream of the client's, as far as it has come.
pub(crate) struct Sending {
    source: Vec<u8>,
    open: bool,
    reset: bool,
}

impl Conversation {
    /// The client's bytes, without the barrier; streams that the client has ended take no further DATA.
    pub(crate) fn bytes(&self, case: &str) -> Vec<u8> {
        let mut out = PREFACE.to_vec();
        out.extend(Frame::settings(&[]).encode());
        let mut sending: Vec<Sending> = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            self.open(case, at, &mut sending, &mut out);
            self.step(step, &mut sending, &mut out);
        }
        self.open(case, usize::MAX, &mut sending, &mut out);
        out
    }

    /// Opens the streams whose turn it is.
    fn open(&self, case: &str, at: usize, sending: &mut Vec<Sending>, out: &mut Vec<u8>) {
        while let Some(stream) = self.streams.get(sending.len()).filter(|stream| stream.at <= at) {
            let i = sending.len();
            let websocket = stream.role != Role::Request;
            let path = format!("/{case}/{i}{}", if stream.role == Role::Parts { "?parts" } else { "" });
            let fields: Vec<(&str, &str)> = if websocket {
                vec![
                    (":method", "CONNECT"),
                    (":protocol", "websocket"),
                    (":scheme", "http"),
                    (":path", &path),
                    (":authority", "test"),
                    ("sec-websocket-version", "13"),
                ]
            } else {
                vec![(":method", "POST"), (":scheme", "http"), (":path", &path), (":authority", "test")]
            };
            out.extend(head(id(i), 0, &hpack::encode(&fields), &stream.cuts));
            let source = stream.says.iter().flat_map(|said| said.encode(websocket)).collect();
            sending.push(Sending { source, open: true, reset: false });
        }
    }

    fn step(&self, step: &Step, sending: &mut [Sending], out: &mut Vec<u8>) {
        match *step {
            Step::Data { stream, len, pad, end } => {
                let Some(sender) = sending.get_mut(stream).filter(|sender| sender.open) else { return };
                let len = len.min(sender.source.len());
                if len == 0 && !end {
                    return;
                }
                let data: Vec<u8> = sender.source.drain(..len).collect();
                let mut flags = if end { END_STREAM } else { 0 };
                let payload = match pad {
                    Some(pad) => {
                        flags |= PADDED;
                        [&[pad], &data[..], &vec![0; pad.into()]].concat()
                    }
                    None => data,
                };
                out.extend(Frame::new(DATA, flags, id(stream), payload).encode());
                sender.open = !end;
            }
            Step::Trailers { stream, cut } => {
                let Some(sender) = sending.get_mut(stream).filter(|sender| sender.open) else { return };
                let block = hpack::encode(&[("x-trailer", TRAILER)]);
                out.extend(head(id(stream), END_STREAM, &block, if cut { &[0, 77] } else { &[] }));
                sender.open = false;
            }
            Step::Reset { stream, code } => {
                let Some(sender) = sending.get_mut(stream).filter(|sender| sender.open) else { return };
                out.extend(Frame::rst(id(stream), code).encode());
                (sender.open, sender.reset) = (false, true);
            }
            Step::StreamWindow { stream, increment } if sending.get(stream).is_some_and(|sender| !sender.reset) => {
                out.extend(Frame::window_update(id(stream), increment).encode());
            }
            Step::Other { stream, kind: Some(kind) } if stream < sending.len() => {
                out.extend(Frame::new(kind, 0xff, id(stream), b"of no known type".to_vec()).encode());
            }
            Step::Other { stream, kind: None } if stream < sending.len() => {
                out.extend(Frame::new(PRIORITY, 0, id(stream), [0, 0, 0, 0, 16]).encode());
            }
            Step::Ping => out.extend(Frame::ping(*b"just so.").encode()),
            Step::Settings => out.extend(Frame::settings(&[]).encode()),
            Step::ConnectionWindow => out.extend(Frame::window_update(0, 1000).encode()),
            Step::StreamWindow { .. } | Step::Other { .. } => {}
        }
    }
}

pub(crate) fn id(stream: usize) -> u32 {
    2 * stream as u32 + 1
}

/// Writes the conversation in its pieces, then the barrier; when that is answered it says that it ends, and reads on until
/// the server has ended too: nothing of the server's is refused meanwhile.
pub(crate) fn converse(mut socket: UnixStream, bytes: &[u8], pieces: &[usize]) {
    let mut reading = socket.try_clone().expect("a second handle");
    reading.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let (answered, answer) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut head = [0; 9];
        while reading.read_exact(&mut head).is_ok() {
            let len = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; len];
            reading.read_exact(&mut payload).expect("a whole frame");
            if head[3] == PING && head[4] & ACK != 0 && payload == BARRIER {
                answered.send(()).expect("somebody waits for it");
            }
        }
    });
    let mut rest = bytes;
    for n in pieces.iter().cycle() {
        let (piece, later) = rest.split_at((*n).min(rest.len()));
        socket.write_all(piece).expect("the server reads");
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    socket.write_all(&Frame::ping(BARRIER).encode()).expect("the server reads");
    answer.recv_timeout(LIMIT).expect("the barrier is answered");
    socket.shutdown(Shutdown::Write).expect("connected");
    reader.join().expect("the server ends too");
}
