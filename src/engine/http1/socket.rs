//! The WebSocket that a connection has become: its bytes are the connection's.

use super::{Connection, Core, Event, Role, Socket, Stream};
use crate::engine::deadline::{after, quiet};
use crate::engine::ending::{Answerable, End};
use crate::engine::event::{Cause, Side};
use crate::engine::handle::StreamId;
use crate::engine::pool::Pool;
use crate::engine::stats::{add, count};
use crate::engine::transport::Transport;
use crate::engine::websocket::{Arrived, Limits, violation_counter};
use crate::proto::receive::Violation;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

/// What came of a socket's bytes.
pub(super) struct Delivery {
    pub(super) stream: StreamId,
    pub(super) context: u64,
    pub(super) arrived: Arrived,
}

impl Connection {
    /// Takes a socket's bytes, with the host's callbacks in between.
    pub(super) fn take_input(self: &Rc<Self>, mut data: &[u8], payload: &mut Vec<u8>) {
        let len = data.len() as u32;
        let mut core = self.core.borrow_mut();
        let now = core.now;
        let Some(socket) = core.socket() else { return };
        socket.last_in = now;
        socket.arrived = socket.arrived.saturating_add(len);
        while !data.is_empty() {
            let step = core.receive(self, &mut data, payload, &mut self.state.pool.borrow_mut());
            if let Some(Delivery { stream, context, arrived }) = step {
                drop(core);
                self.deliver(stream, context, &arrived, payload);
                core = self.core.borrow_mut();
                if self.state.full() {
                    break;
                }
            }
        }
        let core = &mut *core;
        // the host is full: what is left is held, and goes on when it has taken what it has
        if !data.is_empty() {
            core.held.splice(..0, data.iter().copied());
        }
        if let Some(socket) = core.socket() {
            socket.arrived =
                if socket.websocket.has_pending() { socket.arrived.saturating_sub(data.len() as u32) } else { 0 };
        }
    }

    /// What came between the handshake and its answer. True if there was something.
    pub(super) fn take_held(self: &Rc<Self>, payload: &mut Vec<u8>) -> bool {
        let held = {
            let mut core = self.core.borrow_mut();
            if core.held.is_empty() || core.socket().is_none() || self.state.full() {
                return false;
            }
            std::mem::take(&mut core.held)
        };
        self.take_input(&held, payload);
        true
    }
}

impl Core {
    pub(super) fn socket(&mut self) -> Option<&mut Socket> {
        match self.stream.as_deref_mut() {
            Some(Stream { role: Role::WebSocket(socket), .. }) if self.http.is_none() => Some(socket),
            _ => None,
        }
    }

    /// `hyper` has written the 101 and is done with the connection.
    pub(super) fn become_socket(&mut self, conn: &Connection) {
        let Some(http) = self.http.take() else { return };
        // nothing, since what followed the handshake was kept from it; but bytes are never lost
        let read = http.hyper.into_parts().read_buf;
        if !read.is_empty() {
            self.held.splice(..0, read);
        }
        self.head_deadline = None;
        self.keep_alive_deadline = None;
        // a loop that sleeps with a timer set has the kernel arm and disarm it at every message
        self.rearm();
        if self.draining && self.drain_deadline.is_none() {
            self.drain_now(conn);
        }
    }

    fn receive(
        &mut self,
        conn: &Connection,
        data: &mut &[u8],
        payload: &mut Vec<u8>,
        pool: &mut Pool,
    ) -> Option<Delivery> {
        let limits = Limits::of(&self.engine.config);
        let Some(Stream { handle, context, role: Role::WebSocket(socket), .. }) = self.stream.as_deref_mut() else {
            *data = &[];
            return None;
        };
        let (stream, context) = (*handle, *context);
        match socket.websocket.receive(data, conn.host_first(), payload, &mut socket.out, pool, &limits) {
            Ok(None) => {
                self.late |= socket.websocket.has_pending() && conn.host_first();
                None
            }
            Ok(Some(arrived)) => {
                match arrived {
                    Arrived::Message(_) | Arrived::Fragment { last: true, .. } => self.messages_in += 1,
                    Arrived::Fragment { .. } => {}
                    Arrived::Control { .. } => {
                        self.now = Instant::now();
                        self.heard(conn);
                        let at = self.quiet_deadline();
                        self.arm(at);
                    }
                }
                Some(Delivery { stream, context, arrived })
            }
            Err(violation) => {
                *data = &[];
                self.now = Instant::now();
                self.violated(conn, &violation, pool);
                None
            }
        }
    }

    /// The peer broke a rule of WebSocket or of its compression.
    pub(super) fn violated(&mut self, conn: &Connection, violation: &Violation, pool: &mut Pool) {
        count(violation_counter(&conn.state.own().counters, violation));
        if let Some(Stream { handle, context, role: Role::WebSocket(socket), .. }) = self.stream.as_deref_mut() {
            socket.arrived = 0;
            if let Some(code) = socket.websocket.fail(violation, &mut socket.out, pool) {
                let told = Answerable::violation(*handle, *context, code, violation);
                self.events.push_back(Event::Answerable(told));
            }
        }
        self.heard(conn);
    }

    /// After a control frame or a violation: the socket's end may have come nearer.
    pub(super) fn heard(&mut self, conn: &Connection) {
        let deadline = after(self.now, self.engine.config.close_timeout);
        let Some(Stream { slot, role: Role::WebSocket(socket), deadline: at, .. }) = self.stream.as_deref_mut() else {
            return;
        };
        if socket.websocket.closing.is_none() {
            return;
        }
        if socket.websocket.said_close() {
            conn.finish_phase(*slot);
        }
        if socket.websocket.may_end() || socket.websocket.failed() {
            *at = deadline;
            self.arm(deadline);
        }
    }

    /// The peer has ended: when nothing waits for the host any more, we end too.
    pub(super) fn settle_end(&mut self, conn: &Connection) {
        if !self.eof || self.ended.is_some() || !self.held.is_empty() {
            return;
        }
        let deadline = after(self.now, self.engine.config.close_timeout);
        if self.http.is_some() {
            // a client that leaves before the answer to its handshake
            if let Some(Stream { role: Role::Handshake(_), .. }) = self.stream.as_deref() {
                self.end(End::new(0, Cause::EndStream, Side::Remote));
                self.over = true;
            }
            return;
        }
        let Some(Stream { handle, context, slot, role: Role::WebSocket(socket), deadline: at }) =
            self.stream.as_deref_mut()
        else {
            return;
        };
        if socket.websocket.has_pending() || socket.websocket.failed() && !socket.websocket.may_end() {
            return;
        }
        if conn.host_first() && !socket.sent_end && !socket.websocket.may_end() {
            self.late = true;
            return;
        }
        if socket.sent_end {
            return self.socket_done();
        }
        if socket.websocket.may_end() || socket.websocket.deaf() && at.is_some() {
            return;
        }
        if !socket.websocket.deaf() {
            socket.websocket.closing().ended = true;
            if socket.websocket.host_answers() {
                let told = Answerable::end(*handle, *context, &socket.websocket);
                self.events.push_back(Event::Answerable(told));
            } else {
                conn.finish_phase(*slot);
            }
        }
        // the host may still answer, if that is its part; who has gone may never read it
        *at = deadline;
        self.arm(deadline);
    }

    /// Both sides have ended.
    pub(super) fn socket_done(&mut self) {
        let Some(socket) = self.socket() else { return };
        let closing = socket.websocket.closing.as_ref();
        let end = closing.map_or_else(|| End::new(1006, Cause::EndStream, Side::Remote), |closing| closing.end());
        self.end(end);
        self.over = true;
    }

    /// Writes what the socket has queued, then FIN if it may end. Ready(false): the transport has failed.
    pub(super) fn write_socket(
        &mut self,
        conn: &Connection,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> (Poll<bool>, bool) {
        let cap = self.engine.config.send_queue as usize;
        let Some(Stream { handle, slot, context, role: Role::WebSocket(socket), .. }) = self.stream.as_deref_mut()
        else {
            return (Poll::Ready(true), false);
        };
        let counters = &conn.state.own().counters;
        let mut pool = conn.state.pool.borrow_mut();
        let mut progress = false;
        let mut polled = Poll::Ready(true);
        loop {
            while socket.out.len() > 0 {
                let written = if socket.out.in_pieces() {
                    let (pieces, n) = socket.out.fronts();
                    transport.poll_write_vectored(cx, &pieces[..n])
                } else {
                    transport.poll_write(cx, socket.out.front())
                };
                match written {
                    Poll::Ready(Ok(n)) if n > 0 => {
                        add(&counters.writes, 1);
                        add(&counters.bytes_out, n as u64);
                        socket.out.consume(&mut pool, n);
                        progress = true;
                    }
                    Poll::Ready(_) => return (Poll::Ready(false), progress),
                    Poll::Pending => {
                        polled = Poll::Pending;
                        break;
                    }
                }
            }
            if socket.out.len() >= cap / 2 {
                break;
            }
            socket.websocket.send_late_pong(&mut socket.out, &mut pool);
            if socket.out.len() == 0 || polled.is_pending() {
                break;
            }
        }
        if progress
            && let Some(slot) = conn.slot(*slot)
            && slot.publish(socket.out.len(), cap)
        {
            self.events.push_back(Event::Writable { stream: *handle, context: *context });
        }
        (polled, progress)
    }

    /// Our side of the socket ends with what is queued.
    pub(super) fn socket_ends(&mut self) -> bool {
        self.socket().is_some_and(|s| s.websocket.may_end() && !s.sent_end && s.out.len() == 0)
    }

    /// When the socket has been quiet for too long, if it ever can be.
    pub(super) fn quiet_deadline(&self) -> Option<Instant> {
        match self.stream.as_deref() {
            Some(Stream { role: Role::WebSocket(socket), .. }) => {
                quiet(&socket.websocket, socket.last_in, &self.engine.config)
            }
            _ => None,
        }
    }

    pub(super) fn ping_or_close(&mut self, conn: &Connection) {
        if self.quiet_deadline().is_none_or(|at| at > self.now) {
            return;
        }
        let counters = &conn.state.own().counters;
        let now = self.now;
        let idle = std::time::Duration::from_millis(self.engine.config.idle_timeout.into());
        let Some(Stream { slot, role: Role::WebSocket(socket), .. }) = self.stream.as_deref_mut() else { return };
        let slot = *slot;
        if !idle.is_zero() && now.saturating_duration_since(socket.last_in) >= idle {
            count(&counters.timeout_idle);
            // it cannot fail: a socket without a Close of ours may send one
            if self.close(conn, Some(1001), "idle", Some(Cause::Timeout)).is_ok() {
                conn.finish_phase(slot);
            }
        } else if socket.websocket.awaits_pong {
            count(&counters.timeout_ping);
            let end = End::new(1006, Cause::Timeout, Side::Local);
            self.abort(end.because("a Ping was not answered in time (ping_timeout)"));
        } else if socket.websocket.send_ping(b"", &mut socket.out, &mut conn.state.pool.borrow_mut()).is_ok() {
            socket.websocket.awaits_pong = true;
        }
    }
}
