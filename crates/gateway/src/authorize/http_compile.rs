//! Makes guards of what an HTTP API's snapshot says of authorization. What cannot be served becomes its routes' answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_api::apigatewayv2 as api;
use stagedoor_auth::jose::Algorithm;
use stagedoor_state::http::Snapshot;

use super::http::Guard;
use super::issuer::{Issuer, Place};
use super::lambda::{Form, LambdaAuthorizer, Version};
use super::rest_compile::seconds;
use super::source::Source;
use super::token::{Dialect, TokenAuthorizer, Trusted};
use crate::fault::GatewayFault;
use crate::uri::UriTemplate;

/// How long AWS waits for an authorizer.
const TIMEOUT: Duration = Duration::from_secs(10);

type Compiled<T> = Result<T, GatewayFault>;

/// The authorizers of an API, each once.
pub(crate) struct Authorizers(HashMap<String, Compiled<Kind>>);

#[derive(Clone)]
enum Kind {
    Lambda(Arc<LambdaAuthorizer>),
    Token(Arc<TokenAuthorizer>),
}

impl Authorizers {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let authorizers = snapshot.authorizers.iter();
        Self(authorizers.filter_map(|stored| Some((stored.authorizer_id.clone()?, kind(stored)))).collect())
    }

    pub(crate) fn guard(&self, route: &api::Route) -> Guard {
        match route.authorization_type {
            None | Some(api::AuthorizationType::None) => return Guard::Open,
            Some(api::AuthorizationType::AwsIam) => return Guard::Iam,
            Some(api::AuthorizationType::Custom | api::AuthorizationType::Jwt) => {}
        }
        let scopes = || route.authorization_scopes.clone().unwrap_or_default();
        match self.0.get(route.authorizer_id.as_deref().unwrap_or_default()) {
            Some(Ok(Kind::Lambda(authorizer))) => Guard::Lambda(Arc::clone(authorizer)),
            Some(Ok(Kind::Token(authorizer))) => Guard::Token(Arc::clone(authorizer), scopes()),
            Some(Err(fault)) => Guard::Refused(fault.clone()),
            None => Guard::Refused(configuration("Authorizer not found")),
        }
    }
}

fn kind(stored: &api::Authorizer) -> Compiled<Kind> {
    let sources: Option<Vec<Source>> =
        stored.identity_source.iter().flatten().map(|source| Source::parse(source)).collect();
    let sources = sources.ok_or_else(|| configuration("Invalid identity source"))?;
    match stored.authorizer_type.unwrap_or_default() {
        api::AuthorizerType::Jwt => jwt(stored, sources).map(Kind::Token),
        api::AuthorizerType::Request => Ok(Kind::Lambda(lambda(stored, sources))),
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
    let source = sources.into_iter().next().ok_or_else(|| self::configuration("Invalid identity source"))?;
    let name = configuration.issuer.unwrap_or_default();
    let trusted = Trusted {
        keys: Issuer::new(Place::Discovered { issuer: name.clone() }),
        name,
        audiences: configuration.audience.unwrap_or_default(),
        additional: Vec::new(),
    };
    let algorithms = Algorithm::RSA.to_vec();
    Ok(Arc::new(TokenAuthorizer::new(source, algorithms, vec![trusted], Dialect::Jwt)))
}

fn configuration(text: &'static str) -> GatewayFault {
    GatewayFault::Configuration(text.into())
}
