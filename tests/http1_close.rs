//! How WebSockets over HTTP/1.1 end: FIN is what END_STREAM is over HTTP/2, RST what RST_STREAM is (RFC 8441 §5).
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, ControlKind, MessageKind, Side};
use std::time::{Duration, Instant};
use support::frame::*;
use support::host::Host;
use support::http1::{End, Http1, upgrade};

#[test]
fn rfc6455_7_1_1_the_peers_close_is_answered_and_the_server_ends_first() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    let stream = host.request("/echo").stream;
    client.send([ws_text("last"), ws_close(4001, "bye"), ws_text("ignored")].concat());
    client.expect_frame(TEXT, b"last");
    client.expect_frame(CLOSE, &close_payload(4001, ""));
    client.expect_end(End::Fin);
    let closed = host.closed(stream);
    assert_eq!((closed.facts(), closed.reason.as_str()), ((4001, Cause::CloseFrame, 0, Side::Remote), "bye"));
    assert_eq!(host.messages(stream).len(), 1, "nothing after the Close");
}

#[test]
fn the_hosts_close_is_answered() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/close/4002");
    client.expect_frame(CLOSE, &close_payload(4002, "bye"));
    client.send(ws_close(4002, "bye"));
    client.expect_end(End::Fin);
    assert_eq!(host.closed(host.request("/close/4002").stream).facts(), (4002, Cause::CloseFrame, 0, Side::Local));
}

#[test]
fn fin_without_a_close_is_1006() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    let stream = host.request("/echo").stream;
    client.send(ws_text("last"));
    client.half_close();
    client.expect_frame(TEXT, b"last");
    client.expect_end(End::Fin);
    assert_eq!(host.closed(stream).facts(), (1006, Cause::EndStream, 0, Side::Remote));
}

#[test]
fn fin_in_the_middle_of_a_message_is_1006() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    client.send(&ws_text("cut off")[..5]);
    client.half_close();
    client.expect_end(End::Fin);
    assert_eq!(host.closed(host.request("/echo").stream).facts(), (1006, Cause::EndStream, 0, Side::Remote));
    assert_eq!(host.stats().messages_in, 0);
}

#[test]
fn fin_behind_messages_that_wait_is_told_after_them() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/demand");
    let stream = host.request("/demand").stream;
    client.send([ws_text("a"), ws_text("b")].concat());
    client.half_close();
    host.engine.demand(stream, 1).unwrap();
    host.wait_messages(stream, 1);
    assert_eq!(host.closed_so_far(stream), None, "there is one more");
    host.engine.demand(stream, 1).unwrap();
    host.wait_messages(stream, 2);
    assert_eq!(host.closed(stream).cause, Cause::EndStream);
}

#[test]
fn a_close_behind_messages_that_wait_is_heard_after_them() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/demand");
    let stream = host.request("/demand").stream;
    client.send([ws_text("a"), ws_close(1000, "x")].concat());
    host.engine.demand(stream, 1).unwrap();
    assert_eq!(host.control(stream, ControlKind::Close), (b"x".to_vec(), Some(1000)));
    client.expect_frame(CLOSE, &close_payload(1000, ""));
    client.expect_end(End::Fin);
}

#[test]
fn a_close_and_fin_that_the_host_does_not_answer_are_the_end_in_time() {
    let host = Host::with(|config| config.close_timeout = 50);
    let mut client = Http1::upgrade(&host, "/manual");
    client.send(ws_close(4003, "gone"));
    client.half_close();
    client.expect_end(End::Reset);
    let closed = host.closed(host.request("/manual").stream);
    assert_eq!((closed.facts(), closed.reason.as_str()), ((4003, Cause::CloseFrame, 0, Side::Remote), "gone"));
}

#[test]
fn with_manual_control_an_end_without_a_close_is_the_hosts_to_answer() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/manual");
    let stream = host.request("/manual").stream;
    client.half_close();
    assert_eq!(host.control(stream, ControlKind::End), (Vec::new(), None));
    host.engine.send(stream, MessageKind::Text, b"not yet").unwrap();
    client.expect_frame(TEXT, b"not yet");
    host.engine.close(stream, Some(1000), "").unwrap();
    client.expect_frame(CLOSE, &close_payload(1000, ""));
    client.expect_end(End::Fin);
    assert_eq!(host.closed(stream).facts(), (1006, Cause::EndStream, 0, Side::Remote));
    assert_eq!(host.controls(stream), [ControlKind::End], "it is told once");
}

#[test]
fn with_manual_control_a_violation_is_the_hosts_to_answer() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/manual");
    let stream = host.request("/manual").stream;
    client.send([ws_text("before"), ws_frame(true, 3, b""), ws_text("after")].concat());
    assert_eq!(host.control(stream, ControlKind::Violation).1, Some(1002));
    host.engine.send(stream, MessageKind::Text, b"to what came before").unwrap();
    client.expect_frame(TEXT, b"to what came before");
    host.engine.close(stream, Some(1002), "").unwrap();
    client.expect_frame(CLOSE, &close_payload(1002, ""));
    client.half_close();
    client.expect_end(End::Fin);
    assert_eq!(host.closed(stream).facts(), (1002, Cause::Violation, 0, Side::Local));
    assert_eq!(host.messages(stream), [b"before".to_vec()]);
}

#[test]
fn with_manual_control_a_host_that_answers_nothing_is_cut() {
    let host = Host::with(|config| config.close_timeout = 50);
    let mut ended = Http1::upgrade(&host, "/manual?ended");
    ended.half_close();
    let closed = host.closed(host.request("/manual?ended").stream);
    assert_eq!(closed.facts(), (1006, Cause::EndStream, 0, Side::Remote));
    let mut wrong = Http1::upgrade(&host, "/manual?wrong");
    wrong.send(ws_frame(true, 3, b""));
    let closed = host.closed(host.request("/manual?wrong").stream);
    assert_eq!(closed.facts(), (1002, Cause::Violation, 0, Side::Local));
}

#[test]
fn tcps_reset_is_the_end() {
    let host = Host::start();
    let client = Http1::upgrade(&host, "/echo");
    let stream = host.request("/echo").stream;
    client.reset();
    assert_eq!(host.closed(stream).facts(), (1006, Cause::Disconnected, 0, Side::Remote));
}

#[test]
fn with_manual_control_tcps_reset_is_nothing_to_answer() {
    let host = Host::start();
    let client = Http1::upgrade(&host, "/manual");
    let stream = host.request("/manual").stream;
    client.reset();
    assert_eq!(host.closed(stream).facts(), (1006, Cause::Disconnected, 0, Side::Remote));
    assert_eq!(host.controls(stream), []);
}

#[test]
fn an_abort_is_tcps_reset() {
    let host = Host::start();
    let mut client = Http1::upgrade(&host, "/echo");
    client.send(ws_text("!abort 8"));
    client.expect_end(End::Reset);
    assert_eq!(host.closed(host.request("/echo").stream).facts(), (1006, Cause::Reset, 8, Side::Local));
}

#[test]
fn an_abort_at_once_is_a_reset_too() {
    let host = Host::start();
    Http1::send_to(&host, upgrade("/abort/8", "")).expect_end(End::Reset);
    host.closed(host.request("/abort/8").stream);
    host.wait_stats("no socket", |stats| stats.open_websockets == 0 && stats.open_connections == 0);
}

#[test]
fn a_peer_that_does_not_answer_our_close_is_cut() {
    let host = Host::with(|config| config.close_timeout = 50);
    let mut client = Http1::upgrade(&host, "/close/1000");
    client.expect_frame(CLOSE, &close_payload(1000, "bye"));
    client.expect_end(End::Reset);
    let closed = host.closed(host.request("/close/1000").stream);
    assert_eq!(closed.facts(), (1006, Cause::Timeout, 0, Side::Local));
    assert_eq!(host.stats().timeout_close, 1);
}

#[test]
fn a_peer_that_answers_and_stays_is_cut() {
    let host = Host::with(|config| config.close_timeout = 50);
    let mut client = Http1::upgrade(&host, "/close/1000");
    client.expect_frame(CLOSE, &close_payload(1000, "bye"));
    client.send(ws_close(1000, ""));
    assert_eq!(host.closed(host.request("/close/1000").stream).facts(), (1000, Cause::CloseFrame, 0, Side::Local));
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn a_peer_that_reads_nothing_is_cut() {
    let host = Host::with(|config| config.write_timeout = 100);
    let client = Http1::upgrade(&host, "/quiet");
    let stream = host.request("/quiet").stream;
    let data = vec![0; 100_000];
    // until the system takes no more; then the queue is full, and stays so
    let begin = Instant::now();
    while host.closed_so_far(stream).is_none() && begin.elapsed() < support::FAILURE {
        let _busy = host.engine.send(stream, MessageKind::Binary, &data);
        std::thread::yield_now();
    }
    let closed = host.closed(stream);
    assert_eq!(closed.facts(), (1006, Cause::Timeout, 0, Side::Local));
    assert!(closed.reason.contains("write_timeout"), "{closed:?}");
    assert_eq!(host.stats().timeout_write, 1);
    drop(client);
}

#[test]
fn the_end_of_the_engine_is_told() {
    let host = Host::start();
    let client = Http1::upgrade(&host, "/echo");
    let stream = host.request("/echo").stream;
    host.engine.drain(Duration::from_millis(20)).unwrap();
    assert_eq!(host.closed(stream).cause, Cause::Drain);
    drop(client);
}
