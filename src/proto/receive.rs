//! The receiving half of a server's WebSocket (RFC 6455 §5, §6.2): bytes in, messages and control frames out.
//!
//! Most frames are small and lie whole in the input; those never touch the state. What is cut is put
//! together in a buffer that grows with the bytes that came, never by a length that was only announced.

use super::close::may_send;
use super::frame::{
    FIN, LENGTH_16, LENGTH_64, MASKED, MAX_CONTROL, MessageKind, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_CONTINUATION,
    OPCODE_PING, OPCODE_PONG, OPCODE_TEXT, RESERVED, RSV1,
};
use super::mask::Mask;
use super::utf8::{self, Utf8};

pub use super::violation::Violation;

/// What a socket takes. The same rules for each call of one [`Receiver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The longest message, bytes. Not applied with `parts`.
    pub max_message: u32,
    /// The most fragments of a message, at least 1, empty ones counted. Not applied with `parts`.
    pub max_fragments: u32,
    /// Give the parts of a message as they arrive, hold none of them.
    pub parts: bool,
    /// Only with `parts`: a message up to so many bytes is held until it is one part, a longer one until it is longer. Not
    /// applied to compressed ones.
    pub gather: u32,
    /// permessage-deflate was agreed on: RSV1 on the first frame of a message says that it is compressed (RFC 7692 §6).
    pub compression: bool,
}

/// The longest part of a compressed message that is given at once, bytes: it inflates to about a thousand times as much
/// at most.
pub const COMPRESSED_PART: usize = 1 << 10;

impl Rules {
    /// The longest compressed message. Incompressible bytes take up to an eighth more than they are (fixed codes of
    /// RFC 1951 §3.2.6), and the ends of blocks a little; what is longer than this can only be too long.
    fn max_compressed(&self) -> u32 {
        self.max_message.saturating_add(self.max_message / 8).saturating_add(1 << 10)
    }
}

/// What [`Receiver::feed`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message; its payload is the whole of `out`.
    Message {
        /// Text (checked) or binary.
        kind: MessageKind,
    },
    /// What came of a message, only with [`Rules::parts`]; its payload is the whole of `out`. A part of
    /// a text may end inside a character. Empty only if it is the last one.
    Part {
        /// Text (checked so far) or binary.
        kind: MessageKind,
        /// Nothing of this message was given before.
        first: bool,
        /// The message is complete.
        last: bool,
    },
    /// A compressed message; its payload, to be inflated and then checked, is the whole of `out`.
    Compressed {
        /// Text (not checked) or binary.
        kind: MessageKind,
    },
    /// What came of a compressed message, up to [`COMPRESSED_PART`] bytes, only with [`Rules::parts`]. Empty only if it
    /// is the last one.
    CompressedPart {
        /// Text (not checked) or binary.
        kind: MessageKind,
        /// The message is complete.
        last: bool,
    },
    /// A Ping; its payload is the whole of `out`.
    Ping,
    /// A Pong; its payload is the whole of `out`.
    Pong,
    /// A Close; its reason (valid UTF-8) is the whole of `out`.
    Close {
        /// The peer's code, if it gave one.
        code: Option<u16>,
    },
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    /// To the head of a frame, with no message open and nothing of the head here.
    #[default]
    Message,
    /// To the head of a frame.
    Head,
    /// To the payload of a data frame.
    Data,
    /// To the payload of a control frame.
    Control,
    /// Nowhere: a Close or a violation has ended it.
    Nothing,
}

/// What a cut message or control frame needs while it is put together.
#[derive(Debug, Default)]
struct Gathering {
    message: Vec<u8>,
    control: Vec<u8>,
}

/// A head, taken apart and found right.
struct Head {
    opcode: u8,
    fin: bool,
    /// RSV1.
    compressed: bool,
    mask: Mask,
    len: u64,
}

/// The longest head: two bytes, a 64-bit length, a mask.
const MAX_HEAD: usize = 14;

/// The receive state of one socket.
#[derive(Debug, Default)]
pub struct Receiver {
    /// The first `have` bytes of a head that was cut.
    head: [u8; MAX_HEAD],
    have: u8,
    expect: Expect,
    /// Of the current frame.
    opcode: u8,
    fin: bool,
    /// The mask's first byte belongs to the next byte of the payload.
    mask: Mask,
    remaining: u64,
    /// The open message's kind and fragments.
    open: Option<MessageKind>,
    compressed: bool,
    fragments: u32,
    utf8: Utf8,
    /// A part of the open message was given.
    given: bool,
    gathering: Option<Box<Gathering>>,
}

// A million idle sockets hold a million of these.
const _: () = assert!(size_of::<Receiver>() <= 64);

impl Receiver {
    /// Takes bytes off the front of `input`, one event's worth at most. `Ok(None)`: `input` is empty and
    /// more is needed. `out` is overwritten, and its buffer may be exchanged for another: a message that came
    /// in pieces is handed out in the one where it was put together.
    /// After a Close or an error all further input is taken and ignored.
    ///
    /// # Errors
    /// The rule that the peer broke. What `out` and `input` hold then means nothing.
    #[inline]
    pub fn feed(&mut self, input: &mut &[u8], rules: &Rules, out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        if self.expect == Expect::Message
            && let Some((kind, ascii, compressed)) = take_whole_message(input, rules, out)
        {
            if compressed {
                return Ok(Some(Received::Compressed { kind }));
            }
            if kind == MessageKind::Text && !ascii && utf8::check(out).is_err() {
                self.end();
                return Err(Violation::TextNotUtf8);
            }
            return Ok(Some(if rules.parts {
                Received::Part { kind, first: true, last: true }
            } else {
                Received::Message { kind }
            }));
        }
        self.feed_any(input, rules, out)
    }

    /// Payload bytes held of a message or control frame that is not complete.
    pub fn held(&self) -> usize {
        self.gathering.as_ref().map_or(0, |gathering| gathering.message.len() + gathering.control.len())
    }

    /// Whether a fragmented message is open: its first frame has begun, its last frame has not ended.
    pub fn in_message(&self) -> bool {
        self.open.is_some() && !(self.fin && self.fragments == 1)
    }

    #[inline(never)]
    fn feed_any(&mut self, input: &mut &[u8], rules: &Rules, out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        let result = self.advance(input, rules, out);
        if matches!(result, Err(_) | Ok(Some(Received::Close { .. }))) {
            self.end();
        }
        result
    }

    fn advance(&mut self, input: &mut &[u8], rules: &Rules, out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        loop {
            let event = match self.expect {
                Expect::Message | Expect::Head => {
                    if rules.parts
                        && let Some(part) = self.cut_by_close(input, rules, out)?
                    {
                        return Ok(Some(part));
                    }
                    let Some(head) = self.take_head(input, rules)? else { return Ok(None) };
                    self.begin_frame(&head, rules)?;
                    continue;
                }
                // A frame without payload is complete although nothing more has come.
                Expect::Data | Expect::Control if input.is_empty() && self.remaining > 0 => None,
                Expect::Control => self.take_control(input, out)?,
                Expect::Data if rules.parts && (self.given || self.compressed || rules.gather == 0) => {
                    self.take_part(input, out)?
                }
                Expect::Data => self.take_message(input, rules, out)?,
                Expect::Nothing => {
                    *input = &[];
                    None
                }
            };
            if event.is_some() || input.is_empty() {
                return Ok(event);
            }
        }
    }

    /// Takes a whole head, or what there is of it. Each byte is judged as soon as it is there: an unmasked
    /// head would otherwise wait for a mask that never comes.
    fn take_head(&mut self, input: &mut &[u8], rules: &Rules) -> Result<Option<Head>, Violation> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.expect = Expect::Head;
            self.head[self.have as usize] = byte;
            self.have += 1;
            match self.have {
                1 => self.check_first(byte, rules)?,
                2 => check_second(self.head[0], byte)?,
                have if have == head_len(self.head[1]) => {
                    self.have = 0;
                    return Head::parse(&self.head).map(Some);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn check_first(&self, first: u8, rules: &Rules) -> Result<(), Violation> {
        let opcode = first & 0xf;
        // RFC 7692 §6.1: RSV1 has its meaning on the first frame of a message alone
        let allowed = if rules.compression && matches!(opcode, OPCODE_TEXT | OPCODE_BINARY) { RSV1 } else { 0 };
        if first & RESERVED & !allowed != 0 {
            return Err(Violation::ReservedBits((first & RESERVED) >> 4));
        }
        match opcode {
            OPCODE_CONTINUATION if self.open.is_none() => Err(Violation::ContinuationWithoutStart),
            OPCODE_TEXT | OPCODE_BINARY if self.open.is_some() => Err(Violation::DataInsideMessage(opcode)),
            OPCODE_CONTINUATION | OPCODE_TEXT | OPCODE_BINARY => Ok(()),
            OPCODE_CLOSE | OPCODE_PING | OPCODE_PONG if first & FIN == 0 => Err(Violation::ControlFragmented(opcode)),
            OPCODE_CLOSE | OPCODE_PING | OPCODE_PONG => Ok(()),
            _ => Err(Violation::ReservedOpcode(opcode)),
        }
    }

    fn begin_frame(&mut self, head: &Head, rules: &Rules) -> Result<(), Violation> {
        self.mask = head.mask;
        self.remaining = head.len;
        self.opcode = head.opcode;
        if is_control(head.opcode) {
            self.expect = Expect::Control;
            return Ok(());
        }
        self.expect = Expect::Data;
        self.fin = head.fin;
        if head.opcode == OPCODE_CONTINUATION {
            self.fragments = self.fragments.saturating_add(1);
        } else {
            self.open = Some(if head.opcode == OPCODE_TEXT { MessageKind::Text } else { MessageKind::Binary });
            self.compressed = head.compressed;
            self.fragments = 1;
        }
        if rules.parts {
            return Ok(());
        }
        if self.fragments > rules.max_fragments {
            return Err(Violation::TooManyFragments { limit: rules.max_fragments });
        }
        let held = self.gathering.as_ref().map_or(0, |gathering| gathering.message.len());
        let length = head.len + held as u64;
        let most = if self.compressed { rules.max_compressed() } else { rules.max_message };
        if length > u64::from(most) {
            return Err(Violation::MessageTooLong { length, limit: rules.max_message });
        }
        Ok(())
    }

    /// The message that a Close cuts will not be whole: what is held of it is its first part. It comes with the first byte of the
    /// Close, whose own event takes those that follow.
    fn cut_by_close(
        &mut self,
        input: &mut &[u8],
        rules: &Rules,
        out: &mut Vec<u8>,
    ) -> Result<Option<Received>, Violation> {
        let (Some(kind), Some(gathering), Some((first, rest))) = (self.open, &mut self.gathering, input.split_first())
        else {
            return Ok(None);
        };
        if self.have > 0 || first & 0xf != OPCODE_CLOSE || gathering.message.is_empty() {
            return Ok(None);
        }
        *out = std::mem::take(&mut gathering.message);
        self.gathering = None;
        self.given = true;
        *input = rest;
        self.take_head(&mut std::slice::from_ref(first), rules)?;
        Ok(Some(Received::Part { kind, first: true, last: false }))
    }

    /// The next bytes of the current payload, of which there may be none.
    fn take_payload<'a>(&mut self, input: &mut &'a [u8], most: usize) -> &'a [u8] {
        let there = input.len().min(most);
        let take = usize::try_from(self.remaining).map_or(there, |remaining| remaining.min(there));
        let (payload, rest) = input.split_at(take);
        *input = rest;
        self.remaining -= take as u64;
        payload
    }

    fn take_control(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        let mask = self.mask;
        let payload = self.take_payload(input, usize::MAX);
        out.clear();
        if self.remaining > 0 {
            self.mask = mask.advanced(payload.len());
            mask.unmask_into(&mut self.gathering.get_or_insert_default().control, payload);
            return Ok(None);
        }
        if let Some(gathering) = &mut self.gathering {
            out.append(&mut gathering.control);
            if gathering.message.is_empty() {
                self.gathering = None;
            } else {
                gathering.control = Vec::new();
            }
        }
        mask.unmask_into(out, payload);
        self.expect = if self.open.is_some() { Expect::Head } else { Expect::Message };
        match self.opcode {
            OPCODE_PING => Ok(Some(Received::Ping)),
            OPCODE_PONG => Ok(Some(Received::Pong)),
            _ => read_close(out).map(Some),
        }
    }

    fn take_part(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
        let Some(kind) = self.open else { return Ok(None) };
        let mask = self.mask;
        let payload = self.take_payload(input, if self.compressed { COMPRESSED_PART } else { usize::MAX });
        self.mask = mask.advanced(payload.len());
        out.clear();
        let ascii = mask.unmask_into(out, payload);
        let last = self.check_text(out, ascii, kind)?;
        let first = !self.given;
        if last {
            self.end_message();
        } else if self.remaining == 0 {
            self.expect = Expect::Head;
        }
        if out.is_empty() && !last {
            return Ok(None);
        }
        self.given = !last;
        Ok(Some(if self.compressed {
            Received::CompressedPart { kind, last }
        } else {
            Received::Part { kind, first, last }
        }))
    }

    fn take_message(
        &mut self,
        input: &mut &[u8],
        rules: &Rules,
        out: &mut Vec<u8>,
    ) -> Result<Option<Received>, Violation> {
        let Some(kind) = self.open else { return Ok(None) };
        let mask = self.mask;
        let payload = self.take_payload(input, usize::MAX);
        self.mask = mask.advanced(payload.len());
        let complete = self.fin && self.remaining == 0;
        if complete && self.gathering.is_none() {
            out.clear();
            let ascii = mask.unmask_into(out, payload);
            self.check_text(out, ascii, kind)?;
        } else {
            let mut gathering = self.gathering.take().unwrap_or_default();
            let from = gathering.message.len();
            let more = if self.fin { self.remaining } else { u64::MAX };
            make_room(&mut gathering.message, out, payload.len(), more);
            let ascii = mask.unmask_into(&mut gathering.message, payload);
            self.check_text(&gathering.message[from..], ascii, kind)?;
            if complete || rules.parts && gathering.message.len() > rules.gather as usize {
                std::mem::swap(out, &mut gathering.message);
                self.given = !complete;
            } else if !gathering.message.is_empty() {
                self.gathering = Some(gathering);
            }
        }
        if complete {
            self.end_message();
            return Ok(Some(if rules.parts {
                Received::Part { kind, first: true, last: true }
            } else if self.compressed {
                Received::Compressed { kind }
            } else {
                Received::Message { kind }
            }));
        }
        if self.remaining == 0 {
            self.expect = Expect::Head;
        }
        Ok(self.given.then_some(Received::Part { kind, first: true, last: false }))
    }

    /// Checks what has come of a message, and whether a text ends well where its message does. Gives
    /// whether the message is complete.
    fn check_text(&mut self, new: &[u8], ascii: bool, kind: MessageKind) -> Result<bool, Violation> {
        let last = self.fin && self.remaining == 0;
        if kind == MessageKind::Text && !self.compressed {
            if !(ascii && self.utf8.is_complete()) {
                self.utf8.feed(new).map_err(|_| Violation::TextNotUtf8)?;
            }
            if last && !self.utf8.is_complete() {
                return Err(Violation::TextNotUtf8);
            }
        }
        Ok(last)
    }

    fn end_message(&mut self) {
        self.expect = Expect::Message;
        self.open = None;
        self.given = false;
    }

    fn end(&mut self) {
        *self = Self { expect: Expect::Nothing, ..Self::default() };
    }
}

impl Head {
    /// `bytes` begin with a whole head whose first two bytes were checked.
    fn parse(bytes: &[u8; MAX_HEAD]) -> Result<Self, Violation> {
        let [first, second, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13] = *bytes;
        let (len, shortest, mask) = match second & !MASKED {
            LENGTH_16 => (u64::from(u16::from_be_bytes([b2, b3])), u64::from(LENGTH_16), [b4, b5, b6, b7]),
            LENGTH_64 => (u64::from_be_bytes([b2, b3, b4, b5, b6, b7, b8, b9]), 1 << 16, [b10, b11, b12, b13]),
            len => (u64::from(len), 0, [b2, b3, b4, b5]),
        };
        let mask = Mask::new(mask);
        if len < shortest {
            return Err(Violation::LengthNotMinimal(len));
        }
        if len >> 63 != 0 {
            return Err(Violation::LengthTooLarge(len));
        }
        Ok(Self { opcode: first & 0xf, fin: first & FIN != 0, compressed: first & RSV1 != 0, mask, len })
    }
}

/// The common case: one text or binary frame, a message by itself, whole in `input`. Everything else,
/// also what is wrong, is left to the state machine, with `input` as it was. A text is still to be checked
/// unless it is ASCII, which the second value says; the third: it is compressed.
#[inline]
fn take_whole_message(input: &mut &[u8], rules: &Rules, out: &mut Vec<u8>) -> Option<(MessageKind, bool, bool)> {
    const TEXT: u8 = FIN | OPCODE_TEXT;
    const BINARY: u8 = FIN | OPCODE_BINARY;
    const COMPRESSED_TEXT: u8 = TEXT | RSV1;
    const COMPRESSED_BINARY: u8 = BINARY | RSV1;
    const MASKED_LENGTH_16: u8 = MASKED | LENGTH_16;
    let bytes = *input;
    let (first, mask, len, rest) = match bytes {
        [first, second @ MASKED..MASKED_LENGTH_16, a, b, c, d, rest @ ..] => {
            (first, [*a, *b, *c, *d], (second & !MASKED) as usize, rest)
        }
        [first, MASKED_LENGTH_16, high, low, a, b, c, d, rest @ ..] => {
            let len = u16::from_be_bytes([*high, *low]);
            if len < u16::from(LENGTH_16) {
                return None;
            }
            (first, [*a, *b, *c, *d], len as usize, rest)
        }
        _ => return None,
    };
    let (kind, compressed) = match *first {
        TEXT => (MessageKind::Text, false),
        BINARY => (MessageKind::Binary, false),
        COMPRESSED_TEXT if rules.compression && !rules.parts => (MessageKind::Text, true),
        COMPRESSED_BINARY if rules.compression && !rules.parts => (MessageKind::Binary, true),
        _ => return None,
    };
    if len > rules.max_message as usize && !rules.parts {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(len)?;
    *input = rest;
    out.clear();
    let ascii = Mask::new(mask).unmask_into(out, payload);
    Some((kind, ascii, compressed))
}

fn is_control(opcode: u8) -> bool {
    opcode & 8 != 0
}

fn check_second(first: u8, second: u8) -> Result<(), Violation> {
    let opcode = first & 0xf;
    if second & MASKED == 0 {
        return Err(Violation::Unmasked);
    }
    if is_control(opcode) && (second & !MASKED) as usize > MAX_CONTROL {
        return Err(Violation::ControlTooLong(opcode));
    }
    Ok(())
}

fn head_len(second: u8) -> u8 {
    match second & !MASKED {
        LENGTH_16 => 8,
        LENGTH_64 => 14,
        _ => 6,
    }
}

/// Makes room for `new` bytes. `more` bytes are announced; twice what has come is the most that is allocated
/// for them. The caller's buffer is taken over instead if it is of about the right size: a socket with one
/// large message after another then allocates nothing.
fn make_room(message: &mut Vec<u8>, out: &mut Vec<u8>, new: usize, more: u64) {
    if message.capacity() - message.len() >= new {
        return;
    }
    let come = message.len() + new;
    let room = come + usize::try_from(more).map_or(come, |more| more.min(come));
    if (room..=4 * come).contains(&out.capacity()) {
        out.clear();
        out.append(message);
        std::mem::swap(out, message);
    } else {
        message.reserve_exact(room - message.len());
    }
}

/// `out` holds a Close's payload, and then its reason.
fn read_close(out: &mut Vec<u8>) -> Result<Received, Violation> {
    let code = match out[..] {
        [] => return Ok(Received::Close { code: None }),
        [_] => return Err(Violation::CloseLength),
        [high, low, ..] => u16::from_be_bytes([high, low]),
    };
    if !may_send(code) {
        return Err(Violation::CloseCode(code));
    }
    out.drain(..2);
    utf8::check(out).map_err(|_| Violation::CloseReasonNotUtf8)?;
    Ok(Received::Close { code: Some(code) })
}

#[cfg(test)]
impl Receiver {
    /// What the heap holds for this receiver, bytes.
    pub(super) fn allocated(&self) -> usize {
        self.gathering
            .as_ref()
            .map_or(0, |gathering| size_of::<Gathering>() + gathering.message.capacity() + gathering.control.capacity())
    }

    /// Where the message in progress is put together.
    pub(super) fn message_buffer(&self) -> *const u8 {
        self.gathering.as_ref().map_or(std::ptr::null(), |gathering| gathering.message.as_ptr())
    }
}
