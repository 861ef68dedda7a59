//! The host that an engine speaks to: it makes a record of each event, in the batch of the loop whose thread this is.

use crate::batch::Batch;
use crate::record;
use h2ws::{
    Body, Closed, ConnectionId, ControlFrame, Engine, Fragment, HandedBack, Handler, LogLevel, Message, Ready, Request,
    StreamId, StreamKind,
};
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

/// Lines of the log that threads without a loop have, before the oldest is dropped.
const MAX_LINES: usize = 256;

/// What a loop's thread has.
#[derive(Debug, Default)]
pub(crate) struct OfLoop {
    /// What Java is going to be told.
    pub(crate) batch: Batch,
    contexts: Contexts,
}

thread_local! {
    static OF_LOOP: RefCell<OfLoop> = RefCell::default();
}

/// Gives `f` what this thread's loop has. Not to be used while an event is being recorded.
pub(crate) fn with_loop<R>(f: impl FnOnce(&mut OfLoop) -> R) -> R {
    OF_LOOP.with(|of_loop| f(&mut of_loop.borrow_mut()))
}

/// Small numbers for streams, by which Java finds its objects. One is free again when its stream's `closed` has been recorded:
/// whatever is recorded after it is read after it.
#[derive(Debug, Default)]
struct Contexts {
    free: Vec<u64>,
    used: u64,
}

impl Contexts {
    fn take(&mut self) -> u64 {
        self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used
        })
    }
}

/// The handler.
#[derive(Debug)]
pub(crate) struct Recorder {
    engine: Engine,
    /// From threads that have no batch, for the next poll of any loop.
    lines: Mutex<Vec<(LogLevel, String)>>,
}

impl Recorder {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, lines: Mutex::default() }
    }

    /// Whether this thread is in a poll.
    fn polls() -> bool {
        crate::engines::polls()
    }

    fn take_lines(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handler for Recorder {
    fn request(&self, request: &Request<'_>) {
        let context = with_loop(|of_loop| of_loop.contexts.take());
        // neither can fail: the stream has just begun, and this is its loop
        let _ = self.engine.set_context(request.stream, context);
        if request.kind == StreamKind::Http && !request.end {
            // Java hears of the request when it has perhaps all come
            let _ = self.engine.set_demand(request.stream);
        }
        let (head, payload) = record::request(request, context);
        with_loop(|of_loop| of_loop.batch.push(head, &[&payload]));
    }

    fn body(&self, body: &Body<'_>) {
        let (head, trailers) = record::body(body);
        with_loop(|of_loop| of_loop.batch.push(head, &[body.data, &trailers]));
    }

    fn message(&self, message: &Message<'_>) {
        with_loop(|of_loop| of_loop.batch.push(record::message(message), &[message.data]));
    }

    fn fragment(&self, fragment: &Fragment<'_>) {
        let head = record::fragment(fragment);
        let joined = with_loop(|of_loop| {
            let joined = of_loop.batch.extend(head, fragment.data);
            if !joined {
                of_loop.batch.push(head, &[fragment.data]);
            }
            joined
        });
        if joined {
            // it cannot fail: this is the stream's loop
            let _ = self.engine.joined(fragment.stream);
        }
    }

    fn control(&self, control: &ControlFrame<'_>) {
        with_loop(|of_loop| of_loop.batch.push(record::control(control), &[control.data]));
    }

    fn writable(&self, stream: StreamId, context: u64) {
        with_loop(|of_loop| of_loop.batch.push(record::writable(stream, context), &[]));
    }

    fn closed(&self, closed: &Closed<'_>) {
        let (head, cause) = record::closed(closed);
        with_loop(|of_loop| {
            of_loop.batch.push(head, &[&[cause], closed.reason.as_bytes()]);
            of_loop.contexts.free.push(closed.context);
        });
    }

    fn disconnected(&self, connection: ConnectionId) {
        with_loop(|of_loop| of_loop.batch.push(record::disconnected(connection), &[]));
    }

    fn fallback(&self, back: HandedBack<'_>) {
        let (head, payload) = record::fallback(&back);
        with_loop(|of_loop| of_loop.batch.push(head, &[&payload]));
    }

    fn duplex(&self, connection: ConnectionId, context: u64, ready: Ready) {
        with_loop(|of_loop| of_loop.batch.push(record::duplex(connection, context, ready), &[]));
    }

    fn full(&self) -> bool {
        with_loop(|of_loop| of_loop.batch.full())
    }

    fn log(&self, level: LogLevel, text: &str) {
        if !Self::polls() {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == MAX_LINES {
                lines.remove(0);
            }
            lines.push((level, text.to_owned()));
            return;
        }
        let earlier = self.take_lines();
        with_loop(|of_loop| {
            for (level, text) in &earlier {
                of_loop.batch.push(record::log(*level), &[text.as_bytes()]);
            }
            of_loop.batch.push(record::log(level), &[text.as_bytes()]);
        });
    }
}
