//! Compiles a snapshot of an HTTP API. What cannot be served is found here, once, and becomes the answer of its route.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderValue;
use stagedoor_api::apigatewayv2 as api;
use stagedoor_state::http::{AuthorizerCacheEpoch, Snapshot};

use super::expression::Invalid;
use super::parameters::Parameters;
use super::plan::{
    AwsProxy, AwsService, Cors, Deployed, Integration, Link, Outgoing, PayloadFormat, Responses, Route,
};
use super::service::Service;
use super::tuning::Tuning;
use crate::authorize::{Guard, http_compile};
use crate::fault::GatewayFault;
use crate::integrations::function::Function;
use crate::metrics::Counters;
use crate::observe::{self, ApiKind};
use crate::plans::api::{Known, Settings};
use crate::routes::{self, Tree};
use crate::uri::UriTemplate;
use crate::{plans, rest};

/// The hard limit, and the default.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const DEFAULT_ROUTE: &str = "$default";

type Compiled<T> = Result<T, GatewayFault>;
type Integrations<'a> = HashMap<&'a str, &'a api::Integration>;

impl plans::api::Deployed for Deployed {
    type Api = api::Api;
    type Stage = api::Stage;
    type Snapshot = Snapshot;
    type Tuning = Tuning;
    type Epoch = AuthorizerCacheEpoch;

    const KIND: ApiKind = ApiKind::Http;

    fn compile(snapshot: &Snapshot) -> Self {
        let address_disabled = snapshot.api.disable_execute_api_endpoint == Some(true);
        let cors = snapshot.api.cors_configuration.as_ref().map(cors);
        let websocket = snapshot.api.protocol_type == Some(api::ProtocolType::Websocket);
        let (keys, routes) = (Vec::new(), Tree::default());
        let mut deployed = Self { address_disabled, websocket, cors, keys, routes, default: None };
        if websocket {
            deployed.default = Some(refused(GatewayFault::NotServed("WebSocket APIs")));
            return deployed;
        }
        let integrations: Integrations<'_> = snapshot
            .integrations
            .iter()
            .filter_map(|integration| Some((integration.integration_id.as_deref()?, integration)))
            .collect();
        let authorizers = http_compile::authorizers(snapshot);
        for stored in &snapshot.routes {
            deployed.add(stored, http_compile::guard(&authorizers, stored), &integrations);
        }
        deployed
    }

    fn flushes(epoch: &AuthorizerCacheEpoch) -> u64 {
        epoch.resets
    }

    fn settings(stage: &api::Stage) -> Settings {
        Settings {
            name: stage.stage_name.clone(),
            deployment: stage.deployment_id.clone(),
            variables: stage.stage_variables.clone().unwrap_or_default(),
            canary: None,
            wanted: observe::wanted_of_http(stage),
        }
    }

    fn detailed(tuning: &Tuning) -> impl Iterator<Item = (&str, &Counters)> {
        tuning.detailed()
    }

    fn tune(&self, stage: &api::Stage, known: &Known<'_, Tuning>) -> Tuning {
        Tuning::of(self, stage, known)
    }
}

impl Deployed {
    fn add(&mut self, stored: &api::Route, guard: Guard, integrations: &Integrations<'_>) {
        let key = stored.route_key.as_deref().unwrap_or_default();
        let integration = integration(stored, key == DEFAULT_ROUTE, integrations);
        let route = Route {
            index: self.keys.len(),
            key: key.to_owned(),
            guard,
            integration: integration.unwrap_or_else(Integration::Refused),
        };
        self.keys.push(key.to_owned());
        if key == DEFAULT_ROUTE {
            self.default = Some(route);
        } else if let Some((verb, path)) = key.split_once(' ')
            && let Some(verb) = routes::Verb::parse(verb)
        {
            self.routes.insert(path.trim_start(), verb, route);
        }
    }
}

fn refused(fault: GatewayFault) -> Route {
    Route {
        index: 0,
        key: DEFAULT_ROUTE.to_owned(),
        guard: Guard::Open,
        integration: Integration::Refused(fault),
    }
}

fn integration(
    route: &api::Route,
    is_default: bool,
    integrations: &Integrations<'_>,
) -> Compiled<Integration> {
    let target = route.target.as_deref().and_then(|target| target.strip_prefix("integrations/"));
    let integration =
        target.and_then(|id| integrations.get(id)).ok_or_else(|| configuration("no integration"))?;
    match integration.integration_type {
        Some(api::IntegrationType::HttpProxy) => {
            outgoing(integration, is_default).map(Integration::HttpProxy)
        }
        Some(api::IntegrationType::AwsProxy) => match &integration.integration_subtype {
            Some(subtype) => service(integration, subtype).map(Integration::Service),
            None => aws_proxy(integration).map(Integration::AwsProxy),
        },
        _ => Err(GatewayFault::NotServed("integrations of this type")),
    }
}

fn aws_proxy(integration: &api::Integration) -> Compiled<AwsProxy> {
    let uri =
        integration.integration_uri.as_deref().ok_or_else(|| configuration("Invalid endpoint address"))?;
    let format = match integration.payload_format_version.as_deref() {
        Some("2.0") => PayloadFormat::V2,
        _ => PayloadFormat::V1,
    };
    let by_role = integration.credentials_arn.is_some();
    let function = Function { uri: UriTemplate::parse(uri), timeout: timeout(integration), by_role };
    Ok(AwsProxy {
        function,
        format,
        parameters: parameters(integration)?,
        responses: responses(integration)?,
    })
}

fn service(integration: &api::Integration, subtype: &str) -> Compiled<AwsService> {
    let stored = integration.request_parameters.clone().unwrap_or_default();
    Ok(AwsService {
        service: Service::parse(subtype, &stored).map_err(invalid)?,
        responses: responses(integration)?,
        timeout: timeout(integration),
    })
}

fn parameters(integration: &api::Integration) -> Compiled<Parameters> {
    integration
        .request_parameters
        .as_ref()
        .map_or(Ok(Parameters::default()), |stored| Parameters::of_request(stored).map_err(invalid))
}

fn responses(integration: &api::Integration) -> Compiled<Responses> {
    let stored = integration.response_parameters.iter().flatten();
    let by_status = stored.map(|(status, mappings)| {
        let status = status.parse().map_err(|_| configuration("Invalid status code"))?;
        Ok((status, Parameters::of_response(mappings).map_err(invalid)?))
    });
    by_status.collect()
}

fn link(integration: &api::Integration) -> Option<Link> {
    let private = integration.connection_type == Some(api::ConnectionType::VpcLink);
    private.then(|| Link {
        id: integration.connection_id.clone().unwrap_or_default(),
        server_name: integration.tls_config.as_ref().and_then(|tls| tls.server_name_to_verify.clone()),
    })
}

fn invalid(Invalid(why): Invalid) -> GatewayFault {
    GatewayFault::Configuration(why.into())
}

fn timeout(integration: &api::Integration) -> Duration {
    rest::compile::timeout(integration.timeout_in_millis, TIMEOUT_DEFAULT).min(TIMEOUT_DEFAULT)
}

fn outgoing(integration: &api::Integration, appends_path: bool) -> Compiled<Outgoing> {
    let uri =
        integration.integration_uri.as_deref().ok_or_else(|| configuration("Invalid endpoint address"))?;
    let verb = integration.integration_method.as_deref().unwrap_or("ANY");
    let verb = match routes::Verb::parse(verb).ok_or_else(|| configuration("Invalid integration method"))? {
        routes::Verb::Any => None,
        routes::Verb::One(verb) => Some(verb),
    };
    let uri = UriTemplate::parse(uri);
    Ok(Outgoing {
        fixed: uri.text().and_then(|text| crate::uri::endpoint(text.to_owned()).ok()),
        uri,
        appends_path,
        verb,
        timeout: timeout(integration),
        link: link(integration),
        parameters: parameters(integration)?,
        responses: responses(integration)?,
    })
}

fn configuration(text: &'static str) -> GatewayFault {
    GatewayFault::Configuration(text.into())
}

fn cors(stored: &api::Cors) -> Cors {
    let joined = |list: &Option<Vec<String>>| {
        let list = list.as_ref().filter(|list| !list.is_empty())?;
        HeaderValue::from_str(&list.join(",")).ok()
    };
    Cors {
        origins: stored.allow_origins.clone().unwrap_or_default(),
        credentials: stored.allow_credentials == Some(true),
        methods: joined(&stored.allow_methods),
        headers: joined(&stored.allow_headers),
        exposed: joined(&stored.expose_headers),
        max_age: stored.max_age.map(HeaderValue::from),
    }
}
