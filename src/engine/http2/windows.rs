//! The windows that the split makes ours (RFC 9113 §6.9), as the peer's SETTINGS and WINDOW_UPDATEs move them.

use super::{Connection, Core, DEFAULT_WINDOW, MAX_WINDOW};
use crate::engine::stats::count;
use crate::proto::scan::{frame_type, put_window_update};
use h2::Reason;

impl Core {
    /// A SETTINGS or WINDOW_UPDATE frame.
    pub(super) fn gathered(&mut self, conn: &Connection) {
        let head = self.scanner.head();
        let payload = self.scanner.gathered();
        if head.kind() == frame_type::WINDOW_UPDATE {
            let increment = i64::from(u32::from_be_bytes(payload.try_into().unwrap_or_default()) & 0x7fff_ffff);
            self.window_update(conn, head.stream(), increment);
            return;
        }
        let before = self.initial_send_window;
        // RFC 9113 §6.5.3: in the order in which they stand, but only the last value of each is seen from outside
        for setting in payload.chunks_exact(6) {
            let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
            match u16::from_be_bytes([setting[0], setting[1]]) {
                // SETTINGS_INITIAL_WINDOW_SIZE
                4 if i64::from(value) > MAX_WINDOW => {
                    let text = "SETTINGS_INITIAL_WINDOW_SIZE is more than 2^31-1";
                    return self.fail(Reason::FLOW_CONTROL_ERROR, text);
                }
                4 => {
                    self.initial_send_window = value.into();
                }
                // SETTINGS_MAX_FRAME_SIZE
                5 if (16_384..1 << 24).contains(&value) => self.max_send_frame = value as usize,
                _ => {}
            }
        }
        if self.initial_send_window != before {
            self.change_windows(self.initial_send_window - before);
        }
        {
            let mut buffers = self.pipe.buffers();
            buffers.input.extend_from_slice(&head.raw);
            buffers.input.extend_from_slice(self.scanner.gathered());
            if !self.settings {
                // the connection's window is ours to keep: h2 may send what we give it
                put_window_update(&mut buffers.input, 0, (MAX_WINDOW - DEFAULT_WINDOW) as u32);
            }
        }
        self.settings = true;
        self.flag.raise();
    }

    /// RFC 9113 §6.9.2: all streams' windows move with the setting, even below 0.
    fn change_windows(&mut self, delta: i64) {
        let mut overflown = false;
        for (key, stream) in &mut self.streams {
            stream.send_window += delta;
            overflown |= stream.send_window > MAX_WINDOW;
            if delta > 0 && !stream.listed {
                stream.listed = true;
                self.sending.push_back(key as u32);
            }
        }
        if overflown {
            self.fail(Reason::FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE makes a window overflow");
        }
    }

    /// RFC 9113 §6.9: on a WebSocket's stream, or on the connection.
    fn window_update(&mut self, conn: &Connection, id: u32, increment: i64) {
        if id == 0 {
            if increment == 0 {
                return self.fail(Reason::PROTOCOL_ERROR, "a WINDOW_UPDATE of 0 on the connection");
            }
            self.send_window += increment;
            if self.send_window > MAX_WINDOW {
                self.fail(Reason::FLOW_CONTROL_ERROR, "WINDOW_UPDATE makes the connection's window overflow");
            }
            return;
        }
        let Some(key) = self.find(id) else { return };
        let stream = &mut self.streams[key as usize];
        stream.send_window += increment;
        let problem = if increment == 0 {
            Some((Reason::PROTOCOL_ERROR, "a WINDOW_UPDATE of 0 on the stream"))
        } else if stream.send_window > MAX_WINDOW {
            Some((Reason::FLOW_CONTROL_ERROR, "WINDOW_UPDATE makes the stream's window overflow"))
        } else {
            None
        };
        if let Some((reason, text)) = problem {
            count(&conn.state.own().counters.violation_stream);
            self.stream_error(key, reason, text);
        } else {
            self.touch(key);
        }
    }

    /// The peer has our SETTINGS: from now on its streams have the window that we set.
    pub(super) fn acknowledged(&mut self) {
        if self.settings_acked {
            return;
        }
        self.settings_acked = true;
        self.settings_deadline = None;
        let ours = i64::from(self.config.stream_window);
        let delta = ours - self.initial_recv_window;
        self.initial_recv_window = ours;
        if delta != 0 {
            for (_, stream) in &mut self.streams {
                stream.inflow.shift(delta);
            }
        }
    }
}
