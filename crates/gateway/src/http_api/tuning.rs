//! What a stage's route settings say of each route of a deployment: its throttle.

use std::collections::HashMap;
use std::sync::Arc;

use stagedoor_api::apigatewayv2 as api;

use super::plan::{Deployed, Route};
use crate::metrics::Counters;
use crate::plans::api::Known;
use crate::throttle::{Bucket, Limit, Throttle};

/// The throttles of all routes of a stage.
#[derive(Default)]
pub(crate) struct Tuning {
    /// By [`Route::index`].
    routes: Vec<Option<Throttle>>,
    /// By key, so that the next plan goes on with them.
    buckets: HashMap<String, Arc<Bucket>>,
    /// Of routes with detailed metrics, by key.
    counters: HashMap<String, Arc<Counters>>,
}

impl Tuning {
    pub(crate) fn of(deployed: &Deployed, stage: &api::Stage, known: &Known<'_, Self>) -> Self {
        let mut tuning = Self::default();
        for key in &deployed.keys {
            let throttle = limit(stage, key).map(|limit| {
                let before = known.before.and_then(|before| before.buckets.get(key));
                let bucket: Arc<Bucket> = before.cloned().unwrap_or_default();
                tuning.buckets.insert(key.clone(), Arc::clone(&bucket));
                Throttle { limit, bucket }
            });
            tuning.routes.push(throttle);
            if has_detailed_metrics(stage, key) {
                let before = known.before.and_then(|before| before.counters.get(key));
                tuning.counters.insert(key.clone(), before.cloned().unwrap_or_default());
            }
        }
        tuning
    }

    /// The route's own figures, if it has any.
    pub(crate) fn counters(&self, route: &Route) -> Option<&Arc<Counters>> {
        self.counters.get(&route.key)
    }

    /// Routes with figures of their own, by their keys.
    pub(crate) fn detailed(&self) -> impl Iterator<Item = (&str, &Counters)> {
        self.counters.iter().map(|(key, counters)| (key.as_str(), &**counters))
    }

    pub(crate) fn throttle(&self, route: &Route) -> Option<&Throttle> {
        self.routes.get(route.index)?.as_ref()
    }
}

/// `detailedMetricsEnabled`, of the route or of all.
fn has_detailed_metrics(stage: &api::Stage, key: &str) -> bool {
    let own = stage.route_settings.as_ref().and_then(|routes| routes.get(key));
    let own = own.and_then(|settings| settings.detailed_metrics_enabled);
    let of_all = stage.default_route_settings.as_ref().and_then(|settings| settings.detailed_metrics_enabled);
    own.or(of_all) == Some(true)
}

/// A route's own limit, or the one that the stage has for all of its routes.
fn limit(stage: &api::Stage, key: &str) -> Option<Limit> {
    let of = |settings: &api::RouteSettings| {
        Limit::new(settings.throttling_rate_limit, settings.throttling_burst_limit)
    };
    let throttles = |settings: &&api::RouteSettings| {
        settings.throttling_rate_limit.is_some() || settings.throttling_burst_limit.is_some()
    };
    let own = stage.route_settings.as_ref().and_then(|routes| routes.get(key)).filter(throttles);
    of(own.or(stage.default_route_settings.as_ref())?)
}
