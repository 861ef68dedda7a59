//! Turns of the wheel: `hyper` gets one request, the host is told, `hyper` gets the answer.

use super::{Connection, Core, Role, Stream};
use crate::engine::ending::{End, disconnected};
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::stats::count;
use crate::proto::http1::{self, Limits, Part};
use std::rc::Rc;
use std::task::{Context, Poll};

/// Bytes of a body that wait for `hyper` before no more are passed.
const PASSED: usize = 64 << 10;

impl Connection {
    /// Until neither `hyper` nor the host has anything more to say.
    pub(super) fn settle(self: &Rc<Self>, payload: &mut Vec<u8>) {
        loop {
            let mut moved = self.core.borrow_mut().pass(self);
            moved |= self.poll_hyper();
            moved |= self.deliver_body();
            moved |= self.dispatch(payload);
            moved |= self.take_held(payload);
            let mut core = self.core.borrow_mut();
            core.publish_body(self);
            if core.over || !moved && core.events.is_empty() {
                return;
            }
        }
    }

    /// True if something came of it.
    fn poll_hyper(self: &Rc<Self>) -> bool {
        let (moved, request) = {
            let mut core = self.core.borrow_mut();
            let core = &mut *core;
            let Some(http) = &mut core.http else { return false };
            let before = {
                let buffers = core.pipe.buffers();
                if core.over || !(core.flag.raised() || buffers.has_input()) {
                    return false;
                }
                (buffers.unread(), buffers.output.len())
            };
            core.flag.lower();
            let polled = http.hyper.poll_without_shutdown(&mut Context::from_waker(&core.flag_waker));
            let (request, done) = {
                let mut desk = http.desk.borrow_mut();
                (desk.request.take(), desk.done)
            };
            let accepted = http.accepted;
            if done {
                core.response_done();
            }
            let ready = polled.is_ready();
            match polled {
                Poll::Pending => {}
                Poll::Ready(Ok(())) if accepted => core.become_socket(self),
                Poll::Ready(Ok(())) => core.over = true,
                Poll::Ready(Err(error)) => core.hyper_failed(self, &error),
            }
            let buffers = core.pipe.buffers();
            let now = (buffers.unread(), buffers.output.len());
            (request.is_some() || done || ready || now != before || core.flag.raised(), request)
        };
        if let Some(request) = request {
            self.open(request);
        }
        moved
    }

    fn deliver_body(&self) -> bool {
        let mut moved = false;
        loop {
            let Some(part) = self.core.borrow_mut().next_part() else { return moved };
            moved = true;
            self.deliver_part(&part);
        }
    }
}

impl Core {
    /// Passes what was read to `hyper`, up to the end of a request. True if something was passed.
    fn pass(&mut self, conn: &Connection) -> bool {
        let mut moved = false;
        let limits = Limits {
            bytes: self.engine.config.max_header_list as usize,
            fields: self.engine.config.max_header_fields as usize,
        };
        let mut at = 0;
        while let Some(http) = &mut self.http {
            let mut buffers = self.pipe.buffers();
            // one request at a time; after an `Upgrade` nothing is a request
            if self.over || http.framer.between() && (http.busy || http.upgrade) || buffers.unread() >= PASSED {
                break;
            }
            let rest = &self.held[at..];
            match http.framer.advance(&rest[..rest.len().min(PASSED)], limits) {
                Ok((Part::Cut, _)) => {
                    if self.eof && !buffers.eof {
                        buffers.eof = true;
                        moved = true;
                        self.flag.raise();
                    }
                    break;
                }
                Ok((part, n)) => {
                    moved = true;
                    if part != Part::Empty {
                        buffers.input.extend_from_slice(&rest[..n]);
                    }
                    at += n;
                    if let Part::Head { upgrade } = part {
                        http.busy = true;
                        http.upgrade = upgrade && conn.websockets;
                    }
                }
                Err(refused) => {
                    drop(buffers);
                    self.malformed(conn, &refused);
                    moved = true;
                    break;
                }
            }
        }
        self.held.drain(..at);
        if self.held.is_empty() && self.held.capacity() > PASSED {
            self.held = Vec::new();
        }
        self.watch_head();
        moved
    }

    /// The peer sent what no request can be made of: says so if the response has not begun, and ends the connection.
    fn malformed(&mut self, conn: &Connection, refused: &http1::Refused) {
        let http1::Refused { status, text } = *refused;
        let counters = &conn.state.own().counters;
        count(&counters.violation_http1);
        if status == 431 {
            count(&counters.refused_header_fields);
        }
        self.log(LogLevel::Info, format!("connection of {} ended with {status}: {text}", conn.peer));
        let begun = self.http.as_ref().is_some_and(|http| http.desk.borrow().taken);
        self.end(End::new(0, Cause::Violation, Side::Local).because(text));
        if begun {
            self.reset = true;
        } else {
            self.say(status, text);
        }
        self.over = true;
    }

    /// A response of our own, when `hyper` has none under way.
    pub(super) fn say(&mut self, status: u16, text: &str) {
        let reason = http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {}\r\n\r\n{text}\n",
            text.len() + 1
        );
        self.pipe.buffers().output.extend_from_slice(head.as_bytes());
    }

    fn hyper_failed(&mut self, conn: &Connection, error: &hyper::Error) {
        if error.is_parse() {
            count(&conn.state.own().counters.violation_http1);
            self.log(LogLevel::Info, format!("connection of {} ended: {error}", conn.peer));
            self.ended = Some(End::new(0, Cause::Violation, Side::Local).because(error.to_string()));
        } else if self.eof {
            self.ended = Some(End { code: 0, ..disconnected() });
        } else {
            // the host's body is not what its head said
            self.ended = Some(End::new(0, Cause::Reset, Side::Local).because(error.to_string()));
            self.reset = true;
        }
        self.over = true;
    }

    /// Nobody knows how the stream ends: the connection has.
    pub(super) fn cut_off(&self, end: &End) -> End {
        let mut own = match self.stream.as_deref() {
            Some(Stream { role: Role::WebSocket(socket), .. }) => socket.websocket.cut_off(end.cause, end.side),
            _ => End::new(0, end.cause, end.side),
        };
        if own.reason.is_empty() {
            own.reason = end.reason.clone();
        }
        own
    }
}
