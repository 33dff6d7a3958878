//! The option of an account's throttle.

use std::str::FromStr;

use serde::Deserialize;

/// `RATE:BURST`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
pub struct ThrottleOption {
    /// Requests per second.
    pub rate: f64,
    pub burst: i64,
}

impl FromStr for ThrottleOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, burst) = text.split_once(':').ok_or("not of the form RATE:BURST")?;
        let rate = rate.trim().parse().ok().filter(|rate: &f64| rate.is_finite() && *rate >= 0.0);
        let burst = burst.trim().parse().ok().filter(|burst: &i64| *burst >= 0);
        let (Some(rate), Some(burst)) = (rate, burst) else {
            return Err("rate and burst are not numbers from 0 on");
        };
        Ok(Self { rate, burst })
    }
}

impl TryFrom<String> for ThrottleOption {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_bursts() {
        assert_eq!("10000:5000".parse(), Ok(ThrottleOption { rate: 10_000.0, burst: 5_000 }));
        assert_eq!("0.5:1".parse(), Ok(ThrottleOption { rate: 0.5, burst: 1 }));
        for wrong in ["", "10", "a:b", "-1:5", "1:-5", "inf:1", "1:0.5"] {
            assert!(wrong.parse::<ThrottleOption>().is_err(), "{wrong}");
        }
    }
}
