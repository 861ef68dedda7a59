//! A request that has come: refused by a rule, or registered and told to the host.

use super::exchange::Exchange;
use super::{Connection, Core, Handshake, Role, Stream};
use crate::engine::deadline::after;
use crate::engine::deflate;
use crate::engine::event::{LogLevel, Request, StreamKind};
use crate::engine::handle::StreamId;
use crate::engine::stats::count;
use crate::proto::connect::{Refusal, Refused};
use crate::proto::fields::CONNECTION_SPECIFIC;
use crate::proto::upgrade;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Incoming};
use std::rc::Rc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Of the handshake alone (RFC 6455 §11.3.1).
const SEC_WEBSOCKET_KEY: HeaderName = http::header::SEC_WEBSOCKET_KEY;

impl Connection {
    /// A request has come.
    pub(super) fn open(self: &Rc<Self>, request: http::Request<Incoming>) {
        let (parts, body) = request.into_parts();
        let end = body.is_end_stream();
        let upgrade = {
            let mut core = self.core.borrow_mut();
            let Some(http) = &mut core.http else { return };
            http.busy = true;
            http.version = parts.version;
            http.upgrade
        };
        let judged = if upgrade { self.judge(&parts.headers).map(Some) } else { Ok(None) };
        let handshake = match judged {
            Ok(handshake) => handshake,
            Err(refused) => {
                let text = format!("request of {} refused with {}: {}", self.peer, refused.status, refused.text);
                let mut core = self.core.borrow_mut();
                core.log(LogLevel::Info, text);
                return core.refuse(refused.status, refused.headers, &refused.text);
            }
        };
        let (kind, accept, subprotocols): (_, _, Vec<Box<str>>) = match handshake {
            Some(upgrade::Handshake { subprotocols, accept }) => {
                (StreamKind::WebSocket, Some(accept), subprotocols.into_iter().map(Into::into).collect())
            }
            None => (StreamKind::Http, None, Vec::new()),
        };
        let exchange = Exchange::new((!end).then_some(body), parts.method == http::Method::HEAD);
        let role = match accept {
            Some(accept) => Role::Handshake(Handshake {
                offered: !subprotocols.is_empty(),
                compression: deflate::offered(&parts.headers, &self.state.shared.config),
                accept,
            }),
            None => Role::Http(exchange),
        };
        let Some(stream) = self.register(role, &subprotocols) else { return };
        // what speaks of this connection is not the host's business, as over HTTP/2
        let headers = without_connection_fields(&parts.headers);
        let host = || headers.get(HOST).and_then(|host| host.to_str().ok());
        let subprotocols: Vec<&str> = subprotocols.iter().map(|s| &**s).collect();
        self.host().request(&Request {
            stream,
            connection: self.id,
            listener: self.listener,
            kind,
            method: parts.method.as_str(),
            scheme: if self.tls.is_some() { "https" } else { "http" },
            authority: parts.uri.authority().map(|a| a.as_str()).or_else(host).unwrap_or(""),
            path: parts.uri.path_and_query().map_or("/", |p| p.as_str()),
            headers: &headers,
            subprotocols: &subprotocols,
            peer: &self.peer,
            end: kind == StreamKind::WebSocket || end,
            version: parts.version,
            tls: self.tls.as_deref(),
            h2_stream: 0,
        });
    }

    /// What the rules say of a handshake; a refusal is counted by its reason.
    #[allow(clippy::result_large_err)] // once a refused handshake, and moved into the response at once
    fn judge<'a>(&self, headers: &'a HeaderMap) -> Result<upgrade::Handshake<'a>, Refused> {
        let counters = &self.state.own().counters;
        if self.core.borrow().draining || self.state.shared.draining.load(Ordering::Acquire) {
            count(&counters.refused_draining);
            let text = "the server is going away".to_owned();
            return Err(Refused {
                refusal: Refusal::Malformed,
                status: StatusCode::SERVICE_UNAVAILABLE,
                headers: HeaderMap::new(),
                text,
            });
        }
        upgrade::open(headers).inspect_err(|refused| {
            count(match refused.refusal {
                Refusal::Version => &counters.refused_version,
                Refusal::Authority => &counters.refused_authority,
                _ => &counters.refused_malformed,
            });
        })
    }

    /// Gives the exchange its handle. `None`: there is none left, and it has been refused.
    fn register(&self, role: Role, subprotocols: &[Box<str>]) -> Option<StreamId> {
        let own = self.state.own();
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let taken = self.state.slots.borrow_mut().take(&own.streams, self.state.index, false, self.key.get(), 0);
        let Some(handle) = taken else {
            core.refuse(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "too many streams");
            return None;
        };
        let stream = StreamId(handle.raw());
        count(&own.counters.open_streams);
        let websocket = matches!(role, Role::Handshake(_));
        if let Some(slot) = own.streams.slot(handle.slot) {
            slot.websocket.store(websocket, Ordering::Release);
        }
        let deadline = if websocket {
            count(&own.counters.handshakes);
            if !subprotocols.is_empty() {
                let offers = subprotocols.into();
                own.offers.lock().unwrap_or_else(PoisonError::into_inner).insert(stream, offers);
            }
            after(core.now, core.engine.config.accept_timeout)
        } else {
            count(&own.counters.requests);
            None
        };
        core.stream = Some(Box::new(Stream { handle: stream, slot: handle.slot, context: 0, role, deadline }));
        core.arm(deadline);
        Some(stream)
    }
}

/// In their order, which removing single ones would not keep.
fn without_connection_fields(headers: &HeaderMap) -> HeaderMap {
    let kept = |name: &HeaderName| *name == TE || *name != SEC_WEBSOCKET_KEY && !CONNECTION_SPECIFIC.contains(name);
    headers.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Core {
    /// Answers a request that the host does not get to see, and ends the connection with it.
    pub(super) fn refuse(&mut self, status: StatusCode, mut headers: HeaderMap, text: &str) {
        let Some(http) = &mut self.http else { return };
        let body = Bytes::from(format!("{text}\n"));
        headers.append(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        {
            let mut desk = http.desk.borrow_mut();
            desk.queued = body.len();
            desk.body.push_back(body);
            desk.finish = Some(Default::default());
        }
        http.answer(&self.pipe, response);
        self.flag.raise();
    }
}
