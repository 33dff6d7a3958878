//! Compiles a snapshot of a REST API. What cannot be served is found here, once, and becomes the answer of its method.

use std::time::Duration;

use http::{HeaderName, Method as Verb, StatusCode};
use stagedoor_api::apigateway as api;
use stagedoor_state::rest::{CacheEpoch, Snapshot};
use stagedoor_vtl::JavaRegex;

use super::gateway_response::GatewayResponses;
use super::plan::{
    AwsProxy, CacheKey, Deployed, Http, Integration, IntegrationResponse, Lambda, Method, Mock, MockTemplate,
    Outgoing, Service,
};
use super::tuning::Tuning;
use super::validator::{self, Models};
use crate::answer_names::Spelt;
use crate::authorize::rest_compile;
use crate::backends::Trust;
use crate::fault::GatewayFault;
use crate::integrations::function::Function;
use crate::integrations::service::Place;
use crate::mapping::{self, Malformed, Source, Target};
use crate::media_types::MediaTypes;
use crate::metrics::Counters;
use crate::observe::{self, ApiKind};
use crate::plans::api::{CanarySettings, Known, Settings};
use crate::routes::{self, Tree};
use crate::template::{Passthrough, Template, Templates};
use crate::uri::UriTemplate;
use crate::{headers, lambda, lenient, plans};

/// The integration timeout where none is set.
const TIMEOUT_DEFAULT: Duration = Duration::from_millis(29_000);
/// Bounds of `timeoutInMillis`; beyond 29 s by quota, for regional APIs.
const TIMEOUT_MILLIS: std::ops::RangeInclusive<u64> = 50..=300_000;

type Compiled<T> = Result<T, GatewayFault>;

impl plans::api::Deployed for Deployed {
    type Api = api::RestApi;
    type Stage = api::Stage;
    type Snapshot = Snapshot;
    type Tuning = Tuning;
    type Epoch = CacheEpoch;

    const KIND: ApiKind = ApiKind::Rest;

    fn compile(snapshot: &Snapshot) -> Self {
        let mut routes = Tree::default();
        let models = Models::of(snapshot);
        let mut methods = Vec::new();
        let authorizers = rest_compile::authorizers(snapshot);
        for resource in &snapshot.resources {
            let path = resource.path.as_deref().unwrap_or("/");
            for (name, stored) in resource.resource_methods.iter().flatten() {
                let Some(verb) = routes::Verb::parse(name) else { continue };
                let integration = integration(stored);
                let method = Method {
                    index: methods.len(),
                    api_key_required: stored.api_key_required == Some(true),
                    resource_id: resource.id.clone().unwrap_or_default(),
                    resource_path: path.to_owned(),
                    operation_name: stored.operation_name.clone(),
                    validator: validator::of(stored, snapshot, &models),
                    cache: cache_key(stored, resource.id.as_deref().unwrap_or_default()),
                    guard: rest_compile::guard(&authorizers, stored),
                    integration: integration.unwrap_or_else(Integration::Refused),
                };
                methods.push((path.to_owned(), verb.clone()));
                routes.insert(path, verb, method);
            }
        }
        Self {
            address_disabled: snapshot.api.disable_execute_api_endpoint == Some(true),
            endpoint_type: endpoint_type(&snapshot.api),
            binary: MediaTypes::new(snapshot.api.binary_media_types.as_deref().unwrap_or_default()),
            compression_bytes_min: snapshot
                .api
                .minimum_compression_size
                .and_then(|bytes| u64::try_from(bytes).ok()),
            key_from_authorizer: snapshot.api.api_key_source == Some(api::ApiKeySourceType::Authorizer),
            methods,
            routes,
            gateway_responses: GatewayResponses::of(&snapshot.gateway_responses),
            policy: rest_compile::policy(&snapshot.api),
        }
    }

    fn flushes(epoch: &CacheEpoch) -> u64 {
        epoch.authorizers
    }

    fn settings(stage: &api::Stage) -> Settings {
        let variables = stage.variables.clone().unwrap_or_default();
        let canary = stage.canary_settings.as_ref().map(|canary| {
            let mut variables = variables.clone();
            variables.extend(canary.stage_variable_overrides.clone().unwrap_or_default());
            let deployment = canary.deployment_id.clone().unwrap_or_default();
            CanarySettings { deployment, percent: canary.percent_traffic.unwrap_or_default(), variables }
        });
        Settings {
            name: stage.stage_name.clone(),
            deployment: stage.deployment_id.clone(),
            variables,
            canary,
            wanted: observe::wanted_of_rest(stage),
        }
    }

    fn detailed(tuning: &Tuning) -> impl Iterator<Item = (&str, &Counters)> {
        tuning.detailed()
    }

    fn tune(&self, stage: &api::Stage, known: &Known<'_, Tuning>) -> Tuning {
        Tuning::of(self, stage, known)
    }
}

fn endpoint_type(api: &api::RestApi) -> Option<String> {
    let types = api.endpoint_configuration.as_ref()?.types.as_deref()?;
    types.first().map(|first| first.as_str().to_owned())
}

fn integration(method: &api::Method) -> Compiled<Integration> {
    let no_integration = || configuration("No integration defined for method");
    let integration = method.method_integration.as_ref().ok_or_else(no_integration)?;
    match integration.r#type.ok_or_else(no_integration)? {
        api::IntegrationType::Mock => mock(integration).map(Integration::Mock),
        api::IntegrationType::HttpProxy => outgoing(integration).map(Integration::HttpProxy),
        api::IntegrationType::Http => http(integration).map(Integration::Http),
        api::IntegrationType::AwsProxy => aws_proxy(integration).map(Integration::AwsProxy),
        api::IntegrationType::Aws if is_lambda(integration) => aws(integration).map(Integration::Lambda),
        api::IntegrationType::Aws => service(integration).map(Integration::Service),
    }
}

fn mock(integration: &api::Integration) -> Compiled<Mock> {
    let templates = integration.request_templates.iter().flatten();
    Ok(Mock {
        templates: templates
            .filter(|(_, text)| !text.is_empty())
            .map(|(media_type, text)| (media_type.clone(), mock_template(text)))
            .collect(),
        passthrough: Passthrough::parse(integration.passthrough_behavior.as_deref()),
        handling: integration.content_handling.into(),
        responses: responses(integration)?,
    })
}

fn mock_template(text: &str) -> MockTemplate {
    match Template::of(text) {
        Template::Literal(_) | Template::Pass => MockTemplate::Fixed(status_code(text)),
        template => MockTemplate::Rendered(template),
    }
}

/// The status code that a `MOCK` integration's template or body holds.
pub(crate) fn status_code(text: &str) -> Compiled<u16> {
    let number = lenient::parse(text).and_then(|value| value.get("statusCode")?.as_u64());
    number.and_then(|number| u16::try_from(number).ok()).ok_or_else(|| {
        configuration(
            "Unable to parse statusCode. It should be an integer that is defined in the request template.",
        )
    })
}

fn http(integration: &api::Integration) -> Compiled<Http> {
    Ok(Http {
        outgoing: outgoing(integration)?,
        templates: templates(integration),
        passthrough: Passthrough::parse(integration.passthrough_behavior.as_deref()),
        handling: integration.content_handling.into(),
        responses: responses(integration)?,
    })
}

fn outgoing(integration: &api::Integration) -> Compiled<Outgoing> {
    let skips =
        integration.tls_config.as_ref().is_some_and(|tls| tls.insecure_skip_verification == Some(true));
    let uri = integration.uri.as_deref().ok_or_else(|| configuration("Invalid endpoint address"))?;
    let private = integration.connection_type == Some(api::ConnectionType::VpcLink);
    Ok(Outgoing {
        uri: UriTemplate::parse(uri),
        verb: verb(integration)?,
        parameters: parameters(integration)?,
        handling: integration.content_handling.into(),
        timeout: timeout(integration.timeout_in_millis, TIMEOUT_DEFAULT),
        trust: if skips { Trust::AnyIssuer } else { Trust::System },
        unlimited: integration.response_transfer_mode == Some(api::ResponseTransferMode::Stream),
        target: integration.integration_target.clone(),
        link: private.then(|| UriTemplate::parse(integration.connection_id.as_deref().unwrap_or_default())),
    })
}

/// The integration's method; `None` is the client's own.
fn verb(integration: &api::Integration) -> Compiled<Option<Verb>> {
    let verb = routes::Verb::parse(integration.http_method.as_deref().unwrap_or("ANY"));
    match verb.ok_or_else(|| configuration("Invalid integration HTTP method"))? {
        routes::Verb::Any => Ok(None),
        routes::Verb::One(verb) => Ok(Some(verb)),
    }
}

fn parameters(integration: &api::Integration) -> Compiled<Vec<(Target, Source)>> {
    let parameters = integration.request_parameters.iter().flatten();
    parameters.map(|(target, source)| parameter(target, source)).collect()
}

/// Parameters are not mapped onto a function's event, but those that fail a request do so here too.
fn aws_proxy(integration: &api::Integration) -> Compiled<AwsProxy> {
    let function = function(integration, "AWS_PROXY integrations with other services than Lambda")?;
    refuse_headers_of_aws(integration)?;
    for (target, source) in integration.request_parameters.iter().flatten() {
        if let Err(GatewayFault::Configuration(why)) = parameter(target, source) {
            return Err(GatewayFault::Configuration(why));
        }
    }
    let streams = integration.response_transfer_mode == Some(api::ResponseTransferMode::Stream);
    Ok(AwsProxy { function, verb: verb(integration)?, streams })
}

fn aws(integration: &api::Integration) -> Compiled<Lambda> {
    let function = function(integration, "this AWS integration")?;
    refuse_headers_of_aws(integration)?;
    Ok(Lambda {
        function,
        verb: verb(integration)?,
        parameters: parameters(integration)?,
        templates: templates(integration),
        passthrough: Passthrough::parse(integration.passthrough_behavior.as_deref()),
        handling: integration.content_handling.into(),
        responses: responses(integration)?,
    })
}

fn is_lambda(integration: &api::Integration) -> bool {
    integration.uri.as_deref().is_some_and(lambda::is_lambda_service)
}

fn service(integration: &api::Integration) -> Compiled<Service> {
    refuse_headers_of_aws(integration)?;
    let invalid = || configuration("Invalid endpoint address");
    let place = Place::of(integration.uri.as_deref().ok_or_else(invalid)?).ok_or_else(invalid)?;
    let uri = format!("http://service.invalid{}", place.path);
    let on_host = api::Integration { uri: Some(uri), ..integration.clone() };
    Ok(Service { place, http: http(&on_host)? })
}

fn function(integration: &api::Integration, other: &'static str) -> Compiled<Function> {
    let uri = integration.uri.as_deref().ok_or_else(|| configuration("Invalid endpoint address"))?;
    if !lambda::is_lambda_service(uri) {
        return Err(GatewayFault::NotServed(other));
    }
    let timeout = timeout(integration.timeout_in_millis, TIMEOUT_DEFAULT);
    let by_role = integration.credentials.is_some();
    Ok(Function { uri: UriTemplate::parse(uri), timeout, by_role })
}

fn templates(integration: &api::Integration) -> Templates {
    let templates = integration.request_templates.iter().flatten();
    Template::all(templates.map(|(media_type, text)| (media_type, text.as_str())))
}

/// Parameters are the method's (`method.request.path.id`) or the integration's, which stand for what is mapped onto them.
fn cache_key(method: &api::Method, resource: &str) -> CacheKey {
    let integration = method.method_integration.as_ref();
    let namespace = integration.and_then(|integration| integration.cache_namespace.as_deref());
    let mapped = integration.and_then(|integration| integration.request_parameters.as_ref());
    let source = |name: &String| {
        let source = mapped.and_then(|mapped| mapped.get(name)).unwrap_or(name);
        Source::of_request(source).ok().filter(|source| !source.reads_body())
    };
    let names = integration.and_then(|integration| integration.cache_key_parameters.as_deref());
    CacheKey {
        namespace: namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(resource).to_owned(),
        parameters: names.unwrap_or_default().iter().map(source).collect(),
    }
}

fn parameter(target: &str, source: &str) -> Compiled<(Target, Source)> {
    refuse_header(target, headers::is_unmappable)?;
    let target = Target::parse(target).map_err(unreadable)?;
    Ok((target, Source::of_request(source).map_err(unreadable)?))
}

/// Headers that calls of AWS services have of themselves.
fn refuse_headers_of_aws(integration: &api::Integration) -> Compiled<()> {
    let mut targets = integration.request_parameters.iter().flatten();
    targets.try_for_each(|(target, _)| refuse_header(target, headers::is_unmappable_for_aws))
}

/// Fails where the target is one of these headers, which the log spells as the mapping does.
fn refuse_header(target: &str, refused: fn(&HeaderName) -> bool) -> Compiled<()> {
    if let Ok(Target::Header(name)) = Target::parse(target)
        && refused(&name)
    {
        let spelt = target.rsplit('.').next().unwrap_or_default();
        return Err(GatewayFault::Configuration(format!("{spelt} header already present").into()));
    }
    Ok(())
}

/// `timeoutInMillis`, kept within its bounds.
pub(crate) fn timeout(millis: Option<i64>, default: Duration) -> Duration {
    let within =
        |millis: u64| Duration::from_millis(millis.clamp(*TIMEOUT_MILLIS.start(), *TIMEOUT_MILLIS.end()));
    millis.and_then(|millis| u64::try_from(millis).ok()).map_or(default, within)
}

fn responses(integration: &api::Integration) -> Compiled<Vec<IntegrationResponse>> {
    integration
        .integration_responses
        .iter()
        .flatten()
        .map(|(status, stored)| response(status, stored))
        .collect()
}

fn response(status: &str, stored: &api::IntegrationResponse) -> Compiled<IntegrationResponse> {
    let pattern = stored.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
    let status =
        StatusCode::from_bytes(status.as_bytes()).map_err(|_| configuration("Invalid status code"))?;
    let headers = stored.response_parameters.iter().flatten().map(|(target, source)| {
        let name = mapping::response_header(target).map_err(unreadable)?;
        Ok((name, Source::of_response(source).map_err(unreadable)?))
    });
    let targets = stored.response_parameters.iter().flatten();
    let spelt = targets.filter_map(|(target, _)| target.strip_prefix(mapping::RESPONSE_HEADER));
    let templates = stored.response_templates.iter().flatten();
    let templates =
        Template::all(templates.map(|(media_type, text)| (media_type, text.as_deref().unwrap_or_default())));
    Ok(IntegrationResponse {
        status,
        handling: stored.content_handling.into(),
        pattern: pattern.map(selection_pattern).transpose()?,
        headers: headers.collect::<Compiled<_>>()?,
        spelt: Spelt::of(spelt),
        templates,
    })
}

/// Patterns match the whole text.
fn selection_pattern(pattern: &str) -> Compiled<JavaRegex> {
    JavaRegex::whole(pattern).map_err(|_| configuration("Invalid selection pattern"))
}

fn unreadable(_: Malformed) -> GatewayFault {
    configuration("Invalid mapping expression specified")
}

fn configuration(text: &'static str) -> GatewayFault {
    GatewayFault::Configuration(text.into())
}

/// Whether a backend called with this verb gets a body.
pub(crate) fn sends_body(verb: &Verb) -> bool {
    ![Verb::GET, Verb::HEAD, Verb::OPTIONS].contains(verb)
}
