//! What RFC 9113 forbids a server, checked on every frame that a test's client gets.

use super::frame::*;
use std::collections::{HashMap, VecDeque};

/// How far a stream is, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Open,
    /// END_STREAM of the server has come.
    Ended,
    /// RST_STREAM of the server has come.
    Reset,
}

/// The state of a connection as far as the rules need it.
#[derive(Debug)]
pub struct Rules {
    max_frame: usize,
    /// What the client grants a new stream: the largest of those that the server may still go by.
    initial: i64,
    /// Initial windows that were sent and not yet acknowledged; `None`: SETTINGS without one.
    unacknowledged: VecDeque<Option<i64>>,
    /// What the server may send, on the connection (0) and on each stream beyond the initial window.
    windows: HashMap<u32, i64>,
    sides: HashMap<u32, Side>,
    /// HEADERS without END_HEADERS has come on this stream.
    in_headers: Option<u32>,
    first: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_frame: 16_384,
            initial: 65_535,
            unacknowledged: VecDeque::new(),
            windows: HashMap::from([(0, 65_535)]),
            sides: HashMap::new(),
            in_headers: None,
            first: true,
        }
    }
}

impl Rules {
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// The client opens a stream.
    pub fn opened(&mut self, stream: u32) {
        self.sides.entry(stream).or_insert(Side::Open);
    }

    /// The client sends SETTINGS. What widens counts at once, what narrows when it is acknowledged: until then the
    /// server need not know of it.
    pub fn settings_sent(&mut self, values: &[(u16, u32)]) {
        let mut initial = None;
        for (id, value) in values {
            match *id {
                INITIAL_WINDOW_SIZE => initial = Some(i64::from(*value)),
                MAX_FRAME_SIZE => self.max_frame = self.max_frame.max(*value as usize),
                _ => {}
            }
        }
        self.initial = self.initial.max(initial.unwrap_or(0));
        self.unacknowledged.push_back(initial);
    }

    pub fn window_update_sent(&mut self, stream: u32, increment: u32) {
        *self.windows.entry(stream).or_default() += i64::from(increment);
    }

    /// Panics if the server must not send `frame`.
    pub fn check(&mut self, frame: &Frame) {
        let Frame { kind, stream, ref payload, .. } = *frame;
        if self.first {
            assert_eq!((kind, frame.flags), (SETTINGS, 0), "SETTINGS come first (RFC 9113 §3.4): {frame:?}");
            self.first = false;
        }
        if let Some(in_headers) = self.in_headers {
            assert_eq!(
                (kind, stream),
                (CONTINUATION, in_headers),
                "a header block in pieces (RFC 9113 §4.3): {frame:?}"
            );
        }
        match kind {
            DATA => {
                self.expect_open(frame);
                let length = payload.len() as i64;
                for (window, allowed) in [(0, 0), (stream, self.initial)] {
                    let left = self.windows.entry(window).or_default();
                    *left -= length;
                    let left = *left + allowed;
                    assert!(
                        left >= 0 || length == 0,
                        "DATA overruns the window of {window} by {} (RFC 9113 §6.9.1)",
                        -left
                    );
                }
            }
            HEADERS => {
                self.expect_open(frame);
                self.in_headers = (frame.flags & END_HEADERS == 0).then_some(stream);
            }
            CONTINUATION => {
                assert_eq!(self.in_headers, Some(stream), "CONTINUATION of nothing (RFC 9113 §6.10): {frame:?}");
                if frame.flags & END_HEADERS != 0 {
                    self.in_headers = None;
                }
            }
            RST_STREAM => {
                assert_eq!(payload.len(), 4, "RFC 9113 §6.4: {frame:?}");
                assert_ne!(stream, 0, "RFC 9113 §6.4: {frame:?}");
                if let Some(side) = self.sides.get_mut(&stream) {
                    assert_ne!(*side, Side::Reset, "a second RST_STREAM: {frame:?}");
                    *side = Side::Reset;
                }
            }
            SETTINGS => {
                assert_eq!((stream, payload.len() % 6), (0, 0), "RFC 9113 §6.5: {frame:?}");
                if frame.flags & ACK != 0 {
                    assert!(payload.is_empty(), "RFC 9113 §6.5: {frame:?}");
                    self.acknowledged();
                }
            }
            PING => assert_eq!((stream, payload.len()), (0, 8), "RFC 9113 §6.7: {frame:?}"),
            GOAWAY => assert!(stream == 0 && payload.len() >= 8, "RFC 9113 §6.8: {frame:?}"),
            WINDOW_UPDATE => {
                assert_eq!(payload.len(), 4, "RFC 9113 §6.9: {frame:?}");
                assert!((1..=MAX_WINDOW).contains(&frame.increment()), "RFC 9113 §6.9: {frame:?}");
            }
            _ => panic!("a server has no use for this frame: {frame:?}"),
        }
        if frame.ends_stream() {
            self.sides.insert(stream, Side::Ended);
        }
    }

    /// DATA and HEADERS come on a stream that the client opened and the server has not ended (RFC 9113 §5.1).
    fn expect_open(&mut self, frame: &Frame) {
        let stream = frame.stream;
        assert!(stream % 2 == 1, "only a client opens streams here: {frame:?}");
        // streams that a test opened by raw bytes are known from their first frame on
        let side = *self.sides.entry(stream).or_insert(Side::Open);
        assert_eq!(side, Side::Open, "a frame on a stream that the server has ended: {frame:?}");
    }

    fn acknowledged(&mut self) {
        let Some(initial) = self.unacknowledged.pop_front() else { return };
        if let Some(initial) = initial {
            let coming = self.unacknowledged.iter().flatten().copied().max().unwrap_or(0);
            self.initial = initial.max(coming);
        }
    }
}
