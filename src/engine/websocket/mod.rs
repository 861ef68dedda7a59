//! One WebSocket: what its bytes mean and what its state allows. It knows nothing of HTTP/2: bytes come in, frames
//! go into a [`SendQueue`], and whoever carries them asks what to do next.

mod closing;
mod pending;
mod sending;

use super::config::Config;
use super::deflate::Compression;
use super::event::{Control, ControlKind, Credit, Delivery};
use super::pool::Pool;
use super::send_queue::SendQueue;
use super::stats::Counters;
use crate::proto::frame::{MessageKind, OPCODE_PONG};
use crate::proto::receive::{Received, Receiver, Rules, Violation};
pub(crate) use closing::Closing;
use pending::{Last, Pending, What};
use std::sync::atomic::AtomicU64;

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

impl Limits {
    #[inline]
    pub(crate) fn of(config: &Config) -> Self {
        let Config { max_message, max_fragments, send_queue, .. } = *config;
        Self { max_message, max_fragments, send_queue: send_queue as usize }
    }
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

    /// A message has begun and is not complete.
    pub(crate) fn in_message(&self) -> bool {
        self.receiver.in_message()
    }

    /// Bytes of the frame in progress that the peer has announced and not sent.
    pub(crate) fn announced(&self) -> u64 {
        self.receiver.announced()
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
                        self.pending.get_or_insert_default().hold(What::Close(code), payload);
                        continue;
                    }
                    return Ok(Some(self.heard(code, payload, out, pool)));
                }
            };
            if self.credit.is_some_and(|credit| credit == 0 || self.pending.is_some()) {
                self.pending.get_or_insert_default().hold(what, payload);
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
            let credit = self.credit;
            let waits = |what| if matches!(what, What::Close(_)) { host_first } else { credit == Some(0) };
            let Some((what, wire)) = pending.take(waits, payload) else {
                if pending.has_records() || host_first {
                    return Ok(None);
                }
                return match self.pending.take().and_then(|pending| pending.last) {
                    Some(Last::Violation(violation)) => Err(violation),
                    Some(Last::End) | None => Ok(None),
                };
            };
            freed = freed.saturating_add(wire);
            if pending.is_empty() {
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
