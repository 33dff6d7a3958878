//! Who asks, of methods that require an API key: the key, its usage plan's throttles, its quota (rest-data C8).

use http::HeaderName;
use stagedoor_state::rest::usage::Day;

use crate::execution_log;
use crate::fault::GatewayFault;
use crate::rest::call::Call;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Puts the key among what is known of the caller; of methods that require none, does nothing.
///
/// # Errors
/// [`GatewayFault::InvalidApiKey`] without a key that is enabled and in a plan with this stage,
/// [`GatewayFault::Throttled`] or [`GatewayFault::QuotaExceeded`]. Also what is refused counts for the quota.
pub(crate) fn admit(call: &mut Call<'_>) -> Result<(), GatewayFault> {
    if !call.method.api_key_required {
        return Ok(());
    }
    let clients = call.api.place.clients.load();
    let client = key(call).and_then(|value| clients.by_value(value)).filter(|client| client.enabled);
    let client = client.ok_or(GatewayFault::InvalidApiKey)?;
    let stage = (call.api.owner.api.as_str(), call.stage.name.as_str());
    let member = client.membership(stage.0, stage.1).ok_or(GatewayFault::InvalidApiKey)?;
    call.caller.identity.api_key = Some(client.value.clone());
    call.caller.identity.api_key_id = Some(client.id.clone());
    let shown =
        || format!("API Key {} and API Stage {}/{}", execution_log::starred(&client.value), stage.0, stage.1);
    call.visit.note(|_| {
        let asked =
            shown().replacen(" and", "", 1).replacen("API Stage", "API Stage:", 1).replacen("Key", "Key:", 1);
        format!("Verifying Usage Plan for request: {}. {asked}", call.visit.request_id_text())
    });
    let within = member.usage.count(today(call.shared.config.now));
    let taken = member.take(stage, &call.method.resource_path, call.verb.as_str(), call.shared.nanos());
    if let Err(limit) = taken {
        call.visit.note(|_| {
            format!(
                "Key throttle limit exceeded for RestApi {}, Stage {}, Resource {}, HttpMethod {}. {limit}",
                stage.0, stage.1, call.method.resource_id, call.verb
            )
        });
        return Err(GatewayFault::Throttled);
    }
    if !within {
        return Err(GatewayFault::QuotaExceeded);
    }
    call.visit.note(|_| format!("Usage Plan check succeeded for {}", shown()));
    Ok(())
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
