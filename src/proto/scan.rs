//! The scanner between the socket and `h2`: it cuts the peer's bytes into HTTP/2 frames (RFC 9113 §4.1) and gives
//! each frame's payload to whom the caller says. It knows no stream and judges nothing but padding.
//!
//! Any cut of the input gives the same pieces, but for where payloads are split.

/// The length of a frame's head.
pub const FRAME_HEAD: usize = 9;
/// The client's connection preface (RFC 9113 §3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (RFC 9113 §6).
pub mod frame_type {
    #![allow(missing_docs)]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Frame flags.
pub mod flag {
    #![allow(missing_docs)]
    pub const END_STREAM: u8 = 1;
    pub const ACK: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// As it was on the wire.
    pub raw: [u8; FRAME_HEAD],
}

impl FrameHead {
    /// Makes a head; the reserved bit is 0.
    #[inline]
    pub fn new(len: usize, kind: u8, flags: u8, stream: u32) -> Self {
        let l = (len as u32).to_be_bytes();
        let s = stream.to_be_bytes();
        Self { raw: [l[1], l[2], l[3], kind, flags, s[0], s[1], s[2], s[3]] }
    }

    /// The payload's length.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        (self.raw[0] as usize) << 16 | (self.raw[1] as usize) << 8 | self.raw[2] as usize
    }

    /// The frame's type.
    #[inline]
    pub fn kind(&self) -> u8 {
        self.raw[3]
    }

    /// Whether a flag is set.
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.raw[4] & flag != 0
    }

    /// The stream, without the reserved bit.
    #[inline]
    pub fn stream(&self) -> u32 {
        u32::from_be_bytes([self.raw[5], self.raw[6], self.raw[7], self.raw[8]]) & 0x7fff_ffff
    }
}

/// Appends a WINDOW_UPDATE (RFC 9113 §6.9).
pub fn put_window_update(out: &mut Vec<u8>, stream: u32, increment: u32) {
    out.extend_from_slice(&FrameHead::new(4, frame_type::WINDOW_UPDATE, 0, stream).raw);
    out.extend_from_slice(&increment.to_be_bytes());
}

/// Who gets a frame's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// Whole and unchanged, piece by piece: for `h2`.
    #[default]
    Pass,
    /// DATA without its padding.
    Data,
    /// Gathered, then given at once: for frames of a few bytes.
    Gather,
    /// Nobody.
    Skip,
}

/// What the scanner found.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A frame begins. Call [`Scanner::route`] before the next piece, or its payload passes.
    Head(FrameHead),
    /// Payload of a passed frame, and whether the frame ends with it.
    Pass(&'a [u8], bool),
    /// Data of a DATA frame, and whether the frame ends with it.
    Data(&'a [u8], bool),
    /// A gathered frame is complete; [`Scanner::gathered`] has it.
    Gathered,
    /// More padding than payload (RFC 9113 §6.1: a connection error).
    BadPadding,
}

/// The most that is gathered of one frame; longer ones must pass.
pub const MAX_GATHER: usize = 1 << 10;

/// Where the scanner is.
#[derive(Debug, Default)]
pub struct Scanner {
    head: [u8; FRAME_HEAD],
    have: u8,
    route: Route,
    /// A head was given and its payload, perhaps empty, was not given to its end.
    open: bool,
    /// The pad length octet is still to come.
    want_pad: bool,
    left: usize,
    pad: usize,
    gathered: Vec<u8>,
}

impl Scanner {
    /// Sends the payload of the frame whose head was just given.
    #[inline]
    pub fn route(&mut self, route: Route) {
        self.route = route;
        self.want_pad = route == Route::Data && self.head[4] & flag::PADDED != 0;
        if route == Route::Gather {
            self.gathered.clear();
        }
    }

    /// The head that was given last.
    pub fn head(&self) -> FrameHead {
        FrameHead { raw: self.head }
    }

    /// The frame that [`Piece::Gathered`] announced: its payload.
    pub fn gathered(&self) -> &[u8] {
        &self.gathered
    }

    /// Whether the input so far ends inside a frame or a head.
    pub fn inside_frame(&self) -> bool {
        self.open || self.have > 0
    }

    /// Takes the next piece off the front of `input`; `None` when more input is needed.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        if self.open {
            return self.payload(input);
        }
        if self.have == 0 && input.len() >= FRAME_HEAD {
            let (head, rest) = input.split_at(FRAME_HEAD);
            self.head.copy_from_slice(head);
            *input = rest;
        } else {
            let have = self.have as usize;
            let n = (FRAME_HEAD - have).min(input.len());
            let (head, rest) = input.split_at(n);
            self.head[have..have + n].copy_from_slice(head);
            *input = rest;
            self.have += n as u8;
            if (self.have as usize) < FRAME_HEAD {
                return None;
            }
            self.have = 0;
        }
        let head = FrameHead { raw: self.head };
        self.left = head.len();
        self.pad = 0;
        self.open = true;
        self.route(Route::Pass);
        Some(Piece::Head(head))
    }

    #[inline]
    fn payload<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        if self.want_pad {
            if self.left == 0 {
                self.open = false;
                return Some(Piece::BadPadding);
            }
            let (&pad, rest) = input.split_first()?;
            *input = rest;
            self.want_pad = false;
            self.left -= 1;
            self.pad = pad as usize;
            if self.pad > self.left {
                self.open = false;
                return Some(Piece::BadPadding);
            }
            self.left -= self.pad;
        }
        if input.is_empty() && self.left + self.pad > 0 {
            return None;
        }
        let n = self.left.min(input.len());
        let (bytes, rest) = input.split_at(n);
        *input = rest;
        self.left -= n;
        if self.left == 0 && self.pad > 0 {
            let skip = self.pad.min(input.len());
            *input = &input[skip..];
            self.pad -= skip;
        }
        let end = self.left == 0 && self.pad == 0;
        self.open = !end;
        match self.route {
            Route::Pass => Some(Piece::Pass(bytes, end)),
            Route::Data => Some(Piece::Data(bytes, end)),
            Route::Gather => {
                self.gathered.extend_from_slice(bytes);
                if end { Some(Piece::Gathered) } else { None }
            }
            Route::Skip => Some(Piece::Pass(&[], end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a consumer can see, with payload pieces joined.
    #[derive(Debug, PartialEq, Eq)]
    enum Seen {
        Head(FrameHead),
        Pass(Vec<u8>),
        Data(Vec<u8>),
        Gathered(Vec<u8>),
        Skipped,
        BadPadding,
    }

    fn route_of(head: &FrameHead) -> Route {
        match head.kind() {
            frame_type::DATA => Route::Data,
            frame_type::WINDOW_UPDATE | frame_type::SETTINGS => Route::Gather,
            frame_type::PRIORITY => Route::Skip,
            _ => Route::Pass,
        }
    }

    fn scan(parts: &[&[u8]]) -> Vec<Seen> {
        let mut scanner = Scanner::default();
        let mut seen = Vec::new();
        let mut payload = Vec::new();
        let mut route = Route::Pass;
        for part in parts {
            let mut input = *part;
            loop {
                match scanner.next(&mut input) {
                    None if input.is_empty() => break,
                    None => {}
                    Some(Piece::Head(head)) => {
                        route = route_of(&head);
                        scanner.route(route);
                        seen.push(Seen::Head(head));
                    }
                    Some(Piece::Pass(bytes, end) | Piece::Data(bytes, end)) => {
                        payload.extend_from_slice(bytes);
                        if end {
                            let all = std::mem::take(&mut payload);
                            seen.push(match route {
                                Route::Data => Seen::Data(all),
                                Route::Skip => Seen::Skipped,
                                _ => Seen::Pass(all),
                            });
                        }
                    }
                    Some(Piece::Gathered) => seen.push(Seen::Gathered(scanner.gathered().to_vec())),
                    Some(Piece::BadPadding) => {
                        seen.push(Seen::BadPadding);
                        return seen;
                    }
                }
            }
        }
        assert!(!scanner.inside_frame(), "the input is whole frames");
        seen
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = FrameHead::new(payload.len(), kind, flags, stream).raw.to_vec();
        out.extend_from_slice(payload);
        out
    }

    fn sample() -> Vec<u8> {
        [
            frame(frame_type::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]),
            frame(frame_type::SETTINGS, flag::ACK, 0, b""),
            frame(frame_type::HEADERS, flag::END_HEADERS, 1, b"hpack"),
            frame(frame_type::DATA, 0, 1, b"message"),
            frame(frame_type::DATA, flag::PADDED, 1, b"\x03padPPP"),
            frame(frame_type::DATA, flag::PADDED, 1, b"\x02PP"),
            frame(frame_type::DATA, flag::PADDED, 1, b"\x00x"),
            frame(frame_type::PRIORITY, 0, 1, b"12345"),
            frame(frame_type::WINDOW_UPDATE, 0, 0x8000_0001, &[0, 0, 1, 0]),
            frame(frame_type::DATA, flag::END_STREAM, 1, b""),
            frame(frame_type::PING, 0, 0, b"12345678"),
        ]
        .concat()
    }

    #[test]
    fn frames_are_routed_whole() {
        let seen = scan(&[&sample()]);
        assert_eq!(seen.len(), 22, "a head and a payload for each of 11 frames");
        assert_eq!(seen[1], Seen::Gathered(vec![0, 4, 0, 1, 0, 0]));
        assert_eq!(seen[7], Seen::Data(b"message".to_vec()));
        assert_eq!(seen[15], Seen::Skipped);
        assert_eq!(seen[21], Seen::Pass(b"12345678".to_vec()));
    }

    #[test]
    fn rfc9113_6_1_padding_is_taken_off() {
        let seen = scan(&[&sample()]);
        assert_eq!(seen[9], Seen::Data(b"pad".to_vec()));
        assert_eq!(seen[11], Seen::Data(Vec::new()));
        assert_eq!(seen[13], Seen::Data(b"x".to_vec()));
    }

    #[test]
    fn rfc9113_6_1_more_padding_than_payload_is_an_error() {
        for payload in [&b""[..], b"\x01", b"\x05abcd"] {
            let bytes = frame(frame_type::DATA, flag::PADDED, 1, payload);
            assert_eq!(scan(&[&bytes]).last(), Some(&Seen::BadPadding), "{payload:?}");
        }
    }

    #[test]
    fn rfc9113_4_1_the_reserved_bit_is_ignored() {
        let seen = scan(&[&sample()]);
        assert!(matches!(seen[16], Seen::Head(head) if head.stream() == 1));
    }

    #[test]
    fn every_pair_of_cuts_gives_the_same_frames() {
        let bytes = sample();
        let whole = scan(&[&bytes]);
        for a in 0..=bytes.len() {
            for b in a..=bytes.len() {
                assert_eq!(scan(&[&bytes[..a], &bytes[a..b], &bytes[b..]]), whole, "cut at {a} and {b}");
            }
        }
    }
}
