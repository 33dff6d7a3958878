//! An issuer of tokens for the tests: keys of its own, a discovery document, a key set, and every way to misbehave.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How the key set is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// The connection is taken, and nothing is said.
    Hangs,
    Garbage,
    /// Longer than AWS reads.
    Huge,
    Failing,
    /// The discovery document names somebody else.
    Impostor,
}

/// A running issuer; it ends with the test's runtime.
pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    mood: Mutex<Mood>,
    /// The keys that are published, by id.
    published: Mutex<Vec<(String, Arc<RsaKeyPair>)>>,
    fetches: AtomicUsize,
    url: String,
}

impl Issuer {
    /// An issuer that publishes one key, `k1`.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State {
            mood: Mutex::new(Mood::Well),
            published: Mutex::new(vec![("k1".to_owned(), key())]),
            fetches: AtomicUsize::new(0),
            url: format!("http://{address}/pool"),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
        Self { address, state }
    }

    /// `iss` of its tokens.
    pub(crate) fn url(&self) -> &str {
        &self.state.url
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.state.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Publishes a new key and no other.
    pub(crate) fn rotate(&self, id: &str) {
        *self.state.published.lock().unwrap_or_else(PoisonError::into_inner) = vec![(id.to_owned(), key())];
    }

    /// How often the key set was asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }

    /// A token of this issuer with these claims besides `iss`, signed with the key that is published.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let (id, key) = {
            let published = self.state.published.lock().unwrap_or_else(PoisonError::into_inner);
            published.first().cloned().expect("a key is published")
        };
        self.token_as(&json!({"alg": "RS256", "kid": id}), claims, &key)
    }

    pub(crate) fn token_as(&self, header: &Value, claims: &Value, key: &RsaKeyPair) -> String {
        let mut claims = claims.clone();
        if claims.get("iss").is_none() {
            claims["iss"] = self.url().into();
        }
        let parts = [header.to_string(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
        let input = parts.join(".");
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("a key signs");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A new RSA key.
pub(crate) fn key() -> Arc<RsaKeyPair> {
    Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness"))
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mood = *state.mood.lock().unwrap_or_else(PoisonError::into_inner);
    let body = if request.uri().path().ends_with("/openid-configuration") {
        let issuer = if mood == Mood::Impostor { "http://somebody.example" } else { &state.url };
        json!({"issuer": issuer, "jwks_uri": format!("{}/.well-known/jwks.json", state.url)}).to_string()
    } else {
        state.fetches.fetch_add(1, Ordering::SeqCst);
        match mood {
            Mood::Well | Mood::Impostor => state.key_set(),
            Mood::Hangs => std::future::pending().await,
            Mood::Garbage => "{garbage".to_owned(),
            Mood::Huge => format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(200_000)),
            Mood::Failing => {
                let mut refused = Response::new(Full::default());
                *refused.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                return Ok(refused);
            }
        }
    };
    Ok(Response::new(Full::new(body.into())))
}

impl State {
    fn key_set(&self) -> String {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = published.iter().map(|(id, key)| {
            let [n, e] = numbers(key.public_key().as_ref()).map(|number| URL_SAFE_NO_PAD.encode(number));
            json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e})
        });
        json!({"keys": keys.collect::<Vec<_>>()}).to_string()
    }
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017, appendix A.1.1) of 2048 bits with the usual exponent, which can
/// be written in one way only.
fn numbers(der: &[u8]) -> [&[u8]; 2] {
    assert_eq!((der.len(), &der[265..267]), (270, [2, 3].as_slice()), "an RSA key of 2048 bits");
    [&der[9..265], &der[267..]]
}
