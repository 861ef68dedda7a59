//! Deadlines of a connection and its streams. One timer serves them all: it knows the earliest and is set anew after it
//! has rung, so that traffic moves no timers.

use super::stream::Role;
use super::{Connection, Core};
use crate::engine::deadline::{after, quiet};
use crate::engine::ending::End;
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::stats::count;
use h2::Reason;
use std::time::{Duration, Instant};

impl Core {
    /// Makes sure that the timer rings by then.
    pub(super) fn arm(&mut self, at: Option<Instant>) {
        if let Some(at) = at
            && self.armed.is_none_or(|armed| at < armed)
        {
            self.armed = Some(at);
        }
    }

    /// The timer has rung: does what is due, and finds the next deadline.
    pub(super) fn ring(&mut self, conn: &Connection) {
        let now = self.now;
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        let counters = &conn.state.own().counters;
        if due(self.settings_deadline) {
            self.settings_deadline = None;
            count(&counters.timeout_settings);
            self.fail(Reason::SETTINGS_TIMEOUT, "our SETTINGS were not acknowledged in time (settings_timeout)");
        }
        if due(self.header_deadline) {
            self.header_deadline = None;
            count(&counters.timeout_header);
            self.fail(Reason::ENHANCE_YOUR_CALM, "a header block was not completed in time (header_timeout)");
        }
        if due(self.write_deadline) {
            self.write_deadline = None;
            count(&counters.timeout_write);
            self.dead = true;
            self.ended = Some(
                End::new(1006, Cause::Timeout, Side::Local).because("the peer took no bytes in time (write_timeout)"),
            );
        }
        if due(self.drain_deadline) {
            self.drain_deadline = None;
            self.drain_now(conn);
        }
        if due(self.idle_deadline) {
            self.idle_deadline = None;
            count(&counters.timeout_keep_alive);
            self.leave(conn);
        }
        let keys: Vec<u32> = self.streams.iter().map(|(key, _)| key as u32).collect();
        for &key in &keys {
            if due(self.streams.get(key as usize).and_then(|s| s.deadline)) {
                self.stream_due(conn, key);
            }
            self.keep_alive(conn, key);
        }
        let own = [
            self.settings_deadline,
            self.header_deadline,
            self.write_deadline,
            self.drain_deadline,
            self.idle_deadline,
        ];
        let mut next = own.into_iter().flatten().min();
        for key in keys {
            let own = self.streams.get(key as usize).and_then(|s| s.deadline);
            let quiet = self.keep_alive_deadline(key);
            next = [next, own, quiet].into_iter().flatten().min();
        }
        self.armed = next;
    }

    fn stream_due(&mut self, conn: &Connection, key: u32) {
        let counters = &conn.state.own().counters;
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        stream.deadline = None;
        let closing = match &stream.role {
            Role::Handshake(_) => {
                count(&counters.refused_undecided);
                conn.finish_phase(stream.slot);
                let text = "the server did not decide about the handshake in time (accept_timeout)";
                // the host hears of it by `closed`
                self.refuse_undecided(key, text);
                return;
            }
            Role::WebSocket(websocket) => websocket.closing.clone().unwrap_or_default(),
            Role::Http(_) => return,
        };
        count(&counters.timeout_close);
        let sent = stream.sent_end;
        if closing.heard.is_some() || closing.failed.is_some() || closing.ended {
            // our Close is out and answered; the peer only does not end the stream (RFC 9113 §8.1)
            let reason = if sent { Reason::NO_ERROR } else { Reason::CANCEL };
            self.reset(key, reason, closing.end());
        } else {
            let end = End::new(1006, Cause::Timeout, Side::Local);
            self.reset(key, Reason::CANCEL, end.because("the peer did not answer our Close in time (close_timeout)"));
        }
    }

    fn refuse_undecided(&mut self, key: u32, text: &str) {
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        let send = std::mem::replace(&mut stream.send, super::stream::Sender::Gone);
        if let super::stream::Sender::Head(send) = send {
            self.refuse(send, http::StatusCode::SERVICE_UNAVAILABLE, http::HeaderMap::new(), text);
        }
        self.end(key, End::new(0, Cause::Timeout, Side::Local).because(text));
    }

    /// When the socket has been quiet for too long, if it ever can be.
    pub(super) fn keep_alive_deadline(&self, key: u32) -> Option<Instant> {
        let stream = self.streams.get(key as usize)?;
        let Role::WebSocket(websocket) = &stream.role else { return None };
        quiet(websocket, stream.last_in, &self.config)
    }

    fn keep_alive(&mut self, conn: &Connection, key: u32) {
        if self.keep_alive_deadline(key).is_none_or(|at| at > self.now) {
            return;
        }
        let counters = &conn.state.own().counters;
        let quiet = {
            let stream = &self.streams[key as usize];
            self.now.saturating_duration_since(stream.last_in)
        };
        let limit = Duration::from_millis(self.config.idle_timeout.into());
        if !limit.is_zero() && quiet >= limit {
            count(&counters.timeout_idle);
            // it cannot fail: a socket without a Close of ours may send one
            if self.close(conn, key, Some(1001), "idle", Some(Cause::Timeout)).is_ok() {
                conn.finish_phase(self.streams[key as usize].slot);
            }
            return;
        }
        let stream = &mut *self.streams[key as usize];
        let Role::WebSocket(websocket) = &mut stream.role else { return };
        if websocket.awaits_pong {
            count(&counters.timeout_ping);
            let end = End::new(1006, Cause::Timeout, Side::Local);
            self.reset(key, Reason::CANCEL, end.because("a Ping was not answered in time (ping_timeout)"));
        } else if websocket.send_ping(b"", &mut stream.out, &mut conn.state.pool.borrow_mut()).is_ok() {
            websocket.awaits_pong = true;
            self.touch(key);
        }
    }

    /// At the end of a tick: from when a connection without streams last said something, it is idle.
    #[inline]
    pub(super) fn watch_idle(&mut self, heard: bool) {
        if !self.streams.is_empty() || self.draining {
            self.idle_deadline = None;
        } else if heard || self.idle_deadline.is_none() {
            self.idle_deadline = after(self.now, self.config.keep_alive_timeout);
            self.arm(self.idle_deadline);
        }
    }

    /// GOAWAY and the end: there is no stream. One that is on its way was not processed, by its number, and its client
    /// may ask again (RFC 9113 §6.8). In two steps the end would wait for a client that may be gone.
    fn leave(&mut self, conn: &Connection) {
        self.draining = true;
        self.h2.abrupt_shutdown(Reason::NO_ERROR);
        self.flag.raise();
        self.log(LogLevel::Debug, format!("connection of {} was idle (keep_alive_timeout)", conn.peer));
    }

    /// Two-step GOAWAY (RFC 9113 §6.8), and Close 1001 to each socket.
    fn drain_now(&mut self, conn: &Connection) {
        self.h2.graceful_shutdown();
        self.flag.raise();
        let keys: Vec<u32> = self.streams.iter().map(|(key, _)| key as u32).collect();
        for key in keys {
            if self.close(conn, key, Some(1001), "going away", Some(Cause::Drain)).is_ok() {
                conn.finish_phase(self.streams[key as usize].slot);
            }
        }
        self.log(LogLevel::Debug, format!("connection of {} drains", conn.peer));
    }

    pub(super) fn log(&mut self, level: LogLevel, text: String) {
        self.events.push_back(super::Event::Log(level, text));
    }
}
