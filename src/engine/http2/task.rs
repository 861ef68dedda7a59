//! The task of a connection: read, deliver, collect what the host answered, write once; again until there is nothing.

use super::input::{Feed, Step};
use super::pipe::Pipe;
use super::progress::BodyPart;
use super::stream::{End, Exchange, Handshake, Role, Sender, Stream};
use super::wake::{Flag, Ready, StreamWaker};
use super::{Connection, Core, DEFAULT_WINDOW, Event, MAX_WINDOW, REMEMBER_RESETS, REMEMBERED_RESETS, Tally, after};
use crate::engine::event::{Body, Cause, Closed, ControlFrame, Fragment, LogLevel, Message, Request, Side, StreamKind};
use crate::engine::flood::Floods;
use crate::engine::handle::{ConnectionId, StreamId};
use crate::engine::loops::LoopState;
use crate::engine::preface::linger;
use crate::engine::stats::{Counters, add, count, uncount};
use crate::engine::transport::Transport;
use crate::engine::websocket::{Arrived, Limits};
use crate::proto::connect::{self, Opening};
use crate::proto::scan::{PREFACE, Scanner};
use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, StatusCode};
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::time::Sleep;

/// Rounds of reading and writing before other connections of the loop have their turn.
const ROUNDS: usize = 4;
/// Output that the socket does not take before we stop reading from it.
const BACKLOG: usize = 1 << 20;

/// A payload buffer that grew beyond this is not kept.
const KEPT: usize = 1 << 20;

/// What only the task itself touches.
struct Task {
    conn: Rc<Connection>,
    transport: Transport,
    timer: Option<Pin<Box<Sleep>>>,
    timer_at: Option<Instant>,
    /// Bytes that were read before the task began.
    first: Vec<u8>,
    /// All streams have ended; what is left is to write the output.
    over: bool,
    eof: bool,
}

/// Serves an HTTP/2 connection. `read` begins with the preface.
pub(crate) async fn serve(
    state: Rc<LoopState>,
    id: ConnectionId,
    transport: Transport,
    peer: String,
    mut read: Vec<u8>,
    websockets: bool,
) {
    let first = read.split_off(PREFACE.len());
    let Some(core) = start(&state, &read, websockets).await else {
        return state.shared.log(LogLevel::Error, "h2 refused its own configuration; the connection is dropped");
    };
    let conn = Rc::new(Connection {
        id,
        state: Rc::clone(&state),
        peer: peer.into(),
        core: RefCell::new(core),
        ticking: Cell::new(false),
        waker: RefCell::new(None),
        key: Cell::new(0),
    });
    let key = state.connections.borrow_mut().insert(Rc::clone(&conn));
    conn.key.set(key as u32);
    let mut task = Task { conn, transport, timer: None, timer_at: None, first, over: false, eof: false };
    poll_fn(|cx| task.poll(cx)).await;
    state.connections.borrow_mut().remove(key);
    if !task.eof && !state.stopping() {
        linger(&mut task.transport).await;
    }
}

async fn start(state: &LoopState, preface: &[u8], websockets: bool) -> Option<Core> {
    let config = state.shared.config.clone();
    let mut builder = server::Builder::new();
    if websockets {
        builder.enable_connect_protocol();
    }
    builder
        // the connection's window is ours to keep: h2 must never feel it
        .initial_connection_window_size(MAX_WINDOW as u32)
        .initial_window_size(config.stream_window)
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(config.max_header_list)
        .max_pending_accept_reset_streams(config.max_streams as usize)
        .max_concurrent_reset_streams(REMEMBERED_RESETS)
        .reset_stream_duration(REMEMBER_RESETS)
        // resets are bounded by rate, not by a connection's life (see `flood`)
        .max_local_error_reset_streams(None)
        // h2's budget ends connections for ordinary small messages (h2 issue 939); ours bounds bytes
        .data_frame_budget(1 << 40)
        .max_send_buffer_size(config.send_queue.max(64 << 10) as usize);
    let pipe = Pipe::default();
    pipe.buffers().input.extend_from_slice(preface);
    let h2 = builder.handshake::<_, Bytes>(pipe.clone()).await.ok()?;
    let flag = Arc::new(Flag::default());
    flag.raise();
    let now = Instant::now();
    let mut core = Core {
        h2,
        pipe,
        flag_waker: Waker::from(Arc::clone(&flag)),
        flag,
        ready: Arc::new(Ready::default()),
        scanner: Scanner::default(),
        in_headers: false,
        settings: false,
        settings_acked: false,
        headers_done: false,
        frame: super::input::Frame::default(),
        passed: 0,
        streams: Slab::new(),
        ids: super::HashMap::default(),
        last: None,
        send_window: DEFAULT_WINDOW,
        recv_window: DEFAULT_WINDOW,
        released: config.connection_window - DEFAULT_WINDOW as u32,
        initial_send_window: DEFAULT_WINDOW,
        max_send_frame: super::MAX_FRAME,
        // RFC 9113 §6.9.2: until the peer has our SETTINGS it may use the default
        initial_recv_window: DEFAULT_WINDOW.max(config.stream_window.into()),
        body_sent: 0,
        sending: VecDeque::new(),
        swallow: Vec::new(),
        own_resets: 0,
        walked: 0,
        written: 0,
        update_credit: 0,
        emit_more: false,
        unflushed_answers: false,
        events: VecDeque::new(),
        floods: Floods::new(&config),
        limits: Limits {
            max_message: config.max_message,
            max_fragments: config.max_fragments,
            send_queue: config.send_queue as usize,
        },
        tally: Tally::default(),
        now,
        armed: None,
        settings_deadline: after(now, config.settings_timeout),
        header_deadline: None,
        write_deadline: None,
        drain_deadline: None,
        draining: false,
        cut: false,
        dead: false,
        failure: None,
        ended: None,
        config,
    };
    core.arm(core.settings_deadline);
    Some(core)
}

impl Task {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let mut waker = self.conn.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        let conn = Rc::clone(&self.conn);
        conn.ticking.set(true);
        // a panic is our bug or the host's: it ends this connection alone
        let polled = catch_unwind(AssertUnwindSafe(|| self.tick(cx)));
        let polled = polled.unwrap_or_else(|_| {
            count(&conn.state.own().counters.panics);
            let log =
                || conn.state.shared.log(LogLevel::Error, "a panic ended a connection: a bug in h2ws or in a callback");
            let _ = catch_unwind(AssertUnwindSafe(log));
            // one more panic, say in `closed`, and the rest is given up
            let ended = catch_unwind(AssertUnwindSafe(|| self.give_up(cx)));
            ended.unwrap_or(Poll::Ready(()))
        });
        conn.ticking.set(false);
        polled
    }

    fn tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let conn = Rc::clone(&self.conn);
        let buffers = &conn.state.buffers;
        let mut payload = buffers.payload.take();
        {
            let mut core = conn.core.borrow_mut();
            core.now = Instant::now();
            let mut pipe = core.pipe.buffers();
            if pipe.input.is_empty() {
                pipe.input = buffers.input.take();
            }
            if pipe.output.is_empty() {
                pipe.output = buffers.output.take();
            }
        }
        self.poll_timer(cx);
        let polled = self.rounds(cx, &mut payload);
        payload.clear();
        if payload.capacity() <= KEPT {
            buffers.payload.set(payload);
        }
        {
            let mut core = conn.core.borrow_mut();
            core.flush_tally(&conn.state.own().counters);
            let mut pipe = core.pipe.buffers();
            if !pipe.has_input() {
                buffers.input.set(std::mem::take(&mut pipe.input));
            }
            if pipe.output.is_empty() {
                buffers.output.set(std::mem::take(&mut pipe.output));
            }
        }
        if polled.is_pending() {
            self.set_timer(cx);
        }
        polled
    }

    fn rounds(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> Poll<()> {
        let conn = Rc::clone(&self.conn);
        let first = std::mem::take(&mut self.first);
        if !first.is_empty() {
            conn.take_input(&first, payload);
        }
        for _ in 0..ROUNDS {
            let mut more = false;
            if !self.over {
                more = self.read(cx, payload);
                conn.settle_all(payload);
                self.check_end(&conn, payload);
            }
            match self.write(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    // the socket failed: nothing more can be said
                    self.lost(&conn, payload);
                    return Poll::Ready(());
                }
                Poll::Pending => return if self.eof && self.over { Poll::Ready(()) } else { Poll::Pending },
            }
            if self.over {
                return Poll::Ready(());
            }
            let core = conn.core.borrow();
            more |= core.ended.is_some() || core.emit_more || core.flag.raised() || !core.events.is_empty();
            if !more {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once and delivers what came. True if there may be more.
    fn read(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> bool {
        let conn = Rc::clone(&self.conn);
        {
            let core = conn.core.borrow();
            let backlog = core.pipe.buffers().output.len() - core.written;
            if self.eof || core.failure.is_some() || core.ended.is_some() || backlog > BACKLOG {
                return false;
            }
        }
        let mut buffer = conn.state.buffers.take_read();
        let read = self.transport.poll_read(cx, &mut buffer);
        let more = match read {
            Poll::Pending => false,
            Poll::Ready(Ok(n)) if n > 0 => {
                let counters = &conn.state.own().counters;
                count(&counters.reads);
                add(&counters.bytes_in, n as u64);
                conn.take_input(&buffer[..n], payload);
                n == buffer.len()
            }
            Poll::Ready(_) => {
                self.eof = true;
                let core = conn.core.borrow_mut();
                core.pipe.buffers().eof = true;
                core.flag.raise();
                false
            }
        };
        conn.state.buffers.read.set(buffer);
        more || matches!(read, Poll::Ready(Ok(n)) if n > 0)
    }

    /// Writes what there is. Ready(false): the socket has failed.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut core = self.conn.core.borrow_mut();
        let core = &mut *core;
        if core.dead {
            return Poll::Ready(false);
        }
        let counters = &self.conn.state.own().counters;
        let mut pipe = core.pipe.buffers();
        let mut progress = false;
        while core.written < pipe.output.len() {
            match self.transport.poll_write(cx, &pipe.output[core.written..]) {
                Poll::Ready(Ok(n)) if n > 0 => {
                    count(&counters.writes);
                    add(&counters.bytes_out, n as u64);
                    core.written += n;
                    progress = true;
                }
                Poll::Ready(_) => return Poll::Ready(false),
                Poll::Pending => {
                    if progress || core.write_deadline.is_none() {
                        core.write_deadline = after(core.now, core.config.write_timeout);
                    }
                    // what was written need not be kept until all is; what is moved is never more than that
                    if core.written >= pipe.output.len() / 2 {
                        let written = std::mem::take(&mut core.written);
                        pipe.output.drain(..written);
                    }
                    core.walked = pipe.output.len();
                    drop(pipe);
                    core.arm(core.write_deadline);
                    return Poll::Pending;
                }
            }
        }
        pipe.output.clear();
        core.written = 0;
        core.walked = 0;
        core.write_deadline = None;
        if core.unflushed_answers {
            core.unflushed_answers = false;
            for (_, stream) in &mut core.streams {
                stream.answered |= !matches!(stream.send, Sender::Head(_));
            }
        }
        Poll::Ready(true)
    }

    /// If the connection has ended: ends its streams, tells the host.
    fn check_end(&mut self, conn: &Rc<Connection>, payload: &mut Vec<u8>) {
        let cut = {
            let mut core = conn.core.borrow_mut();
            if core.cut && core.ended.is_none() {
                core.h2.abrupt_shutdown(Reason::NO_ERROR);
                core.flag.raise();
            }
            core.cut
        };
        if cut {
            conn.poll_h2();
            let mut core = conn.core.borrow_mut();
            core.ended = Some(End::new(1006, Cause::Drain, Side::Local).because("the engine has ended"));
        }
        let Some(end) = conn.core.borrow().ended.clone() else { return };
        self.over = true;
        {
            let mut core = conn.core.borrow_mut();
            let keys: Vec<u32> = core.streams.iter().map(|(key, _)| key as u32).collect();
            for key in keys {
                let mut own = core.streams[key as usize].cut_off(end.cause, end.side).h2(end.h2_code);
                if own.reason.is_empty() {
                    own.reason = end.reason.clone();
                }
                core.end(key, own);
            }
        }
        conn.dispatch(payload);
    }

    fn lost(&mut self, conn: &Rc<Connection>, payload: &mut Vec<u8>) {
        self.eof = true;
        {
            let mut core = conn.core.borrow_mut();
            if core.ended.is_none() {
                core.ended = Some(disconnected());
            }
        }
        self.check_end(conn, payload);
    }

    /// After a panic: GOAWAY, and the last event of each stream.
    fn give_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let conn = Rc::clone(&self.conn);
        let mut payload = Vec::new();
        {
            let mut core = conn.core.borrow_mut();
            core.fail(Reason::INTERNAL_ERROR, "a bug in h2ws or in a callback");
            core.events.retain(|event| matches!(event, Event::Closed { .. }));
        }
        conn.poll_h2();
        {
            let mut core = conn.core.borrow_mut();
            let code = Reason::INTERNAL_ERROR.into();
            core.ended = Some(End::new(1006, Cause::GoAway, Side::Local).h2(code).because("a bug was caught"));
        }
        self.check_end(&conn, &mut payload);
        conn.core.borrow_mut().flush_tally(&conn.state.own().counters);
        let _ = self.write(cx);
        Poll::Ready(())
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        if let Some(timer) = &mut self.timer
            && self.timer_at.is_some()
            && timer.as_mut().poll(cx).is_ready()
        {
            self.timer_at = None;
            self.conn.core.borrow_mut().ring(&self.conn);
        }
    }

    fn set_timer(&mut self, cx: &mut Context<'_>) {
        let armed = self.conn.core.borrow().armed;
        let Some(at) = armed else { return };
        if self.timer_at.is_some_and(|set| set <= at) {
            return;
        }
        self.timer_at = Some(at);
        let timer = match &mut self.timer {
            Some(timer) => {
                timer.as_mut().reset(at.into());
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(at.into()))),
        };
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

impl Core {
    fn flush_tally(&mut self, counters: &Counters) {
        let Tally { ended_sockets, messages_in, messages_out } = std::mem::take(&mut self.tally);
        for (counter, n) in [(&counters.messages_in, messages_in), (&counters.messages_out, messages_out)] {
            if n > 0 {
                add(counter, n);
            }
        }
        for _ in 0..ended_sockets {
            uncount(&counters.open_websockets);
        }
    }
}

fn disconnected() -> End {
    End::new(1006, Cause::Disconnected, Side::Remote)
}

impl Connection {
    /// Goes through what was read, with the host's callbacks in between.
    fn take_input(self: &Rc<Self>, input: &[u8], payload: &mut Vec<u8>) {
        let mut feed = Feed::new(input);
        loop {
            let step = self.core.borrow_mut().advance(self, &mut feed, payload, &mut self.state.pool.borrow_mut());
            match step {
                Step::Done => return,
                Step::PollH2 => self.poll_h2(),
                Step::Events => self.dispatch(payload),
                Step::Deliver { stream, context, arrived } => self.deliver(stream, context, &arrived, payload),
            }
        }
    }

    /// Until neither `h2` nor the host has anything more to say.
    fn settle_all(self: &Rc<Self>, payload: &mut Vec<u8>) {
        loop {
            let poll = {
                let core = self.core.borrow();
                core.ended.is_none() && (core.flag.raised() || core.pipe.buffers().has_input())
            };
            if poll {
                self.poll_h2();
            }
            self.progress_all();
            self.dispatch(payload);
            let mut core = self.core.borrow_mut();
            if core.ended.is_some() {
                return;
            }
            core.emit_more = core.emit(self, &mut self.state.pool.borrow_mut());
            let quiet = !core.flag.raised() && core.events.is_empty() && core.ready.is_empty();
            let full = core.pipe.buffers().output.len() - core.written >= super::output::BATCH;
            if quiet || full {
                return;
            }
        }
    }

    fn poll_h2(self: &Rc<Self>) {
        loop {
            let polled = {
                let mut core = self.core.borrow_mut();
                if core.ended.is_some() {
                    return;
                }
                core.flag.lower();
                core.passed = 0;
                let waker = core.flag_waker.clone();
                core.h2.poll_accept(&mut Context::from_waker(&waker))
            };
            match polled {
                Poll::Pending => break,
                Poll::Ready(Some(Ok((request, send)))) => self.open(request, send),
                Poll::Ready(Some(Err(error))) => {
                    self.h2_ended(Some(&error));
                    break;
                }
                Poll::Ready(None) => {
                    self.h2_ended(None);
                    break;
                }
            }
        }
        self.core.borrow_mut().walk(self);
    }

    fn h2_ended(&self, error: Option<&h2::Error>) {
        let mut core = self.core.borrow_mut();
        let eof = core.pipe.buffers().eof;
        let counters = &self.state.own().counters;
        let end = if let Some((reason, text)) = core.failure.clone() {
            count(&counters.violation_connection);
            core.log(LogLevel::Info, format!("connection of {} ended with {reason}: {text}", self.peer));
            End::new(1006, Cause::GoAway, Side::Local).h2(reason.into()).because(text)
        } else if let Some(error) = error.filter(|e| e.is_go_away() || e.is_library()) {
            let code = error.reason().unwrap_or(Reason::INTERNAL_ERROR).into();
            let side = if error.is_remote() { Side::Remote } else { Side::Local };
            if side == Side::Local {
                count(&counters.violation_connection);
                core.log(LogLevel::Info, format!("connection of {} ended: {error}", self.peer));
            }
            End::new(1006, Cause::GoAway, side).h2(code).because(error.to_string())
        } else if eof || error.is_some() {
            disconnected()
        } else if core.draining {
            End::new(1006, Cause::Drain, Side::Local)
        } else {
            End::new(1006, Cause::GoAway, Side::Remote)
        };
        core.ended = Some(end);
    }

    /// What `h2` has to say of streams.
    fn progress_all(self: &Rc<Self>) {
        loop {
            let ready = self.core.borrow().ready.take();
            if ready.is_empty() {
                return;
            }
            for key in ready {
                loop {
                    let part = self.core.borrow_mut().progress(self, key);
                    match part {
                        Some(part) => self.deliver_body(&part),
                        None => break,
                    }
                }
            }
        }
    }

    fn deliver_body(&self, part: &BodyPart) {
        let handler = &self.state.handler;
        let BodyPart { stream, context, data, end, trailers } = part;
        // the context may have been set since
        handler.body(&Body { stream: *stream, context: *context, data, end: *end, trailers: trailers.as_ref() });
    }

    #[inline]
    fn deliver(&self, stream: StreamId, context: u64, arrived: &Arrived, data: &[u8]) {
        let handler = &self.state.handler;
        match *arrived {
            Arrived::Message(kind) => handler.message(&Message { stream, context, kind, data }),
            Arrived::Fragment { kind, first, last } => {
                handler.fragment(&Fragment { stream, context, kind, data, first, last });
            }
            Arrived::Control { kind, code } => handler.control(&ControlFrame { stream, context, kind, data, code }),
        }
    }

    /// Tells the host what has been queued for it.
    fn dispatch(self: &Rc<Self>, payload: &mut Vec<u8>) {
        loop {
            let Some(event) = self.core.borrow_mut().events.pop_front() else { return };
            match event {
                Event::Closed { stream, slot, context, kind, end } => {
                    let End { code, reason, cause, h2_code, side } = end;
                    self.closed(&Closed { stream, context, kind, code, reason: &reason, cause, h2_code, side }, slot);
                }
                Event::Writable { stream, context } => {
                    let alive = self.state.own().streams.slot(crate::engine::table::Parts::of(stream.0).slot);
                    if alive.is_some_and(|s| s.alive(stream.0 as u32)) {
                        self.state.handler.writable(stream, context);
                    }
                }
                Event::Early { key, stream, bytes } => {
                    let mut data = &bytes[..];
                    while !data.is_empty() {
                        let step = self.core.borrow_mut().receive(
                            self,
                            key,
                            Some(stream),
                            &mut data,
                            payload,
                            &mut self.state.pool.borrow_mut(),
                        );
                        if let Some(Step::Deliver { stream, context, arrived }) = step {
                            self.deliver(stream, context, &arrived, payload);
                        }
                    }
                }
                Event::Pending { key, stream } => self.deliver_pending(key, stream, payload),
                Event::Log(level, text) => self.state.shared.log(level, &text),
            }
        }
    }

    /// What waited for the host's demand.
    fn deliver_pending(self: &Rc<Self>, key: u32, stream: StreamId, payload: &mut Vec<u8>) {
        loop {
            let mut core = self.core.borrow_mut();
            let Some(found) = core.get(key, stream) else { return };
            let context = found.context;
            let Stream { role, out, arrived, released, .. } = found;
            match role {
                Role::WebSocket(websocket) => {
                    let next = websocket.next_pending(payload, out, &mut self.state.pool.borrow_mut());
                    let Some((what, freed)) = next else {
                        core.settle(self, key);
                        core.touch(key);
                        return;
                    };
                    let freed = freed.min(*arrived);
                    *arrived -= freed;
                    *released += freed;
                    match what {
                        Arrived::Message(_) | Arrived::Fragment { last: true, .. } => core.tally.messages_in += 1,
                        Arrived::Fragment { .. } => {}
                        Arrived::Control { .. } => core.heard(self, key),
                    }
                    drop(core);
                    self.deliver(stream, context, &what, payload);
                }
                Role::Http(_) => {
                    let Some(part) = core.pending_body(key) else { return };
                    drop(core);
                    self.deliver_body(&part);
                }
                Role::Handshake(_) => return,
            }
        }
    }

    fn closed(&self, closed: &Closed<'_>, slot: u32) {
        let own = self.state.own();
        // also when the host's code panics
        struct GiveBack<'a>(&'a LoopState, u32);
        impl Drop for GiveBack<'_> {
            fn drop(&mut self) {
                self.0.slots.borrow_mut().give_back(&self.0.own().streams, self.1);
            }
        }
        let _give_back = GiveBack(&self.state, slot);
        uncount(&own.counters.open_streams);
        self.state.handler.closed(closed);
    }

    /// A request has come.
    fn open(self: &Rc<Self>, request: http::Request<RecvStream>, send: SendResponse<Bytes>) {
        let (parts, recv) = request.into_parts();
        let end = recv.is_end_stream();
        let own = self.state.own();
        let counters = &own.counters;
        let protocol = parts.extensions.get::<Protocol>().map(Protocol::as_str);
        let mut core = self.core.borrow_mut();
        core.unflushed_answers = true;
        if parts.headers.len() > core.config.max_header_fields as usize {
            count(&counters.refused_header_fields);
            let text = format!("more than {} header fields", core.config.max_header_fields);
            return core.refuse(send, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, HeaderMap::new(), &text);
        }
        let subprotocols = match connect::open(&parts.method, &parts.uri, &parts.headers, protocol, end) {
            Ok(Opening::Request) => None,
            Ok(Opening::WebSocket { subprotocols }) => Some(subprotocols),
            Err(refused) => {
                use connect::Refusal;
                count(match refused.refusal {
                    Refusal::Authority => &counters.refused_authority,
                    Refusal::Scheme => &counters.refused_scheme,
                    Refusal::Protocol => &counters.refused_protocol,
                    Refusal::Version => &counters.refused_version,
                    Refusal::Malformed => &counters.refused_malformed,
                    Refusal::PlainConnect => &counters.refused_plain_connect,
                });
                let text = refused.text;
                core.log(LogLevel::Info, format!("handshake of {} refused: {text}", self.peer));
                return core.refuse(send, refused.status, refused.headers, &text);
            }
        };
        let kind = if subprotocols.is_some() { StreamKind::WebSocket } else { StreamKind::Http };
        if kind == StreamKind::WebSocket && (core.draining || self.state.shared.draining.load(Ordering::Acquire)) {
            count(&counters.refused_draining);
            return core.refuse(send, StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "the server is going away");
        }
        let subprotocols = subprotocols.unwrap_or_default();
        let id = send.stream_id().as_u32();
        let (ready, now) = (Arc::clone(&core.ready), core.now);
        let entry = core.streams.vacant_entry();
        let key = entry.key() as u32;
        let mut slots = self.state.slots.borrow_mut();
        let Some(handle) = slots.take(&own.streams, self.state.index, false, self.key.get(), key) else {
            return core.refuse(send, StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "too many streams");
        };
        drop(slots);
        let stream = StreamId(handle.raw());
        if let Some(slot) = own.streams.slot(handle.slot) {
            slot.websocket.store(kind == StreamKind::WebSocket, Ordering::Release);
        }
        count(&counters.open_streams);
        let (role, deadline) = match kind {
            StreamKind::Http => {
                count(&counters.requests);
                let head_request = parts.method == http::Method::HEAD;
                (Role::Http(Box::new(Exchange { head_request, end_delivered: end, ..Exchange::default() })), None)
            }
            StreamKind::WebSocket => {
                count(&counters.handshakes);
                let offered = !subprotocols.is_empty();
                if offered {
                    let offers = subprotocols.iter().map(|s| (*s).into()).collect();
                    own.offers.lock().unwrap_or_else(PoisonError::into_inner).insert(stream, offers);
                }
                let accept_timeout = self.state.shared.config.accept_timeout;
                (Role::Handshake(Handshake { early: Vec::new(), offered }), after(now, accept_timeout))
            }
        };
        let (initial_send, initial_recv) = (core.initial_send_window, core.initial_recv_window);
        core.streams.insert(Box::new(Stream {
            handle: stream,
            slot: handle.slot,
            id,
            context: 0,
            role,
            recv,
            send: Sender::Head(send),
            waker: Waker::from(Arc::new(StreamWaker { key, ready: Arc::clone(&ready) })),
            send_window: initial_send,
            recv_window: initial_recv,
            arrived: 0,
            released: 0,
            out: crate::engine::send_queue::SendQueue::default(),
            listed: false,
            end_scanned: end,
            received_end: false,
            sent_end: false,
            answered: false,
            deadline,
            last_in: now,
        }));
        core.ids.insert(id, key);
        core.arm(deadline);
        // registers the stream's waker, after the host has seen the request
        ready.push(key);
        drop(core);
        let method = match kind {
            StreamKind::Http => parts.method.as_str(),
            StreamKind::WebSocket => "GET",
        };
        let host = || parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        self.state.handler.request(&Request {
            stream,
            connection: self.id,
            kind,
            method,
            scheme: parts.uri.scheme_str().unwrap_or("http"),
            authority: parts.uri.authority().map(|a| a.as_str()).or_else(host).unwrap_or(""),
            path: parts.uri.path_and_query().map_or("/", |p| p.as_str()),
            headers: &parts.headers,
            subprotocols: &subprotocols,
            peer: &self.peer,
            end,
        });
    }
}
