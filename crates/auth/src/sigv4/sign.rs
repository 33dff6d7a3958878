//! The client's side: signs requests as botocore does.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

use super::canonical::{self, Canonical};
use super::request::{CONTENT_SHA256, Request};
use super::{ALGORITHM, Key, PRESIGNED_SECONDS_MAX, Scope, SigningKey, date};
use crate::percent;

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Headers that something between client and server may change, as listed in botocore's `auth.py`; and the
/// one that the signature goes into.
const UNSIGNED_HEADERS: [&str; 15] = [
    "authorization",
    "baggage",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Why a request cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// There is neither a `Host` header nor a host argument.
    NoHost,
    /// The key's id or session token cannot stand in a header.
    UnusableKey,
    /// A presigned URL lives from 1 second to [`PRESIGNED_SECONDS_MAX`].
    Expires,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "the request names no host",
            Self::UnusableKey => "the access key id or session token cannot stand in a header",
            Self::Expires => "a presigned URL must expire within 1 second to 7 days",
        })
    }
}

impl std::error::Error for SignError {}

/// Signs a request: returns the headers to set on it, replacing those of the same name. All headers already
/// there get signed, but for those known to change on the way.
///
/// A body is signed by its hash, unless the request bears `x-amz-content-sha256: UNSIGNED-PAYLOAD`.
///
/// # Errors
/// If the request names no host, or the key cannot stand in a header.
pub fn sign(
    request: &Request<'_>,
    key: &Key,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
    let time = date::format(now);
    let scope = scope(key, &time, region, service);
    let mut added = vec![(AMZ_DATE, header_value(&time)?)];
    if let Some(token) = &key.session_token {
        added.push((SECURITY_TOKEN, header_value(token)?));
    }
    let mut headers = request.headers.clone();
    headers.extend(added.iter().cloned().map(|(name, value)| (Some(name), value)));
    let request = Request { headers: &headers, ..*request };

    let names = signed_headers(&request)?;
    let query = only(canonical::query_forms(request.query, |_| false));
    let signature = signature(&request, &names, &query, &time, &scope, key);
    let authorization = format!(
        "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={signature}",
        scope.credential(),
        names.join(";")
    );
    added.push((header::AUTHORIZATION, header_value(&authorization)?));
    Ok(added)
}

/// Presigns a request: returns the whole query to send. Headers already there are signed and must be sent.
///
/// # Errors
/// If the request names no host, or the life is not from 1 second to [`PRESIGNED_SECONDS_MAX`].
pub fn presign(
    request: &Request<'_>,
    key: &Key,
    region: &str,
    service: &str,
    now: Timestamp,
    expires_seconds: u32,
) -> Result<String, SignError> {
    if !(1..=PRESIGNED_SECONDS_MAX).contains(&expires_seconds) {
        return Err(SignError::Expires);
    }
    let time = date::format(now);
    let scope = scope(key, &time, region, service);
    let names = signed_headers(request)?;
    let expires = expires_seconds.to_string();
    let (credential, signed) = (scope.credential(), names.join(";"));
    let mut params = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &time),
        ("X-Amz-Expires", &expires),
        ("X-Amz-SignedHeaders", &signed),
    ];
    if let Some(token) = &key.session_token {
        params.push(("X-Amz-Security-Token", token));
    }
    let mut query = request.query.to_owned();
    for (name, value) in params {
        let separator = if query.is_empty() { "" } else { "&" };
        query.push_str(&format!("{separator}{name}={}", percent::encode(value)));
    }
    let request = Request { query: &query, ..*request };
    let canonical_query = only(canonical::query_forms(&query, |_| false));
    let signature = signature(&request, &names, &canonical_query, &time, &scope, key);
    Ok(format!("{query}&X-Amz-Signature={signature}"))
}

fn signature(
    request: &Request<'_>,
    names: &[String],
    query: &str,
    time: &str,
    scope: &Scope,
    key: &Key,
) -> String {
    let declared = request.headers.get(CONTENT_SHA256).and_then(|value| value.to_str().ok());
    let canonical = Canonical::new(request, names, request.payload.canonical(declared));
    let path = match scope.service.as_str() {
        "s3" => canonical::s3_path_form(request.path),
        _ => canonical::path_form(request.path),
    };
    let canonical_request = canonical.with(&path, query);
    let string_to_sign = canonical::string_to_sign(&canonical_request, time, scope);
    SigningKey::derive(&key.secret_access_key, &scope.date, &scope.region, &scope.service)
        .sign(&string_to_sign)
}

fn scope(key: &Key, time: &str, region: &str, service: &str) -> Scope {
    Scope {
        access_key_id: key.access_key_id.clone(),
        date: time[..8].to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    }
}

fn signed_headers(request: &Request<'_>) -> Result<Vec<String>, SignError> {
    if request.host.is_none() && !request.headers.contains_key(header::HOST) {
        return Err(SignError::NoHost);
    }
    let mut names = names_to_sign(request.headers);
    names.push(header::HOST.as_str().to_owned());
    names.sort();
    names.dedup();
    Ok(names)
}

fn names_to_sign(headers: &HeaderMap) -> Vec<String> {
    let names = headers.keys().map(HeaderName::as_str);
    names.filter(|name| !UNSIGNED_HEADERS.contains(name)).map(str::to_owned).collect()
}

fn header_value(text: &str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|_| SignError::UnusableKey)
}

/// The likeliest form: queries that we send are encoded as we sign them.
fn only(forms: Vec<String>) -> String {
    forms.into_iter().next().unwrap_or_default()
}
