//! What each stage has served, as plain counters. How they are printed is the binary's business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::per_thread::PerThread;

/// Upper bounds of the buckets of [`Histogram`], in microseconds.
pub const BUCKETS_MICROS: [u64; 13] = [
    1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000,
];

/// The counters of one stage, or of one of its methods or routes, which outlive the plans made for it.
#[derive(Debug, Default)]
pub(crate) struct Counters(PerThread<Box<Counted>>);

/// What one thread has counted.
#[derive(Debug, Default)]
struct Counted {
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    latency: Times,
    integration_latency: Times,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
    data_processed: AtomicU64,
}

/// How often something took how long.
#[derive(Debug, Default)]
struct Times {
    sum_micros: AtomicU64,
    /// By bucket; one more for what is beyond the last.
    buckets: [AtomicU64; BUCKETS_MICROS.len() + 1],
}

/// What a stage has served since the server started, by CloudWatch's metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageFigures {
    pub api: String,
    pub stage: String,
    /// The method or route that the figures are of; `None` if of the whole stage.
    pub of: Option<FiguresOf>,
    /// `Count`
    pub requests: u64,
    /// `4XXError`
    pub client_errors: u64,
    /// `5XXError`
    pub server_errors: u64,
    /// `Latency`: from a request's arrival until its answer's head was ready.
    pub latency: Histogram,
    /// `IntegrationLatency`: the part of it spent waiting for integrations, of requests that asked one.
    pub integration_latency: Histogram,
    /// `CacheHitCount`: requests answered from the stage's cache.
    pub cache_hits: u64,
    /// `CacheMissCount`: requests of methods with a cache that the integration had to answer.
    pub cache_misses: u64,
    /// `DataProcessed`, in bytes: bodies of requests and answers, as far as their lengths were announced.
    pub data_processed: u64,
}

/// What has figures of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FiguresOf {
    Method { resource: String, method: String },
    Route { key: String },
}

/// Times, by how long they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    pub sum: Duration,
    /// How many were longer than the bound before and not longer than this one of [`BUCKETS_MICROS`]; the last one
    /// has no bound.
    pub buckets: [u64; BUCKETS_MICROS.len() + 1],
}

impl Times {
    fn record(&self, micros: u64) {
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
        let bucket = BUCKETS_MICROS.iter().take_while(|bound| micros > **bound).count();
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    fn add_to(&self, all: &mut Histogram) {
        all.sum += Duration::from_micros(self.sum_micros.load(Ordering::Relaxed));
        for (all, own) in all.buckets.iter_mut().zip(&self.buckets) {
            *all += own.load(Ordering::Relaxed);
        }
    }
}

impl Counters {
    /// Counts an answer; `bytes` is the length of both bodies.
    pub(crate) fn record(
        &self,
        status: StatusCode,
        latency: Duration,
        integration: Option<Duration>,
        bytes: u64,
    ) {
        let counted = self.0.own(Box::default);
        if status.is_client_error() {
            counted.client_errors.fetch_add(1, Ordering::Relaxed);
        } else if status.is_server_error() {
            counted.server_errors.fetch_add(1, Ordering::Relaxed);
        }
        counted.latency.record(micros(latency));
        if let Some(integration) = integration {
            counted.integration_latency.record(micros(integration));
        }
        counted.data_processed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a look into the cache.
    pub(crate) fn looked_up(&self, found: bool) {
        let counted = self.0.own(Box::default);
        let counter = if found { &counted.cache_hits } else { &counted.cache_misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self, api: &str, stage: &str, of: Option<FiguresOf>) -> StageFigures {
        let sum = |counter: fn(&Counted) -> &AtomicU64| {
            self.0.all().map(|one| counter(one).load(Ordering::Relaxed)).sum()
        };
        let times = |times: fn(&Counted) -> &Times| {
            self.0.all().fold(Histogram::default(), |mut all, one| {
                times(one).add_to(&mut all);
                all
            })
        };
        let latency = times(|one| &one.latency);
        StageFigures {
            api: api.to_owned(),
            stage: stage.to_owned(),
            of,
            // Every request has a latency.
            requests: latency.buckets.iter().sum(),
            client_errors: sum(|one| &one.client_errors),
            server_errors: sum(|one| &one.server_errors),
            latency,
            integration_latency: times(|one| &one.integration_latency),
            cache_hits: sum(|one| &one.cache_hits),
            cache_misses: sum(|one| &one.cache_misses),
            data_processed: sum(|one| &one.data_processed),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
