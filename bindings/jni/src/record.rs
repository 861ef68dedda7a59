//! The records that a batch is made of, for Java to read: one for each event. Their layout stands here and nowhere else; Java
//! gets the offsets from [`LAYOUT`].
//!
//! ```text
//!  0 u32 length of the record, payload and padding included     16 u64 context
//!  4 u8  type                                                   24 u32 length of the payload
//!  5 u8  flags                                                  28 u32 number
//!  6 u16 code                                                   32 payload, then padding to a multiple of 8
//!  8 u64 stream
//! ```
//! Integers are in the machine's order. A string is its length as u32 and its bytes. What flags, code and number mean is said
//! at each function that writes a record.

use h2ws::{
    Body, Cause, Closed, ConnectionId, ControlFrame, ControlKind, Fragment, HandedBack, ListenerId, LogLevel, Message,
    MessageKind, Ready, Request, Side, StreamId, StreamKind, TlsInfo,
};

const LENGTH: usize = 0;
const TYPE: usize = 4;
const FLAGS: usize = 5;
const CODE: usize = 6;
const STREAM: usize = 8;
const CONTEXT: usize = 16;
const SIZE: usize = 24;
const NUMBER: usize = 28;
/// Where the payload begins.
pub const PAYLOAD: usize = 32;

/// The offsets, in the order of `Native.layout()`.
pub const LAYOUT: [i32; 9] = [
    PAYLOAD as i32,
    LENGTH as i32,
    TYPE as i32,
    FLAGS as i32,
    CODE as i32,
    STREAM as i32,
    CONTEXT as i32,
    SIZE as i32,
    NUMBER as i32,
];

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    Request = 1,
    Body = 2,
    Message = 3,
    Fragment = 4,
    Control = 5,
    Writable = 6,
    Closed = 7,
    Log = 8,
    Fallback = 9,
    Disconnected = 10,
    Duplex = 11,
}

/// All of a record but its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Head {
    pub kind: Kind,
    pub flags: u8,
    pub code: u16,
    pub stream: u64,
    pub context: u64,
    pub number: u32,
}

impl Head {
    fn new(kind: Kind, stream: u64, context: u64) -> Self {
        Self { kind, flags: 0, code: 0, stream, context, number: 0 }
    }

    fn flags(self, flags: u8) -> Self {
        Self { flags, ..self }
    }

    /// What stands in front of a payload of `size` bytes.
    fn bytes(self, size: usize) -> [u8; PAYLOAD] {
        let mut out = [0; PAYLOAD];
        out[LENGTH..TYPE].copy_from_slice(&(length(size) as u32).to_ne_bytes());
        out[TYPE] = self.kind as u8;
        out[FLAGS] = self.flags;
        out[CODE..STREAM].copy_from_slice(&self.code.to_ne_bytes());
        out[STREAM..CONTEXT].copy_from_slice(&self.stream.to_ne_bytes());
        out[CONTEXT..SIZE].copy_from_slice(&self.context.to_ne_bytes());
        out[SIZE..NUMBER].copy_from_slice(&(size as u32).to_ne_bytes());
        out[NUMBER..PAYLOAD].copy_from_slice(&self.number.to_ne_bytes());
        out
    }

    /// Writes a record whose payload is `parts`, one after the other, into `to`, which is as long as [`length`] says.
    pub fn write(self, to: &mut [u8], parts: &[&[u8]]) {
        let (head, mut rest) = to.split_at_mut(PAYLOAD);
        let mut size = 0;
        for part in parts {
            let (here, behind) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = behind;
            size += part.len();
        }
        rest.fill(0);
        head.copy_from_slice(&self.bytes(size));
    }

    /// Appends `part`, which this head is of, to a record with a payload of `size` bytes, which becomes as long as it is given.
    pub fn extend(self, record: &mut [u8], size: usize, part: &[u8]) {
        let (here, rest) = record[PAYLOAD + size..].split_at_mut(part.len());
        here.copy_from_slice(part);
        rest.fill(0);
        // whatever else the first part's record says stays
        let length = record.len() as u32;
        record[LENGTH..TYPE].copy_from_slice(&length.to_ne_bytes());
        record[FLAGS] |= self.flags;
        record[SIZE..NUMBER].copy_from_slice(&((size + part.len()) as u32).to_ne_bytes());
    }

    /// Appends such a record.
    pub fn append(self, to: &mut Vec<u8>, parts: &[&[u8]]) {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let end = to.len() + length(size);
        to.reserve(length(size));
        to.extend_from_slice(&self.bytes(size));
        for part in parts {
            to.extend_from_slice(part);
        }
        to.resize(end, 0);
    }
}

/// How long a record with a payload of so many bytes is.
pub fn length(payload: usize) -> usize {
    (PAYLOAD + payload).next_multiple_of(8)
}

/// How long the record is that `batch` begins with; `None`: it does not begin with a whole one.
pub fn first_length(batch: &[u8]) -> Option<usize> {
    let length = u32::from_ne_bytes(batch.get(LENGTH..TYPE)?.try_into().ok()?) as usize;
    (length >= PAYLOAD && length <= batch.len()).then_some(length)
}

fn put(out: &mut Vec<u8>, string: &[u8]) {
    out.extend((string.len() as u32).to_ne_bytes());
    out.extend(string);
}

fn put_headers(out: &mut Vec<u8>, headers: &http::HeaderMap) {
    for (name, value) in headers {
        put(out, name.as_str().as_bytes());
        put(out, value.as_bytes());
    }
}

fn put_tls(out: &mut Vec<u8>, tls: &TlsInfo) {
    put(out, tls.version.as_bytes());
    put(out, tls.cipher.as_bytes());
    put(out, tls.server_name.as_deref().unwrap_or("").as_bytes());
    put(out, tls.alpn.unwrap_or("").as_bytes());
    out.push(tls.resumed.into());
    out.extend((tls.peer_certificates.len() as u32).to_ne_bytes());
    tls.peer_certificates.iter().for_each(|certificate| put(out, certificate));
}

/// Flags 1: a WebSocket handshake, 2: no body, 4: over TLS. Code: the HTTP version as 10, 11 or 20. Number: of header fields.
/// Payload: connection and listener (0: adopted) as u64; HTTP/2 stream as u32; method, scheme, authority, path, peer; names and values; how many
/// subprotocols as u32, and each; over TLS its version, suite, server name, ALPN, whether it was resumed as u8, how many
/// certificates as u32, and each.
pub fn request(request: &Request<'_>, context: u64) -> (Head, Vec<u8>) {
    let mut payload = Vec::with_capacity(512);
    payload.extend(ConnectionId::to_raw(request.connection).to_ne_bytes());
    payload.extend(request.listener.map_or(0, ListenerId::to_raw).to_ne_bytes());
    payload.extend(request.h2_stream.to_ne_bytes());
    for string in [request.method, request.scheme, request.authority, request.path, request.peer] {
        put(&mut payload, string.as_bytes());
    }
    put_headers(&mut payload, request.headers);
    payload.extend((request.subprotocols.len() as u32).to_ne_bytes());
    request.subprotocols.iter().for_each(|subprotocol| put(&mut payload, subprotocol.as_bytes()));
    if let Some(tls) = request.tls {
        put_tls(&mut payload, tls);
    }
    let websocket = request.kind == StreamKind::WebSocket;
    let flags = u8::from(websocket) | u8::from(request.end) << 1 | u8::from(request.tls.is_some()) << 2;
    let code = match request.version {
        http::Version::HTTP_10 => 10,
        http::Version::HTTP_11 => 11,
        _ => 20,
    };
    let head = Head::new(Kind::Request, request.stream.to_raw(), context).flags(flags);
    (Head { code, number: request.headers.len() as u32, ..head }, payload)
}

/// Flags 1: the end, 2: with trailers. Number: length of the data; behind it how many trailers as u32, names and values.
pub fn body(body: &Body<'_>) -> (Head, Vec<u8>) {
    let mut trailers = Vec::new();
    if let Some(fields) = body.trailers {
        trailers.extend((fields.len() as u32).to_ne_bytes());
        put_headers(&mut trailers, fields);
    }
    let flags = u8::from(body.end) | u8::from(body.trailers.is_some()) << 1;
    let head = Head::new(Kind::Body, body.stream.to_raw(), body.context).flags(flags);
    (Head { number: body.data.len() as u32, ..head }, trailers)
}

fn text(kind: MessageKind) -> u8 {
    u8::from(kind == MessageKind::Text)
}

/// Flags 1: text. Payload: the message.
#[inline]
pub fn message(message: &Message<'_>) -> Head {
    Head::new(Kind::Message, message.stream.to_raw(), message.context).flags(text(message.kind))
}

/// Flags of a fragment.
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Flags 1: text, 2: the first, 4: the last. Payload: the part.
pub fn fragment(fragment: &Fragment<'_>) -> Head {
    let first = if fragment.first { FIRST } else { 0 };
    let last = if fragment.last { LAST } else { 0 };
    let flags = text(fragment.kind) | first | last;
    Head::new(Kind::Fragment, fragment.stream.to_raw(), fragment.context).flags(flags)
}

/// If `next` is of a part that follows the one that `record` is of: how long that is.
pub fn followed_by(record: &[u8], next: Head) -> Option<usize> {
    let (kind, flags) = (record[TYPE], record[FLAGS]);
    let open = kind == Kind::Fragment as u8 && flags & LAST == 0;
    let follows = next.kind == Kind::Fragment && next.flags & FIRST == 0;
    let same = record[STREAM..CONTEXT] == next.stream.to_ne_bytes();
    let size = u32::from_ne_bytes(record[SIZE..NUMBER].try_into().ok()?);
    (open && follows && same).then_some(size as usize)
}

/// Flags 1: Ping, 2: Pong, 3: Close. Code: a Close's, 0 if it had none. Payload: its payload, or a Close's reason.
pub fn control(control: &ControlFrame<'_>) -> Head {
    let flags = match control.kind {
        ControlKind::Ping => 1,
        ControlKind::Pong => 2,
        ControlKind::Close => 3,
        ControlKind::Violation => 4,
        ControlKind::End => 5,
    };
    let head = Head::new(Kind::Control, control.stream.to_raw(), control.context).flags(flags);
    Head { code: control.code.unwrap_or(0), ..head }
}

/// No payload.
pub fn writable(stream: StreamId, context: u64) -> Head {
    Head::new(Kind::Writable, stream.to_raw(), context)
}

/// Flags 1: a WebSocket, 2: the peer began. Code: the close code. Number: the HTTP/2 error code. Payload: the cause as u8, then
/// the reason.
pub fn closed(closed: &Closed<'_>) -> (Head, u8) {
    let cause = match closed.cause {
        Cause::Complete => 0,
        Cause::CloseFrame => 1,
        Cause::EndStream => 2,
        Cause::Reset => 3,
        Cause::GoAway => 4,
        Cause::Disconnected => 5,
        Cause::Timeout => 6,
        Cause::Drain => 7,
        Cause::Rejected => 8,
        Cause::Violation => 9,
    };
    let flags = u8::from(closed.kind == StreamKind::WebSocket) | u8::from(closed.side == Side::Remote) << 1;
    let head = Head::new(Kind::Closed, closed.stream.to_raw(), closed.context).flags(flags);
    (Head { code: closed.code, number: closed.h2_code, ..head }, cause)
}

/// Flags: the level, from 1 for an error to 4 for debug. Payload: the line.
pub fn log(level: LogLevel) -> Head {
    let level = match level {
        LogLevel::Error => 1,
        LogLevel::Warn => 2,
        LogLevel::Info => 3,
        LogLevel::Debug => 4,
    };
    Head::new(Kind::Log, 0, 0).flags(level)
}

/// Stream: the number of a connection that Java had given, and that has ended. No payload.
pub fn disconnected(connection: ConnectionId) -> Head {
    Head::new(Kind::Disconnected, connection.to_raw(), 0)
}

/// Flags 4: over TLS. Stream: the number of a connection whose bytes are Java's to move from now on. Payload: its listener as u64
/// (0: adopted); peer; over TLS as in [`request`].
pub fn fallback(back: &HandedBack<'_>) -> (Head, Vec<u8>) {
    let mut payload = Vec::with_capacity(64);
    payload.extend(back.listener.map_or(0, ListenerId::to_raw).to_ne_bytes());
    put(&mut payload, back.peer.as_bytes());
    if let Some(tls) = back.tls {
        put_tls(&mut payload, tls);
    }
    let head = Head::new(Kind::Fallback, back.connection.to_raw(), 0).flags(u8::from(back.tls.is_some()) << 2);
    (head, payload)
}

/// Flags 1: there is something to read, 2: there is room to write. Stream: the number of the connection. No payload.
pub fn duplex(connection: ConnectionId, context: u64, ready: Ready) -> Head {
    let flags = u8::from(ready.readable) | u8::from(ready.writable) << 1;
    Head::new(Kind::Duplex, connection.to_raw(), context).flags(flags)
}
