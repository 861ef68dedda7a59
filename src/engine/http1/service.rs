//! `hyper`'s way to the host and back: it puts a request on the desk, and finds the answer there.
//!
//! Nothing here wakes: the connection's task asks `hyper` again after each change.

use crate::engine::ending::Tail;
use crate::engine::pipe::Pipe;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Output that waits for the socket before a body is asked for more.
const BATCH: usize = 256 << 10;

/// One exchange at a time, as HTTP/1.1 has it.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) request: Option<Request<Incoming>>,
    pub(super) answer: Option<Response<Outgoing>>,
    /// `hyper` has taken the answer: its head is out or about to be.
    pub(super) taken: bool,
    /// The response's body, and how it ends.
    pub(super) body: VecDeque<Bytes>,
    pub(super) queued: usize,
    /// What the response's `content-length` promised and `hyper` has not been given; `None`: it has none.
    pub(super) missing: Option<u64>,
    pub(super) finish: Option<Tail>,
    /// `hyper` has done with the response.
    pub(super) done: bool,
}

pub(super) type Shared = Rc<RefCell<Desk>>;

/// What `hyper` calls with each request.
pub(super) struct Front(pub(super) Shared);

impl Service<Request<Incoming>> for Front {
    type Response = Response<Outgoing>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.0.borrow_mut().request = Some(request);
        Answer(Rc::clone(&self.0))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // an answer that `hyper` never took would keep the desk, which keeps the answer; and it writes to the desk when it is dropped
        let answer = self.0.borrow_mut().answer.take();
        drop(answer);
    }
}

/// The response, when it is there.
pub(super) struct Answer(Shared);

impl Future for Answer {
    type Output = Result<Response<Outgoing>, Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut desk = self.0.borrow_mut();
        match desk.answer.take() {
            Some(response) => {
                desk.taken = true;
                Poll::Ready(Ok(response))
            }
            None => Poll::Pending,
        }
    }
}

/// The body of a response. Dropped when `hyper` has written it, or needs none.
pub(super) struct Outgoing {
    pub(super) desk: Shared,
    pub(super) pipe: Pipe,
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.desk.borrow_mut().done = true;
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let desk = &mut *self.desk.borrow_mut();
        if self.pipe.buffers().output.len() >= BATCH {
            return Poll::Pending;
        }
        match desk.body.pop_front() {
            Some(piece) => {
                desk.queued -= piece.len();
                desk.missing = desk.missing.map(|missing| missing.saturating_sub(piece.len() as u64));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if desk.finish.is_some() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        let desk = self.desk.borrow();
        desk.body.is_empty() && matches!(desk.finish, Some(Tail { trailers: None }))
    }

    fn size_hint(&self) -> SizeHint {
        let desk = self.desk.borrow();
        match desk.finish {
            // then it is chunked only if there are trailers
            // what the head says goes before; `hyper` takes two lengths that differ for a bug of its user's
            Some(Tail { trailers: None }) if desk.missing.is_none() => SizeHint::with_exact(desk.queued as u64),
            _ => SizeHint::default(),
        }
    }
}
