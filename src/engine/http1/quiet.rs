//! The short way of a socket that has nothing but bytes to move, which is what nearly every turn of nearly every socket is: read,
//! the host's callbacks, write, and no look at what else a connection may have to do. What is out of the ordinary goes on in
//! [`Task::rounds`](super::task), which starts from whatever state this leaves.

use super::task::{ROUNDS, Task};
use super::{Connection, Core, Role, Stream};
use crate::engine::stats::add;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

impl Core {
    /// Whether there is nothing to do but to read, to deliver and to write messages.
    #[inline]
    fn moves_bytes_only(&self) -> bool {
        let Some(Stream { role: Role::WebSocket(socket), .. }) = self.stream.as_deref() else { return false };
        self.http.is_none()
            && self.events.is_empty()
            && self.held.is_empty()
            && !(self.eof || self.over || self.cut || self.reset || self.late)
            && self.write_deadline.is_none()
            && self.written == 0
            && socket.arrived < self.engine.config.stream_window
            && socket.websocket.closing.is_none()
    }

    /// Whether a socket has nothing but bytes to move. The clock is read where something depends on it: as long as a socket's
    /// silence is counted there is a timer, and what else needs the time looks for itself.
    #[inline]
    fn begins_quietly(&mut self, timer_at: Option<Instant>) -> bool {
        if let Some(at) = timer_at {
            self.now = Instant::now();
            if at <= self.now {
                return false;
            }
        }
        self.moves_bytes_only() && self.pipe.buffers().output.is_empty()
    }

    #[inline]
    fn has_queued(&self) -> bool {
        matches!(self.stream.as_deref(), Some(Stream { role: Role::WebSocket(socket), .. }) if socket.out.len() > 0)
    }
}

impl Task {
    /// True: all is done until the socket has more.
    pub(super) fn move_bytes(&mut self, cx: &mut Context<'_>, conn: &Rc<Connection>, payload: &mut Vec<u8>) -> bool {
        let state = &*conn.state;
        if !conn.core.borrow_mut().begins_quietly(self.timer_at) {
            return false;
        }
        let counters = &state.own().counters;
        let mut buffer = state.buffers.take_read();
        let mut waits = false;
        for _ in 0..ROUNDS {
            if !self.write_queued(cx, conn) || state.full() {
                break;
            }
            match self.transport.poll_read(cx, &mut buffer) {
                Poll::Pending => {
                    waits = true;
                    break;
                }
                Poll::Ready(Ok(n)) if n > 0 => {
                    add(&counters.reads, 1);
                    add(&counters.bytes_in, n as u64);
                    conn.take_input(&buffer[..n], payload);
                }
                Poll::Ready(end) => {
                    conn.core.borrow_mut().input_ended(end.is_err());
                    break;
                }
            }
        }
        state.buffers.read.set(buffer);
        waits
    }

    /// Writes what the host has sent. False: there is more to be done than to read.
    fn write_queued(&mut self, cx: &mut Context<'_>, conn: &Connection) -> bool {
        let mut core = conn.core.borrow_mut();
        // a host that has aborted meanwhile has left nothing queued
        if !core.has_queued() {
            return core.moves_bytes_only();
        }
        let (polled, wrote) = core.write_socket(conn, &mut self.transport, cx);
        let written =
            polled == Poll::Ready(true) && (!wrote || matches!(self.transport.poll_flush(cx), Poll::Ready(Ok(()))));
        written && core.moves_bytes_only()
    }
}
