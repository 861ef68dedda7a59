//! Loops on the host's own threads: when they run, what a poll comes to, and that a host which queues events is not told more than
//! it has room for.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{
    Accept, Closed, Config, Credit, Engine, Handler, ListenOptions, Loop, Message, MessageKind, Polled, Request,
    Status, StreamId, StreamKind,
};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use support::client::Client;
use support::deflate::{BINARY_COMPRESSED, zeros};
use support::frame::*;

#[derive(Debug, PartialEq)]
enum Told {
    Request { stream: StreamId, kind: StreamKind },
    Message { stream: StreamId, kind: MessageKind, data: Vec<u8> },
    Closed,
}

/// A host that queues what it is told, and is full at some point.
#[derive(Default)]
struct Queue {
    told: Mutex<VecDeque<Told>>,
    /// Bytes of messages in it.
    bytes: AtomicUsize,
    most: AtomicUsize,
}

/// It has enough when it holds so much.
const ENOUGH: usize = 64 << 10;

struct Queueing(Arc<Queue>);

impl Queueing {
    fn push(&self, told: Told) {
        self.0.told.lock().unwrap().push_back(told);
    }
}

impl Handler for Queueing {
    fn request(&self, request: &Request<'_>) {
        self.push(Told::Request { stream: request.stream, kind: request.kind });
    }

    fn message(&self, message: &Message<'_>) {
        let bytes = self.0.bytes.fetch_add(message.data.len(), Ordering::Relaxed) + message.data.len();
        self.0.most.fetch_max(bytes, Ordering::Relaxed);
        self.push(Told::Message { stream: message.stream, kind: message.kind, data: message.data.to_vec() });
    }

    fn closed(&self, _: &Closed<'_>) {
        self.push(Told::Closed);
    }

    fn full(&self) -> bool {
        self.0.bytes.load(Ordering::Relaxed) >= ENOUGH
    }
}

/// An engine whose loop a thread of this test drives: it answers requests, accepts sockets, and echoes messages of up to a KiB.
struct Driven {
    engine: Engine,
    address: String,
    queue: Arc<Queue>,
    /// Messages that were taken from the queue, and their bytes.
    taken: Arc<(AtomicUsize, AtomicUsize)>,
    /// The thread polls and takes nothing.
    rest: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Driven {
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_credit(Credit::Auto, change)
    }

    /// With [`Credit::Demand`] it asks for four messages, and for one more after each.
    fn with_credit(credit: Credit, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { loops: 1, ..Config::default() };
        change(&mut config);
        let queue = Arc::new(Queue::default());
        let engine = Engine::driven(config, |_| Queueing(Arc::clone(&queue))).expect("a valid configuration");
        let listener = engine.listen("127.0.0.1:0", &ListenOptions::default()).expect("a free port");
        let address = engine.listener_address(listener).unwrap();
        let (taken, rest) = (Arc::default(), Arc::default());
        let mut driven = Self { engine, address, queue, taken, rest, thread: None };
        driven.thread = Some(driven.drive(credit));
        driven
    }

    /// The thread; it ends with the number of `closed`.
    fn drive(&self, credit: Credit) -> JoinHandle<usize> {
        let (engine, queue, taken, rest) =
            (self.engine.clone(), Arc::clone(&self.queue), Arc::clone(&self.taken), Arc::clone(&self.rest));
        std::thread::spawn(move || {
            let mut wheel = engine.enter(0).expect("nobody else has");
            let mut closed = 0;
            loop {
                let polled = wheel.poll(Some(Duration::from_millis(10)));
                if rest.load(Ordering::Acquire) {
                    continue;
                }
                while let Some(told) = { queue.told.lock().unwrap().pop_front() } {
                    match told {
                        Told::Request { stream, kind: StreamKind::WebSocket } => {
                            engine.accept(stream, &Accept { credit, ..Accept::default() }).expect("the first answer");
                            engine.demand(stream, 4).expect("it is open");
                        }
                        Told::Request { stream, .. } => {
                            engine.respond(stream, 200, Default::default(), b"hello").expect("the first answer");
                        }
                        Told::Message { stream, kind, data } => {
                            queue.bytes.fetch_sub(data.len(), Ordering::Relaxed);
                            let _ = engine.demand(stream, 1);
                            taken.0.fetch_add(1, Ordering::Relaxed);
                            taken.1.fetch_add(data.len(), Ordering::Relaxed);
                            if data.len() <= 1024 {
                                let _ = engine.send(stream, kind, &data);
                            }
                        }
                        Told::Closed => closed += 1,
                    }
                }
                if polled == Polled::Over {
                    return closed;
                }
            }
        })
    }

    /// Waits until so many messages have been taken.
    fn wait_taken(&self, messages: usize) {
        let deadline = std::time::Instant::now() + support::FAILURE;
        while self.taken.0.load(Ordering::Relaxed) < messages {
            let taken = self.taken.0.load(Ordering::Relaxed);
            assert!(std::time::Instant::now() < deadline, "{taken} of {messages} messages");
            std::thread::yield_now();
        }
    }

    /// Ends it; how many streams were told to have ended.
    fn end(mut self) -> usize {
        self.engine.stop();
        let closed = self.thread.take().unwrap().join().expect("the thread ends well");
        self.engine.shutdown().expect("its loop is over");
        assert_eq!(self.engine.stats().open_connections, 0);
        closed
    }
}

#[test]
fn a_thread_of_the_host_drives_requests_and_sockets() {
    let driven = Driven::start(|_| {});
    let mut client = Client::connect(&driven.address);
    let stream = client.get("/");
    assert_eq!(client.response(stream).body, b"hello");
    let sockets: Vec<u32> = (0..10).map(|_| client.connect_websocket("/")).collect();
    for round in 0..20 {
        for socket in &sockets {
            client.echo(*socket, &format!("message {round}"));
        }
    }
    drop(client);
    assert_eq!(driven.end(), 11, "each stream has ended once");
}

#[test]
fn the_end_comes_to_every_stream_before_the_loop_is_over() {
    let driven = Driven::start(|_| {});
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect(&driven.address)).collect();
    for client in &mut clients {
        for _ in 0..7 {
            client.connect_websocket("/");
        }
    }
    assert_eq!(driven.end(), 35);
    for client in &mut clients {
        client.wait_end();
    }
}

/// Messages in and out of a host that rests meanwhile: it is never told more than it wants, and all comes in the end.
fn flood(
    frames: &[u8],
    messages: usize,
    largest: usize,
    connect: impl FnOnce(&Driven) -> Box<dyn FnMut(&[u8]) + Send>,
) {
    let driven = Driven::start(|config| {
        config.deflate = true;
        config.deflate_ratio = 1 << 20;
        config.stream_window = 1 << 20;
    });
    let mut send = connect(&driven);
    driven.rest.store(true, Ordering::Release);
    let frames = frames.to_vec();
    let sender = std::thread::spawn(move || send(&frames));
    let deadline = std::time::Instant::now() + support::FAILURE;
    while driven.queue.bytes.load(Ordering::Relaxed) < ENOUGH {
        assert!(std::time::Instant::now() < deadline, "the host is told until it is full");
        std::thread::yield_now();
    }
    driven.rest.store(false, Ordering::Release);
    driven.wait_taken(messages);
    sender.join().unwrap();
    let most = driven.queue.most.load(Ordering::Relaxed);
    assert!(most < ENOUGH + largest, "{most} bytes were told at once; {ENOUGH} are enough, and one message more");
    assert_eq!(driven.taken.0.load(Ordering::Relaxed), messages);
    driven.end();
}

#[test]
fn a_full_host_is_told_no_more_over_http2() {
    let frames = ws_binary(&[7; 2000]).repeat(400);
    flood(&frames, 400, 2000, |driven| {
        let mut client = Client::connect(&driven.address);
        let stream = client.connect_websocket("/");
        Box::new(move |frames| client.data_within_windows(stream, frames))
    });
}

#[test]
fn a_full_host_is_told_no_more_over_http1() {
    let frames = ws_binary(&[7; 2000]).repeat(400);
    flood(&frames, 400, 2000, |driven| {
        let mut socket = std::net::TcpStream::connect(&driven.address).unwrap();
        socket.write_all(support::http1::upgrade("/", "").as_bytes()).unwrap();
        let mut byte = [0];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            std::io::Read::read_exact(&mut socket, &mut byte).unwrap();
            head.push(byte[0]);
        }
        Box::new(move |frames| socket.write_all(frames).unwrap())
    });
}

#[test]
fn a_full_host_is_told_no_more_of_messages_that_were_small_on_the_wire() {
    const LENGTH: usize = 1 << 20;
    let frames = ws_frame(true, BINARY_COMPRESSED, &zeros(LENGTH)).repeat(40);
    flood(&frames, 40, LENGTH, |driven| {
        let mut client = Client::connect(&driven.address);
        let stream = support::deflate::open(&mut client, "/");
        Box::new(move |frames| client.data_within_windows(stream, frames))
    });
}

#[test]
fn a_poll_ends_when_its_time_is_up() {
    let engine = Engine::driven(Config { loops: 1, ..Config::default() }, |_| Queueing(Arc::default())).unwrap();
    let mut wheel = engine.enter(0).unwrap();
    assert_eq!(wheel.poll(Some(Duration::from_millis(1))), Polled::Turn);
    engine.stop();
    while wheel.poll(None) == Polled::Turn {}
    drop(wheel);
    engine.shutdown().unwrap();
}

/// What other threads say between two polls wakes nobody: the loop has to look before it waits.
#[test]
fn a_poll_begins_with_what_was_said_since_the_last() {
    let queue = Arc::new(Queue::default());
    let config = Config { loops: 1, ..Config::default() };
    let engine = Engine::driven(config, |_| Queueing(Arc::clone(&queue))).expect("a valid configuration");
    let mut wheel = engine.enter(0).expect("nobody else has");
    let listener = engine.listen("127.0.0.1:0", &ListenOptions::default()).expect("a free port");
    let address = engine.listener_address(listener).expect("it is open");
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(&address);
        let stream = client.get("/");
        client.response(stream).body
    });
    let told = loop {
        assert_eq!(wheel.poll(None), Polled::Turn);
        if let Some(told) = queue.told.lock().unwrap().pop_front() {
            break told;
        }
    };
    let Told::Request { stream, .. } = told else { panic!("{told:?}") };
    let other = engine.clone();
    let answer = std::thread::spawn(move || other.respond(stream, 200, Default::default(), b"hello"));
    answer.join().unwrap().expect("the first answer");
    while queue.told.lock().unwrap().is_empty() {
        assert_eq!(wheel.poll(None), Polled::Turn);
    }
    assert_eq!(client.join().unwrap(), b"hello");
    engine.stop();
    while wheel.poll(None) == Polled::Turn {}
    drop(wheel);
    engine.shutdown().expect("its loop is over");
}

#[test]
fn a_loop_is_entered_once_and_a_thread_enters_one() {
    let config = Config { loops: 2, ..Config::default() };
    let engine = Engine::driven(config, |_| Queueing(Arc::default())).unwrap();
    let status = |entered: Result<Loop, h2ws::Error>| entered.map(drop).unwrap_err().status();
    assert_eq!(status(engine.enter(2)), Status::InvalidArgument);
    let first = engine.enter(0).unwrap();
    assert_eq!(status(engine.enter(1)), Status::WrongThread, "this thread has a loop");
    assert_eq!(engine.shutdown().unwrap_err().status(), Status::WrongThread);
    let elsewhere = engine.clone();
    let again = std::thread::spawn(move || elsewhere.enter(0).map(drop).unwrap_err().status()).join().unwrap();
    assert_eq!(again, Status::WrongState, "the loop has a thread");
    drop(first);
    // and then the thread is free for another
    drop(engine.enter(1).unwrap());
    engine.shutdown().unwrap();
    assert_eq!(status(engine.enter(1)), Status::ShuttingDown);
}

#[test]
fn an_engine_with_threads_of_its_own_is_not_entered() {
    let engine = Engine::start(Config { loops: 1, ..Config::default() }, |_| Queueing(Arc::default())).unwrap();
    assert_eq!(engine.enter(0).map(drop).unwrap_err().status(), Status::WrongState);
    engine.shutdown().unwrap();
}

#[test]
fn connections_of_a_loop_that_was_given_up_are_cut() {
    let engine = Engine::driven(Config { loops: 1, ..Config::default() }, |_| Queueing(Arc::default())).unwrap();
    let listener = engine.listen("127.0.0.1:0", &ListenOptions::default()).unwrap();
    let mut wheel = engine.enter(0).unwrap();
    let address = engine.listener_address(listener).unwrap();
    let mut client = Client::raw(support::client::Socket::connect(&address));
    client.send_bytes(PREFACE);
    while engine.stats().open_connections == 0 {
        wheel.poll(Some(Duration::from_millis(1)));
    }
    drop(wheel);
    client.wait_end();
    engine.shutdown().unwrap();
    assert_eq!(engine.stats().open_connections, 0);
}

/// What a client says in one breath: a message, and then something that ends the socket.
fn last_words() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    vec![
        ("a Close", ws_close(4000, "bye"), server_close(4000, "")),
        ("a frame that may not be", ws_frame(true, 3, b""), server_close(1002, "")),
        ("text that is none", ws_frame(true, TEXT, b"\xff"), server_close(1007, "")),
        ("a Close without a code", ws_frame(true, CLOSE, b""), server_frame(CLOSE, b"")),
    ]
}

#[test]
fn an_end_in_the_same_breath_waits_for_the_hosts_answer_over_http2() {
    let driven = Driven::start(|_| {});
    for (what, end, answer) in last_words() {
        let mut client = Client::connect(&driven.address);
        let stream = client.connect_websocket("/");
        client.data(stream, &[ws_text("the last"), end].concat());
        let expected = [server_frame(TEXT, b"the last"), answer].concat();
        assert_eq!(client.rest_of(stream).0, expected, "{what}");
    }
    let mut client = Client::connect(&driven.address);
    let stream = client.connect_websocket("/");
    client.data_end(stream, &ws_text("the last"));
    assert_eq!(client.rest_of(stream).0, server_frame(TEXT, b"the last"), "END_STREAM");
    driven.end();
}

#[test]
fn an_end_in_the_same_breath_waits_for_the_hosts_answer_over_http1() {
    let driven = Driven::start(|_| {});
    let mut ends = last_words();
    ends.push(("FIN", Vec::new(), Vec::new()));
    for (what, end, answer) in ends {
        let mut socket = std::net::TcpStream::connect(&driven.address).unwrap();
        socket.set_read_timeout(Some(support::FAILURE)).unwrap();
        socket.write_all(support::http1::upgrade("/", "").as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            std::io::Read::read_exact(&mut socket, &mut byte).unwrap();
            head.push(byte[0]);
        }
        socket.write_all(&[ws_text("the last"), end].concat()).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut socket, &mut rest).unwrap();
        assert_eq!(rest, [server_frame(TEXT, b"the last"), answer].concat(), "{what}");
    }
    driven.end();
}

/// What waits for demand is looked at once a turn, not once for each frame that it came in.
#[test]
fn many_frames_that_wait_for_demand_cost_no_more_than_they_are() {
    const MESSAGES: usize = 40_000;
    let driven = Driven::with_credit(Credit::Demand, |config| config.stream_window = 1 << 20);
    let mut client = Client::connect(&driven.address);
    let stream = client.connect_websocket("/");
    // within the stream's window, so that all of them may wait at once
    let frame = Frame::data(stream, ws_binary(&[1; 8]));
    client.send_all(&vec![frame; MESSAGES]);
    driven.wait_taken(MESSAGES);
    driven.end();
}
