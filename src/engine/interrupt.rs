//! How a host takes the thread of a loop back that it runs: from anywhere, also from a signal handler, where a mailbox and its lock
//! cannot be used (signal-safety(7)). So it is an atomic and a byte in a pair of sockets. (Not in a pipe, which raises SIGPIPE where
//! the loop has ended.)

use super::transport::NO_SIGNAL;
use socket2::SockRef;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The part of a loop that its host rings.
#[derive(Debug, Default)]
pub(crate) struct Interrupts {
    /// One is on its way: it is enough for all until the loop has seen it.
    rung: AtomicBool,
    /// Made when the loop is entered.
    bell: OnceLock<UnixStream>,
}

/// The part that the loop listens to.
pub(super) struct Listening(tokio::net::UnixStream);

impl Interrupts {
    /// Takes no lock, allocates nothing and does not block.
    pub(crate) fn interrupt(&self) {
        if !self.rung.swap(true, Ordering::SeqCst)
            && let Some(bell) = self.bell.get()
        {
            // a loop that has ended does not listen
            let _ = SockRef::from(bell).send_with_flags(&[0], NO_SIGNAL);
        }
    }

    /// In the loop's runtime, once.
    pub(super) fn listen(&self) -> io::Result<Listening> {
        let (ear, bell) = UnixStream::pair()?;
        ear.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        let ear = tokio::net::UnixStream::from_std(ear)?;
        let _ = self.bell.set(bell);
        // what came before had no bell to ring
        if self.rung.swap(false, Ordering::SeqCst) {
            self.interrupt();
        }
        Ok(Listening(ear))
    }
}

impl Listening {
    /// Waits for an interrupt.
    pub(super) async fn wait(&self, interrupts: &Interrupts) {
        loop {
            // the other end lives longer than the loop
            if self.0.readable().await.is_err() {
                return std::future::pending().await;
            }
            let mut byte = [0];
            if let Ok(1) = self.0.try_read(&mut byte) {
                interrupts.rung.store(false, Ordering::SeqCst);
                return;
            }
        }
    }
}
