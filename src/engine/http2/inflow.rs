//! What the peer may send on a WebSocket's stream (RFC 9113 §6.9): the window, and what is given back of it.

use super::MAX_WINDOW;
use crate::engine::config::Config;

/// How many times `stream_window` a window is inside of a frame that is longer than it. Four times as much of a large message is on its
/// way then, and a fourth of the WINDOW_UPDATEs does, of which each wakes a peer that waits for it.
const LONG: u32 = 4;
/// The part of the connection's window that its streams' may be larger by, all together: hosts that stop taking leave the rest to the others.
const PART: u32 = 4;

/// The window of one stream.
#[derive(Debug)]
pub(super) struct Inflow {
    /// What the peer may send.
    window: i64,
    /// Bytes that have come and are not given back to the peer, since they wait for the host.
    arrived: u32,
    /// Bytes to be given back with the next WINDOW_UPDATE.
    released: u32,
    /// How much larger than `stream_window` it is, given and to be given.
    grown: u32,
}

impl Inflow {
    pub(super) fn new(window: i64) -> Self {
        Self { window, arrived: 0, released: 0, grown: 0 }
    }

    /// What it is of all that the streams' windows have grown by.
    pub(super) fn grown(&self) -> u32 {
        self.grown
    }

    /// The window that all streams begin with has changed (RFC 9113 §6.9.2).
    pub(super) fn shift(&mut self, by: i64) {
        self.window += by;
    }

    /// A frame has come. False: it is longer than the window allows.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> bool {
        self.window -= len as i64;
        if self.window < 0 {
            return false;
        }
        self.arrived += len as u32;
        true
    }

    /// The host has taken so much of what had to wait for it.
    #[inline]
    pub(super) fn release(&mut self, freed: u32) {
        let freed = freed.min(self.arrived);
        self.arrived -= freed;
        self.released += freed;
    }

    /// Nothing waits for the host.
    #[inline]
    pub(super) fn release_all(&mut self) {
        self.released += std::mem::take(&mut self.arrived);
    }

    /// The increment that the peer is due, if it is worth a frame: half of the window. `announced` bytes of a frame that has begun
    /// have not come; `all_grown` is the sum over the connection.
    #[inline]
    pub(super) fn due(&mut self, announced: u64, config: &Config, all_grown: &mut u32) -> Option<u32> {
        let usual = config.stream_window;
        if announced > usual.into() {
            self.grow(config, all_grown);
        } else if self.grown > 0 {
            // what it had more is not given again
            let back = self.released.min(self.grown);
            self.released -= back;
            self.grown -= back;
            *all_grown -= back;
        }
        if self.released < ((usual + self.grown) / 2).max(1) {
            return None;
        }
        self.window += i64::from(self.released);
        Some(std::mem::take(&mut self.released))
    }

    /// Makes the window larger, while the host takes what comes.
    fn grow(&mut self, config: &Config, all_grown: &mut u32) {
        let usual = config.stream_window;
        if self.arrived > 0 {
            return;
        }
        let most = usual.saturating_mul(LONG).min(MAX_WINDOW as u32) - usual;
        let room = (config.connection_window / PART).saturating_sub(*all_grown);
        let more = most.saturating_sub(self.grown).min(room);
        self.grown += more;
        self.released += more;
        *all_grown += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: fn() -> Config = || Config { stream_window: 1000, connection_window: 16_000, ..Config::default() };

    /// A peer that has sent `n` bytes, of a frame that goes on for `announced` more, to a host that has taken them.
    fn sent(inflow: &mut Inflow, n: usize, announced: u64, all: &mut u32) -> Option<u32> {
        assert!(inflow.take(n), "{n} bytes, {inflow:?}");
        inflow.release_all();
        inflow.due(announced, &CONFIG(), all)
    }

    #[test]
    fn half_a_window_is_given_back_at_once() {
        let (mut inflow, mut all) = (Inflow::new(1000), 0);
        assert_eq!(sent(&mut inflow, 499, 1000, &mut all), None);
        assert_eq!(sent(&mut inflow, 1, 1000, &mut all), Some(500));
        assert_eq!(inflow.window, 1000);
        assert!(!inflow.take(1001));
    }

    #[test]
    fn a_long_frame_has_four_windows_until_its_end_is_near() {
        let (mut inflow, mut all) = (Inflow::new(1000), 0);
        assert_eq!(sent(&mut inflow, 10, 1001, &mut all), Some(3010));
        assert_eq!((inflow.window, all), (4000, 3000));
        assert_eq!(sent(&mut inflow, 1999, 1001, &mut all), None);
        assert_eq!(sent(&mut inflow, 1, 1001, &mut all), Some(2000));
        // the frame ends: its window shrinks as it is used
        assert_eq!(sent(&mut inflow, 1000, 0, &mut all), None);
        assert_eq!((inflow.window, inflow.grown, all), (3000, 2000, 2000));
        assert_eq!(sent(&mut inflow, 2000, 0, &mut all), None);
        assert_eq!((inflow.window, inflow.grown, all), (1000, 0, 0));
        assert_eq!(sent(&mut inflow, 500, 0, &mut all), Some(500));
    }

    #[test]
    fn none_grows_while_something_waits_for_the_host() {
        let (mut inflow, mut all) = (Inflow::new(1000), 0);
        assert!(inflow.take(600));
        assert_eq!(inflow.due(5000, &CONFIG(), &mut all), None);
        inflow.release(599);
        assert_eq!(inflow.due(5000, &CONFIG(), &mut all), Some(599));
        assert_eq!((inflow.window, all), (999, 0));
        inflow.release(1);
        assert_eq!(inflow.due(5000, &CONFIG(), &mut all), Some(3001));
    }

    #[test]
    fn all_grow_by_a_fourth_of_the_connections_window_together() {
        let mut all = 0;
        let mut inflows = [(); 3].map(|()| Inflow::new(1000));
        let given = inflows.each_mut().map(|inflow| sent(inflow, 1, 5000, &mut all));
        assert_eq!((given, all), ([Some(3001), Some(1001), None], 4000));
        all -= inflows[0].grown();
        assert_eq!(sent(&mut inflows[2], 1, 5000, &mut all), Some(3002));
    }

    #[test]
    fn a_window_grows_to_the_largest_there_is_and_no_further() {
        let config = Config { stream_window: 1 << 30, connection_window: u32::MAX >> 1, ..Config::default() };
        let (mut inflow, mut all) = (Inflow::new(1 << 30), u32::MAX >> 3);
        inflow.grow(&config, &mut all);
        assert!(i64::from(config.stream_window + inflow.grown) <= MAX_WINDOW);
        let config = Config { stream_window: MAX_WINDOW as u32, ..config };
        let (mut inflow, mut all) = (Inflow::new(MAX_WINDOW), 0);
        assert!(inflow.take(1));
        inflow.release_all();
        assert_eq!((inflow.due(u64::MAX, &config, &mut all), all), (None, 0));
    }
}
