//! What is stored of API Gateway's developer portals and of the products that they show.
//!
//! Documents are AWS's own shapes where those say everything: what `GetPortal` answers is what is stored.

use serde::{Deserialize, Serialize};
use stagedoor_api::apigatewayv2 as api;

use crate::document::Kind;

/// Ids: `[portal]`.
impl Kind for api::GetPortalResponse {
    const KIND: &'static str = "portal";
}

/// Ids: `[product]`.
impl Kind for api::GetPortalProductResponse {
    const KIND: &'static str = "portal-product";
}

/// Ids: `[product, page]`.
impl Kind for api::GetProductPageResponse {
    const KIND: &'static str = "portal-product-page";
}

/// A page about one method of a REST API. Ids: `[product, page]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointPage {
    pub page: api::GetProductRestEndpointPageResponse,
    /// What the client wants shown in place of what the API itself says.
    #[serde(default)]
    pub overrides: api::DisplayContentOverrides,
}

impl Kind for EndpointPage {
    const KIND: &'static str = "portal-product-rest-endpoint-page";
}

/// Which other accounts may show a product in their portals. Ids: `[product]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingPolicy {
    /// A policy in IAM's language, as the client gave it.
    pub document: String,
}

impl Kind for SharingPolicy {
    const KIND: &'static str = "portal-product-sharing-policy";
}
