//! How long a viewer's player is asked to hold pictures before it shows them, when its network or the publisher's loses
//! packets: WebRTC's playout-delay header extension, which browsers offer and obey.
//!
//! Browsers size their buffer by the jitter of frames that came at once and leave those that came again out of account
//! (measured with Chromium 150: 10 to 40 ms at 15 % of loss). One that only receives asks again after 100 ms, and a
//! picture that is 150 ms late is a freeze: at 15 % of loss 20 to 40 a minute, with these times none.

use std::time::{Duration, Instant};

use crate::engine::Direction;

/// From this loss in percent on pictures are held for so long, and for so many round trips more.
type Step = (f32, Duration, u32);

/// A viewer asks again each 100 ms, whatever the round trip: time to ask twice, and four times.
const VIEWER: [Step; 2] = [(8.0, Duration::from_millis(310), 1), (2.0, Duration::from_millis(110), 1)];
/// We ask a publisher when a round trip has passed, up to 33 ms late: the same.
const PUBLISHER: [Step; 2] = [(8.0, Duration::from_millis(190), 4), (2.0, Duration::from_millis(70), 2)];
/// As long as it is not known.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// The longest time that is asked for, when networks are slow or both are bad.
const LONGEST: Duration = Duration::from_millis(700);
/// What was needed is kept for this long: loss comes and goes.
const KEPT: Duration = Duration::from_secs(20);
/// A player obeys at once, and stands still if it is to hold pictures 150 ms longer: it is told in small steps, so that it
/// plays an eighth slower, or faster, meanwhile.
const PACE: u32 = 8;

/// The time for one direction of one peer.
#[derive(Debug)]
pub struct Hold {
    steps: &'static [Step],
    round_trip: Duration,
    time: Duration,
    needed: Option<Instant>,
    /// What the peer has been told last, which it keeps, and when.
    told: Option<(Duration, Instant)>,
}

impl Hold {
    pub fn new(direction: Direction) -> Hold {
        let steps = match direction {
            Direction::Publish => &PUBLISHER,
            Direction::Subscribe => &VIEWER,
        };
        Hold { steps, round_trip: ROUND_TRIP, time: Duration::ZERO, needed: None, told: None }
    }

    /// What a packet to the peer and the answer take together.
    pub fn set_round_trip(&mut self, time: Duration) {
        self.round_trip = time;
    }

    /// This share of the packets is lost now, in percent.
    pub fn report(&mut self, now: Instant, loss: f32) {
        let step = self.steps.iter().find(|(from, ..)| loss >= *from);
        let time = step.map_or(Duration::ZERO, |(_, time, trips)| *time + self.round_trip * *trips);
        if time >= self.time || self.needed.is_none_or(|at| now.saturating_duration_since(at) >= KEPT) {
            (self.time, self.needed) = (time, Some(now));
        }
    }

    pub fn time(&self) -> Duration {
        self.time
    }

    /// What to tell the peer with a packet that its publisher's network delays so much; `None` if there is nothing to tell.
    pub fn tell(&mut self, now: Instant, publisher: Duration) -> Option<Duration> {
        let wanted = (self.time + publisher).min(LONGEST);
        if self.told.is_none() && wanted.is_zero() {
            return None;
        }
        let (told, at) = self.told.unwrap_or((Duration::ZERO, now));
        let step = now.saturating_duration_since(at) / PACE;
        let next = wanted.clamp(told.saturating_sub(step), told + step);
        self.told = Some((next, now));
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_held_against_and_forgotten_slowly() {
        #[expect(clippy::disallowed_methods, reason = "a start that nothing depends on")]
        let start = Instant::now();
        let mut hold = Hold::new(Direction::Subscribe);
        let mut after = |seconds: u64, loss: f32| {
            hold.report(start + Duration::from_secs(seconds), loss);
            hold.time().as_millis()
        };
        assert_eq!(after(0, 1.9), 0);
        assert_eq!(after(1, 5.0), 150);
        assert_eq!(after(2, 15.0), 350);
        assert_eq!(after(3, 0.0), 350);
        assert_eq!(after(21, 5.0), 350);
        assert_eq!(after(22, 5.0), 150);
        assert_eq!(after(41, 0.0), 150);
        assert_eq!(after(42, 0.0), 0);
    }

    #[test]
    fn both_networks_count_and_the_end_is_told() {
        #[expect(clippy::disallowed_methods, reason = "a start that nothing depends on")]
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let ms = |time: u64| Some(Duration::from_millis(time));
        let mut hold = Hold::new(Direction::Subscribe);
        assert_eq!(hold.tell(at(0), Duration::ZERO), None, "nothing was ever needed");
        hold.report(at(0), 5.0);
        assert_eq!(hold.tell(at(0), Duration::ZERO), ms(0));
        assert_eq!(hold.tell(at(1), Duration::ZERO), ms(125), "not all at once");
        assert_eq!(hold.tell(at(2), Duration::ZERO), ms(150));
        assert_eq!(hold.tell(at(4), Duration::from_millis(150)), ms(300));
        hold.report(at(5), 15.0);
        assert_eq!(hold.tell(at(9), Duration::from_millis(400)), Some(LONGEST));
        hold.report(at(5) + KEPT, 0.0);
        assert_eq!(hold.tell(at(10), Duration::ZERO), ms(575));
        assert_eq!(hold.tell(at(30), Duration::ZERO), ms(0));
    }

    #[test]
    fn slow_networks_take_longer() {
        #[expect(clippy::disallowed_methods, reason = "a start that nothing depends on")]
        let start = Instant::now();
        for (direction, loss, expected) in [
            (Direction::Subscribe, 5.0, 310),
            (Direction::Subscribe, 15.0, 510),
            (Direction::Publish, 5.0, 470),
            (Direction::Publish, 15.0, 990),
        ] {
            let mut hold = Hold::new(direction);
            hold.set_round_trip(Duration::from_millis(200));
            hold.report(start, loss);
            assert_eq!(hold.time().as_millis(), expected, "{direction:?} {loss}");
        }
    }
}
