//! What was counted, as JSON on standard output.

use serde::Serialize;

use crate::flood::Poured;

/// Counts of the time between `ready` and `over`, except for what concerns joining.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Packets that publishers sent.
    pub(crate) sent: u64,
    /// Media packets that subscribers received, without retransmissions and probes.
    pub(crate) received: u64,
    /// Gaps in their sequence numbers.
    pub(crate) missing: u64,
    /// From a publisher's writing a packet to the subscriber's kernel having it, microseconds.
    pub(crate) delay: Spread,
    /// From each subscriber's POST, milliseconds.
    pub(crate) answered: Spread,
    pub(crate) connected: Spread,
    pub(crate) first_frame: Spread,
    /// From the first POST to the last subscriber's connection.
    pub(crate) join_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flood: Option<Poured>,
}

/// Of a number of values.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_unstable_by(f64::total_cmp);
        let at =
            |share: f64| values.get(((values.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0.0);
        Spread { count: values.len(), p50: at(0.50), p99: at(0.99) }
    }
}
