//! Authorizers that verify JSON web tokens themselves: JWT authorizers of HTTP and REST APIs, and user pools.
//!
//! A token that held is kept, so that the next request with it costs one look-up: until it expires, and no longer than
//! the keys that verified it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use stagedoor_auth::jose::{Algorithm, Malformed, Token};
use stagedoor_vtl::JavaRegex;

use super::cache::Cache;
use super::caller::Claims;
use super::claims;
use super::issuer::{Issuer, NoKey};
use super::source::Source;
use crate::shared::Shared;

/// Tokens that an authorizer keeps at most, and their bytes.
const TOKENS_MAX: usize = 20_000;
const TOKENS_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct TokenAuthorizer {
    pub(crate) source: Source,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) issuers: Vec<Trusted>,
    pub(crate) dialect: Dialect,
    held: Cache<Arc<Held>>,
}

/// An issuer that is believed, and for whom its tokens must be.
#[derive(Debug)]
pub(crate) struct Trusted {
    /// `iss`
    pub(crate) name: String,
    pub(crate) keys: Arc<Issuer>,
    /// `aud`, or `client_id`: any of these. Empty is not asked.
    pub(crate) audiences: Vec<String>,
    pub(crate) additional: Vec<AdditionalClaim>,
}

/// A claim that a REST API's JWT authorizer asks for.
#[derive(Debug)]
pub(crate) struct AdditionalClaim {
    pub(crate) name: String,
    /// Empty is any.
    pub(crate) expected: Vec<String>,
    pub(crate) required: bool,
}

/// How claims are written, and what else is asked of a token.
#[derive(Debug)]
pub(crate) enum Dialect {
    Jwt,
    /// `aud` must match the expression, if there is one.
    UserPools {
        audience: Option<JavaRegex>,
    },
}

/// A token that holds.
#[derive(Debug)]
pub(crate) struct Held {
    /// As methods without scopes are told.
    pub(crate) claims: Arc<Claims>,
    /// The same with the token's scopes, as those with scopes are told.
    pub(crate) scoped: Arc<Claims>,
    /// `token_use`, of user pools.
    pub(crate) purpose: Option<String>,
}

/// Why a token does not hold, in the words of `www-authenticate`. Two of them are known of AWS, the others are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Malformed(Malformed),
    Algorithm(Algorithm),
    Issuer,
    NoKey(NoKey),
    Signature,
    Audience,
    Expired,
    NotYetValid,
    IssuedLater,
    Claim(String),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => why.fmt(f),
            Self::Algorithm(algorithm) => write!(f, "signing method {} is invalid", algorithm.name()),
            Self::Issuer => f.write_str("the token does not have a valid issuer"),
            Self::NoKey(NoKey::Unknown) => {
                f.write_str("unable to find a signing key that matches the token's kid")
            }
            Self::NoKey(NoKey::Unavailable(why)) => f.write_str(why),
            Self::Signature => f.write_str("signature is invalid"),
            Self::Audience => f.write_str("the token does not have a valid audience"),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet"),
            Self::IssuedLater => f.write_str("the token was issued in the future"),
            Self::Claim(name) => write!(f, "the token does not have a valid {name}"),
        }
    }
}

impl TokenAuthorizer {
    pub(crate) fn new(
        source: Source,
        algorithms: Vec<Algorithm>,
        issuers: Vec<Trusted>,
        dialect: Dialect,
    ) -> Self {
        Self { source, algorithms, issuers, dialect, held: Cache::new(TOKENS_MAX, TOKENS_BYTES_MAX) }
    }

    /// Verifies a token, with or without `Bearer ` before it. `now` is the time since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// Says why it does not hold.
    pub(crate) async fn verify(
        &self,
        shared: &Shared,
        text: &str,
        now: Duration,
    ) -> Result<Arc<Held>, Rejected> {
        let text = without_scheme(text);
        if let Some(held) = self.held.get(text, now) {
            return Ok(held);
        }
        let token = Token::parse(text).map_err(Rejected::Malformed)?;
        if !self.algorithms.contains(&token.algorithm()) {
            return Err(Rejected::Algorithm(token.algorithm()));
        }
        let named = token.claims().get("iss").and_then(Value::as_str).unwrap_or_default();
        let issuer = self.issuers.iter().find(|issuer| issuer.is_named(named, shared));
        let issuer = issuer.ok_or(Rejected::Issuer)?;
        let found = issuer.keys.key(&shared.documents, token.key_id()).await.map_err(Rejected::NoKey)?;
        if !token.is_signed_by(&found.key) {
            return Err(Rejected::Signature);
        }
        let claims = token.into_claims();
        self.check(issuer, &claims, now)?;
        let until = expiry(&claims).min(now + found.keys.life());
        let held = Arc::new(self.held(&claims));
        // Claims are kept twice, as text.
        self.held.put(text, Arc::clone(&held), 4 * text.len(), until, now);
        Ok(held)
    }

    fn check(&self, issuer: &Trusted, claims: &Map<String, Value>, now: Duration) -> Result<(), Rejected> {
        let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::INFINITY));
        let now_seconds = now.as_secs_f64();
        if claims.get("exp").and_then(Value::as_f64).is_none_or(|exp| exp <= now_seconds) {
            return Err(Rejected::Expired);
        }
        if time("nbf").is_some_and(|nbf| nbf > now_seconds) {
            return Err(Rejected::NotYetValid);
        }
        if time("iat").is_some_and(|iat| iat > now_seconds) {
            return Err(Rejected::IssuedLater);
        }
        let has_audience = issuer.audiences.is_empty() || audience_is_among(claims, &issuer.audiences);
        if !has_audience || !self.matches_expression(claims) {
            return Err(Rejected::Audience);
        }
        match issuer.additional.iter().find(|claim| !claim.holds(claims)) {
            Some(claim) => Err(Rejected::Claim(claim.name.clone())),
            None => Ok(()),
        }
    }

    fn matches_expression(&self, claims: &Map<String, Value>) -> bool {
        let Dialect::UserPools { audience: Some(expression) } = &self.dialect else { return true };
        let audience = claims.get("aud").or_else(|| claims.get("client_id")).and_then(Value::as_str);
        expression.is_match(audience.unwrap_or_default()) == Ok(true)
    }

    fn held(&self, claims: &Map<String, Value>) -> Held {
        let written = match self.dialect {
            Dialect::Jwt => claims::written(claims),
            Dialect::UserPools { .. } => claims::written_for_user_pools(claims),
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let plain = Claims { claims: written, scopes: None, principal_id: text("sub") };
        let scoped = Claims { scopes: Some(claims::scopes(claims)), ..plain.clone() };
        Held { claims: Arc::new(plain), scoped: Arc::new(scoped), purpose: text("token_use") }
    }
}

impl Trusted {
    fn is_named(&self, name: &str, shared: &Shared) -> bool {
        self.name == name || self.keys.local_name(&shared.documents).is_some_and(|local| local == name)
    }
}

impl Held {
    /// Whether the token has one of these scopes.
    pub(crate) fn has_one_of(&self, scopes: &[String]) -> bool {
        self.scoped.scopes.iter().flatten().any(|scope| scopes.contains(scope))
    }
}

impl AdditionalClaim {
    fn holds(&self, claims: &Map<String, Value>) -> bool {
        match claims.get(&self.name) {
            None => !self.required,
            Some(Value::String(value)) => self.expected.is_empty() || self.expected.contains(value),
            Some(_) => false,
        }
    }
}

/// `aud` decides where there is one, `client_id` only where there is none.
fn audience_is_among(claims: &Map<String, Value>, audiences: &[String]) -> bool {
    let is_one =
        |value: &Value| value.as_str().is_some_and(|value| audiences.iter().any(|known| known == value));
    match claims.get("aud") {
        Some(Value::Array(values)) => values.iter().any(is_one),
        Some(value) => is_one(value),
        None => claims.get("client_id").is_some_and(is_one),
    }
}

/// Since 1970-01-01T00:00:00Z.
fn expiry(claims: &Map<String, Value>) -> Duration {
    let seconds = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

fn without_scheme(text: &str) -> &str {
    const SCHEME: &str = "Bearer ";
    let text = text.trim();
    match text.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => text[SCHEME.len()..].trim_start(),
        _ => text,
    }
}
