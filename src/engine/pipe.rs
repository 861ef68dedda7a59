//! What `h2` and `hyper` read and write instead of a socket: two buffers. The connection's task fills and empties them, so
//! that they neither wait nor make system calls.

use hyper::rt::ReadBufCursor;
use std::cell::{RefCell, RefMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both directions.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// For the library to read.
    pub(crate) input: Vec<u8>,
    read: usize,
    /// For the socket: what the library wrote, and our own bytes between its.
    pub(crate) output: Vec<u8>,
    /// The peer has ended.
    pub(crate) eof: bool,
}

impl Buffers {
    /// Something waits for the library.
    pub(crate) fn has_input(&self) -> bool {
        self.unread() > 0
    }

    /// How many bytes do.
    pub(crate) fn unread(&self) -> usize {
        self.input.len() - self.read
    }

    /// Gives up to `room` bytes to `take`. `None`: there are none, and more may come.
    fn read(&mut self, room: usize, take: impl FnOnce(&[u8])) -> Option<()> {
        let n = self.unread().min(room);
        if n == 0 {
            return self.eof.then_some(());
        }
        take(&self.input[self.read..self.read + n]);
        self.read += n;
        if self.read == self.input.len() {
            self.input.clear();
            self.read = 0;
        }
        Some(())
    }
}

/// The end that the library holds, and the one that the connection holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Rc<RefCell<Buffers>>);

impl Pipe {
    pub(crate) fn buffers(&self) -> RefMut<'_, Buffers> {
        self.0.borrow_mut()
    }
}

// A read that finds nothing leaves no waker: the task polls the library after it has put something here.

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.buffers().read(into.remaining(), |bytes| into.put_slice(bytes)) {
            Some(()) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl hyper::rt::Read for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.buffers().read(into.remaining(), |bytes| into.put_slice(bytes)) {
            Some(()) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl hyper::rt::Write for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(self, cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write_vectored(self, cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.buffers().output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let output = &mut self.buffers().output;
        let before = output.len();
        for slice in slices {
            output.extend_from_slice(slice);
        }
        Poll::Ready(Ok(output.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
