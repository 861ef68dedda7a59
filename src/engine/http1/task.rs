//! The task of a connection: read, deliver, collect what the host answered, write; again until there is nothing.

use super::{Connection, Core, Event, Role, Stream};
use crate::engine::deadline::after;
use crate::engine::ending::{End, disconnected};
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::loops::{LoopState, Served};
use crate::engine::preface::Greeted;
use crate::engine::stats::{Counters, add, count};
use crate::engine::transport::Transport;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::Sleep;

/// Rounds of reading and writing before other connections of the loop have their turn.
pub(super) const ROUNDS: usize = 4;
/// What is read ahead of the request that is being served.
const AHEAD: usize = 64 << 10;
/// A payload buffer that grew beyond this is not kept.
const KEPT: usize = 1 << 20;

/// What only the task itself touches.
pub(crate) struct Task {
    pub(super) conn: Rc<Connection>,
    pub(super) transport: Transport,
    timer: Option<Pin<Box<Sleep>>>,
    pub(super) timer_at: Option<Instant>,
}

impl Task {
    /// The loop knows the connection from now on.
    pub(crate) fn begin(state: &Rc<LoopState>, greeted: Greeted) -> Self {
        let Greeted { id, listener, transport, peer, tls, read, websockets } = greeted;
        let conn = Rc::new(Connection {
            id,
            listener,
            state: Rc::clone(state),
            peer: peer.into(),
            tls,
            websockets,
            core: RefCell::new(Core::new(state, read)),
            awake: Cell::new(false),
            waker: RefCell::new(None),
            key: Cell::new(0),
            told: Cell::new(0),
        });
        let key = state.connections.borrow_mut().insert(Served::Http1(Rc::clone(&conn)));
        conn.key.set(key as u32);
        Self { conn, transport, timer: None, timer_at: None }
    }

    /// Serves the connection.
    pub(crate) async fn serve(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
        let state = &self.conn.state;
        state.connections.borrow_mut().remove(self.conn.key.get() as usize);
        let (eof, reset) = {
            let core = self.conn.core.borrow();
            (core.eof, core.reset)
        };
        if reset {
            self.transport.reset();
        } else if !state.stopping() {
            self.transport.end(eof).await;
        }
    }
}

impl Core {
    /// How much may be read now.
    fn appetite(&self) -> usize {
        if self.eof || self.over {
            return 0;
        }
        match self.stream.as_deref() {
            Some(Stream { role: Role::WebSocket(socket), .. }) if self.http.is_none() => {
                // what is held comes first
                if socket.arrived < self.engine.config.stream_window && self.held.is_empty() { usize::MAX } else { 0 }
            }
            _ => AHEAD.saturating_sub(self.held.len()),
        }
    }

    /// The peer has ended its side, or the connection is broken.
    pub(super) fn input_ended(&mut self, broken: bool) {
        self.eof = true;
        if broken {
            self.over = true;
            self.ended.get_or_insert_with(disconnected);
        }
    }

    fn flush_tally(&mut self, counters: &Counters) {
        for (counter, n) in [
            (&counters.messages_in, std::mem::take(&mut self.messages_in)),
            (&counters.messages_out, std::mem::take(&mut self.messages_out)),
        ] {
            if n > 0 {
                add(counter, n);
            }
        }
    }
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
        conn.awake.set(true);
        // a panic is our bug or the host's: it ends this connection alone
        let polled = catch_unwind(AssertUnwindSafe(|| self.tick(cx, &conn)));
        let polled = polled.unwrap_or_else(|_| {
            count(&conn.state.own().counters.panics);
            let log =
                || conn.state.shared.log(LogLevel::Error, "a panic ended a connection: a bug in h2ws or in a callback");
            let _ = catch_unwind(AssertUnwindSafe(log));
            // one more panic, say in `closed`, and the rest is given up
            let _ = catch_unwind(AssertUnwindSafe(|| self.give_up()));
            Poll::Ready(())
        });
        conn.awake.set(false);
        polled
    }

    fn tick(&mut self, cx: &mut Context<'_>, conn: &Rc<Connection>) -> Poll<()> {
        let buffers = &conn.state.buffers;
        let mut payload = buffers.payload.take();
        let polled = if self.move_bytes(cx, conn, &mut payload) {
            Poll::Pending
        } else {
            self.long_tick(cx, conn, &mut payload)
        };
        payload.clear();
        if payload.capacity() <= KEPT {
            buffers.payload.set(payload);
        }
        conn.core.borrow_mut().flush_tally(&conn.state.own().counters);
        if polled.is_pending() {
            self.set_timer(cx);
        }
        polled
    }

    fn long_tick(&mut self, cx: &mut Context<'_>, conn: &Rc<Connection>, payload: &mut Vec<u8>) -> Poll<()> {
        let buffers = &conn.state.buffers;
        {
            let mut core = conn.core.borrow_mut();
            core.now = Instant::now();
            if core.http.is_some() {
                let mut pipe = core.pipe.buffers();
                if pipe.input.is_empty() {
                    pipe.input = buffers.input.take();
                }
                buffers.take_output(&mut pipe.output);
            }
        }
        if !conn.host_first() {
            let mut core = conn.core.borrow_mut();
            if std::mem::take(&mut core.late)
                && let Some(stream) = core.stream.as_deref().map(|stream| stream.handle)
            {
                core.events.push_back(Event::Pending { stream });
            }
        }
        self.poll_timer(cx);
        let polled = self.rounds(cx, payload);
        let core = conn.core.borrow();
        if core.late {
            conn.state.next_turn(cx);
        }
        let mut pipe = core.pipe.buffers();
        if !pipe.has_input() && pipe.input.capacity() > 0 {
            buffers.input.set(std::mem::take(&mut pipe.input));
        }
        if pipe.output.is_empty() && pipe.output.capacity() > 0 {
            buffers.give_output(std::mem::take(&mut pipe.output));
        }
        polled
    }

    fn rounds(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> Poll<()> {
        let conn = Rc::clone(&self.conn);
        for _ in 0..ROUNDS {
            let full = conn.core.borrow().appetite() == 0;
            let mut more = self.read(cx, payload);
            conn.settle(payload);
            conn.core.borrow_mut().settle_end(&conn);
            self.check_end(payload);
            match self.write(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    let mut core = conn.core.borrow_mut();
                    core.eof = true;
                    core.over = true;
                    core.ended.get_or_insert_with(disconnected);
                    drop(core);
                    self.check_end(payload);
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
            self.check_end(payload);
            let core = conn.core.borrow();
            if core.over {
                let written = core.pipe.buffers().output.is_empty();
                if written || core.reset {
                    return Poll::Ready(());
                }
            }
            more |= core.http.is_some() && core.flag.raised() || !core.events.is_empty() || core.over;
            // the host has taken what waited: the socket has not been asked, and would wake nobody
            more |= full && core.appetite() > 0;
            if !more {
                // also for what is held because the host has become full
                conn.state.pauses(cx);
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once. True if something came.
    fn read(&mut self, cx: &mut Context<'_>, payload: &mut Vec<u8>) -> bool {
        let conn = Rc::clone(&self.conn);
        let appetite = conn.core.borrow().appetite();
        if conn.state.full() || appetite == 0 {
            return false;
        }
        let mut buffer = conn.state.buffers.take_read();
        let room = buffer.len().min(appetite);
        let read = self.transport.poll_read(cx, &mut buffer[..room]);
        let more = match read {
            Poll::Pending => false,
            Poll::Ready(Ok(n)) if n > 0 => {
                let counters = &conn.state.own().counters;
                add(&counters.reads, 1);
                add(&counters.bytes_in, n as u64);
                let socket = conn.core.borrow_mut().socket().is_some();
                if socket {
                    conn.take_input(&buffer[..n], payload);
                } else {
                    conn.core.borrow_mut().hold(&conn, &buffer[..n]);
                }
                true
            }
            Poll::Ready(end) => {
                conn.core.borrow_mut().input_ended(end.is_err());
                true
            }
        };
        conn.state.buffers.read.set(buffer);
        more
    }

    /// Writes what there is. Ready(false): the transport has failed.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let conn = Rc::clone(&self.conn);
        let mut core = conn.core.borrow_mut();
        let core = &mut *core;
        if core.reset {
            return Poll::Ready(true);
        }
        let counters = &conn.state.own().counters;
        let mut progress = false;
        let mut blocked = false;
        {
            let mut pipe = core.pipe.buffers();
            while core.written < pipe.output.len() {
                match self.transport.poll_write(cx, &pipe.output[core.written..]) {
                    Poll::Ready(Ok(n)) if n > 0 => {
                        add(&counters.writes, 1);
                        add(&counters.bytes_out, n as u64);
                        core.written += n;
                        progress = true;
                    }
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => {
                        blocked = true;
                        break;
                    }
                }
            }
            // a body waits until the output is shorter
            if core.written > 0 {
                pipe.output.drain(..core.written);
                core.written = 0;
                if core.http.is_some() {
                    core.flag.raise();
                }
            }
        }
        if !blocked && core.http.is_none() {
            let (polled, wrote) = core.write_socket(&conn, &mut self.transport, cx);
            progress |= wrote;
            match polled {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(false),
                Poll::Pending => blocked = true,
            }
        }
        // over TLS, what was taken may still wait for the socket
        match self.transport.poll_flush(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(false),
            Poll::Pending => blocked = true,
        }
        if blocked {
            if progress || core.write_deadline.is_none() {
                core.write_deadline = after(core.now, core.engine.config.write_timeout);
            }
            core.arm(core.write_deadline);
            return Poll::Pending;
        }
        core.write_deadline = None;
        if core.socket_ends() {
            match self.transport.poll_shutdown(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(_) => {
                    let eof = core.eof;
                    if let Some(socket) = core.socket() {
                        socket.sent_end = true;
                    }
                    if eof {
                        core.socket_done();
                    }
                }
            }
        }
        Poll::Ready(true)
    }

    /// If the connection is over: ends its stream, tells the host.
    fn check_end(&mut self, payload: &mut Vec<u8>) {
        let conn = Rc::clone(&self.conn);
        {
            let mut core = conn.core.borrow_mut();
            if core.cut && !core.over {
                core.over = true;
                core.ended = Some(End::new(1006, Cause::Drain, Side::Local).because("the engine has ended"));
            }
            if !core.over {
                return;
            }
            if core.stream.is_some() {
                let end = core.ended.clone().unwrap_or_else(disconnected);
                let end = core.cut_off(&end);
                core.end(end);
            }
        }
        conn.dispatch(payload);
    }

    /// After a panic: the stream's last event.
    fn give_up(&mut self) {
        let conn = Rc::clone(&self.conn);
        let mut payload = Vec::new();
        {
            let mut core = conn.core.borrow_mut();
            core.events.retain(|event| matches!(event, Event::Closed { .. }));
            core.over = true;
            core.reset = true;
            core.ended = Some(End::new(1006, Cause::Disconnected, Side::Local).because("a bug was caught"));
        }
        self.check_end(&mut payload);
        conn.core.borrow_mut().flush_tally(&conn.state.own().counters);
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        if let Some(timer) = &mut self.timer
            && self.timer_at.is_some_and(|at| at <= self.conn.core.borrow().now)
            && timer.as_mut().poll(cx).is_ready()
        {
            self.timer_at = None;
            self.conn.core.borrow_mut().ring(&self.conn);
        }
    }

    fn set_timer(&mut self, cx: &mut Context<'_>) {
        let armed = self.conn.core.borrow().armed;
        let Some(at) = armed else {
            self.timer = None;
            self.timer_at = None;
            return;
        };
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
