//! The facade: checks what the host gives, then hands it to the engine's shared part.

use super::{Accept, AdoptOptions, ListenOptions, MessageBuffer};
use crate::engine::command::{AcceptOptions, Command, Op};
use crate::engine::config::Config;
use crate::engine::event::{Handler, MessageKind};
use crate::engine::handle::{ConnectionId, ListenerId, StreamId};
use crate::engine::listener::Bound;
use crate::engine::loops;
use crate::engine::payload::Payload;
use crate::engine::shared::Shared;
use crate::engine::stats::Stats;
use crate::engine::status::{Error, Status};
use crate::engine::transport::Socket;
use crate::proto::close::{MAX_REASON, may_send};
use crate::proto::connect;
use http::HeaderMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;

/// An engine: event loops and all that they serve. Clones name the same one.
///
/// Every method may be called from any thread, also inside a callback, unless it says otherwise; none blocks, unless it
/// says so. Dropping the last clone does not end an engine: [`Engine::shutdown`] does.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Engine {
    /// Starts the loops. `handler` is called once, with the engine, to make the host's handler.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`] names the field, its value and its range; [`Status::Io`]: a thread could not be started.
    pub fn start<H: Handler>(config: Config, handler: impl FnOnce(Self) -> H) -> Result<Self, Error> {
        let (engine, handler) = Self::make(config, handler)?;
        for (index, of_loop) in engine.shared.loops.iter().enumerate() {
            of_loop.entered.store(true, Ordering::Release);
            match loops::spawn(&engine.shared, index, Arc::clone(&handler)) {
                Ok(thread) => engine.threads().push(thread),
                Err(e) => {
                    drop(handler);
                    engine.shutdown()?;
                    return Err(Error::new(Status::Io, format!("loop {index} could not be started: {e}")));
                }
            }
        }
        Ok(engine)
    }

    /// An engine whose loops do not run.
    pub(super) fn make<H: Handler>(
        config: Config,
        handler: impl FnOnce(Self) -> H,
    ) -> Result<(Self, Arc<dyn Handler>), Error> {
        config.validate()?;
        let engine = Self { shared: Arc::new(Shared::new(config)), threads: Arc::default() };
        let handler: Arc<dyn Handler> = Arc::new(handler(engine.clone()));
        engine.shared.set_handler(Some(Arc::clone(&handler)));
        Ok((engine, handler))
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens on `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`; port 0 takes a free one. The connections go to the loops.
    ///
    /// # Errors
    /// [`Status::AddressInUse`] and [`Status::Io`] name the address; [`Status::InvalidArgument`]: it is none.
    pub fn listen(&self, address: &str, options: &ListenOptions) -> Result<ListenerId, Error> {
        if self.shared.draining.load(Ordering::Acquire) {
            return Err(Status::ShuttingDown.into());
        }
        Self::check(options)?;
        let bound = Bound::bind(address)?;
        let (id, end) = self.shared.listeners.add(bound.address()?);
        let of_loop = &self.shared.loops[id.to_raw() as usize % self.shared.loops.len()];
        of_loop.mailbox.push(Command::Listen { id, bound, options: options.clone(), end })?;
        Ok(id)
    }

    /// The address that a listener is bound to, as text.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn listener_address(&self, listener: ListenerId) -> Result<String, Error> {
        self.shared.listeners.address(listener)
    }

    /// Stops listening. Connections that were accepted stay.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn close_listener(&self, listener: ListenerId) -> Result<(), Error> {
        self.shared.listeners.close(listener)
    }

    /// Serves a connected TCP or UNIX stream socket that the host has accepted. It is ours from the call on, also when
    /// the call or the connection fails. `already_read`: what the host has read from it, from the first byte on.
    ///
    /// # Errors
    /// [`Status::NotASocket`]; [`Status::Busy`]: `max_connections` are open; [`Status::ShuttingDown`].
    pub fn adopt(&self, socket: OwnedFd, already_read: &[u8], options: &AdoptOptions) -> Result<ConnectionId, Error> {
        Self::check(options)?;
        self.shared.connect(None, Socket::adopt(socket)?, already_read.to_vec(), options.clone(), None)
    }

    /// Accepts a WebSocket handshake.
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`]: it has been decided, or is no handshake; [`Status::InvalidArgument`]: a
    /// subprotocol that the client did not offer (RFC 6455 §4.2.2), or a `sec-websocket-` field among the headers.
    pub fn accept(&self, stream: StreamId, accept: &Accept<'_>) -> Result<(), Error> {
        let offers = self.shared.offers(stream);
        let offered: Vec<&str> = offers.iter().flat_map(|o| o.iter()).map(|s| &**s).collect();
        // what names nothing, or has been answered, says so first: its offers are forgotten
        self.shared.undecided(stream)?;
        let headers = connect::accept_headers(accept.headers.clone(), &offered, accept.subprotocol)
            .map_err(|text| Error::new(Status::InvalidArgument, text))?;
        let options = AcceptOptions {
            headers,
            context: accept.context,
            control: accept.control,
            delivery: accept.delivery,
            credit: accept.credit,
            compress: accept.compress,
        };
        self.shared.perform(stream, Op::Accept(Box::new(options)))
    }

    /// Refuses a WebSocket handshake with any status from 300 on, headers and a body.
    ///
    /// # Errors
    /// As [`Self::respond`].
    pub fn reject(&self, stream: StreamId, status: u16, headers: HeaderMap, body: &[u8]) -> Result<(), Error> {
        if !(300..=999).contains(&status) {
            let text = format!("{status} does not refuse a handshake; give 300 to 999");
            return Err(Error::new(Status::InvalidArgument, text));
        }
        let headers = connect::response_headers(headers);
        self.shared.perform(stream, Op::Respond { status, headers, body, reject: true })
    }

    /// Answers with a whole response. A `content-length` is added where there is none; for HEAD, 204 and 304 the body
    /// stays here.
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`]: it has been answered; [`Status::InvalidArgument`]: the status is not from
    /// 200 to 999.
    pub fn respond(&self, stream: StreamId, status: u16, headers: HeaderMap, body: &[u8]) -> Result<(), Error> {
        let headers = final_head(status, headers)?;
        self.shared.perform(stream, Op::Respond { status, headers, body, reject: false })
    }

    /// Begins a response; [`Self::send_body`] and [`Self::finish`] follow.
    ///
    /// # Errors
    /// As [`Self::respond`].
    pub fn respond_start(&self, stream: StreamId, status: u16, headers: HeaderMap) -> Result<(), Error> {
        let headers = final_head(status, headers)?;
        self.shared.perform(stream, Op::RespondStart { status, headers })
    }

    /// Sends an interim response (RFC 9110 §15.2): 100 to 199, but not 101, which HTTP/2 has not.
    ///
    /// # Errors
    /// As [`Self::respond`].
    pub fn inform(&self, stream: StreamId, status: u16, headers: HeaderMap) -> Result<(), Error> {
        if !(100..=199).contains(&status) || status == 101 {
            let text = format!("{status} is no interim status; give 100 to 199, but not 101");
            return Err(Error::new(Status::InvalidArgument, text));
        }
        self.shared.perform(stream, Op::Inform { status, headers: connect::response_headers(headers) })
    }

    /// Sends a piece of a response's body.
    ///
    /// # Errors
    /// [`Status::Busy`]: nothing was taken, `writable` follows; [`Status::Gone`]; [`Status::WrongState`].
    pub fn send_body(&self, stream: StreamId, data: &[u8]) -> Result<(), Error> {
        self.shared.perform(stream, Op::SendBody(data))
    }

    /// Ends a response's body, with trailers or without.
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`].
    pub fn finish(&self, stream: StreamId, trailers: Option<HeaderMap>) -> Result<(), Error> {
        self.shared.perform(stream, Op::Finish(trailers.map(connect::response_headers)))
    }

    /// Sends a message, compressed if the socket agreed on it and the message is no shorter than `deflate_min_size`. Text
    /// must be UTF-8. What is sent of a large message that `message` has been lent, to any sockets of the same loop, need not be
    /// copied.
    ///
    /// # Errors
    /// [`Status::Busy`]: nothing was taken, `writable` follows; [`Status::Gone`]; [`Status::WrongState`]: not accepted yet,
    /// or closed; [`Status::NotUtf8`].
    #[inline]
    pub fn send(&self, stream: StreamId, kind: MessageKind, data: &[u8]) -> Result<(), Error> {
        check_text(kind, data)?;
        self.shared.perform(stream, Op::Message { kind, data: Payload::Lent(data), compress: true })
    }

    /// Sends a message as [`Self::send`] does, but never compressed: for what is compressed already, and for secrets that
    /// stand beside text which an attacker chooses, whose size would tell of them.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_uncompressed(&self, stream: StreamId, kind: MessageKind, data: &[u8]) -> Result<(), Error> {
        check_text(kind, data)?;
        self.shared.perform(stream, Op::Message { kind, data: Payload::Lent(data), compress: false })
    }

    /// Sends a message as [`Self::send`] does, or, without `compress`, as [`Self::send_uncompressed`]. It is given away, also when it
    /// is refused.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_buffer(
        &self,
        stream: StreamId,
        kind: MessageKind,
        message: MessageBuffer,
        compress: bool,
    ) -> Result<(), Error> {
        check_text(kind, message.bytes())?;
        self.shared.perform(stream, Op::Message { kind, data: message.into_payload(), compress })
    }

    /// Sends a fragment of a message, never compressed; `kind` is that of the message, the same for all its fragments. Of a text message a
    /// fragment may end inside a character, and its UTF-8 is the host's to answer for.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_fragment(&self, stream: StreamId, kind: MessageKind, data: &[u8], last: bool) -> Result<(), Error> {
        self.shared.perform(stream, Op::Fragment { kind, data: Payload::Lent(data), last })
    }

    /// Sends a Ping of up to 125 bytes.
    ///
    /// # Errors
    /// As [`Self::send`]; [`Status::TooLarge`].
    pub fn ping(&self, stream: StreamId, data: &[u8]) -> Result<(), Error> {
        self.shared.perform(stream, Op::Ping(control_payload(data)?))
    }

    /// Sends a Pong of up to 125 bytes. With [`crate::Control::Auto`] Pings have been answered already.
    ///
    /// # Errors
    /// As [`Self::ping`].
    pub fn pong(&self, stream: StreamId, data: &[u8]) -> Result<(), Error> {
        self.shared.perform(stream, Op::Pong(control_payload(data)?))
    }

    /// Sends a Close after all that was sent before; answers the peer's, if it came first. `None`: a Close without a code.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`]: a code that may not be sent (RFC 6455 §7.4), or a reason without a code;
    /// [`Status::TooLarge`]: a reason of more than 123 bytes; [`Status::WrongState`]: a Close has been sent;
    /// [`Status::Gone`].
    pub fn close(&self, stream: StreamId, code: Option<u16>, reason: &str) -> Result<(), Error> {
        match code {
            Some(code) if !may_send(code) => {
                let text = format!("close code {code} may not be sent; use 1000 to 1003, 1007 to 1014 or 3000 to 4999");
                return Err(Error::new(Status::InvalidArgument, text));
            }
            None if !reason.is_empty() => {
                return Err(Error::new(Status::InvalidArgument, "a Close without a code has no reason"));
            }
            _ => {}
        }
        if reason.len() > MAX_REASON {
            let text = format!("a close reason of {} bytes; at most {MAX_REASON} fit", reason.len());
            return Err(Error::new(Status::TooLarge, text));
        }
        self.shared.perform(stream, Op::Close { code, reason })
    }

    /// Resets the stream at once with an HTTP/2 error code (RFC 9113 §7); 8 is CANCEL. What was queued is lost.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn abort(&self, stream: StreamId, h2_code: u32) -> Result<(), Error> {
        self.shared.perform(stream, Op::Abort(h2_code))
    }

    /// Inside `fragment`: the host takes this fragment as one with the one before, which was asked for. The credit that it has used
    /// is there again.
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`]: on another thread than the stream's.
    pub fn joined(&self, stream: StreamId) -> Result<(), Error> {
        self.shared.credit_again(stream)
    }

    /// The host is ready for `n` more `message`, `fragment` or `body` events.
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`]: a handshake before `accept`.
    pub fn demand(&self, stream: StreamId, n: u32) -> Result<(), Error> {
        self.shared.perform(stream, Op::Demand(n))
    }

    /// A request's `body` events come only as [`Self::demand`] asks. To be called inside [`Handler::request`].
    ///
    /// # Errors
    /// [`Status::Gone`]; [`Status::WrongState`]: a WebSocket, whose demand is an option of [`Accept`].
    pub fn set_demand(&self, stream: StreamId) -> Result<(), Error> {
        self.shared.perform(stream, Op::SetDemand)
    }

    /// What other threads than the stream's loop say of it from now on need not reach the peer before [`Self::uncork`]: the
    /// loop is not woken for it, and so writes all of it at once. For a thread that answers many messages in a row, and for
    /// no longer than that takes. Limits hold as ever, and [`Status::Busy`] is followed by `writable`.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn cork(&self, stream: StreamId) -> Result<(), Error> {
        self.shared.cork(stream)
    }

    /// Ends what [`Self::cork`] began; nothing happens if it did not.
    ///
    /// # Errors
    /// [`Status::Gone`]: what was said before the end has been lost with the stream, or sent.
    pub fn uncork(&self, stream: StreamId) -> Result<(), Error> {
        self.shared.uncork(stream)
    }

    /// Sets what comes with each event of the stream.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn set_context(&self, stream: StreamId, context: u64) -> Result<(), Error> {
        self.shared.perform(stream, Op::SetContext(context))
    }

    /// Ends everything in an orderly way: no new connections, GOAWAY in two steps (RFC 9113 §6.8), Close 1001 to each
    /// WebSocket, requests are served to their end. What is left after `deadline` is cut.
    ///
    /// Blocks until all connections have ended.
    ///
    /// # Errors
    /// [`Status::WrongThread`]: inside a callback, and on a thread that has a loop, where [`super::Loop::drain`] does it.
    pub fn drain(&self, deadline: Duration) -> Result<(), Error> {
        refuse_on_loop("drain")?;
        self.begin_drain(deadline);
        if !self.shared.wait_idle(deadline) {
            self.cut();
            self.shared.wait_idle(Duration::from_secs(1));
        }
        Ok(())
    }

    pub(super) fn begin_drain(&self, deadline: Duration) {
        self.shared.draining.store(true, Ordering::Release);
        self.shared.listeners.close_all();
        self.tell_all(|| Command::Drain(deadline));
    }

    pub(super) fn cut(&self) {
        self.tell_all(|| Command::Cut);
    }

    /// Ends the engine: cuts what is left, gives every stream its `closed`, drops the handler.
    ///
    /// Blocks until the loops' threads have ended. A second call does nothing.
    ///
    /// # Errors
    /// [`Status::WrongThread`]: inside a callback, and on a thread that has a loop, which is [ended](super::Loop::end) first.
    pub fn shutdown(&self) -> Result<(), Error> {
        refuse_on_loop("shutdown")?;
        self.stop();
        for thread in std::mem::take(&mut *self.threads()) {
            // a loop's panic has been counted and logged there
            let _ = thread.join();
        }
        for of_loop in &self.shared.loops {
            of_loop.mailbox.close();
        }
        self.shared.attached.clear();
        self.shared.set_handler(None);
        Ok(())
    }

    fn check(options: &ListenOptions) -> Result<(), Error> {
        if options.http1 || options.http2 || options.raw {
            return Ok(());
        }
        let text = "both HTTP/1.1 and HTTP/2 are switched off; leave one of them on, or let the host have all by raw";
        Err(Error::new(Status::InvalidArgument, text))
    }

    pub(super) fn tell_all(&self, command: impl Fn() -> Command) {
        for of_loop in &self.shared.loops {
            // a loop that has ended has nothing left to do
            let _ = of_loop.mailbox.push(command());
        }
    }

    /// All counters.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

pub(super) fn refuse_on_loop(what: &str) -> Result<(), Error> {
    if loops::on_any_loop() {
        let text = format!(
            "{what} waits for the loops, so it cannot be called inside a callback, or on a thread that has a loop"
        );
        return Err(Error::new(Status::WrongThread, text));
    }
    Ok(())
}

fn final_head(status: u16, headers: HeaderMap) -> Result<HeaderMap, Error> {
    if !(200..=999).contains(&status) {
        let text = format!("{status} is no final status; give 200 to 999");
        return Err(Error::new(Status::InvalidArgument, text));
    }
    Ok(connect::response_headers(headers))
}

#[inline]
fn check_text(kind: MessageKind, data: &[u8]) -> Result<(), Error> {
    if kind == MessageKind::Text && simdutf8::basic::from_utf8(data).is_err() {
        return Err(Error::new(Status::NotUtf8, "a text message is not UTF-8; send it as binary"));
    }
    Ok(())
}

fn control_payload(data: &[u8]) -> Result<&[u8], Error> {
    if data.len() > MAX_CONTROL {
        let text = format!("a control frame's payload of {} bytes; at most {MAX_CONTROL} fit", data.len());
        return Err(Error::new(Status::TooLarge, text));
    }
    Ok(data)
}
