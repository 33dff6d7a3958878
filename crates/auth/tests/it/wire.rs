//! Requests of tests: as data files hold them, and what a verifier makes of them.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde::Deserialize;
use stagedoor_auth::sigv4::{Expected, Identity, Key, Payload, Refusal, Request, verify};

/// The key of AWS's test suite, of all recorded requests, and of our own tests.
pub fn key(session_token: Option<&str>) -> Key {
    let key = Key::long_term("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "123456789012");
    Key { session_token: session_token.map(str::to_owned), ..key }
}

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or_else(|error| panic!("{time}: {error}"))
}

/// A request as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wire {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub query: String,
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub body: String,
}

impl Wire {
    pub fn new(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.into(),
        }
    }

    pub fn headers(&self) -> HeaderMap {
        let parsed = self.headers.iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in parsed {
            headers.append(name, value);
        }
        headers
    }

    /// Sets a header, in place of all of that name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn with<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        let method = Method::from_bytes(self.method.as_bytes()).expect("a method");
        let headers = self.headers();
        then(&Request {
            method: &method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            host: None,
            payload: Payload::Bytes(self.body.as_bytes()),
        })
    }

    pub fn verify(&self, key: &Key, service: &str, now: Timestamp) -> Result<Identity, Refusal> {
        let keys = |id: &str| (id == key.access_key_id).then(|| key.clone());
        self.with(|request| verify(request, &Expected { service, regions: None, now }, &keys))
    }
}
