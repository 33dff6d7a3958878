//! Whether and when a failed call is made again: botocore's modes `legacy`, `standard` and `adaptive`.
//!
//! Decides only; the client sends and waits. Time and chance come in as arguments.
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-retries.html>

mod rate;

use std::time::Duration;

use crate::client::ClientError;
use rate::Limiter;

/// How calls are repeated (`retry_mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    Legacy,
    #[default]
    Standard,
    /// Standard, and no more requests per second than the service puts up with.
    Adaptive,
}

impl Mode {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "legacy" => Some(Self::Legacy),
            "standard" => Some(Self::Standard),
            "adaptive" => Some(Self::Adaptive),
            _ => None,
        }
    }
}

/// A mode and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub mode: Mode,
    /// Attempts per call, the first one included (`max_attempts`).
    pub attempts: u32,
    /// The costs and delays that botocore takes with `AWS_NEW_RETRIES_2026=true`, and the services' own delay.
    pub is_new: bool,
}

impl Policy {
    /// The mode with as many attempts as it has unless told otherwise.
    pub fn new(mode: Mode) -> Self {
        Self { mode, attempts: if mode == Mode::Legacy { 5 } else { 3 }, is_new: false }
    }
}

/// What to do after an attempt.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Again(Duration),
    /// Nothing more; `exhausted` is told to the user.
    Stop {
        exhausted: bool,
    },
}

/// The error of an attempt, and what the service said about when to come again.
pub struct Attempt<'a> {
    /// 1 for the first.
    pub number: u32,
    pub error: &'a ClientError,
    /// Milliseconds of `x-amz-retry-after`.
    pub retry_after: Option<u64>,
}

/// What the attempts of a client share: tokens for retries, and the rate of mode `adaptive`.
#[derive(Debug)]
pub struct Retries {
    policy: Policy,
    tokens: u32,
    limiter: Limiter,
}

const TOKENS_MAX: u32 = 500;
const DELAY_SECONDS_MAX: f64 = 20.0;
/// The service's wish extends our own delay by no more than this.
const ADDED_SECONDS_MAX: f64 = 5.0;

const THROTTLED: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];
const TRANSIENT: [&str; 3] = ["RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"];
/// What `legacy` repeats if it comes with 400.
const LEGACY_THROTTLED: [&str; 5] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "ProvisionedThroughputExceededException",
];

impl Retries {
    /// `now` in seconds of any clock; later calls go by the same.
    pub fn new(policy: Policy, now: f64) -> Self {
        Self { policy, tokens: TOKENS_MAX, limiter: Limiter::new(now) }
    }

    /// How long the next request must wait.
    pub fn wait_before_sending(&mut self, now: f64) -> Duration {
        match self.policy.mode {
            Mode::Adaptive => self.limiter.acquire(now),
            _ => Duration::ZERO,
        }
    }

    /// After a call that succeeded; `cost` is what its last retry took.
    pub fn succeeded(&mut self, cost: Option<u32>, now: f64) {
        self.tokens = TOKENS_MAX.min(self.tokens + cost.unwrap_or(1));
        if self.policy.mode == Mode::Adaptive {
            self.limiter.answered(false, now);
        }
    }

    /// What retrying after this error costs in tokens.
    pub fn cost(&self, error: &ClientError) -> u32 {
        let timed_out = matches!(error, ClientError::ConnectTimeout(_) | ClientError::AnswerTimeout(_));
        match (self.policy.is_new, is_throttled(error), timed_out) {
            (true, true, _) => 5,
            (true, false, _) => 14,
            (false, _, true) => 10,
            (false, _, false) => 5,
        }
    }

    /// Whether to go on after `attempt`; `chance` is from 0 to 1.
    pub fn judge(&mut self, attempt: &Attempt<'_>, now: f64, chance: f64) -> Verdict {
        if self.policy.mode == Mode::Adaptive {
            self.limiter.answered(is_throttled(attempt.error), now);
        }
        let is_last = attempt.number >= self.policy.attempts;
        if self.policy.mode == Mode::Legacy {
            let is_retryable = is_retryable_in_legacy(attempt.error);
            if is_last || !is_retryable {
                return Verdict::Stop { exhausted: is_last && is_retryable };
            }
            return Verdict::Again(Duration::from_secs_f64(chance * power(attempt.number)));
        }
        if is_last || !is_retryable(attempt.error) {
            return Verdict::Stop { exhausted: is_last };
        }
        let Some(left) = self.tokens.checked_sub(self.cost(attempt.error)) else {
            return Verdict::Stop { exhausted: false };
        };
        self.tokens = left;
        Verdict::Again(self.delay(attempt, chance))
    }

    fn delay(&self, attempt: &Attempt<'_>, chance: f64) -> Duration {
        let scale = if self.policy.is_new && !is_throttled(attempt.error) { 0.05 } else { 1.0 };
        let delay = chance * (scale * power(attempt.number)).min(DELAY_SECONDS_MAX);
        let wished = attempt.retry_after.filter(|_| self.policy.is_new).map(|wished| wished as f64 / 1000.0);
        Duration::from_secs_f64(
            wished.map_or(delay, |wished| delay.max(wished.min(delay + ADDED_SECONDS_MAX))),
        )
    }
}

/// 2 to the attempts made so far, less one.
fn power(attempt: u32) -> f64 {
    f64::from(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX))
}

fn is_connection_error(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Unreachable { .. } | ClientError::ConnectTimeout(_) | ClientError::AnswerTimeout(_)
    )
}

fn is_throttled(error: &ClientError) -> bool {
    error.service().is_some_and(|error| THROTTLED.contains(&&*error.code))
}

fn is_retryable(error: &ClientError) -> bool {
    let of_service = error.service().is_some_and(|error| {
        matches!(error.status, 500 | 502 | 503 | 504)
            || TRANSIENT.contains(&&*error.code)
            || THROTTLED.contains(&&*error.code)
    });
    of_service || is_connection_error(error)
}

fn is_retryable_in_legacy(error: &ClientError) -> bool {
    let of_service = error.service().is_some_and(|error| match error.status {
        429 | 500 | 502 | 503 | 504 | 509 => true,
        400 => LEGACY_THROTTLED.contains(&&*error.code),
        _ => false,
    });
    of_service || is_connection_error(error)
}

#[cfg(test)]
mod tests {
    use stagedoor_wire::client::ServiceError;

    use super::*;

    fn error(code: &str, status: u16) -> ClientError {
        ClientError::Service(ServiceError { code: code.to_owned(), status, message: String::new() })
    }

    /// Tells the delays in seconds of a call that always fails, with the largest chance, and how it ends.
    fn told(policy: Policy, error: &ClientError, retry_after: Option<u64>) -> String {
        let mut retries = Retries::new(policy, 0.0);
        let mut told = String::new();
        for number in 1.. {
            match retries.judge(&Attempt { number, error, retry_after }, f64::from(number), 1.0) {
                Verdict::Again(delay) => told.push_str(&format!("{} ", delay.as_secs_f64())),
                Verdict::Stop { exhausted } => {
                    told.push_str(if exhausted { "exhausted" } else { "end" });
                    break;
                }
            }
        }
        told
    }

    #[test]
    fn each_mode_repeats_what_botocore_repeats() {
        let [legacy, standard, adaptive] = [Mode::Legacy, Mode::Standard, Mode::Adaptive].map(Policy::new);
        let refused = ClientError::Unreachable { url: String::new(), cause: String::new() };
        let cases = [
            (legacy, error("Internal", 500), "1 2 4 8 exhausted"),
            (legacy, error("Limit", 509), "1 2 4 8 exhausted"),
            (legacy, error("ThrottlingException", 400), "1 2 4 8 exhausted"),
            (legacy, error("TooManyRequestsException", 429), "1 2 4 8 exhausted"),
            (legacy, error("LimitExceededException", 400), "end"),
            (legacy, error("NotFoundException", 404), "end"),
            (standard, error("Internal", 500), "1 2 exhausted"),
            (standard, error("Limit", 509), "end"),
            (standard, error("LimitExceededException", 400), "1 2 exhausted"),
            (standard, error("RequestTimeout", 400), "1 2 exhausted"),
            (standard, error("NotFoundException", 404), "end"),
            (standard, refused, "1 2 exhausted"),
            (adaptive, error("SlowDown", 503), "1 2 exhausted"),
            (Policy { attempts: 1, ..standard }, error("NotFoundException", 404), "exhausted"),
            (Policy { attempts: 1, ..legacy }, error("NotFoundException", 404), "end"),
            (Policy { attempts: 8, ..standard }, error("", 502), "1 2 4 8 16 20 20 exhausted"),
        ];
        for (policy, error, expected) in cases {
            assert_eq!(told(policy, &error, Some(9000)), expected, "{policy:?} {error}");
        }
    }

    #[test]
    fn the_new_behaviour_heeds_the_services_wish() {
        let new = Policy { is_new: true, ..Policy::new(Mode::Standard) };
        assert_eq!(told(new, &error("Internal", 500), None), "0.05 0.1 exhausted");
        assert_eq!(told(new, &error("SlowDown", 503), None), "1 2 exhausted");
        assert_eq!(told(new, &error("SlowDown", 503), Some(3000)), "3 3 exhausted");
        assert_eq!(told(new, &error("SlowDown", 503), Some(60_000)), "6 7 exhausted");
    }

    #[test]
    fn retries_end_when_the_tokens_are_spent() {
        let policy = Policy { attempts: u32::MAX, ..Policy::new(Mode::Standard) };
        let mut retries = Retries::new(policy, 0.0);
        let error = ClientError::AnswerTimeout(String::new());
        let attempt = Attempt { number: 1, error: &error, retry_after: None };
        let made =
            (0..1000).take_while(|_| retries.judge(&attempt, 0.0, 0.0) == Verdict::Again(Duration::ZERO));
        assert_eq!(made.count(), 50);
        retries.succeeded(Some(10), 0.0);
        assert_eq!(retries.judge(&attempt, 0.0, 0.0), Verdict::Again(Duration::ZERO));
        assert_eq!(retries.judge(&attempt, 0.0, 0.0), Verdict::Stop { exhausted: false });
    }
}
