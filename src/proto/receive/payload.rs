//! The payload of a frame: a control frame, a part of a message, or a message that is put together.

use super::gathering::make_room;
use super::{COMPRESSED_PART, Expect, Received, Receiver, Rules, Violation};
use crate::proto::close::may_send;
use crate::proto::frame::{MessageKind, OPCODE_PING, OPCODE_PONG};
use crate::proto::utf8;

impl Receiver {
    /// The next bytes of the current payload, of which there may be none.
    fn take_payload<'a>(&mut self, input: &mut &'a [u8], most: usize) -> &'a [u8] {
        let there = input.len().min(most);
        let take = usize::try_from(self.remaining).map_or(there, |remaining| remaining.min(there));
        let (payload, rest) = input.split_at(take);
        *input = rest;
        self.remaining -= take as u64;
        payload
    }

    pub(super) fn take_control(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
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

    pub(super) fn take_part(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Received>, Violation> {
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

    pub(super) fn take_message(
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
