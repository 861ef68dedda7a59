//! What a connection reads and writes: a socket, TLS on one, or a wire to the host.

use super::status::{Error, Status};
use super::tls::stream::TlsStream;
use super::wire::{Wire, WireEnd};
use socket2::{Domain, SockRef, Type};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connection that no event loop has yet.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    /// Its socket is the host's.
    Wire(Arc<Wire>),
}

impl Socket {
    /// Takes a descriptor if it is a connected TCP or UNIX stream socket; makes it non-blocking and, for TCP,
    /// sets TCP_NODELAY. The descriptor is closed when it is refused.
    pub(crate) fn adopt(fd: OwnedFd) -> Result<Self, Error> {
        let socket = SockRef::from(&fd);
        let refuse = |what: String| Error::new(Status::NotASocket, what);
        let kind = socket.r#type().map_err(|e| refuse(format!("the descriptor is no socket ({e})")))?;
        if kind != Type::STREAM {
            return Err(refuse(format!("the socket is of type {kind:?}; a stream socket is needed")));
        }
        if socket.is_listener().unwrap_or(false) {
            return Err(refuse("the socket listens; give its address to listen, or accept on it".into()));
        }
        let domain = socket.domain().map_err(|e| refuse(format!("the socket has no domain ({e})")))?;
        socket.peer_addr().map_err(|e| refuse(format!("the socket is not connected ({e})")))?;
        let io = |e: io::Error| Error::new(Status::Io, format!("the socket cannot be set up: {e}"));
        socket.set_nonblocking(true).map_err(io)?;
        // what the host has set would make our close a RST, or block the loop in it
        socket.set_linger(None).map_err(io)?;
        if domain == Domain::UNIX {
            Ok(Self::Unix(fd.into()))
        } else if domain == Domain::IPV4 || domain == Domain::IPV6 {
            socket.set_tcp_nodelay(true).map_err(io)?;
            Ok(Self::Tcp(fd.into()))
        } else {
            Err(refuse(format!("the socket is of domain {domain:?}; TCP or UNIX is needed")))
        }
    }

    /// The peer's address as text.
    pub(crate) fn peer(&self) -> String {
        match self {
            Self::Tcp(socket) => socket.peer_addr().map_or_else(|_| "unknown".into(), |a| a.to_string()),
            Self::Unix(_) => "unix".into(),
            Self::Wire(wire) => wire.peer.clone(),
        }
    }
}

/// MSG_NOSIGNAL of Linux. Elsewhere the sockets have SO_NOSIGPIPE.
pub(super) const NO_SIGNAL: i32 = if cfg!(target_os = "linux") { 0x4000 } else { 0 };

/// A socket on a loop.
#[derive(Debug)]
pub(crate) enum Plain {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Plain {
    /// Gives the descriptor back, non-blocking.
    fn into_fd(self) -> io::Result<OwnedFd> {
        Ok(match self {
            Self::Tcp(socket) => socket.into_std()?.into(),
            Self::Unix(socket) => socket.into_std()?.into(),
        })
    }

    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let done = match self {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, &mut buffer),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, &mut buffer),
        };
        done.map_ok(|()| buffer.filled().len())
    }

    #[inline]
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    /// `sendmsg` and not `writev`, which is what the standard library does: where a peer is gone, that raises SIGPIPE, which ends
    /// a host that does not ignore it. (Its plain writes are `send` with MSG_NOSIGNAL.)
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let written = match self {
                Self::Tcp(socket) => {
                    ready!(socket.poll_write_ready(cx))?;
                    socket.try_io(Interest::WRITABLE, || {
                        SockRef::from(&*socket).send_vectored_with_flags(slices, NO_SIGNAL)
                    })
                }
                Self::Unix(socket) => {
                    ready!(socket.poll_write_ready(cx))?;
                    socket.try_io(Interest::WRITABLE, || {
                        SockRef::from(&*socket).send_vectored_with_flags(slices, NO_SIGNAL)
                    })
                }
            };
            match written {
                // it was not writable after all, which `try_io` has noted
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}

/// What a connection reads and writes.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(Plain),
    Tls(Box<TlsStream>),
    Wire(WireEnd),
}

impl Transport {
    /// Puts it on this thread's loop.
    pub(crate) fn register(socket: Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(socket) => Self::Plain(Plain::Tcp(TcpStream::from_std(socket)?)),
            Socket::Unix(socket) => Self::Plain(Plain::Unix(UnixStream::from_std(socket)?)),
            Socket::Wire(wire) => Self::Wire(WireEnd(wire)),
        })
    }

    /// Gives the descriptor back, non-blocking. `None`: there is none that somebody else could go on with.
    pub(crate) fn into_fd(self) -> Option<io::Result<OwnedFd>> {
        match self {
            Self::Plain(socket) => Some(socket.into_fd()),
            Self::Tls(_) | Self::Wire(_) => None,
        }
    }

    #[inline(always)]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_read(cx, buffer),
            Self::Tls(stream) => stream.poll_read(cx, buffer),
            Self::Wire(wire) => wire.poll_read(cx, buffer),
        }
    }

    /// Takes bytes. They are with the socket when [`Self::poll_flush`] is ready.
    #[inline(always)]
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_write(cx, bytes),
            Self::Tls(stream) => stream.poll_write(cx, bytes),
            Self::Wire(wire) => wire.poll_write(cx, bytes),
        }
    }

    /// As [`Self::poll_write`], of several pieces: all of them where the system takes them so, else the first.
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_write_vectored(cx, pieces),
            Self::Tls(_) | Self::Wire(_) => self.poll_write(cx, pieces.first().map_or(&[], |piece| piece)),
        }
    }

    /// Whether [`Self::poll_write_vectored`] takes more than the first.
    pub(crate) fn takes_pieces(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    #[inline]
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) | Self::Wire(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.poll_flush(cx),
        }
    }

    /// Makes the connection end with RST when this is dropped.
    pub(crate) fn reset(&self) {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.socket(),
            Self::Wire(wire) => return wire.reset(),
        };
        // it fails on a socket that has ended, and on UNIX sockets, which have no RST
        let _ = match socket {
            Plain::Tcp(socket) => SockRef::from(socket).set_linger(Some(Duration::ZERO)),
            Plain::Unix(_) => Ok(()),
        };
    }

    /// The end of a connection. `eof`: the peer has ended.
    pub(crate) async fn end(&mut self, eof: bool) {
        if !eof {
            linger(self).await;
        } else if !matches!(self, Self::Plain(_)) {
            // RFC 8446 §6.1: our close_notify too, if the socket takes it
            poll_fn(|cx| Poll::Ready(self.poll_shutdown(cx).is_ready())).await;
        }
    }

    /// Sends FIN, over TLS after close_notify; an error means that the socket has ended anyway.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_shutdown(cx),
            Self::Tls(stream) => stream.poll_shutdown(cx),
            Self::Wire(wire) => {
                wire.shut();
                Poll::Ready(Ok(()))
            }
        }
    }
}

/// Sends FIN and reads what is still under way, for a moment: closing a socket with unread bytes would reset it
/// and lose the answer.
pub(crate) async fn linger(transport: &mut Transport) {
    let ended = async {
        let _ = poll_fn(|cx| transport.poll_shutdown(cx)).await;
        // not in the task, where it would be kept for the connection's life
        let mut sink = vec![0; 4096];
        for _ in 0..64 {
            match poll_fn(|cx| transport.poll_read(cx, &mut sink)).await {
                Ok(n) if n > 0 => {}
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
}
