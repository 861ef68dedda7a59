//! What the host says of a stream, applied on the stream's loop. What the exchange's phase forbids was refused before.

use super::{Connection, Core, Event, Role, Socket, Stream};
use crate::engine::command::{AcceptOptions, Op};
use crate::engine::deadline::after;
use crate::engine::deflate;
use crate::engine::ending::{End, Tail};
use crate::engine::event::{Cause, Credit, Side};
use crate::engine::pool::Pool;
use crate::engine::send_queue::SendQueue;
use crate::engine::stats::count;
use crate::engine::status::{Error, Status};
use crate::engine::table::Slot;
use crate::engine::websocket::WebSocket;
use crate::proto::upgrade::accept_headers;
use http::{Response, StatusCode};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Connection {
    pub(super) fn forget_offers(&self, stream: crate::engine::handle::StreamId) {
        self.state.own().offers.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
    }

    /// Applies an operation. May be called inside any of the host's callbacks.
    #[inline(always)]
    pub(crate) fn apply(&self, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        let done = {
            let Ok(mut core) = self.core.try_borrow_mut() else {
                return Err(Error::new(Status::WrongState, "not possible inside this callback"));
            };
            if core.stream.is_none() {
                return Err(Status::Gone.into());
            }
            core.apply(self, slot, op)
        };
        self.wake();
        done
    }
}

impl Core {
    #[inline(always)]
    fn apply(&mut self, conn: &Connection, slot: &Slot, op: Op<'_>) -> Result<(), Error> {
        match op {
            Op::Message { kind, data, compress } => {
                self.messages_out += 1;
                // as `push`, but for the closure: the compiler would make a function of it
                let socket = self.sender()?;
                let pool = &mut conn.state.pool.borrow_mut();
                socket.websocket.send_message(kind, data, compress, &mut socket.out, pool)?;
                slot.queued.store(socket.out.len() as u32, Ordering::Relaxed);
                Ok(())
            }
            Op::Fragment { kind, data, last } => {
                self.messages_out += u64::from(last);
                self.push(conn, slot, |ws, out, pool| ws.send_fragment(kind, data, last, out, pool))
            }
            Op::Ping(data) => self.push(conn, slot, |ws, out, pool| ws.send_ping(data, out, pool)),
            Op::Pong(data) => self.push(conn, slot, |ws, out, pool| ws.send_pong(data, out, pool)),
            Op::Close { code, reason } => self.close(conn, code, reason, None),
            Op::Accept(options) => {
                self.accept(conn, *options);
                Ok(())
            }
            Op::Respond { status, headers, body, reject } => {
                if reject {
                    count(&conn.state.own().counters.rejected_by_host);
                }
                self.respond(status, headers, Some(body))
            }
            Op::RespondStart { status, headers } => self.respond(status, headers, None),
            Op::Inform { status, headers } => {
                self.inform(status, &headers);
                Ok(())
            }
            Op::SendBody(data) => {
                if let Some(queued) = self.send_body(data) {
                    slot.queued.store(queued as u32, Ordering::Release);
                }
                Ok(())
            }
            Op::Finish(trailers) => {
                self.finish(trailers);
                Ok(())
            }
            Op::Abort(code) => {
                let end = self.cut_off(&End::new(0, Cause::Reset, Side::Local)).h2(code);
                self.abort(end);
                Ok(())
            }
            Op::Demand(n) => self.demand(n),
            Op::SetDemand => match self.stream.as_deref_mut() {
                Some(Stream { role: Role::Http(exchange), .. }) => {
                    exchange.credit.set(Credit::Demand);
                    Ok(())
                }
                _ => Err(Error::new(Status::WrongState, "a WebSocket's demand is an option of accept")),
            },
            Op::SetContext(context) => {
                if let Some(stream) = &mut self.stream {
                    stream.context = context;
                }
                Ok(())
            }
            Op::Owed => {
                self.owed(conn);
                Ok(())
            }
        }
    }

    #[inline]
    fn sender(&mut self) -> Result<&mut Socket, Error> {
        match self.stream.as_deref_mut() {
            Some(Stream { role: Role::WebSocket(socket), .. }) => Ok(socket),
            _ => Err(Error::new(Status::WrongState, "this stream is no WebSocket")),
        }
    }

    /// Something for the send queue of a WebSocket.
    #[inline]
    fn push(
        &mut self,
        conn: &Connection,
        slot: &Slot,
        push: impl FnOnce(&mut WebSocket, &mut SendQueue, &mut Pool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let socket = self.sender()?;
        push(&mut socket.websocket, &mut socket.out, &mut conn.state.pool.borrow_mut())?;
        slot.queued.store(socket.out.len() as u32, Ordering::Relaxed);
        Ok(())
    }

    fn demand(&mut self, n: u32) -> Result<(), Error> {
        let Some(stream) = self.stream.as_deref_mut() else { return Ok(()) };
        let waits = match &mut stream.role {
            Role::WebSocket(socket) => {
                socket.websocket.demand(n);
                socket.websocket.has_pending()
            }
            Role::Http(exchange) => {
                exchange.credit.add(n);
                exchange.pending.is_some()
            }
            Role::Handshake(_) => {
                return Err(Error::new(Status::WrongState, "there is no demand before accept"));
            }
        };
        if waits {
            let stream = stream.handle;
            self.events.push_back(Event::Pending { stream });
        }
        Ok(())
    }

    /// Sends a Close: the host's, or the engine's for this cause.
    pub(super) fn close(
        &mut self,
        conn: &Connection,
        code: Option<u16>,
        reason: &str,
        cause: Option<Cause>,
    ) -> Result<(), Error> {
        let deadline = after(self.now.max(Instant::now()), self.engine.config.close_timeout);
        let Some(Stream { role: Role::WebSocket(socket), deadline: at, .. }) = self.stream.as_deref_mut() else {
            return Err(Error::new(Status::WrongState, "this stream is no WebSocket"));
        };
        socket.websocket.say_close(code, reason, &mut socket.out, &mut conn.state.pool.borrow_mut())?;
        socket.websocket.closing().cause = cause;
        *at = deadline;
        self.arm(deadline);
        Ok(())
    }

    /// The 101; when `hyper` has written it, the connection is the socket's.
    fn accept(&mut self, conn: &Connection, mut options: AcceptOptions) {
        let (Some(http), Some(stream)) = (&mut self.http, self.stream.as_deref_mut()) else { return };
        let Role::Handshake(handshake) = &mut stream.role else { return };
        if handshake.offered {
            conn.forget_offers(stream.handle);
        }
        let offer = handshake.compression.take();
        let compression = deflate::agree(offer, &mut options, &conn.state.shared, conn.state.index);
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = accept_headers(options.headers, handshake.accept.clone());
        http.desk.borrow_mut().finish = Some(Tail::default());
        http.accepted = true;
        http.answer(&self.pipe, response);
        let counters = &conn.state.own().counters;
        count(&counters.accepted);
        count(&counters.open_websockets);
        stream.context = options.context;
        stream.deadline = None;
        stream.role = Role::WebSocket(Socket {
            websocket: WebSocket::new(options.control, options.delivery, options.credit).with_compression(compression),
            out: SendQueue::default(),
            arrived: 0,
            sent_end: false,
            last_in: self.now,
        });
        let quiet = self.quiet_deadline();
        self.arm(quiet);
        self.flag.raise();
    }

    /// `Busy` was said on another thread: its queue may have been emptied since, and nothing else will say so.
    fn owed(&mut self, conn: &Connection) {
        let Some(stream) = self.stream.as_deref() else { return };
        let queued = match (&stream.role, &self.http) {
            (Role::WebSocket(socket), _) => socket.out.len(),
            (_, Some(http)) => http.desk.borrow().queued,
            _ => 0,
        };
        if conn.slot(stream.slot).is_some_and(|slot| slot.publish(queued, self.engine.config.send_queue as usize)) {
            self.events.push_back(Event::Writable { stream: stream.handle, context: stream.context });
        }
    }
}
