//! What API keys used of their usage plans, day by day, and what a plan's quota leaves of it.
//!
//! The gateway counts requests here; `UpdateUsage` grants more or takes away. Nothing here refuses a request.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stagedoor_api::apigateway::{QuotaPeriodType, QuotaSettings};
use stagedoor_model::Timestamp;

use crate::document::Kind;

/// What one key used of one plan. Ids: `[plan, key]`; no document means nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyUsage {
    /// Requests that counted, by day.
    pub requests: BTreeMap<Day, i64>,
    /// What was granted beyond the quota, or taken away if negative, by the first day of the quota's period.
    pub granted: BTreeMap<Day, i64>,
}

impl Kind for KeyUsage {
    const KIND: &'static str = "rest-key-usage";
}

impl KeyUsage {
    /// Requests on that day.
    pub fn on(&self, day: Day) -> i64 {
        self.requests.get(&day).copied().unwrap_or_default()
    }

    /// Counts a request.
    pub fn count(&mut self, day: Day) {
        *self.requests.entry(day).or_default() += 1;
    }

    /// What is left of the quota at the end of that day. Never negative. `since` is the day on which the key was added
    /// to the plan: the period that holds it is the initial one, from which the quota's `offset` is taken.
    pub fn remaining(&self, quota: &QuotaSettings, since: Day, day: Day) -> i64 {
        self.balance(quota, since, day).max(0)
    }

    /// How many requests the quota lets pass on that day, whatever was used of it on the day itself. Negative if more
    /// was used in the days of the period before.
    pub fn allowance(&self, quota: &QuotaSettings, since: Day, day: Day) -> i64 {
        self.balance(quota, since, day).saturating_add(self.on(day))
    }

    /// Forgets days before this one.
    pub fn forget_before(&mut self, day: Day) {
        self.requests = self.requests.split_off(&day);
        self.granted = self.granted.split_off(&day);
    }

    /// Makes what is left of the quota on that day `remaining`, for the rest of the period.
    pub fn set_remaining(&mut self, quota: &QuotaSettings, since: Day, day: Day, remaining: i64) {
        let missing = remaining.saturating_sub(self.balance(quota, since, day));
        let granted = self.granted.entry(day.period_start(quota)).or_default();
        *granted = granted.saturating_add(missing);
    }

    fn balance(&self, quota: &QuotaSettings, since: Day, day: Day) -> i64 {
        let start = day.period_start(quota);
        let used = self.requests.range(start..=day).map(|(_, requests)| requests).sum::<i64>();
        let granted = self.granted.get(&start).copied().unwrap_or_default();
        let initial = since.period_start(quota) == start;
        let offset = quota.offset.filter(|_| initial).unwrap_or_default();
        quota.limit.unwrap_or_default().saturating_add(granted).saturating_sub(used).saturating_sub(offset)
    }
}

/// A day in UTC. Written `2024-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day {
    /// Days since 1970-01-01.
    number: i64,
}

const SECONDS_PER_DAY: i64 = 86_400;

impl Day {
    pub fn of(time: Timestamp) -> Self {
        Self { number: time.as_seconds().div_euclid(SECONDS_PER_DAY) }
    }

    /// Reads `2024-01-31`; nothing else is a day.
    pub fn parse(text: &str) -> Option<Self> {
        let day = Self::of(Timestamp::parse_iso8601(&format!("{text}T00:00:00Z"))?);
        (day.to_string() == text).then_some(day)
    }

    /// The day that is so many days after 1970-01-01.
    pub fn from_number(number: i64) -> Self {
        Self { number }
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        self.number
    }

    pub fn next(self) -> Self {
        Self { number: self.number + 1 }
    }

    /// How many days later than `other` this is.
    pub fn since(self, other: Self) -> i64 {
        self.number - other.number
    }

    /// First day of the quota's period that holds this day. Weeks begin on Sunday. Without a period, days count.
    fn period_start(self, quota: &QuotaSettings) -> Self {
        match quota.period {
            // 1970-01-01 was a Thursday.
            Some(QuotaPeriodType::Week) => Self { number: self.number - (self.number + 4).rem_euclid(7) },
            Some(QuotaPeriodType::Month) => {
                let mut first = self;
                while !first.to_string().ends_with("-01") {
                    first.number -= 1;
                }
                first
            }
            _ => self,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_seconds(self.number * SECONDS_PER_DAY).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text} is not a day"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    fn quota(period: QuotaPeriodType) -> QuotaSettings {
        QuotaSettings { limit: Some(10), offset: None, period: Some(period) }
    }

    #[test]
    fn only_days_are_days() {
        for text in ["2024-02-29", "1969-12-31", "2024-12-31"] {
            assert_eq!(day(text).to_string(), text);
        }
        for text in ["", "2023-02-29", "2024-1-1", "20240101", "2024-01-01T00:00:00Z", "yesterday"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn periods_begin_on_their_first_day() {
        let start = |period, text: &str| day(text).period_start(&quota(period)).to_string();
        assert_eq!(start(QuotaPeriodType::Day, "2024-05-15"), "2024-05-15");
        assert_eq!(start(QuotaPeriodType::Week, "2024-05-15"), "2024-05-12");
        assert_eq!(start(QuotaPeriodType::Week, "2024-05-12"), "2024-05-12");
        assert_eq!(start(QuotaPeriodType::Month, "2024-05-15"), "2024-05-01");
    }

    #[test]
    fn what_is_left_of_a_quota() {
        let (month, mut usage) = (quota(QuotaPeriodType::Month), KeyUsage::default());
        for text in ["2024-04-30", "2024-05-01", "2024-05-02", "2024-05-02"] {
            usage.count(day(text));
        }
        let since = day("2024-01-01");
        let left = |usage: &KeyUsage, text: &str| usage.remaining(&month, since, day(text));
        assert_eq!(["2024-05-01", "2024-05-02", "2024-06-01"].map(|text| left(&usage, text)), [9, 7, 10]);
        usage.set_remaining(&month, since, day("2024-05-02"), 100);
        assert_eq!(["2024-05-01", "2024-05-02", "2024-06-01"].map(|text| left(&usage, text)), [102, 100, 10]);
        usage.set_remaining(&month, since, day("2024-05-02"), 0);
        usage.count(day("2024-05-03"));
        assert_eq!(left(&usage, "2024-05-03"), 0);
        let offset = QuotaSettings { offset: Some(4), ..month.clone() };
        let left = |text: &str| usage.remaining(&offset, day("2024-04-15"), day(text));
        assert_eq!(
            ["2024-04-30", "2024-06-01"].map(left),
            [5, 10],
            "the offset counts in the initial period"
        );
        let stored = serde_json::to_string(&usage).expect("days are keys");
        assert_eq!(serde_json::from_str::<KeyUsage>(&stored).expect("its own form"), usage);
    }
}
