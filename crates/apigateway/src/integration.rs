//! Integrations, what a method calls: `PutIntegration`, `GetIntegration`, `UpdateIntegration`, `DeleteIntegration`.
//!
//! An integration is stored in its method and holds its responses, which have a file of their own. URIs are judged
//! in [`crate::integration_uri`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    ConnectionType, ContentHandlingStrategy, DeleteIntegrationRequest, GetIntegrationRequest, Integration,
    IntegrationType, Method, Op, PutIntegrationRequest, ResponseTransferMode, UpdateIntegrationRequest,
    VpcLink,
};
use stagedoor_api::apigatewayv2;
use stagedoor_state::{Cx, Result};

use crate::method::{Located, VERBS};
use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, patch_entry, refuse_second_generation};
use crate::{integration_uri, mapping, messages};

const TIMEOUT_MILLIS: std::ops::RangeInclusive<i64> = 50..=29_000;

const PASSTHROUGH_BEHAVIORS: &[&str] = &["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"];

/// `PUT /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html>
pub fn put_integration(cx: &mut Cx<'_>, input: PutIntegrationRequest) -> Result<Integration> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let integration = Integration {
        r#type: Some(input.r#type),
        http_method: input.integration_http_method,
        uri: input.uri,
        connection_type: input.connection_type,
        connection_id: input.connection_id,
        credentials: input.credentials,
        request_parameters: input.request_parameters,
        request_templates: input.request_templates,
        passthrough_behavior: input.passthrough_behavior,
        cache_namespace: input.cache_namespace.or(Some(input.resource_id)),
        cache_key_parameters: input.cache_key_parameters,
        content_handling: input.content_handling,
        timeout_in_millis: input.timeout_in_millis,
        tls_config: input.tls_config,
        response_transfer_mode: input.response_transfer_mode,
        integration_target: input.integration_target,
        integration_responses: None,
    };
    store(cx, at, integration)
}

/// `GET /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetIntegration.html>
pub fn get_integration(cx: &mut Cx<'_>, input: GetIntegrationRequest) -> Result<Integration> {
    existing(Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?.method)
}

/// `PATCH /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateIntegration.html>
pub fn update_integration(cx: &mut Cx<'_>, input: UpdateIntegrationRequest) -> Result<Integration> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let old = existing(at.method.clone())?;
    let integration = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    store(cx, at, integration)
}

/// `DELETE /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteIntegration.html>
pub fn delete_integration(cx: &mut Cx<'_>, input: DeleteIntegrationRequest) -> Result<()> {
    let mut at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    at.method.method_integration.take().ok_or_else(messages::no_integration)?;
    at.put(cx)
}

/// The integration of a method.
pub fn existing(method: Method) -> Result<Integration> {
    method.method_integration.ok_or_else(messages::no_integration)
}

fn store(cx: &mut Cx<'_>, mut at: Located, integration: Integration) -> Result<Integration> {
    let integration = settled(integration, &at.method, cx.account())?;
    check_link(cx, &integration)?;
    at.method.method_integration = Some(integration.clone());
    at.put(cx)?;
    Ok(integration)
}

/// Refuses a VPC link that is not there. A stage variable may name it instead, and one to a load balancer's listener is
/// of the newer kind.
fn check_link(cx: &mut Cx<'_>, integration: &Integration) -> Result<()> {
    let Some(link) = integration.connection_id.as_deref().filter(|link| !link.contains("${")) else {
        return Ok(());
    };
    let known = match integration.integration_target {
        Some(_) => cx.exists::<apigatewayv2::VpcLink>(&[link])?,
        None => cx.exists::<VpcLink>(&[link])?,
    };
    if known { Ok(()) } else { Err(messages::integration_link_unknown()) }
}

/// The integration in stored form, if it keeps all rules.
pub fn settled(integration: Integration, method: &Method, account: &str) -> Result<Integration> {
    let mut integration = with_defaults(integration);
    if !integration.timeout_in_millis.is_some_and(|timeout| TIMEOUT_MILLIS.contains(&timeout)) {
        return Err(messages::bad_timeout());
    }
    let passthrough = integration.passthrough_behavior.get_or_insert_default();
    if !PASSTHROUGH_BEHAVIORS.contains(&passthrough.as_str()) {
        return Err(messages::bad_option("PassthroughBehavior", &PASSTHROUGH_BEHAVIORS.join(",")));
    }
    if integration.r#type != Some(IntegrationType::Mock) {
        match integration.http_method.as_deref().filter(|verb| !verb.is_empty()) {
            None => return Err(messages::integration_verb_needed()),
            Some(verb) if !VERBS.contains(&verb) => return Err(messages::bad_verb()),
            Some(_) => {}
        }
    }
    integration_uri::check(&integration, account)?;
    if integration.connection_type == Some(ConnectionType::VpcLink)
        && integration.connection_id.as_deref().is_none_or(str::is_empty)
    {
        return Err(messages::connection_id_needed());
    }
    mapping::check_content_types(integration.request_templates.iter().flat_map(BTreeMap::keys))?;
    let mappings = integration.request_parameters.as_ref();
    mappings.map_or(Ok(()), |mappings| mapping::check_integration_request(mappings, method))?;
    mapping::check_cache_keys(
        integration.cache_key_parameters.as_deref().unwrap_or_default(),
        method,
        mappings,
    )?;
    Ok(integration)
}

/// Fills in what was not said and drops what the type has no use for.
fn with_defaults(mut integration: Integration) -> Integration {
    integration.passthrough_behavior.get_or_insert_with(|| PASSTHROUGH_BEHAVIORS[0].to_owned());
    integration.timeout_in_millis.get_or_insert(*TIMEOUT_MILLIS.end());
    integration.cache_key_parameters.get_or_insert_default();
    integration.request_parameters = integration.request_parameters.filter(|mappings| !mappings.is_empty());
    integration.request_templates = integration.request_templates.filter(|templates| !templates.is_empty());
    match integration.r#type.unwrap_or_default() {
        IntegrationType::Http | IntegrationType::HttpProxy => {
            integration.connection_type.get_or_insert(ConnectionType::Internet);
        }
        IntegrationType::Aws | IntegrationType::AwsProxy => integration.connection_type = None,
        IntegrationType::Mock => {
            integration.connection_type = None;
            integration.http_method = None;
            integration.uri = None;
        }
    }
    if integration.connection_type != Some(ConnectionType::VpcLink) {
        integration.connection_id = None;
    }
    integration
}

// === Patches ===

const PATCHES: Table<Integration> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

const ROWS: &[Row<Integration>] = &[
    Row { path: "/cacheKeyParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_cache_key },
    Row { path: "/requestParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_mapping },
    Row { path: "/requestTemplates/{}", ops: ADD_REPLACE_REMOVE, apply: patch_template },
    Row { path: "/cacheNamespace", ops: &[Op::Replace], apply: patch_cache_namespace },
    Row { path: "/connectionId", ops: &[Op::Replace], apply: patch_connection_id },
    Row { path: "/connectionType", ops: &[Op::Replace], apply: patch_connection_type },
    Row { path: "/contentHandling", ops: &[Op::Replace], apply: patch_content_handling },
    Row { path: "/credentials", ops: &[Op::Replace], apply: patch_credentials },
    Row { path: "/httpMethod", ops: &[Op::Replace], apply: patch_http_method },
    Row { path: "/uri", ops: &[Op::Replace], apply: patch_uri },
    Row { path: "/integrationTarget", ops: &[Op::Replace], apply: patch_target },
    Row { path: "/passthroughBehavior", ops: &[Op::Replace], apply: patch_passthrough },
    Row { path: "/responseTransferMode", ops: &[Op::Replace], apply: patch_transfer_mode },
    Row { path: "/timeoutInMillis", ops: &[Op::Replace], apply: patch_timeout },
    Row { path: "/tlsConfig/insecureSkipVerification", ops: &[Op::Replace], apply: patch_insecure },
];

/// The path names the parameter; only `replace` looks at the value.
fn patch_cache_key(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    let keys = integration.cache_key_parameters.get_or_insert_default();
    let named = change.token(0);
    let new = match change.op {
        Op::Remove => None,
        Op::Replace => change.text(),
        _ => Some(named.clone()),
    };
    keys.retain(|old| *old != named && Some(old) != new.as_ref());
    keys.extend(new);
    Ok(())
}

fn patch_mapping(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    patch_entry(
        &mut integration.request_parameters,
        change,
        change.value_or_empty(),
        messages::no_parameter_name,
    )
}

fn patch_template(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    patch_entry(
        &mut integration.request_templates,
        change,
        change.value_or_empty(),
        messages::no_content_type,
    )
}

fn patch_cache_namespace(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.cache_namespace = Some(change.value_or_empty());
    Ok(())
}

fn patch_connection_id(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.connection_id = change.text();
    Ok(())
}

fn patch_connection_type(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    let new = change.value.and_then(ConnectionType::parse);
    integration.connection_type =
        Some(new.ok_or_else(|| messages::bad_option("ConnectionType", "INTERNET,VPC_LINK"))?);
    Ok(())
}

/// An empty value means no conversion.
fn patch_content_handling(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.content_handling = content_handling(change)?;
    Ok(())
}

/// The content handling that a patch asks for.
pub fn content_handling(change: &Change<'_>) -> Result<Option<ContentHandlingStrategy>> {
    let bad = || messages::bad_option("ContentHandling", "CONVERT_TO_BINARY,CONVERT_TO_TEXT");
    change.text().map(|text| ContentHandlingStrategy::parse(&text).ok_or_else(bad)).transpose()
}

fn patch_credentials(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.credentials = change.text();
    Ok(())
}

fn patch_http_method(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.http_method = change.text();
    Ok(())
}

fn patch_uri(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.uri = change.text();
    Ok(())
}

fn patch_target(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.integration_target = change.text();
    Ok(())
}

fn patch_passthrough(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.passthrough_behavior = Some(change.value_or_empty());
    Ok(())
}

fn patch_transfer_mode(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    let new = change.value.and_then(ResponseTransferMode::parse);
    integration.response_transfer_mode =
        Some(new.ok_or_else(|| messages::bad_option("ResponseTransferMode", "BUFFERED,STREAM"))?);
    Ok(())
}

fn patch_timeout(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    let new = change.value.and_then(|value| value.parse().ok());
    integration.timeout_in_millis = Some(new.ok_or_else(messages::bad_timeout)?);
    Ok(())
}

fn patch_insecure(integration: &mut Integration, change: &Change<'_>) -> Result<()> {
    integration.tls_config.get_or_insert_default().insecure_skip_verification = Some(change.flag());
    Ok(())
}
