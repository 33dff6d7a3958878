//! What a Lambda authorizer returned: read once, kept, and asked of every request of the same caller. Pure.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>

use std::sync::Arc;

use serde_json::{Map, Value};
use stagedoor_auth::policy::Policy;

use super::caller::{Authority, Caller};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) principal_id: Option<Arc<str>>,
    pub(crate) context: Arc<Map<String, Value>>,
    pub(crate) usage_identifier_key: Option<Arc<str>>,
    /// Length of what was returned.
    pub(crate) bytes: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// A policy, which may allow some methods and deny others.
    Policy(Policy),
    /// `isAuthorized`, of HTTP APIs.
    Simple(bool),
}

impl Answer {
    /// A policy with a principal.
    ///
    /// # Errors
    /// Says for the log what is wrong with it.
    pub(crate) fn with_policy(payload: &[u8]) -> Result<Self, String> {
        let mut members = object(payload)?;
        let principal = members.get("principalId").and_then(Value::as_str);
        let principal_id: Arc<str> = principal.ok_or("its answer has no principalId that is a text")?.into();
        let document = members.get("policyDocument").ok_or("its answer has no policyDocument")?;
        let policy =
            Policy::of(document).map_err(|error| format!("its policyDocument is invalid: {error}"))?;
        let usage_identifier_key = match members.get("usageIdentifierKey") {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key.as_str().into()),
            Some(_) => return Err("its usageIdentifierKey is no text".to_owned()),
        };
        let context = flat(members.remove("context"))?;
        Ok(Self {
            verdict: Verdict::Policy(policy),
            principal_id: Some(principal_id),
            context,
            usage_identifier_key,
            bytes: payload.len(),
        })
    }

    /// `{"isAuthorized": true, "context": {…}}`
    ///
    /// # Errors
    /// As of [`Self::with_policy`].
    pub(crate) fn simple(payload: &[u8]) -> Result<Self, String> {
        let mut members = object(payload)?;
        let allowed = members.get("isAuthorized").and_then(Value::as_bool);
        let context = match members.remove("context") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(context)) => context,
            Some(_) => return Err("its context is not an object".to_owned()),
        };
        Ok(Self {
            verdict: Verdict::Simple(allowed.ok_or("its answer has no isAuthorized that is a boolean")?),
            principal_id: None,
            context: Arc::new(context),
            usage_identifier_key: None,
            bytes: payload.len(),
        })
    }

    pub(crate) fn caller(&self, latency_millis: u64) -> Caller {
        Caller {
            authority: Authority::Lambda {
                principal_id: self.principal_id.clone(),
                context: Arc::clone(&self.context),
                latency_millis,
            },
            usage_identifier_key: self.usage_identifier_key.clone(),
            ..Caller::default()
        }
    }
}

fn object(payload: &[u8]) -> Result<Map<String, Value>, String> {
    if payload.len() > ANSWER_BYTES_MAX {
        return Err("its answer is too long".to_owned());
    }
    serde_json::from_slice(payload).map_err(|_| "its answer is not a JSON object".to_owned())
}

/// Policies' context has no objects or lists, which a mapping could not write.
fn flat(context: Option<Value>) -> Result<Arc<Map<String, Value>>, String> {
    match context {
        None | Some(Value::Null) => Ok(Arc::default()),
        Some(Value::Object(context)) => {
            if context.values().any(|value| value.is_object() || value.is_array()) {
                return Err("its context has an object or a list".to_owned());
            }
            Ok(Arc::new(context))
        }
        Some(_) => Err("its context is not an object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_answers_count() {
        let policy = r#""policyDocument": {"Version": "2012-10-17", "Statement": []}"#;
        for (answer, expected) in [
            (format!(r#"{{"principalId": "me", {policy}}}"#), true),
            (
                format!(r#"{{"principalId": "me", {policy}, "context": {{"a": 1, "b": "c", "d": true}}}}"#),
                true,
            ),
            (format!(r#"{{"principalId": "me", {policy}, "usageIdentifierKey": "k"}}"#), true),
            (format!(r#"{{"principalId": "me", {policy}, "usageIdentifierKey": 7}}"#), false),
            (format!(r#"{{"principalId": "me", {policy}, "context": {{"a": {{}}}}}}"#), false),
            (format!(r#"{{"principalId": "me", {policy}, "context": "a"}}"#), false),
            (format!(r#"{{"principalId": 7, {policy}}}"#), false),
            (format!("{{{policy}}}"), false),
            (r#"{"principalId": "me"}"#.to_owned(), false),
            (
                r#"{"principalId": "me", "policyDocument": {"Statement": {"Effect": "Allow"}}}"#.to_owned(),
                false,
            ),
            ("null".to_owned(), false),
            ("\"Allow\"".to_owned(), false),
            ("{".to_owned(), false),
        ] {
            assert_eq!(Answer::with_policy(answer.as_bytes()).is_ok(), expected, "{answer}");
        }
    }

    #[test]
    fn simple_answers_are_yes_or_no() {
        for (answer, expected) in [
            (r#"{"isAuthorized": true}"#, Some(true)),
            (r#"{"isAuthorized": false, "context": {"a": [1, {"b": 2}]}}"#, Some(false)),
            (r#"{"isAuthorized": "true"}"#, None),
            (r#"{"isAuthorized": true, "context": 7}"#, None),
            ("{}", None),
        ] {
            let read = Answer::simple(answer.as_bytes()).ok();
            let found = read.map(|answer| matches!(answer.verdict, Verdict::Simple(true)));
            assert_eq!(found, expected, "{answer}");
        }
    }
}
