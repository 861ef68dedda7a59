//! How streams and bodies end.

use super::event::{Cause, ControlFrame, ControlKind, Side};
use super::handle::StreamId;
use super::websocket::{Closing, WebSocket};
use crate::proto::receive::Violation;
use http::HeaderMap;

/// The end of a body.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) trailers: Option<HeaderMap>,
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) code: u16,
    pub(crate) reason: Box<str>,
    pub(crate) cause: Cause,
    pub(crate) h2_code: u32,
    pub(crate) side: Side,
}

impl End {
    pub(crate) fn new(code: u16, cause: Cause, side: Side) -> Self {
        Self { code, reason: "".into(), cause, h2_code: 0, side }
    }

    pub(crate) fn h2(mut self, code: u32) -> Self {
        self.h2_code = code;
        self
    }

    pub(crate) fn because(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = reason.into();
        self
    }
}

/// What the peer did to end its side, for a host that answers it itself.
#[derive(Debug)]
pub(crate) struct Answerable {
    pub(crate) stream: StreamId,
    context: u64,
    kind: ControlKind,
    code: Option<u16>,
    what: Box<str>,
}

impl Answerable {
    pub(crate) fn violation(stream: StreamId, context: u64, code: u16, violation: &Violation) -> Self {
        let what = violation.to_string().into();
        Self { stream, context, kind: ControlKind::Violation, code: Some(code), what }
    }

    pub(crate) fn end(stream: StreamId, context: u64, websocket: &WebSocket) -> Self {
        let what = if websocket.in_message() { "inside a message" } else { "" };
        Self { stream, context, kind: ControlKind::End, code: None, what: what.into() }
    }

    pub(crate) fn event(&self) -> ControlFrame<'_> {
        let Self { stream, context, kind, code, ref what } = *self;
        ControlFrame { stream, context, kind, data: what.as_bytes(), code }
    }
}

impl Closing {
    /// How a socket ended whose closing handshake is through.
    pub(crate) fn end(&self) -> End {
        let side = if self.local || self.failed.is_some() { Side::Local } else { Side::Remote };
        if let Some(code) = self.failed {
            return End::new(code, Cause::Violation, Side::Local).because(self.reason.clone());
        }
        match self.heard {
            Some(code) => End::new(code, self.cause.unwrap_or(Cause::CloseFrame), side).because(self.reason.clone()),
            None => End::new(1006, Cause::EndStream, Side::Remote),
        }
    }
}

impl WebSocket {
    /// The end of a socket that was not closed by both sides. The code is the peer's own if its Close had come
    /// (RFC 6455 §7.1.5), 1006 if not.
    pub(crate) fn cut_off(&self, cause: Cause, side: Side) -> End {
        match self.closing.as_ref().and_then(|c| Some((c.heard?, c))) {
            Some((code, closing)) => End::new(code, cause, side).because(closing.reason.clone()),
            None => End::new(1006, cause, side),
        }
    }
}

/// How streams end when the transport does.
pub(crate) fn disconnected() -> End {
    End::new(1006, Cause::Disconnected, Side::Remote)
}
