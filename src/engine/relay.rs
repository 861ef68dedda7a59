//! A connection whose protocol is the host's own: bytes between its transport and a [wire](super::wire).

use super::loops::LoopState;
use super::stats::{add, count};
use super::transport::Transport;
use super::wire::WireEnd;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// Rounds before other connections of the loop have their turn.
const ROUNDS: usize = 4;

/// What is under way between the two.
struct Relay<'a> {
    state: &'a LoopState,
    transport: &'a mut Transport,
    wire: &'a WireEnd,
    /// What the host wrote and the transport has not taken, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    /// Runs while the peer takes nothing of it (`write_timeout`).
    stalled: Option<Pin<Box<Sleep>>>,
    /// The peer has ended.
    peer_ended: bool,
    /// The host has ended; `true` when the peer has been told.
    host_ended: Option<bool>,
}

/// How it ended.
#[derive(PartialEq, Eq)]
enum Outcome {
    /// Both sides have ended.
    Ended,
    /// The host has gone, and what it wrote is out.
    Left,
    /// One side is broken.
    Broken,
}

/// Moves bytes until both sides have ended, or one breaks. `read` has come from the transport.
pub(crate) async fn relay(state: &LoopState, transport: &mut Transport, wire: WireEnd, read: &[u8]) {
    let mut rest = read;
    while !rest.is_empty() {
        match poll_fn(|cx| wire.poll_write(cx, rest)).await {
            Ok(n) => rest = &rest[n..],
            Err(_) => return transport.reset(),
        }
    }
    let mut relay = Relay {
        state,
        transport,
        wire: &wire,
        out: Vec::new(),
        sent: 0,
        stalled: None,
        peer_ended: false,
        host_ended: None,
    };
    let outcome = poll_fn(|cx| relay.poll(cx)).await;
    match outcome {
        Outcome::Ended => {}
        Outcome::Left => transport.end(false).await,
        Outcome::Broken => {
            wire.reset();
            transport.reset();
        }
    }
}

impl Relay<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut moved = true;
        for _ in 0..ROUNDS {
            if !moved {
                return Poll::Pending;
            }
            moved = false;
            let Ok(detached) = self.wire.detached(cx) else { return Poll::Ready(Outcome::Broken) };
            if !self.peer_ended {
                match self.up(cx) {
                    Poll::Ready(Ok(())) => moved = true,
                    Poll::Ready(Err(())) => return Poll::Ready(Outcome::Broken),
                    Poll::Pending => {}
                }
            }
            match self.down(cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(())) => return Poll::Ready(Outcome::Broken),
                Poll::Pending => {}
            }
            if self.host_ended == Some(true) {
                if self.peer_ended {
                    return Poll::Ready(Outcome::Ended);
                }
                if detached {
                    return Poll::Ready(Outcome::Left);
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// From the peer to the host. Pending: nothing came, or the host has no room.
    fn up(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let Poll::Ready(room) = self.wire.poll_room(cx) else { return Poll::Pending };
        let mut buffer = self.state.buffers.take_read();
        let room = room.min(buffer.len());
        let moved = match self.transport.poll_read(cx, &mut buffer[..room]) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => {
                self.peer_ended = true;
                self.wire.shut();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(n)) => {
                let counters = &self.state.own().counters;
                add(&counters.reads, 1);
                add(&counters.bytes_in, n as u64);
                // there is room, and only this task takes it
                let _ = self.wire.poll_write(cx, &buffer[..n]);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(())),
        };
        self.state.buffers.read.set(buffer);
        moved
    }

    /// From the host to the peer. Pending: nothing came, or the transport takes nothing.
    fn down(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let mut moved = false;
        if !self.out.is_empty() {
            let out = std::mem::take(&mut self.out);
            let n = self.send(cx, &out[self.sent..])?;
            moved = n > 0;
            self.sent += n;
            if self.sent < out.len() {
                self.out = out;
            } else {
                self.sent = 0;
            }
        } else if self.host_ended.is_none() {
            let mut buffer = self.state.buffers.take_read();
            let read = self.wire.poll_read(cx, &mut buffer);
            let sent = match read {
                Poll::Ready(Ok(n)) => self.send(cx, &buffer[..n]).map(|sent| {
                    self.out.extend_from_slice(&buffer[sent..n]);
                    moved = true;
                    if n == 0 {
                        self.host_ended = Some(false);
                    }
                }),
                Poll::Ready(Err(_)) => Err(()),
                Poll::Pending => Ok(()),
            };
            self.state.buffers.read.set(buffer);
            sent?;
        }
        let flushed = self.transport.poll_flush(cx).map_err(drop)?;
        if !self.out.is_empty() || flushed.is_pending() {
            self.stall(cx, moved)?;
        } else {
            self.stalled = None;
            if self.host_ended == Some(false) && self.transport.poll_shutdown(cx).is_ready() {
                self.host_ended = Some(true);
                moved = true;
            }
        }
        if moved { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// The peer does not take what there is for it. An error: for too long.
    fn stall(&mut self, cx: &mut Context<'_>, moved: bool) -> Result<(), ()> {
        let limit = self.state.shared.config.write_timeout;
        if moved {
            self.stalled = None;
        }
        if limit == 0 {
            return Ok(());
        }
        let wait = || Box::pin(tokio::time::sleep(Duration::from_millis(limit.into())));
        if self.stalled.get_or_insert_with(wait).as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        count(&self.state.own().counters.timeout_write);
        Err(())
    }

    /// Writes as much as the transport takes now.
    fn send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Result<usize, ()> {
        let counters = &self.state.own().counters;
        let mut sent = 0;
        while sent < bytes.len() {
            match self.transport.poll_write(cx, &bytes[sent..]) {
                Poll::Ready(Ok(n)) if n > 0 => {
                    add(&counters.writes, 1);
                    add(&counters.bytes_out, n as u64);
                    sent += n;
                }
                Poll::Ready(_) => return Err(()),
                Poll::Pending => break,
            }
        }
        Ok(sent)
    }
}
