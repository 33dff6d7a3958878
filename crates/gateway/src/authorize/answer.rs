//! What a Lambda authorizer returned: read once, kept, and asked of every request of the same caller. Pure.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>

use std::sync::Arc;

use serde_json::{Map, Value};
use stagedoor_auth::policy::Policy;

use super::caller::{Authority, Caller};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Longest `Resource` of a policy for a REST API, in characters: AWS's quota.
const RESOURCE_CHARS_MAX: usize = 512;

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

    /// The same of a REST API, where ARNs have a limit of their own.
    ///
    /// # Errors
    /// As of [`Self::with_policy`].
    pub(crate) fn of_rest(payload: &[u8]) -> Result<Self, String> {
        let members = object(payload)?;
        let statements = each(members.get("policyDocument").and_then(|policy| policy.get("Statement")));
        let resources = statements.iter().flat_map(|statement| each(statement.get("Resource")));
        let length = |resource: &Value| resource.as_str().map_or(0, |text| text.chars().count());
        if resources.map(length).any(|chars| chars > RESOURCE_CHARS_MAX) {
            return Err(format!("a Resource of its policy has more than {RESOURCE_CHARS_MAX} characters"));
        }
        Self::with_policy(payload)
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

/// The values of a list, or one that stands alone.
fn each(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(one) => std::slice::from_ref(one),
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
    fn resources_of_rest_apis_have_a_limit() {
        let answer = |chars: usize, list: bool| {
            let resource = "ä".repeat(chars);
            let resource = if list { serde_json::json!(["*", resource]) } else { resource.into() };
            let statement = serde_json::json!({"Effect": "Allow", "Action": "*", "Resource": resource});
            let policy = serde_json::json!({"Version": "2012-10-17", "Statement": statement});
            serde_json::json!({"principalId": "me", "policyDocument": policy}).to_string()
        };
        for (chars, list, expected) in
            [(512, false, true), (513, false, false), (512, true, true), (513, true, false)]
        {
            let read = Answer::of_rest(answer(chars, list).as_bytes());
            assert_eq!(read.is_ok(), expected, "{chars} {list} {read:?}");
        }
        assert!(Answer::with_policy(answer(513, false).as_bytes()).is_ok(), "HTTP APIs have none");
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
