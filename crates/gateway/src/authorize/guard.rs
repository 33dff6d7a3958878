//! What a method or route asks of its callers, and the authorizers of an API by which it is guarded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::lambda::LambdaAuthorizer;
use super::token::TokenAuthorizer;
use crate::fault::GatewayFault;

/// Longest that an authorizer's answer is kept, in seconds.
const TTL_SECONDS_MAX: i64 = 3600;

/// What comes of a document, or the answer of everything that needs it.
pub(super) type Compiled<T> = Result<T, GatewayFault>;

/// What a method or route asks of its callers.
#[derive(Debug)]
pub(crate) enum Guard {
    /// Nothing, but for a REST API's resource policy.
    Open,
    Iam,
    Lambda(Arc<LambdaAuthorizer>),
    /// With the method's or route's scopes.
    Token(Arc<TokenAuthorizer>, Vec<String>),
    /// Every request ends with this fault.
    Refused(GatewayFault),
}

impl Guard {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// An authorizer that can be asked.
pub(super) enum Authorizer {
    Lambda(Arc<LambdaAuthorizer>),
    Token(Arc<TokenAuthorizer>),
}

/// The authorizers of an API by their ids, each once.
pub(crate) struct Authorizers(HashMap<String, Compiled<Authorizer>>);

impl Authorizers {
    /// Those that have an id.
    pub(super) fn new(authorizers: impl Iterator<Item = (Option<String>, Compiled<Authorizer>)>) -> Self {
        Self(authorizers.filter_map(|(id, authorizer)| Some((id?, authorizer))).collect())
    }

    /// The guard of what names this authorizer and these scopes.
    pub(super) fn guard(&self, id: Option<&str>, scopes: Option<&[String]>) -> Guard {
        match self.0.get(id.unwrap_or_default()) {
            Some(Ok(Authorizer::Lambda(authorizer))) => Guard::Lambda(Arc::clone(authorizer)),
            Some(Ok(Authorizer::Token(authorizer))) => {
                Guard::Token(Arc::clone(authorizer), scopes.unwrap_or_default().to_vec())
            }
            Some(Err(fault)) => Guard::Refused(fault.clone()),
            None => Guard::Refused(GatewayFault::Configuration("Authorizer not found".into())),
        }
    }
}

/// A time to live, kept within AWS's bounds.
pub(super) fn seconds(ttl: i64) -> Duration {
    Duration::from_secs(ttl.clamp(0, TTL_SECONDS_MAX).unsigned_abs())
}

pub(super) fn unreadable_source() -> GatewayFault {
    GatewayFault::Configuration("Invalid identity source".into())
}
