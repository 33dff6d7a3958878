//! The rate of mode `adaptive`: botocore's token bucket, whose rate follows a cubic curve between throttled answers.
//! All times are seconds of one clock.

use std::time::Duration;

/// Rates below this are none: requests per second.
const RATE_MIN: f64 = 0.5;
/// How much of the rate is kept after a throttled answer.
const BETA: f64 = 0.7;
/// Steepness of the curve.
const SCALE: f64 = 0.4;
/// The curve never asks for more than this many times what is sent.
const GROWTH_MAX: f64 = 2.0;
/// Weight of the latest measurement.
const SMOOTHING: f64 = 0.8;
/// Seconds per measurement.
const SPAN: f64 = 0.5;

/// Holds requests back once the service has throttled one.
#[derive(Debug)]
pub struct Limiter {
    enabled: bool,
    // The bucket.
    rate: f64,
    capacity: f64,
    level: f64,
    filled: Option<f64>,
    // The curve.
    rate_of_failure: f64,
    failed: f64,
    // The measurement.
    measured: f64,
    count: f64,
    span: f64,
}

impl Limiter {
    pub fn new(now: f64) -> Self {
        Self {
            enabled: false,
            rate: 1.0,
            capacity: 1.0,
            level: 0.0,
            filled: None,
            rate_of_failure: 0.0,
            failed: now,
            measured: 0.0,
            count: 0.0,
            span: now.floor(),
        }
    }

    /// Takes a token, which may be one that comes only after the time that is returned.
    pub fn acquire(&mut self, now: f64) -> Duration {
        if !self.enabled {
            return Duration::ZERO;
        }
        self.fill(now);
        self.level -= 1.0;
        if self.level >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.level / self.rate) }
    }

    /// After each answer.
    pub fn answered(&mut self, throttled: bool, now: f64) {
        self.measure(now);
        let rate = if throttled {
            let rate = if self.enabled { self.measured.min(self.rate) } else { self.measured };
            self.enabled = true;
            self.rate_of_failure = rate;
            self.failed = now;
            rate * BETA
        } else {
            let zero = (self.rate_of_failure * (1.0 - BETA) / SCALE).cbrt();
            SCALE * (now - self.failed - zero).powi(3) + self.rate_of_failure
        };
        self.set_rate(rate.min(GROWTH_MAX * self.measured), now);
    }

    fn measure(&mut self, now: f64) {
        self.count += 1.0;
        let span = (now / SPAN).floor() * SPAN;
        if span > self.span {
            let current = self.count / (span - self.span);
            self.measured = current * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            self.count = 0.0;
            self.span = span;
        }
    }

    fn set_rate(&mut self, rate: f64, now: f64) {
        self.fill(now);
        self.rate = rate.max(RATE_MIN);
        self.capacity = rate.max(1.0);
        self.level = self.level.min(self.capacity);
    }

    fn fill(&mut self, now: f64) {
        if let Some(filled) = self.filled {
            self.level = self.capacity.min(self.level + (now - filled).max(0.0) * self.rate);
        }
        self.filled = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_wait_only_after_a_throttled_answer() {
        let mut limiter = Limiter::new(0.0);
        // Ten a second, which is measured.
        for request in 0..40 {
            let now = f64::from(request) / 10.0;
            assert_eq!(limiter.acquire(now), Duration::ZERO);
            limiter.answered(false, now);
        }
        assert!((limiter.measured - 10.0).abs() < 0.5, "{limiter:?}");
        limiter.answered(true, 4.0);
        assert!((limiter.rate - 7.0).abs() < 0.7, "{limiter:?}");
        let waits: Vec<f64> = (0..12).map(|_| limiter.acquire(4.0).as_secs_f64()).collect();
        assert!(waits.last().is_some_and(|wait| (0.5..2.0).contains(wait)), "{waits:?}");
        // Time and good answers lift the rate again.
        let slow = limiter.rate;
        for second in 5..15 {
            limiter.answered(false, f64::from(second));
        }
        assert!(limiter.rate < slow, "one a second is measured, so no more than two are allowed");
        assert!(limiter.rate >= RATE_MIN);
    }
}
