//! The receiving half of a server's WebSocket (RFC 6455 §5, §6.2): bytes in, messages and control frames out.
//!
//! Most frames are small and lie whole in the input; those never touch the state. What is cut is put
//! together in a buffer that grows with the bytes that came, never by a length that was only announced.

mod gathering;
mod head;
mod payload;
mod whole;

use super::frame::{
    FIN, MessageKind, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT,
    RESERVED, RSV1,
};
use super::mask::Mask;
use super::utf8::{self, Utf8};
use gathering::Gathering;
use head::{Head, MAX_HEAD, check_second, head_len, is_control};
use whole::take_whole_message;

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

    /// Payload bytes that the frame in progress has announced and that have not come.
    pub fn announced(&self) -> u64 {
        self.remaining
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

    fn end_message(&mut self) {
        self.expect = Expect::Message;
        self.open = None;
        self.given = false;
    }

    fn end(&mut self) {
        *self = Self { expect: Expect::Nothing, ..Self::default() };
    }
}

#[cfg(test)]
impl Receiver {
    /// What the heap holds for this receiver, bytes.
    pub(super) fn allocated(&self) -> usize {
        self.gathering
            .as_ref()
            .map_or(0, |gathering| size_of::<Gathering>() + gathering.message.capacity() + gathering.control.capacity())
    }

    /// Where the message in progress is put together, and how large that is.
    pub(super) fn message_buffer(&self) -> (*const u8, usize) {
        let message = self.gathering.as_ref().map(|gathering| &gathering.message);
        message.map_or((std::ptr::null(), 0), |message| (message.as_ptr(), message.capacity()))
    }
}
