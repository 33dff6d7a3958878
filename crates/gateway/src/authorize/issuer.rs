//! The keys of an issuer of tokens: fetched when first needed, kept for two hours, fetched again when a token names a key
//! that is not among them.
//!
//! Keys that grow old are fetched anew while they are still used, so that no request waits for that. At most one fetch of
//! an issuer is under way; who has no keys without it waits for it, nobody else does. Fetches follow each
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

use crate::Config;
use crate::backends::{Backends, Trust};
use crate::body;

/// Longest time of one fetch, and longest document: AWS's quotas.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1500);
const DOCUMENT_BYTES_MAX: usize = 150_000;
/// How long keys are used.
const KEYS_LIFE: Duration = Duration::from_secs(2 * 60 * 60);
/// The age from which on they are fetched anew when somebody needs them.
const KEYS_FRESH: Duration = Duration::from_secs(90 * 60);
/// How long is waited when that has failed.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);
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
    last: Arc<Mutex<Last>>,
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
    /// How long what these keys verify is believed. Not beyond the time at which they want to be fetched anew, so that
    /// somebody asks for them then.
    pub(crate) fn life(&self) -> Duration {
        let until = if self.is_fresh() { KEYS_FRESH } else { KEYS_LIFE };
        until.saturating_sub(self.fetched.elapsed())
    }

    fn is_fresh(&self) -> bool {
        self.fetched.elapsed() < KEYS_FRESH
    }
}

impl Issuer {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, current: ArcSwapOption::empty(), last: Arc::default() }
    }

    /// The key of a token that names this one.
    ///
    /// # Errors
    /// When there is none, or nobody to ask.
    pub(crate) async fn key(
        self: &Arc<Self>,
        documents: &Arc<Documents>,
        id: Option<&str>,
    ) -> Result<Found, NoKey> {
        if let Some(found) = self.known(id) {
            if !found.keys.is_fresh() {
                self.refresh(documents);
            }
            return Ok(found);
        }
        let mut last = self.last.lock().await;
        // Whoever had the lock may have fetched it.
        if let Some(found) = self.known(id) {
            return Ok(found);
        }
        if last.ended.is_none_or(|ended| ended.elapsed() >= FETCH_INTERVAL) {
            self.fetch_again(documents, &mut last).await;
        }
        match last.failure {
            Some(why) => Err(NoKey::Unavailable(why)),
            None => self.known(id).ok_or(NoKey::Unknown),
        }
    }

    /// Fetches the keys anew while those that are there are used on; does nothing if that is done already.
    fn refresh(self: &Arc<Self>, documents: &Arc<Documents>) {
        let Ok(mut last) = Arc::clone(&self.last).try_lock_owned() else { return };
        if last.ended.is_some_and(|ended| ended.elapsed() < REFRESH_INTERVAL) {
            return;
        }
        let (issuer, documents) = (Arc::clone(self), Arc::clone(documents));
        tokio::spawn(async move { issuer.fetch_again(&documents, &mut last).await });
    }

    async fn fetch_again(&self, documents: &Documents, last: &mut Last) {
        let fetched = self.fetch(documents).await;
        last.ended = Some(Instant::now());
        last.failure = fetched.as_ref().err().copied();
        if let Ok(set) = fetched {
            self.current.store(Some(Arc::new(Keys { set, fetched: Instant::now() })));
        }
    }

    /// What a user pool at a configured endpoint calls itself.
    pub(crate) fn local_name(&self, documents: &Documents) -> Option<String> {
        let Place::UserPool { pool, .. } = &self.place else { return None };
        Some(format!("{}/{pool}", documents.cognito.as_ref()?.trim_end_matches('/')))
    }

    fn known(&self, id: Option<&str>) -> Option<Found> {
        let keys = self.current.load_full().filter(|keys| keys.fetched.elapsed() < KEYS_LIFE)?;
        let key = keys.set.find(id)?.clone();
        Some(Found { keys, key })
    }

    async fn fetch(&self, documents: &Documents) -> Result<KeySet, &'static str> {
        let uri = match &self.place {
            Place::Keys { uri } => uri.clone(),
            Place::UserPool { region, pool } => {
                let own = || format!("https://cognito-idp.{region}.amazonaws.com/{pool}");
                let pool = self.local_name(documents).unwrap_or_else(own);
                format!("{pool}/.well-known/jwks.json")
            }
            Place::Discovered { issuer } => discover(documents, issuer).await?,
        };
        let document = documents.get(&uri).await.ok_or("JWKS communication error")?;
        KeySet::parse(&document).map_err(|_| "the JWKS is malformed")
    }
}

/// Where an issuer publishes its keys (OpenID Connect Discovery 1.0, section 4).
async fn discover(documents: &Documents, issuer: &str) -> Result<String, &'static str> {
    let uri = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = documents.get(&uri).await.ok_or("OIDC discovery endpoint communication error")?;
    let discovery: Discovery =
        serde_json::from_slice(&document).map_err(|_| "the OIDC discovery document is malformed")?;
    if discovery.issuer != issuer {
        return Err("the issuer in the OIDC discovery document does not match the configured issuer");
    }
    Ok(discovery.jwks_uri)
}

/// Where the documents of issuers are fetched from.
pub(crate) struct Documents {
    backends: Backends,
    /// The endpoint that stands for Cognito.
    cognito: Option<String>,
}

impl Documents {
    pub(crate) fn new(config: &Config) -> Self {
        let cognito = config.service_endpoints.get("cognito-idp");
        Self { backends: Backends::new(config), cognito: cognito.map(|endpoint| endpoint.url.to_string()) }
    }

    /// A document of an issuer; `None` if it cannot be had whole, in time.
    async fn get(&self, uri: &str) -> Option<Bytes> {
        let deadline = Instant::now() + FETCH_TIMEOUT;
        let uri: http::Uri = uri.parse().ok()?;
        let mut request = Request::get(uri).body(body::empty()).ok()?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("AmazonAPIGateway"));
        let answer = self.backends.send(request, Trust::System, deadline).await;
        let answer =
            answer.inspect_err(|fault| tracing::warn!(%fault, "an issuer of tokens cannot be asked")).ok()?;
        if !answer.status().is_success() {
            tracing::warn!(status = %answer.status(), "an issuer of tokens does not answer with its document");
            return None;
        }
        timeout_at(deadline, body::collected(answer.into_body(), DOCUMENT_BYTES_MAX)).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A key set of one key, `new`.
    const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "new", "alg": "ES256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

    /// An issuer's address, and how often it was asked. It answers when it is let.
    async fn issuer(lets: Arc<tokio::sync::Semaphore>) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let uri = format!("http://{}/keys", listener.local_addr().expect("a bound socket has an address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 4096]).await;
                counted.fetch_add(1, Ordering::SeqCst);
                lets.acquire().await.expect("it is never closed").forget();
                let length = KEYS.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{KEYS}");
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        (uri, asked)
    }

    /// An issuer whose keys were fetched so long ago; one of them is `old`.
    fn aged(uri: String, age: Duration) -> Arc<Issuer> {
        let issuer = Issuer::new(Place::Keys { uri });
        let set = KeySet::parse(KEYS.replace("new", "old").as_bytes()).expect("a key set");
        let fetched = Instant::now().checked_sub(age).expect("the clock goes back so far");
        issuer.current.store(Some(Arc::new(Keys { set, fetched })));
        Arc::new(issuer)
    }

    fn documents() -> Arc<Documents> {
        Arc::new(Documents::new(&Config::new(|| Duration::ZERO)))
    }

    #[tokio::test]
    async fn old_keys_are_used_while_new_ones_are_fetched() {
        let lets = Arc::new(tokio::sync::Semaphore::new(0));
        let (uri, asked) = issuer(Arc::clone(&lets)).await;
        let (issuer, documents) = (aged(uri, KEYS_FRESH), documents());
        for _ in 0..3 {
            // Nobody waits for the issuer, which does not answer yet.
            assert!(issuer.key(&documents, Some("old")).await.is_ok());
        }
        lets.add_permits(1);
        // Whoever needs a new key waits for it.
        let Ok(found) = issuer.key(&documents, Some("new")).await else { panic!("it was not fetched") };
        assert!(found.keys.is_fresh() && found.keys.life() <= KEYS_FRESH);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn keys_that_are_too_old_are_not_used() {
        let (uri, asked) = issuer(Arc::new(tokio::sync::Semaphore::new(1))).await;
        let (issuer, documents) = (aged(uri, KEYS_LIFE), documents());
        assert!(matches!(issuer.key(&documents, Some("old")).await, Err(NoKey::Unknown)));
        assert!(issuer.key(&documents, Some("new")).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
