//! What an integration is by default and what it may be. Storing integrations is `integration`'s.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integrations.html>

use stagedoor_api::apigatewayv2::{
    ConnectionType, Integration, IntegrationType, PassthroughBehavior, ProtocolType,
};
use stagedoor_state::Result;

use crate::{integration_subtype, limits, messages, parameter_mapping, route_key};

/// Shortest time that an integration can be given, in milliseconds.
const TIMEOUT_MILLIS_MIN: i64 = 50;
const HTTP_TIMEOUT_MILLIS_MAX: i64 = 30_000;
const WEBSOCKET_TIMEOUT_MILLIS_MAX: i64 = 29_000;

const FORMAT_1: &str = "1.0";
const FORMAT_2: &str = "2.0";

/// Adds the defaults of its protocol and type, and drops what that protocol or connection does not have.
pub fn with_defaults(protocol: ProtocolType, mut integration: Integration) -> Integration {
    let connection = *integration.connection_type.get_or_insert(ConnectionType::Internet);
    integration.timeout_in_millis.get_or_insert(timeout_max(protocol));
    if connection != ConnectionType::VpcLink {
        integration.tls_config = None;
    }
    match protocol {
        ProtocolType::Http => {
            integration.content_handling_strategy = None;
            integration.passthrough_behavior = None;
            integration.request_templates = None;
            integration.template_selection_expression = None;
        }
        ProtocolType::Websocket => {
            integration.passthrough_behavior.get_or_insert(PassthroughBehavior::WhenNoMatch);
            integration.payload_format_version.get_or_insert_with(|| FORMAT_1.to_owned());
            integration.integration_response_selection_expression =
                Some(response_selection(kind(&integration)).to_owned());
        }
    }
    integration
}

/// Refuses an integration that APIs of this protocol cannot have. Expects the defaults to be there.
pub fn check(protocol: ProtocolType, integration: &Integration) -> Result<()> {
    limits::at_most("description", integration.description.as_deref(), limits::DESCRIPTION_MAX)?;
    match protocol {
        ProtocolType::Http => check_http(integration)?,
        ProtocolType::Websocket => check_websocket(integration)?,
    }
    check_method(integration)?;
    check_timeout(protocol, integration)?;
    if is_private(integration) && integration.connection_id.is_none() {
        return Err(messages::vpc_link_without_connection());
    }
    if let Some(parameters) = &integration.request_parameters {
        match integration.integration_subtype {
            None => parameter_mapping::check_request(protocol, parameters)?,
            Some(_) => parameter_mapping::check_service(parameters)?,
        }
    }
    integration.response_parameters.as_ref().map_or(Ok(()), parameter_mapping::check_response)
}

/// What the integration calls.
fn kind(integration: &Integration) -> IntegrationType {
    integration.integration_type.unwrap_or_default()
}

fn timeout_max(protocol: ProtocolType) -> i64 {
    match protocol {
        ProtocolType::Http => HTTP_TIMEOUT_MILLIS_MAX,
        ProtocolType::Websocket => WEBSOCKET_TIMEOUT_MILLIS_MAX,
    }
}

/// Which part of an integration's answer chooses the integration response.
fn response_selection(kind: IntegrationType) -> &'static str {
    match kind {
        IntegrationType::Aws | IntegrationType::AwsProxy => "${integration.response.body.errormessage}",
        IntegrationType::Http | IntegrationType::HttpProxy | IntegrationType::Mock => {
            "${integration.response.statuscode}"
        }
    }
}

fn check_http(integration: &Integration) -> Result<()> {
    let kind = kind(integration);
    if !matches!(kind, IntegrationType::AwsProxy | IntegrationType::HttpProxy) {
        return Err(messages::integration_type_not_for_http());
    }
    let version =
        integration.payload_format_version.as_deref().ok_or_else(messages::payload_format_required)?;
    if let (IntegrationType::AwsProxy, Some(subtype)) = (kind, integration.integration_subtype.as_deref()) {
        return check_subtype(integration, subtype, version);
    }
    match (kind, version) {
        (_, FORMAT_1) | (IntegrationType::AwsProxy, FORMAT_2) => {}
        (_, FORMAT_2) => return Err(messages::payload_format_not_for(FORMAT_2, kind.as_str())),
        (_, other) => return Err(messages::payload_format_unsupported(other)),
    }
    match kind {
        IntegrationType::AwsProxy => check_arn(integration),
        _ if is_private(integration) => check_private_target(integration),
        _ => check_url(integration),
    }
}

fn check_websocket(integration: &Integration) -> Result<()> {
    match integration.payload_format_version.as_deref() {
        None | Some(FORMAT_1) => {}
        Some(other) => return Err(messages::payload_format_unsupported(other)),
    }
    match kind(integration) {
        IntegrationType::Aws | IntegrationType::AwsProxy => check_arn(integration),
        IntegrationType::Http | IntegrationType::HttpProxy => check_url(integration),
        IntegrationType::Mock if integration.integration_uri.is_some() => {
            Err(messages::integration_uri_on_mock())
        }
        IntegrationType::Mock => Ok(()),
    }
}

/// A service other than Lambda, which is named by the subtype and not by a URI.
fn check_subtype(integration: &Integration, subtype: &str, version: &str) -> Result<()> {
    let required = integration_subtype::required_parameters(subtype)
        .filter(|_| version == FORMAT_1)
        .ok_or_else(|| messages::subtype_unknown(subtype))?;
    if integration.credentials_arn.is_none() {
        return Err(messages::subtype_without_credentials(subtype));
    }
    let given = integration.request_parameters.as_ref();
    match required.iter().all(|name| given.is_some_and(|given| given.contains_key(*name))) {
        true => Ok(()),
        false => Err(messages::subtype_parameters_missing(subtype, required)),
    }
}

fn check_arn(integration: &Integration) -> Result<()> {
    match integration.integration_uri.as_deref() {
        Some(uri) if uri.starts_with("arn:") => Ok(()),
        _ => Err(messages::integration_uri_invalid()),
    }
}

/// An HTTP address; a stage variable may stand for all of it.
fn check_url(integration: &Integration) -> Result<()> {
    let uri = integration.integration_uri.as_deref().unwrap_or_default();
    let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
    let host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?']));
    match host || uri.starts_with("${stageVariables.") {
        true => Ok(()),
        false => Err(messages::integration_uri_invalid()),
    }
}

/// A listener of a load balancer, or a service of Cloud Map.
fn check_private_target(integration: &Integration) -> Result<()> {
    let uri = integration.integration_uri.as_deref().unwrap_or_default();
    let listener = uri.contains(":elasticloadbalancing:") && uri.contains(":listener/");
    match uri.starts_with("arn:") && (listener || uri.contains(":servicediscovery:")) {
        true => Ok(()),
        false => Err(messages::vpc_link_uri_invalid()),
    }
}

fn is_private(integration: &Integration) -> bool {
    integration.connection_type == Some(ConnectionType::VpcLink)
}

fn check_method(integration: &Integration) -> Result<()> {
    let kind = kind(integration);
    match integration.integration_method.as_deref() {
        Some(method) if route_key::METHODS.contains(&method) => Ok(()),
        Some(_) => Err(messages::integration_method_invalid()),
        None if matches!(kind, IntegrationType::Http | IntegrationType::HttpProxy) => {
            Err(messages::integration_method_required(kind.as_str()))
        }
        None => Ok(()),
    }
}

fn check_timeout(protocol: ProtocolType, integration: &Integration) -> Result<()> {
    let most = timeout_max(protocol);
    match integration.timeout_in_millis {
        Some(millis) if !(TIMEOUT_MILLIS_MIN..=most).contains(&millis) => {
            Err(messages::timeout_out_of_range(most))
        }
        _ => Ok(()),
    }
}
