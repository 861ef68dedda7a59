//! Ordinary requests and their responses. `h2` carries the bodies; the connection's window is shared with the
//! WebSockets, so a body takes its share before `h2` gets the bytes.

use super::output::{TURN, Turn, publish};
use super::stream::{Exchange, Role, Sender};
use super::{Connection, Core};
use crate::engine::ending::{End, Tail};
use crate::engine::event::{Cause, Side};
use crate::engine::status::{Error, Status};
use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use std::task::{Context, Poll};

/// The largest body event made of what waited for demand.
pub(super) const PIECE: usize = 64 << 10;

fn head_of(status: u16, headers: HeaderMap) -> Result<Response<()>, Error> {
    let status = StatusCode::from_u16(status)
        .map_err(|_| Error::new(Status::InvalidArgument, format!("{status} is no status code; give 100 to 999")))?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

impl Core {
    /// An interim response (RFC 9110 §15.2).
    pub(super) fn inform(&mut self, key: u32, status: u16, headers: HeaderMap) -> Result<(), Error> {
        let response = head_of(status, headers)?;
        let stream = &mut self.streams[key as usize];
        if let Sender::Head(send) = &mut stream.send {
            // it fails only when the peer has reset the stream; `closed` says so
            let _ = send.send_informational(response);
        }
        Ok(())
    }

    /// The response's head. `body`: all of the body, if it is known.
    pub(super) fn respond(
        &mut self,
        conn: &Connection,
        key: u32,
        status: u16,
        headers: HeaderMap,
        body: Option<&[u8]>,
    ) -> Result<(), Error> {
        let mut response = head_of(status, headers)?;
        let stream = &mut self.streams[key as usize];
        if let Role::Handshake(handshake) = &stream.role {
            if handshake.offered {
                conn.forget_offers(stream.handle);
            }
            stream.role = Role::Http(Box::new(Exchange { rejected: true, ..Exchange::default() }));
            // nothing that is still under way matters: the host has refused
            self.ready.push(key);
        }
        let stream = &mut self.streams[key as usize];
        let Role::Http(exchange) = &mut stream.role else { return Ok(()) };
        let no_content = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        exchange.bodiless = exchange.head_request || no_content;
        if let Some(body) = body {
            if !no_content && !response.headers().contains_key(header::CONTENT_LENGTH) {
                response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            if !exchange.bodiless && !body.is_empty() {
                exchange.queued += body.len();
                exchange.body.push_back(Bytes::copy_from_slice(body));
            }
            exchange.finish = Some(Tail::default());
        }
        let ends = exchange.finish.is_some() && exchange.body.is_empty();
        stream.deadline = None;
        if let Sender::Head(send) = &mut stream.send
            && let Ok(body) = send.send_response(response, ends)
        {
            stream.send = Sender::Body(body);
            stream.sent_end = ends;
            self.unflushed_answers = true;
        }
        self.touch(key);
        Ok(())
    }

    /// A piece of the body.
    pub(super) fn send_body(&mut self, conn: &Connection, key: u32, data: &[u8]) {
        let stream = &mut self.streams[key as usize];
        let Role::Http(exchange) = &mut stream.role else { return };
        if exchange.bodiless || data.is_empty() {
            return;
        }
        exchange.queued += data.len();
        exchange.body.push_back(Bytes::copy_from_slice(data));
        let queued = exchange.queued;
        if let Some(slot) = conn.slot(stream.slot) {
            publish(slot, queued, self.limits.send_queue, stream, &mut self.events);
        }
        self.touch(key);
    }

    /// The end of the body.
    pub(super) fn finish(&mut self, key: u32, trailers: Option<HeaderMap>) {
        let stream = &mut self.streams[key as usize];
        let Role::Http(exchange) = &mut stream.role else { return };
        exchange.finish = Some(Tail { trailers: trailers.filter(|_| !exchange.bodiless) });
        self.touch(key);
    }

    /// Gives `h2` what both windows allow.
    pub(super) fn emit_body(&mut self, conn: &Connection, key: u32) -> Turn {
        let stream = &mut *self.streams[key as usize];
        let Role::Http(exchange) = &mut stream.role else { return Turn::Over };
        let mut turn = Turn::Over;
        let mut left = TURN;
        let mut given = 0;
        if let Sender::Body(send) = &mut stream.send {
            let mut cx = Context::from_waker(&stream.waker);
            while let Some(front) = exchange.body.front_mut() {
                if self.send_window <= 0 {
                    turn = if given > 0 { Turn::Spent } else { Turn::Blocked };
                    break;
                }
                if left == 0 {
                    turn = Turn::More;
                    break;
                }
                // ask only for what is ready: capacity that is held starves others (hyper issue 4003)
                let want = front.len().min(left).min(self.send_window as usize);
                send.reserve_capacity(want);
                let granted = match send.capacity() {
                    0 => match send.poll_capacity(&mut cx) {
                        Poll::Ready(Some(Ok(n))) if n > 0 => n,
                        _ => break,
                    },
                    n => n,
                };
                let n = granted.min(want);
                let piece = front.split_to(n);
                if front.is_empty() {
                    exchange.body.pop_front();
                }
                let ends = exchange.body.is_empty() && matches!(exchange.finish, Some(Tail { trailers: None }));
                if send.send_data(piece, ends).is_err() {
                    exchange.body.clear();
                    break;
                }
                stream.sent_end |= ends;
                exchange.queued -= n;
                self.send_window -= n as i64;
                left -= n;
                given += n;
            }
            if exchange.body.is_empty()
                && !stream.sent_end
                && let Some(Tail { trailers }) = exchange.finish.take()
            {
                let sent = match trailers {
                    Some(trailers) => send.send_trailers(trailers),
                    None => send.send_data(Bytes::new(), true),
                };
                // an error: the peer has reset the stream, and `h2` is about to say so
                stream.sent_end = sent.is_ok();
                exchange.finish = Some(Tail::default());
            }
        }
        let (queued, done) = (exchange.queued, stream.sent_end);
        if given > 0
            && let Some(slot) = conn.slot(stream.slot)
        {
            publish(slot, queued, self.limits.send_queue, stream, &mut self.events);
        }
        if given > 0 {
            self.top_up(given);
        }
        if done {
            self.exchange_done(key);
        }
        turn
    }

    /// The response is out: the exchange is over. If the request is not, `h2` ends it with NO_ERROR
    /// (RFC 9113 §8.1).
    fn exchange_done(&mut self, key: u32) {
        let stream = &self.streams[key as usize];
        let Role::Http(exchange) = &stream.role else { return };
        let end = if exchange.rejected {
            End::new(0, Cause::Rejected, Side::Local)
        } else {
            End::new(0, Cause::Complete, Side::Local)
        };
        self.end(key, end);
    }

    /// Answers a request that the host does not get to see.
    pub(super) fn refuse(&mut self, mut send: SendResponse<Bytes>, status: StatusCode, headers: HeaderMap, text: &str) {
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let len = text.len() + 1;
        // the text is a courtesy: it must not wait for a window, nor overrun the connection's
        let with_text = self.send_window.min(self.initial_send_window) >= len as i64;
        if with_text {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
        }
        // it fails when the peer has reset the stream
        if let Ok(mut body) = send.send_response(response, !with_text)
            && with_text
            && body.send_data(Bytes::from(format!("{text}\n")), true).is_ok()
        {
            self.send_window -= len as i64;
            self.top_up(len);
        }
        self.flag.raise();
    }
}
