//! After an engine has ended, nothing of it is left in the process: no descriptor, no thread. One test, so that
//! nothing else runs in this process meanwhile.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{AdoptOptions, Fallback, MessageKind};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use support::client::{Client, connect_fields, headers, request_fields};
use support::frame::*;
use support::host::Host;
use support::process;

/// A busy life: every kind of stream and connection, in every state.
fn live(drain: bool) {
    let host = Host::with(|config| {
        config.loops = 2;
        config.fallback = Fallback::Socket;
    });
    let mut clients: Vec<Client> = (0..4).map(|_| host.client()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        let echo = client.connect_websocket(&format!("/echo?{n}"));
        client.echo(echo, "hello");
        let half_open = client.connect_websocket(&format!("/manual?{n}"));
        client.data_end(half_open, &ws_close(1000, ""));
        client.connect_websocket(&format!("/demand?{n}"));
        client.open(&connect_fields(&format!("/never?{n}")), false);
        client.open(&request_fields("GET", &format!("/test?{n}")), true);
        let cut = client.next_stream();
        let whole = headers(cut, &request_fields("POST", "/echo-body"), false).encode();
        client.sync();
        client.send_bytes(&whole[..whole.len() / 2]);
        let id = host.request(&format!("/echo?{n}")).stream;
        host.engine.send(id, MessageKind::Binary, &vec![0; 1 << 20]).expect("open");
    }
    let reset = host.client();
    reset.reset();
    let (ours, theirs) = UnixStream::pair().unwrap();
    host.engine.adopt(theirs.into(), &PREFACE[..10], &AdoptOptions::default()).expect("a stream socket");
    let _refused = host.engine.adopt(std::fs::File::open("/dev/null").unwrap().into(), b"", &AdoptOptions::default());
    let mut http1 = TcpStream::connect(&host.address).unwrap();
    http1.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    host.wait_stats("the fallback", |stats| stats.fallbacks == 1);
    assert_eq!(process::loop_threads().len(), 2, "{:?}", process::loop_threads());
    if drain {
        // the peers keep silent: what is left at the deadline is cut
        let _cut = host.engine.drain(Duration::from_millis(50));
    }
    drop(host);
    drop(ours);
}

#[test]
fn nothing_is_left_after_shutdown() {
    // what the process opens once and keeps
    live(false);
    let before = process::descriptors();
    for n in 0..6 {
        live(n % 2 == 1);
        assert_eq!(process::loop_threads_left(), Vec::<String>::new(), "threads left after shutdown");
    }
    assert_eq!(process::descriptors(), before, "descriptors left after shutdown");
}
