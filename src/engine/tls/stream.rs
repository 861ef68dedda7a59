//! A socket with TLS on it. `rustls` is driven by hand: all that the socket has is read at once and decrypted in turn, all
//! that there is to send is encrypted and written at once. (tokio-rustls reads 4 KiB at a time.)

use crate::engine::buffers::READ;
use crate::engine::transport::Plain;
use rustls::{ServerConfig, ServerConnection};
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What is encrypted at once, and so what may wait for the socket.
const BATCH: usize = 256 << 10;
/// What a record may take on the wire, rounded up (RFC 8446 §5.2).
const RECORD: usize = 17 << 10;
/// What is read at once during the handshake. The client may send data with its last flight.
const HANDSHAKE_READ: usize = 16 << 10;

thread_local! {
    /// What was read and is not decrypted. It belongs to the loop, as its other buffers do; a connection that waits has none.
    static CIPHER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The socket and the session.
#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: Plain,
    session: ServerConnection,
    /// close_notify has been queued.
    notified: bool,
    /// The peer's close_notify or FIN came: nothing follows.
    ended: bool,
}

/// Lets rustls write to the socket.
struct Out<'a, 'b>(&'a mut Plain, &'a mut Context<'b>);

impl Write for Out<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        blocking(self.0.poll_write(self.1, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        blocking(self.0.poll_write_vectored(self.1, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn blocking(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl TlsStream {
    /// An error gives the socket back.
    pub(crate) fn new(socket: Plain, config: Arc<ServerConfig>) -> Result<Self, (Plain, rustls::Error)> {
        match ServerConnection::new(config) {
            Ok(mut session) => {
                session.set_buffer_limit(Some(BATCH));
                Ok(Self { socket, session, notified: false, ended: false })
            }
            Err(e) => Err((socket, e)),
        }
    }

    /// Shakes hands. `read` is what was read from the socket; afterwards, what the client sent behind its last flight.
    pub(crate) async fn shake(&mut self, read: &mut Vec<u8>) -> io::Result<()> {
        let first = std::mem::take(read);
        let mut shaken = self.decrypt(&first, read);
        let mut buffer = vec![0; HANDSHAKE_READ];
        poll_fn(|cx| {
            loop {
                // also the alert, if it failed
                let flushed = self.poll_flush(cx)?;
                if let Err(e) = std::mem::replace(&mut shaken, Ok(())) {
                    return Poll::Ready(Err(e));
                }
                if !self.session.is_handshaking() {
                    return flushed.map(Ok);
                }
                let n = ready!(self.socket.poll_read(cx, &mut buffer))?;
                if n == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                shaken = self.decrypt(&buffer[..n], read);
            }
        })
        .await
    }

    pub(crate) fn session(&self) -> &ServerConnection {
        &self.session
    }

    pub(crate) fn socket(&self) -> &Plain {
        &self.socket
    }

    /// The socket, when the session has failed.
    pub(crate) fn into_socket(self) -> Plain {
        self.socket
    }

    /// Decrypts all of `cipher`, and appends what comes out.
    fn decrypt(&mut self, mut cipher: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        while !cipher.is_empty() && !self.ended {
            self.take_records(&mut cipher)?;
            // ends with WouldBlock when nothing is left, with Ok after close_notify
            if let Err(e) = self.session.reader().read_to_end(out)
                && e.kind() != io::ErrorKind::WouldBlock
            {
                return Err(e);
            }
        }
        Ok(())
    }

    /// Hands `rustls` the next few KiB. After close_notify nothing counts (RFC 8446 §6.1).
    fn take_records(&mut self, cipher: &mut &[u8]) -> io::Result<()> {
        if self.session.read_tls(cipher)? == 0 {
            self.ended = true;
            return Ok(());
        }
        let state = self.session.process_new_packets().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        self.ended |= state.peer_has_closed();
        Ok(())
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let left = self.take_plain(out)?;
            if left > 0 || self.ended {
                return Poll::Ready(Ok(left));
            }
            let mut buffer = CIPHER.take();
            if buffer.len() < READ {
                buffer.resize(READ, 0);
            }
            // no more than fits when it is decrypted, with a record that had begun before
            let room = if out.len() > 2 * RECORD { (out.len() - RECORD).min(READ) } else { out.len() };
            let read = self.socket.poll_read(cx, &mut buffer[..room]);
            let filled = match &read {
                Poll::Ready(Ok(n)) => self.fill(&buffer[..*n], out),
                _ => Ok(0),
            };
            CIPHER.set(buffer);
            // an end without close_notify is for the protocol above to judge, which has ends of its own
            if ready!(read)? == 0 {
                self.ended = true;
                return Poll::Ready(Ok(0));
            }
            if self.session.wants_write() {
                // an answer to a key update, or the alert that says what was wrong
                if let Poll::Ready(Err(e)) = self.poll_flush(cx) {
                    return Poll::Ready(Err(e));
                }
            }
            let filled = filled?;
            if filled > 0 {
                return Poll::Ready(Ok(filled));
            }
        }
    }

    /// Decrypts `cipher` into `out`: how many bytes.
    fn fill(&mut self, mut cipher: &[u8], out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while !cipher.is_empty() && !self.ended {
            self.take_records(&mut cipher)?;
            filled += self.take_plain(&mut out[filled..])?;
        }
        Ok(filled)
    }

    /// What is decrypted and was not taken yet.
    fn take_plain(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut taken = 0;
        while taken < out.len() {
            match self.session.reader().read(&mut out[taken..]) {
                Ok(0) => break,
                Ok(n) => taken += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(taken)
    }

    /// Takes bytes when none that it took before wait for the socket. They are sent by [`Self::poll_flush`] at the latest.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let taken = self.session.writer().write(bytes)?;
        if let Poll::Ready(Err(e)) = self.poll_flush(cx) {
            return Poll::Ready(Err(e));
        }
        Poll::Ready(Ok(taken))
    }

    /// Ready when the socket has taken all.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Out(&mut self.socket, cx)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// close_notify (RFC 8446 §6.1), then FIN.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.notified {
            self.notified = true;
            self.session.send_close_notify();
        }
        ready!(self.poll_flush(cx))?;
        self.socket.poll_shutdown(cx)
    }
}
