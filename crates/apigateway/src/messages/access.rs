//! AWS's words about what belongs to an account and to no API: keys, plans, certificates, links.

use stagedoor_state::Fault;

use super::{bad_request, conflict, not_found};

// === API keys ===

pub fn no_api_key() -> Fault {
    not_found("Invalid API Key identifier specified")
}

pub fn api_key_exists() -> Fault {
    conflict("API Key already exists")
}

pub fn api_key_name_too_long() -> Fault {
    bad_request("Invalid API Key name, can be at most 1024 characters.")
}

pub fn api_key_value_too_short() -> Fault {
    bad_request("API Key value should be at least 20 characters")
}

pub fn api_key_value_too_long() -> Fault {
    bad_request("API Key value exceeds maximum size of 128 characters")
}

pub fn bad_api_key_description() -> Fault {
    bad_request("Invalid API Key description specified.")
}

/// No record of AWS's words for this exists.
pub fn bad_key_file(reason: &str) -> Fault {
    bad_request(format!("Invalid API key file: {reason}"))
}

// === Usage plans ===

pub fn no_usage_plan() -> Fault {
    not_found("Invalid Usage Plan ID specified")
}

pub fn bad_api_stage() -> Fault {
    bad_request("Invalid API Stage specified")
}

/// Where a part is blank AWS prints its own format.
pub fn no_api_stage(api: &str, stage: &str, plan: &str) -> Fault {
    let (api, stage, plan) =
        if api.is_empty() || stage.is_empty() { ("%s", "%s", "%s") } else { (api, stage, plan) };
    not_found(format!("Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan}"))
}

pub fn usage_plan_in_use(plan: &str) -> Fault {
    bad_request(format!(
        "Cannot delete Usage Plan {plan} because there are API Stages associated with it. Please remove all API \
         Stages associated with the plan and try again."
    ))
}

/// No record of AWS's words for this exists.
pub fn usage_plan_name_empty() -> Fault {
    bad_request("Usage Plan name must be non-empty")
}

/// No record of AWS's words for this exists.
pub fn bad_quota() -> Fault {
    bad_request("Invalid Usage Plan quota specified: limit must not be negative, period must be given")
}

/// As client libraries word the rule before they call; `rule` is its second half.
pub fn bad_quota_offset(rule: &str) -> Fault {
    bad_request(format!("Usage Plan quota offset must be {rule}"))
}

/// No record of AWS's words for this exists.
pub fn bad_throttle() -> Fault {
    bad_request("Invalid Usage Plan throttle specified: burstLimit and rateLimit must not be negative")
}

/// No record of AWS's words for this exists.
pub fn no_method_throttle() -> Fault {
    not_found("Invalid method throttle specified")
}

// === Keys of usage plans ===

/// No record of AWS's words for this exists.
pub fn bad_key_type() -> Fault {
    bad_request("Invalid key type specified. Valid options are API_KEY")
}

/// No record of AWS's words for this exists.
pub fn no_plan_key() -> Fault {
    not_found("Invalid Usage Plan Key identifier specified")
}

/// No record of AWS's words for this exists.
pub fn plan_key_exists() -> Fault {
    conflict("API Key is already associated with this Usage Plan")
}

/// That a key cannot reach a stage by two plans is known, AWS's words for it are not.
pub fn key_reaches_stage(api: &str, stage: &str, plan: &str) -> Fault {
    conflict(format!(
        "API Key is already associated with API Stage {{api: {api}, stage: {stage}}} by Usage Plan {plan}"
    ))
}

// === Usage ===

/// No record of AWS's words for this exists.
pub fn bad_usage_dates() -> Fault {
    bad_request("Invalid usage dates specified: need yyyy-MM-dd, from start to end at most 90 days")
}

/// No record of AWS's words for this exists.
pub fn no_quota() -> Fault {
    bad_request("Usage Plan does not have a quota")
}

// === Account ===

pub fn bad_log_role() -> Fault {
    bad_request(
        "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway \
         and add the required role policy.",
    )
}

/// No record of AWS's words for this exists.
pub fn usage_plans_stay() -> Fault {
    bad_request("The feature UsagePlans cannot be removed")
}

/// Reported by many users (for example github.com/VirtusLab/besom/issues/347).
pub fn log_role_needed() -> Fault {
    bad_request("CloudWatch Logs role ARN must be set in account settings to enable logging")
}

// === Client certificates ===

/// A stage names a certificate that is not there. No record of AWS's words for this exists.
pub fn stage_certificate_unknown() -> Fault {
    bad_request("Invalid Client Certificate identifier specified")
}

/// No record of AWS's words for this exists; they follow those for VPC links.
pub fn no_client_certificate() -> Fault {
    not_found("Invalid Client Certificate identifier specified")
}

/// No record of AWS's words for this exists; they follow those for VPC links.
pub fn client_certificate_in_use(id: &str, api: &str, stage: &str) -> Fault {
    bad_request(format!("Cannot delete client certificate '{id}', is referenced in stage: {api}/{stage}"))
}

// === VPC links ===

pub fn no_vpc_link() -> Fault {
    not_found("Invalid Vpc Link identifier specified")
}

/// An integration names a link that is not there: the words are those of [`no_vpc_link`], that it is a 400 as for other
/// things that methods name is not recorded.
pub fn integration_link_unknown() -> Fault {
    bad_request("Invalid Vpc Link identifier specified")
}

pub fn vpc_link_name_empty() -> Fault {
    bad_request("Name cannot be empty")
}

pub fn malformed_arn(arn: &str) -> Fault {
    bad_request(format!("Invalid ARN. ARN is not well formed {arn}"))
}

/// As reported by users; a record of it does not exist.
pub fn vpc_link_in_use(id: &str, verb: &str, resource: &str, api: &str) -> Fault {
    bad_request(format!(
        "Cannot delete vpc link. Vpc link '{id}', is referenced in [{verb}:{resource}:{api}] in format of \
         [Method:Resource:RestApi]."
    ))
}

// === SDK types ===

/// No record of AWS's words for this exists.
pub fn no_sdk_type() -> Fault {
    not_found("Invalid SDK type identifier specified")
}
