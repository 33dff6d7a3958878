//! What a definition describes, before anything of it has an id.

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway::{
    Authorizer, DocumentationPartLocation, GatewayResponse, Integration, IntegrationResponse, Method,
    MethodResponse, RequestValidator, RestApi,
};

use super::notes::Notes;

/// A definition, read.
#[derive(Debug, Default)]
pub struct Definition {
    /// Only what the definition says.
    pub api: RestApi,
    /// Schemas by their models' names; references are still the definition's own.
    pub models: BTreeMap<String, Value>,
    /// Without ids; each name once.
    pub authorizers: Vec<Authorizer>,
    /// Without ids; each name once.
    pub validators: Vec<RequestValidator>,
    pub gateway_responses: Vec<GatewayResponse>,
    /// Locations and properties.
    pub documentation: Vec<(DocumentationPartLocation, String)>,
    /// Methods by path and verb. A path may have none.
    pub paths: BTreeMap<String, BTreeMap<String, Planned>>,
    pub notes: Notes,
}

/// A method before what it refers to has ids.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    pub method: Method,
    /// The name of its authorizer.
    pub authorizer: Option<String>,
    /// The name of its request validator.
    pub validator: Option<String>,
    pub responses: Vec<MethodResponse>,
    pub integration: Option<Integration>,
    pub integration_responses: Vec<IntegrationResponse>,
}
