//! Deadlines. One timer a connection: it rings at the earliest and is set anew after it has rung, so that traffic moves
//! no timers.

use super::{Connection, Core, Role, Stream};
use crate::engine::deadline::after;
use crate::engine::ending::End;
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::stats::count;
use std::pin::Pin;
use std::time::Instant;

impl Core {
    /// Makes sure that the timer rings by then.
    pub(super) fn arm(&mut self, at: Option<Instant>) {
        if let Some(at) = at
            && self.armed.is_none_or(|armed| at < armed)
        {
            self.armed = Some(at);
        }
    }

    /// Between two requests: until the next begins, then until its head is whole.
    pub(super) fn watch_head(&mut self) {
        let waits = self.http.as_ref().is_some_and(|http| http.framer.between() && !http.busy);
        let begun = !self.held.is_empty();
        if !waits || !begun {
            self.head_deadline = None;
        } else if self.head_deadline.is_none() {
            self.head_deadline = after(self.now, self.engine.config.header_timeout);
        }
        if !waits || begun {
            self.keep_alive_deadline = None;
        } else if self.keep_alive_deadline.is_none() {
            self.keep_alive_deadline = after(self.now, self.engine.config.keep_alive_timeout);
        }
        self.arm(self.head_deadline);
        self.arm(self.keep_alive_deadline);
    }

    /// The timer has rung: does what is due, and finds the next deadline.
    pub(super) fn ring(&mut self, conn: &Connection) {
        let now = self.now;
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        let counters = &conn.state.own().counters;
        if due(self.head_deadline) {
            self.head_deadline = None;
            count(&counters.timeout_header);
            let text = "the request's head was not complete in time (header_timeout)";
            self.log(LogLevel::Info, format!("connection of {} ended: {text}", conn.peer));
            self.say(408, text);
            self.over = true;
        }
        if due(self.keep_alive_deadline) {
            self.keep_alive_deadline = None;
            count(&counters.timeout_keep_alive);
            self.over = true;
        }
        if due(self.write_deadline) {
            self.write_deadline = None;
            count(&counters.timeout_write);
            let end =
                End::new(1006, Cause::Timeout, Side::Local).because("the peer took no bytes in time (write_timeout)");
            let end = self.cut_off(&end);
            self.abort(end);
        }
        if due(self.drain_deadline) {
            self.drain_deadline = None;
            self.drain_now(conn);
        }
        if due(self.stream.as_ref().and_then(|s| s.deadline)) {
            self.stream_due(conn);
        }
        self.ping_or_close(conn);
        self.rearm();
    }

    /// Finds the next deadline: what the timer was set for before is over.
    pub(super) fn rearm(&mut self) {
        self.armed = [
            self.head_deadline,
            self.keep_alive_deadline,
            self.write_deadline,
            self.drain_deadline,
            self.stream.as_ref().and_then(|s| s.deadline),
            self.quiet_deadline(),
        ]
        .into_iter()
        .flatten()
        .min();
    }

    fn stream_due(&mut self, conn: &Connection) {
        let counters = &conn.state.own().counters;
        let Some(stream) = self.stream.as_deref_mut() else { return };
        stream.deadline = None;
        match &stream.role {
            Role::Http(_) => {}
            Role::Handshake(_) => {
                count(&counters.refused_undecided);
                conn.finish_phase(stream.slot);
                let text = "the server did not decide about the handshake in time (accept_timeout)";
                self.refuse(http::StatusCode::SERVICE_UNAVAILABLE, http::HeaderMap::new(), text);
                // the host hears of it by `closed`
                self.end(End::new(0, Cause::Timeout, Side::Local).because(text));
            }
            Role::WebSocket(socket) => {
                count(&counters.timeout_close);
                let closing = socket.websocket.closing.clone().unwrap_or_default();
                let end = if closing.heard.is_some() || closing.failed.is_some() || closing.ended {
                    // our Close is out and answered; the peer only does not end the connection
                    closing.end()
                } else {
                    End::new(1006, Cause::Timeout, Side::Local)
                        .because("the peer did not answer our Close in time (close_timeout)")
                };
                self.abort(end);
            }
        }
    }

    /// The last response says `connection: close`; a socket gets Close 1001; a connection that waits is closed.
    pub(super) fn drain_now(&mut self, conn: &Connection) {
        if let Some(http) = &mut self.http {
            if !http.busy && http.framer.between() && self.held.is_empty() {
                self.over = true;
            } else if !http.accepted {
                Pin::new(&mut http.hyper).graceful_shutdown();
                self.flag.raise();
            }
        }
        if let Some(Stream { slot, role: Role::WebSocket(_), .. }) = self.stream.as_deref() {
            let slot = *slot;
            if self.close(conn, Some(1001), "going away", Some(Cause::Drain)).is_ok() {
                conn.finish_phase(slot);
            }
        }
        self.log(LogLevel::Debug, format!("connection of {} drains", conn.peer));
    }
}
