//! The control plane of HTTP and WebSocket APIs in a test, and sentences that many tests begin with.

use std::ops::Deref;

use serde_json::{Value as Json, json};
use stagedoor_testkit::ControlPlane;
pub(crate) use stagedoor_testkit::control_plane::REGION;

pub(crate) const ACCOUNT: &str = "123456789012";
/// When the clock starts, as answers hold it.
pub(crate) const START: f64 = stagedoor_testkit::control_plane::START as f64;

pub(crate) struct Control(ControlPlane);

impl Deref for Control {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.0
    }
}

impl Control {
    pub(crate) fn new() -> Self {
        Self(ControlPlane::new(stagedoor_apigatewayv2::dispatch, ACCOUNT))
    }

    // === Frequent sentences ===

    /// Creates an HTTP API with a chosen id.
    pub(crate) fn http_api(&self, id: &str) {
        self.ok("CreateApi", json!({"Name": id, "ProtocolType": "HTTP", "Tags": {"stagedoor:id": id}}));
    }

    /// Creates a WebSocket API with a chosen id.
    pub(crate) fn websocket_api(&self, id: &str) {
        let selection = "$request.body.action";
        self.ok(
            "CreateApi",
            json!({
                "Name": id, "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": selection,
                "Tags": {"stagedoor:id": id},
            }),
        );
    }

    /// Creates an integration that forwards to a URL; returns its id.
    pub(crate) fn proxy(&self, api: &str) -> String {
        let created = self.ok(
            "CreateIntegration",
            json!({
                "ApiId": api, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY",
                "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0",
            }),
        );
        text(&created["IntegrationId"])
    }

    /// Creates a route without a target; returns its id.
    pub(crate) fn route(&self, api: &str, key: &str) -> String {
        text(&self.ok("CreateRoute", json!({"ApiId": api, "RouteKey": key}))["RouteId"])
    }
}

/// The text that a value must be.
#[track_caller]
pub(crate) fn text(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// The member of that name of each item of an answer.
#[track_caller]
pub(crate) fn each(answer: &Json, member: &str) -> Vec<String> {
    answer["Items"].as_array().expect("a list").iter().map(|item| text(&item[member])).collect()
}

/// Whether an id has AWS's form: lower-case letters and digits.
pub(crate) fn is_id(value: &Json, length: usize) -> bool {
    let id = text(value);
    id.len() == length && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
