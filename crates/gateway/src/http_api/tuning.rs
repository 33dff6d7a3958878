//! What a stage's route settings say of each route of a deployment: its throttle.

use std::collections::HashMap;
use std::sync::Arc;

use stagedoor_api::apigatewayv2 as api;

use super::plan::{Deployed, Route};
use crate::plans::api::Known;
use crate::throttle::{Bucket, Limit, Throttle};

/// The throttles of all routes of a stage.
#[derive(Default)]
pub(crate) struct Tuning {
    /// By [`Route::index`].
    routes: Vec<Option<Throttle>>,
    /// By key, so that the next plan goes on with them.
    buckets: HashMap<String, Arc<Bucket>>,
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
        }
        tuning
    }

    pub(crate) fn throttle(&self, route: &Route) -> Option<&Throttle> {
        self.routes.get(route.index)?.as_ref()
    }
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
