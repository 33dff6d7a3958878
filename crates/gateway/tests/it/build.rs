//! APIs and integrations, described as one would say them.

use std::collections::BTreeMap;

use stagedoor_api::{apigateway as rest, apigatewayv2 as http};
use stagedoor_state::{http as http_state, rest as rest_state};

use crate::world::{Entry, entry};

/// A REST API under construction.
pub(crate) struct RestApi {
    id: &'static str,
    snapshot: rest_state::Snapshot,
}

/// A REST API with the id.
pub(crate) fn rest_api(id: &'static str) -> RestApi {
    let mut snapshot = rest_state::Snapshot::default();
    snapshot.api.id = Some(id.to_owned());
    RestApi { id, snapshot }
}

impl RestApi {
    /// A method, as `GET /pets/{id}`.
    pub(crate) fn method(self, method: &str, integration: rest::Integration) -> Self {
        self.method_with(method, rest::Method { method_integration: Some(integration), ..Default::default() })
    }

    pub(crate) fn method_with(mut self, method: &str, document: rest::Method) -> Self {
        let (verb, path) = method.split_once(' ').expect("a test's own method is `VERB /path`");
        let resources = &mut self.snapshot.resources;
        let known = resources.iter().position(|resource| resource.path.as_deref() == Some(path));
        let at = known.unwrap_or_else(|| {
            let id = format!("res{}", resources.len());
            resources.push(rest::Resource {
                id: Some(id),
                path: Some(path.to_owned()),
                ..Default::default()
            });
            resources.len() - 1
        });
        resources[at].resource_methods.get_or_insert_default().insert(verb.to_owned(), document);
        self
    }

    pub(crate) fn authorizer(mut self, authorizer: rest::Authorizer) -> Self {
        self.snapshot.authorizers.push(authorizer);
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut rest::RestApi)) -> Self {
        change(&mut self.snapshot.api);
        self
    }

    /// Changes what is deployed beside methods.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut rest_state::Snapshot)) -> Self {
        change(&mut self.snapshot);
        self
    }

    /// The API as a deployment would hold it.
    pub(crate) fn snapshot(&self) -> rest_state::Snapshot {
        self.snapshot.clone()
    }

    /// The API, a deployment of it and a stage, as documents.
    pub(crate) fn deployed_to(&self, stage: &str) -> Vec<Entry> {
        self.deployed_as("dep1", stage, &[])
    }

    pub(crate) fn deployed_as(
        &self,
        deployment: &str,
        stage: &str,
        variables: &[(&str, &str)],
    ) -> Vec<Entry> {
        let document = rest::Stage {
            stage_name: Some(stage.to_owned()),
            deployment_id: Some(deployment.to_owned()),
            variables: Some(map(variables)),
            ..Default::default()
        };
        vec![
            entry(&[self.id], &self.snapshot.api),
            entry(&[self.id, deployment], &self.snapshot),
            entry(&[self.id, stage], &document),
        ]
    }
}

/// An integration of a REST API.
pub(crate) fn http_proxy(uri: &str) -> rest::Integration {
    rest::Integration {
        r#type: Some(rest::IntegrationType::HttpProxy),
        http_method: Some("ANY".to_owned()),
        uri: Some(uri.to_owned()),
        ..Default::default()
    }
}

pub(crate) fn http_custom(uri: &str) -> rest::Integration {
    rest::Integration { r#type: Some(rest::IntegrationType::Http), ..http_proxy(uri) }
}

/// What the control plane takes for a function's address in a REST API.
pub(crate) fn function_uri(function: &str) -> String {
    format!(
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{}/invocations",
        function_arn(function)
    )
}

pub(crate) fn function_arn(function: &str) -> String {
    format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}")
}

pub(crate) fn aws_proxy(function: &str) -> rest::Integration {
    rest::Integration {
        r#type: Some(rest::IntegrationType::AwsProxy),
        http_method: Some("POST".to_owned()),
        uri: Some(function_uri(function)),
        ..Default::default()
    }
}

pub(crate) fn aws(function: &str) -> rest::Integration {
    rest::Integration { r#type: Some(rest::IntegrationType::Aws), ..aws_proxy(function) }
}

pub(crate) fn mock(template: &str) -> rest::Integration {
    rest::Integration {
        r#type: Some(rest::IntegrationType::Mock),
        request_templates: Some(map(&[("application/json", template)])),
        ..Default::default()
    }
}

/// Says the rest of an integration.
pub(crate) trait Integrated {
    /// A mapping, as `("path.id", "method.request.path.id")`.
    fn mapping(self, target: &str, source: &str) -> Self;
    /// An integration response, as `("400", r"4\d{2}")`; the pattern may be empty.
    fn answering(self, status: &str, pattern: &str) -> Self;
    /// A response template of the last integration response added.
    fn with_body(self, media_type: &str, template: &str) -> Self;
    /// A header of the last integration response added.
    fn with_header(self, name: &str, source: &str) -> Self;
}

impl Integrated for rest::Integration {
    fn mapping(mut self, target: &str, source: &str) -> Self {
        let target = format!("integration.request.{target}");
        self.request_parameters.get_or_insert_default().insert(target, source.to_owned());
        self
    }

    fn answering(mut self, status: &str, pattern: &str) -> Self {
        let response = rest::IntegrationResponse {
            selection_pattern: (!pattern.is_empty()).then(|| pattern.to_owned()),
            status_code: Some(status.to_owned()),
            ..Default::default()
        };
        self.integration_responses.get_or_insert_default().insert(status.to_owned(), response);
        self
    }

    fn with_body(mut self, media_type: &str, template: &str) -> Self {
        let templates = last_response(&mut self).response_templates.get_or_insert_default();
        templates.insert(media_type.to_owned(), Some(template.to_owned()));
        self
    }

    fn with_header(mut self, name: &str, source: &str) -> Self {
        let headers = last_response(&mut self).response_parameters.get_or_insert_default();
        headers.insert(format!("method.response.header.{name}"), source.to_owned());
        self
    }
}

fn last_response(integration: &mut rest::Integration) -> &mut rest::IntegrationResponse {
    let responses = integration.integration_responses.as_mut().expect("`answering` comes first");
    responses.values_mut().next_back().expect("`answering` comes first")
}

/// An HTTP API under construction.
pub(crate) struct HttpApi {
    id: &'static str,
    snapshot: http_state::Snapshot,
}

/// An HTTP API with the id.
pub(crate) fn http_api(id: &'static str) -> HttpApi {
    let mut snapshot = http_state::Snapshot::default();
    snapshot.api.api_id = Some(id.to_owned());
    snapshot.api.protocol_type = Some(http::ProtocolType::Http);
    HttpApi { id, snapshot }
}

impl HttpApi {
    /// A route, as `GET /pets/{id}` or `$default`, to a URI.
    pub(crate) fn route(self, key: &str, uri: &str) -> Self {
        self.route_with(key, uri, |_, _| {})
    }

    pub(crate) fn route_with(
        mut self,
        key: &str,
        uri: &str,
        change: impl FnOnce(&mut http::Route, &mut http::Integration),
    ) -> Self {
        let id = format!("int{}", self.snapshot.routes.len());
        let mut route = http::Route {
            route_key: Some(key.to_owned()),
            target: Some(format!("integrations/{id}")),
            ..Default::default()
        };
        let mut integration = http::Integration {
            integration_id: Some(id),
            integration_type: Some(http::IntegrationType::HttpProxy),
            integration_method: Some("ANY".to_owned()),
            integration_uri: Some(uri.to_owned()),
            ..Default::default()
        };
        change(&mut route, &mut integration);
        self.snapshot.routes.push(route);
        self.snapshot.integrations.push(integration);
        self
    }

    /// A route to a function, with a payload format.
    pub(crate) fn function(self, key: &str, function: &str, format: &str) -> Self {
        self.route_with(key, &function_arn(function), |_, integration| {
            integration.integration_type = Some(http::IntegrationType::AwsProxy);
            integration.integration_method = Some("POST".to_owned());
            integration.payload_format_version = Some(format.to_owned());
        })
    }

    /// Changes the route that was added last.
    pub(crate) fn route_changed(mut self, change: impl FnOnce(&mut http::Route)) -> Self {
        change(self.snapshot.routes.last_mut().expect("a route comes first"));
        self
    }

    pub(crate) fn authorizer(mut self, authorizer: http::Authorizer) -> Self {
        self.snapshot.authorizers.push(authorizer);
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut http::Api)) -> Self {
        change(&mut self.snapshot.api);
        self
    }

    pub(crate) fn deployed_to(&self, stage: &str) -> Vec<Entry> {
        self.deployed_as("dep1", stage, &[])
    }

    pub(crate) fn deployed_as(
        &self,
        deployment: &str,
        stage: &str,
        variables: &[(&str, &str)],
    ) -> Vec<Entry> {
        let document = http::Stage {
            stage_name: Some(stage.to_owned()),
            deployment_id: Some(deployment.to_owned()),
            stage_variables: Some(map(variables)),
            ..Default::default()
        };
        vec![
            entry(&[self.id], &self.snapshot.api),
            entry(&[self.id, deployment], &self.snapshot),
            entry(&[self.id, stage], &document),
        ]
    }
}

/// The API deployed to a stage `dev` that is changed.
pub(crate) fn stage_of_rest(api: &RestApi, change: impl FnOnce(&mut rest::Stage)) -> Vec<Entry> {
    let mut entries = api.deployed_to("dev");
    let mut stage = rest::Stage {
        stage_name: Some("dev".to_owned()),
        deployment_id: Some("dep1".to_owned()),
        ..Default::default()
    };
    change(&mut stage);
    entries[2] = entry(&[api.id, "dev"], &stage);
    entries
}

/// The API deployed to a stage `dev` that is changed.
pub(crate) fn stage_of_http(api: &HttpApi, change: impl FnOnce(&mut http::Stage)) -> Vec<Entry> {
    let mut entries = api.deployed_to("dev");
    let mut stage = http::Stage {
        stage_name: Some("dev".to_owned()),
        deployment_id: Some("dep1".to_owned()),
        ..Default::default()
    };
    change(&mut stage);
    entries[2] = entry(&[api.id, "dev"], &stage);
    entries
}

pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
