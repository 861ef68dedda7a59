//! Turns of the wheel: what was read goes through, `h2` is asked until it has nothing more to say, streams send.

use super::Connection;
use super::input::{Feed, Rest, Step};
use crate::engine::ending::{End, disconnected};
use crate::engine::event::{Cause, LogLevel, Side};
use crate::engine::stats::count;
use h2::Reason;
use std::rc::Rc;
use std::task::{Context, Poll};

impl Connection {
    /// Goes through what was read, with the host's callbacks in between. What is left when the host is full comes back.
    pub(super) fn take_input(self: &Rc<Self>, mut feed: Feed<'_>, payload: &mut Vec<u8>) -> Rest {
        loop {
            let step = self.core.borrow_mut().advance(self, &mut feed, payload, &mut self.state.pool.borrow_mut());
            match step {
                Step::Done => return Rest::default(),
                Step::PollH2 => self.poll_h2(),
                Step::Events => self.dispatch(payload),
                Step::Deliver { stream, context, arrived } => {
                    self.deliver(stream, context, &arrived, payload);
                    if self.state.full() {
                        return feed.rest();
                    }
                }
            }
        }
    }

    /// Until neither `h2` nor the host has anything more to say.
    pub(super) fn settle_all(self: &Rc<Self>, payload: &mut Vec<u8>) {
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
            if quiet || core.full() {
                return;
            }
        }
    }

    pub(super) fn poll_h2(self: &Rc<Self>) {
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
}
