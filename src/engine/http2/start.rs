//! The beginning of a connection: what `h2` is told of itself, and the state that everything starts from.

use super::spliced::Spliced;
use super::wake::Ready;
use super::{Core, DEFAULT_WINDOW, MAX_WINDOW, REMEMBER_RESETS, REMEMBERED_RESETS, Tally, after};
use crate::engine::flag::Flag;
use crate::engine::flood::Floods;
use crate::engine::loops::LoopState;
use crate::engine::pipe::Pipe;
use crate::engine::websocket::Limits;
use crate::proto::scan::Scanner;
use bytes::Bytes;
use h2::server;
use slab::Slab;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// Shakes hands with the peer's preface, which `h2` finds in its pipe; `spliced` for what will be written. `None`: `h2` refused; a bug.
pub(super) async fn start(state: &LoopState, preface: &[u8], websockets: bool, spliced: Spliced) -> Option<Core> {
    let config = state.shared.config.clone();
    let mut builder = server::Builder::new();
    if websockets {
        builder.enable_connect_protocol();
    }
    builder
        // the connection's window is ours to keep: h2 must never feel it
        .initial_connection_window_size(MAX_WINDOW as u32)
        .initial_window_size(config.stream_window)
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(config.max_header_list)
        .max_pending_accept_reset_streams(config.max_streams as usize)
        .max_concurrent_reset_streams(REMEMBERED_RESETS)
        .reset_stream_duration(REMEMBER_RESETS)
        // resets are bounded by rate, not by a connection's life (see `flood`)
        .max_local_error_reset_streams(None)
        // h2's budget ends connections for ordinary small messages (h2 issue 939); ours bounds bytes
        .data_frame_budget(1 << 40)
        .max_send_buffer_size(config.send_queue.max(64 << 10) as usize);
    let pipe = Pipe::default();
    pipe.buffers().input.extend_from_slice(preface);
    let h2 = builder.handshake::<_, Bytes>(pipe.clone()).await.ok()?;
    let flag = Arc::new(Flag::default());
    flag.raise();
    let now = Instant::now();
    let mut core = Core {
        h2,
        pipe,
        flag_waker: Waker::from(Arc::clone(&flag)),
        flag,
        ready: Arc::new(Ready::default()),
        scanner: Scanner::default(),
        in_headers: false,
        settings: false,
        settings_acked: false,
        headers_done: false,
        frame: super::input::Frame::default(),
        passed: 0,
        streams: Slab::new(),
        ids: HashMap::default(),
        last: None,
        send_window: DEFAULT_WINDOW,
        recv_window: DEFAULT_WINDOW,
        released: config.connection_window - DEFAULT_WINDOW as u32,
        initial_send_window: DEFAULT_WINDOW,
        max_send_frame: super::MAX_FRAME,
        // RFC 9113 §6.9.2: until the peer has our SETTINGS it may use the default
        initial_recv_window: DEFAULT_WINDOW.max(config.stream_window.into()),
        all_grown: 0,
        body_sent: 0,
        sending: VecDeque::new(),
        swallow: Vec::new(),
        own_resets: 0,
        walked: 0,
        written: 0,
        spliced,
        update_credit: 0,
        emit_more: false,
        unflushed_answers: false,
        events: VecDeque::new(),
        late: Vec::new(),
        floods: Floods::new(&config),
        limits: Limits::of(&config),
        tally: Tally::default(),
        now,
        armed: None,
        settings_deadline: after(now, config.settings_timeout),
        header_deadline: None,
        write_deadline: None,
        drain_deadline: None,
        idle_deadline: None,
        draining: false,
        cut: false,
        dead: false,
        failure: None,
        ended: None,
        config,
    };
    core.arm(core.settings_deadline);
    Some(core)
}
