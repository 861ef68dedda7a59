//! How a WebSocket ends: {local, remote} x {Close, END_STREAM, RST_STREAM, GOAWAY, TCP FIN, TCP RST, drain, timeout}.
//! `docs/close.md` is the table of these tests.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use h2ws::{Cause, ControlKind, MessageKind, Side, Status, StreamId};
use std::time::Duration;
use support::client::{Client, End, fields, headers};
use support::frame::*;
use support::host::Host;

/// A socket on its own connection.
fn open(path: &str) -> (Host, Client, u32, StreamId) {
    open_with(path, 5_000)
}

fn open_with(path: &str, close_timeout: u32) -> (Host, Client, u32, StreamId) {
    let host = Host::with(|config| config.close_timeout = close_timeout);
    let mut client = host.client();
    let stream = client.connect_websocket(path);
    let id = host.request(path).stream;
    (host, client, stream, id)
}

/// Asserts how the host was told of the end, and that the wire keeps silent from now on.
fn over(host: &Host, client: &mut Client, stream: u32, id: StreamId, facts: (u16, Cause, u32, Side)) {
    assert_eq!(host.closed(id).facts(), facts);
    client.expect_silence_on(stream);
    let stats = host.wait_stats("no open socket", |stats| stats.open_streams == 0);
    assert_eq!(stats.open_websockets, 0);
}

// --- remote

#[test]
fn remote_close() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data(stream, &ws_close(1000, "bye"));
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    assert_eq!(host.control(id, ControlKind::Close), (b"bye".to_vec(), Some(1000)));
    client.expect_silence_on(stream);
    client.data_end(stream, b"");
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
    assert_eq!(host.closed(id).reason, "bye");
}

#[test]
fn remote_close_with_end_stream() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data_end(stream, &ws_close(4321, "own code"));
    client.expect(&Frame::data_end(stream, server_close(4321, "")));
    over(&host, &mut client, stream, id, (4321, Cause::CloseFrame, NO_ERROR, Side::Remote));
    assert_eq!(host.closed(id).reason, "own code");
}

#[test]
fn remote_close_without_a_code() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data_end(stream, &ws_frame(true, CLOSE, b""));
    client.expect(&Frame::data_end(stream, server_frame(CLOSE, b"")));
    assert_eq!(host.control(id, ControlKind::Close), (Vec::new(), None));
    over(&host, &mut client, stream, id, (1005, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn remote_close_and_then_nothing() {
    let (host, mut client, stream, id) = open_with("/quiet", 50);
    client.data(stream, &ws_close(1000, ""));
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    client.expect(&Frame::rst(stream, NO_ERROR));
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
    assert_eq!(host.stats().timeout_close, 1);
}

#[test]
fn remote_close_and_rst_stream_in_one_flush() {
    let (host, mut client, stream, id) = open("/quiet");
    client.send_all(&[Frame::data(stream, ws_close(1000, "bye")), Frame::rst(stream, CANCEL)]);
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.reason.as_str()), (1000, "bye"), "the Close came before the reset: {closed:?}");
    client.sync();
}

#[test]
fn remote_close_and_tcp_fin_in_one_flush() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data(stream, &ws_close(1000, "bye"));
    client.half_close();
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.reason.as_str()), (1000, "bye"), "the Close came before the FIN: {closed:?}");
    client.wait_end();
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
}

#[test]
fn rfc6455_1_4_what_comes_after_a_close_is_not_heard() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data(stream, &[ws_text("before"), ws_close(1000, ""), ws_text("after"), vec![0xff; 10]].concat());
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    client.data_end(stream, &ws_text("late"));
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
    assert_eq!(host.messages(id), [b"before".to_vec()]);
}

#[test]
fn remote_close_with_manual_control() {
    let (host, mut client, stream, id) = open("/manual");
    client.data(stream, &ws_close(1000, "bye"));
    assert_eq!(host.control(id, ControlKind::Close), (b"bye".to_vec(), Some(1000)));
    client.expect_silence_on(stream);
    host.engine.send(id, MessageKind::Text, b"not yet").expect("the peer's Close does not end our side");
    client.expect(&Frame::data(stream, server_frame(TEXT, b"not yet")));
    host.engine.close(id, Some(1000), "now").expect("the host answers");
    client.expect(&Frame::data_end(stream, server_close(1000, "now")));
    client.data_end(stream, b"");
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn remote_close_with_end_stream_and_manual_control() {
    let (host, mut client, stream, id) = open_with("/manual", 50);
    client.data_end(stream, &ws_close(1000, "bye"));
    assert_eq!(host.control(id, ControlKind::Close), (b"bye".to_vec(), Some(1000)));
    for n in 0..3 {
        let text = format!("{n} after the peer's end");
        host.engine.send(id, MessageKind::Text, text.as_bytes()).expect("our side is open until the host closes it");
        client.expect(&Frame::data(stream, server_frame(TEXT, text.as_bytes())));
    }
    host.engine.close(id, Some(1000), "").expect("the host answers");
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn remote_end_stream_with_manual_control() {
    let (host, mut client, stream, id) = open_with("/manual", 50);
    client.data_end(stream, b"");
    assert_eq!(host.control(id, ControlKind::End), (Vec::new(), None));
    client.expect_silence_on(stream);
    host.engine.send(id, MessageKind::Text, b"not yet").expect("the peer's end does not end our side");
    client.expect(&Frame::data(stream, server_frame(TEXT, b"not yet")));
    host.engine.close(id, Some(1000), "").expect("the host ends our side");
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
    assert_eq!(host.controls(id).len(), 1, "it is told once");
}

#[test]
fn remote_end_stream_inside_a_message_with_manual_control() {
    let (host, mut client, stream, id) = open("/manual");
    client.data_end(stream, &ws_frame(false, TEXT, b"half of"));
    assert_eq!(host.control(id, ControlKind::End).0, b"inside a message");
    host.engine.close(id, Some(1002), "").expect("the host ends our side");
    client.expect(&Frame::data_end(stream, server_close(1002, "")));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
}

#[test]
fn remote_violation_with_manual_control() {
    let (host, mut client, stream, id) = open("/manual");
    client.data(stream, &[ws_text("before"), ws_frame(true, 3, b""), ws_text("after")].concat());
    let (text, code) = host.control(id, ControlKind::Violation);
    assert_eq!(code, Some(1002), "{}", String::from_utf8_lossy(&text));
    client.expect_silence_on(stream);
    host.engine.send(id, MessageKind::Text, b"to what came before").expect("our side is open until the host closes it");
    client.expect(&Frame::data(stream, server_frame(TEXT, b"to what came before")));
    host.engine.close(id, Some(1002), "").expect("the host answers");
    client.expect(&Frame::data_end(stream, server_close(1002, "")));
    client.data_end(stream, b"");
    over(&host, &mut client, stream, id, (1002, Cause::Violation, NO_ERROR, Side::Local));
    assert_eq!(host.messages(id), [b"before".to_vec()]);
    assert_eq!(host.stats().violation_frame, 1);
}

#[test]
fn remote_violation_that_the_host_does_not_answer() {
    let (host, mut client, stream, id) = open_with("/manual", 50);
    client.data_end(stream, &ws_frame(true, 3, b""));
    client.expect(&Frame::rst(stream, CANCEL));
    over(&host, &mut client, stream, id, (1002, Cause::Violation, CANCEL, Side::Local));
    assert_eq!(host.controls(id).len(), 1, "of the end that came with it nothing is told");
}

#[test]
fn remote_violation_behind_what_waits_for_demand() {
    let (host, mut client, stream, id) = open("/manual-demand");
    client.data(stream, &[ws_text("before"), ws_frame(true, 3, b"")].concat());
    client.expect_silence_on(stream);
    assert!(host.controls(id).is_empty(), "the message is first");
    host.engine.demand(id, 1).expect("open");
    assert_eq!(host.control(id, ControlKind::Violation).1, Some(1002));
    assert_eq!(host.messages(id), [b"before".to_vec()]);
    host.engine.close(id, Some(1002), "").expect("the host answers");
    client.expect(&Frame::data_end(stream, server_close(1002, "")));
}

#[test]
fn remote_end_stream() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data_end(stream, &ws_text("the last"));
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
    assert_eq!(host.messages(id), [b"the last".to_vec()]);
}

#[test]
fn remote_end_stream_on_an_empty_frame() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data_end(stream, b"");
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
}

#[test]
fn remote_end_stream_inside_a_message() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data_end(stream, &ws_text("cut")[..7]);
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
    assert!(host.messages(id).is_empty(), "half a message is none");
}

#[test]
fn remote_rst_stream() {
    for code in [NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, 0xdead_beef] {
        let (host, mut client, stream, id) = open("/quiet");
        client.send_all(&[Frame::data(stream, ws_text("the last")), Frame::rst(stream, code)]);
        over(&host, &mut client, stream, id, (1006, Cause::Reset, code, Side::Remote));
        assert_eq!(host.messages(id), [b"the last".to_vec()], "what came before the reset is heard");
    }
}

#[test]
fn remote_goaway() {
    let (host, mut client, stream, id) = open("/echo");
    client.send(&Frame::goaway(0, NO_ERROR));
    client.echo(stream, "RFC 9113 §6.8: streams that are open go on");
    client.data(stream, &ws_close(1000, ""));
    client.expect(&Frame::data_end(stream, server_close(1000, "")));
    client.data_end(stream, b"");
    assert_eq!(host.closed(id).facts(), (1000, Cause::CloseFrame, NO_ERROR, Side::Remote));
}

#[test]
fn remote_tcp_fin() {
    let (host, mut client, stream, id) = open("/quiet");
    client.data(stream, &ws_text("the last"));
    client.half_close();
    assert_eq!(host.closed(id).facts(), (1006, Cause::Disconnected, NO_ERROR, Side::Remote));
    assert_eq!(host.messages(id), [b"the last".to_vec()]);
    assert_eq!(client.wait_end(), End::Fin);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn remote_tcp_rst() {
    let (host, client, _, id) = open("/quiet");
    client.reset();
    assert_eq!(host.closed(id).facts(), (1006, Cause::Disconnected, NO_ERROR, Side::Remote));
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn remote_trailers() {
    for end in [true, false] {
        let (host, mut client, stream, id) = open("/quiet");
        let sibling = client.connect_websocket("/echo");
        client.send(&headers(stream, &fields(&[("x-trailer", "1")]), end));
        client.expect(&Frame::rst(stream, PROTOCOL_ERROR));
        assert_eq!(host.closed(id).facts(), (1006, Cause::Violation, PROTOCOL_ERROR, Side::Local), "END_STREAM {end}");
        client.echo(sibling, "a sibling is not touched");
        assert_eq!(host.stats().violation_stream, 1);
    }
}

// --- local

#[test]
fn local_close() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, Some(1001), "bye").expect("open");
    client.expect(&Frame::data(stream, server_close(1001, "bye")));
    client.expect_silence_on(stream);
    client.data(stream, &ws_close(1001, ""));
    client.expect(&Frame::data_end(stream, []));
    client.data_end(stream, b"");
    over(&host, &mut client, stream, id, (1001, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn local_close_without_a_code_answered_with_end_stream_and_another_code() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, None, "").expect("open");
    client.expect(&Frame::data(stream, server_frame(CLOSE, b"")));
    client.data_end(stream, &ws_close(4000, "mine"));
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (4000, Cause::CloseFrame, NO_ERROR, Side::Local));
    assert_eq!(host.closed(id).reason, "mine", "code and reason are the peer's");
}

#[test]
fn local_close_with_a_reason_of_123_bytes() {
    let (host, mut client, stream, id) = open("/quiet");
    let reason = "r".repeat(123);
    host.engine.close(id, Some(4999), &reason).expect("open");
    client.expect(&Frame::data(stream, server_close(4999, &reason)));
    client.data_end(stream, &ws_close(4999, ""));
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (4999, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn local_close_inside_a_callback() {
    let (host, mut client, stream, id) = open("/echo");
    client.data(stream, &[ws_text("first"), ws_text("!close 4000 bye")].concat());
    client.expect(&Frame::data(stream, [server_frame(TEXT, b"first"), server_close(4000, "bye")].concat()));
    client.data_end(stream, &ws_close(4000, ""));
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (4000, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn local_close_together_with_the_accept() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.connect_websocket("/close/1000");
    client.expect(&Frame::data(stream, server_close(1000, "bye")));
    client.data_end(stream, &ws_close(1000, ""));
    let id = host.request("/close/1000").stream;
    over_after_end(&host, &mut client, stream, id);
}

#[test]
fn local_close_comes_after_all_that_was_sent_before() {
    let (host, mut client, stream, id) = open("/quiet");
    for n in 0..200u8 {
        host.engine.send(id, MessageKind::Binary, &[n; 3000]).expect("room");
    }
    host.engine.close(id, Some(1000), "").expect("open");
    for n in 0..200u8 {
        assert_eq!(client.ws_message(stream), (BINARY, vec![n; 3000]));
    }
    let close = client.ws_frame(stream);
    assert_eq!((close.opcode, close.payload), (CLOSE, close_payload(1000, "")));
    client.data_end(stream, &ws_close(1000, ""));
    over_after_end(&host, &mut client, stream, id);
}

/// As `over`, where END_STREAM of the server is still to be taken.
fn over_after_end(host: &Host, client: &mut Client, stream: u32, id: StreamId) {
    client.expect(&Frame::data_end(stream, []));
    over(host, client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn local_close_and_messages_that_cross_it() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.data(stream, &ws_text("crossing"));
    assert_eq!(host.wait_messages(id, 1), [b"crossing".to_vec()], "the peer may send until its Close");
    let again = host.engine.send(id, MessageKind::Text, b"no").expect_err("a Close is the last frame");
    assert_eq!(again.status(), Status::WrongState);
    assert_eq!(host.engine.close(id, Some(1000), "").expect_err("twice").status(), Status::WrongState);
    client.data_end(stream, &ws_close(1000, ""));
    over_after_end(&host, &mut client, stream, id);
}

#[test]
fn local_close_without_an_answer() {
    let (host, mut client, stream, id) = open_with("/quiet", 50);
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.expect(&Frame::rst(stream, CANCEL));
    over(&host, &mut client, stream, id, (1006, Cause::Timeout, CANCEL, Side::Local));
    assert!(host.closed(id).reason.contains("close_timeout"), "the reason says which: {}", host.closed(id).reason);
    assert_eq!(host.stats().timeout_close, 1);
}

#[test]
fn local_close_answered_without_end_stream() {
    let (host, mut client, stream, id) = open_with("/quiet", 500);
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.data(stream, &ws_close(1000, ""));
    client.expect(&Frame::data_end(stream, []));
    client.expect(&Frame::rst(stream, NO_ERROR));
    over(&host, &mut client, stream, id, (1000, Cause::CloseFrame, NO_ERROR, Side::Local));
}

#[test]
fn local_close_answered_by_end_stream_alone() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.data_end(stream, b"");
    client.expect(&Frame::data_end(stream, []));
    over(&host, &mut client, stream, id, (1006, Cause::EndStream, NO_ERROR, Side::Remote));
}

#[test]
fn local_close_answered_by_rst_stream() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.rst(stream, CANCEL);
    over(&host, &mut client, stream, id, (1006, Cause::Reset, CANCEL, Side::Remote));
}

#[test]
fn local_close_answered_by_tcp_fin() {
    let (host, mut client, stream, id) = open("/quiet");
    host.engine.close(id, Some(1000), "").expect("open");
    client.expect(&Frame::data(stream, server_close(1000, "")));
    client.half_close();
    assert_eq!(host.closed(id).facts(), (1006, Cause::Disconnected, NO_ERROR, Side::Remote));
}

#[test]
fn local_rst_stream() {
    for code in [NO_ERROR, INTERNAL_ERROR, CANCEL] {
        let (host, mut client, stream, id) = open("/quiet");
        host.engine.abort(id, code).expect("open");
        client.expect(&Frame::rst(stream, code));
        over(&host, &mut client, stream, id, (1006, Cause::Reset, code, Side::Local));
        assert_eq!(host.engine.abort(id, code).expect_err("over").status(), Status::Gone);
    }
}

#[test]
fn local_rst_stream_inside_a_callback_is_the_last_that_is_heard() {
    let (host, mut client, stream, id) = open("/echo");
    client.data(stream, &[ws_text("first"), ws_text("!abort 8"), ws_text("after")].concat());
    let last = client.take("RST_STREAM", |frame| frame.kind == RST_STREAM);
    assert_eq!(last, Frame::rst(stream, CANCEL));
    assert_eq!(host.closed(id).facts(), (1006, Cause::Reset, CANCEL, Side::Local));
    client.sync();
    assert_eq!(host.messages(id), [b"first".to_vec(), b"!abort 8".to_vec()]);
}

#[test]
fn local_rst_stream_together_with_the_accept() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&support::client::connect_fields("/abort/8"), false);
    let last = client.take("RST_STREAM", |frame| frame.kind == RST_STREAM);
    assert_eq!(last, Frame::rst(stream, CANCEL));
    let closed = host.closed(host.request("/abort/8").stream);
    assert_eq!((closed.cause, closed.h2_code, closed.side), (Cause::Reset, CANCEL, Side::Local));
}

#[test]
fn local_rst_stream_of_an_undecided_handshake() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.open(&support::client::connect_fields("/later"), false);
    let id = host.request("/later").stream;
    host.engine.abort(id, REFUSED_STREAM).expect("undecided");
    client.expect(&Frame::rst(stream, REFUSED_STREAM));
    over(&host, &mut client, stream, id, (0, Cause::Reset, REFUSED_STREAM, Side::Local));
}

#[test]
fn local_rst_stream_drops_what_waits() {
    let host = Host::start();
    let mut client =
        host.client_with(&support::client::Hello { settings: vec![(INITIAL_WINDOW_SIZE, 0)], ..Default::default() });
    let stream = client.connect_websocket("/quiet");
    let id = host.request("/quiet").stream;
    host.engine.send(id, MessageKind::Text, b"held by the window").expect("open");
    host.engine.abort(id, CANCEL).expect("open");
    client.expect(&Frame::rst(stream, CANCEL));
    client.window_update(stream, 1000);
    over(&host, &mut client, stream, id, (1006, Cause::Reset, CANCEL, Side::Local));
}

#[test]
fn local_goaway() {
    let (host, mut client, _, id) = open("/quiet");
    // SETTINGS of a stream: RFC 9113 §6.5
    client.send(&Frame::new(SETTINGS, 0, 1, []));
    client.expect_goaway(PROTOCOL_ERROR);
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause, closed.h2_code), (1006, Cause::GoAway, PROTOCOL_ERROR));
    assert_eq!(host.stats().violation_connection, 1);
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn local_tcp_close() {
    let (host, mut client, _, id) = open("/quiet");
    host.engine.shutdown().expect("running");
    assert_eq!(host.closed(id).facts(), (1006, Cause::Drain, NO_ERROR, Side::Local));
    client.expect_goaway(NO_ERROR);
}

#[test]
fn local_drain() {
    let (host, mut client, stream, id) = open("/echo");
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        let first = client.goaway();
        assert_eq!((first.last_stream(), first.error_code()), (MAX_WINDOW, NO_ERROR), "the first of two");
        assert_eq!(client.ws_frame(stream).payload[..2], 1001u16.to_be_bytes());
        let second = client.goaway();
        assert_eq!((second.last_stream(), second.error_code()), (stream, NO_ERROR), "the second has the last stream");
        client.data_end(stream, &ws_close(1001, "going"));
        client.expect(&Frame::data_end(stream, []));
        assert_eq!(host.closed(id).facts(), (1001, Cause::Drain, NO_ERROR, Side::Local));
        assert_eq!(client.wait_end(), End::Fin);
        drain.join().unwrap().expect("all ended in time");
    });
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn local_drain_with_a_peer_that_answers_with_another_code() {
    let (host, mut client, stream, id) = open("/echo");
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        assert_eq!(client.ws_frame(stream).opcode, CLOSE);
        client.data_end(stream, &ws_close(4001, "I know"));
        let closed = host.closed(id);
        assert_eq!(closed.facts(), (4001, Cause::Drain, NO_ERROR, Side::Local));
        assert_eq!(closed.reason, "I know");
        client.wait_end();
        drain.join().unwrap().expect("all ended in time");
    });
}

#[test]
fn local_drain_past_its_deadline() {
    let (host, mut client, stream, id) = open("/quiet");
    // the peer keeps silent; how drain says so is not asserted here
    let _cut = host.engine.drain(Duration::from_millis(100));
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.side), (1006, Side::Local), "{closed:?}");
    client.wait_end();
    assert_eq!(client.ws_frame(stream).payload[..2], 1001u16.to_be_bytes(), "the Close was not lost");
    host.wait_stats("no open connection", |stats| stats.open_connections == 0);
}

#[test]
fn local_drain_lets_requests_finish() {
    let host = Host::start();
    let mut client = host.client();
    let stream = client.get("/test");
    let id = host.request("/test").stream;
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        client.goaway();
        client.goaway();
        host.engine.respond(id, 200, http::HeaderMap::new(), b"finished").expect("undecided");
        assert_eq!(client.response(stream).body, b"finished");
        assert_eq!(client.wait_end(), End::Fin);
        drain.join().unwrap().expect("all ended in time");
    });
}

#[test]
fn local_drain_refuses_handshakes_that_come_late_and_serves_requests() {
    let (host, mut client, stream, _) = open("/quiet");
    client.hold_pings();
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        // the second GOAWAY waits for the answer to a PING: until then the peer may not know of the first
        assert_eq!(client.goaway().last_stream(), MAX_WINDOW);
        let get = client.get("/hello");
        assert_eq!(client.response(get).body, b"hello, world");
        let handshake = client.open(&support::client::connect_fields("/echo"), false);
        assert_eq!(client.response(handshake).head.status(), "503");
        assert_eq!(host.stats().refused_draining, 1);
        client.answer_pings();
        assert_eq!(client.goaway().last_stream(), handshake);
        assert_eq!(client.ws_frame(stream).opcode, CLOSE);
        client.data_end(stream, &ws_close(1001, ""));
        assert_eq!(client.wait_end(), End::Fin);
        drain.join().unwrap().expect("all ended in time");
    });
}

#[test]
fn local_drain_of_many_sockets() {
    const SOCKETS: usize = 1000;
    let host = Host::with(|config| config.max_streams = SOCKETS as u32);
    let mut client = host.client();
    let streams: Vec<_> = (0..SOCKETS).map(|_| client.connect_websocket("/quiet")).collect();
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| host.engine.drain(Duration::from_secs(10)));
        for stream in streams {
            assert_eq!(client.ws_frame(stream).payload[..2], 1001u16.to_be_bytes());
            client.data_end(stream, &ws_close(1001, ""));
        }
        assert_eq!(client.wait_end(), End::Fin);
        drain.join().unwrap().expect("all ended in time");
    });
    let closed = host.all_closed();
    assert_eq!(closed.len(), SOCKETS);
    assert!(closed.iter().all(|closed| closed.facts() == (1001, Cause::Drain, NO_ERROR, Side::Local)));
}

// --- both at once

#[test]
fn both_close_at_once() {
    let (host, mut client, stream, id) = open("/manual");
    // with manual control the host's Close is surely said before it could have answered
    host.engine.close(id, Some(1001), "").expect("open");
    client.data(stream, &ws_close(1000, "mine"));
    let (bytes, last) = client.rest_of(stream);
    assert_eq!((bytes, last.ends_stream()), (server_close(1001, ""), true), "one Close, and the end");
    client.data_end(stream, b"");
    let closed = host.closed(id);
    assert_eq!((closed.code, closed.cause), (1000, Cause::CloseFrame), "the peer's code: {closed:?}");
    client.expect_silence_on(stream);
}

/// The table of the documentation and the tests of this file name each other.
#[test]
fn the_documentation_has_a_row_for_each_test() {
    let (table, tests) = (include_str!("../docs/close.md"), include_str!("close.rs"));
    let names = tests.split("#[test]\nfn ").skip(1).map(|test| test.split('(').next().unwrap());
    let own = "the_documentation_has_a_row_for_each_test";
    let missing: Vec<_> = names.filter(|name| *name != own && !table.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/close.md does not name {missing:?}");
    let named =
        table.split('`').skip(1).step_by(2).filter(|name| {
            ["remote_", "local_", "both_", "ten_thousand_"].iter().any(|prefix| name.starts_with(prefix))
        });
    let unknown: Vec<_> = named.filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(unknown.is_empty(), "docs/close.md names tests that are not there: {unknown:?}");
}

// --- ten thousand, one after another on one connection (h2's counters of a connection's life notwithstanding)

const MANY: usize = 10_000;

fn many(facts: (u16, Cause, u32, Side), mut end: impl FnMut(&mut Client, u32)) {
    let host = Host::start();
    let mut client = host.client();
    for _ in 0..MANY {
        let stream = client.connect_websocket("/echo");
        end(&mut client, stream);
    }
    client.sync();
    assert!(client.untaken().is_empty(), "nothing but what was expected came: {:?}", client.untaken());
    host.wait_stats("no open socket", |stats| stats.open_streams == 0);
    let closed = host.all_closed();
    assert_eq!(closed.len(), MANY);
    if let Some(other) = closed.iter().find(|closed| closed.facts() != facts) {
        panic!("expected {facts:?} of each, got {other:?}");
    }
    assert_eq!(host.stats().connections, 1);
}

#[test]
fn ten_thousand_remote_closes() {
    many((1000, Cause::CloseFrame, NO_ERROR, Side::Remote), |client, stream| {
        client.data(stream, &ws_close(1000, ""));
        client.expect(&Frame::data_end(stream, server_close(1000, "")));
        client.data_end(stream, b"");
    });
}

#[test]
fn ten_thousand_local_closes() {
    many((1000, Cause::CloseFrame, NO_ERROR, Side::Local), |client, stream| {
        client.data(stream, &ws_text("!close 1000"));
        client.expect(&Frame::data(stream, server_close(1000, "")));
        client.data_end(stream, &ws_close(1000, ""));
        client.expect(&Frame::data_end(stream, []));
    });
}

#[test]
fn ten_thousand_remote_ends() {
    many((1006, Cause::EndStream, NO_ERROR, Side::Remote), |client, stream| {
        client.data_end(stream, b"");
        client.expect(&Frame::data_end(stream, []));
    });
}

#[test]
fn ten_thousand_remote_resets() {
    many((1006, Cause::Reset, CANCEL, Side::Remote), |client, stream| {
        client.echo(stream, "in use");
        client.rst(stream, CANCEL);
    });
}

#[test]
fn ten_thousand_local_resets() {
    many((1006, Cause::Reset, CANCEL, Side::Local), |client, stream| {
        client.data(stream, &ws_text("!abort 8"));
        client.expect(&Frame::rst(stream, CANCEL));
    });
}
