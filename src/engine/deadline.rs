//! Points in time by which something has to have happened.

use super::config::Config;
use super::websocket::WebSocket;
use std::time::{Duration, Instant};

/// A deadline `ms` from now; `None` for 0.
pub(crate) fn after(now: Instant, ms: u32) -> Option<Instant> {
    (ms > 0).then(|| now + Duration::from_millis(ms.into()))
}

/// When a socket on which something came last at `last_in` has been quiet for too long, if it ever can be.
pub(crate) fn quiet(websocket: &WebSocket, last_in: Instant, config: &Config) -> Option<Instant> {
    if websocket.closing.is_some() {
        return None;
    }
    let idle = after(last_in, config.idle_timeout);
    let ping = if websocket.awaits_pong {
        let wait = config.ping_interval.saturating_add(config.ping_timeout);
        if config.ping_timeout > 0 { after(last_in, wait) } else { None }
    } else {
        after(last_in, config.ping_interval)
    };
    [idle, ping].into_iter().flatten().min()
}
