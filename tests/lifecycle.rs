//! The life of an engine, its listeners and connections.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{AdoptOptions, Cause, Fallback, ListenOptions, MessageKind, Status};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;
use support::client::{Client, End, Hello, Socket};
use support::frame::*;
use support::host::{Event, Host};

/// A path for a UNIX socket that nothing else uses.
fn unix_path(name: &str) -> String {
    std::env::temp_dir().join(format!("h2ws-{}-{name}", std::process::id())).display().to_string()
}

/// A connected pair of TCP sockets.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (ours, listener.accept().unwrap().0)
}

fn serves(mut client: Client) {
    let stream = client.connect_websocket("/echo");
    client.echo(stream, "hello");
    let get = client.get("/hello");
    assert_eq!(client.response(get).body, b"hello, world");
}

// --- listeners

#[test]
fn listens_on_tcp_over_ipv4_and_ipv6() {
    let host = Host::start();
    serves(host.client());
    let listener = host.engine.listen("[::1]:0", &ListenOptions::default()).expect("IPv6 on loopback");
    let address = host.engine.listener_address(listener).expect("open");
    assert!(address.starts_with("[::1]:") && !address.ends_with(":0"), "the bound address: {address}");
    serves(Client::connect(&address));
}

#[test]
fn listens_on_unix_and_takes_the_name_away() {
    let host = Host::start();
    let path = unix_path("listen");
    let address = format!("unix:{path}");
    let listener = host.engine.listen(&address, &ListenOptions::default()).expect("a free path");
    assert_eq!(host.engine.listener_address(listener).expect("open"), address);
    serves(Client::connect(&address));
    assert_eq!(host.request("/echo").peer, "unix");
    host.engine.close_listener(listener).expect("open");
    host.wait_stats("the name gone", |_| !std::path::Path::new(&path).exists());
}

#[test]
fn an_address_in_use_is_named() {
    let host = Host::start();
    let error = host.engine.listen(&host.address, &ListenOptions::default()).expect_err("in use");
    assert_eq!(error.status(), Status::AddressInUse);
    assert!(error.text().contains(&host.address), "the text has the address: {error}");
    let path = unix_path("in-use");
    let _listener = UnixListener::bind(&path).unwrap();
    let error = host.engine.listen(&format!("unix:{path}"), &ListenOptions::default()).expect_err("in use");
    assert_eq!(error.status(), Status::AddressInUse);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_is_no_address_is_refused() {
    let host = Host::start();
    for wrong in ["", "8080", "localhost:8080", "127.0.0.1", "127.0.0.1:65536", "http://127.0.0.1:80"] {
        let error = host.engine.listen(wrong, &ListenOptions::default()).expect_err(wrong);
        assert_eq!(error.status(), Status::InvalidArgument, "{wrong:?}: {error}");
        assert!(error.text().contains(wrong), "the text has the value: {error}");
    }
    let error =
        host.engine.listen("unix:/no/such/directory/socket", &ListenOptions::default()).expect_err("no directory");
    assert_eq!(error.status(), Status::Io);
}

#[test]
fn a_closed_listener_takes_nobody_and_its_connections_go_on() {
    let host = Host::start();
    let listener = host.engine.listen("127.0.0.1:0", &ListenOptions::default()).expect("a free port");
    let address = host.engine.listener_address(listener).expect("open");
    let mut client = Client::connect(&address);
    let stream = client.connect_websocket("/echo");
    host.engine.close_listener(listener).expect("open");
    host.wait_stats("refused connections", |_| TcpStream::connect(&address).is_err());
    client.echo(stream, "still here");
    assert_eq!(host.engine.close_listener(listener).expect_err("closed").status(), Status::Gone);
    assert_eq!(host.engine.listener_address(listener).expect_err("closed").status(), Status::Gone);
}

#[test]
fn connections_spread_over_the_loops() {
    let host = Host::with(|config| config.loops = 2);
    let mut clients: Vec<_> = (0..4).map(|_| host.client()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        let stream = client.connect_websocket(&format!("/quiet?{n}"));
        let id = host.request(&format!("/quiet?{n}")).stream;
        host.engine.send(id, MessageKind::Text, b"from another thread").expect("open");
        assert_eq!(client.ws_message(stream).1, b"from another thread");
    }
}

// --- adopt

#[test]
fn adopts_tcp_and_unix_sockets() {
    let host = Host::start();
    let (ours, theirs) = tcp_pair();
    host.engine.adopt(theirs.into(), b"", &AdoptOptions::default()).expect("a stream socket");
    let mut client = Client::raw(ours);
    client.hello(&Hello::default());
    serves(client);
    let (ours, theirs) = UnixStream::pair().unwrap();
    host.engine.adopt(theirs.into(), b"", &AdoptOptions::default()).expect("a stream socket");
    let mut client = Client::raw(ours);
    client.hello(&Hello::default());
    serves(client);
}

/// SO_LINGER lives in the connection, not in the descriptor: 0 would make our close a RST, more would block the loop in it.
#[test]
fn a_linger_that_the_host_has_set_is_forgotten() {
    let host = Host::start();
    let (ours, theirs) = tcp_pair();
    let same = theirs.try_clone().unwrap();
    socket2::SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
    host.engine.adopt(theirs.into(), b"", &AdoptOptions::default()).unwrap();
    assert_eq!(socket2::SockRef::from(&same).linger().unwrap(), None);
    drop((ours, same));
}

#[test]
fn adopts_a_socket_of_which_some_was_read() {
    let host = Host::start();
    let whole = Client::hello_bytes(&Hello::default());
    for read in [1, 3, PREFACE.len() - 1, PREFACE.len(), PREFACE.len() + 5, whole.len()] {
        let (ours, mut theirs) = tcp_pair();
        let mut client = Client::raw(ours);
        client.send_bytes(&whole);
        let mut already_read = vec![0; read];
        theirs.read_exact(&mut already_read).unwrap();
        host.engine.adopt(theirs.into(), &already_read, &AdoptOptions::default()).expect("a stream socket");
        client.finish_hello(&Hello::default());
        serves(client);
    }
}

#[test]
fn adopts_without_websockets() {
    let host = Host::start();
    let (ours, theirs) = tcp_pair();
    host.engine
        .adopt(theirs.into(), b"", &AdoptOptions { websockets: false, ..AdoptOptions::default() })
        .expect("a stream socket");
    let mut client = Client::raw(ours);
    client.hello(&Hello::default());
    assert_eq!(client.setting(ENABLE_CONNECT_PROTOCOL), None);
}

#[test]
fn what_is_no_connected_stream_socket_is_refused_and_closed() {
    let host = Host::start();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.connect("127.0.0.1:9").unwrap();
    let unconnected = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (mut read_end, write_end) = std::io::pipe().unwrap();
    let refused: [(&str, OwnedFd); 6] = [
        ("a file", std::fs::File::open("/dev/null").unwrap().into()),
        ("a pipe", write_end.into()),
        ("a UDP socket", udp.into()),
        ("a listening socket", TcpListener::bind("127.0.0.1:0").unwrap().into()),
        ("a socket that is not connected", unconnected.into()),
        ("a UNIX listener", UnixListener::bind(unix_path("refused")).unwrap().into()),
    ];
    for (what, descriptor) in refused {
        let error = host.engine.adopt(descriptor, b"", &AdoptOptions::default()).expect_err(what);
        assert_eq!(error.status(), Status::NotASocket, "{what}: {error}");
    }
    assert_eq!(read_end.read(&mut [0]).unwrap(), 0, "the refused pipe has been closed");
    std::fs::remove_file(unix_path("refused")).unwrap();
    assert_eq!(host.stats().connections, 0);
}

#[test]
fn a_socket_whose_peer_has_gone_is_no_harm() {
    let host = Host::start();
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    // taken or refused, but never a leak: that is checked when the host ends
    let _either = host.engine.adopt(theirs.into(), b"", &AdoptOptions::default());
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
    serves(host.client());
}

// --- first bytes

const HTTP1: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn http1_that_is_switched_off_is_answered_505() {
    let host = Host::with_options(|_| {}, &ListenOptions { http1: false, ..ListenOptions::default() });
    let mut client = Client::raw(Socket::connect(&host.address));
    client.send_bytes(HTTP1);
    let answer = String::from_utf8(client.raw_until_end()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close\r\n"), "{answer}");
    assert_eq!(host.stats().refused_preface, 1);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn rfc9113_3_4_a_bad_preface_ends_the_connection() {
    for wrong in
        [&b"PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0\0\0\x04"]
    {
        let host = Host::with_options(|_| {}, &ListenOptions { http1: false, ..ListenOptions::default() });
        let mut client = Client::raw(Socket::connect(&host.address));
        client.send_bytes(wrong);
        client.half_close();
        // SETTINGS and GOAWAY, whole, and nothing more
        let answer = client.raw_until_end();
        let expected = [
            &[0, 0, 0, 4, 0, 0, 0, 0, 0][..],
            &[0, 0, 8, 7, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 0, 0, PROTOCOL_ERROR as u8],
        ];
        assert_eq!(answer, expected.concat(), "{wrong:?}");
        assert_eq!(host.stats().refused_preface, 1, "{wrong:?}");
    }
}

#[test]
fn rfc9113_3_4_settings_come_first() {
    let host = Host::start();
    let mut client = Client::raw(Socket::connect(&host.address));
    client.send_bytes(PREFACE);
    client.send(&Frame::ping([0; 8]));
    client.expect_goaway(PROTOCOL_ERROR);
}

#[test]
fn http1_with_a_fallback_goes_to_the_host() {
    let host = Host::with(|config| config.fallback = Fallback::Socket);
    let mut client = Client::raw(Socket::connect(&host.address));
    client.send_bytes(HTTP1);
    let (socket, already_read) = fallback(&host);
    assert!(HTTP1.starts_with(&already_read) && !already_read.is_empty(), "what was read comes along");
    let mut socket = TcpStream::from(socket);
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(support::FAILURE)).unwrap();
    let mut rest = vec![0; HTTP1.len() - already_read.len()];
    socket.read_exact(&mut rest).unwrap();
    assert_eq!([already_read, rest].concat(), HTTP1, "and nothing is lost");
    socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    drop(socket);
    assert_eq!(client.raw_until_end(), b"HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!((host.stats().fallbacks, host.stats().refused_preface), (1, 0));
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

/// How long a request line may take is for the host to say, whose own engine reads it.
#[test]
fn what_cannot_be_http2_falls_back_at_its_first_byte() {
    let host = Host::with(|config| config.fallback = Fallback::Socket);
    let mut client = Client::raw(Socket::connect(&host.address));
    client.send_bytes(b"G");
    assert_eq!(fallback(&host).1, b"G");
}

#[test]
fn an_adopted_socket_falls_back_with_all_that_was_read() {
    let host = Host::with(|config| config.fallback = Fallback::Socket);
    let (_ours, theirs) = tcp_pair();
    host.engine.adopt(theirs.into(), HTTP1, &AdoptOptions::default()).expect("a stream socket");
    assert_eq!(fallback(&host).1, HTTP1);
}

#[test]
fn http2_does_not_fall_back() {
    let host = Host::with(|config| config.fallback = Fallback::Socket);
    serves(host.client());
    assert_eq!(host.stats().fallbacks, 0);
}

fn fallback(host: &Host) -> (OwnedFd, Vec<u8>) {
    host.wait_for("a connection that falls back", |events| {
        events.iter_mut().find_map(|event| match event {
            Event::Fallback { socket, already_read, .. } => Some((socket.take()?, already_read.clone())),
            _ => None,
        })
    })
}

// --- ends

#[test]
fn a_panic_of_the_host_ends_its_connection_only() {
    for path in ["/panic", "/panic-on-message", "/panic?http"] {
        let host = Host::start();
        let mut other = host.client();
        let other_stream = other.connect_websocket("/echo");
        let mut client = host.client();
        let sibling = client.connect_websocket("/quiet");
        if path == "/panic?http" {
            client.get(path);
        } else {
            let stream = client.open(&support::client::connect_fields(path), false);
            client.data(stream, &ws_text("x"));
        }
        client.expect_goaway(INTERNAL_ERROR);
        let sibling_id = host.request("/quiet").stream;
        for id in [sibling_id, host.request(path).stream] {
            let closed = host.closed(id);
            assert_eq!((closed.cause, closed.h2_code), (Cause::GoAway, INTERNAL_ERROR), "{path}: {closed:?}");
        }
        assert_eq!(host.stats().panics, 1, "{path}");
        assert!(!host.log_lines("panic").is_empty(), "the log says so");
        other.echo(other_stream, "another connection of the same loop goes on");
        serves(host.client());
        assert_eq!(sibling, 1);
    }
}

#[test]
fn shutdown_gives_every_stream_its_end() {
    let host = Host::start();
    let mut clients: Vec<_> = (0..3).map(|_| host.client()).collect();
    for client in &mut clients {
        for _ in 0..5 {
            client.connect_websocket("/quiet");
        }
        client.get("/test");
        client.open(&support::client::connect_fields("/never"), false);
        client.sync();
    }
    host.engine.shutdown().expect("running");
    assert_eq!(host.all_closed().len(), 3 * 7);
    for mut client in clients {
        client.wait_end();
    }
    host.engine.shutdown().expect("once more is no harm");
    let (_ours, theirs) = tcp_pair();
    let error = host.engine.adopt(theirs.into(), b"", &AdoptOptions::default()).expect_err("over");
    assert_eq!(error.status(), Status::ShuttingDown);
    let error = host.engine.listen("127.0.0.1:0", &ListenOptions::default()).expect_err("over");
    assert_eq!(error.status(), Status::ShuttingDown);
    assert!(TcpStream::connect(&host.address).is_err(), "nobody listens");
}

#[test]
fn drain_without_connections_returns_at_once() {
    let host = Host::start();
    host.engine.drain(Duration::from_secs(3600)).expect("nothing to wait for");
    host.wait_stats("nobody to listen", |_| TcpStream::connect(&host.address).is_err());
}

#[test]
fn a_drained_connection_takes_no_new_streams() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/quiet");
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        client.goaway();
        client.goaway();
        let late = client.get("/hello");
        assert_eq!(client.ws_frame(stream).opcode, CLOSE);
        client.data_end(stream, &ws_close(1001, ""));
        assert_eq!(client.wait_end(), End::Fin);
        assert!(!client.untaken().iter().any(|frame| frame.stream == late && frame.kind == HEADERS), "no answer to it");
        drain.join().unwrap().expect("all ended in time");
    });
    assert_eq!(host.request_count(), 1, "the host does not hear of it");
}

#[test]
fn connections_before_their_preface_do_not_hold_up_a_drain() {
    let host = Host::with(|config| config.preface_timeout = 0);
    let mut silent = TcpStream::connect(&host.address).unwrap();
    silent.write_all(&PREFACE[..5]).unwrap();
    host.wait_stats("it taken", |stats| stats.open_connections == 1);
    host.engine.drain(Duration::from_secs(5)).expect("there is nothing to end in an orderly way");
    let mut client = Client::raw(silent);
    client.wait_end();
}

#[test]
fn what_blocks_is_refused_inside_a_callback() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/blocking-calls");
    let answer = String::from_utf8(client.response(stream).body).unwrap();
    assert_eq!(answer, "[Err(WrongThread), Err(WrongThread)]");
    serves(client);
}

#[test]
fn an_idle_connection_ends_with_fin() {
    let host = Host::start();
    let mut client = host.client();
    client.half_close();
    assert_eq!(client.wait_end(), End::Fin);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn counters_go_up_and_down() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/echo");
    client.echo(stream, "12345");
    let stats = host.wait_stats("one message each way", |stats| stats.messages_out == 1);
    assert_eq!((stats.open_connections, stats.open_streams, stats.open_websockets), (1, 1, 1));
    assert!(stats.bytes_in > 24 && stats.bytes_out > 24 && stats.reads > 0 && stats.writes > 0, "{stats:#?}");
    client.half_close();
    host.wait_stats("all gone", |s| (s.open_connections, s.open_streams, s.open_websockets) == (0, 0, 0));
}

/// A connection whose first bytes come while the engine ends is cut like the others: the engine does not wait for its client.
#[test]
fn an_engine_that_ends_does_not_wait_for_who_says_hello_meanwhile() {
    for _ in 0..300 {
        let host = Host::start();
        let mut socket = TcpStream::connect(&host.address).expect("it listens");
        host.wait_stats("a connection", |stats| stats.open_connections == 1);
        let (ended, end) = std::sync::mpsc::channel();
        let engine = host.engine.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                engine.shutdown().expect("it runs");
                let _ = ended.send(());
            });
            let _ = socket.write_all(&Client::hello_bytes(&Hello::default()));
            end.recv_timeout(Duration::from_secs(10)).expect("the engine has ended, and its client has not");
        });
    }
}
