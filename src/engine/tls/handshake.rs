//! The handshake of a connection, under its deadline and with its counters.

use super::Tls;
use super::info::TlsInfo;
use super::stream::TlsStream;
use crate::engine::event::LogLevel;
use crate::engine::listener::ListenOptions;
use crate::engine::loops::{LoopState, within};
use crate::engine::stats::count;
use crate::engine::transport::{Plain, Transport, linger};
use rustls::ServerConfig;
use std::future::poll_fn;
use std::sync::Arc;

/// The content type of the records that a handshake begins with (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// For those who speak HTTP/1.1 without TLS to a port with it.
const USE_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 40\r\n\r\nThis port speaks TLS: use https or wss.\n";

enum Outcome {
    Shaken(Box<TlsStream>),
    /// The connection ended before its first byte.
    Nothing,
    /// It begins with something else than TLS.
    Cleartext(Plain),
    /// The alert that says so is on its way.
    Failed(Plain, String),
}

/// Shakes hands. `read` is what somebody has read from the socket; afterwards, what the client sent behind its last flight.
/// `None`: it came to nothing, which has been counted, logged and answered.
pub(crate) async fn accept(
    state: &LoopState,
    socket: Plain,
    tls: &Tls,
    options: &ListenOptions,
    peer: &str,
    read: &mut Vec<u8>,
) -> Option<(Transport, Box<TlsInfo>)> {
    let limit = state.shared.config.tls_timeout;
    let counters = &state.own().counters;
    let config = tls.server_config(options.http1, options.http2);
    let Some(outcome) = within(limit, shake(socket, config, read)).await else {
        count(&counters.timeout_tls);
        let text = format!("connection of {peer} ended: no TLS handshake within {limit} ms (tls_timeout)");
        state.shared.log(LogLevel::Info, &text);
        return None;
    };
    let (socket, why) = match outcome {
        Outcome::Nothing => return None,
        Outcome::Shaken(stream) => {
            let info = TlsInfo::of(stream.session());
            count(&counters.tls_handshakes);
            if info.resumed {
                count(&counters.tls_resumed);
            }
            return Some((Transport::Tls(stream), Box::new(info)));
        }
        Outcome::Cleartext(mut socket) => {
            if read[0].is_ascii_uppercase() {
                let _ = poll_fn(|cx| socket.poll_write(cx, USE_TLS)).await;
            }
            (socket, format!("it began with {:#04x}, not with a TLS handshake", read[0]))
        }
        Outcome::Failed(socket, why) => (socket, why),
    };
    count(&counters.refused_tls);
    state.shared.log(LogLevel::Info, &format!("connection of {peer} refused: {why}"));
    linger(&mut Transport::Plain(socket)).await;
    None
}

async fn shake(mut socket: Plain, config: Arc<ServerConfig>, read: &mut Vec<u8>) -> Outcome {
    if read.is_empty() {
        let mut first = vec![0; 4096];
        match poll_fn(|cx| socket.poll_read(cx, &mut first)).await {
            Ok(n) if n > 0 => read.extend_from_slice(&first[..n]),
            _ => return Outcome::Nothing,
        }
    }
    if read[0] != HANDSHAKE {
        return Outcome::Cleartext(socket);
    }
    let mut stream = match TlsStream::new(socket, config) {
        Ok(stream) => stream,
        Err((socket, e)) => return Outcome::Failed(socket, e.to_string()),
    };
    match stream.shake(read).await {
        Ok(()) => Outcome::Shaken(Box::new(stream)),
        Err(e) => Outcome::Failed(stream.into_socket(), e.to_string()),
    }
}
