//! `ImportRestApi` and `PutRestApi`: an API from a definition, in place of what it was or merged into it.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    CreateRestApiRequest, EndpointConfiguration, EndpointType, ImportRestApiRequest, PutMode,
    PutRestApiRequest, RestApi,
};
use stagedoor_state::{Cx, Result, definition};

use super::apply::{self, Target};
use super::base_path::BasePath;
use super::document::Document;
use super::plan::Definition;
use super::read;
use crate::{messages, policy, resource, rest_api, tags};

/// `POST /restapis?mode=import`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_ImportRestApi.html>
pub fn import_rest_api(cx: &mut Cx<'_>, input: ImportRestApiRequest) -> Result<RestApi> {
    let wishes = Wishes::new(input.parameters)?;
    let definition = wishes.read(cx, &input.body)?;
    let api = rest_api::new_api(cx, creation(&definition.api, &wishes)?, None)?;
    let id = api.id.as_deref().unwrap_or_default();
    resource::put_root(cx, id, api.root_resource_id.as_deref().unwrap_or_default())?;
    cx.put(&[id], &api)?;
    // There is nothing to merge with.
    let target = wishes.target(id, PutMode::Merge);
    let notes = apply::store(cx, &target, definition)?;
    notes.conclude(input.fail_on_warnings == Some(true))?;
    Ok(RestApi {
        policy: api.policy.as_deref().map(policy::answered),
        warnings: Some(notes.warnings).filter(|warnings| !warnings.is_empty()),
        ..api
    })
}

/// `PUT /restapis/{restapi_id}`: `overwrite` leaves the API's id, its endpoint type, its stages and what they serve;
/// everything else becomes what the definition says. Resources, models, authorizers and validators that were there
/// under the same path or name keep their ids.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html>
pub fn put_rest_api(cx: &mut Cx<'_>, input: PutRestApiRequest) -> Result<RestApi> {
    let id = input.rest_api_id.as_str();
    let old = rest_api::existing(cx, id)?;
    let wishes = Wishes::new(input.parameters)?;
    let definition = wishes.read(cx, &input.body)?;
    let mode = input.mode.unwrap_or(PutMode::Merge);
    let mut api = match mode {
        PutMode::Merge => merged(old, definition.api.clone()),
        PutMode::Overwrite => overwritten(old, definition.api.clone()),
    };
    rest_api::check(&api)?;
    if definition.api.policy.is_some() {
        api.policy = policy::stored(cx, id, api.policy.as_deref())?;
    }
    cx.put(&[id], &api)?;
    let notes = apply::store(cx, &wishes.target(id, mode), definition)?;
    notes.conclude(input.fail_on_warnings == Some(true))?;
    let warnings = Some(notes.warnings).filter(|warnings| !warnings.is_empty());
    Ok(RestApi { warnings, ..rest_api::answered(api) })
}

/// What the caller says beside the definition. Names of parameters are taken in any case.
struct Wishes {
    base_path: BasePath,
    ignore_documentation: bool,
    endpoint_types: Option<Vec<EndpointType>>,
}

impl Wishes {
    fn new(parameters: Option<BTreeMap<String, String>>) -> Result<Self> {
        let parameters = parameters.unwrap_or_default();
        let given = |wanted: &str| {
            let mut all = parameters.iter();
            all.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        let endpoint_types = given("endpointConfigurationTypes").map(|types| {
            let types = types.split(',').map(|kind| EndpointType::parse(kind.trim()));
            types.map(|kind| kind.ok_or_else(messages::bad_endpoint_type)).collect()
        });
        Ok(Self {
            base_path: BasePath::parse(given("basepath"))?,
            ignore_documentation: given("ignore")
                .is_some_and(|what| what.eq_ignore_ascii_case("documentation")),
            endpoint_types: endpoint_types.transpose()?,
        })
    }

    fn read(&self, cx: &Cx<'_>, body: &[u8]) -> Result<Definition> {
        let text = std::str::from_utf8(body).map_err(|_| messages::bad_definition())?;
        let text = definition::with_variables(text, cx.region(), cx.account());
        let document = Document::read(&text).ok_or_else(messages::bad_definition)?;
        Ok(read::definition(&document, self.base_path))
    }

    fn target<'a>(&self, api: &'a str, mode: PutMode) -> Target<'a> {
        Target { api, mode, ignore_documentation: self.ignore_documentation }
    }
}

/// The definition's API as `CreateRestApi` would be told of it.
fn creation(api: &RestApi, wishes: &Wishes) -> Result<CreateRestApiRequest> {
    let api = api.clone();
    let name = api.name.ok_or_else(messages::definition_without_title)?;
    let endpoint = EndpointConfiguration {
        types: wishes.endpoint_types.clone(),
        ..api.endpoint_configuration.unwrap_or_default()
    };
    Ok(CreateRestApiRequest {
        name,
        description: api.description,
        version: api.version,
        api_key_source: api.api_key_source,
        binary_media_types: api.binary_media_types,
        minimum_compression_size: api.minimum_compression_size,
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
        endpoint_configuration: Some(endpoint),
        endpoint_access_mode: api.endpoint_access_mode,
        security_policy: api.security_policy,
        policy: api.policy,
        tags: api.tags,
        clone_from: None,
    })
}

/// What the definition says wins; media types are added to those there.
fn merged(old: RestApi, new: RestApi) -> RestApi {
    let mut types = old.binary_media_types.unwrap_or_default();
    for new in new.binary_media_types.unwrap_or_default() {
        if !types.contains(&new) {
            types.push(new);
        }
    }
    RestApi {
        name: new.name.or(old.name),
        description: new.description.or(old.description),
        version: new.version.or(old.version),
        api_key_source: new.api_key_source.or(old.api_key_source),
        binary_media_types: Some(types).filter(|types| !types.is_empty()),
        minimum_compression_size: new.minimum_compression_size.or(old.minimum_compression_size),
        disable_execute_api_endpoint: new.disable_execute_api_endpoint.or(old.disable_execute_api_endpoint),
        endpoint_configuration: endpoint(old.endpoint_configuration, new.endpoint_configuration),
        endpoint_access_mode: new.endpoint_access_mode.or(old.endpoint_access_mode),
        security_policy: new.security_policy.or(old.security_policy),
        policy: new.policy.or(old.policy),
        tags: tags::merged(old.tags, new.tags),
        ..old
    }
}

fn overwritten(old: RestApi, new: RestApi) -> RestApi {
    RestApi {
        name: new.name.or(old.name),
        description: new.description,
        version: new.version,
        api_key_source: Some(new.api_key_source.unwrap_or_default()),
        binary_media_types: new.binary_media_types,
        minimum_compression_size: new.minimum_compression_size,
        disable_execute_api_endpoint: Some(new.disable_execute_api_endpoint.unwrap_or_default()),
        endpoint_configuration: endpoint(old.endpoint_configuration, new.endpoint_configuration),
        endpoint_access_mode: new.endpoint_access_mode.or(old.endpoint_access_mode),
        security_policy: new.security_policy.or(old.security_policy),
        policy: new.policy,
        tags: tags::merged(old.tags, new.tags),
        ..old
    }
}

/// Definitions do not say the type of an endpoint.
fn endpoint(
    old: Option<EndpointConfiguration>,
    new: Option<EndpointConfiguration>,
) -> Option<EndpointConfiguration> {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    Some(EndpointConfiguration {
        types: old.types,
        ip_address_type: new.ip_address_type.or(old.ip_address_type),
        vpc_endpoint_ids: new.vpc_endpoint_ids.or(old.vpc_endpoint_ids),
    })
}
