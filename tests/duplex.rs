//! Bytes between the host and a connection: a socket that stays with the host and HTTP that is ours, and the other way round. That
//! HTTP behaves over it as over a socket is seen by the other tests, run with `H2WS_TEST_TRANSPORT=bytes` (`make duplex-test`).
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{
    Attach, Cause, Config, ConnectionId, Engine, Fallback, Handler, ListenOptions, ListenerId, MessageKind, Polled,
    Read, Ready, Status, TlsInfo,
};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::client::{Client, Hello, connect_fields, headers};
use support::frame::*;
use support::host::{Event, Host};
use support::{FAILURE, http1, tls};

/// What each direction holds.
const CAPACITY: usize = 256 << 10;
const HTTP1: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Waits until one of the two is told, and takes it: an event may tell both.
fn told(host: &Host, connection: ConnectionId, which: fn(&mut Ready) -> &mut bool) {
    host.wait_for("something to read, or room", |events| {
        events.iter_mut().find_map(|event| match event {
            Event::Duplex { connection: c, ready, .. } if *c == connection => {
                std::mem::take(which(ready)).then_some(())
            }
            _ => None,
        })
    });
}

fn readable(host: &Host, connection: ConnectionId) {
    told(host, connection, |ready| &mut ready.readable);
}

fn writable(host: &Host, connection: ConnectionId) {
    told(host, connection, |ready| &mut ready.writable);
}

fn disconnected(host: &Host, connection: ConnectionId) {
    host.wait_for("the connection's end", |events| {
        events.iter().find_map(|e| matches!(e, Event::Disconnected { connection: c } if *c == connection).then_some(()))
    });
}

/// Reads until there are `least` bytes, or the end.
fn read(host: &Host, connection: ConnectionId, least: usize) -> (Vec<u8>, Option<Read>) {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    while all.len() < least {
        match host.engine.duplex_read(connection, &mut buffer).unwrap() {
            Read::Bytes(0) => readable(host, connection),
            Read::Bytes(n) => all.extend_from_slice(&buffer[..n]),
            end => return (all, Some(end)),
        }
    }
    (all, None)
}

fn read_to_end(host: &Host, connection: ConnectionId) -> (Vec<u8>, Read) {
    let (bytes, end) = read(host, connection, usize::MAX);
    (bytes, end.expect("an end"))
}

/// Writes all, waiting for room.
fn write(host: &Host, connection: ConnectionId, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let n = host.engine.duplex_write(connection, bytes).unwrap();
        bytes = &bytes[n..];
        if !bytes.is_empty() {
            writable(host, connection);
        }
    }
}

fn attach(host: &Host) -> ConnectionId {
    host.engine.attach(Attach { peer: "192.0.2.1:7".into(), context: 5, ..Attach::default() }).unwrap()
}

fn gone<T: std::fmt::Debug>(result: Result<T, h2ws::Error>) {
    assert_eq!(result.expect_err("gone").status(), Status::Gone);
}

// --- a socket that stays with the host

#[test]
fn http1_and_its_end() {
    let host = Host::start();
    let connection = attach(&host);
    write(&host, connection, http1::request("GET", "/hello", "connection: close\r\n").as_bytes());
    let (answer, end) = read_to_end(&host, connection);
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"hello, world"), "{}", answer.escape_ascii());
    assert_eq!(end, Read::End);
    let head = host.request("/hello");
    assert_eq!((&*head.peer, &*head.scheme, head.tls), ("192.0.2.1:7", "http", None));
    host.engine.duplex_shut(connection).unwrap();
    disconnected(&host, connection);
    gone(host.engine.duplex_write(connection, b"late"));
    host.engine.duplex_close(connection, false).unwrap();
    gone(host.engine.duplex_read(connection, &mut [0]));
    gone(host.engine.duplex_close(connection, false));
}

#[test]
fn the_hosts_tls_chooses_the_protocol_and_comes_with_requests() {
    let host = Host::start();
    let info = TlsInfo {
        version: "TLSv1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        server_name: Some("example.org".into()),
        alpn: Some("http/1.1"),
        peer_certificates: vec![vec![1, 2]],
        resumed: true,
    };
    let connection = host.engine.attach(Attach { tls: Some(info.clone()), ..Attach::default() }).unwrap();
    write(&host, connection, http1::get("/hello").as_bytes());
    let head = host.request("/hello");
    assert_eq!((head.scheme, *head.tls.expect("TLS")), ("https".to_owned(), info));
    host.engine.duplex_close(connection, true).unwrap();
}

#[test]
fn a_websocket_over_http2_with_more_than_the_wire_holds() {
    let host = Host::start();
    let connection = attach(&host);
    let mut opening = Client::hello_bytes(&Hello::default());
    opening.extend(headers(1, &connect_fields("/echo"), false).encode());
    // more than the windows allow would be a violation; the echo comes back through the same wire
    let payload = vec![b'x'; 60_000];
    for part in ws_binary(&payload).chunks(16 << 10) {
        opening.extend(Frame::data(1, part).encode());
    }
    write(&host, connection, &opening);
    let (bytes, end) = read(&host, connection, payload.len());
    assert_eq!(end, None);
    assert!(bytes.windows(1000).any(|w| w == &payload[..1000]), "the echo");
    let stream = host.request("/echo").stream;
    host.engine.duplex_close(connection, true).unwrap();
    assert_eq!(host.closed(stream).cause, Cause::Disconnected);
    disconnected(&host, connection);
}

#[test]
fn the_peers_end_is_told_by_shut() {
    let host = Host::start();
    let connection = attach(&host);
    let mut opening = Client::hello_bytes(&Hello::default());
    opening.extend(headers(1, &connect_fields("/echo"), false).encode());
    write(&host, connection, &opening);
    let stream = host.request("/echo").stream;
    host.engine.duplex_shut(connection).unwrap();
    host.closed(stream);
    assert_eq!(read_to_end(&host, connection).1, Read::End);
    disconnected(&host, connection);
    host.engine.duplex_close(connection, false).unwrap();
}

#[test]
fn a_host_that_reads_nothing_holds_the_engine_up_at_a_bound() {
    let host = Host::start();
    let connection = attach(&host);
    write(&host, connection, http1::upgrade("/quiet", "").as_bytes());
    let stream = host.request("/quiet").stream;
    let (head, _) = read(&host, connection, 1);
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    let message = vec![7; 100_000];
    let mut sent = 0;
    // a queue of 1 MiB, and the wire
    while host.engine.send(stream, MessageKind::Binary, &message).is_ok() {
        sent += 1;
        assert!(sent < 40, "nothing holds it up");
    }
    let expected = sent * (message.len() + 10);
    let (bytes, end) = read(&host, connection, expected);
    assert!(end.is_none() && bytes.len() >= expected, "{} bytes", bytes.len());
    host.wait_for("room for the host's messages", |events| {
        events.iter().find_map(|e| matches!(e, Event::Writable { stream: s } if *s == stream).then_some(()))
    });
    host.engine.duplex_close(connection, true).unwrap();
}

#[test]
fn abort_by_the_engine_is_seen_as_a_reset() {
    let host = Host::start();
    let connection = attach(&host);
    write(&host, connection, http1::upgrade("/quiet", "").as_bytes());
    let stream = host.request("/quiet").stream;
    read(&host, connection, 1);
    host.engine.abort(stream, 8).unwrap();
    assert_eq!(read_to_end(&host, connection).1, Read::Reset);
    disconnected(&host, connection);
    host.engine.duplex_close(connection, false).unwrap();
}

#[test]
fn what_cannot_be_attached_is_refused() {
    let host = Host::start();
    let options = ListenOptions { tls: Some(tls::tls()), ..ListenOptions::default() };
    let error = host.engine.attach(Attach { options, ..Attach::default() }).expect_err("TLS");
    assert_eq!(error.status(), Status::InvalidArgument);
    let options = ListenOptions { http1: false, http2: false, ..ListenOptions::default() };
    let error = host.engine.attach(Attach { options, ..Attach::default() }).expect_err("nothing to serve");
    assert_eq!(error.status(), Status::InvalidArgument);
    gone(host.engine.duplex_read(ConnectionId::from_raw(77), &mut [0]));
    gone(host.engine.duplex_shut(ConnectionId::from_raw(77)));
    host.engine.drain(Duration::from_millis(1)).unwrap();
    assert_eq!(host.engine.attach(Attach::default()).expect_err("it drains").status(), Status::ShuttingDown);
}

#[test]
fn the_end_of_the_engine_is_the_end_of_the_wire() {
    let host = Host::start();
    let connection = attach(&host);
    write(&host, connection, http1::upgrade("/quiet", "").as_bytes());
    host.request("/quiet");
    read(&host, connection, 1);
    let engine = host.engine.clone();
    drop(host);
    gone(engine.duplex_read(connection, &mut [0]));
}

struct Noted(Arc<AtomicUsize>);

impl Handler for Noted {
    fn duplex(&self, _: ConnectionId, context: u64, ready: Ready) {
        assert_eq!(context, 9);
        self.0.fetch_add(usize::from(ready.writable), Ordering::Relaxed);
    }
}

#[test]
fn an_engine_that_reads_nothing_holds_the_host_up_at_a_bound() {
    let told = Arc::new(AtomicUsize::new(0));
    let engine = Engine::driven(Config { loops: 1, ..Config::default() }, |_| Noted(Arc::clone(&told))).unwrap();
    let connection = engine.attach(Attach { context: 9, ..Attach::default() }).unwrap();
    // nobody polls: the wire fills up
    assert_eq!(engine.duplex_write(connection, &vec![b'a'; CAPACITY + 1]).unwrap(), CAPACITY);
    assert_eq!(engine.duplex_write(connection, b"a").unwrap(), 0);
    let mut of_engine = engine.enter(0).unwrap();
    while told.load(Ordering::Relaxed) == 0 {
        assert_eq!(of_engine.poll(Some(FAILURE)), Polled::Turn);
    }
    engine.stop();
    while of_engine.poll(Some(FAILURE)) == Polled::Turn {}
    drop(of_engine);
    engine.shutdown().unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 1, "once for each write that was cut short");
}

// --- a protocol that is the host's

fn fallback_host() -> Host {
    Host::with(|config| config.fallback = Fallback::Duplex)
}

fn handed_back(host: &Host) -> (ConnectionId, Option<ListenerId>) {
    host.wait_for("a connection that is handed back", |events| {
        let found = events.iter().position(|e| matches!(e, Event::Fallback { .. }))?;
        match events.remove(found) {
            Event::Fallback { connection, listener, socket, already_read } => {
                assert!(socket.is_none() && already_read.is_empty(), "the socket stays here");
                Some((connection, listener))
            }
            _ => None,
        }
    })
}

fn connect(host: &Host) -> TcpStream {
    let socket = TcpStream::connect(&host.address).unwrap();
    socket.set_read_timeout(Some(FAILURE)).unwrap();
    socket
}

#[test]
fn http1_goes_to_the_host_as_bytes() {
    let host = fallback_host();
    let mut socket = connect(&host);
    socket.write_all(HTTP1).unwrap();
    let (connection, listener) = handed_back(&host);
    assert!(listener.is_some());
    assert_eq!(read(&host, connection, HTTP1.len()).0, HTTP1, "from its first byte on");
    socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&host, connection), (vec![], Read::End), "half-close");
    write(&host, connection, b"HTTP/1.1 204 No Content\r\n\r\n");
    host.engine.duplex_shut(connection).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"HTTP/1.1 204 No Content\r\n\r\n");
    disconnected(&host, connection);
    host.engine.duplex_close(connection, false).unwrap();
    assert_eq!(host.stats().fallbacks, 1);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn more_than_the_wire_holds_was_read_before() {
    let host = fallback_host();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut read_before = HTTP1.to_vec();
    read_before.resize(3 * CAPACITY, b'x');
    host.engine.adopt(theirs.into(), &read_before, &ListenOptions::default()).unwrap();
    let (connection, listener) = handed_back(&host);
    assert_eq!(listener, None);
    assert!(read(&host, connection, read_before.len()).0 == read_before, "nothing is lost");
    host.engine.duplex_close(connection, true).unwrap();
    drop(ours);
}

#[test]
fn http2_does_not_fall_back() {
    let host = fallback_host();
    let mut client = host.client();
    let stream = client.get("/hello");
    assert_eq!(client.response(stream).head.status(), "200");
    assert_eq!(host.stats().fallbacks, 0);
}

#[test]
fn both_directions_at_once_are_held_up_and_lose_nothing() {
    let host = fallback_host();
    let mut socket = connect(&host);
    socket.write_all(b"GET ").unwrap();
    socket.write_all(b"/ HTTP/1.1\r\n").unwrap();
    let (connection, _) = handed_back(&host);
    read(&host, connection, 16);
    let up: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7) as u8).collect();
    let down: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 13) as u8).collect();
    std::thread::scope(|scope| {
        let mut reading = socket.try_clone().unwrap();
        let (up, down, host) = (&up, &down, &host);
        scope.spawn(move || socket.write_all(up).unwrap());
        scope.spawn(move || {
            let mut all = vec![0; down.len()];
            reading.read_exact(&mut all).unwrap();
            assert!(all == *down, "to the peer");
        });
        scope.spawn(move || write(host, connection, down));
        let (bytes, _) = read(host, connection, up.len());
        assert!(bytes == *up, "to the host");
    });
    host.engine.duplex_close(connection, false).unwrap();
    disconnected(&host, connection);
}

#[test]
fn the_hosts_abort_is_rst_also_while_the_peer_takes_nothing() {
    let host = fallback_host();
    let mut socket = connect(&host);
    socket.write_all(HTTP1).unwrap();
    let (connection, _) = handed_back(&host);
    // until the system takes no more
    let block = vec![1; CAPACITY];
    let mut stuck = 0;
    while stuck < 3 {
        stuck = if host.engine.duplex_write(connection, &block).unwrap() == 0 { stuck + 1 } else { 0 };
        std::thread::yield_now();
    }
    host.engine.duplex_close(connection, true).unwrap();
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
    let mut rest = Vec::new();
    let error = socket.read_to_end(&mut rest).expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_peer_that_takes_nothing_is_cut_in_time() {
    let host = Host::with(|config| {
        config.fallback = Fallback::Duplex;
        config.write_timeout = 100;
    });
    let mut socket = connect(&host);
    socket.write_all(HTTP1).unwrap();
    let (connection, _) = handed_back(&host);
    let block = vec![1; CAPACITY];
    // until the system takes no more, and then the wire neither
    while host.engine.duplex_write(connection, &block).is_ok() {
        std::thread::yield_now();
    }
    disconnected(&host, connection);
    assert_eq!(read_to_end(&host, connection), (HTTP1.to_vec(), Read::Reset));
    assert_eq!(host.stats().timeout_write, 1);
    host.engine.duplex_close(connection, false).unwrap();
}

#[test]
fn the_peers_reset_is_seen() {
    let host = fallback_host();
    let mut socket = connect(&host);
    socket.write_all(HTTP1).unwrap();
    let (connection, _) = handed_back(&host);
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
    assert_eq!(read_to_end(&host, connection), (HTTP1.to_vec(), Read::Reset));
    disconnected(&host, connection);
    gone(host.engine.duplex_write(connection, b"late"));
    host.engine.duplex_close(connection, false).unwrap();
}

#[test]
fn what_was_written_before_close_goes_out() {
    let host = fallback_host();
    let mut socket = connect(&host);
    socket.write_all(HTTP1).unwrap();
    let (connection, _) = handed_back(&host);
    assert_eq!(host.engine.duplex_write(connection, &vec![5; 200_000]).unwrap(), 200_000);
    host.engine.duplex_close(connection, false).unwrap();
    let mut all = Vec::new();
    socket.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 200_000);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn the_tls_of_a_duplex_stays_here() {
    let certificate = tls::tls();
    let host = tls::host_with(&certificate, |config| config.fallback = Fallback::Duplex, |_| {});
    let mut stream = tls::stream(&host, tls::Wants::alpn(&["http/1.1"]));
    stream.write_all(HTTP1).unwrap();
    let (connection, _) = handed_back(&host);
    assert_eq!(read(&host, connection, HTTP1.len()).0, HTTP1);
    write(&host, connection, b"in the clear for the host");
    host.engine.duplex_close(connection, false).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"in the clear for the host");
}

#[test]
fn a_raw_listener_gives_all_to_the_host_unread() {
    let raw = ListenOptions { raw: true, ..ListenOptions::default() };
    let host = Host::start();
    let listener = host.engine.listen("127.0.0.1:0", &raw).unwrap();
    let mut socket = TcpStream::connect(host.engine.listener_address(listener).unwrap()).unwrap();
    let (connection, of) = handed_back(&host);
    assert_eq!(of, Some(listener), "before its first byte");
    socket.write_all(PREFACE).unwrap();
    assert_eq!(read(&host, connection, PREFACE.len()).0, PREFACE);
    host.engine.duplex_close(connection, true).unwrap();
}
