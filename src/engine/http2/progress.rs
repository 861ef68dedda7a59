//! What `h2` has to say of a stream: bodies of ordinary requests, and the ends of all streams.

use super::exchange::PIECE;
use super::stream::{Role, Sender};
use super::{Connection, Core, Event};
use crate::engine::deadline::after;
use crate::engine::ending::{Answerable, End, Tail};
use crate::engine::event::{Cause, Side};
use crate::engine::handle::StreamId;
use crate::engine::stats::count;
use bytes::Bytes;
use h2::Reason;
use http::HeaderMap;
use std::task::{Context, Poll};

/// A body event.
#[derive(Debug)]
pub(super) struct BodyPart {
    pub(super) stream: StreamId,
    pub(super) context: u64,
    pub(super) data: Bytes,
    pub(super) end: bool,
    pub(super) trailers: Option<HeaderMap>,
}

impl Core {
    /// Looks at a stream. `Some`: a part of a body, and look again.
    pub(super) fn progress(&mut self, conn: &Connection, key: u32) -> Option<BodyPart> {
        let stream = self.streams.get(key as usize)?;
        let waker = stream.waker.clone();
        if matches!(&stream.role, Role::Http(exchange) if !exchange.body.is_empty()) {
            // its window may have opened
            self.touch(key);
        }
        let mut cx = Context::from_waker(&waker);
        loop {
            let stream = self.streams.get_mut(key as usize)?;
            if stream.received_end {
                // what h2 still has to say is a reset
                let reset = match &mut stream.send {
                    Sender::Head(send) => send.poll_reset(&mut cx),
                    Sender::Body(send) => send.poll_reset(&mut cx),
                    Sender::Gone => Poll::Pending,
                };
                if let Poll::Ready(Ok(reason)) = reset {
                    let end = stream.cut_off(Cause::Reset, Side::Remote).h2(reason.into());
                    self.end(key, end);
                    return None;
                }
                return self.request_end(key);
            }
            match stream.recv.poll_data(&mut cx) {
                Poll::Pending => return None,
                Poll::Ready(Some(Ok(data))) if data.is_empty() => {}
                Poll::Ready(Some(Ok(data))) => {
                    let Role::Http(exchange) = &mut stream.role else {
                        // only bodies come this way; see `input`
                        let _ = stream.recv.flow_control().release_capacity(data.len());
                        continue;
                    };
                    if exchange.rejected {
                        let _ = stream.recv.flow_control().release_capacity(data.len());
                    } else if exchange.pending.is_empty() && exchange.credit.take() {
                        // the peer may send as much again; an error would mean that we counted wrong
                        let _ = stream.recv.flow_control().release_capacity(data.len());
                        let (stream, context) = (stream.handle, stream.context);
                        return Some(BodyPart { stream, context, data, end: false, trailers: None });
                    } else {
                        exchange.pending.extend(&data);
                    }
                }
                Poll::Ready(Some(Err(e))) => {
                    self.ended_by(conn, key, &e);
                    return None;
                }
                Poll::Ready(None) => match stream.recv.poll_trailers(&mut cx) {
                    Poll::Pending => return None,
                    Poll::Ready(Err(e)) => {
                        self.ended_by(conn, key, &e);
                        return None;
                    }
                    Poll::Ready(Ok(trailers)) => {
                        stream.received_end = true;
                        stream.end_scanned = true;
                        match &mut stream.role {
                            Role::Http(exchange) => exchange.request_end = Some(Tail { trailers }),
                            _ if trailers.is_some() => {
                                // RFC 9113 §8.5: only DATA and a few others may come on a connected stream
                                count(&conn.state.own().counters.violation_stream);
                                self.stream_error(key, Reason::PROTOCOL_ERROR, "HEADERS on a WebSocket");
                                return None;
                            }
                            Role::Handshake(_) => {
                                let end = End::new(0, Cause::EndStream, Side::Remote);
                                self.reset(key, Reason::CANCEL, end);
                                return None;
                            }
                            Role::WebSocket(_) => self.settle(conn, key),
                        }
                    }
                },
            }
        }
    }

    /// The end of a request, when all that came before it has been delivered.
    fn request_end(&mut self, key: u32) -> Option<BodyPart> {
        let stream = self.streams.get_mut(key as usize)?;
        let (handle, context) = (stream.handle, stream.context);
        let Role::Http(exchange) = &mut stream.role else { return None };
        if exchange.end_delivered || exchange.rejected || !exchange.pending.is_empty() {
            return None;
        }
        let Tail { trailers } = exchange.request_end.take()?;
        exchange.end_delivered = true;
        Some(BodyPart { stream: handle, context, data: Bytes::new(), end: true, trailers })
    }

    /// What waited for demand, of an ordinary request.
    pub(super) fn pending_body(&mut self, key: u32) -> Option<BodyPart> {
        let stream = self.streams.get_mut(key as usize)?;
        let (handle, context) = (stream.handle, stream.context);
        let Role::Http(exchange) = &mut stream.role else { return None };
        if exchange.pending.is_empty() {
            return self.request_end(key);
        }
        if !exchange.credit.take() {
            return None;
        }
        let n = exchange.pending.len().min(PIECE);
        let data: Bytes = exchange.pending.drain(..n).collect::<Vec<u8>>().into();
        if !stream.received_end {
            // the peer may send as much again
            let _ = stream.recv.flow_control().release_capacity(n);
        }
        Some(BodyPart { stream: handle, context, data, end: false, trailers: None })
    }

    /// The peer has ended its side of a WebSocket's stream: when nothing waits for the host any more, our side
    /// ends too (RFC 8441 §5: END_STREAM is TCP's FIN).
    pub(super) fn settle(&mut self, conn: &Connection, key: u32) {
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        let (received, sent, slot) = (stream.received_end, stream.sent_end, stream.slot);
        let (handle, context) = (stream.handle, stream.context);
        let Some(websocket) = stream.websocket() else { return };
        if !received || websocket.has_pending() {
            return;
        }
        if conn.host_first() && !websocket.may_end() && !websocket.deaf() {
            websocket.hold_end();
            return self.comes_late(key);
        }
        if sent {
            return self.socket_done(conn, key);
        }
        if !websocket.may_end() && !websocket.deaf() {
            websocket.closing().ended = true;
            if websocket.host_answers() {
                // without a time limit: a peer that has gone would say so by RST_STREAM
                let told = Answerable::end(handle, context, websocket);
                self.events.push_back(Event::Answerable(told));
            } else {
                conn.finish_phase(slot);
                let deadline = after(self.now, self.config.close_timeout);
                if let Some(stream) = self.streams.get_mut(key as usize) {
                    stream.deadline = deadline;
                }
                self.arm(deadline);
            }
        }
        self.touch(key);
    }

    /// Both sides of a WebSocket's stream have ended.
    pub(super) fn socket_done(&mut self, conn: &Connection, key: u32) {
        let _ = conn;
        let Some(stream) = self.streams.get_mut(key as usize) else { return };
        let Some(websocket) = stream.websocket() else { return };
        let end = websocket
            .closing
            .as_ref()
            .map_or_else(|| End::new(1006, Cause::EndStream, Side::Remote), |closing| closing.end());
        self.end(key, end);
    }

    /// `h2` reports a stream's error.
    fn ended_by(&mut self, conn: &Connection, key: u32, error: &h2::Error) {
        let Some(stream) = self.streams.get(key as usize) else { return };
        if error.is_reset() {
            let reason = error.reason().unwrap_or(Reason::INTERNAL_ERROR);
            let end = if error.is_remote() {
                stream.cut_off(Cause::Reset, Side::Remote)
            } else {
                count(&conn.state.own().counters.violation_stream);
                stream.cut_off(Cause::Violation, Side::Local).because(error.to_string())
            };
            self.end(key, end.h2(reason.into()));
        }
        // everything else ends the connection, and all its streams with it
    }
}
