//! What the load is asked to do, and how far it is.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};

use std::path::PathBuf;

use serde::Deserialize;

use crate::Result;
use crate::flood::Flood;
use crate::trace::Trace;

/// The task, as JSON on standard input.
#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    /// The first two bytes of every client's address; the network must route all of them to this machine.
    pub(crate) network: [u8; 2],
    pub(crate) publishers: Vec<Seat>,
    pub(crate) subscribers: Vec<Seat>,
    /// Subscribers that decrypt everything and send reports, NACKs and transport-wide feedback.
    #[serde(default)]
    pub(crate) full: bool,
    /// A recording that publishers repeat, instead of what the next three describe.
    #[serde(default)]
    pub(crate) trace: Option<PathBuf>,
    /// Packets of each of the 30 frames per second.
    #[serde(default)]
    pub(crate) packets_per_frame: usize,
    /// Whether frames differ in length and are cut like a browser's, into packets that differ by a byte.
    #[serde(default)]
    pub(crate) unequal: bool,
    /// Two simulcast layers: a small one beside the one that is described here.
    #[serde(default)]
    pub(crate) simulcast: bool,
    /// Subscribers that may be between their POST and being connected at the same time.
    pub(crate) joins_at_once: usize,
    /// From one subscriber's POST to the next one's, at least.
    #[serde(default)]
    pub(crate) join_every_seconds: f64,
    /// Between the last subscriber's connection and the measurement.
    #[serde(default)]
    pub(crate) warm_seconds: f64,
    /// A flood may make it longer.
    pub(crate) seconds: f64,
    #[serde(default)]
    pub(crate) flood: Option<Flood>,
}

/// How a client gets into the call.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seat {
    /// WHIP or WHEP with a participant token. `publisher` is the place of the one that is followed.
    Stage {
        url: String,
        token: String,
        #[serde(default)]
        publisher: usize,
    },
    /// Janus' video room over its HTTP API; `feed` is the publisher's number.
    Janus { url: String, room: u64, feed: u64 },
}

impl Seat {
    /// The place of the publisher that a subscriber follows.
    pub(crate) fn publisher(&self) -> usize {
        match self {
            Seat::Stage { publisher, .. } => *publisher,
            Seat::Janus { .. } => 0,
        }
    }
}

/// Publishers have the addresses below the first subscriber's.
const FIRST_SUBSCRIBER: u16 = 256;
const FIRST_PUBLISHER: u8 = 10;
const FLOOD: u8 = 9;

impl Task {
    /// What each publisher sends.
    pub(crate) fn trace(&self) -> Result<Trace> {
        match &self.trace {
            Some(path) => Trace::read(&std::fs::read_to_string(path)?),
            None => Ok(Trace::regular(self.packets_per_frame, self.unequal, self.simulcast)),
        }
    }

    pub(crate) fn flood_address(&self) -> Ipv4Addr {
        let [a, b] = self.network;
        Ipv4Addr::new(a, b, 0, FLOOD)
    }

    pub(crate) fn publisher_address(&self, number: u8) -> Ipv4Addr {
        let [a, b] = self.network;
        Ipv4Addr::new(a, b, 0, FIRST_PUBLISHER + number)
    }

    pub(crate) fn subscriber_address(&self, place: usize) -> Ipv4Addr {
        let [a, b] = self.network;
        let [c, d] = (FIRST_SUBSCRIBER + place as u16).to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    }
}

/// The place of the subscriber with this address.
pub(crate) fn place(address: Ipv4Addr) -> Option<usize> {
    let [_, _, c, d] = address.octets();
    u16::from_be_bytes([c, d]).checked_sub(FIRST_SUBSCRIBER).map(usize::from)
}

/// Before, in, or after the measurement; shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU8);

impl Phase {
    pub(crate) fn begin(&self) {
        self.0.store(1, Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.0.store(2, Ordering::Release);
    }

    pub(crate) fn counts(&self) -> bool {
        self.0.load(Ordering::Acquire) == 1
    }

    pub(crate) fn over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_places() {
        let task: Task = serde_json::from_str(
            r#"{"network": [127, 77], "publishers": [], "packets_per_frame": 9, "joins_at_once": 1, "seconds": 1,
                "subscribers": [{"stage": {"url": "u", "token": "t"}}, {"janus": {"url": "u", "room": 1, "feed": 2}}]}"#,
        )
        .expect("a task");
        for number in [0, 1, 255, 256, 5000] {
            assert_eq!(place(task.subscriber_address(number)), Some(number));
        }
        assert_eq!(place(task.publisher_address(0)), None);
    }
}
