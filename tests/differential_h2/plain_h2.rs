//! A conversation served by `h2` alone.

use crate::WINDOW;
use crate::conversation::converse;
use crate::seen::{End, Seen, Told};
use h2::ext::Protocol;
use h2ws::ControlKind;
use h2ws::proto::receive::{Received, Receiver, Rules};
use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket that hangs up late: `h2` could read the hang-up together with what came before, and its streams, which have
/// tasks of their own here, would learn of the hang-up alone.
pub(crate) struct HangsUpLate {
    socket: tokio::net::UnixStream,
    /// Turns of all tasks before the end is told.
    turns: u32,
}

impl AsyncRead for HangsUpLate {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, into);
        if read.is_ready() && into.filled().len() == before && self.turns > 0 {
            self.turns -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        read
    }
}

impl AsyncWrite for HangsUpLate {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

async fn read_all(mut body: h2::RecvStream) -> (Vec<u8>, End) {
    let mut all = Vec::new();
    loop {
        match body.data().await {
            Some(Ok(data)) => {
                all.extend_from_slice(&data);
                let _ = body.flow_control().release_capacity(data.len());
            }
            Some(Err(e)) if e.is_reset() => return (all, End::Reset(e.reason().map_or(0, u32::from))),
            Some(Err(_)) => return (all, End::Open),
            None => break,
        }
    }
    match body.trailers().await {
        Ok(Some(trailers)) => {
            let value = trailers.get("x-trailer").and_then(|v| v.to_str().ok()).unwrap_or_default();
            (all, End::Trailers(value.to_owned()))
        }
        Ok(None) => (all, End::Whole),
        Err(e) if e.is_reset() => (all, End::Reset(e.reason().map_or(0, u32::from))),
        Err(_) => (all, End::Open),
    }
}

/// What plain `h2` sees: for each path, whether it is a WebSocket, its bytes, its end.
pub(crate) fn serve(bytes: &[u8], pieces: &[usize]) -> HashMap<String, Seen> {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(async move {
            theirs.set_nonblocking(true).expect("non-blocking");
            let socket = tokio::net::UnixStream::from_std(theirs).expect("registered");
            let socket = HangsUpLate { socket, turns: 100 };
            let mut builder = h2::server::Builder::new();
            builder
                .enable_connect_protocol()
                .initial_window_size(WINDOW)
                .initial_connection_window_size(16 << 20)
                .max_local_error_reset_streams(None)
                .max_pending_accept_reset_streams(1000)
                .data_frame_budget(1 << 40);
            let mut connection = builder.handshake::<_, bytes::Bytes>(socket).await.expect("a handshake");
            let mut streams = Vec::new();
            while let Some(Ok((request, mut send))) = connection.accept().await {
                let path = request.uri().path_and_query().expect("the client sends one").to_string();
                let websocket = request.extensions().get::<Protocol>().is_some();
                // the response stays open, as a WebSocket's does; an error: the client has reset it already
                let sending = websocket.then(|| send.send_response(http::Response::new(()), false));
                streams.push(tokio::spawn(async move {
                    let (data, end) = read_all(request.into_body()).await;
                    drop((sending, send));
                    (path, websocket, data, end)
                }));
            }
            // streams that are open learn of the end
            drop(connection);
            let mut seen = HashMap::new();
            for stream in streams {
                let (path, websocket, data, end) = stream.await.expect("a stream's task");
                let parts = path.ends_with("?parts");
                let all = if websocket { Seen::Socket(told(&data, parts), end) } else { Seen::Request(data, end) };
                seen.insert(path, all);
            }
            seen
        })
    });
    converse(ours, bytes, pieces);
    server.join().expect("the reference server")
}

/// What a WebSocket's bytes say.
pub(crate) fn told(mut bytes: &[u8], parts: bool) -> Vec<Told> {
    let rules = Rules { max_message: 1 << 20, max_fragments: 1024, parts, gather: 0, compression: false };
    let (mut receiver, mut out, mut told) = (Receiver::default(), Vec::new(), Vec::new());
    while let Some(received) = receiver.feed(&mut bytes, &rules, &mut out).expect("valid frames") {
        match received {
            Received::Message { kind } => told.push(Told::Message(kind, out.clone())),
            Received::Part { kind, first, last } => Told::add_part(&mut told, kind, &out, first, last),
            Received::Compressed { .. } | Received::CompressedPart { .. } => unreachable!("not agreed on"),
            Received::Ping => told.push(Told::Control(ControlKind::Ping, None, out.clone())),
            Received::Pong => told.push(Told::Control(ControlKind::Pong, None, out.clone())),
            Received::Close { code } => told.push(Told::Control(ControlKind::Close, code, out.clone())),
        }
    }
    told
}
