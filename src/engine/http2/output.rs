//! To the socket: our DATA and WINDOW_UPDATE frames between `h2`'s, stream by stream in turn.

use super::stream::{Role, Sender, Stream};
use super::{Connection, Core, Event};
use crate::engine::pool::Pool;
use crate::engine::table::Slot;
use crate::proto::scan::{FRAME_HEAD, FrameHead, flag, frame_type, put_window_update};
use bytes::Bytes;

/// What one stream may send before it is another's turn.
pub(super) const TURN: usize = 64 << 10;
/// Output that is collected before it is written, beside what is spliced into it.
const BATCH: usize = 256 << 10;
/// WINDOW_UPDATEs that one DATA frame of ours may be answered with.
const UPDATES_PER_DATA: u32 = 8;
const MAX_UPDATE_CREDIT: u32 = 1 << 20;
/// `h2`'s window of the connection is filled up when so much of it is used.
const TOP_UP: u32 = 1 << 29;

/// Why a stream's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It has nothing more, or waits for its own window.
    Over,
    /// It has more.
    More,
    /// It used up the connection's window: the others are first when it opens again.
    Spent,
    /// It has more, but the connection's window is used up.
    Blocked,
}

impl Core {
    /// Bytes of the output that wait for the socket, beside what is spliced into it.
    #[inline]
    pub(super) fn backlog(&self) -> usize {
        self.pipe.buffers().output.len() - self.written
    }

    /// Whether so much waits that it is written before there is more.
    #[inline]
    pub(super) fn full(&self) -> bool {
        self.backlog() >= BATCH || self.spliced.full()
    }

    /// Lets streams send, in turn, until the batch is full. True if there is more that could be sent.
    pub(super) fn emit(&mut self, conn: &Connection, pool: &mut Pool) -> bool {
        let pipe = self.pipe.clone();
        let mut more = false;
        let mut blocked = Vec::new();
        while let Some(key) = self.sending.pop_front() {
            if self.full() {
                self.sending.push_front(key);
                more = true;
                break;
            }
            let Some(stream) = self.streams.get_mut(key as usize) else { continue };
            stream.listed = false;
            let http = matches!(stream.role, Role::Http(_));
            let turn = if http {
                self.emit_body(conn, key)
            } else {
                self.emit_socket(conn, key, &mut pipe.buffers().output, pool)
            };
            if turn == Turn::Over {
                continue;
            }
            if let Some(stream) = self.streams.get_mut(key as usize) {
                stream.listed = true;
                if turn == Turn::More || turn == Turn::Spent {
                    self.sending.push_back(key);
                    // what a body gave to h2 is not in the output yet
                    if http && turn == Turn::More {
                        more = true;
                        break;
                    }
                } else {
                    blocked.push(key);
                }
            }
        }
        for key in blocked.into_iter().rev() {
            self.sending.push_front(key);
        }
        let mut buffers = pipe.buffers();
        if self.released >= self.config.connection_window / 2 {
            put_window_update(&mut buffers.output, 0, self.released);
            self.recv_window += i64::from(self.released);
            self.released = 0;
        }
        self.walked = buffers.output.len();
        more
    }

    #[inline]
    fn emit_socket(&mut self, conn: &Connection, key: u32, output: &mut Vec<u8>, pool: &mut Pool) -> Turn {
        let Some(stream) = self.streams.get_mut(key as usize) else { return Turn::Over };
        let stream = &mut **stream;
        let Role::WebSocket(websocket) = &mut stream.role else { return Turn::Over };
        if !websocket.has_pending() {
            stream.inflow.release_all();
        }
        if !stream.end_scanned
            && let Some(due) = stream.inflow.due(websocket.announced(), &self.config, &mut self.all_grown)
        {
            put_window_update(output, stream.id, due);
        }
        let before = stream.out.len();
        let may_end = websocket.may_end() && !stream.sent_end;
        let mut turn = Turn::Over;
        let mut left = TURN;
        while stream.out.len() > 0 {
            if self.send_window <= 0 {
                turn = if left < TURN { Turn::Spent } else { Turn::Blocked };
                break;
            }
            if stream.send_window <= 0 {
                break;
            }
            if left == 0 {
                turn = Turn::More;
                break;
            }
            let front = stream.out.front();
            let n =
                front.len().min(self.max_send_frame).min(left).min(self.send_window.min(stream.send_window) as usize);
            let last = may_end && n == stream.out.len();
            let flags = if last { flag::END_STREAM } else { 0 };
            output.extend_from_slice(&FrameHead::new(n, frame_type::DATA, flags, stream.id).raw);
            let spliced = self.spliced.wants(n)
                && stream.out.share(n).is_some_and(|piece| self.spliced.push(output.len(), piece).is_ok());
            if !spliced {
                output.extend_from_slice(&stream.out.front()[..n]);
            }
            stream.out.consume(pool, n);
            stream.send_window -= n as i64;
            self.send_window -= n as i64;
            left -= n;
            self.update_credit = (self.update_credit + UPDATES_PER_DATA).min(MAX_UPDATE_CREDIT);
            stream.sent_end |= last;
        }
        if may_end && stream.out.len() == 0 {
            if !stream.sent_end {
                stream.sent_end = true;
                output.extend_from_slice(&FrameHead::new(0, frame_type::DATA, flag::END_STREAM, stream.id).raw);
            }
            // h2 is told too, and the frame that it makes of it is taken out again
            if let Sender::Body(send) = &mut stream.send
                && send.send_data(Bytes::new(), true).is_ok()
            {
                self.swallow.push(stream.id);
            }
        }
        if before > 0 {
            if let Some(slot) = conn.slot(stream.slot) {
                publish(slot, stream.out.len(), self.limits.send_queue, stream, &mut self.events);
            }
            if stream.out.len() < self.limits.send_queue / 2
                && let Role::WebSocket(websocket) = &mut stream.role
            {
                websocket.send_late_pong(&mut stream.out, pool);
                if stream.out.len() > 0 && turn == Turn::Over && stream.send_window > 0 {
                    turn = Turn::More;
                }
            }
        }
        if stream.sent_end && stream.received_end {
            self.socket_done(conn, key);
        }
        turn
    }

    /// Puts a large message straight into the output, as far as the windows allow: one copy less than by the queue.
    /// Nothing of the stream may wait in the queue, and its response head must be out. How much of the payload is left; `None`:
    /// there is no room.
    pub(super) fn emit_direct(
        &mut self,
        conn: &Connection,
        key: u32,
        head: &[u8],
        mut payload: &[u8],
    ) -> Option<usize> {
        let batch = BATCH.saturating_sub(self.backlog()) as i64;
        let stream = &mut *self.streams[key as usize];
        let mut buffers = self.pipe.buffers();
        let output = &mut buffers.output;
        let mut room = self.send_window.min(stream.send_window).min(batch).max(0) as usize;
        if room <= head.len() {
            return None;
        }
        // a connection has none between its ticks
        conn.state.buffers.take_output(output);
        output.reserve(
            room.min(payload.len() + payload.len() / self.max_send_frame * FRAME_HEAD + 2 * FRAME_HEAD + head.len()),
        );
        let mut head = head;
        while room > head.len() && !payload.is_empty() {
            let n = (head.len() + payload.len()).min(room).min(self.max_send_frame);
            let (now, later) = payload.split_at(n - head.len());
            output.extend_from_slice(&FrameHead::new(n, frame_type::DATA, 0, stream.id).raw);
            output.extend_from_slice(head);
            output.extend_from_slice(now);
            (head, payload) = (&[], later);
            room -= n;
            stream.send_window -= n as i64;
            self.send_window -= n as i64;
            self.update_credit = (self.update_credit + UPDATES_PER_DATA).min(MAX_UPDATE_CREDIT);
        }
        Some(payload.len())
    }

    /// Looks at what `h2` wrote: its resets are counted, and what only concerns `h2` is taken out.
    pub(super) fn walk(&mut self, conn: &Connection) {
        let pipe = self.pipe.clone();
        let mut buffers = pipe.buffers();
        let output = &mut buffers.output;
        let mut at = self.walked;
        while let Some(raw) = output.get(at..at + FRAME_HEAD) {
            let head = FrameHead { raw: raw.try_into().unwrap_or_default() };
            let whole = FRAME_HEAD + head.len();
            match head.kind() {
                frame_type::DATA if head.len() == 0 && head.has(flag::END_STREAM) => {
                    if let Some(i) = self.swallow.iter().position(|id| *id == head.stream()) {
                        self.swallow.swap_remove(i);
                        output.drain(at..at + whole);
                        continue;
                    }
                }
                frame_type::DATA => {
                    self.update_credit = (self.update_credit + UPDATES_PER_DATA).min(MAX_UPDATE_CREDIT);
                }
                frame_type::WINDOW_UPDATE if head.stream() == 0 => {
                    // h2's first makes its window endless; the peer gets the one that is configured
                    output.drain(at..at + whole);
                    continue;
                }
                frame_type::RST_STREAM => {
                    let i = self.swallow.iter().position(|id| *id == head.stream());
                    if let Some(i) = i {
                        self.swallow.swap_remove(i);
                    }
                    // RFC 9113 §8.1: NO_ERROR after a whole response is no fault of the peer
                    let no_error = output.get(at + FRAME_HEAD..at + whole) == Some(&[0; 4]);
                    if self.own_resets > 0 {
                        self.own_resets -= 1;
                    } else if !no_error && !self.floods.resets.take(std::time::Instant::now) {
                        drop(buffers);
                        self.walked = at + whole;
                        self.too_many_resets(conn);
                        return self.walk(conn);
                    }
                }
                _ => {}
            }
            at += whole;
        }
        self.walked = output.len();
    }

    /// Gives `h2` back what bodies took of its endless window.
    pub(super) fn top_up(&mut self, sent: usize) {
        self.body_sent += sent as u32;
        if self.body_sent >= TOP_UP {
            put_window_update(&mut self.pipe.buffers().input, 0, self.body_sent);
            self.body_sent = 0;
        }
    }
}

/// Makes the queue's length known to all threads; queues `writable` if it is owed and due.
#[inline]
pub(super) fn publish(
    slot: &Slot,
    queued: usize,
    cap: usize,
    stream: &Stream,
    events: &mut std::collections::VecDeque<Event>,
) {
    if slot.publish(queued, cap) {
        events.push_back(Event::Writable { stream: stream.handle, context: stream.context });
    }
}
