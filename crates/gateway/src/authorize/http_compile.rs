//! Makes guards of what an HTTP API's snapshot says of authorization. What cannot be served becomes its routes' answer.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_api::apigatewayv2 as api;
use stagedoor_auth::jose::Algorithm;
use stagedoor_state::http::Snapshot;

use super::guard::{Authorizer, Authorizers, Compiled, Guard, seconds, unreadable_source};
use super::issuer::{Issuer, Place};
use super::lambda::{Form, LambdaAuthorizer, Version};
use super::source::Source;
use super::token::{Dialect, TokenAuthorizer, Trusted};
use crate::uri::UriTemplate;

/// How long AWS waits for an authorizer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The authorizers of an API.
pub(crate) fn authorizers(snapshot: &Snapshot) -> Authorizers {
    let authorizers = snapshot.authorizers.iter();
    Authorizers::new(authorizers.map(|stored| (stored.authorizer_id.clone(), authorizer(stored))))
}

/// What a route asks of its callers.
pub(crate) fn guard(authorizers: &Authorizers, route: &api::Route) -> Guard {
    match route.authorization_type {
        None | Some(api::AuthorizationType::None) => Guard::Open,
        Some(api::AuthorizationType::AwsIam) => Guard::Iam,
        Some(api::AuthorizationType::Custom | api::AuthorizationType::Jwt) => {
            authorizers.guard(route.authorizer_id.as_deref(), route.authorization_scopes.as_deref())
        }
    }
}

fn authorizer(stored: &api::Authorizer) -> Compiled<Authorizer> {
    let sources: Option<Vec<Source>> =
        stored.identity_source.iter().flatten().map(|source| Source::parse(source)).collect();
    let sources = sources.ok_or_else(unreadable_source)?;
    match stored.authorizer_type.unwrap_or_default() {
        api::AuthorizerType::Jwt => jwt(stored, sources).map(Authorizer::Token),
        api::AuthorizerType::Request => Ok(Authorizer::Lambda(lambda(stored, sources))),
    }
}

fn lambda(stored: &api::Authorizer, sources: Vec<Source>) -> Arc<LambdaAuthorizer> {
    let version = match stored.authorizer_payload_format_version.as_deref() {
        Some("2.0") => Version::V2,
        _ => Version::V1,
    };
    let simple = version == Version::V2 && stored.enable_simple_responses == Some(true);
    Arc::new(LambdaAuthorizer {
        id: stored.authorizer_id.clone().unwrap_or_default(),
        uri: UriTemplate::parse(stored.authorizer_uri.as_deref().unwrap_or_default()),
        timeout: TIMEOUT,
        ttl: seconds(stored.authorizer_result_ttl_in_seconds.unwrap_or(0)),
        sources,
        form: Form::Http { version, simple },
    })
}

fn jwt(stored: &api::Authorizer, sources: Vec<Source>) -> Compiled<Arc<TokenAuthorizer>> {
    let configuration = stored.jwt_configuration.clone().unwrap_or_default();
    let source = sources.into_iter().next().ok_or_else(unreadable_source)?;
    let name = configuration.issuer.unwrap_or_default();
    let trusted = Trusted {
        keys: Issuer::new(Place::Discovered { issuer: name.clone() }).into(),
        name,
        audiences: configuration.audience.unwrap_or_default(),
        additional: Vec::new(),
    };
    let algorithms = Algorithm::RSA.to_vec();
    Ok(Arc::new(TokenAuthorizer::new(source, algorithms, vec![trusted], Dialect::Jwt)))
}
