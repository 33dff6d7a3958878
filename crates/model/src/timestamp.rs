//! A point in time as the AWS wire formats know it.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z. Reading the clock is the caller's business.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
/// 9999-12-30T22:00:00Z, jiff's last whole second.
const SECONDS_MAX: i64 = 253_402_207_200;
/// -009999-01-02T01:59:59Z, jiff's first whole second.
const SECONDS_MIN: i64 = -377_705_023_201;

impl Timestamp {
    /// Clamps to the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        let (least, most) = (SECONDS_MIN * MICROS_PER_SECOND, SECONDS_MAX * MICROS_PER_SECOND);
        Self { micros: micros.clamp(least, most) }
    }

    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.clamp(SECONDS_MIN, SECONDS_MAX) * MICROS_PER_SECOND)
    }

    /// Seconds with a fraction, as in a JSON number; rounds to the microsecond. `None` unless finite.
    pub fn from_seconds_f64(seconds: f64) -> Option<Self> {
        seconds.is_finite().then(|| Self::from_micros((seconds * 1e6).round() as i64))
    }

    /// RFC 3339 / ISO 8601 with an offset, e.g. `2024-01-01T00:00:00Z`.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self::from_micros(time.as_microsecond()))
    }

    pub fn as_micros(self) -> i64 {
        self.micros
    }

    pub fn as_millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    pub fn as_seconds(self) -> i64 {
        self.micros.div_euclid(MICROS_PER_SECOND)
    }

    pub fn as_seconds_f64(self) -> f64 {
        self.micros as f64 / MICROS_PER_SECOND as f64
    }

    /// The same time without its fraction of a second.
    pub fn whole_seconds(self) -> Self {
        Self::from_seconds(self.as_seconds())
    }

    /// Adds (or, if negative, subtracts) seconds, within the clamped range.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.micros.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.micros).expect("constructors clamp to jiff's range")
    }
}

/// ISO 8601 in UTC, e.g. `2024-01-01T00:00:00Z`; a fraction only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_iso8601() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (1_704_067_200_000_000, "2024-01-01T00:00:00Z"),
            (1_704_067_200_250_000, "2024-01-01T00:00:00.25Z"),
        ];
        for (micros, text) in cases {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
            assert_eq!(Timestamp::parse_iso8601(text), Some(Timestamp::from_micros(micros)));
        }
        let offset = Timestamp::parse_iso8601("2024-01-01T01:00:00+01:00");
        assert_eq!(offset, Some(Timestamp::from_seconds(1_704_067_200)));
    }

    #[test]
    fn clamps_instead_of_failing() {
        for extreme in [i64::MIN, i64::MAX] {
            let _ = Timestamp::from_micros(extreme).to_string();
            let _ = Timestamp::from_seconds(extreme).plus_seconds(extreme).to_string();
        }
        assert_eq!(Timestamp::from_seconds_f64(f64::NAN), None);
    }
}
