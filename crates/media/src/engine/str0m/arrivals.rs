//! How much of a publisher's video is lost on its way to us. The engine's reports cannot say: it takes what was sent again
//! for received.

use std::time::{Duration, Instant};

/// Each of these times has a figure, if so many packets were expected in it.
const WINDOW: Duration = Duration::from_secs(1);
const EXPECTED_MIN: u64 = 10;
/// More than this between two packets is no loss but another beginning.
const GAP_MAX: u64 = 500;

/// The video packets of one peer.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// The newest sequence number of each layer.
    newest: Vec<Option<u64>>,
    /// The newest number of the transport (transport-wide congestion control), if the peer gives any.
    newest_sent: Option<u16>,
    expected: u64,
    in_time: u64,
    began: Option<Instant>,
}

impl Arrivals {
    /// A packet of a layer arrives, with the number that the transport gave it when it was sent. Once in a while this
    /// answers the share that was lost since, from 0 to 1.
    pub fn note(&mut self, now: Instant, layer: u8, sequence: u64, sent: Option<u16>) -> Option<f32> {
        let index = usize::from(layer);
        self.newest.resize(self.newest.len().max(index + 1), None);
        let ahead = match self.newest[index] {
            Some(newest) if sequence <= newest + GAP_MAX => sequence.saturating_sub(newest),
            _ => 1,
        };
        if ahead > 0 {
            self.newest[index] = Some(sequence);
        }
        self.expected += ahead;
        // A late packet that was also sent late was sent again; without numbers of the transport every late one counts so.
        let overtaken = sent.is_some_and(|sent| !self.newer(sent));
        self.in_time += u64::from(ahead > 0 || overtaken);
        self.newest_sent = sent.filter(|sent| self.newer(*sent)).or(self.newest_sent);
        self.figure(now)
    }

    fn newer(&self, sent: u16) -> bool {
        self.newest_sent.is_none_or(|newest| sent.wrapping_sub(newest).wrapping_sub(1) < 1 << 15)
    }

    fn figure(&mut self, now: Instant) -> Option<f32> {
        let began = *self.began.get_or_insert(now);
        if now.saturating_duration_since(began) < WINDOW || self.expected < EXPECTED_MIN {
            return None;
        }
        let lost = self.expected.saturating_sub(self.in_time) as f32 / self.expected as f32;
        (self.expected, self.in_time, self.began) = (0, 0, Some(now));
        Some(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares told when these packets, `(sequence, sent)`, come 10 ms apart.
    fn shares(packets: impl IntoIterator<Item = (u64, Option<u16>)>) -> Vec<f32> {
        #[expect(clippy::disallowed_methods, reason = "a start that nothing depends on")]
        let start = Instant::now();
        let mut arrivals = Arrivals::default();
        let note = |(number, (sequence, sent)): (u32, (u64, Option<u16>))| {
            arrivals.note(start + Duration::from_millis(10) * number, 0, sequence, sent)
        };
        (0..).zip(packets).filter_map(note).collect()
    }

    #[test]
    fn what_did_not_come_at_once_is_lost() {
        assert_eq!(shares((0..101).map(|n| (n, None))), [0.0]);
        // Every fifth packet never comes.
        let gaps = shares((0..101).map(|n| (n + n / 4, None)));
        assert!(gaps.len() == 1 && (gaps[0] - 0.2).abs() < 0.01, "{gaps:?}");
    }

    #[test]
    fn what_was_sent_again_was_lost_and_what_was_overtaken_was_not() {
        // Of each ten the third comes after the sixth.
        let order = |n: u64| n / 10 * 10 + [0, 1, 3, 4, 5, 2, 6, 7, 8, 9][n as usize % 10];
        let overtaken = shares((0..101).map(|n| (order(n), Some(order(n) as u16))));
        assert_eq!(overtaken, [0.0]);
        let again = shares((0..101).map(|n| (order(n), Some((65_500 + n) as u16))));
        assert!(again.len() == 1 && (again[0] - 0.1).abs() < 0.01, "{again:?}");
    }

    #[test]
    fn little_says_nothing() {
        assert!(shares([(0, None), (200, None)]).is_empty());
    }
}
