//! How a socket ends: who said Close, who heard it, who broke a rule (RFC 6455 §5.5.1, §7).

use super::{Arrived, WebSocket};
use crate::engine::event::{Cause, Control, ControlKind};
use crate::engine::pool::Pool;
use crate::engine::send_queue::SendQueue;
use crate::engine::status::{Error, Status};
use crate::proto::close::put_close;
use crate::proto::receive::Violation;

/// What stands for the code of a Close without one (RFC 6455 §7.4.1).
const NO_CODE: u16 = 1005;

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

impl WebSocket {
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

    /// The peer's Close (RFC 6455 §5.5.1): with `Control::Auto` it is answered with its own code.
    pub(super) fn heard(&mut self, code: Option<u16>, reason: &[u8], out: &mut SendQueue, pool: &mut Pool) -> Arrived {
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
}

fn put(out: &mut SendQueue, pool: &mut Pool, code: Option<u16>, reason: &str) {
    let mut frame = Vec::with_capacity(127);
    put_close(&mut frame, code, reason);
    out.push_raw(pool, &frame);
}
