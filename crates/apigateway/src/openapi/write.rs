//! What a stage serves as a definition: the root of the document and what methods refer to. Methods are written in
//! [`super::write_method`].

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};
use stagedoor_api::apigateway::{Authorizer, AuthorizerType, GatewayResponse, Resource, RestApi};
use stagedoor_state::rest::Snapshot;
use stagedoor_state::tags;

use super::document::Format;
use super::{extension, write_method};
use crate::schema;

/// What of API Gateway's own an export shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    pub integrations: bool,
    pub authorizers: bool,
    pub validators: bool,
    pub documentation: bool,
    /// Everything that belongs to the API and to no method.
    pub api: bool,
}

impl Extensions {
    /// Reads `integrations,authorizers`. What is not known means nothing, as in AWS.
    pub fn parse(text: &str) -> Self {
        let mut extensions = Self::default();
        for wish in text.split(',').map(|wish| wish.trim().to_ascii_lowercase()) {
            match wish.as_str() {
                "integrations" => extensions.integrations = true,
                "authorizers" => extensions.authorizers = true,
                "validators" => extensions.validators = true,
                "documentation" => extensions.documentation = true,
                "apigateway" => {
                    extensions = Self {
                        integrations: true,
                        authorizers: true,
                        validators: true,
                        api: true,
                        ..extensions
                    };
                }
                _ => {}
            }
        }
        extensions
    }
}

/// Where the stage is reached.
pub struct Server<'a> {
    /// `http://{host}`
    pub origin: String,
    pub stage: &'a str,
}

/// The definition of what was deployed.
pub fn definition(snapshot: &Snapshot, server: &Server<'_>, format: Format, extensions: Extensions) -> Value {
    let writer = Writer::new(snapshot, format, extensions);
    let paths = writer.paths();
    let schemas = writer.schemas();
    let schemes = writer.security_schemes();
    let mut root = head(&snapshot.api, server, format);
    if extensions.api {
        insert(&mut root, "tags", tags_of(&snapshot.api));
    }
    root.insert("paths".to_owned(), paths);
    match format {
        Format::Swagger => {
            insert(&mut root, "securityDefinitions", schemes);
            insert(&mut root, "definitions", schemas);
        }
        Format::OpenApi => {
            let mut components = Map::new();
            insert(&mut components, "schemas", schemas);
            insert(&mut components, "securitySchemes", schemes);
            insert(
                &mut root,
                "components",
                Some(components).filter(|all| !all.is_empty()).map(Value::Object),
            );
        }
    }
    if extensions.validators {
        insert(&mut root, extension::REQUEST_VALIDATORS, writer.validators());
    }
    if extensions.api {
        writer.api_extensions(&mut root);
    }
    Value::Object(root)
}

/// What the version of a definition is: the API's own, else when it was made.
pub fn version(api: &RestApi) -> String {
    api.version.clone().unwrap_or_else(|| api.created_date.unwrap_or_default().whole_seconds().to_string())
}

fn head(api: &RestApi, server: &Server<'_>, format: Format) -> Map<String, Value> {
    let mut info = Map::new();
    insert(&mut info, "title", api.name.clone().map(Value::from));
    insert(&mut info, "description", api.description.clone().map(Value::from));
    info.insert("version".to_owned(), Value::from(version(api)));
    let mut root = Map::new();
    let (scheme, host) = server.origin.split_once("://").unwrap_or(("https", &server.origin));
    match format {
        Format::Swagger => {
            root.insert("swagger".to_owned(), json!("2.0"));
            root.insert("info".to_owned(), Value::Object(info));
            // An address with a path has no host of its own.
            let (host, path) =
                host.split_once('/').map_or((host, String::new()), |(host, path)| (host, format!("/{path}")));
            root.insert("host".to_owned(), json!(host));
            root.insert("basePath".to_owned(), json!(format!("{path}/{}", server.stage)));
            root.insert("schemes".to_owned(), json!([scheme]));
        }
        Format::OpenApi => {
            root.insert("openapi".to_owned(), json!("3.0.1"));
            root.insert("info".to_owned(), Value::Object(info));
            let server = json!({
                "url": format!("{}/{{basePath}}", server.origin),
                "variables": {"basePath": {"default": server.stage}},
            });
            root.insert("servers".to_owned(), json!([server]));
        }
    }
    root
}

fn tags_of(api: &RestApi) -> Option<Value> {
    let tags = api.tags.iter().flatten().filter(|(name, _)| name.as_str() != tags::ID_TAG);
    let tags: Vec<_> = tags.map(|(name, value)| json!({"name": name, extension::TAG_VALUE: value})).collect();
    (!tags.is_empty()).then(|| Value::from(tags))
}

/// Adds a member if there is something to add.
pub fn insert(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value);
    }
}

/// A snapshot on its way into a definition.
pub struct Writer<'a> {
    pub snapshot: &'a Snapshot,
    pub format: Format,
    pub extensions: Extensions,
    /// By id.
    pub authorizers: BTreeMap<&'a str, &'a Authorizer>,
    /// Names of request validators by id.
    pub validators: BTreeMap<&'a str, &'a str>,
    /// Names of models whose schemas are JSON, which alone can be exported.
    pub models: BTreeMap<&'a str, Value>,
}

impl<'a> Writer<'a> {
    fn new(snapshot: &'a Snapshot, format: Format, extensions: Extensions) -> Self {
        let authorizers = snapshot.authorizers.iter();
        let validators = snapshot.request_validators.iter();
        let prefix = schema::address(snapshot.api.id.as_deref().unwrap_or_default(), "");
        let mut models = BTreeMap::new();
        for model in &snapshot.models {
            let schema =
                model.schema.as_deref().and_then(|schema| serde_json::from_str::<Value>(schema).ok());
            if let Some(mut schema) = schema.filter(Value::is_object) {
                schema::each_reference(&mut schema, &mut |reference| {
                    if let Some(name) = reference.strip_prefix(&prefix) {
                        *reference = schema_reference(format, name);
                    }
                });
                models.insert(model.name.as_deref().unwrap_or_default(), schema);
            }
        }
        Self {
            snapshot,
            format,
            extensions,
            authorizers: authorizers
                .map(|authorizer| (authorizer.id.as_deref().unwrap_or_default(), authorizer))
                .collect(),
            validators: validators
                .map(|validator| {
                    let name = validator.name.as_deref().unwrap_or_default();
                    (validator.id.as_deref().unwrap_or_default(), name)
                })
                .collect(),
            models,
        }
    }

    /// Paths with methods, and those that nothing else would show.
    fn paths(&self) -> Value {
        let mut resources: Vec<&Resource> = self.snapshot.resources.iter().collect();
        resources.sort_by(|a, b| a.path.cmp(&b.path));
        let parents: HashSet<_> =
            resources.iter().filter_map(|resource| resource.parent_id.as_deref()).collect();
        let is_parent = |resource: &Resource| parents.contains(resource.id.as_deref().unwrap_or_default());
        let mut paths = Map::new();
        for resource in resources {
            let methods = resource.resource_methods.iter().flatten();
            let methods: Map<_, _> = methods
                .map(|(verb, method)| {
                    (extension::member(verb), write_method::operation(self, resource, method))
                })
                .collect();
            if !methods.is_empty() || (resource.parent_id.is_some() && !is_parent(resource)) {
                paths.insert(resource.path.clone().unwrap_or_default(), Value::Object(methods));
            }
        }
        Value::Object(paths)
    }

    fn schemas(&self) -> Option<Value> {
        let schemas = self.models.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
        let schemas: Map<_, _> = schemas.collect();
        (!schemas.is_empty()).then_some(Value::Object(schemas))
    }

    /// A reference to a model, if it is one that can be exported.
    pub fn schema(&self, model: &str) -> Option<Value> {
        self.models.contains_key(model).then(|| json!({"$ref": schema_reference(self.format, model)}))
    }

    fn security_schemes(&self) -> Option<Value> {
        let methods = || {
            let methods =
                self.snapshot.resources.iter().flat_map(|resource| resource.resource_methods.iter());
            methods.flatten().map(|(_, method)| method)
        };
        let mut schemes = Map::new();
        for authorizer in &self.snapshot.authorizers {
            let name = authorizer.name.clone().unwrap_or_default();
            schemes.insert(name, scheme(authorizer, self.extensions.authorizers));
        }
        if methods().any(|method| method.api_key_required == Some(true)) {
            let scheme = json!({"type": "apiKey", "name": extension::API_KEY_HEADER, "in": "header"});
            schemes.insert(write_method::API_KEY.to_owned(), scheme);
        }
        if methods().any(|method| method.authorization_type.as_deref() == Some("AWS_IAM")) {
            let scheme = json!({
                "type": "apiKey", "name": "Authorization", "in": "header",
                extension::AUTH_TYPE: extension::SIGNED,
            });
            schemes.insert(write_method::SIGNED.to_owned(), scheme);
        }
        (!schemes.is_empty()).then_some(Value::Object(schemes))
    }

    fn validators(&self) -> Option<Value> {
        let validators = self.snapshot.request_validators.iter().map(|validator| {
            let members = json!({
                "validateRequestParameters": validator.validate_request_parameters.unwrap_or_default(),
                "validateRequestBody": validator.validate_request_body.unwrap_or_default(),
            });
            (validator.name.clone().unwrap_or_default(), members)
        });
        let validators: Map<_, _> = validators.collect();
        (!validators.is_empty()).then_some(Value::Object(validators))
    }

    fn api_extensions(&self, root: &mut Map<String, Value>) {
        let api = &self.snapshot.api;
        let source = api.api_key_source.map(|source| source.as_str()).filter(|source| *source != "HEADER");
        insert(root, extension::API_KEY_SOURCE, source.map(Value::from));
        insert(root, extension::BINARY_MEDIA_TYPES, api.binary_media_types.clone().map(Value::from));
        insert(root, extension::MINIMUM_COMPRESSION_SIZE, api.minimum_compression_size.map(Value::from));
        let policy = api.policy.as_deref().and_then(|policy| serde_json::from_str(policy).ok());
        insert(root, extension::POLICY, policy);
        insert(
            root,
            extension::SECURITY_POLICY,
            api.security_policy.map(|policy| Value::from(policy.as_str())),
        );
        insert(
            root,
            extension::ENDPOINT_ACCESS_MODE,
            api.endpoint_access_mode.map(|mode| Value::from(mode.as_str())),
        );
        let responses: Map<_, _> = self.snapshot.gateway_responses.iter().map(gateway_response).collect();
        insert(
            root,
            extension::GATEWAY_RESPONSES,
            (!responses.is_empty()).then_some(Value::Object(responses)),
        );
        if let Some(endpoint) = endpoint_configuration(api) {
            match self.format {
                Format::Swagger => root.insert(extension::ENDPOINT_CONFIGURATION.to_owned(), endpoint),
                Format::OpenApi => root["servers"][0]
                    .as_object_mut()
                    .and_then(|server| server.insert(extension::ENDPOINT_CONFIGURATION.to_owned(), endpoint)),
            };
        }
    }
}

fn schema_reference(format: Format, name: &str) -> String {
    match format {
        Format::Swagger => format!("#/definitions/{name}"),
        Format::OpenApi => format!("#/components/schemas/{name}"),
    }
}

fn endpoint_configuration(api: &RestApi) -> Option<Value> {
    let endpoint = api.endpoint_configuration.clone().unwrap_or_default();
    let mut members = Map::new();
    insert(&mut members, "vpcEndpointIds", endpoint.vpc_endpoint_ids.map(Value::from));
    let disabled = api.disable_execute_api_endpoint.filter(|disabled| *disabled);
    insert(&mut members, "disableExecuteApiEndpoint", disabled.map(Value::from));
    (!members.is_empty()).then_some(Value::Object(members))
}

fn gateway_response(response: &GatewayResponse) -> (String, Value) {
    let mut members = Map::new();
    insert(&mut members, "statusCode", response.status_code.clone().map(Value::from));
    insert(&mut members, "responseParameters", map(response.response_parameters.as_ref()));
    insert(&mut members, "responseTemplates", map(response.response_templates.as_ref()));
    (response.response_type.unwrap_or_default().as_str().to_owned(), Value::Object(members))
}

/// A map of texts that is there.
pub fn map(map: Option<&BTreeMap<String, String>>) -> Option<Value> {
    map.map(|map| map.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect())
}

fn scheme(authorizer: &Authorizer, whole: bool) -> Value {
    let kind = authorizer.r#type.unwrap_or_default();
    let source = authorizer.identity_source.as_deref().unwrap_or_default();
    let header = source.strip_prefix("method.request.header.").filter(|header| !header.contains(','));
    // What a request authorizer looks at is no one header.
    let name = if kind == AuthorizerType::Request { "Unused" } else { header.unwrap_or("Authorization") };
    let mut scheme = Map::new();
    insert(&mut scheme, "type", Some(json!("apiKey")));
    insert(&mut scheme, "name", Some(json!(name)));
    insert(&mut scheme, "in", Some(json!("header")));
    insert(&mut scheme, extension::AUTH_TYPE, authorizer.auth_type.clone().map(Value::from));
    if whole {
        let mut members = Map::new();
        let text = |text: &Option<String>| text.clone().map(Value::from);
        insert(&mut members, "type", Some(json!(kind.as_str().to_ascii_lowercase())));
        insert(&mut members, "authorizerUri", text(&authorizer.authorizer_uri));
        insert(&mut members, "authorizerCredentials", text(&authorizer.authorizer_credentials));
        let ttl = authorizer.authorizer_result_ttl_in_seconds;
        insert(&mut members, "authorizerResultTtlInSeconds", ttl.map(Value::from));
        insert(
            &mut members,
            "identitySource",
            text(&authorizer.identity_source).filter(|_| header.is_none() || kind == AuthorizerType::Request),
        );
        insert(
            &mut members,
            "identityValidationExpression",
            text(&authorizer.identity_validation_expression),
        );
        insert(&mut members, "providerARNs", authorizer.provider_arns.clone().map(Value::from));
        let jwt = authorizer.jwt_configuration.as_ref().and_then(|jwt| serde_json::to_value(jwt).ok());
        insert(&mut members, "jwtConfiguration", jwt);
        scheme.insert(extension::AUTHORIZER.to_owned(), Value::Object(members));
    }
    Value::Object(scheme)
}
