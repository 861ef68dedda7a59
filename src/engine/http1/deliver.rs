//! To the host: every callback of a connection is made here, with nothing borrowed.

use super::exchange::BodyPart;
use super::{Connection, Event, Role, Stream};
use crate::engine::ending::End;
use crate::engine::event::{Body, Closed, ControlFrame, Fragment, Message, StreamKind};
use crate::engine::handle::StreamId;
use crate::engine::loops::LoopState;
use crate::engine::payload::Shown;
use crate::engine::stats::uncount;
use crate::engine::websocket::Arrived;
use std::rc::Rc;

impl Connection {
    pub(super) fn deliver_part(&self, part: &BodyPart) {
        let BodyPart { stream, context, data, end, trailers } = part;
        let trailers = trailers.as_ref();
        self.host().body(&Body { stream: *stream, context: *context, data, end: *end, trailers });
    }

    #[inline]
    pub(super) fn deliver(&self, stream: StreamId, context: u64, arrived: &Arrived, payload: &mut Vec<u8>) {
        let handler = self.host();
        let shown = Shown::new(&self.state.pool, payload);
        let data = &*shown;
        match *arrived {
            Arrived::Message(kind) => handler.message(&Message { stream, context, kind, data }),
            Arrived::Fragment { kind, first, last } => {
                handler.fragment(&Fragment { stream, context, kind, data, first, last });
            }
            Arrived::Control { kind, code } => handler.control(&ControlFrame { stream, context, kind, data, code }),
        }
    }

    /// Tells the host what has been queued for it. True if there was something.
    pub(super) fn dispatch(self: &Rc<Self>, payload: &mut Vec<u8>) -> bool {
        let mut moved = false;
        loop {
            let Some(event) = self.core.borrow_mut().events.pop_front() else { return moved };
            moved = true;
            match event {
                Event::Closed { stream, slot, context, kind, socket, end } => {
                    if socket {
                        uncount(&self.state.own().counters.open_websockets);
                    }
                    let End { code, reason, cause, h2_code, side } = end;
                    self.closed(&Closed { stream, context, kind, code, reason: &reason, cause, h2_code, side }, slot);
                }
                Event::Writable { stream, context } => {
                    if self.state.is_open(stream) {
                        self.host().writable(stream, context);
                    }
                }
                Event::Pending { stream } => self.deliver_pending(stream, payload),
                Event::Answerable(told) => {
                    if self.state.is_open(told.stream) {
                        self.host().control(&told.event());
                    }
                }
                Event::Log(level, text) => self.state.shared.log(level, &text),
            }
        }
    }

    /// What waited for the host's demand.
    fn deliver_pending(self: &Rc<Self>, handle: StreamId, payload: &mut Vec<u8>) {
        loop {
            let mut core = self.core.borrow_mut();
            let Some(Stream { handle: found, context, role, .. }) = core.stream.as_deref_mut() else { return };
            // a body's next part is found by the turn of the wheel
            let Role::WebSocket(socket) = role else { return };
            if *found != handle {
                return;
            }
            let context = *context;
            let next = socket.websocket.next_pending(
                self.host_first(),
                payload,
                &mut socket.out,
                &mut self.state.pool.borrow_mut(),
            );
            let (what, freed) = match next {
                Ok(Some(next)) => next,
                Ok(None) => {
                    core.late |= core.socket().is_some_and(|s| s.websocket.has_pending()) && self.host_first();
                    return;
                }
                Err(violation) => return core.violated(self, &violation, &mut self.state.pool.borrow_mut()),
            };
            socket.arrived = if socket.websocket.has_pending() { socket.arrived.saturating_sub(freed) } else { 0 };
            match what {
                Arrived::Message(_) | Arrived::Fragment { last: true, .. } => core.messages_in += 1,
                Arrived::Fragment { .. } => {}
                Arrived::Control { .. } => core.heard(self),
            }
            drop(core);
            self.deliver(handle, context, &what, payload);
        }
    }

    fn closed(&self, closed: &Closed<'_>, slot: u32) {
        let own = self.state.own();
        // also when the host's code panics
        struct GiveBack<'a>(&'a LoopState, u32);
        impl Drop for GiveBack<'_> {
            fn drop(&mut self) {
                let own = self.0.own();
                own.mailbox.while_shut(|| self.0.slots.borrow_mut().give_back(&own.streams, self.1));
            }
        }
        let _give_back = GiveBack(&self.state, slot);
        uncount(&own.counters.open_streams);
        if closed.kind == StreamKind::WebSocket {
            // it may have ended undecided
            self.forget_offers(closed.stream);
        }
        self.host().closed(closed);
    }
}
