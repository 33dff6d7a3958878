//! What authorization found out about who asks: the source of `$context.identity.*`, `$context.authorizer.*` and
//! `requestContext.authorizer`. Only data; the other files of this folder fill it in.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// Who asks. The default is somebody whom nobody has asked for a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) authority: Authority,
    /// The API key that a Lambda authorizer names, for APIs whose `apiKeySource` is `AUTHORIZER`.
    pub(crate) usage_identifier_key: Option<Arc<str>>,
}

/// `$context.identity`, but for what every request has (its address and user agent).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) access_key: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) caller: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) user_arn: Option<String>,
    /// The value of the API key that the request was admitted with.
    pub(crate) api_key: Option<String>,
    pub(crate) api_key_id: Option<String>,
}

/// Who vouches for the caller, and what they said.
#[derive(Clone, Debug, Default)]
pub(crate) enum Authority {
    #[default]
    Nobody,
    /// A Lambda authorizer.
    Lambda {
        /// Absent for simple responses of HTTP APIs.
        principal_id: Option<Arc<str>>,
        context: Arc<Map<String, Value>>,
        /// How long the authorizer took, in milliseconds; 0 if its answer was cached.
        latency_millis: u64,
    },
    /// A user pool or an issuer of JSON web tokens.
    Token(Arc<Claims>),
    /// A signature of AWS's.
    Iam,
}

/// A verified token, as integrations see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// As text: `true`, `[a b]`.
    pub(crate) claims: Map<String, Value>,
    /// All that the token has, for routes that ask for scopes.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) principal_id: Option<String>,
}

impl Identity {
    /// A member by AWS's name; `None` if it has no value.
    fn member(&self, name: &str) -> Option<&str> {
        match name {
            "accessKey" => self.access_key.as_deref(),
            "accountId" => self.account_id.as_deref(),
            "caller" => self.caller.as_deref(),
            "user" => self.user.as_deref(),
            "userArn" => self.user_arn.as_deref(),
            "apiKey" => self.api_key.as_deref(),
            "apiKeyId" => self.api_key_id.as_deref(),
            _ => None,
        }
    }
}

impl Caller {
    /// A variable of `$context` that begins with `identity.` or `authorizer.`; `None` if it has no value.
    pub(crate) fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        match name.split_once('.')? {
            ("identity", member) => self.identity.member(member).map(Cow::Borrowed),
            ("authorizer", member) => self.authority.member(member),
            _ => None,
        }
    }

    /// `requestContext.authorizer` of a REST API's event, and all of `$context.authorizer`; `None` without authorizer.
    pub(crate) fn rest_authorizer(&self) -> Option<Value> {
        match &self.authority {
            Authority::Nobody | Authority::Iam => None,
            Authority::Lambda { principal_id, context, latency_millis } => {
                let mut told: Map<String, Value> =
                    context.iter().map(|(name, value)| (name.clone(), text(value).into())).collect();
                if let Some(principal_id) = principal_id {
                    told.insert("principalId".to_owned(), (&**principal_id).into());
                }
                told.insert("integrationLatency".to_owned(), (*latency_millis).into());
                Some(Value::Object(told))
            }
            Authority::Token(token) => Some(json!({"claims": token.claims})),
        }
    }

    /// `requestContext.authorizer` of an HTTP API's event of format 1.0.
    pub(crate) fn http_v1_authorizer(&self) -> Value {
        match &self.authority {
            Authority::Nobody | Authority::Iam => json!({"claims": null, "scopes": null}),
            Authority::Token(token) => json!({"claims": token.claims, "scopes": token.scopes}),
            Authority::Lambda { principal_id, context, latency_millis } => {
                let mut told = Map::clone(context);
                if let Some(principal_id) = principal_id {
                    told.insert("principalId".to_owned(), (&**principal_id).into());
                }
                told.insert("integrationLatency".to_owned(), (*latency_millis).into());
                Value::Object(told)
            }
        }
    }

    /// The same of format 2.0, which has no such member without authorizer: null.
    pub(crate) fn http_v2_authorizer(&self) -> Value {
        match &self.authority {
            Authority::Nobody => Value::Null,
            Authority::Token(token) => {
                json!({"jwt": {"claims": token.claims, "scopes": token.scopes}})
            }
            Authority::Lambda { context, .. } => {
                json!({"lambda": if context.is_empty() { Value::Null } else { Value::Object(Map::clone(context)) }})
            }
            Authority::Iam => json!({"iam": {
                "accessKey": self.identity.access_key,
                "accountId": self.identity.account_id,
                "callerId": self.identity.caller,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": self.identity.user_arn,
                "userId": self.identity.user,
            }}),
        }
    }
}

impl Authority {
    /// A member of `$context.authorizer`.
    fn member(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Nobody | Self::Iam => None,
            Self::Lambda { principal_id, context, latency_millis } => match name {
                "principalId" if principal_id.is_some() => principal_id.as_deref().map(Cow::Borrowed),
                "integrationLatency" => Some(latency_millis.to_string().into()),
                _ => context.get(name).filter(|value| !value.is_null()).map(|value| text(value).into()),
            },
            Self::Token(token) => match name.strip_prefix("claims.") {
                Some(claim) => token.claims.get(claim).map(|value| text(value).into()),
                None if name == "principalId" => token.principal_id.as_deref().map(Cow::Borrowed),
                None => None,
            },
        }
    }
}

/// A value as `$context` and the events of REST APIs have it: always text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lambda() -> Caller {
        let context = json!({"text": "a", "number": 1, "flag": true, "none": null});
        let Value::Object(context) = context else { unreachable!("an object was written") };
        Caller {
            authority: Authority::Lambda {
                principal_id: Some("me".into()),
                context: Arc::new(context),
                latency_millis: 7,
            },
            ..Caller::default()
        }
    }

    #[test]
    fn lambda_authorizers_are_told_as_text() {
        let caller = lambda();
        for (name, expected) in [
            ("authorizer.text", Some("a")),
            ("authorizer.number", Some("1")),
            ("authorizer.flag", Some("true")),
            ("authorizer.none", None),
            ("authorizer.principalId", Some("me")),
            ("authorizer.integrationLatency", Some("7")),
            ("authorizer.other", None),
            ("identity.user", None),
        ] {
            assert_eq!(caller.context(name).as_deref(), expected, "{name}");
        }
        let told = caller.rest_authorizer().expect("an authorizer");
        assert_eq!(told["number"], "1");
        assert_eq!(told["integrationLatency"], 7);
        assert_eq!(caller.http_v2_authorizer()["lambda"]["number"], 1);
    }

    #[test]
    fn tokens_are_told_as_claims() {
        let mut claims = Claims { scopes: Some(vec!["a".into()]), ..Claims::default() };
        claims.claims.insert("cognito:groups".into(), "[a b]".into());
        let caller = Caller { authority: Authority::Token(Arc::new(claims)), ..Caller::default() };
        assert_eq!(caller.context("authorizer.claims.cognito:groups").as_deref(), Some("[a b]"));
        let told = caller.http_v2_authorizer();
        assert_eq!(told.to_string(), r#"{"jwt":{"claims":{"cognito:groups":"[a b]"},"scopes":["a"]}}"#);
    }

    #[test]
    fn nobody_is_nothing() {
        let caller = Caller::default();
        assert_eq!(caller.rest_authorizer(), None);
        assert_eq!(caller.http_v2_authorizer(), Value::Null);
        assert_eq!(caller.http_v1_authorizer().to_string(), r#"{"claims":null,"scopes":null}"#);
    }
}
