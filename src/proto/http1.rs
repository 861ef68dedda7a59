//! Where the requests of an HTTP/1.1 connection begin and end (RFC 9112 §6, §7).
//!
//! `hyper` reads the requests; this sees them first, so that it gets one at a time, and none whose end two readers could
//! see in different places (RFC 9112 §11.2). What comes behind an `Upgrade` is kept from it.

use httparse::{EMPTY_HEADER, Error, Header, Request, Status};

/// What ends a head.
const END: &[u8] = b"\r\n\r\n";
/// Empty lines before a request that are skipped (RFC 9112 §2.2).
const MOST_EMPTY_LINES: u8 = 8;
/// The longest line of a chunk's size with its extensions (RFC 9112 §7.1.1), which nobody needs.
const MOST_CHUNK_LINE: u16 = 256;

/// How large a head, or the trailers, may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes, the request line included.
    pub bytes: usize,
    /// Fields.
    pub fields: usize,
}

/// A request that is not served, and the connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// 400, 414, 431, 501 or 505.
    pub status: u16,
    /// One line, for the log and for the body.
    pub text: &'static str,
}

fn refuse<T>(status: u16, text: &'static str) -> Result<T, Refused> {
    Err(Refused { status, text })
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Nothing that matters, to be thrown away.
    Empty,
    /// A whole head. `upgrade`: it asks for a WebSocket, and nothing that follows is HTTP/1.1 until that is refused.
    Head {
        /// See above.
        upgrade: bool,
    },
    /// Of a body.
    Body,
    /// Nothing can be said before more has come.
    Cut,
}

/// Follows a connection's requests.
#[derive(Debug, Default)]
pub struct Framer {
    state: State,
    /// Bytes of an unfinished head that are known to have no end in them.
    scanned: usize,
    empty_lines: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Body(u64),
    Chunked(Chunk),
}

/// Where in a chunked body (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    Size {
        value: u64,
        digits: u8,
    },
    Extension {
        value: u64,
        len: u16,
    },
    SizeEnd {
        value: u64,
    },
    Data(u64),
    DataEnd,
    DataEndLf,
    /// `line`: bytes of this line; `len`, `fields`: of all.
    Trailer {
        line: u32,
        len: u32,
        fields: u32,
    },
    TrailerLf {
        line: u32,
        len: u32,
        fields: u32,
    },
}

impl Framer {
    /// Between two requests: what comes next is a head.
    pub fn between(&self) -> bool {
        self.state == State::Head
    }

    /// Looks at the bytes that were not taken yet: what the first of them are, and how many.
    ///
    /// # Errors
    /// The answer to give; nothing that follows can be understood.
    pub fn advance(&mut self, input: &[u8], limits: Limits) -> Result<(Part, usize), Refused> {
        if input.is_empty() {
            return Ok((Part::Cut, 0));
        }
        match self.state {
            State::Head => self.head(input, limits),
            State::Body(left) => {
                let n = left.min(input.len() as u64);
                self.state = if n == left { State::Head } else { State::Body(left - n) };
                Ok((Part::Body, n as usize))
            }
            State::Chunked(mut chunk) => {
                let (n, whole) = chunk.advance(input, limits)?;
                self.state = if whole { State::Head } else { State::Chunked(chunk) };
                Ok((Part::Body, n))
            }
        }
    }

    fn head(&mut self, input: &[u8], limits: Limits) -> Result<(Part, usize), Refused> {
        if self.scanned == 0 && (input.starts_with(b"\r\n") || input == b"\r") {
            if input.len() < 2 {
                return Ok((Part::Cut, 0));
            }
            self.empty_lines += 1;
            if self.empty_lines > MOST_EMPTY_LINES {
                return refuse(400, "too many empty lines before a request");
            }
            return Ok((Part::Empty, 2));
        }
        let from = self.scanned.saturating_sub(END.len() - 1);
        let end = input[from..].windows(END.len()).position(|bytes| bytes == END);
        // a lone LF may end a line (RFC 9112 §2.2), and is where readers differ
        let fresh = self.scanned..end.map_or(input.len(), |end| from + end);
        if fresh.into_iter().any(|i| input[i] == b'\n' && (i == 0 || input[i - 1] != b'\r')) {
            return refuse(400, "a line of the head ends with LF alone");
        }
        let Some(end) = end else {
            self.scanned = input.len();
            if input.len() > limits.bytes {
                return too_large(input, limits);
            }
            return Ok((Part::Cut, 0));
        };
        let len = from + end + END.len();
        if len > limits.bytes {
            return too_large(input, limits);
        }
        (self.scanned, self.empty_lines) = (0, 0);
        let head = judge(&input[..len], limits.fields)?;
        self.state = head.body;
        Ok((Part::Head { upgrade: head.upgrade }, len))
    }
}

fn too_large<T>(input: &[u8], limits: Limits) -> Result<T, Refused> {
    if input[..limits.bytes].contains(&b'\n') {
        return refuse(431, "the request's head is larger than max_header_list");
    }
    refuse(414, "the request line is longer than max_header_list")
}

struct Head {
    body: State,
    upgrade: bool,
}

/// What a whole head says of where its request ends.
fn judge(bytes: &[u8], most_fields: usize) -> Result<Head, Refused> {
    let mut fields = vec![EMPTY_HEADER; most_fields];
    let mut request = Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(Status::Complete(len)) if len == bytes.len() => {}
        Ok(_) => return refuse(400, "the head does not end where it seems to"),
        Err(Error::TooManyHeaders) => return refuse(431, "more header fields than max_header_fields"),
        Err(Error::Version) => return refuse(505, "the request line names no version that is served"),
        Err(Error::HeaderName) => return refuse(400, "a field name is malformed, or a field is folded"),
        Err(Error::HeaderValue) => return refuse(400, "a field value is malformed"),
        Err(_) => return refuse(400, "the request line is malformed"),
    }
    let latest = request.version == Some(1);
    let method = request.method.unwrap_or("");
    let fields = &*request.headers;
    if method == "CONNECT" {
        return refuse(501, "CONNECT: no tunnels here");
    }
    let hosts = all(fields, "host").count();
    if hosts > 1 || latest && hosts == 0 {
        return refuse(400, "not exactly one host field");
    }
    let body = body(fields, latest)?;
    let upgrade = latest
        && method == "GET"
        && elements(fields, "upgrade").any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
        && elements(fields, "connection").any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    if upgrade && body != State::Head {
        return refuse(400, "a WebSocket handshake has no body");
    }
    Ok(Head { body, upgrade })
}

/// RFC 9112 §6.3, as strict as it allows.
fn body(fields: &[Header<'_>], latest: bool) -> Result<State, Refused> {
    let mut codings = all(fields, "transfer-encoding");
    let mut lengths = all(fields, "content-length");
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(State::Head),
        (Some(_), Some(_)) => refuse(400, "transfer-encoding and content-length in one request"),
        (Some(_), None) if !latest => refuse(400, "transfer-encoding in HTTP/1.0"),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() => {
            Ok(State::Chunked(Chunk::Size { value: 0, digits: 0 }))
        }
        (Some(_), None) => refuse(501, "transfer-encoding is not chunked alone"),
        (None, Some(length)) => {
            if lengths.next().is_some() {
                return refuse(400, "more than one content-length");
            }
            let digits = !length.is_empty() && length.len() < 20 && length.iter().all(u8::is_ascii_digit);
            let Some(n) = digits.then(|| std::str::from_utf8(length).ok()?.parse().ok()).flatten() else {
                return refuse(400, "content-length is not a number");
            };
            Ok(if n == 0 { State::Head } else { State::Body(n) })
        }
    }
}

fn all<'a>(fields: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.trim_ascii())
}

fn elements<'a>(fields: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    all(fields, name).flat_map(|line| line.split(|b| *b == b',')).map(<[u8]>::trim_ascii)
}

impl Chunk {
    /// How many bytes belong to the body, and whether it is whole with them.
    fn advance(&mut self, input: &[u8], limits: Limits) -> Result<(usize, bool), Refused> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if let Self::Data(left) = *self {
                let n = left.min((input.len() - at) as u64);
                at += n as usize;
                *self = if n == left { Self::DataEnd } else { Self::Data(left - n) };
                continue;
            }
            at += 1;
            *self = match (*self, byte) {
                (Self::Size { value, digits }, _) if byte.is_ascii_hexdigit() => {
                    if digits == 15 {
                        return refuse(400, "a chunk's size has too many digits");
                    }
                    let digit = (byte as char).to_digit(16).unwrap_or(0);
                    Self::Size { value: value << 4 | u64::from(digit), digits: digits + 1 }
                }
                (Self::Size { digits: 0, .. }, _) => return refuse(400, "a chunk's size is no hexadecimal number"),
                (Self::Size { value, .. } | Self::Extension { value, .. }, b'\r') => Self::SizeEnd { value },
                (Self::Size { value, .. }, b';' | b' ' | b'\t') => Self::Extension { value, len: 1 },
                (Self::Size { .. }, _) => return refuse(400, "a chunk's size is no hexadecimal number"),
                (Self::Extension { .. }, b'\n' | 0) => return refuse(400, "a chunk's extension is malformed"),
                (Self::Extension { value, len }, _) => {
                    if len == MOST_CHUNK_LINE {
                        return refuse(400, "a chunk's extension is too long");
                    }
                    Self::Extension { value, len: len + 1 }
                }
                (Self::SizeEnd { value: 0 }, b'\n') => Self::Trailer { line: 0, len: 0, fields: 0 },
                (Self::SizeEnd { value }, b'\n') => Self::Data(value),
                (Self::DataEnd, b'\r') => Self::DataEndLf,
                (Self::DataEndLf, b'\n') => Self::Size { value: 0, digits: 0 },
                (Self::Trailer { line, len, fields }, b'\r') => Self::TrailerLf { line, len, fields },
                (Self::Trailer { .. }, b'\n') => return refuse(400, "a line of the trailers ends with LF alone"),
                (Self::Trailer { line, len, fields }, _) => {
                    if len as usize >= limits.bytes {
                        return refuse(431, "the trailers are larger than max_header_list");
                    }
                    if line == 0 && fields as usize >= limits.fields {
                        return refuse(431, "more trailers than max_header_fields");
                    }
                    Self::Trailer { line: line + 1, len: len + 1, fields: fields + u32::from(line == 0) }
                }
                (Self::TrailerLf { line: 0, .. }, b'\n') => return Ok((at, true)),
                (Self::TrailerLf { len, fields, .. }, b'\n') => Self::Trailer { line: 0, len, fields },
                _ => return refuse(400, "a chunk does not end with CRLF"),
            };
        }
        Ok((at, false))
    }
}
