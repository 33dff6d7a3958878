//! Quick create: an HTTP API that comes with an integration, a route and a `$default` stage, managed by API
//! Gateway, and the updates of those three through `UpdateApi`.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html#http-api-examples>

use stagedoor_api::apigatewayv2::{
    Api, AuthorizationType, Integration, IntegrationType, ProtocolType, Route, Stage,
};
use stagedoor_state::{Cx, Result};

use crate::merge::present;
use crate::{api, deploy, integration, integration_rules, messages, route, route_key, stage};

/// What a client asks of quick create.
#[derive(Debug)]
pub struct Quick {
    pub target: Option<String>,
    pub route_key: Option<String>,
    pub credentials_arn: Option<String>,
}

impl Quick {
    /// `None` if the client asked for nothing.
    pub fn new(
        target: Option<String>,
        route_key: Option<String>,
        credentials_arn: Option<String>,
    ) -> Option<Self> {
        let quick = Self {
            target: present(target),
            route_key: present(route_key),
            credentials_arn: present(credentials_arn),
        };
        let asked = quick.target.is_some() || quick.route_key.is_some() || quick.credentials_arn.is_some();
        asked.then_some(quick)
    }
}

/// Makes the integration, the route and the stage of a new API.
pub fn make(cx: &mut Cx<'_>, of: &Api, quick: Quick) -> Result<()> {
    if api::protocol(of) != ProtocolType::Http {
        return Err(messages::quick_create_http_only());
    }
    let target = quick.target.ok_or_else(messages::quick_create_without_target)?;
    let integration = Integration {
        api_gateway_managed: Some(true),
        integration_id: Some(cx.new_id(integration::ID_LENGTH)),
        credentials_arn: quick.credentials_arn,
        ..integration_for(&target)
    };
    integration_rules::check(ProtocolType::Http, &integration)?;
    let integration_id = integration.integration_id.as_deref().unwrap_or_default();
    cx.put(&[api::id(of), integration_id], &integration)?;

    let key = quick.route_key.unwrap_or_else(|| route_key::DEFAULT.to_owned());
    route_key::check(ProtocolType::Http, &key)?;
    let route = Route {
        api_gateway_managed: Some(true),
        api_key_required: Some(false),
        authorization_type: Some(AuthorizationType::None),
        route_id: Some(cx.new_id(route::ID_LENGTH)),
        route_key: Some(key),
        target: Some(format!("integrations/{integration_id}")),
        ..Route::default()
    };
    cx.put(&[api::id(of), route.route_id.as_deref().unwrap_or_default()], &route)?;

    let stage = Stage {
        api_gateway_managed: Some(true),
        auto_deploy: Some(true),
        ..stage::new(stage::DEFAULT, ProtocolType::Http, cx.now())
    };
    deploy::stages(cx, of, vec![stage])
}

/// Changes the integration and the route that quick create made.
pub fn change(cx: &mut Cx<'_>, of: &Api, quick: Quick) -> Result<()> {
    let api_id = api::id(of);
    if quick.target.is_some() || quick.credentials_arn.is_some() {
        let mut integration = managed_integration(cx, api_id)?;
        if let Some(target) = quick.target {
            let kept = Integration {
                api_gateway_managed: Some(true),
                integration_id: integration.integration_id,
                credentials_arn: integration.credentials_arn,
                description: integration.description,
                ..integration_for(&target)
            };
            integration = kept;
        }
        if quick.credentials_arn.is_some() {
            integration.credentials_arn = quick.credentials_arn;
        }
        integration_rules::check(ProtocolType::Http, &integration)?;
        cx.put(&[api_id, integration.integration_id.as_deref().unwrap_or_default()], &integration)?;
    }
    if let Some(key) = quick.route_key {
        let mut route = managed_route(cx, api_id)?;
        route.route_key = Some(key);
        route::check(cx, of, &route)?;
        cx.put(&[api_id, route.route_id.as_deref().unwrap_or_default()], &route)?;
    }
    Ok(())
}

/// An integration that calls a Lambda function if the target is an ARN, and a URL otherwise.
fn integration_for(target: &str) -> Integration {
    let lambda = target.starts_with("arn:");
    let (kind, method, version) = match lambda {
        true => (IntegrationType::AwsProxy, "POST", "2.0"),
        false => (IntegrationType::HttpProxy, "ANY", "1.0"),
    };
    integration_rules::with_defaults(
        ProtocolType::Http,
        Integration {
            integration_type: Some(kind),
            integration_method: Some(method.to_owned()),
            integration_uri: Some(target.to_owned()),
            payload_format_version: Some(version.to_owned()),
            ..Integration::default()
        },
    )
}

fn managed_integration(cx: &mut Cx<'_>, api_id: &str) -> Result<Integration> {
    let integrations = cx.all::<Integration>(&[api_id])?;
    let managed = integrations.into_iter().find(|integration| integration.api_gateway_managed == Some(true));
    managed.ok_or_else(|| messages::not_quick_created(api_id))
}

fn managed_route(cx: &mut Cx<'_>, api_id: &str) -> Result<Route> {
    let routes = cx.all::<Route>(&[api_id])?;
    let managed = routes.into_iter().find(|route| route.api_gateway_managed == Some(true));
    managed.ok_or_else(|| messages::not_quick_created(api_id))
}
