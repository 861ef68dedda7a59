//! Ordinary requests and their responses.

use super::service::Outgoing;
use super::{Connection, Core, Event, Http, Role, Stream};
use crate::engine::credit::Credited;
use crate::engine::ending::{End, Tail, disconnected};
use crate::engine::event::{Cause, Side};
use crate::engine::handle::StreamId;
use crate::engine::status::{Error, Status};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use hyper::body::{Body, Frame, Incoming};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// How a chunked body ends that has no trailers (RFC 9112 §7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What is known of one.
pub(super) struct Exchange {
    /// The request's body; `None` at its end.
    pub(super) incoming: Option<Incoming>,
    /// Of it, what waits for the host's demand: `hyper` reads no more meanwhile.
    pub(super) pending: Option<Bytes>,
    pub(super) credit: Credited,
    pub(super) end_delivered: bool,
    pub(super) head_request: bool,
    /// The response has no body, whatever the host gives (HEAD, 204, 304).
    pub(super) bodiless: bool,
    /// `hyper` writes the response in chunks if it does not know its length.
    pub(super) chunked: bool,
    /// It was a handshake that the host refused.
    pub(super) rejected: bool,
}

/// A body event.
#[derive(Debug)]
pub(super) struct BodyPart {
    pub(super) stream: StreamId,
    pub(super) context: u64,
    pub(super) data: Bytes,
    pub(super) end: bool,
    pub(super) trailers: Option<HeaderMap>,
}

impl Http {
    /// Lays a response on the desk.
    pub(super) fn answer(&mut self, core_pipe: &crate::engine::pipe::Pipe, response: Response<()>) {
        let body = Outgoing { desk: Rc::clone(&self.desk), pipe: core_pipe.clone() };
        self.desk.borrow_mut().answer = Some(response.map(|()| body));
    }
}

impl Core {
    /// The response's head. `body`: all of the body, if it is known.
    pub(super) fn respond(&mut self, status: u16, headers: HeaderMap, body: Option<&[u8]>) -> Result<(), Error> {
        let status = StatusCode::from_u16(status)
            .map_err(|_| Error::new(Status::InvalidArgument, format!("{status} is no status code; give 200 to 999")))?;
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let (Some(http), Some(stream)) = (&mut self.http, &mut self.stream) else { return Err(Status::Gone.into()) };
        if let Role::Handshake(_) = stream.role {
            stream.role = Role::Http(Exchange::rejected());
            // what follows the handshake may be a WebSocket's: no request can be told from it
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let Role::Http(exchange) = &mut stream.role else { return Ok(()) };
        let no_content = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        exchange.bodiless = exchange.head_request || no_content;
        let mut desk = http.desk.borrow_mut();
        if let Some(body) = body {
            if !no_content && !response.headers().contains_key(header::CONTENT_LENGTH) {
                response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            if !exchange.bodiless && !body.is_empty() {
                desk.queued += body.len();
                desk.body.push_back(Bytes::copy_from_slice(body));
            }
            desk.finish = Some(Tail::default());
        }
        let length = response.headers().get(header::CONTENT_LENGTH).filter(|_| !exchange.bodiless);
        desk.missing = length.and_then(|value| value.to_str().ok()?.parse().ok());
        drop(desk);
        exchange.chunked = http.version == Version::HTTP_11 && !response.headers().contains_key(header::CONTENT_LENGTH);
        stream.deadline = None;
        http.answer(&self.pipe, response);
        self.flag.raise();
        Ok(())
    }

    /// An interim response (RFC 9110 §15.2), which `hyper` does not write. HTTP/1.0 has none.
    pub(super) fn inform(&mut self, status: u16, headers: &HeaderMap) {
        let Some(http) = &self.http else { return };
        if http.version != Version::HTTP_11 || http.desk.borrow().taken {
            return;
        }
        let mut buffers = self.pipe.buffers();
        let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        buffers.output.extend_from_slice(format!("HTTP/1.1 {status} {reason}\r\n").as_bytes());
        put_fields(&mut buffers.output, headers);
        buffers.output.extend_from_slice(b"\r\n");
    }

    /// A piece of the body.
    pub(super) fn send_body(&mut self, data: &[u8]) -> Option<usize> {
        let (Some(http), Some(stream)) = (&self.http, &self.stream) else { return None };
        let Role::Http(exchange) = &stream.role else { return None };
        if exchange.bodiless || data.is_empty() {
            return None;
        }
        let mut desk = http.desk.borrow_mut();
        desk.queued += data.len();
        desk.body.push_back(Bytes::copy_from_slice(data));
        self.flag.raise();
        Some(desk.queued)
    }

    /// The end of the body.
    pub(super) fn finish(&mut self, trailers: Option<HeaderMap>) {
        let (Some(http), Some(stream)) = (&self.http, &self.stream) else { return };
        let Role::Http(exchange) = &stream.role else { return };
        let trailers = trailers.filter(|_| !exchange.bodiless && exchange.chunked);
        http.desk.borrow_mut().finish = Some(Tail { trailers });
        self.flag.raise();
    }

    /// `hyper` has done with the response.
    pub(super) fn response_done(&mut self) {
        let Some(http) = &mut self.http else { return };
        http.busy = false;
        let (trailers, missing) = {
            let mut desk = http.desk.borrow_mut();
            desk.done = false;
            desk.taken = false;
            desk.body.clear();
            desk.queued = 0;
            (desk.finish.take().and_then(|tail| tail.trailers), desk.missing.take())
        };
        if let Some(missing) = missing.filter(|missing| *missing > 0) {
            // `hyper` says so only where the body's end comes alone; the client must not take it for whole
            let text = format!("{missing} bytes of the body are missing, by its content-length");
            self.end(End::new(0, Cause::Reset, Side::Local).because(text));
            self.over = true;
            self.reset = true;
            return;
        }
        if let Some(trailers) = trailers {
            // `hyper` sends only those that the head has announced; the host did not know them then
            let mut buffers = self.pipe.buffers();
            if buffers.output.ends_with(LAST_CHUNK) {
                let end = buffers.output.len() - 2;
                buffers.output.truncate(end);
                put_fields(&mut buffers.output, &trailers);
                buffers.output.extend_from_slice(b"\r\n");
            }
        }
        if let Some(Stream { role: Role::Http(exchange), .. }) = self.stream.as_deref() {
            let cause = if exchange.rejected { Cause::Rejected } else { Cause::Complete };
            self.end(End::new(0, cause, Side::Local));
        }
    }

    /// Looks at the request's body. `Some`: a part of it, and look again.
    pub(super) fn next_part(&mut self) -> Option<BodyPart> {
        let waker = self.flag_waker.clone();
        let stream = self.stream.as_deref_mut()?;
        let (handle, context) = (stream.handle, stream.context);
        let part = |data, end, trailers| Some(BodyPart { stream: handle, context, data, end, trailers });
        let Role::Http(exchange) = &mut stream.role else { return None };
        // asking for a body asks the peer for it (RFC 9110 §10.1.1): not once the response is known
        let answered = self.http.as_ref().is_none_or(|http| http.desk.borrow().finish.is_some());
        if exchange.end_delivered || exchange.rejected || answered {
            return None;
        }
        loop {
            if exchange.pending.is_some() {
                if !exchange.credit.take() {
                    return None;
                }
                return part(exchange.pending.take()?, false, None);
            }
            let incoming = exchange.incoming.as_mut()?;
            match Pin::new(incoming).poll_frame(&mut Context::from_waker(&waker)) {
                Poll::Pending => return None,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => exchange.pending = Some(data),
                    Err(frame) => {
                        exchange.end_delivered = true;
                        return part(Bytes::new(), true, Frame::into_trailers(frame).ok());
                    }
                },
                Poll::Ready(None) => {
                    exchange.end_delivered = true;
                    return part(Bytes::new(), true, None);
                }
                Poll::Ready(Some(Err(error))) => {
                    exchange.incoming = None;
                    self.body_failed(&error);
                    return None;
                }
            }
        }
    }

    /// The request will never be whole: the peer has gone, or wrote what `hyper` cannot read.
    fn body_failed(&mut self, error: &hyper::Error) {
        self.ended = Some(if self.eof {
            End { code: 0, ..disconnected() }
        } else {
            End::new(0, Cause::Violation, Side::Local).because(error.to_string())
        });
        self.over = true;
        self.reset = true;
    }

    /// Tells how much of the response waits; queues `writable` if it is due.
    pub(super) fn publish_body(&mut self, conn: &Connection) {
        let (Some(http), Some(stream)) = (&self.http, &self.stream) else { return };
        let queued = http.desk.borrow().queued;
        if matches!(stream.role, Role::Http(_))
            && let Some(slot) = conn.slot(stream.slot)
            && slot.publish(queued, self.engine.config.send_queue as usize)
        {
            self.events.push_back(Event::Writable { stream: stream.handle, context: stream.context });
        }
    }
}

impl Exchange {
    pub(super) fn new(incoming: Option<Incoming>, head_request: bool) -> Self {
        Self {
            end_delivered: incoming.is_none(),
            incoming,
            pending: None,
            credit: Credited::default(),
            head_request,
            bodiless: false,
            chunked: false,
            rejected: false,
        }
    }

    fn rejected() -> Self {
        Self { rejected: true, ..Self::new(None, false) }
    }
}

/// Fields as they are on the wire (RFC 9112 §5).
pub(super) fn put_fields(output: &mut Vec<u8>, fields: &HeaderMap) {
    for (name, value) in fields {
        output.extend_from_slice(name.as_str().as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
}
