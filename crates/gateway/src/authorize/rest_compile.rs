//! Makes guards of what a REST API's snapshot says of authorization. What cannot be served becomes its methods' answer.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_api::apigateway as api;
use stagedoor_auth::jose::Algorithm;
use stagedoor_auth::policy::Policy;
use stagedoor_state::rest::Snapshot;
use stagedoor_vtl::JavaRegex;

use super::guard::{Authorizer, Authorizers, Compiled, Guard, seconds, unreadable_source};
use super::issuer::{Issuer, Place};
use super::lambda::{Form, LambdaAuthorizer};
use super::source::Source;
use super::token::{AdditionalClaim, Dialect, TokenAuthorizer, Trusted};
use crate::fault::GatewayFault;
use crate::uri::UriTemplate;

/// How long AWS waits for an authorizer, and how long it keeps an answer where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(29);
const TTL_SECONDS_DEFAULT: i64 = 300;
/// Where a token is unless something else is said.
const DEFAULT_SOURCE: &str = "method.request.header.Authorization";

/// The authorizers of an API.
pub(crate) fn authorizers(snapshot: &Snapshot) -> Authorizers {
    Authorizers::new(snapshot.authorizers.iter().map(|stored| (stored.id.clone(), authorizer(stored))))
}

/// What a method asks of its callers.
pub(crate) fn guard(authorizers: &Authorizers, method: &api::Method) -> Guard {
    match method.authorization_type.as_deref() {
        None | Some("" | "NONE") => Guard::Open,
        Some("AWS_IAM") => Guard::Iam,
        Some(_) => authorizers.guard(method.authorizer_id.as_deref(), method.authorization_scopes.as_deref()),
    }
}

/// The API's resource policy. One that cannot be read lets nobody in.
pub(crate) fn policy(api: &api::RestApi) -> Option<Compiled<Policy>> {
    let text = api.policy.as_deref().filter(|text| !text.is_empty())?;
    let unreadable = |error| GatewayFault::Configuration(format!("Invalid resource policy: {error}").into());
    Some(Policy::parse(text).map_err(unreadable))
}

fn authorizer(stored: &api::Authorizer) -> Compiled<Authorizer> {
    match stored.r#type.unwrap_or_default() {
        api::AuthorizerType::Token | api::AuthorizerType::Request => lambda(stored).map(Authorizer::Lambda),
        api::AuthorizerType::CognitoUserPools => user_pools(stored).map(Authorizer::Token),
        api::AuthorizerType::Jwt => jwt(stored).map(Authorizer::Token),
    }
}

fn lambda(stored: &api::Authorizer) -> Compiled<Arc<LambdaAuthorizer>> {
    let is_token = stored.r#type == Some(api::AuthorizerType::Token);
    let form = if is_token { Form::Token { expression: expression(stored)? } } else { Form::Request };
    let default = if is_token { DEFAULT_SOURCE } else { "" };
    let sources = Source::parse_list(stored.identity_source.as_deref().unwrap_or(default));
    let ttl = stored.authorizer_result_ttl_in_seconds.unwrap_or(TTL_SECONDS_DEFAULT);
    Ok(Arc::new(LambdaAuthorizer {
        id: stored.id.clone().unwrap_or_default(),
        uri: UriTemplate::parse(stored.authorizer_uri.as_deref().unwrap_or_default()),
        timeout: TIMEOUT,
        ttl: seconds(ttl),
        sources: sources.ok_or_else(unreadable_source)?,
        form,
    }))
}

/// `identityValidationExpression` matches the whole token.
fn expression(stored: &api::Authorizer) -> Compiled<Option<JavaRegex>> {
    let text = stored.identity_validation_expression.as_deref().filter(|text| !text.is_empty());
    let compiled = text.map(JavaRegex::whole).transpose();
    compiled.map_err(|_| GatewayFault::Configuration("Invalid identity validation expression".into()))
}

fn user_pools(stored: &api::Authorizer) -> Compiled<Arc<TokenAuthorizer>> {
    let pools = stored.provider_arns.iter().flatten();
    let issuers: Option<Vec<Trusted>> = pools.map(|arn| user_pool(arn)).collect();
    let issuers = issuers.ok_or_else(|| GatewayFault::Configuration("Invalid provider ARN".into()))?;
    let dialect = Dialect::UserPools { audience: expression(stored)? };
    Ok(Arc::new(TokenAuthorizer::new(source(stored)?, vec![Algorithm::Rs256], issuers, dialect)))
}

/// `arn:aws:cognito-idp:{region}:{account}:userpool/{pool}`
fn user_pool(arn: &str) -> Option<Trusted> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "cognito-idp", region, _, resource] = parts[..] else { return None };
    let pool = resource.strip_prefix("userpool/")?;
    let name = format!("https://cognito-idp.{region}.amazonaws.com/{pool}");
    let place = Place::UserPool { region: region.to_owned(), pool: pool.to_owned() };
    Some(Trusted { name, keys: Issuer::new(place).into(), audiences: Vec::new(), additional: Vec::new() })
}

fn jwt(stored: &api::Authorizer) -> Compiled<Arc<TokenAuthorizer>> {
    let configuration = stored.jwt_configuration.clone().unwrap_or_default();
    let names = configuration.default_algorithms.unwrap_or_default();
    let algorithms = names.iter().filter_map(|name| Algorithm::parse(name.as_str())).collect();
    let issuers = configuration.issuers.unwrap_or_default().into_iter().map(|issuer| {
        let name = issuer.issuer.unwrap_or_default();
        let place = match issuer.jwks_uri {
            Some(uri) => Place::Keys { uri },
            None => Place::Discovered { issuer: name.clone() },
        };
        Trusted {
            name,
            keys: Issuer::new(place).into(),
            audiences: issuer.audiences.unwrap_or_default(),
            additional: issuer.additional_claims.into_iter().flatten().map(additional).collect(),
        }
    });
    Ok(Arc::new(TokenAuthorizer::new(source(stored)?, algorithms, issuers.collect(), Dialect::Jwt)))
}

fn additional(claim: api::JwtAdditionalClaim) -> AdditionalClaim {
    AdditionalClaim {
        name: claim.claim_name,
        expected: claim.expected_values.unwrap_or_default(),
        required: claim.required == Some(true),
    }
}

fn source(stored: &api::Authorizer) -> Compiled<Source> {
    Source::parse(stored.identity_source.as_deref().unwrap_or(DEFAULT_SOURCE)).ok_or_else(unreadable_source)
}
