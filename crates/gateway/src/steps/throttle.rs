//! Refuses requests beyond the throttles of their stage and account (rest-data C8, http-data D7). What nobody has
//! configured costs nothing here.

use super::client;
use crate::fault::GatewayFault;
use crate::http_api;
use crate::plans::place::Place;
use crate::rest::call::Call;
use crate::shared::Shared;
use crate::throttle::{Limit, Throttle};
use crate::visit::Visit;

/// REST APIs: the method's own throttle or the stage's for all methods, then the account's.
pub(crate) fn of_rest(call: &Call<'_>) -> Result<(), GatewayFault> {
    let settings = call.stage.tuning.find(call.method, &call.verb);
    let throttle = settings.and_then(|settings| settings.throttle.as_ref());
    let now = call.shared.nanos();
    check(throttle, &call.api.place, call.shared, now).map_err(|limit| client::throttled(call, limit))
}

/// HTTP APIs: the route's throttle or the stage's for all routes, then the account's.
pub(crate) fn of_http(
    shared: &Shared,
    visit: &Visit,
    place: &Place,
    stage: &http_api::plan::Stage,
    route: &http_api::plan::Route,
) -> Result<(), GatewayFault> {
    // Who was let in at once has cost no time.
    let now = if route.guard.is_open() { shared.nanos_at(visit.began) } else { shared.nanos() };
    check(stage.tuning.throttle(route), place, shared, now).map_err(|_| GatewayFault::Throttled)
}

/// # Errors
/// The limit that is exceeded.
fn check(throttle: Option<&Throttle>, place: &Place, shared: &Shared, now: u64) -> Result<(), Limit> {
    let account =
        shared.config.account_throttle.and_then(|(rate, burst)| Limit::new(Some(rate), Some(burst)));
    if let Some(throttle) = throttle.filter(|throttle| !throttle.take(now)) {
        return Err(throttle.limit);
    }
    match account.filter(|limit| !place.bucket.take(*limit, now)) {
        Some(limit) => Err(limit),
        None => Ok(()),
    }
}
