//! One WebSocket: what its bytes mean and what its state allows. It knows nothing of HTTP/2: bytes come in, frames
//! go into a [`SendQueue`], and whoever carries them asks what to do next.

use super::deflate::Compression;
use super::event::{Cause, Control, ControlKind, Credit, Delivery};
use super::send_queue::{Pool, SendQueue};
use super::stats::Counters;
use super::status::{Error, Status};
use crate::proto::close::put_close;
use crate::proto::frame::{
    MessageKind, OPCODE_BINARY, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_PONG, OPCODE_TEXT, RSV1,
};
use crate::proto::receive::{COMPRESSED_PART, Received, Receiver, Rules, Violation};
use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;

/// What stands for the code of a Close without one (RFC 6455 §7.4.1).
const NO_CODE: u16 = 1005;

/// What came, with its payload in the buffer that was given along.
#[derive(Debug, PartialEq)]
pub(crate) enum Arrived {
    /// A whole message.
    Message(MessageKind),
    /// A part of one.
    Fragment { kind: MessageKind, first: bool, last: bool },
    /// A control frame.
    Control { kind: ControlKind, code: Option<u16> },
}

/// What waits for the host's demand, compressed messages as they came. Each record costs less memory than it took on the
/// wire: 5 bytes of head here, 6 at least there.
#[derive(Debug, Default)]
struct Pending {
    records: VecDeque<Record>,
    bytes: VecDeque<u8>,
    /// What the peer did wrong after all that, or that it ended: for when the host has had its turn.
    last: Option<Last>,
}

/// After which nothing is received.
#[derive(Debug)]
enum Last {
    Violation(Violation),
    End,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    what: What,
    len: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Message(MessageKind),
    Fragment { kind: MessageKind, first: bool, last: bool },
    Compressed(MessageKind),
    CompressedPart { kind: MessageKind, last: bool },
    Close(Option<u16>),
}

/// How a socket's end stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    /// The host (or we) said Close before the peer did.
    pub(crate) local: bool,
    /// Our Close is in the send queue or on its way.
    pub(crate) said: bool,
    /// The code of the peer's Close; 1005 if it had none (RFC 6455 §7.1.5). Its reason is in `reason`.
    pub(crate) heard: Option<u16>,
    pub(crate) reason: Box<str>,
    /// We failed the socket: the code we sent, and why. Nothing more is received.
    pub(crate) failed: Option<u16>,
    /// Why the engine said Close, if it did: it drains, or the socket was idle.
    pub(crate) cause: Option<Cause>,
    /// The peer's side has ended without a Close.
    pub(crate) ended: bool,
}

/// The socket.
#[derive(Debug)]
pub(crate) struct WebSocket {
    receiver: Receiver,
    control: Control,
    delivery: Delivery,
    /// Events the host is ready to take; `None`: all.
    credit: Option<u64>,
    pending: Option<Box<Pending>>,
    /// permessage-deflate was agreed on.
    compression: Option<Box<Compression>>,
    /// The latest Pong, while the send queue is too full to take it: only the last Ping must be answered
    /// (RFC 6455 §5.5.3).
    late_pong: Option<Box<[u8]>>,
    /// The kind of the message that the host sends in fragments.
    sending: Option<MessageKind>,
    pub(crate) closing: Option<Box<Closing>>,
    /// A Ping of ours that has not been answered.
    pub(crate) awaits_pong: bool,
}

/// Limits of a socket, from the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_message: u32,
    pub(crate) max_fragments: u32,
    pub(crate) send_queue: usize,
}

impl WebSocket {
    pub(crate) fn new(control: Control, delivery: Delivery, credit: Credit) -> Self {
        Self {
            receiver: Receiver::default(),
            control,
            delivery,
            credit: match credit {
                Credit::Auto => None,
                Credit::Demand => Some(0),
            },
            pending: None,
            compression: None,
            late_pong: None,
            sending: None,
            closing: None,
            awaits_pong: false,
        }
    }

    /// With what was agreed on about compression.
    pub(crate) fn with_compression(self, compression: Option<Box<Compression>>) -> Self {
        Self { compression, ..self }
    }

    pub(crate) fn closing(&mut self) -> &mut Closing {
        self.closing.get_or_insert_default()
    }

    /// Nothing is received any more: the peer's Close came, or we failed the socket.
    #[inline]
    pub(crate) fn deaf(&self) -> bool {
        self.closing.as_ref().is_some_and(|c| c.heard.is_some() || c.failed.is_some() || c.ended)
    }

    /// Our Close is out or under way.
    pub(crate) fn said_close(&self) -> bool {
        self.closing.as_ref().is_some_and(|c| c.said)
    }

    /// A message has begun and is not complete.
    pub(crate) fn in_message(&self) -> bool {
        self.receiver.in_message()
    }

    /// The peer broke a rule.
    pub(crate) fn failed(&self) -> bool {
        self.closing.as_ref().is_some_and(|c| c.failed.is_some())
    }

    /// Both Closes are through, or we failed the socket: our side of the stream ends with what is queued.
    pub(crate) fn may_end(&self) -> bool {
        self.closing.as_ref().is_some_and(|c| {
            c.said && (c.heard.is_some() || c.failed.is_some() || c.ended) || c.ended && self.control == Control::Auto
        })
    }

    /// What the peer did to end its side is told to the host, and the host's to answer.
    pub(crate) fn host_answers(&self) -> bool {
        self.control == Control::Manual && !self.said_close()
    }

    /// Takes bytes off the front of `input`, up to one event. `None`: the input is used up. `host_first`: the host has been told
    /// something that it has not come to; what would end its side waits for that.
    #[inline]
    pub(crate) fn receive(
        &mut self,
        input: &mut &[u8],
        host_first: bool,
        payload: &mut Vec<u8>,
        out: &mut SendQueue,
        pool: &mut Pool,
        limits: &Limits,
    ) -> Result<Option<Arrived>, Violation> {
        if self.closing.is_some() && self.deaf() || self.pending.as_ref().is_some_and(|p| p.last.is_some()) {
            *input = &[];
            return Ok(None);
        }
        let rules = Rules {
            max_message: limits.max_message,
            max_fragments: limits.max_fragments,
            parts: self.delivery != Delivery::Messages,
            gather: if let Delivery::FragmentsAbove(gather) = self.delivery { gather } else { 0 },
            compression: self.compression.is_some(),
        };
        loop {
            let received = match self.receiver.feed(input, &rules, payload) {
                Ok(Some(received)) => received,
                Ok(None) => return Ok(None),
                Err(violation) => return self.wrong(violation, host_first, input),
            };
            let what = match received {
                Received::Message { kind } => What::Message(kind),
                Received::Part { kind, first, last } => What::Fragment { kind, first, last },
                Received::Compressed { kind } => What::Compressed(kind),
                Received::CompressedPart { kind, last } => What::CompressedPart { kind, last },
                Received::Ping => {
                    if self.control == Control::Auto {
                        self.answer_ping(payload, out, pool, limits);
                    }
                    return Ok(Some(Arrived::Control { kind: ControlKind::Ping, code: None }));
                }
                Received::Pong => {
                    self.awaits_pong = false;
                    return Ok(Some(Arrived::Control { kind: ControlKind::Pong, code: None }));
                }
                Received::Close { code } => {
                    if self.pending.is_some() || host_first {
                        self.hold(What::Close(code), payload);
                        continue;
                    }
                    return Ok(Some(self.heard(code, payload, out, pool)));
                }
            };
            if self.credit.is_some_and(|credit| credit == 0 || self.pending.is_some()) {
                self.hold(what, payload);
            } else {
                match self.open(what, payload, out, pool) {
                    Ok(Some(arrived)) => return Ok(Some(arrived)),
                    Ok(None) => {}
                    Err(violation) => return self.wrong(violation, host_first, input),
                }
            }
        }
    }

    /// The peer did wrong, and what follows is not heard.
    #[cold]
    fn wrong(
        &mut self,
        violation: Violation,
        host_first: bool,
        input: &mut &[u8],
    ) -> Result<Option<Arrived>, Violation> {
        // a host that answers it does so after all that came before
        let waits = host_first || self.pending.is_some() && self.host_answers();
        if !waits {
            return Err(violation);
        }
        *input = &[];
        self.pending.get_or_insert_default().last = Some(Last::Violation(violation));
        Ok(None)
    }

    /// The peer has ended its side, and the host comes first: the end waits in [`Self::has_pending`].
    pub(crate) fn hold_end(&mut self) {
        let pending = self.pending.get_or_insert_default();
        if pending.last.is_none() {
            pending.last = Some(Last::End);
        }
    }

    /// Makes an event of what came, and takes its credit. `None`: there is nothing to be said of it yet.
    #[inline]
    fn open(
        &mut self,
        what: What,
        payload: &mut Vec<u8>,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<Option<Arrived>, Violation> {
        let arrived = match what {
            What::Message(kind) => Arrived::Message(kind),
            What::Fragment { kind, first, last } => Arrived::Fragment { kind, first, last },
            What::Close(code) => return Ok(Some(self.heard(code, payload, out, pool))),
            What::Compressed(_) | What::CompressedPart { .. } => match self.inflate(what, payload, pool)? {
                Some(arrived) => arrived,
                None => return Ok(None),
            },
        };
        if let Some(credit) = &mut self.credit {
            *credit -= 1;
        }
        Ok(Some(arrived))
    }

    #[inline(never)]
    fn inflate(&mut self, what: What, payload: &mut Vec<u8>, pool: &mut Pool) -> Result<Option<Arrived>, Violation> {
        // the receiver gives nothing compressed where it was not agreed on
        let compression = self.compression.as_mut().ok_or(Violation::NotDeflate)?;
        Ok(match what {
            What::CompressedPart { kind, last } => compression
                .part(kind, last, payload, &mut pool.contexts)?
                .map(|first| Arrived::Fragment { kind, first, last }),
            What::Compressed(kind) => {
                compression.message(kind, payload, &mut pool.contexts)?;
                Some(Arrived::Message(kind))
            }
            What::Message(_) | What::Fragment { .. } | What::Close(_) => None,
        })
    }

    fn hold(&mut self, what: What, payload: &[u8]) {
        let pending = self.pending.get_or_insert_default();
        pending.bytes.extend(payload);
        // parts of one message become one part: a peer that sends single bytes must not cost a record for each
        match (what, pending.records.back_mut()) {
            (
                What::Fragment { first: false, last, .. },
                Some(Record { what: What::Fragment { last: end @ false, .. }, len }),
            )
            | (
                What::CompressedPart { last, .. },
                Some(Record { what: What::CompressedPart { last: end @ false, .. }, len }),
            ) => {
                *end = last;
                *len += payload.len() as u32;
                return;
            }
            _ => {}
        }
        pending.records.push_back(Record { what, len: payload.len() as u32 });
    }

    /// What was held and may be delivered now, with its payload in the buffer; and how many bytes of the wire it
    /// frees.
    pub(crate) fn next_pending(
        &mut self,
        host_first: bool,
        payload: &mut Vec<u8>,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<Option<(Arrived, u32)>, Violation> {
        let mut freed: u32 = 0;
        loop {
            let Some(pending) = &mut self.pending else { return Ok(None) };
            let Some(record) = pending.records.front_mut() else {
                if host_first {
                    return Ok(None);
                }
                return match self.pending.take().and_then(|pending| pending.last) {
                    Some(Last::Violation(violation)) => Err(violation),
                    Some(Last::End) | None => Ok(None),
                };
            };
            let mut what = record.what;
            let waits = if matches!(what, What::Close(_)) { host_first } else { self.credit == Some(0) };
            if waits {
                return Ok(None);
            }
            let mut take = record.len as usize;
            // not more at once than the receiver gives
            if let What::CompressedPart { last, .. } = &mut what
                && take > COMPRESSED_PART
            {
                (take, *last) = (COMPRESSED_PART, false);
                record.len -= take as u32;
            } else {
                pending.records.pop_front();
                freed = freed.saturating_add(6);
            }
            freed = freed.saturating_add(take as u32);
            payload.clear();
            let (front, back) = pending.bytes.as_slices();
            let n = front.len().min(take);
            payload.extend_from_slice(&front[..n]);
            payload.extend_from_slice(&back[..take - n]);
            pending.bytes.drain(..take);
            if pending.records.is_empty() && pending.last.is_none() {
                self.pending = None;
            }
            if let Some(arrived) = self.open(what, payload, out, pool)? {
                return Ok(Some((arrived, freed)));
            }
        }
    }

    /// Something waits for demand.
    #[inline]
    pub(crate) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// The host is ready for `n` more.
    pub(crate) fn demand(&mut self, n: u32) {
        if let Some(credit) = &mut self.credit {
            *credit = credit.saturating_add(u64::from(n));
        }
    }

    fn answer_ping(&mut self, payload: &[u8], out: &mut SendQueue, pool: &mut Pool, limits: &Limits) {
        if self.said_close() {
            return;
        }
        if out.len() >= limits.send_queue {
            self.late_pong = Some(payload.into());
        } else {
            out.push_frame(pool, OPCODE_PONG, true, payload);
        }
    }

    /// The send queue has room again.
    pub(crate) fn send_late_pong(&mut self, out: &mut SendQueue, pool: &mut Pool) {
        if let Some(payload) = self.late_pong.take()
            && !self.said_close()
        {
            out.push_frame(pool, OPCODE_PONG, true, &payload);
        }
    }

    /// The peer's Close (RFC 6455 §5.5.1): with `Control::Auto` it is answered with its own code.
    fn heard(&mut self, code: Option<u16>, reason: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Arrived {
        let auto = self.control == Control::Auto;
        let closing = self.closing();
        closing.heard = Some(code.unwrap_or(NO_CODE));
        closing.reason = String::from_utf8_lossy(reason).into();
        if auto && !closing.said {
            closing.said = true;
            put(out, pool, code, "");
        }
        Arrived::Control { kind: ControlKind::Close, code }
    }

    /// The host's Close, or the engine's.
    pub(crate) fn say_close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        let closing = self.closing();
        if closing.said {
            return Err(Error::new(Status::WrongState, "a Close has been sent on this WebSocket"));
        }
        closing.said = true;
        closing.local = closing.heard.is_none();
        put(out, pool, code, reason);
        Ok(())
    }

    /// The peer broke a rule: Close with the rule's code, then nothing is received any more. The code, if the host is to say it.
    pub(crate) fn fail(&mut self, violation: &Violation, out: &mut SendQueue, pool: &mut Pool) -> Option<u16> {
        let code = violation.close_code();
        let host_answers = self.host_answers();
        self.pending = None;
        let closing = self.closing();
        closing.failed = Some(code);
        closing.reason = violation.to_string().into();
        if host_answers {
            return Some(code);
        }
        if !closing.said {
            closing.said = true;
            put(out, pool, Some(code), "");
        }
        None
    }

    /// A message of the host, compressed if that was agreed on and is asked for.
    #[inline]
    pub(crate) fn send_message(
        &mut self,
        kind: MessageKind,
        data: &[u8],
        compress: bool,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        let opcode = self.may_send_message(kind)?;
        if compress
            && let Some(compression) = &mut self.compression
            && let Some(compressed) = compression.compress(data, &mut pool.contexts)
        {
            out.push_frame(pool, opcode | RSV1, true, &compressed);
            pool.contexts.give_back(compressed);
            return Ok(());
        }
        out.push_frame(pool, opcode, true, data);
        Ok(())
    }

    /// permessage-deflate was agreed on.
    #[inline]
    pub(crate) fn compresses(&self) -> bool {
        self.compression.is_some()
    }

    /// Whether a message may be sent now; its opcode.
    #[inline]
    pub(crate) fn may_send_message(&self, kind: MessageKind) -> Result<u8, Error> {
        self.may_send()?;
        if self.sending.is_some() {
            return Err(Error::new(Status::WrongState, "a message in fragments has not been completed"));
        }
        Ok(opcode(kind))
    }

    /// A fragment of the host's.
    pub(crate) fn send_fragment(
        &mut self,
        kind: MessageKind,
        data: &[u8],
        last: bool,
        out: &mut SendQueue,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        self.may_send()?;
        let opcode = match self.sending {
            None => opcode(kind),
            Some(begun) if begun == kind => OPCODE_CONTINUATION,
            Some(_) => {
                return Err(Error::new(Status::WrongState, "a message in fragments was begun with the other kind"));
            }
        };
        out.push_frame(pool, opcode, last, data);
        self.sending = (!last).then_some(kind);
        Ok(())
    }

    /// A Ping of the host's, or of the engine's keep-alive.
    pub(crate) fn send_ping(&mut self, data: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Result<(), Error> {
        self.may_send()?;
        out.push_frame(pool, OPCODE_PING, true, data);
        Ok(())
    }

    /// A Pong of the host's.
    pub(crate) fn send_pong(&mut self, data: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Result<(), Error> {
        self.may_send()?;
        out.push_frame(pool, OPCODE_PONG, true, data);
        Ok(())
    }

    #[inline]
    fn may_send(&self) -> Result<(), Error> {
        if self.said_close() {
            return Err(Error::new(Status::WrongState, "a Close has been sent on this WebSocket"));
        }
        Ok(())
    }
}

/// Where a violation of the peer's is counted.
pub(crate) fn violation_counter<'a>(counters: &'a Counters, violation: &Violation) -> &'a AtomicU64 {
    match violation {
        Violation::NotDeflate => &counters.violation_deflate,
        Violation::InflatesTooMuch { .. } => &counters.limit_ratio,
        _ => match violation.close_code() {
            1007 => &counters.violation_utf8,
            1008 => &counters.limit_fragments,
            1009 => &counters.limit_message,
            _ => &counters.violation_frame,
        },
    }
}

fn opcode(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Text => OPCODE_TEXT,
        MessageKind::Binary => OPCODE_BINARY,
    }
}

fn put(out: &mut SendQueue, pool: &mut Pool, code: Option<u16>, reason: &str) {
    let mut frame = Vec::with_capacity(127);
    put_close(&mut frame, code, reason);
    out.push_raw(pool, &frame);
}
