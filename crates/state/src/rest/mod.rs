//! What is stored of REST APIs (API Gateway v1).
//!
//! Documents are AWS's own shapes where those say everything: what `GetStage` answers is what is stored. What keys
//! used of their plans stands in [`usage`], how much there may be in [`quotas`].

pub mod quotas;
pub mod usage;

use serde::{Deserialize, Serialize};
use stagedoor_api::apigateway as api;
use stagedoor_model::Timestamp;

use crate::document::Kind;

/// Ids: `[api]`.
impl Kind for api::RestApi {
    const KIND: &'static str = "rest-api";
}

/// Ids: `[api, resource]`. Holds its methods, they hold their integration and responses.
impl Kind for api::Resource {
    const KIND: &'static str = "rest-resource";
}

/// Ids: `[api, deployment]`. What was deployed stands in [`Snapshot`].
impl Kind for api::Deployment {
    const KIND: &'static str = "rest-deployment";
}

/// Ids: `[api, stage]`.
impl Kind for api::Stage {
    const KIND: &'static str = "rest-stage";
}

/// Ids: `[api, name]`.
impl Kind for api::Model {
    const KIND: &'static str = "rest-model";
}

/// Ids: `[api, authorizer]`.
impl Kind for api::Authorizer {
    const KIND: &'static str = "rest-authorizer";
}

/// Ids: `[api, validator]`.
impl Kind for api::RequestValidator {
    const KIND: &'static str = "rest-request-validator";
}

/// Ids: `[api, type]`. Only those that were customised.
impl Kind for api::GatewayResponse {
    const KIND: &'static str = "rest-gateway-response";
}

/// Ids: `[api, part]`.
impl Kind for api::DocumentationPart {
    const KIND: &'static str = "rest-documentation-part";
}

/// Ids: `[key]`. With its value.
impl Kind for api::ApiKey {
    const KIND: &'static str = "rest-api-key";
}

/// Ids: `[plan]`.
impl Kind for api::UsagePlan {
    const KIND: &'static str = "rest-usage-plan";
}

/// No ids: one of each account and region.
impl Kind for api::Account {
    const KIND: &'static str = "rest-account";
}

/// Ids: `[link]`.
impl Kind for api::VpcLink {
    const KIND: &'static str = "rest-vpc-link";
}

/// A version of an API's documentation and the parts as they were at that moment. Ids: `[api, version]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentationVersion {
    pub version: api::DocumentationVersion,
    pub parts: Vec<api::DocumentationPart>,
}

impl Kind for DocumentationVersion {
    const KIND: &'static str = "rest-documentation-version";
}

/// That a key belongs to a plan. Ids: `[plan, key]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanKey {
    /// When the key was added, in microseconds since 1970.
    pub added_micros: i64,
}

impl PlanKey {
    /// The day on which the key was added.
    pub fn since(self) -> usage::Day {
        usage::Day::of(Timestamp::from_micros(self.added_micros))
    }
}

impl Kind for PlanKey {
    const KIND: &'static str = "rest-plan-key";
}

/// The key with an API key's value, so that a request's key is found by one read. Ids: `[value]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyValue {
    /// Id of the [`api::ApiKey`].
    pub key: String,
}

impl Kind for KeyValue {
    const KIND: &'static str = "rest-api-key-value";
}

/// A certificate that shows integrations who calls, and its private key. Ids: `[certificate]`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientCertificate {
    pub certificate: api::ClientCertificate,
    /// PKCS #8. Never answered by the control plane.
    pub private_key_pem: String,
}

impl Kind for ClientCertificate {
    const KIND: &'static str = "rest-client-certificate";
}

/// How often the caches of a stage were flushed. Ids: `[api, stage]`; none until the first time.
///
/// A data plane keeps the numbers with what it caches and drops what has older ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEpoch {
    pub responses: u64,
    pub authorizers: u64,
}

impl Kind for CacheEpoch {
    const KIND: &'static str = "rest-cache-epoch";
}

/// What a deployment deployed: the API as it was at that moment. Ids: `[api, deployment]`.
///
/// Never changed after it was written, so whoever has read it once may keep it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub api: api::RestApi,
    pub resources: Vec<api::Resource>,
    #[serde(default)]
    pub models: Vec<api::Model>,
    #[serde(default)]
    pub request_validators: Vec<api::RequestValidator>,
    #[serde(default)]
    pub authorizers: Vec<api::Authorizer>,
    /// Those that were customised.
    #[serde(default)]
    pub gateway_responses: Vec<api::GatewayResponse>,
}

impl Kind for Snapshot {
    const KIND: &'static str = "rest-snapshot";
}
