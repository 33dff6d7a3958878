//! What each stage has served, as plain counters. How they are printed is the binary's business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

/// The counters of one stage, which outlive the plans made for it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    latency_micros: AtomicU64,
    integration_latency_micros: AtomicU64,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

/// What a stage has served since the server started: CloudWatch's `Count`, `4XXError`, `5XXError`, `Latency` and
/// `IntegrationLatency`, the latter two as sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageFigures {
    pub api: String,
    pub stage: String,
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
    /// Time from a request's arrival until its answer's head was ready, summed.
    pub latency: Duration,
    /// The part of it spent waiting for integrations.
    pub integration_latency: Duration,
    /// `CacheHitCount`: requests answered from the stage's cache.
    pub cache_hits: u64,
    /// `CacheMissCount`: requests of methods with a cache that the integration had to answer.
    pub cache_misses: u64,
}

impl Counters {
    pub(crate) fn record(&self, status: StatusCode, latency: Duration, integration_micros: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.client_errors.fetch_add(u64::from(status.is_client_error()), Ordering::Relaxed);
        self.server_errors.fetch_add(u64::from(status.is_server_error()), Ordering::Relaxed);
        self.latency_micros.fetch_add(micros(latency), Ordering::Relaxed);
        self.integration_latency_micros.fetch_add(integration_micros, Ordering::Relaxed);
    }

    /// Counts a look into the cache.
    pub(crate) fn looked_up(&self, found: bool) {
        let counter = if found { &self.cache_hits } else { &self.cache_misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self, api: &str, stage: &str) -> StageFigures {
        StageFigures {
            api: api.to_owned(),
            stage: stage.to_owned(),
            requests: self.requests.load(Ordering::Relaxed),
            client_errors: self.client_errors.load(Ordering::Relaxed),
            server_errors: self.server_errors.load(Ordering::Relaxed),
            latency: Duration::from_micros(self.latency_micros.load(Ordering::Relaxed)),
            integration_latency: Duration::from_micros(
                self.integration_latency_micros.load(Ordering::Relaxed),
            ),
            cache_hits: self.cache_hits.load(Ordering::Relaxed),
            cache_misses: self.cache_misses.load(Ordering::Relaxed),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
