//! The keys of an issuer of tokens: fetched when first needed, kept for two hours, fetched again when a token names a key
//! that is not among them.
//!
//! At most one fetch of an issuer is under way; who needs its keys waits for it, nobody else does. Fetches follow each
//! other no faster than [`FETCH_INTERVAL`], so tokens with made-up key ids reach the issuer that often at most.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use serde::Deserialize;
use stagedoor_auth::jose::{Key, KeySet};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::backends::Trust;
use crate::body;
use crate::shared::Shared;

/// Longest time of one fetch, and longest document: AWS's quotas.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1500);
const DOCUMENT_BYTES_MAX: usize = 150_000;
/// How long keys are used before they are fetched anew.
const KEYS_LIFE: Duration = Duration::from_secs(2 * 60 * 60);
const FETCH_INTERVAL: Duration = Duration::from_secs(1);

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where the issuer's discovery document says.
    Discovered { issuer: String },
    /// Here.
    Keys { uri: String },
    /// Where a user pool of Cognito's has them: at the endpoint that is configured for `cognito-idp`, else AWS's own.
    UserPool { region: String, pool: String },
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// The issuer has none of that id.
    Unknown,
    /// The issuer cannot be asked; in AWS's words where they are known.
    Unavailable(&'static str),
}

/// A key, and how long what it verifies may be believed without asking again.
pub(crate) struct Found {
    pub(crate) keys: Arc<Keys>,
    pub(crate) key: Key,
}

#[derive(Debug)]
pub(crate) struct Issuer {
    place: Place,
    current: ArcSwapOption<Keys>,
    last: Mutex<Last>,
}

#[derive(Debug)]
pub(crate) struct Keys {
    set: KeySet,
    fetched: Instant,
}

/// The last fetch.
#[derive(Debug, Default)]
struct Last {
    ended: Option<Instant>,
    failure: Option<&'static str>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    /// How long these keys are still used.
    pub(crate) fn life(&self) -> Duration {
        KEYS_LIFE.saturating_sub(self.fetched.elapsed())
    }
}

impl Issuer {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, current: ArcSwapOption::empty(), last: Mutex::default() }
    }

    /// The key of a token that names this one.
    ///
    /// # Errors
    /// When there is none, or nobody to ask.
    pub(crate) async fn key(&self, shared: &Shared, id: Option<&str>) -> Result<Found, NoKey> {
        if let Some(found) = self.known(id) {
            return Ok(found);
        }
        let mut last = self.last.lock().await;
        // Whoever had the lock may have fetched it.
        if let Some(found) = self.known(id) {
            return Ok(found);
        }
        if last.ended.is_none_or(|ended| ended.elapsed() >= FETCH_INTERVAL) {
            let fetched = self.fetch(shared).await;
            last.ended = Some(Instant::now());
            last.failure = fetched.as_ref().err().copied();
            if let Ok(set) = fetched {
                self.current.store(Some(Arc::new(Keys { set, fetched: Instant::now() })));
            }
        }
        match last.failure {
            Some(why) => Err(NoKey::Unavailable(why)),
            None => self.known(id).ok_or(NoKey::Unknown),
        }
    }

    /// What a user pool at a configured endpoint calls itself.
    pub(crate) fn local_name(&self, shared: &Shared) -> Option<String> {
        let Place::UserPool { pool, .. } = &self.place else { return None };
        let endpoint = shared.config.service_endpoints.get("cognito-idp")?;
        Some(format!("{}/{pool}", endpoint.url.to_string().trim_end_matches('/')))
    }

    fn known(&self, id: Option<&str>) -> Option<Found> {
        let keys = self.current.load_full().filter(|keys| !keys.life().is_zero())?;
        let key = keys.set.find(id)?.clone();
        Some(Found { keys, key })
    }

    async fn fetch(&self, shared: &Shared) -> Result<KeySet, &'static str> {
        let uri = match &self.place {
            Place::Keys { uri } => uri.clone(),
            Place::UserPool { region, pool } => {
                let own = || format!("https://cognito-idp.{region}.amazonaws.com/{pool}");
                let pool = self.local_name(shared).unwrap_or_else(own);
                format!("{pool}/.well-known/jwks.json")
            }
            Place::Discovered { issuer } => discover(shared, issuer).await?,
        };
        let document = get(shared, &uri).await.ok_or("JWKS communication error")?;
        KeySet::parse(&document).map_err(|_| "the JWKS is malformed")
    }
}

/// Where an issuer publishes its keys (OpenID Connect Discovery 1.0, section 4).
async fn discover(shared: &Shared, issuer: &str) -> Result<String, &'static str> {
    let uri = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = get(shared, &uri).await.ok_or("OIDC discovery endpoint communication error")?;
    let discovery: Discovery =
        serde_json::from_slice(&document).map_err(|_| "the OIDC discovery document is malformed")?;
    if discovery.issuer != issuer {
        return Err("the issuer in the OIDC discovery document does not match the configured issuer");
    }
    Ok(discovery.jwks_uri)
}

/// A document of an issuer; `None` if it cannot be had whole, in time.
async fn get(shared: &Shared, uri: &str) -> Option<Bytes> {
    let deadline = Instant::now() + FETCH_TIMEOUT;
    let uri: http::Uri = uri.parse().ok()?;
    let mut request = Request::get(uri).body(body::empty()).ok()?;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("AmazonAPIGateway"));
    let answer = shared.backends.send(request, Trust::System, deadline).await;
    let answer =
        answer.inspect_err(|fault| tracing::warn!(%fault, "an issuer of tokens cannot be asked")).ok()?;
    if !answer.status().is_success() {
        tracing::warn!(status = %answer.status(), "an issuer of tokens does not answer with its document");
        return None;
    }
    timeout_at(deadline, body::collected(answer.into_body(), DOCUMENT_BYTES_MAX)).await.ok()?.ok()
}
