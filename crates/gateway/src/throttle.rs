//! Token buckets: a rate that refills them and a burst that they hold, as AWS's throttles have.
//!
//! A bucket is one atomic word and no lock: the moment at which it would be full again (the generic cell rate
//! algorithm). It knows no limit of its own, so it goes on when its limit is changed: what it lacks is then no more
//! than the new limit's whole burst. Pure: the time is an argument.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// AWS's throttle of an account in a region, which is also what a stage's method settings begin with.
pub(crate) const ACCOUNT_RATE: f64 = 10_000.0;
pub(crate) const ACCOUNT_BURST: i64 = 5_000;

/// The longest time that anything here takes, in nanoseconds: about 73 years.
const LONGEST: f64 = (1_u64 << 61) as f64;

/// How many requests per second, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Nanoseconds until a token is refilled, at least one.
    refill: u64,
    /// Nanoseconds until an empty bucket is full; 0 lets nothing pass.
    full: u64,
}

impl Limit {
    /// `None` is no limit: a negative rate or burst. A rate or burst of 0 lets nothing pass. One that is missing is
    /// an account's.
    pub(crate) fn new(rate: Option<f64>, burst: Option<i64>) -> Option<Self> {
        if rate.is_none() && burst.is_none() {
            return None;
        }
        let (rate, burst) = (rate.unwrap_or(ACCOUNT_RATE), burst.unwrap_or(ACCOUNT_BURST));
        if rate.is_nan() || rate < 0.0 || burst < 0 {
            return None;
        }
        if rate == 0.0 || burst == 0 {
            return Some(Self { refill: 1, full: 0 });
        }
        let refill = (1e9 / rate).clamp(1.0, LONGEST / 2.0);
        let full = (refill * burst as f64).min(LONGEST);
        Some(Self { refill: refill as u64, full: full as u64 })
    }

    /// As [`Self::new`] of a method's settings. All ten of a stage's settings come into being when the first is set;
    /// an account's own rate and burst among them are nobody's wish.
    pub(crate) fn of_method(rate: Option<f64>, burst: Option<i64>) -> Option<Self> {
        let untouched = rate == Some(ACCOUNT_RATE) && burst == Some(ACCOUNT_BURST);
        if untouched { None } else { Self::new(rate, burst) }
    }
}

/// As execution logs name it: `Limit: 1.00 Burst: 1`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.full == 0 {
            return f.write_str("Limit: 0.00 Burst: 0");
        }
        let refill = self.refill as f64;
        write!(f, "Limit: {:.2} Burst: {:.0}", 1e9 / refill, self.full as f64 / refill)
    }
}

/// What passed lately. A new one is full.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// When it will be full, in nanoseconds of the clock that callers use.
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes a token if there is one. `now` is in nanoseconds of any clock that does not go back.
    pub(crate) fn take(&self, limit: Limit, now: u64) -> bool {
        let horizon = now.saturating_add(limit.full);
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now).saturating_add(limit.refill);
            let passes = next <= horizon;
            // An empty bucket lacks no more than it holds; that it lacks more is left from a slower limit.
            let next = if passes { next } else { full_at.min(horizon) };
            if next == full_at {
                return passes;
            }
            match self.full_at.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return passes,
                Err(other) => full_at = other,
            }
        }
    }
}

/// A bucket with its limit.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    pub(crate) limit: Limit,
    pub(crate) bucket: Arc<Bucket>,
}

impl Throttle {
    pub(crate) fn take(&self, now: u64) -> bool {
        self.bucket.take(self.limit, now)
    }
}

#[cfg(test)]
mod tests;
