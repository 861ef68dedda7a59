//! A loop that its host runs and does not poll: what it is told it answers at once, on the one thread there is.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{
    Accept, Closed, Config, Engine, Handler, ListenOptions, Loop, Message, Polled, Request, Status, StreamKind,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use support::client::Client;
use support::frame::*;

/// A host of one thread, which answers when it is told.
struct Answering(Engine, Arc<AtomicUsize>);

impl Handler for Answering {
    fn request(&self, request: &Request<'_>) {
        match request.kind {
            StreamKind::WebSocket => self.0.accept(request.stream, &Accept::default()),
            StreamKind::Http => self.0.respond(request.stream, 200, Default::default(), b"hello"),
        }
        .expect("the first answer");
    }

    fn message(&self, message: &Message<'_>) {
        self.0.send(message.stream, message.kind, message.data).expect("there is room");
    }

    fn closed(&self, _: &Closed<'_>) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// The engine, its loop on this thread, its address, and how many streams have been told to have ended.
fn answering(config: Config) -> (Engine, Loop, String, Arc<AtomicUsize>) {
    let closed = Arc::default();
    let engine =
        Engine::driven(config, |engine| Answering(engine, Arc::clone(&closed))).expect("a valid configuration");
    let listener = engine.listen("127.0.0.1:0", &ListenOptions::default()).expect("a free port");
    let address = engine.listener_address(listener).unwrap();
    let wheel = engine.enter(0).expect("nobody else has");
    (engine, wheel, address, closed)
}

/// What a client of a test does on a thread of its own; when it has done it interrupts the loop.
fn beside<T: Send + 'static>(engine: &Engine, does: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let engine = engine.clone();
    std::thread::spawn(move || {
        let done = does();
        engine.interrupt(0).expect("there is loop 0");
        done
    })
}

fn one_loop() -> Config {
    Config { loops: 1, ..Config::default() }
}

#[test]
fn a_run_goes_on_whatever_the_handler_is_told_until_it_is_interrupted() {
    let (engine, mut wheel, address, closed) = answering(one_loop());
    let client = beside(&engine, move || {
        let mut client = Client::connect(&address);
        let stream = client.connect_websocket("/");
        for round in 0..100 {
            client.echo(stream, &format!("message {round}"));
        }
        client
    });
    assert_eq!(wheel.run(None), Polled::Turn, "one run has told all of it");
    drop(client.join().expect("the client is served"));
    wheel.end();
    assert_eq!(closed.load(Ordering::Relaxed), 1);
    engine.shutdown().expect("its loop has ended");
}

#[test]
fn runs_and_polls_may_follow_each_other() {
    let (engine, mut wheel, address, closed) = answering(one_loop());
    let client = beside(&engine, move || {
        let mut client = Client::connect(&address);
        for _ in 0..100 {
            let stream = client.get("/");
            assert_eq!(client.response(stream).body, b"hello");
        }
    });
    for round in 0.. {
        if client.is_finished() {
            break;
        }
        let limit = Some(Duration::from_millis(round % 3));
        let _ = if round % 2 == 0 { wheel.run(limit) } else { wheel.poll(limit) };
    }
    client.join().expect("the client is served");
    wheel.end();
    assert_eq!(closed.load(Ordering::Relaxed), 100);
    engine.shutdown().expect("its loop has ended");
}

#[test]
fn a_drain_on_the_thread_of_a_loop_runs_it() {
    let (engine, mut wheel, address, closed) = answering(one_loop());
    let client = beside(&engine, move || {
        let mut client = Client::connect(&address);
        let stream = client.connect_websocket("/");
        (client, stream)
    });
    assert_eq!(wheel.run(None), Polled::Turn);
    let (mut client, stream) = client.join().expect("the client is served");
    assert_eq!(engine.drain(Duration::ZERO).expect_err("it would wait for itself").status(), Status::WrongThread);
    let peer = std::thread::spawn(move || {
        client.expect(&Frame::data(stream, server_close(1001, "going away")));
        client.data_end(stream, &ws_close(1001, ""));
        client.wait_end();
    });
    wheel.drain(support::FAILURE);
    assert_eq!((closed.load(Ordering::Relaxed), engine.stats().open_connections), (1, 0));
    peer.join().expect("the peer sees an end in order");
    wheel.end();
    engine.shutdown().expect("its loop has ended");
}

#[test]
fn a_loop_that_is_dropped_takes_nothing_more() {
    let (engine, mut wheel, address, closed) = answering(one_loop());
    let client = beside(&engine, move || {
        let mut client = Client::connect(&address);
        client.connect_websocket("/");
        client
    });
    assert_eq!(wheel.run(None), Polled::Turn);
    drop(wheel);
    client.join().expect("the client is served").wait_end();
    assert_eq!(closed.load(Ordering::Relaxed), 0, "without a word");
    let refused = engine.listen("127.0.0.1:0", &ListenOptions::default()).expect_err("nobody would accept");
    assert_eq!(refused.status(), Status::ShuttingDown);
    assert_eq!(engine.interrupt(1).expect_err("there is one loop").status(), Status::InvalidArgument);
    engine.shutdown().expect("its loop has gone");
}
