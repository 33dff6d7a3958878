//! What is stored of HTTP and WebSocket APIs (API Gateway v2).
//!
//! Documents are AWS's own shapes where those say everything: what `GetStage` answers is what is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::apigatewayv2 as api;

use crate::document::Kind;

/// Ids: `[api]`.
impl Kind for api::Api {
    const KIND: &'static str = "http-api";
}

/// Ids: `[api, integration]`.
impl Kind for api::Integration {
    const KIND: &'static str = "http-integration";
}

/// Ids: `[api, route]`.
impl Kind for api::Route {
    const KIND: &'static str = "http-route";
}

/// Ids: `[api, integration, integration response]`.
impl Kind for api::IntegrationResponse {
    const KIND: &'static str = "http-integration-response";
}

/// Ids: `[api, route, route response]`.
impl Kind for api::RouteResponse {
    const KIND: &'static str = "http-route-response";
}

/// Ids: `[api, authorizer]`.
impl Kind for api::Authorizer {
    const KIND: &'static str = "http-authorizer";
}

/// Ids: `[api, model]`.
impl Kind for api::Model {
    const KIND: &'static str = "http-model";
}

/// Ids: `[api, deployment]`. What was deployed stands in [`Snapshot`].
impl Kind for api::Deployment {
    const KIND: &'static str = "http-deployment";
}

/// Ids: `[api, stage]`.
impl Kind for api::Stage {
    const KIND: &'static str = "http-stage";
}

/// Ids: `[link]`. Its status is not stored: it follows from its age.
impl Kind for api::VpcLink {
    const KIND: &'static str = "http-vpc-link";
}

/// How often the answers of a stage's authorizers were to be forgotten. Ids: `[api, stage]`; absent means never.
///
/// Whoever caches such answers follows this document and drops those of the stage when it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizerCacheEpoch {
    pub resets: u64,
}

impl Kind for AuthorizerCacheEpoch {
    const KIND: &'static str = "http-authorizer-cache-epoch";
}

/// Headers that no parameter mapping of an HTTP API may touch.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>
const RESERVED_HEADERS: [&str; 18] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
];
/// What reserved headers may begin with.
const RESERVED_PREFIXES: [&str; 4] = ["access-control-", "apigw-", "x-amz-", "x-amzn-"];

/// Whether no parameter mapping of an HTTP API may touch the header of this name, which is in lower case.
pub fn is_reserved_header(name: &str) -> bool {
    RESERVED_HEADERS.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// What a deployment deployed: the API as it was at that moment. Ids: `[api, deployment]`.
///
/// Never changed after it was written, so whoever has read it once may keep it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub api: api::Api,
    pub integrations: Vec<api::Integration>,
    pub routes: Vec<api::Route>,
    /// By the id of their integration.
    #[serde(default)]
    pub integration_responses: BTreeMap<String, Vec<api::IntegrationResponse>>,
    /// By the id of their route.
    #[serde(default)]
    pub route_responses: BTreeMap<String, Vec<api::RouteResponse>>,
    #[serde(default)]
    pub authorizers: Vec<api::Authorizer>,
    #[serde(default)]
    pub models: Vec<api::Model>,
}

impl Kind for Snapshot {
    const KIND: &'static str = "http-snapshot";
}
