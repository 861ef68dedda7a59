//! The short way of a socket that has nothing but bytes to move, which is what nearly every turn of nearly every socket is: read,
//! the host's callbacks, write, and no look at what else a connection may have to do. What is out of the ordinary goes on in
//! [`Task::rounds`](super::task), which starts from whatever state this leaves.

use super::task::{ROUNDS, Task};
use super::{Core, Role, Stream};
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
            && socket.arrived < self.config.stream_window
            && socket.websocket.closing.is_none()
    }
}

impl Task {
    /// True: all is done until the socket has more.
    pub(super) fn move_bytes(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> bool {
        let conn = Rc::clone(&self.conn);
        let state = &*conn.state;
        {
            let mut core = conn.core.borrow_mut();
            core.now = Instant::now();
            if !core.moves_bytes_only()
                || self.timer_at.is_some_and(|at| at <= core.now)
                || !core.pipe.buffers().output.is_empty()
            {
                return false;
            }
        }
        let counters = &state.own().counters;
        let mut buffer = state.buffers.take_read();
        let mut waits = false;
        for _ in 0..ROUNDS {
            if !self.write_queued(cx) || state.handler.full() {
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
    fn write_queued(&mut self, cx: &mut Context<'_>) -> bool {
        let mut core = self.conn.core.borrow_mut();
        let (polled, wrote) = core.write_socket(&self.conn, &mut self.transport, cx);
        let written =
            polled == Poll::Ready(true) && (!wrote || matches!(self.transport.poll_flush(cx), Poll::Ready(Ok(()))));
        written && core.moves_bytes_only()
    }
}
