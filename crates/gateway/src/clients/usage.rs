//! How many requests a key made of a plan, day by day, and whether its quota lets one more pass.
//!
//! A day's count is one atomic word; only the first request of a day takes a lock. What was counted is written to the
//! store by the server, as totals of days: see [`Usage::unwritten`].

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stagedoor_api::apigateway::QuotaSettings;
use stagedoor_state::rest::usage::{Day, KeyUsage};

/// Bits of the word that hold the count; those above hold the number of the day.
const COUNT_BITS: u32 = 40;

/// What one key used of one plan.
#[derive(Default)]
pub(crate) struct Usage {
    /// Today, and how many requests it has seen.
    word: AtomicU64,
    /// The word as it was last written to the store.
    written: AtomicU64,
    /// How many requests of today the quota lets pass.
    allowance: AtomicI64,
    ledger: Mutex<Ledger>,
}

/// What changes seldom.
#[derive(Default)]
struct Ledger {
    /// Days before today, and what was granted.
    document: KeyUsage,
    quota: Option<QuotaSettings>,
    /// When the key was added to the plan.
    since: Option<Day>,
    /// Days before today that are to be written.
    past: Vec<(Day, i64)>,
}

impl Usage {
    /// Counts a request; whether the quota lets it pass.
    pub(crate) fn count(&self, today: Day) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if day(word) < today {
                word = self.turn(today);
            }
            match self.word.compare_exchange_weak(word, word + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return requests(word) < self.allowance.load(Ordering::Relaxed),
                Err(other) => word = other,
            }
        }
    }

    /// Takes over what is stored: everything at first, later only what was granted.
    pub(crate) fn take_over(&self, stored: KeyUsage, quota: Option<&QuotaSettings>, since: Day, today: Day) {
        let mut ledger = self.ledger();
        if ledger.since == Some(since) {
            ledger.document.granted = stored.granted;
        } else {
            // A new member, or one that was removed and added again.
            let word = packed(today, stored.on(today));
            *ledger = Ledger { document: stored, quota: None, since: Some(since), past: Vec::new() };
            self.word.store(word, Ordering::Relaxed);
            self.written.store(word, Ordering::Relaxed);
        }
        ledger.quota = quota.cloned();
        self.settle(&ledger, day(self.word.load(Ordering::Relaxed)));
    }

    /// Begins a day.
    fn turn(&self, today: Day) -> u64 {
        let mut ledger = self.ledger();
        let old = self.word.load(Ordering::Relaxed);
        if day(old) >= today {
            return old;
        }
        let new = packed(today, ledger.document.on(today));
        let mut close = |word: u64| {
            ledger.document.requests.insert(day(word), requests(word));
            self.settle(&ledger, today);
        };
        close(old);
        let old = self.word.swap(new, Ordering::Relaxed);
        // What was counted meanwhile belongs to the old day.
        close(old);
        if self.written.swap(new, Ordering::Relaxed) != old {
            ledger.past.push((day(old), requests(old)));
        }
        new
    }

    fn settle(&self, ledger: &Ledger, today: Day) {
        let since = ledger.since.unwrap_or(today);
        let allowance =
            ledger.quota.as_ref().map_or(i64::MAX, |quota| ledger.document.allowance(quota, since, today));
        self.allowance.store(allowance, Ordering::Relaxed);
    }

    /// Days and their totals that are not known to be in the store.
    pub(crate) fn unwritten(&self) -> Vec<(Day, i64)> {
        let word = self.word.load(Ordering::Relaxed);
        let today = (word != self.written.load(Ordering::Relaxed)).then(|| (day(word), requests(word)));
        self.ledger().past.iter().copied().chain(today).collect()
    }

    /// That a day's total is in the store.
    pub(crate) fn wrote(&self, written: Day, total: i64) {
        self.ledger().past.retain(|past| *past != (written, total));
        let word = packed(written, total);
        if day(self.word.load(Ordering::Relaxed)) == written {
            self.written.store(word, Ordering::Relaxed);
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn packed(day: Day, requests: i64) -> u64 {
    let day = u64::try_from(day.number()).unwrap_or_default();
    let requests = u64::try_from(requests).unwrap_or_default().min((1 << COUNT_BITS) - 1);
    day << COUNT_BITS | requests
}

fn day(word: u64) -> Day {
    Day::from_number((word >> COUNT_BITS) as i64)
}

fn requests(word: u64) -> i64 {
    (word & ((1 << COUNT_BITS) - 1)) as i64
}

#[cfg(test)]
mod tests {
    use stagedoor_api::apigateway::QuotaPeriodType;

    use super::*;

    fn quota(limit: i64, offset: i64, period: QuotaPeriodType) -> QuotaSettings {
        QuotaSettings { limit: Some(limit), offset: Some(offset), period: Some(period) }
    }

    fn on(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    fn passed(usage: &Usage, today: Day, tries: usize) -> usize {
        (0..tries).filter(|_| usage.count(today)).count()
    }

    #[test]
    fn a_quota_lets_so_many_pass_in_each_period() {
        let usage = Usage::default();
        let added = on("2024-04-02");
        usage.take_over(KeyUsage::default(), Some(&quota(10, 3, QuotaPeriodType::Month)), added, added);
        assert_eq!(passed(&usage, on("2024-04-29"), 4), 4);
        assert_eq!(passed(&usage, on("2024-04-30"), 9), 3, "the offset counts in the first period");
        assert_eq!(passed(&usage, on("2024-05-01"), 12), 10);
        assert_eq!(passed(&usage, on("2024-05-02"), 1), 0);
        assert_eq!(
            usage.unwritten(),
            [("2024-04-29", 4), ("2024-04-30", 9), ("2024-05-01", 12), ("2024-05-02", 1)]
                .map(|(day, total)| (on(day), total)),
            "also what was refused counts"
        );
    }

    #[test]
    fn what_is_granted_changes_what_is_left_at_once() {
        let (usage, today) = (Usage::default(), on("2024-05-02"));
        let quota = quota(5, 0, QuotaPeriodType::Week);
        let mut stored = KeyUsage::default();
        usage.take_over(stored.clone(), Some(&quota), today, today);
        assert_eq!(passed(&usage, today, 6), 5);
        for (written, total) in usage.unwritten() {
            stored.requests.insert(written, total);
            usage.wrote(written, total);
        }
        assert_eq!(usage.unwritten(), []);
        stored.set_remaining(&quota, today, today, 2);
        usage.take_over(stored, Some(&quota), today, today);
        assert_eq!(passed(&usage, today, 5), 2);
    }

    #[test]
    fn a_restart_goes_on_where_the_store_is() {
        let today = on("2024-05-02");
        let mut stored = KeyUsage::default();
        stored.requests.insert(today, 4);
        stored.requests.insert(on("2024-05-01"), 3);
        let usage = Usage::default();
        usage.take_over(stored, Some(&quota(10, 0, QuotaPeriodType::Month)), on("2024-04-01"), today);
        assert_eq!(passed(&usage, today, 5), 3);
        assert_eq!(usage.unwritten(), [(today, 9)]);
    }

    #[test]
    fn without_a_quota_everything_passes_and_counts() {
        let (usage, today) = (Usage::default(), on("2024-05-02"));
        usage.take_over(KeyUsage::default(), None, today, today);
        assert_eq!(passed(&usage, today, 3), 3);
        assert_eq!(usage.unwritten(), [(today, 3)]);
    }

    #[test]
    fn threads_pass_as_many_as_the_quota_allows() {
        let (usage, today) = (Usage::default(), on("2024-05-02"));
        usage.take_over(KeyUsage::default(), Some(&quota(1000, 0, QuotaPeriodType::Day)), today, today);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| passed(&usage, today, 400))).collect();
            threads.into_iter().map(|thread| thread.join().expect("the thread ends")).sum()
        });
        assert_eq!((passed, usage.unwritten()), (1000, vec![(today, 1600)]));
    }
}
