//! Resource policies of APIs: what is accepted, what is stored, and how answers print it.

use serde_json::Value;
use stagedoor_state::{Cx, Result};

use crate::messages;

/// Short for "this API" in a policy's resources; AWS writes it out.
const THIS_API: &str = "execute-api:";

/// A policy as it is stored: compact JSON in which `execute-api:/…` has become this API's ARN. `None` if it is empty.
pub fn stored(cx: &Cx<'_>, api: &str, policy: Option<&str>) -> Result<Option<String>> {
    let Some(policy) = policy.filter(|policy| !policy.is_empty()) else { return Ok(None) };
    let longest = cx.environment.rest_quotas.policy_length;
    if policy.chars().count() > longest {
        return Err(messages::policy_too_long(longest));
    }
    let arn = format!("arn:aws:execute-api:{}:{}:{api}", cx.region(), cx.account());
    checked(policy, |statement| write_out_all(statement, &arn)).map(Some)
}

/// A policy as compact JSON, if it is well formed.
pub fn compact(policy: &str) -> Result<String> {
    checked(policy, |_| {})
}

/// A policy as compact JSON, after `change` to each of its statements.
fn checked(policy: &str, change: impl Fn(&mut Value)) -> Result<String> {
    let mut document: Value = serde_json::from_str(policy).map_err(|_| messages::bad_policy())?;
    let statements = match document.get_mut("Statement").ok_or_else(messages::bad_policy)? {
        Value::Array(statements) => statements.as_mut_slice(),
        statement => std::slice::from_mut(statement),
    };
    for statement in statements {
        check(statement)?;
        change(statement);
    }
    Ok(document.to_string())
}

/// A policy as answers print it: its quotes escaped once more, so that clients unescape it twice.
pub fn answered(policy: &str) -> String {
    let quoted = Value::from(policy).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn check(statement: &Value) -> Result<()> {
    let says = |member: &str| statement.get(member).is_some();
    let effect = statement.get("Effect").and_then(Value::as_str);
    let well_formed = matches!(effect, Some("Allow" | "Deny"))
        && (says("Principal") || says("NotPrincipal"))
        && (says("Action") || says("NotAction"));
    if well_formed { Ok(()) } else { Err(messages::bad_policy()) }
}

fn write_out_all(statement: &mut Value, arn: &str) {
    for member in ["Resource", "NotResource"] {
        match statement.get_mut(member) {
            Some(Value::Array(resources)) => {
                resources.iter_mut().for_each(|resource| write_out(resource, arn))
            }
            Some(resource) => write_out(resource, arn),
            None => {}
        }
    }
}

fn write_out(resource: &mut Value, arn: &str) {
    if let Some(rest) = resource.as_str().and_then(|resource| resource.strip_prefix(THIS_API)) {
        *resource = Value::from(format!("{arn}{rest}"));
    }
}
