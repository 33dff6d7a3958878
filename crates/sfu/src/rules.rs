//! What a publisher may send, and what it has sent: size, bit rate and B-frames, as Amazon IVS limits them
//! (<https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/rt-stream-ingest.html>). How long it may publish is the
//! caller's to watch, since a room does not know when a connection began.

use std::time::Duration;

use crate::packet::{Incoming, Size};

/// Bit rates are judged over this time, so that a key frame alone breaks no rule.
const WINDOW: Duration = Duration::from_secs(5);

/// Limits of one publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Pixels of a picture's longer side. Default 1280.
    pub long_side_max: u16,
    /// Pixels of a picture's shorter side. Default 720.
    pub short_side_max: u16,
    /// Bits per second of all tracks and layers together, over five seconds. Default 8,500,000.
    pub bit_rate_max: u64,
    /// Whether H.264 may have B-frames, which browsers show out of order. Default no.
    pub bidirectional: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { long_side_max: 1280, short_side_max: 720, bit_rate_max: 8_500_000, bidirectional: false }
    }
}

/// The rule that a publisher broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    Resolution,
    BitRate,
    Bidirectional,
}

impl Rules {
    /// The rule that was broken, if any.
    pub fn broken(&self, record: &Record) -> Option<Violation> {
        let within = |size: Size| {
            let (long, short) = (size.width.max(size.height), size.width.min(size.height));
            long <= self.long_side_max && short <= self.short_side_max
        };
        if record.bidirectional && !self.bidirectional {
            Some(Violation::Bidirectional)
        } else if !within(record.widest) || !within(record.tallest) {
            Some(Violation::Resolution)
        } else if record.peak_rate > self.bit_rate_max {
            Some(Violation::BitRate)
        } else {
            None
        }
    }
}

/// What a publisher has sent so far, as far as rules look at it.
#[derive(Debug, Clone)]
pub struct Record {
    widest: Size,
    tallest: Size,
    bidirectional: bool,
    peak_rate: u64,
    window: Option<Duration>,
    bytes: u64,
}

impl Default for Record {
    fn default() -> Record {
        let nothing = Size { width: 0, height: 0 };
        Record {
            widest: nothing,
            tallest: nothing,
            bidirectional: false,
            peak_rate: 0,
            window: None,
            bytes: 0,
        }
    }
}

impl Record {
    pub fn note(&mut self, packet: &Incoming, now: Duration) {
        self.bidirectional |= packet.bidirectional;
        if let Some(size) = packet.size {
            if size.width > self.widest.width {
                self.widest = size;
            }
            if size.height > self.tallest.height {
                self.tallest = size;
            }
        }
        let elapsed = now.saturating_sub(*self.window.get_or_insert(now));
        if elapsed >= WINDOW {
            let rate = u128::from(self.bytes) * 8_000_000 / elapsed.as_micros();
            self.peak_rate = self.peak_rate.max(u64::try_from(rate).unwrap_or(u64::MAX));
            (self.window, self.bytes) = (Some(now), 0);
        }
        self.bytes += u64::from(packet.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    fn packet(size: Option<(u16, u16)>, bytes: u32, bidirectional: bool) -> Incoming {
        let size = size.map(|(width, height)| Size { width, height });
        Incoming { size, bytes, bidirectional, ..Incoming::describe(Codec::H264, 0, 1, 0, &[0x41]) }
    }

    fn check(packets: &[(u64, Incoming)], expected: Option<Violation>) {
        let mut record = Record::default();
        for (at, packet) in packets {
            record.note(packet, Duration::from_millis(*at));
        }
        assert_eq!(Rules::default().broken(&record), expected, "{record:?}");
    }

    #[test]
    fn rules() {
        let sized = |width, height| (0, packet(Some((width, height)), 1000, false));
        check(&[sized(1280, 720)], None);
        check(&[sized(720, 1280)], None);
        check(&[sized(1282, 720)], Some(Violation::Resolution));
        check(&[sized(960, 960)], Some(Violation::Resolution));
        check(&[sized(1920, 1080), sized(320, 180)], Some(Violation::Resolution));
        check(&[sized(320, 180), sized(720, 1282)], Some(Violation::Resolution));
        check(&[(0, packet(None, 1000, true))], Some(Violation::Bidirectional));
        let steady =
            |bytes| (0..=50_u64).map(|tenth| (tenth * 100, packet(None, bytes, false))).collect::<Vec<_>>();
        check(&steady(106_000), None);
        check(&steady(107_000), Some(Violation::BitRate));
        // A burst is borne.
        check(&[(0, packet(None, 5_000_000, false)), (5000, packet(None, 1, false))], None);
    }
}
