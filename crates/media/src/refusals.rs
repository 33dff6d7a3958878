//! How many were turned away at the media plane's doors other than the media port, whose thread counts by itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where somebody came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// WHIP and WHEP requests that were answered with an error.
    Whip,
    /// Events sockets that the server closed, or did not open.
    Events,
    /// RTMP and RTMPS connections that ended otherwise than in good order.
    Rtmp,
}

/// Running totals since the start.
#[derive(Debug, Default)]
pub struct Refusals {
    whip: AtomicU64,
    events: AtomicU64,
    rtmp: AtomicU64,
}

impl Refusals {
    pub fn note(&self, door: Door) {
        let count = match door {
            Door::Whip => &self.whip,
            Door::Events => &self.events,
            Door::Rtmp => &self.rtmp,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Name and value of each, for a metrics page.
    pub fn each(&self) -> [(&'static str, u64); 3] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [("whip", read(&self.whip)), ("events", read(&self.events)), ("rtmp", read(&self.rtmp))]
    }
}
