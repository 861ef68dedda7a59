//! A host that writes down every event, and does with a stream what its path says.

use super::FAILURE;
use super::bridge::{self, Bridges};
use super::client::{Client, Hello};
use super::hpack::Field;
use h2ws::{
    Accept, Body, Cause, Closed, Config, ConnectionId, Control, ControlFrame, ControlKind, Credit, Delivery, Engine,
    Error, Fallback, Fragment, HandedBack, Handler, ListenOptions, ListenerId, LogLevel, Message, MessageKind, Ready,
    Request, Side, Stats, Status, StreamId, StreamKind, TlsInfo,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A [`Request`] to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub stream: StreamId,
    pub kind: StreamKind,
    pub method: String,
    pub scheme: String,
    pub authority: String,
    pub path: String,
    pub headers: Vec<Field>,
    pub subprotocols: Vec<String>,
    pub peer: String,
    pub end: bool,
    pub version: http::Version,
    pub tls: Option<Box<TlsInfo>>,
    pub h2_stream: u32,
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A [`Closed`] to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Final {
    pub stream: StreamId,
    pub kind: StreamKind,
    pub code: u16,
    pub reason: String,
    pub cause: Cause,
    pub h2_code: u32,
    pub side: Side,
}

impl Final {
    /// Code, cause, HTTP/2 code and side: all but the text.
    pub fn facts(&self) -> (u16, Cause, u32, Side) {
        (self.code, self.cause, self.h2_code, self.side)
    }
}

/// An event to keep.
#[derive(Debug)]
pub enum Event {
    Request(Head),
    Body { stream: StreamId, data: Vec<u8>, end: bool, trailers: Option<Vec<Field>> },
    Message { stream: StreamId, context: u64, kind: MessageKind, data: Vec<u8> },
    Fragment { stream: StreamId, kind: MessageKind, data: Vec<u8>, first: bool, last: bool },
    Control { stream: StreamId, kind: ControlKind, data: Vec<u8>, code: Option<u16> },
    Writable { stream: StreamId },
    Closed(Final),
    Fallback { connection: ConnectionId, listener: Option<ListenerId>, socket: Option<OwnedFd>, already_read: Vec<u8> },
    Duplex { connection: ConnectionId, context: u64, ready: Ready },
    Disconnected { connection: ConnectionId },
    Log { level: LogLevel, text: String },
}

impl Event {
    /// Which stream it is about.
    pub fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Request(head) => Some(head.stream),
            Self::Closed(closed) => Some(closed.stream),
            Self::Body { stream, .. }
            | Self::Message { stream, .. }
            | Self::Fragment { stream, .. }
            | Self::Control { stream, .. }
            | Self::Writable { stream } => Some(*stream),
            Self::Fallback { .. } | Self::Duplex { .. } | Self::Disconnected { .. } | Self::Log { .. } => None,
        }
    }
}

/// The events so far.
#[derive(Debug, Default)]
pub struct Record {
    events: Mutex<Vec<Event>>,
    changed: Condvar,
}

impl Record {
    fn push(&self, event: Event) {
        self.lock().push(event);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        // A test may panic while it looks at the events; that must not end the loops, and hide why.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a host does with a stream, by the first segment of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// Nothing: the test does it.
    Test,
    /// Sends each message, or part of one, back.
    Echo,
    /// The same, uncompressed.
    EchoPlain,
    /// Sends a body and its trailers back, piece by piece.
    EchoBody,
    /// Sends each message, its second half and its last bytes to all sockets that are so, out of what it was lent.
    Relay,
    /// Joins each part of a message to the one before.
    Join,
    /// Panics in `message`.
    PanicOnMessage,
    /// Counts the bytes of parts, and keeps no event of them.
    Sink,
}

/// A stream's conduct, and what it wanted to send while it was busy.
#[derive(Debug)]
struct Place {
    conduct: Conduct,
    waiting: VecDeque<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Message(MessageKind, Vec<u8>),
    Plain(MessageKind, Vec<u8>),
    Fragment(MessageKind, Vec<u8>, bool),
    Body(Vec<u8>),
    Finish(Option<HeaderMap>),
    Demand,
}

/// A door at which the loop waits in a request of `/block`, until the test opens it.
#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().expect("not poisoned");
        let (open, _) = self.opened.wait_timeout_while(open, FAILURE, |open| !*open).expect("not poisoned");
        assert!(*open, "the test did not open the gate in time");
    }
}

struct TestHandler {
    engine: Engine,
    record: Arc<Record>,
    gate: Arc<Gate>,
    sunk: Arc<AtomicU64>,
    bridges: Arc<Bridges>,
    places: Mutex<HashMap<StreamId, Place>>,
}

impl TestHandler {
    fn conduct(&self, stream: StreamId) -> Conduct {
        self.places.lock().expect("not poisoned").get(&stream).map_or(Conduct::Test, |place| place.conduct)
    }

    /// Sends `piece` after what waits already. A stream that has gone meanwhile needs nothing.
    fn give(&self, stream: StreamId, piece: Piece) {
        let mut queue = {
            let mut places = self.places.lock().expect("not poisoned");
            let Some(place) = places.get_mut(&stream) else { return };
            place.waiting.push_back(piece);
            std::mem::take(&mut place.waiting)
        };
        while let Some(piece) = queue.front() {
            match self.apply(stream, piece) {
                Err(error) if error.status() == Status::Busy => break,
                Ok(()) | Err(_) => queue.pop_front(),
            };
        }
        if let Some(place) = self.places.lock().expect("not poisoned").get_mut(&stream) {
            place.waiting = queue;
        }
    }

    fn apply(&self, stream: StreamId, piece: &Piece) -> Result<(), Error> {
        match piece {
            Piece::Message(kind, data) => self.engine.send(stream, *kind, data),
            Piece::Plain(kind, data) => self.engine.send_uncompressed(stream, *kind, data),
            Piece::Fragment(kind, data, last) => self.engine.send_fragment(stream, *kind, data, *last),
            Piece::Body(data) => self.engine.send_body(stream, data),
            Piece::Finish(trailers) => self.engine.finish(stream, trailers.clone()),
            Piece::Demand => self.engine.demand(stream, 1),
        }
    }

    fn websocket(&self, request: &Request<'_>, route: &str, argument: &str) -> Result<Conduct, Error> {
        let stream = request.stream;
        let mut accept = Accept { context: 7, ..Accept::default() };
        let conduct = match route {
            "echo" => {
                accept.subprotocol = request.subprotocols.iter().find(|name| **name == "echo").copied();
                Conduct::Echo
            }
            "plain" => Conduct::EchoPlain,
            "relay" => Conduct::Relay,
            "no-deflate" => {
                accept.compress = false;
                Conduct::Echo
            }
            "quiet" => Conduct::Test,
            "manual" => {
                accept.control = Control::Manual;
                Conduct::Test
            }
            "manual-demand" => {
                accept.control = Control::Manual;
                accept.credit = Credit::Demand;
                Conduct::Test
            }
            "fragments" => {
                accept.delivery = Delivery::Fragments;
                Conduct::Echo
            }
            "sink" => {
                accept.delivery = Delivery::Fragments;
                Conduct::Sink
            }
            "close" => {
                self.engine.accept(stream, &accept)?;
                self.engine.close(stream, Some(argument.parse().expect("/close/CODE")), "bye")?;
                return Ok(Conduct::Test);
            }
            "abort" => {
                self.engine.accept(stream, &accept)?;
                self.engine.abort(stream, argument.parse().expect("/abort/CODE"))?;
                return Ok(Conduct::Test);
            }
            "demand" => {
                accept.credit = Credit::Demand;
                Conduct::Test
            }
            "demand-echo" => {
                accept.credit = Credit::Demand;
                Conduct::Echo
            }
            "demand-fragments" => {
                accept.credit = Credit::Demand;
                accept.delivery = Delivery::Fragments;
                Conduct::Test
            }
            "join" => {
                accept.credit = Credit::Demand;
                accept.delivery = Delivery::Fragments;
                Conduct::Join
            }
            "headers" => {
                accept.headers = header_map(&[("x-extra", "1"), ("content-length", "5"), ("connection", "upgrade")]);
                Conduct::Test
            }
            "reject" => {
                let status = argument.parse().expect("/reject/STATUS");
                self.engine.reject(stream, status, header_map(&[("x-reason", "none")]), b"no\n")?;
                return Ok(Conduct::Test);
            }
            "panic" => panic!("a panic of the host, as the test asked"),
            "panic-on-message" => Conduct::PanicOnMessage,
            // The test decides, or nobody.
            "never" | "later" => return Ok(Conduct::Test),
            _ => {
                self.engine.reject(stream, 404, HeaderMap::new(), b"")?;
                return Ok(Conduct::Test);
            }
        };
        self.engine.accept(stream, &accept)?;
        Ok(conduct)
    }

    fn http(&self, request: &Request<'_>, route: &str, argument: &str) -> Result<Conduct, Error> {
        let (engine, stream) = (&self.engine, request.stream);
        match route {
            "hello" => engine.respond(stream, 200, header_map(&[("content-type", "text/plain")]), b"hello, world")?,
            "bytes" => {
                engine.respond(stream, 200, HeaderMap::new(), &vec![b'x'; argument.parse().expect("/bytes/N")])?
            }
            "status" => engine.respond(stream, argument.parse().expect("/status/N"), HeaderMap::new(), b"")?,
            "early" => engine.respond(stream, 413, HeaderMap::new(), b"enough")?,
            "echo-body" => {
                engine.set_demand(stream)?;
                engine.respond_start(stream, 200, HeaderMap::new())?;
                engine.demand(stream, 1)?;
                return Ok(Conduct::EchoBody);
            }
            "demand-body" => engine.set_demand(stream)?,
            "inform" => {
                engine.inform(stream, 103, header_map(&[("link", "</style.css>; rel=preload")]))?;
                engine.respond(stream, 200, HeaderMap::new(), b"after")?;
            }
            "trailers" => {
                engine.respond_start(stream, 200, HeaderMap::new())?;
                engine.send_body(stream, b"body")?;
                engine.finish(stream, Some(header_map(&[("x-checksum", "4")])))?;
            }
            "panic" => panic!("a panic of the host, as the test asked"),
            "block" => {
                self.gate.pass();
                engine.respond(stream, 200, HeaderMap::new(), b"")?;
            }
            "blocking-calls" => {
                let outcome =
                    [engine.drain(Duration::from_secs(1)), engine.shutdown()].map(|r| r.map_err(|e| e.status()));
                engine.respond(stream, 200, HeaderMap::new(), format!("{outcome:?}").as_bytes())?;
            }
            "test" => {}
            _ => engine.respond(stream, 404, HeaderMap::new(), b"")?,
        }
        Ok(Conduct::Test)
    }
}

impl Handler for TestHandler {
    fn request(&self, request: &Request<'_>) {
        self.record.push(Event::Request(Head {
            stream: request.stream,
            kind: request.kind,
            method: request.method.to_owned(),
            scheme: request.scheme.to_owned(),
            authority: request.authority.to_owned(),
            path: request.path.to_owned(),
            headers: field_list(request.headers),
            subprotocols: request.subprotocols.iter().map(|name| (*name).to_owned()).collect(),
            peer: request.peer.to_owned(),
            end: request.end,
            version: request.version,
            tls: request.tls.cloned().map(Box::new),
            h2_stream: request.h2_stream,
        }));
        let path = request.path.split('?').next().unwrap_or_default();
        let mut segments = path.trim_start_matches('/').splitn(2, '/');
        let (route, argument) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let outcome = match request.kind {
            StreamKind::WebSocket => self.websocket(request, route, argument),
            StreamKind::Http => self.http(request, route, argument),
        };
        // Refused only where the stream has gone meanwhile, which `closed` then says.
        if let Ok(conduct) = outcome {
            let place = Place { conduct, waiting: VecDeque::new() };
            self.places.lock().expect("not poisoned").insert(request.stream, place);
        }
    }

    fn body(&self, body: &Body<'_>) {
        self.record.push(Event::Body {
            stream: body.stream,
            data: body.data.to_vec(),
            end: body.end,
            trailers: body.trailers.map(field_list),
        });
        if self.conduct(body.stream) == Conduct::EchoBody {
            self.give(body.stream, Piece::Body(body.data.to_vec()));
            let next = if body.end { Piece::Finish(body.trailers.cloned()) } else { Piece::Demand };
            self.give(body.stream, next);
        }
    }

    fn message(&self, message: &Message<'_>) {
        self.record.push(Event::Message {
            stream: message.stream,
            context: message.context,
            kind: message.kind,
            data: message.data.to_vec(),
        });
        match self.conduct(message.stream) {
            Conduct::Echo => match order(message) {
                Some(order) => {
                    let mut words = order.splitn(3, ' ');
                    let (verb, code) =
                        (words.next(), words.next().expect("!VERB CODE").parse::<u16>().expect("a code"));
                    match verb {
                        Some("close") => self.engine.close(message.stream, Some(code), words.next().unwrap_or("")),
                        Some("abort") => self.engine.abort(message.stream, code.into()),
                        verb => panic!("no such order: {verb:?}"),
                    }
                    .expect("an open socket can be ended");
                }
                None => self.give(message.stream, Piece::Message(message.kind, message.data.to_vec())),
            },
            Conduct::EchoPlain => self.give(message.stream, Piece::Plain(message.kind, message.data.to_vec())),
            Conduct::Relay => {
                let places = self.places.lock().expect("not poisoned");
                let to = places.iter().filter(|(_, place)| place.conduct == Conduct::Relay).map(|(stream, _)| *stream);
                for stream in to.collect::<Vec<_>>() {
                    for part in relayed(message.data) {
                        self.engine.send(stream, message.kind, part).expect("room");
                    }
                }
            }
            Conduct::PanicOnMessage => panic!("a panic of the host, as the test asked"),
            Conduct::Test | Conduct::EchoBody | Conduct::Join | Conduct::Sink => {}
        }
    }

    fn fragment(&self, fragment: &Fragment<'_>) {
        if self.conduct(fragment.stream) == Conduct::Sink {
            self.sunk.fetch_add(fragment.data.len() as u64, Ordering::Relaxed);
            return;
        }
        self.record.push(Event::Fragment {
            stream: fragment.stream,
            kind: fragment.kind,
            data: fragment.data.to_vec(),
            first: fragment.first,
            last: fragment.last,
        });
        match self.conduct(fragment.stream) {
            Conduct::Echo => {
                self.give(fragment.stream, Piece::Fragment(fragment.kind, fragment.data.to_vec(), fragment.last));
            }
            Conduct::Join if !fragment.first => self.engine.joined(fragment.stream).expect("this is its loop"),
            _ => {}
        }
    }

    fn control(&self, control: &ControlFrame<'_>) {
        self.record.push(Event::Control {
            stream: control.stream,
            kind: control.kind,
            data: control.data.to_vec(),
            code: control.code,
        });
    }

    fn writable(&self, stream: StreamId, _context: u64) {
        self.record.push(Event::Writable { stream });
        let waiting = match self.places.lock().expect("not poisoned").get_mut(&stream) {
            Some(place) => std::mem::take(&mut place.waiting),
            None => return,
        };
        for piece in waiting {
            self.give(stream, piece);
        }
    }

    fn closed(&self, closed: &Closed<'_>) {
        self.places.lock().expect("not poisoned").remove(&closed.stream);
        self.record.push(Event::Closed(Final {
            stream: closed.stream,
            kind: closed.kind,
            code: closed.code,
            reason: closed.reason.to_owned(),
            cause: closed.cause,
            h2_code: closed.h2_code,
            side: closed.side,
        }));
    }

    fn fallback(&self, back: HandedBack<'_>) {
        let HandedBack { connection, listener, socket, already_read, .. } = back;
        self.record.push(Event::Fallback { connection, listener, socket, already_read: already_read.to_vec() });
    }

    fn duplex(&self, connection: ConnectionId, context: u64, ready: Ready) {
        self.bridges.duplex(connection, context, ready);
        self.record.push(Event::Duplex { connection, context, ready });
    }

    fn disconnected(&self, connection: ConnectionId) {
        self.bridges.disconnected(connection);
        self.record.push(Event::Disconnected { connection });
    }

    fn log(&self, level: LogLevel, text: &str) {
        self.record.push(Event::Log { level, text: text.to_owned() });
    }
}

/// A running engine with a listener, and what its host was told. Dropped, it shuts the engine down and checks
/// that nothing is left and that each request had exactly one `closed`, after all else.
pub struct Host {
    pub engine: Engine,
    pub address: String,
    record: Arc<Record>,
    gate: Arc<Gate>,
    sunk: Arc<AtomicU64>,
    bridge: Option<bridge::Listener>,
}

impl Host {
    /// On one loop, so that the order of events is one.
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// With a configuration changed.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_options(change, &ListenOptions::default())
    }

    pub fn with_options(change: impl FnOnce(&mut Config), options: &ListenOptions) -> Self {
        let mut config = Config { loops: 1, ..Config::default() };
        change(&mut config);
        let fallback = config.fallback;
        let (record, gate, sunk) = (Arc::new(Record::default()), Arc::new(Gate::default()), Arc::default());
        let bridges = Arc::new(Bridges::default());
        let engine = Engine::start(config, |engine| TestHandler {
            engine,
            record: Arc::clone(&record),
            gate: Arc::clone(&gate),
            sunk: Arc::clone(&sunk),
            bridges: Arc::clone(&bridges),
            places: Mutex::default(),
        })
        .expect("a valid configuration");
        if fallback == Fallback::Off && bridge::wanted(options) {
            let bridge = bridge::Listener::start(&engine, &bridges, options);
            let address = bridge.address().to_owned();
            return Self { engine, address, record, gate, sunk, bridge: Some(bridge) };
        }
        let listener = engine.listen("127.0.0.1:0", options).expect("a free port");
        let address = engine.listener_address(listener).expect("a listener has an address");
        Self { engine, address, record, gate, sunk, bridge: None }
    }

    /// A client on a new connection.
    pub fn client(&self) -> Client {
        Client::connect(&self.address)
    }

    pub fn client_with(&self, hello: &Hello) -> Client {
        Client::connect_with(&self.address, hello)
    }

    /// The bytes that `/sink` was given.
    pub fn sunk(&self) -> u64 {
        self.sunk.load(Ordering::Relaxed)
    }

    /// Lets the loops go on that wait in `/block`.
    pub fn open_gate(&self) {
        *self.gate.open.lock().expect("not poisoned") = true;
        self.gate.opened.notify_all();
    }

    pub fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// Waits until `find` finds what it looks for among the events. Panics if it does not in time.
    pub fn wait_for<T>(&self, expected: &str, mut find: impl FnMut(&mut Vec<Event>) -> Option<T>) -> T {
        let deadline = Instant::now() + FAILURE;
        let mut events = self.record.lock();
        loop {
            if let Some(found) = find(&mut events) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(left > Duration::ZERO, "expected {expected}; events: {}", told(&events));
            events = self.record.changed.wait_timeout(events, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What `look` makes of the events so far.
    pub fn events<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&self.record.lock())
    }

    /// Waits until the counters are as `fits` wants them, which `closed` and the wire may be a little ahead of.
    pub fn wait_stats(&self, expected: &str, fits: impl Fn(&Stats) -> bool) -> Stats {
        let deadline = Instant::now() + FAILURE;
        loop {
            let stats = self.stats();
            if fits(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "expected {expected}: {stats:#?}");
            std::thread::yield_now();
        }
    }

    /// Waits for the request with this path.
    pub fn request(&self, path: &str) -> Head {
        self.wait_for(&format!("a request of {path}"), |events| {
            events.iter().find_map(|event| match event {
                Event::Request(head) if head.path == path => Some(head.clone()),
                _ => None,
            })
        })
    }

    /// Waits for the end of a stream. Its handle is gone a moment later, when the callback returns: before a test
    /// counts on that, it lets the client `sync`.
    pub fn closed(&self, stream: StreamId) -> Final {
        self.wait_for(&format!("closed of {stream:?}"), |events| {
            events.iter().find_map(|event| match event {
                Event::Closed(closed) if closed.stream == stream => Some(closed.clone()),
                _ => None,
            })
        })
    }

    /// The end of a stream, if it has been told.
    pub fn closed_so_far(&self, stream: StreamId) -> Option<Final> {
        self.events(|events| {
            events.iter().find_map(|event| match event {
                Event::Closed(closed) if closed.stream == stream => Some(closed.clone()),
                _ => None,
            })
        })
    }

    /// The messages of a stream so far.
    pub fn messages(&self, stream: StreamId) -> Vec<Vec<u8>> {
        self.events(|events| messages_in(events, stream))
    }

    /// Waits until a stream has had `count` messages, and gives them.
    pub fn wait_messages(&self, stream: StreamId, count: usize) -> Vec<Vec<u8>> {
        self.wait_for(&format!("{count} messages on {stream:?}"), |events| {
            let messages = messages_in(events, stream);
            (messages.len() >= count).then_some(messages)
        })
    }

    /// Waits for a control frame on a stream: its payload or reason, and a Close's code.
    pub fn control(&self, stream: StreamId, kind: ControlKind) -> (Vec<u8>, Option<u16>) {
        self.wait_for(&format!("a {kind:?} on {stream:?}"), |events| {
            events.iter().find_map(|event| match event {
                Event::Control { stream: s, kind: k, data, code } if (*s, *k) == (stream, kind) => {
                    Some((data.clone(), *code))
                }
                _ => None,
            })
        })
    }

    /// The control events of a stream so far, Pings and Pongs among them.
    pub fn controls(&self, stream: StreamId) -> Vec<ControlKind> {
        self.events(|events| {
            events
                .iter()
                .filter_map(|event| match event {
                    Event::Control { stream: s, kind, .. } if *s == stream => Some(*kind),
                    _ => None,
                })
                .collect()
        })
    }

    /// Waits for a request's body: its bytes and trailers, when its end has come.
    pub fn body(&self, stream: StreamId) -> (Vec<u8>, Option<Vec<Field>>) {
        self.wait_for(&format!("the end of the body of {stream:?}"), |events| {
            let mut bytes = Vec::new();
            for event in events.iter() {
                if let Event::Body { stream: s, data, end, trailers } = event
                    && *s == stream
                {
                    bytes.extend(data);
                    if *end {
                        return Some((bytes, trailers.clone()));
                    }
                }
            }
            None
        })
    }

    /// All ends so far, in order.
    pub fn all_closed(&self) -> Vec<Final> {
        self.events(|events| {
            events
                .iter()
                .filter_map(|event| match event {
                    Event::Closed(closed) => Some(closed.clone()),
                    _ => None,
                })
                .collect()
        })
    }

    /// How many requests the host has heard of.
    pub fn request_count(&self) -> usize {
        self.events(|events| events.iter().filter(|event| matches!(event, Event::Request(_))).count())
    }

    /// Asserts that the host has heard of no request.
    pub fn expect_no_request(&self) {
        assert_eq!(self.request_count(), 0, "the host was to hear of no request");
    }

    /// The lines of the log that contain `part`.
    pub fn log_lines(&self, part: &str) -> Vec<(LogLevel, String)> {
        self.events(|events| {
            events
                .iter()
                .filter_map(|event| match event {
                    Event::Log { level, text } if text.contains(part) => Some((*level, text.clone())),
                    _ => None,
                })
                .collect()
        })
    }

    fn check_the_end(&self) {
        self.engine.shutdown().expect("an engine can be shut down");
        let stats = self.stats();
        assert_eq!(stats.open_streams, 0, "streams left after shutdown");
        assert_eq!(stats.open_websockets, 0, "WebSockets left after shutdown");
        assert_eq!(stats.open_connections, 0, "connections left after shutdown");
        let events = self.record.lock();
        let mut open: HashMap<StreamId, bool> = HashMap::new();
        for event in events.iter() {
            let Some(stream) = event.stream() else { continue };
            match event {
                Event::Request(_) => assert_eq!(open.insert(stream, true), None, "a handle used twice: {stream:?}"),
                Event::Closed(_) => {
                    assert_eq!(open.insert(stream, false), Some(true), "closed without a request, or twice: {event:?}");
                }
                _ => assert_eq!(open.get(&stream), Some(&true), "an event before request or after closed: {event:?}"),
            }
        }
        let left: Vec<_> = open.iter().filter(|(_, open)| **open).collect();
        assert!(left.is_empty(), "no closed for {left:?}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.bridge = None;
        if !std::thread::panicking() {
            self.check_the_end();
        }
    }
}

/// What a relay makes of a message.
pub fn relayed(data: &[u8]) -> [&[u8]; 3] {
    [data, &data[data.len() / 2..], &data[data.len() - data.len().min(9)..]]
}

/// What a text tells an echo to do: `!close CODE REASON`, `!abort CODE`.
fn order<'a>(message: &Message<'a>) -> Option<&'a str> {
    let text = std::str::from_utf8(message.data).ok().filter(|_| message.kind == MessageKind::Text)?;
    text.strip_prefix('!')
}

/// Events for people, each cut to a line.
fn told(events: &[Event]) -> String {
    events.iter().map(|event| format!("\n  {:.300}", format!("{event:?}"))).collect()
}

fn messages_in(events: &[Event], of: StreamId) -> Vec<Vec<u8>> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message { stream, data, .. } if *stream == of => Some(data.clone()),
            _ => None,
        })
        .collect()
}

pub fn header_map(list: &[(&str, &str)]) -> HeaderMap {
    list.iter()
        .map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).expect("a name"), HeaderValue::from_str(value).expect("a value"))
        })
        .collect()
}

fn field_list(headers: &HeaderMap) -> Vec<Field> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
