//! The task of a connection: read, deliver, collect what the host answered, write once; again until there is nothing.

use super::input::{Feed, Rest};
use super::spliced::Spliced;
use super::start::start;
use super::stream::Sender;
use super::{Connection, Core, Event, Tally, after};
use crate::engine::ending::{End, disconnected};
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::loops::{LoopState, Served};
use crate::engine::preface::Greeted;
use crate::engine::stats::{Counters, add, count, uncount};
use crate::engine::transport::Transport;
use crate::proto::scan::PREFACE;
use h2::Reason;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::Sleep;

/// Rounds of reading and writing before other connections of the loop have their turn.
const ROUNDS: usize = 4;
/// Output that the socket does not take before we stop reading from it.
const BACKLOG: usize = 1 << 20;

/// A payload buffer that grew beyond this is not kept.
const KEPT: usize = 1 << 20;

/// What only the task itself touches.
pub(crate) struct Task {
    conn: Rc<Connection>,
    transport: Transport,
    timer: Option<Pin<Box<Sleep>>>,
    timer_at: Option<Instant>,
    /// Bytes that were read and wait for their turn: from before the task began, or because the host was full.
    rest: Rest,
    /// All streams have ended; what is left is to write the output.
    over: bool,
    eof: bool,
    /// It has, behind something that the host has not come to.
    late_end: bool,
    /// The peer has said something in this tick.
    heard: bool,
}

impl Task {
    /// The loop knows the connection from now on. What was read begins with the preface. `None`: it has ended.
    pub(crate) async fn begin(state: &Rc<LoopState>, greeted: Greeted) -> Option<Self> {
        let Greeted { id, listener, transport, peer, tls, mut read, websockets } = greeted;
        let rest = Rest::of(read.split_off(PREFACE.len()));
        let spliced = Spliced::new(transport.takes_pieces());
        let Some(core) = start(state, &read, websockets, spliced).await else {
            state.shared.log(LogLevel::Error, "h2 refused its own configuration; the connection is dropped");
            return None;
        };
        let conn = Rc::new(Connection {
            id,
            listener,
            state: Rc::clone(state),
            peer: peer.into(),
            tls,
            core: RefCell::new(core),
            awake: Cell::new(false),
            waker: RefCell::new(None),
            key: Cell::new(0),
            told: Cell::new(0),
        });
        let key = state.connections.borrow_mut().insert(Served::Http2(Rc::clone(&conn)));
        conn.key.set(key as u32);
        Some(Self {
            conn,
            transport,
            timer: None,
            timer_at: None,
            rest,
            over: false,
            eof: false,
            late_end: false,
            heard: false,
        })
    }

    /// Serves the connection.
    pub(crate) async fn serve(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
        let state = &self.conn.state;
        state.connections.borrow_mut().remove(self.conn.key.get() as usize);
        if !state.stopping() {
            self.transport.end(self.eof).await;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let mut waker = self.conn.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        let conn = Rc::clone(&self.conn);
        conn.awake.set(true);
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
        conn.awake.set(false);
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
            buffers.take_output(&mut pipe.output);
        }
        if !conn.host_first() {
            let mut core = conn.core.borrow_mut();
            let core = &mut *core;
            for (key, stream) in std::mem::take(&mut core.late) {
                if let Some(found) = core.get(key, stream) {
                    found.late = false;
                    core.events.push_back(Event::Pending { key, stream });
                }
            }
        }
        self.poll_timer(cx);
        let polled = self.rounds(cx, &mut payload);
        if !conn.core.borrow().late.is_empty() {
            conn.state.next_turn(cx);
        }
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
                buffers.give_output(std::mem::take(&mut pipe.output));
            }
        }
        if polled.is_pending() {
            conn.core.borrow_mut().watch_idle(std::mem::take(&mut self.heard));
            self.set_timer(cx);
        }
        polled
    }

    fn rounds(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> Poll<()> {
        let conn = Rc::clone(&self.conn);
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
            if self.eof || core.failure.is_some() || core.ended.is_some() || core.backlog() > BACKLOG {
                return false;
            }
        }
        if conn.state.pauses(cx) {
            return false;
        }
        if self.late_end {
            // what the host has answered goes out before the end is looked at
            conn.settle_all(payload);
            return self.input_ended(&conn, cx);
        }
        if !self.rest.is_empty() {
            self.rest = conn.take_input(std::mem::take(&mut self.rest).feed(), payload);
            return true;
        }
        let mut buffer = conn.state.buffers.take_read();
        let read = self.transport.poll_read(cx, &mut buffer);
        let more = match read {
            Poll::Pending => false,
            Poll::Ready(Ok(n)) if n > 0 => {
                let counters = &conn.state.own().counters;
                add(&counters.reads, 1);
                add(&counters.bytes_in, n as u64);
                self.heard = true;
                self.rest = conn.take_input(Feed::new(&buffer[..n]), payload);
                n == buffer.len()
            }
            Poll::Ready(_) => self.input_ended(&conn, cx),
        };
        conn.state.buffers.read.set(buffer);
        more || matches!(read, Poll::Ready(Ok(n)) if n > 0)
    }

    /// The peer has ended the connection. What it sent before is the host's to come to first, so that its answer may still go out.
    fn input_ended(&mut self, conn: &Connection, cx: &Context<'_>) -> bool {
        self.late_end = conn.host_first();
        if self.late_end {
            conn.state.next_turn(cx);
            return false;
        }
        self.eof = true;
        let core = conn.core.borrow_mut();
        core.pipe.buffers().eof = true;
        core.flag.raise();
        false
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
        while core.written < pipe.output.len() || core.spliced.len() > 0 {
            let polled = if core.spliced.len() == 0 {
                self.transport.poll_write(cx, &pipe.output[core.written..])
            } else {
                let (slices, n) = core.spliced.slices(&pipe.output, core.written);
                self.transport.poll_write_vectored(cx, &slices[..n])
            };
            match polled {
                Poll::Ready(Ok(n)) if n > 0 => {
                    add(&counters.writes, 1);
                    add(&counters.bytes_out, n as u64);
                    core.spliced.consume(&mut self.conn.state.pool.borrow_mut(), &mut core.written, n);
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
                        core.spliced.shift(written);
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
        // over TLS, what was taken may still wait for the socket
        match self.transport.poll_flush(cx) {
            Poll::Ready(Ok(())) => core.write_deadline = None,
            Poll::Ready(Err(_)) => return Poll::Ready(false),
            Poll::Pending => {
                if progress || core.write_deadline.is_none() {
                    core.write_deadline = after(core.now, core.config.write_timeout);
                }
                drop(pipe);
                core.arm(core.write_deadline);
                return Poll::Pending;
            }
        }
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
