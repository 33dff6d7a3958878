//! A definition read: the API, integrations, authorizers and routes that it describes.
//!
//! What is wrong in one place does not spoil the rest: it is noted and left out, as in AWS.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};
use stagedoor_api::apigatewayv2::{
    Api, AuthorizationType, Authorizer, AuthorizerType, Cors, Integration, IpAddressType, ProtocolType, Route,
};
use stagedoor_state::{Result, definition};

use super::base_path::BasePathMode;
use super::notes::Notes;
use super::security_scheme::{self, Scheme};
use super::{integration_extension, write};
use crate::{messages, route, route_key};

/// Verbs that a path of a definition can have.
const VERBS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
/// Members of an operation that HTTP APIs do not have.
const UNSUPPORTED: [&str; 3] = ["requestBody", "callbacks", "x-amazon-apigateway-request-validator"];

/// What a definition describes.
#[derive(Debug, Default)]
pub struct Definition {
    /// Without id, dates and defaults.
    pub api: Api,
    /// Without ids; each name once.
    pub authorizers: Vec<Authorizer>,
    /// Without ids.
    pub integrations: Vec<Integration>,
    pub routes: Vec<Planned>,
    pub notes: Notes,
}

/// A route before it and what it refers to have ids.
#[derive(Debug)]
pub struct Planned {
    pub route: Route,
    /// The place of its integration in [`Definition::integrations`].
    pub integration: Option<usize>,
    /// The name of its authorizer.
    pub authorizer: Option<String>,
}

/// Reads a definition.
///
/// # Errors
/// BadRequestException for what is no OpenAPI 3.0 definition.
pub fn definition(root: &Json, mode: BasePathMode) -> Result<Definition> {
    let version = root.get("openapi").and_then(definition::text).unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(messages::definition_version_invalid());
    }
    let paths = root.get("paths").and_then(Json::as_object).ok_or_else(messages::definition_invalid)?;
    let mut reader = Reader::new(root);
    reader.read.api = api(root);
    reader.schemes();
    let prefix = mode.prefix(root);
    for (path, item) in paths {
        reader.path(&prefix, path, item);
    }
    Ok(reader.read)
}

fn api(root: &Json) -> Api {
    let info = |name: &str| root["info"].get(name).and_then(definition::text).filter(|text| !text.is_empty());
    let endpoint = endpoint_configuration(root);
    Api {
        cors_configuration: root.get(write::CORS).map(cors),
        description: info("description"),
        disable_execute_api_endpoint: endpoint.get("disableExecuteApiEndpoint").and_then(Json::as_bool),
        ip_address_type: endpoint.get("ipAddressType").and_then(Json::as_str).and_then(IpAddressType::parse),
        name: Some(info("title").unwrap_or_default()),
        protocol_type: Some(ProtocolType::Http),
        tags: tags(root),
        version: info("version"),
        ..Api::default()
    }
}

/// AWS documents it at the first server; older definitions have it at the root.
fn endpoint_configuration(root: &Json) -> &Json {
    let server = root["servers"][0].get(write::ENDPOINT);
    server.or_else(|| root.get(write::ENDPOINT)).unwrap_or(&Json::Null)
}

fn cors(extension: &Json) -> Cors {
    let list = |name: &str| match extension.get(name)? {
        Json::Array(items) => Some(items.iter().filter_map(definition::text).collect()),
        single => definition::text(single).map(|text| vec![text]),
    };
    Cors {
        allow_credentials: extension.get("allowCredentials").and_then(Json::as_bool),
        allow_headers: list("allowHeaders"),
        allow_methods: list("allowMethods"),
        allow_origins: list("allowOrigins"),
        expose_headers: list("exposeHeaders"),
        max_age: extension.get("maxAge").and_then(Json::as_i64),
    }
}

/// Tags of OpenAPI are labels; those with a value are tags of AWS.
fn tags(root: &Json) -> Option<BTreeMap<String, String>> {
    let tags = root.get("tags")?.as_array()?.iter().filter_map(|tag| {
        Some((definition::text(tag.get("name")?)?, definition::text(tag.get(write::TAG_VALUE)?)?))
    });
    let tags: BTreeMap<_, _> = tags.collect();
    (!tags.is_empty()).then_some(tags)
}

struct Reader<'a> {
    root: &'a Json,
    read: Definition,
    /// What each security scheme means; `None` if it was wrong.
    schemes: HashMap<String, Option<Scheme>>,
    /// The places of integrations that routes share, by their reference.
    shared: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Json) -> Self {
        Self { root, read: Definition::default(), schemes: HashMap::new(), shared: HashMap::new() }
    }

    fn schemes(&mut self) {
        let schemes = self.root["components"]["securitySchemes"].as_object();
        for (name, scheme) in schemes.into_iter().flatten() {
            let meaning = security_scheme::read(name, scheme);
            match &meaning {
                Ok(Scheme::Authorizer(authorizer)) => self.read.authorizers.push((**authorizer).clone()),
                Ok(Scheme::Signed) => {}
                Ok(Scheme::Unsupported) => {
                    self.read.notes.info(format!("Security scheme '{name}' is not supported. Ignoring."));
                }
                Err(fault) => {
                    let warning =
                        format!("Unable to create authorizer '{name}': {}. Ignoring.", fault.message);
                    self.read.notes.warn(warning);
                }
            }
            self.schemes.insert(name.clone(), meaning.ok());
        }
    }

    fn path(&mut self, prefix: &str, path: &str, item: &Json) {
        let Some(item) = item.as_object() else { return };
        for (member, operation) in item {
            let verb = match member.as_str() {
                write::ANY => "ANY".to_owned(),
                verb if VERBS.contains(&verb) => verb.to_ascii_uppercase(),
                _ => continue,
            };
            let default = path == write::DEFAULT_PATH && member == write::ANY
                || operation.get(write::DEFAULT_ROUTE).and_then(Json::as_bool) == Some(true);
            let key = match default {
                true => route_key::DEFAULT.to_owned(),
                false => format!("{verb} {prefix}{path}"),
            };
            let place = format!("paths.'{path}'({member})");
            if let Err(reason) = self.operation(&key, &place, operation) {
                self.read.notes.warn(format!("Unable to create route '{key}': {reason}. Ignoring."));
            }
        }
    }

    /// Adds the route of an operation, or says why there is none.
    fn operation(&mut self, key: &str, place: &str, operation: &Json) -> std::result::Result<(), String> {
        let members = operation.as_object().ok_or("an operation must be an object")?;
        // The parser that AWS uses says it like this.
        if !members.contains_key("responses") {
            self.read.notes.warn(format!("Parse issue: attribute {place}.responses is missing"));
        }
        for member in UNSUPPORTED.iter().filter(|member| members.contains_key(**member)) {
            self.read.notes.info(format!("'{member}' of route '{key}' is not supported. Ignoring."));
        }
        route_key::check(ProtocolType::Http, key).map_err(|fault| fault.message)?;
        self.check_unique(key)?;
        let (authorizer, route) = self.authorization(members)?;
        let integration = self.integration(members)?;
        let route = Route {
            api_key_required: Some(false),
            operation_name: members.get("operationId").and_then(definition::text),
            route_key: Some(key.to_owned()),
            ..route
        };
        route::check_alone(ProtocolType::Http, &route).map_err(|fault| fault.message)?;
        self.read.routes.push(Planned { route, integration, authorizer });
        Ok(())
    }

    fn check_unique(&self, key: &str) -> std::result::Result<(), String> {
        for planned in &self.read.routes {
            let other = planned.route.route_key.as_deref().unwrap_or_default();
            route::check_keys(ProtocolType::Http, key, other).map_err(|fault| fault.message)?;
        }
        Ok(())
    }

    fn integration(&mut self, operation: &Map<String, Json>) -> std::result::Result<Option<usize>, String> {
        let Some(extension) = operation.get(write::INTEGRATION) else { return Ok(None) };
        let reference = extension.get("$ref").and_then(Json::as_str);
        if let Some(place) = reference.and_then(|reference| self.shared.get(reference)) {
            return Ok(Some(*place));
        }
        let extension = match reference {
            Some(reference) => {
                self.referenced(reference).ok_or_else(|| format!("nothing is at {reference}"))?
            }
            None => extension,
        };
        let integration = integration_extension::read(extension).map_err(|fault| fault.message)?;
        let place = self.read.integrations.len();
        self.read.integrations.push(integration);
        if let Some(reference) = reference {
            self.shared.insert(reference.to_owned(), place);
        }
        Ok(Some(place))
    }

    /// What a reference within the definition names.
    fn referenced(&self, reference: &str) -> Option<&'a Json> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    /// The name of an operation's authorizer, and what a route holds of its authorization.
    fn authorization(
        &self,
        operation: &Map<String, Json>,
    ) -> std::result::Result<(Option<String>, Route), String> {
        let of_kind = |kind| Route { authorization_type: Some(kind), ..Route::default() };
        let signed = operation.get(write::AUTH).and_then(|auth| auth.get("type")).and_then(Json::as_str);
        if signed.is_some_and(|kind| kind.eq_ignore_ascii_case(AuthorizationType::AwsIam.as_str())) {
            return Ok((None, of_kind(AuthorizationType::AwsIam)));
        }
        let security = operation.get("security").or_else(|| self.root.get("security"));
        let first = security.and_then(|security| security.get(0)).and_then(Json::as_object);
        let Some((name, scopes)) = first.and_then(|first| first.iter().next()) else {
            return Ok((None, of_kind(AuthorizationType::None)));
        };
        match self.schemes.get(name) {
            None => Err(format!("there is no security scheme '{name}'")),
            Some(None) => Err(format!("its authorizer '{name}' could not be created")),
            Some(Some(Scheme::Unsupported)) => Ok((None, of_kind(AuthorizationType::None))),
            Some(Some(Scheme::Signed)) => Ok((None, of_kind(AuthorizationType::AwsIam))),
            Some(Some(Scheme::Authorizer(authorizer))) => {
                let jwt = authorizer.authorizer_type == Some(AuthorizerType::Jwt);
                let scopes: Vec<String> =
                    scopes.as_array().into_iter().flatten().filter_map(definition::text).collect();
                let route = Route {
                    authorization_scopes: Some(scopes).filter(|scopes| jwt && !scopes.is_empty()),
                    ..of_kind(if jwt { AuthorizationType::Jwt } else { AuthorizationType::Custom })
                };
                Ok((Some(name.clone()), route))
            }
        }
    }
}
