//! A request that has come: refused by a rule, or registered and told to the host.

use super::inflow::Inflow;
use super::stream::{Exchange, Handshake, Role, Sender, Stream};
use super::wake::StreamWaker;
use super::{Connection, Core};
use crate::engine::deadline::after;
use crate::engine::deflate;
use crate::engine::event::{LogLevel, Request, StreamKind};
use crate::engine::handle::StreamId;
use crate::engine::send_queue::SendQueue;
use crate::engine::stats::{Counters, count};
use crate::proto::connect::{self, Opening, Refusal};
use crate::proto::deflate::Offer;
use bytes::Bytes;
use h2::RecvStream;
use h2::ext::Protocol;
use h2::server::SendResponse;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::Waker;

/// What an acceptable request asks for.
struct Asked<'a> {
    kind: StreamKind,
    subprotocols: Vec<&'a str>,
    compression: Option<Offer>,
}

/// The answer to one that is not.
struct Refusing {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Refusing {
    fn new(status: StatusCode, text: impl Into<String>) -> Box<Self> {
        Box::new(Self { status, headers: HeaderMap::new(), text: text.into() })
    }
}

fn refusals(counters: &Counters, refusal: Refusal) -> &std::sync::atomic::AtomicU64 {
    match refusal {
        Refusal::Authority => &counters.refused_authority,
        Refusal::Scheme => &counters.refused_scheme,
        Refusal::Protocol => &counters.refused_protocol,
        Refusal::Version => &counters.refused_version,
        Refusal::Malformed => &counters.refused_malformed,
        Refusal::PlainConnect => &counters.refused_plain_connect,
    }
}

impl Connection {
    /// A request has come.
    pub(super) fn open(self: &Rc<Self>, request: http::Request<RecvStream>, send: SendResponse<Bytes>) {
        let (parts, recv) = request.into_parts();
        let end = recv.is_end_stream();
        let asked = match self.judge(&parts, end) {
            Ok(asked) => asked,
            Err(refusing) => {
                let Refusing { status, headers, text } = *refusing;
                let mut core = self.core.borrow_mut();
                core.log(LogLevel::Info, format!("request of {} refused with {status}: {text}", self.peer));
                return core.refuse(send, status, headers, &text);
            }
        };
        let head_request = parts.method == http::Method::HEAD;
        let h2_stream = send.stream_id().as_u32();
        let Some(stream) = self.register(&asked, recv, send, head_request, end) else { return };
        let method = match asked.kind {
            StreamKind::Http => parts.method.as_str(),
            StreamKind::WebSocket => "GET",
        };
        let host = || parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        self.host().request(&Request {
            stream,
            connection: self.id,
            listener: self.listener,
            kind: asked.kind,
            method,
            scheme: parts.uri.scheme_str().unwrap_or("http"),
            authority: parts.uri.authority().map(|a| a.as_str()).or_else(host).unwrap_or(""),
            path: parts.uri.path_and_query().map_or("/", |p| p.as_str()),
            headers: &parts.headers,
            subprotocols: &asked.subprotocols,
            peer: &self.peer,
            end,
            version: http::Version::HTTP_2,
            tls: self.tls.as_deref(),
            h2_stream,
        });
    }

    /// What the rules say of it; a refusal is counted by its reason.
    fn judge<'a>(&self, parts: &'a Parts, end: bool) -> Result<Asked<'a>, Box<Refusing>> {
        let counters = &self.state.own().counters;
        let config = &self.state.shared.config;
        if parts.headers.len() > config.max_header_fields as usize {
            count(&counters.refused_header_fields);
            let text = format!("more than {} header fields (max_header_fields)", config.max_header_fields);
            return Err(Refusing::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text));
        }
        let protocol = parts.extensions.get::<Protocol>().map(Protocol::as_str);
        match connect::open(&parts.method, &parts.uri, &parts.headers, protocol, end) {
            Ok(Opening::Request) => Ok(Asked { kind: StreamKind::Http, subprotocols: Vec::new(), compression: None }),
            Ok(Opening::WebSocket { subprotocols }) => {
                if self.core.borrow().draining || self.state.shared.draining.load(Ordering::Acquire) {
                    count(&counters.refused_draining);
                    return Err(Refusing::new(StatusCode::SERVICE_UNAVAILABLE, "the server is going away"));
                }
                let compression = deflate::offered(&parts.headers, config);
                Ok(Asked { kind: StreamKind::WebSocket, subprotocols, compression })
            }
            Err(refused) => {
                count(refusals(counters, refused.refusal));
                Err(Box::new(Refusing { status: refused.status, headers: refused.headers, text: refused.text }))
            }
        }
    }

    /// Gives the stream its handle and its place. `None`: there is none left, and it has been refused.
    fn register(
        &self,
        asked: &Asked<'_>,
        recv: RecvStream,
        send: SendResponse<Bytes>,
        head_request: bool,
        end: bool,
    ) -> Option<StreamId> {
        let own = self.state.own();
        let mut core = self.core.borrow_mut();
        let core: &mut Core = &mut core;
        let entry = core.streams.vacant_entry();
        let key = entry.key() as u32;
        let taken = self.state.slots.borrow_mut().take(&own.streams, self.state.index, false, self.key.get(), key);
        let Some(handle) = taken else {
            core.refuse(send, StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "too many streams");
            return None;
        };
        let stream = StreamId(handle.raw());
        if let Some(slot) = own.streams.slot(handle.slot) {
            slot.websocket.store(asked.kind == StreamKind::WebSocket, Ordering::Release);
        }
        count(&own.counters.open_streams);
        let (role, deadline) = match asked.kind {
            StreamKind::Http => {
                count(&own.counters.requests);
                let exchange = Exchange { head_request, end_delivered: end, ..Exchange::default() };
                (Role::Http(Box::new(exchange)), None)
            }
            StreamKind::WebSocket => {
                count(&own.counters.handshakes);
                let offered = !asked.subprotocols.is_empty();
                if offered {
                    let offers = asked.subprotocols.iter().map(|s| (*s).into()).collect();
                    own.offers.lock().unwrap_or_else(PoisonError::into_inner).insert(stream, offers);
                }
                let deadline = after(core.now, core.config.accept_timeout);
                let compression = asked.compression;
                (Role::Handshake(Handshake { early: Vec::new(), offered, compression }), deadline)
            }
        };
        let id = send.stream_id().as_u32();
        entry.insert(Box::new(Stream {
            handle: stream,
            slot: handle.slot,
            id,
            context: 0,
            role,
            recv,
            send: Sender::Head(send),
            waker: Waker::from(Arc::new(StreamWaker { key, ready: Arc::clone(&core.ready) })),
            send_window: core.initial_send_window,
            inflow: Inflow::new(core.initial_recv_window),
            out: SendQueue::default(),
            listed: false,
            late: false,
            end_scanned: end,
            received_end: false,
            sent_end: false,
            answered: false,
            deadline,
            last_in: core.now,
        }));
        core.ids.insert(id, key);
        core.arm(deadline);
        // registers the stream's waker, after the host has seen the request
        core.ready.push(key);
        Some(stream)
    }
}
