//! Listening sockets, and how a new connection finds its loop.

use super::event::{LogLevel, TlsInfo};
use super::handle::{ConnectionId, ListenerId};
use super::shared::Shared;
use super::status::{Error, Status};
use super::tls::Tls;
use super::transport::Socket;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Connections that the system holds for a listener that has not come to them.
const BACKLOG: i32 = 1024;
/// How long a listener rests after `accept` failed, say for want of descriptors.
const REST: Duration = Duration::from_millis(50);

/// What a listener's connections, or an adopted one, may do.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Whether WebSockets are served: SETTINGS_ENABLE_CONNECT_PROTOCOL is offered (RFC 8441 §3), an HTTP/1.1 `Upgrade` to
    /// them is taken. Default yes.
    pub websockets: bool,
    /// Whether HTTP/1.1 is served, and over TLS offered. Default yes.
    pub http1: bool,
    /// Whether HTTP/2 is served, and over TLS offered. Default yes.
    pub http2: bool,
    /// Nothing is served: every connection goes to the host unread, as a duplex ([`crate::Handler::fallback`]), behind the TLS
    /// if there is any. Default no.
    pub raw: bool,
    /// Serves TLS with this; without it, cleartext. Default none.
    pub tls: Option<Tls>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self { websockets: true, http1: true, http2: true, raw: false, tls: None }
    }
}

/// A socket on its way to its loop.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) id: ConnectionId,
    /// `None`: the host has adopted it.
    pub(crate) listener: Option<ListenerId>,
    pub(crate) socket: Socket,
    /// Bytes that somebody has read from it.
    pub(crate) already_read: Vec<u8>,
    pub(crate) options: ListenOptions,
    /// The TLS that the host speaks on it.
    pub(crate) tls: Option<Box<TlsInfo>>,
    pub(crate) admitted: Admitted,
}

/// One of the engine's connections, from when it is taken until it ends, however it ends: also on its way to a loop that has ended.
pub(crate) struct Admitted {
    pub(crate) shared: Arc<Shared>,
    pub(crate) of_loop: usize,
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Admitted({})", self.of_loop)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.disconnected(self.of_loop);
    }
}

/// A bound socket that no loop watches yet.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, String),
}

impl Bound {
    /// Binds `host:port`, `[v6]:port` or `unix:path`.
    pub(crate) fn bind(address: &str) -> Result<Self, Error> {
        let failed = |e: io::Error| {
            let status = if e.kind() == io::ErrorKind::AddrInUse { Status::AddressInUse } else { Status::Io };
            Error::new(status, format!("cannot listen on {address}: {e}"))
        };
        if let Some(path) = address.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(Error::new(Status::InvalidArgument, "unix: without a path; write unix:/path"));
            }
            let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            return Ok(Self::Unix(listener, path.to_owned()));
        }
        let parsed: SocketAddr = address.parse().map_err(|_| {
            Error::new(
                Status::InvalidArgument,
                format!("{address:?} is no address; write 127.0.0.1:8080, [::1]:8080 or unix:/path"),
            )
        })?;
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(parsed),
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )
        .map_err(failed)?;
        socket.set_reuse_address(true).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        socket.bind(&parsed.into()).map_err(failed)?;
        socket.listen(BACKLOG).map_err(failed)?;
        Ok(Self::Tcp(socket.into()))
    }

    /// The bound address as text.
    pub(crate) fn address(&self) -> Result<String, Error> {
        match self {
            Self::Tcp(listener) => Ok(listener
                .local_addr()
                .map_err(|e| Error::new(Status::Io, format!("the listener has no address: {e}")))?
                .to_string()),
            Self::Unix(_, path) => Ok(format!("unix:{path}")),
        }
    }
}

/// The listeners of an engine.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    listeners: HashMap<u64, (String, Arc<Notify>)>,
}

impl Listeners {
    fn with<R>(&self, f: impl FnOnce(&mut Open) -> R) -> R {
        f(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn add(&self, address: String) -> (ListenerId, Arc<Notify>) {
        let end = Arc::new(Notify::new());
        let id = self.with(|open| {
            open.last += 1;
            open.listeners.insert(open.last, (address, Arc::clone(&end)));
            open.last
        });
        (ListenerId(id), end)
    }

    pub(crate) fn address(&self, id: ListenerId) -> Result<String, Error> {
        self.with(|open| open.listeners.get(&id.0).map(|(address, _)| address.clone()))
            .ok_or_else(|| Status::Gone.into())
    }

    pub(crate) fn close(&self, id: ListenerId) -> Result<(), Error> {
        let (_, end) = self.with(|open| open.listeners.remove(&id.0)).ok_or(Status::Gone)?;
        end.notify_one();
        Ok(())
    }

    pub(crate) fn close_all(&self) {
        for (_, (_, end)) in self.with(|open| std::mem::take(&mut open.listeners)) {
            end.notify_one();
        }
    }
}

enum Accepting {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, String),
}

impl Accepting {
    async fn accept(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Tcp(listener) => Ok(listener.accept().await?.0.into_std()?.into()),
            Self::Unix(listener, _) => Ok(listener.accept().await?.0.into_std()?.into()),
        }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // the name outlives the socket, and would refuse the next bind
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Accepts until `end` is notified. Runs on one loop; connections go to the loop that has the fewest.
pub(crate) async fn accept_all(
    shared: Arc<Shared>,
    id: ListenerId,
    bound: Bound,
    options: ListenOptions,
    end: Arc<Notify>,
) {
    let listener = match bound {
        Bound::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Accepting::Tcp),
        Bound::Unix(listener, path) => {
            tokio::net::UnixListener::from_std(listener).map(|listener| Accepting::Unix(listener, path))
        }
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(e) => return shared.log(LogLevel::Warn, &format!("a listener could not start: {e}")),
    };
    loop {
        let accepted = tokio::select! {
            biased;
            () = end.notified() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(fd) => {
                // an error: the peer was gone before we came to it
                if let Ok(socket) = Socket::adopt(fd)
                    && let Err(e) = shared.connect(Some(id), socket, Vec::new(), options.clone(), None)
                {
                    shared.log(LogLevel::Warn, &format!("a connection was refused: {e}"));
                }
            }
            Err(e) => {
                if shared.draining.load(Ordering::Relaxed) {
                    return;
                }
                shared.log(LogLevel::Warn, &format!("accept failed: {e}; trying again"));
                tokio::time::sleep(REST).await;
            }
        }
    }
}
