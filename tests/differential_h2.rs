//! The same bytes through plain `h2` and through h2ws give the same: what the split takes away from `h2` must not show.
//!
//! Random conversations: WebSockets and requests on one connection, DATA cut and padded in many ways, streams interleaved,
//! header blocks with CONTINUATION, trailers, resets, other frames in between. Known deviations are not generated:
//! - DATA after END_STREAM on a WebSocket: `h2` ends the connection, h2ws resets the stream (RFC 9113 §5.1);
//! - WINDOW_UPDATE of 0 on a WebSocket: the same (§6.9);
//! - empty DATA: `h2` allows 100 in a connection's life, h2ws so many a second.

use h2::ext::Protocol;
use h2ws::proto::frame::MessageKind;
use h2ws::proto::receive::{Received, Receiver, Rules};
use h2ws::{
    Accept, Body, Cause, Closed, Config, Control, Engine, Handler, ListenOptions, Message, Request, Side, StreamId,
    StreamKind,
};
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;
use support::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, PADDED, PING, PREFACE, ws_frame,
};
use support::hpack;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

mod support;

const WINDOW: u32 = 1 << 20;
const BARRIER: [u8; 8] = *b"barrier!";
/// How long anything may take: a bound on failure, not a wait.
const LIMIT: Duration = Duration::from_secs(30);

/// What became of a stream.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// The connection ended first.
    Open,
    Whole,
    Trailers(String),
    Reset(u32),
}

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Socket(Vec<(MessageKind, Vec<u8>)>, End),
    Request(Vec<u8>, End),
}

/// One step of a conversation.
#[derive(Clone, Debug)]
enum Step {
    Data { stream: usize, len: usize, pad: Option<u8>, end: bool },
    Trailers { stream: usize },
    Reset { stream: usize, code: u32 },
    Ping,
    Settings,
    ConnectionWindow,
}

#[derive(Clone, Debug)]
struct Conversation {
    /// For each stream: whether it is a WebSocket, and whether its header block is in two frames.
    streams: Vec<(bool, bool)>,
    /// The messages of each WebSocket, as text or binary.
    messages: Vec<(bool, Vec<u8>)>,
    steps: Vec<Step>,
    /// What is given along with the socket, and the sizes of the pieces that follow.
    first: usize,
    pieces: Vec<usize>,
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let step = prop_oneof![
        12 => (0..6usize, 1..700usize, proptest::option::weighted(0.2, any::<u8>()), proptest::bool::weighted(0.08))
            .prop_map(|(stream, len, pad, end)| Step::Data { stream, len, pad, end }),
        1 => (0..6usize).prop_map(|stream| Step::Trailers { stream }),
        1 => (0..6usize, 0..14u32).prop_map(|(stream, code)| Step::Reset { stream, code }),
        1 => Just(Step::Ping),
        1 => Just(Step::Settings),
        1 => Just(Step::ConnectionWindow),
    ];
    (
        proptest::collection::vec((proptest::bool::weighted(0.7), any::<bool>()), 1..6),
        proptest::collection::vec((any::<bool>(), proptest::collection::vec(0x20..0x7fu8, 0..300)), 1..12),
        proptest::collection::vec(step, 1..60),
        0..400usize,
        proptest::collection::vec(1..900usize, 1..8),
    )
        .prop_map(|(streams, messages, steps, first, pieces)| Conversation {
            streams,
            messages,
            steps,
            first,
            pieces,
        })
}

impl Conversation {
    /// The client's bytes, without the barrier; streams that the client has ended take no further steps.
    fn bytes(&self, case: &str) -> Vec<u8> {
        let mut out = PREFACE.to_vec();
        out.extend(Frame::settings(&[]).encode());
        for (i, (websocket, cut)) in self.streams.iter().enumerate() {
            let path = format!("/{case}/{i}");
            let fields: Vec<(&str, &str)> = if *websocket {
                vec![
                    (":method", "CONNECT"),
                    (":protocol", "websocket"),
                    (":scheme", "http"),
                    (":path", &path),
                    (":authority", "test"),
                    ("sec-websocket-version", "13"),
                ]
            } else {
                vec![(":method", "POST"), (":scheme", "http"), (":path", &path), (":authority", "test")]
            };
            let block = hpack::encode(&fields);
            let (a, b) = block.split_at(block.len() / 2);
            if *cut {
                out.extend(Frame::new(HEADERS, 0, id(i), a).encode());
                out.extend(Frame::new(CONTINUATION, END_HEADERS, id(i), b).encode());
            } else {
                out.extend(Frame::new(HEADERS, END_HEADERS, id(i), block).encode());
            }
        }
        let mut source: Vec<Vec<u8>> = self.streams.iter().map(|(websocket, _)| self.payload(*websocket)).collect();
        let mut open = vec![true; self.streams.len()];
        for step in &self.steps {
            match *step {
                Step::Data { stream, len, pad, end } if open.get(stream) == Some(&true) => {
                    let len = len.min(source[stream].len());
                    if len == 0 && !end {
                        continue;
                    }
                    let data: Vec<u8> = source[stream].drain(..len).collect();
                    let mut flags = if end { END_STREAM } else { 0 };
                    let payload = match pad {
                        Some(pad) => {
                            flags |= PADDED;
                            [&[pad], &data[..], &vec![0; pad.into()]].concat()
                        }
                        None => data,
                    };
                    out.extend(Frame::new(DATA, flags, id(stream), payload).encode());
                    open[stream] = !end;
                }
                Step::Trailers { stream } if open.get(stream) == Some(&true) => {
                    let block = hpack::encode(&[("x-trailer", "the end")]);
                    out.extend(Frame::new(HEADERS, END_HEADERS | END_STREAM, id(stream), block).encode());
                    open[stream] = false;
                }
                Step::Reset { stream, code } if open.get(stream) == Some(&true) => {
                    out.extend(Frame::rst(id(stream), code).encode());
                    open[stream] = false;
                }
                Step::Ping => out.extend(Frame::ping(*b"just so.").encode()),
                Step::Settings => out.extend(Frame::settings(&[]).encode()),
                Step::ConnectionWindow => out.extend(Frame::window_update(0, 1000).encode()),
                _ => {}
            }
        }
        out
    }

    /// All that a stream could send: the messages as frames, some in two fragments, or just bytes.
    fn payload(&self, websocket: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, (text, payload)) in self.messages.iter().enumerate() {
            let opcode = if *text { 1 } else { 2 };
            match (websocket, i % 3) {
                (false, _) => out.extend(payload),
                (true, 0) => {
                    let (a, b) = payload.split_at(payload.len() / 2);
                    out.extend(ws_frame(false, opcode, a));
                    out.extend(ws_frame(true, 0, b));
                }
                _ => out.extend(ws_frame(true, opcode, payload)),
            }
        }
        out
    }
}

fn id(stream: usize) -> u32 {
    2 * stream as u32 + 1
}

/// Writes the conversation in its pieces, then the barrier; when that is answered it says that it ends, and reads on until
/// the server has ended too: nothing of the server's is refused meanwhile.
fn converse(mut socket: UnixStream, bytes: &[u8], pieces: &[usize]) {
    let mut reading = socket.try_clone().expect("a second handle");
    reading.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let (answered, answer) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut head = [0; 9];
        while reading.read_exact(&mut head).is_ok() {
            let len = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; len];
            reading.read_exact(&mut payload).expect("a whole frame");
            if head[3] == PING && head[4] & ACK != 0 && payload == BARRIER {
                answered.send(()).expect("somebody waits for it");
            }
        }
    });
    let mut rest = bytes;
    for n in pieces.iter().cycle() {
        let (piece, later) = rest.split_at((*n).min(rest.len()));
        socket.write_all(piece).expect("the server reads");
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    socket.write_all(&Frame::ping(BARRIER).encode()).expect("the server reads");
    answer.recv_timeout(LIMIT).expect("the barrier is answered");
    socket.shutdown(Shutdown::Write).expect("connected");
    reader.join().expect("the server ends too");
}

// --- plain h2 --------------------------------------------------------------------------------------------------------

/// A socket that hangs up late: `h2` could read the hang-up together with what came before, and its streams, which have
/// tasks of their own here, would learn of the hang-up alone.
struct HangsUpLate {
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
fn through_h2(bytes: &[u8], pieces: &[usize]) -> HashMap<String, Seen> {
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
                let path = request.uri().path().to_owned();
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
                let all = if websocket { Seen::Socket(messages(&data), end) } else { Seen::Request(data, end) };
                seen.insert(path, all);
            }
            seen
        })
    });
    converse(ours, bytes, pieces);
    server.join().expect("the reference server")
}

fn messages(mut bytes: &[u8]) -> Vec<(MessageKind, Vec<u8>)> {
    let rules = Rules { max_message: 1 << 20, max_fragments: 1024, parts: false };
    let (mut receiver, mut out, mut messages) = (Receiver::default(), Vec::new(), Vec::new());
    while let Some(received) = receiver.feed(&mut bytes, &rules, &mut out).expect("valid frames") {
        if let Received::Message { kind } = received {
            messages.push((kind, out.clone()));
        }
    }
    messages
}

// --- h2ws ------------------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Record {
    paths: HashMap<StreamId, String>,
    seen: HashMap<String, Seen>,
    ended: HashMap<String, bool>,
}

struct Recorder {
    engine: Engine,
    record: Arc<(Mutex<Record>, Condvar)>,
}

impl Recorder {
    fn with(&self, stream: StreamId, change: impl FnOnce(&mut Seen)) {
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        let path = &record.paths[&stream];
        change(record.seen.get_mut(path).expect("registered with the path"));
    }
}

impl Handler for Recorder {
    fn request(&self, request: &Request<'_>) {
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        record.paths.insert(request.stream, request.path.to_owned());
        let seen = match request.kind {
            StreamKind::WebSocket => {
                let accept = Accept { control: Control::Manual, ..Accept::default() };
                self.engine.accept(request.stream, &accept).expect("a handshake that has just come");
                Seen::Socket(Vec::new(), End::Open)
            }
            StreamKind::Http => Seen::Request(Vec::new(), End::Open),
        };
        record.seen.insert(request.path.to_owned(), seen);
    }

    fn message(&self, message: &Message<'_>) {
        self.with(message.stream, |seen| match seen {
            Seen::Socket(messages, _) => messages.push((message.kind, message.data.to_vec())),
            Seen::Request(..) => panic!("a message on a request"),
        });
    }

    fn body(&self, body: &Body<'_>) {
        self.with(body.stream, |seen| match seen {
            Seen::Request(data, end) => {
                data.extend_from_slice(body.data);
                if body.end {
                    *end = match body.trailers.and_then(|t| t.get("x-trailer")) {
                        Some(value) => End::Trailers(value.to_str().unwrap_or_default().to_owned()),
                        None => End::Whole,
                    };
                }
            }
            Seen::Socket(..) => panic!("a body on a WebSocket"),
        });
    }

    fn closed(&self, closed: &Closed<'_>) {
        self.with(closed.stream, |seen| {
            let (Seen::Socket(_, end) | Seen::Request(_, end)) = seen;
            match (closed.cause, closed.side) {
                (Cause::Reset, Side::Remote) => *end = End::Reset(closed.h2_code),
                (Cause::EndStream, _) => *end = End::Whole,
                // HEADERS on a WebSocket are its client's fault (RFC 9113 §8.5); `h2` takes them for trailers
                (Cause::Violation, _) => *end = End::Trailers("the end".to_owned()),
                (Cause::Disconnected, _) => {}
                other => panic!("{other:?}: {}", closed.reason),
            }
        });
        let record = &mut *self.record.0.lock().expect("no test panics with it");
        let path = record.paths.remove(&closed.stream).expect("registered with the path");
        record.ended.insert(path, true);
        self.record.1.notify_all();
    }
}

type Shared = (Engine, Arc<(Mutex<Record>, Condvar)>);

/// One engine for all cases.
fn engine() -> &'static Shared {
    static ENGINE: OnceLock<Shared> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let record = Arc::new((Mutex::new(Record::default()), Condvar::new()));
        let config =
            Config { loops: 1, stream_window: WINDOW, settings_rate: 1000, ping_rate: 1000, ..Config::default() };
        let ours = Arc::clone(&record);
        (Engine::start(config, |engine| Recorder { engine, record: ours }).expect("an engine"), record)
    })
}

fn through_h2ws(case: &str, streams: usize, bytes: &[u8], first: usize, pieces: &[usize]) -> HashMap<String, Seen> {
    let (engine, shared) = engine();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let (already_read, rest) = bytes.split_at(first.min(bytes.len()));
    engine.adopt(theirs.into(), already_read, &ListenOptions::default()).expect("adopted");
    converse(ours, rest, pieces);
    let paths: Vec<String> = (0..streams).map(|i| format!("/{case}/{i}")).collect();
    let record = shared.0.lock().expect("no test panics with it");
    let (mut record, late) = shared
        .1
        .wait_timeout_while(record, LIMIT, |record| !paths.iter().all(|path| record.ended.contains_key(path)))
        .expect("no test panics with it");
    assert!(!late.timed_out(), "each stream has its last event");
    paths.into_iter().filter_map(|path| Some((path.clone(), record.seen.remove(&path)?))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn h2_and_h2ws_see_the_same(conversation in conversation()) {
        static CASE: AtomicU32 = AtomicU32::new(0);
        let case = CASE.fetch_add(1, Ordering::Relaxed).to_string();
        let bytes = conversation.bytes(&case);
        let expected = through_h2(&bytes, &conversation.pieces);
        let seen = through_h2ws(&case, conversation.streams.len(), &bytes, conversation.first, &conversation.pieces);
        for (path, expected) in expected {
            let seen = seen.get(&path);
            prop_assert!(seen == Some(&expected), "{path}: {seen:?}\nand not {expected:?}");
        }
    }
}
