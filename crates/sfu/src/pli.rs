//! When a publisher is asked for a key frame: wishes of many subscribers become one request, and an unanswered
//! request is repeated. It does not know who wished.

use std::time::Duration;

/// At most one request in this time. A key frame costs the publisher many times the bits of another frame.
pub const INTERVAL_MIN: Duration = Duration::from_millis(500);
/// A request that brought no key frame is repeated after this time.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Repetitions for one wish; a source that cannot make key frames on demand (RTMP) is then left alone.
pub const RETRIES_MAX: u32 = 10;

/// The requests to one layer of one publisher.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    asked: Option<Duration>,
    wanted: bool,
    answered: bool,
    retries: u32,
}

impl Gate {
    /// A subscriber needs a key frame. `true`: send the request now. `false`: one is on its way or will follow.
    pub fn ask(&mut self, now: Duration) -> bool {
        self.wanted = true;
        self.retries = 0;
        self.next().is_none_or(|at| at <= now) && self.send(now)
    }

    /// A key frame has started to arrive.
    pub fn key_frame(&mut self) {
        self.wanted = false;
        self.answered = true;
    }

    /// Time for a delayed or repeated request? `true`: send it now.
    pub fn due(&mut self, now: Duration) -> bool {
        if !self.wanted || self.retries >= RETRIES_MAX || self.next().is_none_or(|at| at > now) {
            return false;
        }
        self.retries += 1;
        self.send(now)
    }

    /// When [`Gate::due`] is worth calling; `None` if nothing is wanted.
    pub fn next_due(&self) -> Option<Duration> {
        if self.wanted && self.retries < RETRIES_MAX { self.next() } else { None }
    }

    fn next(&self) -> Option<Duration> {
        let wait = if self.answered { INTERVAL_MIN } else { RETRY_AFTER };
        self.asked.map(|at| at + wait)
    }

    fn send(&mut self, now: Duration) -> bool {
        self.asked = Some(now);
        self.answered = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn wishes_are_merged() {
        let mut gate = Gate::default();
        assert!(gate.ask(ms(0)));
        assert!(!gate.ask(ms(10)));
        assert!(!gate.ask(ms(499)));
        assert_eq!(gate.next_due(), Some(ms(1000)));
        gate.key_frame();
        assert_eq!(gate.next_due(), None);
        assert!(!gate.due(ms(5000)));
    }

    #[test]
    fn a_wish_soon_after_a_key_frame_waits_for_the_interval() {
        let mut gate = Gate::default();
        assert!(gate.ask(ms(0)));
        gate.key_frame();
        assert!(!gate.ask(ms(100)));
        assert!(!gate.due(ms(499)));
        assert!(gate.due(ms(500)));
        assert!(!gate.due(ms(501)));
    }

    #[test]
    fn an_unanswered_request_is_repeated_but_not_for_ever() {
        let mut gate = Gate::default();
        assert!(gate.ask(ms(0)));
        let mut sent = 0;
        for second in 1..100 {
            assert!(!gate.due(ms(second * 1000 - 1)));
            sent += u32::from(gate.due(ms(second * 1000)));
        }
        assert_eq!(sent, RETRIES_MAX);
        assert_eq!(gate.next_due(), None);
        assert!(gate.ask(ms(200_000)));
    }
}
