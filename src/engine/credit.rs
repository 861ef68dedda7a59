//! What the host is ready to take.

use super::event::Credit;

/// What the host is ready to take: all, or so many events.
#[derive(Debug, Default)]
pub(crate) struct Credited(Option<u64>);

impl Credited {
    pub(crate) fn set(&mut self, credit: Credit) {
        self.0 = match credit {
            Credit::Auto => None,
            Credit::Demand => Some(0),
        };
    }

    pub(crate) fn add(&mut self, n: u32) {
        if let Some(credit) = &mut self.0 {
            *credit = credit.saturating_add(u64::from(n));
        }
    }

    /// Whether one event may be delivered; takes it.
    pub(crate) fn take(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(0) => false,
            Some(credit) => {
                *credit -= 1;
                true
            }
        }
    }
}
