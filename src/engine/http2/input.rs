//! From the socket: which frame is `h2`'s, which is ours, and what ours means.
//!
//! The rules that the split makes ours: flow control of WebSocket streams and of the connection (RFC 9113 §5.2, §6.9),
//! padding of their DATA (§6.1), and the peer's SETTINGS that touch windows (§6.9.2). What is malformed, out of place or
//! not understood goes to `h2`, which answers as for any connection.

use super::stream::Role;
use super::{Connection, Core, Event, MAX_FRAME};
use crate::engine::deadline::after;
use crate::engine::ending::Answerable;
use crate::engine::handle::StreamId;
use crate::engine::pool::Pool;
use crate::engine::stats::count;
use crate::engine::websocket::{Arrived, violation_counter};
use crate::proto::receive::Violation;
use crate::proto::scan::{FrameHead, MAX_GATHER, Piece, Route, flag, frame_type};
use h2::Reason;
use std::time::Instant;

/// Frames that `h2` gets before it is polled: it queues a record for each.
const MAX_PASSED: u32 = 256;

/// Where the reading of one piece of input stands.
#[derive(Debug, Default)]
pub(super) struct Feed<'a> {
    pub(super) input: &'a [u8],
    /// What is left of a piece of a DATA frame.
    data: &'a [u8],
    /// The stream ends when `data` is used up.
    end: bool,
}

/// The DATA frame that is being read; it may span many reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    key: u32,
    stream: Option<StreamId>,
    /// It carries END_STREAM.
    end: bool,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    /// The input is used up.
    Done,
    /// `h2` has a request, or enough.
    PollH2,
    /// There are events to be delivered first.
    Events,
    /// Something for the host, with its payload in the buffer.
    Deliver { stream: StreamId, context: u64, arrived: Arrived },
}

impl<'a> Feed<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, data: &[], end: false }
    }

    /// What has not been gone through.
    pub(super) fn rest(&self) -> Rest {
        Rest { bytes: [self.data, self.input].concat(), data: self.data.len(), end: self.end }
    }
}

/// A [`Feed`] that owns its bytes, to go on with later.
#[derive(Debug, Default)]
pub(super) struct Rest {
    bytes: Vec<u8>,
    /// So many of them are what is left of a piece of a DATA frame.
    data: usize,
    end: bool,
}

impl Rest {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, data: 0, end: false }
    }

    /// Whether there is nothing to go on with: no bytes, and no end of a stream behind them.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.end
    }

    pub(super) fn feed(&self) -> Feed<'_> {
        let (data, input) = self.bytes.split_at(self.data);
        Feed { input, data, end: self.end }
    }
}

impl Core {
    /// Goes through the input up to the next thing to do.
    #[inline]
    pub(super) fn advance(
        &mut self,
        conn: &Connection,
        feed: &mut Feed<'_>,
        payload: &mut Vec<u8>,
        pool: &mut Pool,
    ) -> Step {
        loop {
            if !self.events.is_empty() {
                return Step::Events;
            }
            if !feed.data.is_empty() {
                let Frame { key, stream, .. } = self.frame;
                if let Some(step) = self.receive(conn, key, stream, &mut feed.data, payload, pool) {
                    return step;
                }
                continue;
            }
            if feed.end {
                feed.end = false;
                self.pass_end();
            }
            if self.failure.is_some() {
                feed.input = &[];
                return Step::Done;
            }
            let Some(piece) = self.scanner.next(&mut feed.input) else {
                return Step::Done;
            };
            match piece {
                Piece::Head(head) => {
                    let route = self.head(conn, head);
                    self.scanner.route(route);
                    if matches!(route, Route::Pass) {
                        self.pipe.buffers().input.extend_from_slice(&head.raw);
                    }
                }
                Piece::Pass(bytes, end) => {
                    if !bytes.is_empty() {
                        self.pipe.buffers().input.extend_from_slice(bytes);
                    }
                    if end && self.passed_frame() {
                        return Step::PollH2;
                    }
                }
                Piece::Data(bytes, end) => {
                    feed.data = bytes;
                    feed.end = end && self.frame.end;
                }
                Piece::Gathered => self.gathered(conn),
                Piece::BadPadding => self.fail(Reason::PROTOCOL_ERROR, "more padding than payload in a DATA frame"),
            }
        }
    }

    /// Counts a frame that `h2` got whole; true when it should be polled before anything else is read.
    fn passed_frame(&mut self) -> bool {
        self.passed += 1;
        if self.headers_done {
            self.headers_done = false;
            self.header_deadline = None;
            return true;
        }
        self.passed >= MAX_PASSED
    }

    /// Decides about a frame by its head.
    #[inline]
    fn head(&mut self, conn: &Connection, head: FrameHead) -> Route {
        let (len, id) = (head.len(), head.stream());
        if !self.settings && (head.kind() != frame_type::SETTINGS || head.has(flag::ACK)) {
            self.fail(Reason::PROTOCOL_ERROR, "the preface is not followed by SETTINGS");
            return Route::Skip;
        }
        if self.in_headers {
            if head.kind() == frame_type::CONTINUATION && head.has(flag::END_HEADERS) {
                self.in_headers = false;
                self.headers_done = true;
            }
            return Route::Pass;
        }
        match head.kind() {
            frame_type::DATA => self.data_head(conn, head, len, id),
            frame_type::HEADERS => {
                let deadline = after(self.now, self.config.header_timeout);
                self.header_deadline = deadline;
                self.arm(deadline);
                if head.has(flag::END_HEADERS) {
                    self.headers_done = true;
                } else {
                    self.in_headers = true;
                }
                Route::Pass
            }
            frame_type::SETTINGS if head.has(flag::ACK) => {
                self.acknowledged();
                Route::Pass
            }
            frame_type::SETTINGS => {
                if !self.floods.settings.take(Instant::now) {
                    count(&conn.state.own().counters.limit_settings);
                    self.fail(Reason::ENHANCE_YOUR_CALM, "too many SETTINGS frames (settings_rate)");
                    return Route::Skip;
                }
                if id == 0 && len % 6 == 0 && len <= MAX_GATHER { Route::Gather } else { Route::Pass }
            }
            frame_type::PING => {
                if !head.has(flag::ACK) && !self.floods.pings.take(Instant::now) {
                    count(&conn.state.own().counters.limit_pings);
                    self.fail(Reason::ENHANCE_YOUR_CALM, "too many PING frames (ping_rate)");
                    return Route::Skip;
                }
                Route::Pass
            }
            frame_type::WINDOW_UPDATE => {
                if self.update_credit > 0 {
                    self.update_credit -= 1;
                } else if !self.idle_frame(conn) {
                    return Route::Skip;
                }
                if len != 4 {
                    self.fail(Reason::FRAME_SIZE_ERROR, "a WINDOW_UPDATE that is not 4 bytes long");
                    return Route::Skip;
                }
                let ours = id == 0 || self.find(id).is_some_and(|key| !self.is_http(key));
                if ours { Route::Gather } else { Route::Pass }
            }
            frame_type::RST_STREAM => {
                // the end of something that was answered is no rapid reset (CVE-2023-44487)
                let answered = self.find(id).is_some_and(|key| self.streams[key as usize].answered);
                if !answered && !self.floods.resets.take(Instant::now) {
                    self.too_many_resets(conn);
                    return Route::Skip;
                }
                Route::Pass
            }
            frame_type::GOAWAY | frame_type::PUSH_PROMISE | frame_type::CONTINUATION => Route::Pass,
            _ => {
                if self.idle_frame(conn) {
                    Route::Pass
                } else {
                    Route::Skip
                }
            }
        }
    }

    pub(super) fn too_many_resets(&mut self, conn: &Connection) {
        if self.failure.is_none() {
            count(&conn.state.own().counters.limit_resets);
            self.fail(Reason::ENHANCE_YOUR_CALM, "too many stream resets (reset_burst, reset_rate)");
        }
    }

    fn idle_frame(&mut self, conn: &Connection) -> bool {
        if self.floods.idle.take(Instant::now) {
            return true;
        }
        count(&conn.state.own().counters.limit_idle_frames);
        self.fail(Reason::ENHANCE_YOUR_CALM, "too many frames that carry nothing (idle_frame_rate)");
        false
    }

    fn is_http(&self, key: u32) -> bool {
        self.streams.get(key as usize).is_none_or(|s| matches!(s.role, Role::Http(_)))
    }

    #[inline]
    fn data_head(&mut self, conn: &Connection, head: FrameHead, len: usize, id: u32) -> Route {
        if len > MAX_FRAME {
            return Route::Pass;
        }
        self.recv_window -= len as i64;
        if self.recv_window < 0 {
            self.fail(Reason::FLOW_CONTROL_ERROR, "the peer sent more than the connection's window");
            return Route::Skip;
        }
        self.released += len as u32;
        let Some(key) = self.find(id) else { return Route::Pass };
        let empty = len == 0 && !head.has(flag::END_STREAM);
        if empty && !self.idle_frame(conn) {
            return Route::Skip;
        }
        let now = self.now;
        let stream = &mut self.streams[key as usize];
        if stream.end_scanned && !matches!(stream.role, Role::Http(_)) {
            // RFC 9113 §5.1: a stream error; h2 would end the connection
            count(&conn.state.own().counters.violation_stream);
            self.stream_error(key, Reason::STREAM_CLOSED, "DATA after END_STREAM");
            return Route::Skip;
        }
        if matches!(stream.role, Role::Http(_)) {
            let ended = stream.end_scanned;
            stream.end_scanned |= head.has(flag::END_STREAM);
            // h2 allows a hundred empty ones in a connection's life (RFC 9113 allows any number)
            return if empty && !ended { Route::Skip } else { Route::Pass };
        }
        if !stream.inflow.take(len) {
            count(&conn.state.own().counters.violation_stream);
            self.stream_error(key, Reason::FLOW_CONTROL_ERROR, "the peer sent more than the stream's window");
            return Route::Skip;
        }
        stream.last_in = now;
        let end = head.has(flag::END_STREAM);
        stream.end_scanned = end;
        self.frame = Frame { key, stream: Some(stream.handle), end };
        self.touch(key);
        Route::Data
    }

    /// A socket's bytes.
    #[inline]
    pub(super) fn receive(
        &mut self,
        conn: &Connection,
        key: u32,
        handle: Option<StreamId>,
        data: &mut &[u8],
        payload: &mut Vec<u8>,
        pool: &mut Pool,
    ) -> Option<Step> {
        let limits = self.limits;
        let Some(stream) = self.streams.get_mut(key as usize).filter(|s| Some(s.handle) == handle) else {
            *data = &[];
            return None;
        };
        match &mut stream.role {
            Role::WebSocket(websocket) => {
                match websocket.receive(data, conn.host_first(), payload, &mut stream.out, pool, &limits) {
                    Ok(None) => {
                        if websocket.has_pending() && conn.host_first() {
                            self.comes_late(key);
                        }
                        None
                    }
                    Ok(Some(arrived)) => {
                        let (stream, context) = (stream.handle, stream.context);
                        match arrived {
                            Arrived::Message(_) | Arrived::Fragment { last: true, .. } => self.tally.messages_in += 1,
                            Arrived::Fragment { .. } => {}
                            Arrived::Control { .. } => {
                                self.heard(conn, key);
                                let quiet = self.keep_alive_deadline(key);
                                self.arm(quiet);
                            }
                        }
                        Some(Step::Deliver { stream, context, arrived })
                    }
                    Err(violation) => {
                        *data = &[];
                        self.violated(conn, key, &violation, pool);
                        None
                    }
                }
            }
            Role::Handshake(handshake) => {
                if handshake.early.len() + data.len() > self.config.early_data as usize {
                    count(&conn.state.own().counters.limit_early_data);
                    self.stream_error(
                        key,
                        Reason::ENHANCE_YOUR_CALM,
                        "too much was sent before the handshake was accepted (early_data)",
                    );
                } else {
                    handshake.early.extend_from_slice(data);
                }
                *data = &[];
                None
            }
            Role::Http(_) => {
                *data = &[];
                None
            }
        }
    }

    /// The peer broke a rule of WebSocket or of its compression.
    pub(super) fn violated(&mut self, conn: &Connection, key: u32, violation: &Violation, pool: &mut Pool) {
        count(violation_counter(&conn.state.own().counters, violation));
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        if let Role::WebSocket(websocket) = &mut stream.role
            && let Some(code) = websocket.fail(violation, &mut stream.out, pool)
        {
            let told = Answerable::violation(stream.handle, stream.context, code, violation);
            self.events.push_back(Event::Answerable(told));
        }
        self.heard(conn, key);
    }

    /// After a control frame or a violation: the socket's end may have come nearer.
    pub(super) fn heard(&mut self, conn: &Connection, key: u32) {
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        let Role::WebSocket(websocket) = &stream.role else { return };
        if websocket.closing.is_some() {
            if websocket.said_close() {
                conn.finish_phase(stream.slot);
            }
            if websocket.may_end() || websocket.failed() {
                let deadline = after(self.now, self.config.close_timeout);
                stream.deadline = deadline;
                self.arm(deadline);
            }
        }
        self.touch(key);
    }

    /// The peer's END_STREAM, for `h2`: it never saw the DATA frame that carried it.
    fn pass_end(&mut self) {
        if let Frame { key, stream: Some(handle), .. } = self.frame
            && let Some(stream) = self.get(key, handle)
        {
            let head = FrameHead::new(0, frame_type::DATA, flag::END_STREAM, stream.id);
            self.pipe.buffers().input.extend_from_slice(&head.raw);
        }
    }
}
