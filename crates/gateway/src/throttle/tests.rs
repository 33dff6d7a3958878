//! Buckets against a model that counts tokens, with simulated time (rest-data C8).

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn limit(rate: f64, burst: i64) -> Limit {
    Limit::new(Some(rate), Some(burst)).expect("a limit")
}

/// How many of so many tries at one moment pass.
fn passed(bucket: &Bucket, limit: Limit, now: u64, tries: usize) -> usize {
    (0..tries).filter(|_| bucket.take(limit, now)).count()
}

#[test]
fn a_burst_passes_and_then_the_rate() {
    let (bucket, limit) = (Bucket::default(), limit(2.0, 5));
    assert_eq!(passed(&bucket, limit, 10 * SECOND, 20), 5);
    assert_eq!(passed(&bucket, limit, 11 * SECOND, 20), 2);
    assert_eq!(passed(&bucket, limit, 100 * SECOND, 20), 5);
}

#[test]
fn nothing_passes_without_rate_or_burst() {
    for (rate, burst) in [(0.0, 10), (10.0, 0), (0.0, 0)] {
        assert_eq!(passed(&Bucket::default(), limit(rate, burst), SECOND, 3), 0, "{rate}/{burst}");
    }
}

#[test]
fn what_is_no_limit() {
    assert_eq!(Limit::new(None, None), None);
    assert_eq!(Limit::new(Some(-1.0), Some(5)), None);
    assert_eq!(Limit::new(Some(5.0), Some(-1)), None);
    assert_eq!(Limit::new(Some(f64::NAN), Some(5)), None);
    assert_eq!(Limit::of_method(Some(10_000.0), Some(5_000)), None);
    assert_eq!(Limit::of_method(Some(10_000.0), Some(4_999)), Some(limit(10_000.0, 4_999)));
    assert_eq!(Limit::new(Some(7.0), None), Some(limit(7.0, ACCOUNT_BURST)));
}

#[test]
fn a_changed_limit_keeps_the_bucket() {
    let bucket = Bucket::default();
    assert_eq!(passed(&bucket, limit(1.0, 10), SECOND, 20), 10);
    // Still empty, but refilled at the new rate.
    assert_eq!(passed(&bucket, limit(100.0, 50), SECOND, 60), 0);
    assert_eq!(passed(&bucket, limit(100.0, 50), SECOND + SECOND / 10, 60), 10);
}

#[test]
fn threads_share_a_bucket() {
    let (bucket, limit) = (Bucket::default(), limit(0.001, 500));
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| passed(&bucket, limit, SECOND, 400))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread ends")).sum()
    });
    assert_eq!(passed, 500);
}

proptest! {
    /// Whole numbers of nanoseconds per token, so that the model has nothing to round.
    #[test]
    fn as_many_pass_as_the_model_has_tokens(
        refill in 1_u64..2_000_000,
        burst in 1_u64..50,
        steps in prop::collection::vec((0_u64..20_000_000, 1_usize..20), 1..60),
    ) {
        let limit = Limit { refill, full: refill * burst };
        let bucket = Bucket::default();
        // Nanoseconds' worth of tokens.
        let (mut now, mut level) = (SECOND, refill * burst);
        for (pause, tries) in steps {
            now += pause;
            level = (level + pause).min(refill * burst);
            for _ in 0..tries {
                let expected = level >= refill;
                level -= if expected { refill } else { 0 };
                prop_assert_eq!(bucket.take(limit, now), expected);
            }
        }
    }

    #[test]
    fn any_limit_and_time_is_survived(rate in any::<f64>(), burst in any::<i64>(), times in prop::collection::vec(any::<u64>(), 1..20)) {
        let bucket = Bucket::default();
        if let Some(limit) = Limit::new(Some(rate), Some(burst)) {
            for now in times {
                bucket.take(limit, now);
            }
        }
    }
}
