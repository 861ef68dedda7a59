//! Bytes between the host and a connection: of a socket that stays with the host ([`Engine::attach`]), or of one that h2ws has and
//! whose protocol is the host's own ([`crate::Fallback::Duplex`]).

use super::Engine;
use crate::engine::event::{Read, TlsInfo};
use crate::engine::handle::ConnectionId;
use crate::engine::listener::ListenOptions;
use crate::engine::status::{Error, Status};
use crate::engine::transport::Socket;
use crate::engine::wire::Wire;
use std::sync::Arc;

/// A connection whose socket stays with the host.
#[derive(Clone, Debug, Default)]
pub struct Attach {
    /// The peer's address as text; comes with each request.
    pub peer: String,
    /// The TLS that the host speaks on it: its ALPN chooses the protocol, and it comes with each request. `None`: cleartext.
    pub tls: Option<TlsInfo>,
    /// Comes with each [`crate::Handler::duplex`].
    pub context: u64,
    /// What it may do. Its `tls` must be `None`: the bytes of the wire are never encrypted here.
    pub options: ListenOptions,
}

/// The name of a connection whose bytes the host moves.
///
/// Each direction holds up to 256 KiB. None of these blocks; any thread may call them, one at a time for each direction of a
/// connection.
impl Engine {
    /// Serves a connection whose bytes the host moves: what comes from its peer it gives to [`Self::duplex_write`], what there is
    /// for its peer it gets from [`Self::duplex_read`], as [`crate::Handler::duplex`] tells. The connection has ended for the engine
    /// with [`crate::Handler::disconnected`]; the host ends its part with [`Self::duplex_close`], always.
    ///
    /// Made on a loop's thread it lives on that loop.
    ///
    /// # Errors
    /// As [`Self::adopt`]; [`Status::InvalidArgument`]: native TLS is asked for.
    pub fn attach(&self, attach: Attach) -> Result<ConnectionId, Error> {
        let Attach { peer, tls, context, options } = attach;
        if options.tls.is_some() {
            let text =
                "an attached connection has no socket for TLS of ours; adopt its socket, or speak TLS in the host";
            return Err(Error::new(Status::InvalidArgument, text));
        }
        if options.raw || !(options.http1 || options.http2) {
            let text = "an attached connection is there to be served; leave HTTP/1.1 or HTTP/2 on, and raw off";
            return Err(Error::new(Status::InvalidArgument, text));
        }
        let socket = Socket::Wire(Arc::new(Wire::new(context, peer)));
        self.shared.connect(None, socket, Vec::new(), options, tls.map(Box::new))
    }

    fn wire(&self, connection: ConnectionId) -> Result<Arc<Wire>, Error> {
        self.shared.attached.find(connection).ok_or_else(|| Status::Gone.into())
    }

    /// Takes as many bytes as there is room for, and says how many. After less than all, [`crate::Handler::duplex`] tells when there
    /// is room again.
    ///
    /// # Errors
    /// [`Status::Gone`]: there is no such duplex, its other side has gone, or [`Self::duplex_shut`] was called.
    pub fn duplex_write(&self, connection: ConnectionId, bytes: &[u8]) -> Result<usize, Error> {
        self.wire(connection)?.write(bytes).ok_or_else(|| Status::Gone.into())
    }

    /// Nothing more is written: the other side sees the end behind what was.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn duplex_shut(&self, connection: ConnectionId) -> Result<(), Error> {
        self.wire(connection)?.shut();
        Ok(())
    }

    /// Reads what there is.
    ///
    /// # Errors
    /// [`Status::Gone`]: there is no such duplex.
    pub fn duplex_read(&self, connection: ConnectionId, into: &mut [u8]) -> Result<Read, Error> {
        Ok(self.wire(connection)?.read(into))
    }

    /// The host's part is over, and the name with it. What it has written still goes out, and then the end; with `abort` the
    /// connection is reset at once.
    ///
    /// # Errors
    /// [`Status::Gone`]
    pub fn duplex_close(&self, connection: ConnectionId, abort: bool) -> Result<(), Error> {
        self.shared.attached.remove(connection).ok_or(Status::Gone)?.detach(abort);
        Ok(())
    }
}
