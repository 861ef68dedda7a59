//! permessage-deflate (RFC 7692) on sockets: what each has agreed on, and whose contexts it uses.
//!
//! Without context takeover all sockets of a loop share one inflater, and one compressor for each size of window.
//! A context of a socket's own is made at its first compressed message, and only with context takeover, or for the
//! length of a message that is delivered in parts. Its memory is promised when the socket is accepted; so the
//! contexts of all sockets together never take more than `deflate_memory`.

use super::command::AcceptOptions;
use super::config::Config;
use super::event::Delivery;
use super::shared::Shared;
use super::stats::{Counters, count};
use crate::proto::deflate::{self, Agreed, Bounds, Deflater, Inflater, Offer, Terms};
use crate::proto::frame::MessageKind;
use crate::proto::receive::Violation;
use crate::proto::utf8::{self, Utf8};
use http::HeaderMap;
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The buffer between the two forms of a message is not kept if it grew beyond this.
const KEPT: usize = 1 << 20;
/// The smallest window of a compressor, and how many sizes there are up to 15.
const MIN_BITS: u8 = 9;
const WINDOWS: usize = 7;

/// What the client of a handshake offers, if the configuration lets us look. To be kept until [`agree`].
pub(crate) fn offered(headers: &HeaderMap, config: &Config) -> Option<Offer> {
    if config.deflate { deflate::offer(headers) } else { None }
}

/// Answers the offer of a handshake that is being accepted, by a field in `options.headers`. `None`: there is to be no
/// compression.
pub(crate) fn agree(
    offer: Option<Offer>,
    options: &mut AcceptOptions,
    shared: &Arc<Shared>,
    of_loop: usize,
) -> Option<Box<Compression>> {
    let offer = offer.filter(|_| options.compress)?;
    let config = &shared.config;
    let mut terms = Terms {
        server_bits: config.deflate_server_window_bits as u8,
        client_bits: config.deflate_client_window_bits as u8,
        server_takeover: config.deflate_server_takeover,
        client_takeover: config.deflate_client_takeover,
    };
    let (_, wanted) = offer.agree(&terms);
    let parts = options.delivery != Delivery::Messages;
    let mut promise = Promise { shared: Arc::clone(shared), bytes: 0 };
    if wanted.client_takeover || parts {
        terms.client_takeover &= promise.raise(Inflater::MEMORY);
    }
    // parts of one message come between those of others, so that it needs an inflater of its own in any case
    let inflater = promise.bytes > 0 || !parts;
    if wanted.server_takeover && inflater {
        terms.server_takeover &= promise.raise(Deflater::memory(wanted.server_bits));
    }
    let (answer, agreed) = offer.agree(&terms);
    if !inflater || agreed != wanted {
        count(&shared.loops[of_loop].counters.limit_deflate_memory);
    }
    if !inflater {
        return None;
    }
    options.headers.insert(SEC_WEBSOCKET_EXTENSIONS, answer);
    let _promise = (promise.bytes > 0).then_some(promise);
    Some(Box::new(Compression {
        agreed,
        deflater: None,
        inflater: None,
        utf8: Utf8::default(),
        begun: false,
        _promise,
    }))
}

/// What the contexts of one socket may take, taken out of `deflate_memory`; given back with the socket.
#[derive(Debug)]
struct Promise {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Promise {
    /// Takes so much more, if it is there.
    fn raise(&mut self, bytes: usize) -> bool {
        let (bytes, most) = (bytes as u64, u64::from(self.shared.config.deflate_memory));
        let taken = self.shared.deflate_promised.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |promised| {
            promised.checked_add(bytes).filter(|promised| *promised <= most)
        });
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.shared.deflate_promised.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a loop's sockets share.
#[derive(Debug)]
pub(crate) struct Contexts {
    shared: Arc<Shared>,
    of_loop: usize,
    deflaters: [Option<Box<Deflater>>; WINDOWS],
    inflater: Option<Box<Inflater>>,
    scratch: Vec<u8>,
}

impl Contexts {
    pub(crate) fn new(shared: &Arc<Shared>, of_loop: usize) -> Self {
        let shared = Arc::clone(shared);
        Self { shared, of_loop, deflaters: Default::default(), inflater: None, scratch: Vec::new() }
    }

    fn config(&self) -> &Config {
        &self.shared.config
    }

    fn counters(&self) -> &Counters {
        &self.shared.loops[self.of_loop].counters
    }

    /// A buffer that was lent comes back.
    pub(crate) fn give_back(&mut self, scratch: Vec<u8>) {
        if scratch.capacity() <= KEPT {
            self.scratch = scratch;
        }
    }
}

/// What a socket has agreed on, and what it keeps of its own.
#[derive(Debug)]
pub(crate) struct Compression {
    agreed: Agreed,
    /// With context takeover.
    deflater: Option<Box<Deflater>>,
    /// With context takeover, or while a message is being delivered in parts.
    inflater: Option<Box<Inflater>>,
    /// Of a text that is being delivered in parts.
    utf8: Utf8,
    /// A part of the message was delivered.
    begun: bool,
    _promise: Option<Promise>,
}

impl Compression {
    /// A message of the host's, compressed, in a buffer that is to be given back. `None`: it is better sent as it is.
    pub(crate) fn compress(&mut self, message: &[u8], contexts: &mut Contexts) -> Option<Vec<u8>> {
        let config = contexts.config();
        if message.len() < config.deflate_min_size as usize {
            return None;
        }
        let Agreed { server_bits: bits, server_takeover: takeover, .. } = self.agreed;
        let level = config.deflate_level;
        let own = if takeover { &mut self.deflater } else { &mut contexts.deflaters[usize::from(bits - MIN_BITS)] };
        let deflater = own.get_or_insert_with(|| Box::new(Deflater::new(level, bits, takeover)));
        let mut out = std::mem::take(&mut contexts.scratch);
        deflater.deflate(message, &mut out);
        // with takeover it is part of the window by now, and the peer needs it
        if !takeover && out.len() >= message.len() {
            contexts.give_back(out);
            return None;
        }
        count(&contexts.counters().compressed_out);
        Some(out)
    }

    /// Inflates the message in `payload`, and checks it if it is a text.
    pub(crate) fn message(
        &mut self,
        kind: MessageKind,
        payload: &mut Vec<u8>,
        contexts: &mut Contexts,
    ) -> Result<(), Violation> {
        let max_message = Some(contexts.config().max_message);
        self.inflate(payload, true, max_message, contexts)?;
        if kind == MessageKind::Text && utf8::check(payload).is_err() {
            return Err(Violation::TextNotUtf8);
        }
        Ok(())
    }

    /// Inflates the part of a message in `payload`. Gives whether it is the first that is worth delivering; `None` if it
    /// is not, since nothing came out of it yet.
    pub(crate) fn part(
        &mut self,
        kind: MessageKind,
        last: bool,
        payload: &mut Vec<u8>,
        contexts: &mut Contexts,
    ) -> Result<Option<bool>, Violation> {
        self.inflate(payload, last, None, contexts)?;
        if kind == MessageKind::Text {
            self.utf8.feed(payload).map_err(|_| Violation::TextNotUtf8)?;
            if last && !self.utf8.is_complete() {
                return Err(Violation::TextNotUtf8);
            }
        }
        if payload.is_empty() && !last {
            return Ok(None);
        }
        let first = !std::mem::replace(&mut self.begun, !last);
        Ok(Some(first))
    }

    fn inflate(
        &mut self,
        payload: &mut Vec<u8>,
        last: bool,
        max_message: Option<u32>,
        contexts: &mut Contexts,
    ) -> Result<(), Violation> {
        let takeover = self.agreed.client_takeover;
        let bounds = Bounds { max_message, ratio: contexts.config().deflate_ratio };
        // what fails is dropped with what it inflated: the socket has come to its end
        let mut inflater = match self.inflater.take() {
            Some(own) => own,
            None if takeover => Box::new(Inflater::new(true)),
            None => contexts.inflater.take().unwrap_or_else(|| Box::new(Inflater::new(false))),
        };
        let mut out = std::mem::take(&mut contexts.scratch);
        inflater.inflate(payload, last, &bounds, &mut out)?;
        std::mem::swap(payload, &mut out);
        contexts.give_back(out);
        if takeover || !last {
            self.inflater = Some(inflater);
        } else {
            contexts.inflater = Some(inflater);
        }
        if last {
            count(&contexts.counters().compressed_in);
        }
        Ok(())
    }
}
