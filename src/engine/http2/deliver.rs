//! To the host: every callback of a connection is made here, with nothing borrowed.

use super::input::Step;
use super::progress::BodyPart;
use super::stream::{Role, Stream};
use super::{Connection, Event};
use crate::engine::ending::End;
use crate::engine::event::{Body, Closed, ControlFrame, Fragment, Message, StreamKind};
use crate::engine::handle::StreamId;
use crate::engine::loops::LoopState;
use crate::engine::payload::Shown;
use crate::engine::stats::uncount;
use crate::engine::websocket::Arrived;
use std::rc::Rc;

impl Connection {
    pub(super) fn deliver_body(&self, part: &BodyPart) {
        let handler = self.host();
        let BodyPart { stream, context, data, end, trailers } = part;
        // the context may have been set since
        handler.body(&Body { stream: *stream, context: *context, data, end: *end, trailers: trailers.as_ref() });
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

    /// Tells the host what has been queued for it.
    pub(super) fn dispatch(self: &Rc<Self>, payload: &mut Vec<u8>) {
        loop {
            let Some(event) = self.core.borrow_mut().events.pop_front() else { return };
            match event {
                Event::Closed { stream, slot, context, kind, end } => {
                    let End { code, reason, cause, h2_code, side } = end;
                    self.closed(&Closed { stream, context, kind, code, reason: &reason, cause, h2_code, side }, slot);
                }
                Event::Writable { stream, context } => {
                    if self.state.is_open(stream) {
                        self.host().writable(stream, context);
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
    fn deliver_pending(self: &Rc<Self>, key: u32, stream: StreamId, payload: &mut Vec<u8>) {
        loop {
            let mut core = self.core.borrow_mut();
            let Some(found) = core.get(key, stream) else { return };
            let context = found.context;
            let Stream { role, out, inflow, .. } = found;
            match role {
                Role::WebSocket(websocket) => {
                    let next =
                        websocket.next_pending(self.host_first(), payload, out, &mut self.state.pool.borrow_mut());
                    let (what, freed) = match next {
                        Ok(Some(next)) => next,
                        Ok(None) => {
                            if websocket.has_pending() && self.host_first() {
                                core.comes_late(key);
                            }
                            core.settle(self, key);
                            core.touch(key);
                            return;
                        }
                        Err(violation) => {
                            core.violated(self, key, &violation, &mut self.state.pool.borrow_mut());
                            core.settle(self, key);
                            return;
                        }
                    };
                    inflow.release(freed);
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
