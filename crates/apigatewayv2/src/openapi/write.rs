//! An API written as a definition.
//!
//! Integrations that several routes share stand among the components, so that an import shares them again.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use stagedoor_api::apigatewayv2::{AuthorizationType, Authorizer, Cors, Integration, IpAddressType, Route};
use stagedoor_state::http::Snapshot;
use stagedoor_state::tags;

use super::{integration_extension, security_scheme};
use crate::{route, route_key};

pub const ANY: &str = "x-amazon-apigateway-any-method";
pub const AUTH: &str = "x-amazon-apigateway-auth";
pub const CORS: &str = "x-amazon-apigateway-cors";
pub const ENDPOINT: &str = "x-amazon-apigateway-endpoint-configuration";
pub const INTEGRATION: &str = "x-amazon-apigateway-integration";
pub const TAG_VALUE: &str = "x-amazon-apigateway-tag-value";
/// Where the route that takes everything else stands, and the member that says that it is that.
pub const DEFAULT_PATH: &str = "/$default";
pub const DEFAULT_ROUTE: &str = "isDefaultRoute";
/// Where shared integrations stand among the components.
const SHARED: &str = "x-amazon-apigateway-integrations";
const EXPORT_VERSION: &str = "x-amazon-apigateway-importexport-version";

/// Where the API is reached.
pub struct Server {
    pub url: String,
    /// The stage that is exported, if it is one.
    pub stage: Option<String>,
}

/// Writes an API. Without extensions only what OpenAPI itself knows is left: no integrations, authorizers, CORS,
/// and no routes for any method.
pub fn definition(snapshot: &Snapshot, server: &Server, extensions: bool) -> Json {
    let writer = Writer::new(snapshot, extensions);
    let api = &snapshot.api;
    let mut root = Map::new();
    root.insert("openapi".to_owned(), json!("3.0.1"));
    root.insert("info".to_owned(), writer.info());
    root.insert("servers".to_owned(), json!([writer.server(server)]));
    let tags = writer.tags();
    if !tags.is_empty() {
        root.insert("tags".to_owned(), Json::Array(tags));
    }
    root.insert("paths".to_owned(), Json::Object(writer.paths()));
    if extensions {
        let components = writer.components();
        if !components.is_empty() {
            root.insert("components".to_owned(), Json::Object(components));
        }
        if let Some(configuration) = &api.cors_configuration {
            root.insert(CORS.to_owned(), cors(configuration));
        }
        root.insert(EXPORT_VERSION.to_owned(), json!("1.0"));
    }
    Json::Object(root)
}

struct Writer<'a> {
    snapshot: &'a Snapshot,
    extensions: bool,
    authorizers: BTreeMap<&'a str, &'a Authorizer>,
    integrations: BTreeMap<&'a str, &'a Integration>,
    /// How many routes target an integration.
    uses: BTreeMap<&'a str, usize>,
}

impl<'a> Writer<'a> {
    fn new(snapshot: &'a Snapshot, extensions: bool) -> Self {
        let mut uses = BTreeMap::new();
        for id in snapshot.routes.iter().filter_map(route::integration) {
            *uses.entry(id).or_default() += 1;
        }
        let authorizers = snapshot.authorizers.iter();
        let integrations = snapshot.integrations.iter();
        Self {
            snapshot,
            extensions,
            authorizers: authorizers.filter_map(|it| Some((it.authorizer_id.as_deref()?, it))).collect(),
            integrations: integrations.filter_map(|it| Some((it.integration_id.as_deref()?, it))).collect(),
            uses,
        }
    }

    /// OpenAPI demands a version; an API without one has its date of creation.
    fn info(&self) -> Json {
        let api = &self.snapshot.api;
        let created = || api.created_date.unwrap_or_default().to_jiff().to_string();
        let mut info = Map::new();
        info.insert("title".to_owned(), json!(api.name));
        if let Some(description) = &api.description {
            info.insert("description".to_owned(), json!(description));
        }
        info.insert("version".to_owned(), json!(api.version.clone().unwrap_or_else(created)));
        Json::Object(info)
    }

    fn server(&self, server: &Server) -> Json {
        let base_path = match server.stage.as_deref() {
            None | Some(route_key::DEFAULT) => String::new(),
            Some(stage) => format!("/{stage}"),
        };
        let url = format!("{}/{{basePath}}", server.url);
        let mut written = json!({ "url": url, "variables": { "basePath": { "default": base_path } } });
        let mut endpoint = Map::new();
        let api = &self.snapshot.api;
        if api.disable_execute_api_endpoint == Some(true) {
            endpoint.insert("disableExecuteApiEndpoint".to_owned(), json!(true));
        }
        if let Some(kind) = api.ip_address_type.filter(|kind| *kind != IpAddressType::Ipv4) {
            endpoint.insert("ipAddressType".to_owned(), json!(kind.as_str()));
        }
        if self.extensions && !endpoint.is_empty() {
            written[ENDPOINT] = Json::Object(endpoint);
        }
        written
    }

    /// The tag that chose the API's id says nothing about the API.
    fn tags(&self) -> Vec<Json> {
        let tags = self.snapshot.api.tags.iter().flatten().filter(|(name, _)| *name != tags::ID_TAG);
        match self.extensions {
            true => tags.map(|(name, value)| json!({ "name": name, TAG_VALUE: value })).collect(),
            false => Vec::new(),
        }
    }

    /// The routes, sorted by path and then by verb.
    fn paths(&self) -> Map<String, Json> {
        let mut paths = BTreeMap::<&str, BTreeMap<String, Json>>::new();
        for route in &self.snapshot.routes {
            let key = route.route_key.as_deref().unwrap_or_default();
            let (path, member) = match key.split_once(' ') {
                Some(("ANY", path)) => (path, ANY.to_owned()),
                Some((verb, path)) => (path, verb.to_ascii_lowercase()),
                None => (DEFAULT_PATH, ANY.to_owned()),
            };
            if self.extensions || member != ANY {
                let operation = self.operation(key, route);
                paths.entry(path).or_default().insert(member, operation);
            }
        }
        let paths = paths.into_iter().map(|(path, operations)| {
            let mut item: Map<String, Json> = operations.into_iter().collect();
            let parameters: Vec<Json> = path.split('/').filter_map(parameter).collect();
            if !parameters.is_empty() {
                item.insert("parameters".to_owned(), Json::Array(parameters));
            }
            (path.to_owned(), Json::Object(item))
        });
        paths.collect()
    }

    fn operation(&self, key: &str, route: &Route) -> Json {
        let mut operation = Map::new();
        if let Some(name) = &route.operation_name {
            operation.insert("operationId".to_owned(), json!(name));
        }
        let description = format!("Default response for {key}");
        operation.insert("responses".to_owned(), json!({ "default": { "description": description } }));
        if !self.extensions {
            return Json::Object(operation);
        }
        let authorizer = route.authorizer_id.as_deref().and_then(|id| self.authorizers.get(id));
        if let Some(name) = authorizer.and_then(|authorizer| authorizer.name.as_ref()) {
            let scopes = route.authorization_scopes.as_deref().unwrap_or_default();
            operation.insert("security".to_owned(), json!([{ name: scopes }]));
        }
        if route.authorization_type == Some(AuthorizationType::AwsIam) {
            operation.insert(AUTH.to_owned(), json!({ "type": AuthorizationType::AwsIam.as_str() }));
        }
        if key == route_key::DEFAULT {
            operation.insert(DEFAULT_ROUTE.to_owned(), json!(true));
        }
        if let Some(integration) = self.integration(route) {
            operation.insert(INTEGRATION.to_owned(), integration);
        }
        Json::Object(operation)
    }

    fn integration(&self, route: &Route) -> Option<Json> {
        let id = route::integration(route)?;
        let integration = self.integrations.get(id)?;
        match self.uses.get(id) {
            Some(1) => Some(integration_extension::write(integration)),
            _ => Some(json!({ "$ref": format!("#/components/{SHARED}/{id}") })),
        }
    }

    fn components(&self) -> Map<String, Json> {
        let mut components = Map::new();
        let schemes = self.snapshot.authorizers.iter();
        let schemes: Map<String, Json> =
            schemes.filter_map(|it| Some((it.name.clone()?, security_scheme::write(it)))).collect();
        if !schemes.is_empty() {
            components.insert("securitySchemes".to_owned(), Json::Object(schemes));
        }
        let shared =
            self.integrations.iter().filter(|(id, _)| self.uses.get(*id).is_some_and(|uses| *uses > 1));
        let shared: Map<String, Json> =
            shared.map(|(id, it)| ((*id).to_owned(), integration_extension::write(it))).collect();
        if !shared.is_empty() {
            components.insert(SHARED.to_owned(), Json::Object(shared));
        }
        components
    }
}

/// The parameter that a variable segment of a path stands for.
fn parameter(segment: &str) -> Option<Json> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    Some(json!({
        "name": name,
        "in": "path",
        "description": format!("Generated path parameter for {name}"),
        "required": true,
        "schema": { "type": "string" },
    }))
}

fn cors(configuration: &Cors) -> Json {
    let mut extension = Map::new();
    let members = [
        ("allowCredentials", configuration.allow_credentials.map(Json::from)),
        ("allowHeaders", configuration.allow_headers.clone().map(Json::from)),
        ("allowMethods", configuration.allow_methods.clone().map(Json::from)),
        ("allowOrigins", configuration.allow_origins.clone().map(Json::from)),
        ("exposeHeaders", configuration.expose_headers.clone().map(Json::from)),
        ("maxAge", configuration.max_age.map(Json::from)),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            extension.insert(name.to_owned(), value);
        }
    }
    Json::Object(extension)
}
