//! Method settings of stages: their defaults, their leaves, and how patches name them. Pure.
//!
//! A setting belongs to `{resource path}/{verb}`, escaped like a JSON pointer: `a~1b/GET`, the root is `~1/GET`, and
//! `*/*` stands for all methods that have none of their own.

use stagedoor_api::apigateway::{MethodSetting, Op, Stage, UnauthorizedCacheControlHeaderStrategy};
use stagedoor_state::{Fault, Result};

use crate::messages;
use crate::patch::{Change, Row};

/// The key of the settings for all methods.
const ALL_METHODS: &str = "*/*";

const CACHE_TTL_SECONDS: std::ops::RangeInclusive<i64> = 0..=3600;

const LOGGING_LEVELS: &[&str] = &["OFF", "ERROR", "INFO"];

/// Rows of the stage's patch table: ten leaves to replace, and whole settings to remove.
pub const ROWS: &[Row<Stage>] = &[
    leaf("/{}/{}/metrics/enabled", |stage, change| {
        setting(stage, change).metrics_enabled = Some(change.flag());
        Ok(())
    }),
    leaf("/{}/{}/logging/dataTrace", |stage, change| {
        setting(stage, change).data_trace_enabled = Some(change.flag());
        Ok(())
    }),
    leaf("/{}/{}/logging/loglevel", |stage, change| {
        let level =
            change.value.filter(|level| LOGGING_LEVELS.contains(level)).ok_or_else(|| bad_value(change))?;
        setting(stage, change).logging_level = Some(level.to_owned());
        Ok(())
    }),
    leaf("/{}/{}/throttling/burstLimit", |stage, change| {
        let limit = number::<i64>(change)?;
        setting(stage, change).throttling_burst_limit = Some(limit);
        Ok(())
    }),
    leaf("/{}/{}/throttling/rateLimit", |stage, change| {
        let limit = number::<f64>(change)?;
        if !limit.is_finite() {
            return Err(bad_value(change));
        }
        setting(stage, change).throttling_rate_limit = Some(limit);
        Ok(())
    }),
    leaf("/{}/{}/caching/enabled", |stage, change| {
        setting(stage, change).caching_enabled = Some(change.flag());
        Ok(())
    }),
    leaf("/{}/{}/caching/ttlInSeconds", |stage, change| {
        let seconds = number::<i64>(change)?;
        if !CACHE_TTL_SECONDS.contains(&seconds) {
            return Err(bad_value(change));
        }
        setting(stage, change).cache_ttl_in_seconds = Some(seconds);
        Ok(())
    }),
    leaf("/{}/{}/caching/dataEncrypted", |stage, change| {
        setting(stage, change).cache_data_encrypted = Some(change.flag());
        Ok(())
    }),
    leaf("/{}/{}/caching/requireAuthorizationForCacheControl", |stage, change| {
        setting(stage, change).require_authorization_for_cache_control = Some(change.flag());
        Ok(())
    }),
    leaf("/{}/{}/caching/unauthorizedCacheControlHeaderStrategy", |stage, change| {
        let strategy = change.value.and_then(UnauthorizedCacheControlHeaderStrategy::parse);
        let strategy = strategy.ok_or_else(|| bad_value(change))?;
        setting(stage, change).unauthorized_cache_control_header_strategy = Some(strategy);
        Ok(())
    }),
    Row { path: "/{}/{}", ops: &[Op::Remove], apply: remove },
];

const fn leaf(path: &'static str, apply: fn(&mut Stage, &Change<'_>) -> Result<()>) -> Row<Stage> {
    Row { path, ops: &[Op::Replace], apply }
}

/// A setting as a whole is removed, never one of its leaves.
fn remove(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    let removed = stage.method_settings.get_or_insert_default().remove(&key(change));
    removed.map(drop).ok_or_else(|| messages::no_method_setting(change.path))
}

/// The setting that the path names. At first touch it becomes what `*/*` is at that moment, or the defaults; later
/// changes of `*/*` leave it alone.
fn setting<'a>(stage: &'a mut Stage, change: &Change<'_>) -> &'a mut MethodSetting {
    let settings = stage.method_settings.get_or_insert_default();
    let initial = settings.get(ALL_METHODS).cloned().unwrap_or_else(defaults);
    settings.entry(key(change)).or_insert(initial)
}

fn key(change: &Change<'_>) -> String {
    format!("{}/{}", change.raw_token(0), change.raw_token(1))
}

/// A logging level is absent until it is set.
fn defaults() -> MethodSetting {
    MethodSetting {
        metrics_enabled: Some(false),
        data_trace_enabled: Some(false),
        throttling_burst_limit: Some(5000),
        throttling_rate_limit: Some(10_000.0),
        caching_enabled: Some(false),
        cache_ttl_in_seconds: Some(300),
        cache_data_encrypted: Some(false),
        require_authorization_for_cache_control: Some(true),
        unauthorized_cache_control_header_strategy: Some(
            UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader,
        ),
        logging_level: None,
    }
}

fn number<N: std::str::FromStr>(change: &Change<'_>) -> Result<N> {
    change.value.and_then(|value| value.parse().ok()).ok_or_else(|| bad_value(change))
}

fn bad_value(change: &Change<'_>) -> Fault {
    messages::bad_setting(change.path, change.value)
}
