//! Bounds on frames that cost us work and the peer nothing. `h2` answers any number of PING and SETTINGS and
//! bounds resets only while they wait to be accepted (RFC 9113 §10.5; CVE-2023-44487, CVE-2019-9512, -9515).

use super::config::Config;
use std::time::Instant;

/// So many at once, and so many a second after that.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: u32,
    burst: u32,
    rate: u32,
    filled: Option<Instant>,
}

impl Bucket {
    pub(crate) fn new(burst: u32, rate: u32) -> Self {
        Self { tokens: burst, burst, rate, filled: None }
    }

    /// Takes one token; false if there is none. The clock is read only when the bucket seems empty.
    pub(crate) fn take(&mut self, now: impl FnOnce() -> Instant) -> bool {
        if self.tokens == 0 {
            let now = now();
            let last = *self.filled.get_or_insert(now);
            let gained = (now - last).as_secs_f64() * f64::from(self.rate);
            if gained >= 1.0 {
                self.tokens = (gained as u32).min(self.burst);
                self.filled = Some(now);
            }
        } else if self.tokens == self.burst {
            self.filled = Some(now());
        }
        if self.tokens == 0 {
            return false;
        }
        self.tokens -= 1;
        true
    }
}

/// The buckets of one connection.
#[derive(Debug)]
pub(crate) struct Floods {
    /// RST_STREAM of requests that were not answered yet, and those that the peer provoked.
    pub(crate) resets: Bucket,
    pub(crate) pings: Bucket,
    pub(crate) settings: Bucket,
    /// Empty DATA, PRIORITY, unknown frames, and WINDOW_UPDATEs that our DATA does not justify.
    pub(crate) idle: Bucket,
}

impl Floods {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            resets: Bucket::new(config.reset_burst, config.reset_rate),
            pings: Bucket::new(config.ping_rate, config.ping_rate),
            settings: Bucket::new(config.settings_rate, config.settings_rate),
            idle: Bucket::new(config.idle_frame_rate, config.idle_frame_rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 5);
        assert_eq!((0..20).filter(|_| bucket.take(|| start)).count(), 10, "the burst");
        let later = start + Duration::from_secs(1);
        assert_eq!((0..20).filter(|_| bucket.take(|| later)).count(), 5, "a second's worth");
        let much_later = later + Duration::from_secs(100);
        assert_eq!((0..20).filter(|_| bucket.take(|| much_later)).count(), 10, "never more than the burst");
    }
}
