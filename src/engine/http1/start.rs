//! The beginning of a connection: what `hyper` is told of itself, and the state that everything starts from.

use super::service::{Desk, Front};
use super::{Connection, Core, Http};
use crate::engine::ending::End;
use crate::engine::event::{Cause, Side};
use crate::engine::flag::Flag;
use crate::engine::loops::LoopState;
use crate::engine::pipe::Pipe;
use crate::engine::stats::count;
use crate::proto::http1::Framer;
use hyper::server::conn::http1;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

impl Core {
    pub(super) fn new(state: &LoopState, read: Vec<u8>) -> Self {
        let engine = Arc::clone(&state.shared);
        let pipe = Pipe::default();
        let desk = Rc::new(RefCell::new(Desk::default()));
        let hyper = http1::Builder::new()
            // a client may end its side and wait for the answer
            .half_close(true)
            // deadlines and limits are ours; these are never felt
            .header_read_timeout(None)
            .max_headers(engine.config.max_header_fields as usize)
            .serve_connection(pipe.clone(), Front(Rc::clone(&desk)));
        let flag = Arc::new(Flag::default());
        flag.raise();
        let http = Http {
            hyper,
            desk,
            framer: Framer::default(),
            busy: false,
            upgrade: false,
            accepted: false,
            version: http::Version::HTTP_11,
        };
        Self {
            http: Some(Box::new(http)),
            stream: None,
            pipe,
            flag_waker: Waker::from(Arc::clone(&flag)),
            flag,
            held: read,
            written: 0,
            eof: false,
            events: VecDeque::new(),
            late: false,
            messages_in: 0,
            messages_out: 0,
            now: Instant::now(),
            armed: None,
            head_deadline: None,
            keep_alive_deadline: None,
            write_deadline: None,
            drain_deadline: None,
            draining: false,
            cut: false,
            over: false,
            reset: false,
            ended: None,
            engine,
        }
    }

    /// Keeps what was read until it can be passed on.
    pub(super) fn hold(&mut self, conn: &Connection, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        let undecided = self.http.as_ref().is_some_and(|http| http.upgrade && !http.accepted);
        if undecided && self.held.len() > self.engine.config.early_data as usize {
            count(&conn.state.own().counters.limit_early_data);
            let text = "too much was sent before the handshake was accepted (early_data)";
            self.abort(End::new(0, Cause::Violation, Side::Local).because(text));
        }
    }
}
