//! What `h2` reads and writes instead of a socket: two buffers. The connection's task fills and empties them, so
//! that `h2` neither waits nor makes system calls.

use std::cell::{RefCell, RefMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both directions.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// For `h2` to read.
    pub(super) input: Vec<u8>,
    read: usize,
    /// For the socket: what `h2` wrote, and our own frames between its.
    pub(super) output: Vec<u8>,
    /// The peer has ended.
    pub(super) eof: bool,
}

impl Buffers {
    /// Something waits for `h2`.
    pub(super) fn has_input(&self) -> bool {
        self.read < self.input.len()
    }
}

/// The end that `h2` holds, and the one that the connection holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe(Rc<RefCell<Buffers>>);

impl Pipe {
    pub(super) fn buffers(&self) -> RefMut<'_, Buffers> {
        self.0.borrow_mut()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut buffers = self.buffers();
        let buffers = &mut *buffers;
        let n = (buffers.input.len() - buffers.read).min(into.remaining());
        if n == 0 {
            // no waker: the task polls `h2` after it has put something here
            return if buffers.eof { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        into.put_slice(&buffers.input[buffers.read..buffers.read + n]);
        buffers.read += n;
        if buffers.read == buffers.input.len() {
            buffers.input.clear();
            buffers.read = 0;
        }
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
