//! What is stored of REST APIs (API Gateway v1).
//!
//! Documents are AWS's own shapes where those say everything: what `GetStage` answers is what is stored.

use serde::{Deserialize, Serialize};
use stagedoor_api::apigateway as api;

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

/// What a deployment deployed: the API as it was at that moment. Ids: `[api, deployment]`.
///
/// Never changed after it was written, so whoever has read it once may keep it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub api: api::RestApi,
    pub resources: Vec<api::Resource>,
}

impl Kind for Snapshot {
    const KIND: &'static str = "rest-snapshot";
}
