//! HTTP/2 frames (RFC 9113 §4) and WebSocket frames (RFC 6455 §5.2) as plain values.

use super::hpack::Field;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// On DATA and HEADERS.
pub const END_STREAM: u8 = 0x1;
/// On SETTINGS and PING.
pub const ACK: u8 = 0x1;
/// On HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 0x4;
/// On DATA and HEADERS.
pub const PADDED: u8 = 0x8;

pub const NO_ERROR: u32 = 0x0;
pub const PROTOCOL_ERROR: u32 = 0x1;
pub const INTERNAL_ERROR: u32 = 0x2;
pub const FLOW_CONTROL_ERROR: u32 = 0x3;
pub const STREAM_CLOSED: u32 = 0x5;
pub const FRAME_SIZE_ERROR: u32 = 0x6;
pub const REFUSED_STREAM: u32 = 0x7;
pub const CANCEL: u32 = 0x8;
pub const ENHANCE_YOUR_CALM: u32 = 0xb;

pub const HEADER_TABLE_SIZE: u16 = 1;
pub const MAX_CONCURRENT_STREAMS: u16 = 3;
pub const INITIAL_WINDOW_SIZE: u16 = 4;
pub const MAX_FRAME_SIZE: u16 = 5;
pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// The largest window, and the last stream id of the first GOAWAY of a drain.
pub const MAX_WINDOW: u32 = (1 << 31) - 1;

/// An HTTP/2 frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
    /// Of HEADERS: the fields, with those of CONTINUATIONs.
    pub fields: Vec<Field>,
}

impl Frame {
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into(), fields: Vec::new() }
    }

    pub fn data(stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self::new(DATA, 0, stream, payload)
    }

    pub fn data_end(stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self::new(DATA, END_STREAM, stream, payload)
    }

    pub fn rst(stream: u32, code: u32) -> Self {
        Self::new(RST_STREAM, 0, stream, code.to_be_bytes())
    }

    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
    }

    pub fn settings(values: &[(u16, u32)]) -> Self {
        let payload: Vec<u8> =
            values.iter().flat_map(|(id, value)| id.to_be_bytes().into_iter().chain(value.to_be_bytes())).collect();
        Self::new(SETTINGS, 0, 0, payload)
    }

    pub fn ping(payload: [u8; 8]) -> Self {
        Self::new(PING, 0, 0, payload)
    }

    pub fn goaway(last_stream: u32, code: u32) -> Self {
        let payload: Vec<u8> = last_stream.to_be_bytes().into_iter().chain(code.to_be_bytes()).collect();
        Self::new(GOAWAY, 0, 0, payload)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = (self.payload.len() as u32).to_be_bytes()[1..].to_vec();
        out.extend([self.kind, self.flags]);
        out.extend(self.stream.to_be_bytes());
        out.extend(&self.payload);
        out
    }

    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// The four bytes at `at` as a number: an error code, an increment.
    fn number(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4).unwrap_or_else(|| panic!("{self:?} is too short"));
        u32::from_be_bytes(bytes.try_into().expect("four bytes"))
    }

    /// The error code of RST_STREAM or GOAWAY.
    pub fn error_code(&self) -> u32 {
        match self.kind {
            RST_STREAM => self.number(0),
            GOAWAY => self.number(4),
            _ => panic!("expected RST_STREAM or GOAWAY, got {self:?}"),
        }
    }

    /// The increment of a WINDOW_UPDATE.
    pub fn increment(&self) -> u32 {
        assert_eq!(self.kind, WINDOW_UPDATE, "expected WINDOW_UPDATE, got {self:?}");
        self.number(0)
    }

    /// The last stream id of a GOAWAY.
    pub fn last_stream(&self) -> u32 {
        assert_eq!(self.kind, GOAWAY, "expected GOAWAY, got {self:?}");
        self.number(0)
    }

    /// The values of SETTINGS.
    pub fn settings_values(&self) -> Vec<(u16, u32)> {
        let value = |entry: &[u8]| u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]);
        self.payload.chunks_exact(6).map(|e| (u16::from_be_bytes([e[0], e[1]]), value(e))).collect()
    }

    /// A field of HEADERS.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The status of HEADERS.
    pub fn status(&self) -> &str {
        self.field(":status").unwrap_or_else(|| panic!("expected a response head, got {self:?}"))
    }
}

pub const CONTINUE: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const WS_PING: u8 = 9;
pub const WS_PONG: u8 = 10;

/// A WebSocket frame as the server sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsFrame {
    pub fin: bool,
    /// With [`COMPRESSED`], if the frame has RSV1.
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// RSV1 (RFC 7692 §6), to be added to an opcode.
pub const COMPRESSED: u8 = 0x40;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client sends it, masked with a fixed key.
pub fn ws_frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = ws_head(fin, opcode, payload.len() as u64);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// Only the head of such a frame, its mask included.
pub fn ws_head(fin: bool, opcode: u8, length: u64) -> Vec<u8> {
    let mut out = vec![u8::from(fin) << 7 | opcode];
    match length {
        0..=125 => out.push(0x80 | length as u8),
        126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(MASK);
    out
}

/// A text message in one frame.
pub fn ws_text(text: &str) -> Vec<u8> {
    ws_frame(true, TEXT, text.as_bytes())
}

/// A binary message in one frame.
pub fn ws_binary(data: &[u8]) -> Vec<u8> {
    ws_frame(true, BINARY, data)
}

/// A Close frame of the client.
pub fn ws_close(code: u16, reason: &str) -> Vec<u8> {
    ws_frame(true, CLOSE, &close_payload(code, reason))
}

/// What a Close frame carries (RFC 6455 §5.5.1).
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    payload
}

/// The bytes of a Close frame of the server: unmasked (RFC 6455 §5.1).
pub fn server_close(code: u16, reason: &str) -> Vec<u8> {
    server_frame(CLOSE, &close_payload(code, reason))
}

/// The bytes of a final frame of the server, its length in the shortest form (RFC 6455 §5.2).
pub fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80 | opcode];
    match payload.len() {
        length @ ..126 => out.push(length as u8),
        length @ ..65_536 => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

/// Takes a whole frame of the server from the front of `buffer`, if there is one.
pub fn take_ws_frame(buffer: &mut Vec<u8>) -> Option<WsFrame> {
    let (first, second) = (*buffer.first()?, *buffer.get(1)?);
    assert_eq!(first & 0x30, 0, "RSV2 and RSV3 are 0: no extension has a use for them (RFC 6455 §5.2)");
    assert_eq!(second & 0x80, 0, "a server does not mask (RFC 6455 §5.1)");
    let (head, length) = match second {
        126 => (4, u64::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().expect("two bytes")))),
        127 => (10, u64::from_be_bytes(buffer.get(2..10)?.try_into().expect("eight bytes"))),
        short => (2, u64::from(short)),
    };
    let end = head + usize::try_from(length).expect("a length that fits");
    if buffer.len() < end {
        return None;
    }
    let payload = buffer[head..end].to_vec();
    buffer.drain(..end);
    Some(WsFrame { fin: first & 0x80 != 0, opcode: first & (COMPRESSED | 0x0f), payload })
}
