//! Throttling, metrics and logging of a stage's routes: defaults, merging and what may be set.

use std::collections::{BTreeMap, BTreeSet};

use stagedoor_api::apigatewayv2::{LoggingLevel, ProtocolType, Route, RouteSettings};
use stagedoor_state::{Cx, Result};

use crate::merge::replace;
use crate::messages;

/// Adds what AWS shows of members that nobody set. HTTP APIs have no execution logs, so nothing of them is shown.
pub fn complete(protocol: ProtocolType, mut settings: RouteSettings) -> RouteSettings {
    settings.detailed_metrics_enabled.get_or_insert(false);
    match protocol {
        ProtocolType::Http => settings.data_trace_enabled = None,
        ProtocolType::Websocket => {
            settings.data_trace_enabled.get_or_insert(false);
            settings.logging_level.get_or_insert(LoggingLevel::Off);
        }
    }
    settings
}

/// Replaces the members that were given.
pub fn merge(stored: &mut RouteSettings, given: RouteSettings) {
    replace(&mut stored.data_trace_enabled, given.data_trace_enabled);
    replace(&mut stored.detailed_metrics_enabled, given.detailed_metrics_enabled);
    replace(&mut stored.logging_level, given.logging_level);
    replace(&mut stored.throttling_burst_limit, given.throttling_burst_limit);
    replace(&mut stored.throttling_rate_limit, given.throttling_rate_limit);
}

/// Merges the settings of each route that was given into those of a stage.
pub fn merge_all(
    protocol: ProtocolType,
    stored: &mut Option<BTreeMap<String, RouteSettings>>,
    given: Option<BTreeMap<String, RouteSettings>>,
) {
    for (key, settings) in given.into_iter().flatten() {
        let entry = stored.get_or_insert_default().entry(key).or_default();
        merge(entry, settings);
        *entry = complete(protocol, std::mem::take(entry));
    }
}

/// Refuses settings that the protocol does not have.
pub fn check(protocol: ProtocolType, settings: &RouteSettings) -> Result<()> {
    let logs = settings.logging_level.is_some() || settings.data_trace_enabled == Some(true);
    if protocol == ProtocolType::Http && logs {
        return Err(messages::logging_not_for_http());
    }
    let negative = settings.throttling_burst_limit.is_some_and(|burst| burst < 0)
        || settings.throttling_rate_limit.is_some_and(|rate| rate < 0.0);
    if negative { Err(messages::throttling_invalid()) } else { Ok(()) }
}

/// As [`check`] for each route, which the API must have.
pub fn check_all(
    cx: &mut Cx<'_>,
    api_id: &str,
    protocol: ProtocolType,
    given: &BTreeMap<String, RouteSettings>,
) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let routes = cx.all::<Route>(&[api_id])?;
    let keys: BTreeSet<String> = routes.into_iter().filter_map(|route| route.route_key).collect();
    for (key, settings) in given {
        if !keys.contains(key) {
            return Err(messages::route_settings_unknown(key));
        }
        check(protocol, settings)?;
    }
    Ok(())
}
