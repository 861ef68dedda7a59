//! The first bytes of a connection: an HTTP/2 preface (RFC 9113 §3.4), or something else.

use super::event::LogLevel;
use super::handle::ConnectionId;
use super::http2;
use super::listener::Incoming;
use super::loops::LoopState;
use super::stats::count;
use super::transport::Transport;
use crate::proto::scan::PREFACE;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What may come in front of a line's end before we stop looking for an HTTP/1 request line.
const MAX_LINE: usize = 4 << 10;

/// A connection whose protocol is known.
pub(crate) struct Greeted {
    pub(crate) id: ConnectionId,
    pub(crate) transport: Transport,
    /// The peer's address as text.
    pub(crate) peer: String,
    /// All that was read from it so far.
    pub(crate) read: Vec<u8>,
    pub(crate) websockets: bool,
}

/// Makes sure that a connection is counted out, however its task ends.
struct Counted(Rc<LoopState>, #[allow(dead_code)] Rc<()>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.shared.disconnected(self.0.index);
    }
}

/// Serves a connection from its first byte to its last.
pub(crate) async fn serve(state: Rc<LoopState>, incoming: Incoming) {
    let _counted = Counted(Rc::clone(&state), Rc::clone(&state.alive));
    // made before the flag is read, so that no end is missed between the two
    let ending = state.ending.notified();
    if state.stopping() || state.shared.draining.load(Ordering::Acquire) {
        return;
    }
    let peer = incoming.socket.peer();
    let (id, options) = (incoming.id, incoming.options);
    let mut transport = match Transport::register(incoming.socket) {
        Ok(transport) => transport,
        Err(e) => return state.shared.log(LogLevel::Warn, &format!("a socket could not be watched: {e}")),
    };
    let limit = state.shared.config.preface_timeout;
    let mut read = incoming.already_read;
    let look = async {
        tokio::select! {
            found = look(&mut transport, &mut read) => found,
            // it has asked for nothing yet, so nothing is lost
            () = ending => Found::End,
        }
    };
    let found = if limit == 0 {
        look.await
    } else {
        match tokio::time::timeout(Duration::from_millis(limit.into()), look).await {
            Ok(found) => found,
            Err(_) => {
                count(&state.own().counters.timeout_preface);
                return state.shared.log(
                    LogLevel::Info,
                    &format!("connection of {peer} ended: no preface within {limit} ms (preface_timeout)"),
                );
            }
        }
    };
    match found {
        Found::Http2 if options.http2 => {
            let greeted = Greeted { id, transport, peer, read, websockets: options.websockets };
            http2::serve(state, greeted).await;
        }
        Found::End => {}
        other => {
            if state.shared.config.fallback {
                if let Ok(fd) = transport.into_fd() {
                    count(&state.own().counters.fallbacks);
                    // the host's code: its panic must not end the loop
                    let handler = &state.handler;
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| handler.fallback(fd, &read)));
                }
                return;
            }
            count(&state.own().counters.refused_preface);
            state.shared.log(
                LogLevel::Info,
                &format!("connection of {peer} refused: it does not begin with an HTTP/2 preface"),
            );
            let answer: &[u8] = match other {
                Found::Http1 => {
                    b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-type: text/plain\r\n\
                      content-length: 30\r\n\r\nThis port speaks HTTP/2 only.\n"
                }
                // SETTINGS, then GOAWAY with PROTOCOL_ERROR
                _ => b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01",
            };
            let _ = poll_fn(|cx| transport.poll_write(cx, answer)).await;
            linger(&mut transport).await;
        }
    }
}

/// Sends FIN and reads what is still under way, for a moment: closing a socket with unread bytes would reset it
/// and lose the answer.
pub(super) async fn linger(transport: &mut Transport) {
    let _ = poll_fn(|cx| transport.poll_shutdown(cx)).await;
    let mut sink = [0; 4096];
    let drained = async {
        for _ in 0..64 {
            match poll_fn(|cx| transport.poll_read(cx, &mut sink)).await {
                Ok(n) if n > 0 => {}
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
}

enum Found {
    Http2,
    /// A request line of HTTP/1.
    Http1,
    /// Neither.
    Other,
    /// The connection ended.
    End,
}

/// Reads until it is clear what this is.
async fn look(transport: &mut Transport, read: &mut Vec<u8>) -> Found {
    let mut buffer = [0; 1024];
    loop {
        let n = read.len().min(PREFACE.len());
        if read[..n] == PREFACE[..n] {
            if n == PREFACE.len() {
                return Found::Http2;
            }
        } else if let Some(end) = read.iter().position(|&b| b == b'\n') {
            let line = read[..end].strip_suffix(b"\r").unwrap_or(&read[..end]);
            let http1 = line.len() > 9 && line[line.len() - 9..].starts_with(b" HTTP/1.");
            return if http1 { Found::Http1 } else { Found::Other };
        } else if read.len() > MAX_LINE || read.iter().any(|&b| b < b' ' && b != b'\r' && b != b'\t') {
            return Found::Other;
        }
        match poll_fn(|cx| transport.poll_read(cx, &mut buffer)).await {
            Ok(0) if read.is_empty() => return Found::End,
            Ok(0) => return Found::Other,
            Ok(n) => read.extend_from_slice(&buffer[..n]),
            Err(_) => return Found::End,
        }
    }
}
