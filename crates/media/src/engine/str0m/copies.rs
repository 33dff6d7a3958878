//! Retransmissions are sent more than once to peers whose network loses packets, and so are our requests for them.
//!
//! A browser that only receives knows no round trip and asks again after 100 ms for what did not come. A picture stands
//! still after about 200 ms, so each lost retransmission freezes it: measured with Chromium, 12 to 18 times in half a
//! minute at 15 % of loss. A copy costs the share that is lost, once more: at 5 % of loss 5 % of the rate.
//! The receiver drops copies as SRTP drops any repetition (RFC 3711 §3.3.2), before it counts anything.
//! To a publisher go reports (RTCP) alone, among them what did not come and is to be sent again, five times at most, and
//! requests for key frames: all of them are copied.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::engine::Path;

/// Loss in percent from which there is one copy, from which there are two, and from which there are none: that much is
/// lost where too much is sent.
const ONE_FROM: f32 = 2.0;
const TWO_FROM: f32 = 8.0;
const NONE_FROM: f32 = 30.0;
/// Losses come in bursts, so a copy does not follow at once.
const APART: Duration = Duration::from_millis(10);
/// Copies that wait; a burst of retransmissions has no more.
const WAITING_MAX: usize = 256;
/// How much a new report counts.
const SMOOTHING: f32 = 0.3;

/// The copies for one peer.
#[derive(Debug, Default)]
pub struct Copies {
    /// The sources that carry retransmissions (RFC 4588).
    sources: Vec<u32>,
    /// Whether reports (RTCP) are copied too.
    reports: bool,
    /// What is lost on the way to the peer, or from a publisher, in percent.
    loss: f32,
    waiting: VecDeque<Copy>,
}

#[derive(Debug)]
struct Copy {
    at: Instant,
    to: Path,
    contents: Vec<u8>,
    /// Copies after this one.
    more: u32,
}

impl Copies {
    pub fn of(sources: impl IntoIterator<Item = u32>) -> Copies {
        Copies { sources: sources.into_iter().collect(), ..Copies::default() }
    }

    /// Those for a publisher.
    pub fn of_reports() -> Copies {
        Copies { reports: true, ..Copies::default() }
    }

    /// This share was lost since the last report, from 0 to 1. What is lost by and large, in percent.
    pub fn report(&mut self, lost: f32) -> f32 {
        self.loss += (lost * 100.0 - self.loss) * SMOOTHING;
        self.loss
    }

    /// A datagram is being sent.
    pub fn sent(&mut self, now: Instant, to: Path, contents: &[u8]) {
        let more = self.count();
        if more > 0 && self.matters(contents) && self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(Copy { at: now + APART, to, contents: contents.to_vec(), more: more - 1 });
        }
    }

    /// A copy whose time has come.
    pub fn due(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        let copy = self.waiting.pop_front_if(|copy| copy.at <= now)?;
        if copy.more > 0 {
            let contents = copy.contents.clone();
            self.waiting.push_back(Copy { at: now + APART, to: copy.to, contents, more: copy.more - 1 });
        }
        Some((copy.to, copy.contents))
    }

    /// When [`Copies::due`] is worth calling.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|copy| copy.at)
    }

    fn count(&self) -> u32 {
        match self.loss {
            loss if (ONE_FROM..TWO_FROM).contains(&loss) => 1,
            loss if (TWO_FROM..NONE_FROM).contains(&loss) => 2,
            _ => 0,
        }
    }

    /// RTP has version 2 and its source at byte 8; RTCP its kind at byte 1 (RFC 5761 §4), and none of these sources there.
    fn matters(&self, datagram: &[u8]) -> bool {
        let source = datagram.get(8..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes));
        let again = source.is_some_and(|source| self.sources.contains(&source));
        let report = self.reports && datagram.get(1).is_some_and(|kind| (192..224).contains(kind));
        datagram.first().is_some_and(|first| first >> 6 == 2) && (again || report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn packet(source: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, 97, 0, 1, 0, 0, 0, 1];
        bytes.extend(source.to_be_bytes());
        bytes.extend([1; 20]);
        bytes
    }

    /// How many copies come of one retransmission after these reports.
    fn copies(reports: &[f32], datagram: &[u8]) -> usize {
        copies_of(false, reports, datagram)
    }

    fn copies_of(of_reports: bool, reports: &[f32], datagram: &[u8]) -> usize {
        #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
        let start = Instant::now();
        let to = Path::Udp(SocketAddr::from(([192, 0, 2, 1], 1)));
        let mut copies = Copies { reports: of_reports, ..Copies::of([7]) };
        reports.iter().for_each(|lost| _ = copies.report(*lost));
        copies.sent(start, to, datagram);
        assert_eq!(copies.due(start), None, "not at once");
        let mut found = 0;
        while let Some(at) = copies.next() {
            let (path, contents) = copies.due(at).expect("its time has come");
            assert_eq!((path, &contents[..]), (to, datagram));
            found += 1;
        }
        found
    }

    #[test]
    fn what_is_lost_decides() {
        for (lost, expected) in [(0.0, 0), (0.01, 0), (0.05, 1), (0.15, 2), (0.5, 0)] {
            assert_eq!(copies(&[lost; 20], &packet(7)), expected, "{lost}");
            assert_eq!(copies(&[lost; 20], &packet(8)), 0, "no retransmission");
        }
        // One bad report is no bad network, and a network may recover.
        assert_eq!(copies(&[0.05], &packet(7)), 0);
        assert_eq!(copies(&[[0.15; 10], [0.0; 10]].concat(), &packet(7)), 0);
    }

    #[test]
    fn only_retransmissions_have_copies() {
        let mut stun = packet(7);
        stun[0] = 1;
        assert_eq!(copies(&[0.15; 20], &stun), 0);
        assert_eq!(copies(&[0.15; 20], &packet(7)[..10]), 0);
    }

    #[test]
    fn publishers_have_copies_of_reports() {
        let mut report = packet(8);
        report[1] = 205;
        assert_eq!(copies_of(true, &[0.15; 20], &report), 2);
        assert_eq!(copies_of(true, &[0.0; 20], &report), 0);
        assert_eq!(copies_of(true, &[0.15; 20], &packet(8)), 0);
        assert_eq!(copies_of(false, &[0.15; 20], &report), 0);
    }

    #[test]
    fn those_that_wait_are_bounded() {
        #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
        let start = Instant::now();
        let to = Path::Udp(SocketAddr::from(([192, 0, 2, 1], 1)));
        let mut copies = Copies::of([7]);
        (0..20).for_each(|_| _ = copies.report(0.15));
        (0..1000).for_each(|_| copies.sent(start, to, &packet(7)));
        assert_eq!(copies.waiting.len(), WAITING_MAX);
    }
}
