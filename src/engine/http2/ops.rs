//! What the host says of a stream, applied on the stream's loop. What the exchange's phase forbids was refused before.

use super::output::publish;
use super::stream::{Handshake, Role, Sender};
use super::{Connection, Core, Event};
use crate::engine::command::{AcceptOptions, Op};
use crate::engine::deadline::after;
use crate::engine::deflate;
use crate::engine::event::{Cause, Credit, Side};
use crate::engine::handle::StreamId;
use crate::engine::payload::Payload;
use crate::engine::pool::Pool;
use crate::engine::send_queue::SendQueue;
use crate::engine::stats::count;
use crate::engine::status::{Error, Status};
use crate::engine::table::{Slot, phase};
use crate::engine::websocket::WebSocket;
use crate::proto::frame::{LONGEST_HEAD, MessageKind, put_head};
use h2::Reason;
use http::{Response, StatusCode};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A message of this size takes the short way into the output.
const LARGE: usize = 16 << 10;

impl Connection {
    /// The shared part of a stream's state.
    pub(super) fn slot(&self, slot: u32) -> Option<&Slot> {
        self.state.own().streams.slot(slot)
    }

    /// The host can send nothing more on this stream.
    pub(super) fn finish_phase(&self, slot: u32) {
        if let Some(slot) = self.slot(slot) {
            slot.phase.store(phase::FINISHED, Ordering::Release);
        }
    }

    pub(super) fn forget_offers(&self, stream: StreamId) {
        self.state.own().offers.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
    }

    /// Applies an operation. May be called inside any of the host's callbacks.
    #[inline(always)]
    pub(crate) fn apply(&self, key: u32, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        let done = {
            let Ok(mut core) = self.core.try_borrow_mut() else {
                return Err(Error::new(Status::WrongState, "not possible inside this callback"));
            };
            if !core.streams.contains(key as usize) {
                return Err(Status::Gone.into());
            }
            core.apply(self, key, slot, op)
        };
        self.wake();
        done
    }
}

impl Core {
    #[inline(always)]
    fn apply(&mut self, conn: &Connection, key: u32, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        match op {
            Op::Message { kind, data, compress } => {
                self.tally.messages_out += 1;
                if data.bytes().len() < LARGE {
                    return self
                        .socket(conn, key, slot, |ws, out, pool| ws.send_message(kind, data, compress, out, pool));
                }
                self.large(conn, key, slot, kind, data, compress)
            }
            Op::Fragment { kind, data, last } => {
                self.tally.messages_out += u64::from(last);
                self.socket(conn, key, slot, |ws, out, pool| ws.send_fragment(kind, data, last, out, pool))
            }
            Op::Ping(data) => self.socket(conn, key, slot, |ws, out, pool| ws.send_ping(data, out, pool)),
            Op::Pong(data) => self.socket(conn, key, slot, |ws, out, pool| ws.send_pong(data, out, pool)),
            Op::Close { code, reason } => self.close(conn, key, code, reason, None),
            Op::Accept(options) => {
                self.accept(conn, key, *options);
                Ok(())
            }
            Op::Respond { status, headers, body, reject } => {
                if reject {
                    count(&conn.state.own().counters.rejected_by_host);
                }
                self.respond(conn, key, status, headers, Some(body))
            }
            Op::RespondStart { status, headers } => self.respond(conn, key, status, headers, None),
            Op::Inform { status, headers } => self.inform(key, status, headers),
            Op::SendBody(data) => {
                self.send_body(conn, key, data);
                Ok(())
            }
            Op::Finish(trailers) => {
                self.finish(key, trailers);
                Ok(())
            }
            Op::Abort(code) => {
                let end = self.streams[key as usize].cut_off(Cause::Reset, Side::Local).h2(code);
                self.reset(key, Reason::from(code), end);
                Ok(())
            }
            Op::Demand(n) => {
                let stream = &mut self.streams[key as usize];
                let waits = match &mut stream.role {
                    Role::WebSocket(websocket) => {
                        websocket.demand(n);
                        websocket.has_pending()
                    }
                    Role::Http(exchange) => {
                        exchange.credit.add(n);
                        !exchange.pending.is_empty()
                    }
                    Role::Handshake(_) => {
                        return Err(Error::new(Status::WrongState, "there is no demand before accept"));
                    }
                };
                if waits {
                    self.events.push_back(Event::Pending { key, stream: stream.handle });
                }
                Ok(())
            }
            Op::SetDemand => match &mut self.streams[key as usize].role {
                Role::Http(exchange) => {
                    exchange.credit.set(Credit::Demand);
                    Ok(())
                }
                _ => Err(Error::new(Status::WrongState, "a WebSocket's demand is an option of accept")),
            },
            Op::SetContext(context) => {
                self.streams[key as usize].context = context;
                Ok(())
            }
            Op::Owed => {
                self.owed(conn, key);
                Ok(())
            }
        }
    }

    /// Something for the send queue of a WebSocket.
    #[inline]
    fn socket(
        &mut self,
        conn: &Connection,
        key: u32,
        slot: &Slot,
        push: impl FnOnce(&mut WebSocket, &mut SendQueue, &mut Pool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let stream = &mut *self.streams[key as usize];
        let Role::WebSocket(websocket) = &mut stream.role else {
            return Err(Error::new(Status::WrongState, "this stream is no WebSocket"));
        };
        push(websocket, &mut stream.out, &mut conn.state.pool.borrow_mut())?;
        slot.queued.store(stream.out.len() as u32, Ordering::Relaxed);
        if !stream.listed {
            stream.listed = true;
            self.sending.push_back(key);
        }
        Ok(())
    }

    /// A large message, by the short way if it is open.
    #[inline(never)]
    fn large(
        &mut self,
        conn: &Connection,
        key: u32,
        slot: &Slot,
        kind: MessageKind,
        data: Payload<'_>,
        compress: bool,
    ) -> Result<(), Error> {
        if let Some(rest) = self.direct(conn, key, kind, data.bytes(), compress)? {
            if rest > 0 {
                let stream = &mut *self.streams[key as usize];
                stream.out.push_rest(&mut conn.state.pool.borrow_mut(), data, rest);
                slot.queued.store(stream.out.len() as u32, Ordering::Relaxed);
                self.touch(key);
            }
            return Ok(());
        }
        self.socket(conn, key, slot, |ws, out, pool| ws.send_message(kind, data, compress, out, pool))
    }

    /// Puts a message into the output, as far as it may. How much is left; `None`: this way is not open.
    fn direct(
        &mut self,
        conn: &Connection,
        key: u32,
        kind: MessageKind,
        data: &[u8],
        compress: bool,
    ) -> Result<Option<usize>, Error> {
        let stream = &mut *self.streams[key as usize];
        let Role::WebSocket(websocket) = &mut stream.role else { return Ok(None) };
        if !stream.answered || stream.out.len() > 0 || compress && websocket.compresses() {
            return Ok(None);
        }
        let opcode = websocket.may_send_message(kind)?;
        let mut head = Vec::with_capacity(LONGEST_HEAD);
        put_head(&mut head, opcode, true, data.len());
        Ok(self.emit_direct(conn, key, &head, data))
    }

    /// Sends a Close: the host's, or the engine's for this cause.
    pub(super) fn close(
        &mut self,
        conn: &Connection,
        key: u32,
        code: Option<u16>,
        reason: &str,
        cause: Option<Cause>,
    ) -> Result<(), Error> {
        let deadline = after(self.now.max(std::time::Instant::now()), self.config.close_timeout);
        let stream = &mut *self.streams[key as usize];
        let Role::WebSocket(websocket) = &mut stream.role else {
            return Err(Error::new(Status::WrongState, "this stream is no WebSocket"));
        };
        websocket.say_close(code, reason, &mut stream.out, &mut conn.state.pool.borrow_mut())?;
        websocket.closing().cause = cause;
        stream.deadline = deadline;
        self.arm(deadline);
        self.touch(key);
        Ok(())
    }

    fn accept(&mut self, conn: &Connection, key: u32, mut options: AcceptOptions) {
        let stream = &mut *self.streams[key as usize];
        let Role::Handshake(handshake) = &mut stream.role else { return };
        let Handshake { early, offered, compression } = std::mem::take(handshake);
        if offered {
            conn.forget_offers(stream.handle);
        }
        let Sender::Head(send) = &mut stream.send else { return };
        let compression = deflate::agree(compression, &mut options, &conn.state.shared, conn.state.index);
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::OK;
        *response.headers_mut() = options.headers;
        // it fails only when the peer has reset the stream; `closed` will say so
        if let Ok(body) = send.send_response(response, false) {
            stream.send = Sender::Body(body);
            self.unflushed_answers = true;
        }
        let counters = &conn.state.own().counters;
        count(&counters.accepted);
        count(&counters.open_websockets);
        stream.context = options.context;
        let websocket = WebSocket::new(options.control, options.delivery, options.credit);
        stream.role = Role::WebSocket(websocket.with_compression(compression));
        stream.last_in = self.now;
        stream.deadline = None;
        if !early.is_empty() {
            self.events.push_back(Event::Early { key, stream: stream.handle, bytes: early });
        }
        let quiet = self.keep_alive_deadline(key);
        self.arm(quiet);
        self.touch(key);
        self.ready.push(key);
    }

    /// Another thread was told `Busy`: perhaps there is room by now, and nothing else will say so.
    fn owed(&mut self, conn: &Connection, key: u32) {
        let stream = &*self.streams[key as usize];
        let queued = match &stream.role {
            Role::Http(exchange) => exchange.queued,
            _ => stream.out.len(),
        };
        if let Some(slot) = conn.slot(stream.slot) {
            publish(slot, queued, self.limits.send_queue, stream, &mut self.events);
        }
    }
}
