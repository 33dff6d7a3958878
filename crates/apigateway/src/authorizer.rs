//! Authorizers: `CreateAuthorizer`, `GetAuthorizer`, `GetAuthorizers`, `UpdateAuthorizer`, `DeleteAuthorizer`.
//!
//! Not here: `TestInvokeAuthorizer`, which asks the data plane (`test_invoke.rs`).

use stagedoor_api::apigateway::{
    Authorizer, AuthorizerType, Authorizers, CreateAuthorizerRequest, DeleteAuthorizerRequest,
    GetAuthorizerRequest, GetAuthorizersRequest, JwtConfiguration, JwtConfigurationInput, JwtIssuer,
    JwtIssuerInput, Op, Resource, RestApi, UpdateAuthorizerRequest,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::{Cx, Result};

use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, quota, rest_api};

/// Characters of an authorizer's id.
pub const ID_LENGTH: usize = 6;
/// Longest that an answer may be cached, in seconds.
const TTL_SECONDS_MAX: i64 = 3600;
/// Where a token is unless something else is said.
const DEFAULT_IDENTITY_SOURCE: &str = "method.request.header.Authorization";

/// `POST /restapis/{restapi_id}/authorizers`; an unknown API is a 409, which only this operation makes of it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html>
pub fn create_authorizer(cx: &mut Cx<'_>, input: CreateAuthorizerRequest) -> Result<Authorizer> {
    let api = input.rest_api_id.as_str();
    if !cx.exists::<RestApi>(&[api])? {
        return Err(messages::concurrent_modification());
    }
    quota::check::<Authorizer>(cx, &[api], quota::AUTHORIZERS)?;
    let authorizer = Authorizer {
        id: Some(cx.new_id(ID_LENGTH)),
        name: Some(input.name),
        r#type: Some(input.r#type),
        auth_type: input.auth_type,
        authorizer_uri: input.authorizer_uri,
        authorizer_credentials: input.authorizer_credentials,
        authorizer_result_ttl_in_seconds: input.authorizer_result_ttl_in_seconds,
        identity_source: input.identity_source,
        identity_validation_expression: input.identity_validation_expression,
        jwt_configuration: input.jwt_configuration.map(jwt_configuration),
        provider_arns: input.provider_arns,
    };
    store(cx, api, authorizer)
}

/// `GET /restapis/{restapi_id}/authorizers/{authorizer_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAuthorizer.html>
pub fn get_authorizer(cx: &mut Cx<'_>, input: GetAuthorizerRequest) -> Result<Authorizer> {
    existing(cx, &input.rest_api_id, &input.authorizer_id)
}

/// `GET /restapis/{restapi_id}/authorizers`, by id; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAuthorizers.html>
pub fn get_authorizers(cx: &mut Cx<'_>, input: GetAuthorizersRequest) -> Result<Authorizers> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let authorizers = cx.all::<Authorizer>(&[api])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |authorizer: &Authorizer| authorizer.id.clone().unwrap_or_default();
    let page = listing::page(cx, &format!("authorizers {api}"), authorizers, order, &wish)?;
    Ok(Authorizers { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/authorizers/{authorizer_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateAuthorizer.html>
pub fn update_authorizer(cx: &mut Cx<'_>, input: UpdateAuthorizerRequest) -> Result<Authorizer> {
    let old = existing(cx, &input.rest_api_id, &input.authorizer_id)?;
    let authorizer = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    store(cx, &input.rest_api_id, authorizer)
}

/// `DELETE /restapis/{restapi_id}/authorizers/{authorizer_id}`, unless a method uses it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteAuthorizer.html>
pub fn delete_authorizer(cx: &mut Cx<'_>, input: DeleteAuthorizerRequest) -> Result<()> {
    let (api, id) = (input.rest_api_id.as_str(), input.authorizer_id.as_str());
    let authorizer = existing(cx, api, id)?;
    for resource in cx.all::<Resource>(&[api])? {
        let methods = resource.resource_methods.iter().flatten();
        let user = methods.into_iter().find(|(_, method)| method.authorizer_id.as_deref() == Some(id));
        if let Some((verb, _)) = user {
            let (name, path) = (authorizer.name.unwrap_or_default(), resource.path.unwrap_or_default());
            return Err(messages::authorizer_in_use(&name, verb, &path));
        }
    }
    cx.delete::<Authorizer>(&[api, id])
}

/// The authorizer of that id. An unknown API is answered like an unknown authorizer.
pub(crate) fn existing(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<Authorizer> {
    cx.get(&[api, id])?.ok_or_else(messages::no_authorizer)
}

fn jwt_configuration(input: JwtConfigurationInput) -> JwtConfiguration {
    JwtConfiguration {
        default_algorithms: Some(input.default_algorithms),
        issuers: Some(input.issuers.into_iter().map(jwt_issuer).collect()),
    }
}

/// Where the issuer's keys are is left open: the data plane asks the issuer.
fn jwt_issuer(input: JwtIssuerInput) -> JwtIssuer {
    JwtIssuer {
        additional_claims: input.additional_claims,
        audiences: Some(input.audiences),
        issuer: Some(input.issuer),
        jwks_uri: None,
    }
}

// === Rules that hold after every change ===

fn store(cx: &mut Cx<'_>, api: &str, mut authorizer: Authorizer) -> Result<Authorizer> {
    settle(&mut authorizer)?;
    let id = authorizer.id.clone().unwrap_or_default();
    let same_name = |other: &Authorizer| other.name == authorizer.name && other.id != authorizer.id;
    if cx.all::<Authorizer>(&[api])?.iter().any(same_name) {
        return Err(messages::authorizer_exists(authorizer.name.as_deref().unwrap_or_default()));
    }
    cx.put(&[api, &id], &authorizer)?;
    Ok(authorizer)
}

/// Fills in defaults and refuses what cannot work.
pub fn settle(authorizer: &mut Authorizer) -> Result<()> {
    if authorizer.name.as_deref().unwrap_or_default().is_empty() {
        return Err(messages::authorizer_name_empty());
    }
    let ttl = authorizer.authorizer_result_ttl_in_seconds;
    if ttl.is_some_and(|ttl| !(0..=TTL_SECONDS_MAX).contains(&ttl)) {
        return Err(messages::bad_authorizer_ttl());
    }
    let kind = authorizer.r#type.unwrap_or_default();
    let (auth_type, source) = match kind {
        AuthorizerType::Token => ("custom", Some(DEFAULT_IDENTITY_SOURCE)),
        AuthorizerType::Request => ("custom", None),
        AuthorizerType::CognitoUserPools => ("cognito_user_pools", Some(DEFAULT_IDENTITY_SOURCE)),
        AuthorizerType::Jwt => ("jwt", Some(DEFAULT_IDENTITY_SOURCE)),
    };
    let empty = |text: &String| text.is_empty();
    authorizer.auth_type =
        authorizer.auth_type.take().filter(|given| !empty(given)).or(Some(auth_type.into()));
    let given = authorizer.identity_source.take().filter(|given| !empty(given));
    authorizer.identity_source = given.or(source.map(str::to_owned));
    authorizer.provider_arns = authorizer.provider_arns.take().filter(|arns| !arns.is_empty());
    match kind {
        AuthorizerType::Token | AuthorizerType::Request => check_uri(authorizer),
        AuthorizerType::CognitoUserPools => check_pools(authorizer),
        AuthorizerType::Jwt => Ok(()),
    }
}

/// A Lambda authorizer names an invocation of a function; one of requests that caches says by what.
fn check_uri(authorizer: &Authorizer) -> Result<()> {
    let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
    let arn = Arn::parse(uri).filter(|arn| arn.service == "apigateway" && arn.account == "lambda");
    if !arn.is_some_and(|arn| arn.resource.starts_with("path/") && arn.resource.ends_with("/invocations")) {
        return Err(messages::bad_authorizer_uri(uri));
    }
    let caches = authorizer.authorizer_result_ttl_in_seconds != Some(0);
    match caches && authorizer.identity_source.is_none() {
        true => Err(messages::identity_source_needed()),
        false => Ok(()),
    }
}

fn check_pools(authorizer: &Authorizer) -> Result<()> {
    let pool = |arn: &String| Arn::parse(arn).is_some_and(|arn| arn.service == "cognito-idp");
    match authorizer.provider_arns.as_ref().is_some_and(|arns| arns.iter().all(pool)) {
        true => Ok(()),
        false => Err(messages::bad_provider_arns()),
    }
}

// === Patches ===

const PATCHES: Table<Authorizer> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<Authorizer>] = &[
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/type", ops: &[Op::Replace], apply: patch_type },
    Row { path: "/authType", ops: &[Op::Replace], apply: patch_auth_type },
    Row { path: "/authorizerUri", ops: &[Op::Replace], apply: patch_uri },
    Row { path: "/authorizerCredentials", ops: &[Op::Replace], apply: patch_credentials },
    Row { path: "/authorizerResultTtlInSeconds", ops: &[Op::Replace], apply: patch_ttl },
    Row { path: "/identityValidationExpression", ops: &[Op::Replace], apply: patch_expression },
    Row { path: "/identitySource", ops: ADD_REPLACE_REMOVE, apply: patch_identity_source },
    Row { path: "/providerARNs", ops: &[Op::Add, Op::Remove], apply: patch_provider_arns },
];

fn patch_name(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    authorizer.name = change.text();
    Ok(())
}

fn patch_type(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    let kind = change.value.and_then(AuthorizerType::parse);
    authorizer.r#type =
        Some(kind.ok_or_else(|| messages::bad_option("AuthorizerType", "TOKEN,REQUEST,COGNITO_USER_POOLS"))?);
    Ok(())
}

fn patch_auth_type(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    authorizer.auth_type = change.text();
    Ok(())
}

fn patch_uri(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    authorizer.authorizer_uri = change.text();
    Ok(())
}

fn patch_credentials(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    authorizer.authorizer_credentials = change.text();
    Ok(())
}

fn patch_ttl(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    let ttl = change.text().map(|ttl| ttl.parse()).transpose();
    authorizer.authorizer_result_ttl_in_seconds = ttl.map_err(|_| messages::bad_authorizer_ttl())?;
    Ok(())
}

fn patch_expression(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    authorizer.identity_validation_expression = change.text();
    Ok(())
}

/// A list in one string, separated by commas; `add` and `remove` name one of it.
fn patch_identity_source(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    let old = authorizer.identity_source.take().unwrap_or_default();
    let named = change.value_or_empty();
    if change.op == Op::Replace {
        authorizer.identity_source = change.text();
        return Ok(());
    }
    let mut sources: Vec<_> =
        old.split(',').filter(|source| !source.is_empty() && *source != named).collect();
    if change.op == Op::Add {
        sources.push(&named);
    }
    authorizer.identity_source = Some(sources.join(","));
    Ok(())
}

fn patch_provider_arns(authorizer: &mut Authorizer, change: &Change<'_>) -> Result<()> {
    let arns = authorizer.provider_arns.get_or_insert_default();
    let named = change.value_or_empty();
    arns.retain(|arn| *arn != named);
    if change.op == Op::Add {
        arns.push(named);
    }
    Ok(())
}
