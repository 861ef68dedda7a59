//! The embedding API: everything a host says to an engine and hears from it.

mod duplex;
mod engine;
mod message_buffer;
mod turns;

pub use crate::engine::config::{Config, FIELDS, Fallback};
pub use crate::engine::event::{
    Body, Cause, Closed, Control, ControlFrame, ControlKind, Credit, Delivery, Fragment, HandedBack, Handler, LogLevel,
    Message, MessageKind, Read, Ready, Request, Side, StreamKind, TlsInfo,
};
pub use crate::engine::handle::{ConnectionId, ListenerId, StreamId};
pub use crate::engine::listener::ListenOptions;
pub use crate::engine::stats::Stats;
pub use crate::engine::status::{Error, Status};
pub use crate::engine::tls::{ClientAuth, Identity, Source, Tls, TlsConfig};
pub use duplex::Attach;
pub use engine::Engine;
pub use message_buffer::MessageBuffer;
pub use turns::{Loop, Polled};

use http::HeaderMap;

/// How a handshake is accepted. The default: 200, no subprotocol, whole messages, h2ws answers Ping and Close.
#[derive(Clone, Debug)]
pub struct Accept<'a> {
    /// One of those that the client offered.
    pub subprotocol: Option<&'a str>,
    /// Further header fields of the response.
    pub headers: HeaderMap,
    /// Comes with each event of the stream.
    pub context: u64,
    /// Who answers Ping and Close.
    pub control: Control,
    /// Whole messages or parts.
    pub delivery: Delivery,
    /// At once, or as asked for by `demand`.
    pub credit: Credit,
    /// Whether permessage-deflate may be agreed on, if the client offers it and [`Config::deflate`] is on. Default yes.
    pub compress: bool,
}

impl Default for Accept<'_> {
    fn default() -> Self {
        Self {
            subprotocol: None,
            headers: HeaderMap::new(),
            context: 0,
            control: Control::default(),
            delivery: Delivery::default(),
            credit: Credit::default(),
            compress: true,
        }
    }
}

/// The same for an adopted socket.
pub type AdoptOptions = ListenOptions;
