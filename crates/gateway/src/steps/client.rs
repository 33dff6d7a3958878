//! Who asks, of methods that require an API key: the key, its usage plan's throttles, its quota (rest-data C8).

use http::HeaderName;
use stagedoor_state::rest::usage::Day;

use crate::execution_log;
use crate::fault::GatewayFault;
use crate::rest::call::Call;
use crate::throttle::Limit;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Puts the key among what is known of the caller; of methods that require none, tells only the log.
///
/// # Errors
/// [`GatewayFault::InvalidApiKey`] without a key that is enabled and in a plan with this stage,
/// [`GatewayFault::Throttled`] or [`GatewayFault::QuotaExceeded`]. Also what is refused counts for the quota.
pub(crate) fn admit(call: &mut Call<'_>) -> Result<(), GatewayFault> {
    call.visit.note(|_| {
        let (id, key) = (call.visit.request_id_text(), shown(call));
        format!("Verifying Usage Plan for request: {id}. API Key: {key} API Stage: {}", stage(call))
    });
    if !call.method.api_key_required {
        return Ok(());
    }
    let clients = call.api.place.clients.load();
    let client = key(call).and_then(|value| clients.by_value(value)).filter(|client| client.enabled);
    let (api, stage) = (call.api.owner.api.as_str(), call.stage.name.as_str());
    let member = client.and_then(|client| Some((client, client.membership(api, stage)?)));
    let Some((client, member)) = member else {
        tell_refused(call);
        return Err(GatewayFault::InvalidApiKey);
    };
    call.caller.identity.api_key = Some(client.value.clone());
    call.caller.identity.api_key_id = Some(client.id.clone());
    let within = member.usage.count(today(call.shared.config.now));
    let taken =
        member.take((api, stage), &call.method.resource_path, call.verb.as_str(), call.shared.nanos());
    taken.map_err(|limit| throttled(call, limit))?;
    if within { Ok(()) } else { Err(GatewayFault::QuotaExceeded) }
}

/// What is said of a request beyond a limit, of its key's plan or its stage.
pub(crate) fn throttled(call: &Call<'_>, limit: Limit) -> GatewayFault {
    call.visit.note(|_| {
        let (api, stage) = (&call.api.owner.api, &call.stage.name);
        let (resource, verb) = (&call.method.resource_id, &call.verb);
        format!(
            "Key throttle limit exceeded for RestApi {api}, Stage {stage}, Resource {resource}, HttpMethod {verb}. \
             {limit}"
        )
    });
    GatewayFault::Throttled
}

/// Says that nothing of keys, plans and throttles stands in the way.
pub(crate) fn tell_admitted(call: &Call<'_>) {
    if !call.method.api_key_required {
        call.visit.note(|_| {
            format!(
                "API Key  authorized because method '{} {}' does not require API Key. Request will not contribute \
                 to throttle or quota limits",
                call.verb, call.method.resource_path
            )
        });
    }
    call.visit.note(|_| {
        format!("Usage Plan check succeeded for API Key {} and API Stage {}", shown(call), stage(call))
    });
}

fn tell_refused(call: &Call<'_>) {
    let Some(log) = call.visit.log.get() else { return };
    log.write_failure(format!(
        "API Key {} not authorized because method '{} {}' requires API Key and API Key is not associated with a Usage \
         Plan for API Stage {}: No Usage Plan found for key and API Stage",
        shown(call),
        call.verb,
        call.method.resource_path,
        stage(call)
    ));
}

/// The key that counts, as logs have it: nothing where none does.
fn shown(call: &Call<'_>) -> String {
    let key = if call.method.api_key_required { key(call) } else { None };
    execution_log::starred(key.unwrap_or_default())
}

fn stage(call: &Call<'_>) -> String {
    format!("{}/{}", call.api.owner.api, call.stage.name)
}

/// The key that was sent, or that the authorizer found.
fn key<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    if call.stage.deployed.key_from_authorizer {
        return call.caller.usage_identifier_key.as_deref();
    }
    call.head.headers.get(API_KEY)?.to_str().ok()
}

/// Quotas count days of UTC.
pub(crate) fn today(now: fn() -> std::time::Duration) -> Day {
    const SECONDS_PER_DAY: u64 = 86_400;
    Day::from_number(i64::try_from(now().as_secs() / SECONDS_PER_DAY).unwrap_or(i64::MAX))
}
