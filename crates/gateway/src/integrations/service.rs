//! `AWS` integrations with any service but Lambda: what the integration's ARN asks of the service.
//!
//! The call itself is signed and sent by [`crate::aws`].

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use stagedoor_vtl::Overrides;

use super::actions::{self, Protocol};
use crate::aws::ServiceCall;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::headers;
use crate::rest::call::Call;
use crate::rest::plan::Service;
use crate::steps::integration_request;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const API_ID: HeaderName = HeaderName::from_static("x-amzn-apigateway-api-id");
const SYNCHRONOUS_STATES: &str = "sync-states";

/// A service as an integration's ARN names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    /// `sqs`, or with a subdomain.
    pub(crate) service: String,
    /// Of `action/{name}`.
    pub(crate) action: Option<String>,
    /// The path on the service's endpoint, with its variables.
    pub(crate) path: String,
}

impl Place {
    /// Reads `arn:aws:apigateway:{region}:{service}:path/{path}` or `…:action/{action}`; `None` if it is neither.
    pub(crate) fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "apigateway", region, service, target] = parts.as_slice() else { return None };
        let place = |action: Option<&str>, path: String| Self {
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            action: action.map(str::to_owned),
            path,
        };
        if let Some(action) = target.strip_prefix("action/") {
            let (action, query) = action.split_once(['?', '&']).unwrap_or((action, ""));
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            return Some(place(Some(action), format!("/{query}")));
        }
        let path = target.strip_prefix("path/")?;
        // A bucket's own host name leads to the same place as its path.
        let bucket = service.strip_suffix(".s3").map(|bucket| format!("/{bucket}")).unwrap_or_default();
        Some(place(None, format!("{bucket}/{}", path.trim_start_matches('/'))))
    }

    /// The service by the name of the host that takes the call: synchronous executions of Step Functions have their own.
    fn host(&self) -> &str {
        match (self.service.as_str(), self.action.as_deref()) {
            ("states", Some("StartSyncExecution")) => SYNCHRONOUS_STATES,
            (service, _) => service,
        }
    }
}

/// The signed request, and what the template has overridden.
///
/// # Errors
/// As of [`integration_request::built`] and [`crate::aws::Services::request`].
pub(crate) async fn request(
    service: &Service,
    call: &Call<'_>,
    body: Body,
) -> Result<(Request<Body>, Overrides), GatewayFault> {
    let (made, overrides) = integration_request::made(&service.http, call, body).await?;
    let (head, body) = made.into_parts();
    let asked = asked(&service.place, call, head, body);
    Ok((call.shared.services.request(asked)?, overrides))
}

fn asked<'p>(place: &'p Place, call: &Call<'_>, head: http::request::Parts, body: Bytes) -> ServiceCall<'p> {
    let mut headers = head.headers;
    headers.remove(API_ID);
    let mut query = head.uri.query().unwrap_or_default().to_owned();
    if let Some(action) = &place.action {
        match actions::of(&place.service) {
            Some(Protocol::Json(prefix, version)) => {
                if !headers.contains_key(TARGET) {
                    headers::set(&mut headers, TARGET, &format!("{prefix}.{action}"));
                }
                let own = call.head.headers.get(header::CONTENT_TYPE);
                if own == headers.get(header::CONTENT_TYPE) || own.is_none() {
                    let json = format!("application/x-amz-json-{version}");
                    headers::set(&mut headers, header::CONTENT_TYPE, &json);
                }
            }
            Some(Protocol::Query(version)) => {
                add(&mut query, &format!("Action={action}&Version={version}"));
            }
            None => add(&mut query, &format!("Action={action}")),
        }
    }
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    ServiceCall {
        service: place.host(),
        region: &place.region,
        method: head.method,
        path: head.uri.path().to_owned(),
        query,
        headers,
        body,
    }
}

fn add(query: &mut String, more: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_services() {
        let check = |arn: &str, expected: &str| {
            let told = Place::of(arn).map(|place| {
                format!(
                    "{} {} {} {}",
                    place.region,
                    place.service,
                    place.action.unwrap_or_default(),
                    place.path
                )
            });
            assert_eq!(told.as_deref().unwrap_or("none"), expected, "{arn}");
        };
        check("arn:aws:apigateway:eu-west-1:sqs:path/1/queue", "eu-west-1 sqs  /1/queue");
        check("arn:aws:apigateway:eu-west-1:s3:path/{bucket}/{key}", "eu-west-1 s3  /{bucket}/{key}");
        check("arn:aws:apigateway:eu-west-1:pics.s3:path/{key}", "eu-west-1 pics.s3  /pics/{key}");
        check(
            "arn:aws:apigateway:eu-west-1:states:action/StartExecution",
            "eu-west-1 states StartExecution /",
        );
        check(
            "arn:aws:apigateway:eu-west-1:sns:action/Publish&TopicArn=x",
            "eu-west-1 sns Publish /?TopicArn=x",
        );
        check("arn:aws:apigateway:eu-west-1:sqs:other/x", "none");
        check("http://x", "none");
    }

    #[test]
    fn synchronous_executions_have_their_own_host() {
        let host = |action: &str| {
            let place = Place::of(&format!("arn:aws:apigateway:eu-west-1:states:action/{action}"));
            place.map(|place| place.host().to_owned())
        };
        assert_eq!(host("StartSyncExecution").as_deref(), Some("sync-states"));
        assert_eq!(host("StartExecution").as_deref(), Some("states"));
    }
}
