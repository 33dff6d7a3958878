//! What a mapping template sees of a request at its method, and its rendering.
//!
//! Nothing is gathered that the template cannot ask for: most ask for a parameter or two, many for no context at all.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use http::{HeaderName, header};
use serde_json::{Map, Value};
use stagedoor_vtl::{Limits, Overrides, Params, Rendered, Scope};

use super::call::Call;
use super::rendering::Unrendered;
use crate::fault::GatewayFault;
use crate::forwarded::Way;
use crate::template::{Named, Velocity};
use crate::{headers, uri};

/// Which way a message goes, as execution logs name what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transformed {
    Request,
    Response,
}

/// Members of `$context` in the order in which a template that goes through it finds them (recorded).
const CONTEXT: [&str; 18] = [
    "resourceId",
    "resourcePath",
    "httpMethod",
    "extendedRequestId",
    "requestTime",
    "path",
    "accountId",
    "protocol",
    "requestOverride",
    "stage",
    "domainPrefix",
    "requestTimeEpoch",
    "requestId",
    "identity",
    "domainName",
    "deploymentId",
    "responseOverride",
    "apiId",
];

/// Members of `$context.identity` in their order (recorded); null where they are not known.
const IDENTITY: [&str; 12] = [
    "identity.cognitoIdentityPoolId",
    "identity.accountId",
    "identity.cognitoIdentityId",
    "identity.caller",
    "identity.sourceIp",
    "identity.principalOrgId",
    "identity.accessKey",
    "identity.cognitoAuthenticationType",
    "identity.cognitoAuthenticationProvider",
    "identity.userArn",
    "identity.userAgent",
    "identity.user",
];

/// Members that are there only if they have a value.
const SOMETIMES: [&str; 6] = [
    "isCanaryRequest",
    "operationName",
    "awsEndpointRequestId",
    "awsEndpointRequestId2",
    "wafResponseCode",
    "webaclArn",
];

/// As [`SOMETIMES`], of `$context.identity`.
const IDENTITY_SOMETIMES: [&str; 2] = ["identity.apiKey", "identity.apiKeyId"];

/// Renders a template over a body. `overrides` is what an earlier template of the same request has set.
///
/// # Errors
/// A configuration error, also when the template takes more than it may.
pub(crate) async fn render(
    velocity: &Arc<Velocity>,
    call: &Call<'_>,
    body: &str,
    overrides: &Overrides,
    what: Transformed,
) -> Result<Rendered, GatewayFault> {
    let context = (!velocity.context.is_none()).then(|| context(velocity, call, overrides));
    let parameters = velocity.reads_params.then(|| Parameters::of(call));
    let (query, header) = parameters.as_ref().map(Parameters::pairs).unwrap_or_default();
    let variables: Vec<(&str, &str)> =
        call.stage.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let scope = Scope {
        body,
        params: Params { path: &call.variables, querystring: &query, header: &header },
        context: context.as_ref(),
        stage_variables: &variables,
    };
    let limits = Limits { output_bytes_max: call.shared.config.payload_bytes_max, ..Limits::default() };
    let rendered = call.shared.renderings.render(velocity, &scope, limits).await;
    let rendered = rendered.map_err(|error| failed(what, &error))?;
    // A template that cannot name the context leaves it as it was.
    Ok(match context {
        Some(_) => rendered,
        None => Rendered { overrides: overrides.clone(), ..rendered },
    })
}

fn failed(what: Transformed, error: &Unrendered) -> GatewayFault {
    let message = match what {
        Transformed::Request => "request",
        Transformed::Response => "response",
    };
    GatewayFault::Configuration(format!("Unable to transform {message}: {error}").into())
}

/// `$context`, as far as the template can get hold of it. What it sets, the overrides, is always there.
fn context(velocity: &Velocity, call: &Call<'_>, overrides: &Overrides) -> Map<String, Value> {
    let mut context = Map::with_capacity(CONTEXT.len() + 2);
    for name in CONTEXT {
        let value = match name {
            "requestOverride" => Value::Object(overrides.request.clone()),
            "responseOverride" => Value::Object(overrides.response.clone()),
            _ if !velocity.context.has(name) => continue,
            "identity" => Value::Object(identity(&velocity.identity, call)),
            "requestTimeEpoch" => u64::try_from(call.visit.time.as_millis()).unwrap_or(u64::MAX).into(),
            _ => call.context(name).map_or(Value::Null, Value::String),
        };
        context.insert(name.to_owned(), value);
    }
    if velocity.context.has("authorizer")
        && let Some(authorizer) = call.caller.rest_authorizer()
    {
        context.insert("authorizer".to_owned(), authorizer);
    }
    add_known(&mut context, call, &SOMETIMES, &velocity.context);
    context
}

fn identity(named: &Named, call: &Call<'_>) -> Map<String, Value> {
    let mut identity = Map::with_capacity(IDENTITY.len());
    for name in IDENTITY {
        if named.has(member(name)) {
            let known = call.context(name).filter(|text| !text.is_empty());
            identity.insert(member(name).to_owned(), known.map_or(Value::Null, Value::String));
        }
    }
    add_known(&mut identity, call, &IDENTITY_SOMETIMES, named);
    if named.has("clientCert")
        && let Some(cert) = &call.visit.client_cert
    {
        identity.insert("clientCert".to_owned(), cert.told());
    }
    identity
}

fn add_known(members: &mut Map<String, Value>, call: &Call<'_>, names: &[&str], named: &Named) {
    for name in names {
        if named.has(member(name))
            && let Some(value) = call.context(name)
        {
            members.insert(member(name).to_owned(), value.into());
        }
    }
}

/// The last part of a variable's name.
fn member(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Query and headers behind `$input.params()`; of several values the last.
struct Parameters<'a> {
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    headers: Vec<(String, Cow<'a, str>)>,
}

/// Names and values.
type Borrowed<'a> = Vec<(&'a str, &'a str)>;

impl<'a> Parameters<'a> {
    fn of(call: &'a Call<'_>) -> Self {
        let (headers, spelling) = (&call.head.headers, call.visit.spelling());
        let last = |name| headers.get_all(name).iter().next_back().map(|value| value.as_bytes());
        let way = Way::of(call.visit, &call.shared.config);
        let is_told = |name: &&HeaderName| way.is_none() || !is_of_connection(name);
        let own = headers.keys().filter(is_told).map(|name| {
            let value = String::from_utf8_lossy(last(name).unwrap_or_default());
            (spelling.of(name), value)
        });
        let mut told: Vec<_> = own.collect();
        for name in Way::ADDED {
            let Some(value) = way.and_then(|way| way.header(&name, headers)) else { continue };
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            told.retain(|(known, _)| !name.as_str().eq_ignore_ascii_case(known));
            told.push((spelling.of(&name), value.into()));
        }
        Self { query: last_of_each(call.query()), headers: told }
    }

    fn pairs(&self) -> (Borrowed<'_>, Borrowed<'_>) {
        let query = self.query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), &**value)).collect();
        (query, headers)
    }
}

/// What a client tells of its connection and of the length of what it sends, no template hears.
fn is_of_connection(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH || headers::is_hop_by_hop(name)
}

/// The query's names in the order in which they first appeared, each with its last value.
fn last_of_each(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut seen = HashSet::new();
    let mut last: Vec<_> = uri::query_pairs(query).collect();
    last.reverse();
    last.retain(|(name, _)| seen.insert(name.clone()));
    last.reverse();
    last
}
