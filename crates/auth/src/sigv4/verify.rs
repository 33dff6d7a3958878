//! Decides whether a request's signature is good. Reads from top to bottom in [`verify`].

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::{SignedDuration, Timestamp};

use super::canonical::{self, Canonical};
use super::parse::{Presented, SIGNATURE_PARAM};
use super::refusal::mismatch;
use super::request::Request;
use super::{Key, Keys, Refusal, Scope, TERMINATOR, date};

/// How far a client's clock may be off, in either direction.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What a good signature must have been made for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The signing name, such as `apigateway`, `execute-api` or `ivs`.
    pub service: &'a str,
    /// The regions served; `None` takes any of valid form.
    pub regions: Option<&'a [&'a str]>,
    /// The time of arrival.
    pub now: Timestamp,
}

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id of the key that signed.
    pub access_key_id: String,
    /// The account that the key belongs to.
    pub account: String,
    /// What the signature is good for.
    pub scope: Scope,
    /// Names of the signed headers, in lower case, sorted.
    pub signed_headers: Vec<String>,
}

/// Verifies a request's signature, header form or presigned.
///
/// # Errors
/// Says in AWS's words what is wrong: with the form of the signature, the key, the session token, the scope,
/// the time, and at last the signature itself.
pub fn verify(request: &Request<'_>, expected: &Expected<'_>, keys: &dyn Keys) -> Result<Identity, Refusal> {
    let presented = Presented::read(request)?;
    let key = keys.find(&presented.scope.access_key_id).ok_or(Refusal::UnrecognizedClient)?;
    check_session_token(&presented, &key, expected.now)?;
    check_scope(&presented, expected)?;
    check_time(&presented, expected.now)?;
    check_coverage(&presented)?;
    check_signature(request, &presented, &key, keys)?;
    Ok(Identity {
        access_key_id: key.access_key_id,
        account: key.account,
        scope: presented.scope,
        signed_headers: presented.signed_headers,
    })
}

fn check_session_token(presented: &Presented, key: &Key, now: Timestamp) -> Result<(), Refusal> {
    match (&key.session_token, &presented.security_token) {
        (None, None) => {}
        (Some(ours), Some(theirs)) if same(ours, theirs) => {}
        _ => return Err(Refusal::UnrecognizedClient),
    }
    match key.expires {
        Some(end) if end <= now => Err(Refusal::ExpiredToken),
        _ => Ok(()),
    }
}

/// Each sentence ends with a space, as AWS's do.
fn check_scope(presented: &Presented, expected: &Expected<'_>) -> Result<(), Refusal> {
    let scope = &presented.scope;
    let mut message = String::new();
    let served = match expected.regions {
        Some(regions) => regions.contains(&scope.region.as_str()),
        None => is_region(&scope.region),
    };
    if !served {
        message.push_str(&format!("Credential should be scoped to a valid region, not '{}'. ", scope.region));
    }
    if scope.service != expected.service {
        message
            .push_str(&format!("Credential should be scoped to correct service: '{}'. ", expected.service));
    }
    if presented.terminator != TERMINATOR {
        message.push_str(&format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'. ",
            presented.terminator
        ));
    }
    let time = date::format(presented.time);
    let day = &time[..8];
    if scope.date != day {
        message.push_str(&format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
             '{day}', from '{time}'. ",
            scope.date
        ));
    }
    if message.is_empty() { Ok(()) } else { Err(Refusal::InvalidSignature(message)) }
}

fn is_region(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn check_time(presented: &Presented, now: Timestamp) -> Result<(), Refusal> {
    let minutes = CLOCK_SKEW.as_mins();
    let (signed, today) = (date::format(presented.time), date::format(now));
    let latest = now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
    if presented.time > latest {
        return Err(Refusal::InvalidSignature(format!(
            "Signature not yet current: {signed} is still later than {} ({today} + {minutes} min.)",
            date::format(latest)
        )));
    }
    let (life, shown) = match presented.expires_seconds {
        Some(seconds) => (SignedDuration::from_secs(seconds.into()), format!("{seconds} sec.")),
        None => (CLOCK_SKEW, format!("{minutes} min.")),
    };
    let earliest = now.saturating_sub(life).unwrap_or(Timestamp::MIN);
    if presented.time < earliest {
        return Err(Refusal::InvalidSignature(format!(
            "Signature expired: {signed} is now earlier than {} ({today} - {shown})",
            date::format(earliest)
        )));
    }
    Ok(())
}

/// Without the host, a signature for one server would be good for another.
fn check_coverage(presented: &Presented) -> Result<(), Refusal> {
    if presented.content_sha256.as_deref().is_some_and(|hash| hash.starts_with("STREAMING-")) {
        return Err(Refusal::InvalidSignature(
            "Streaming payload signatures are not supported by this service; sign the whole payload."
                .to_owned(),
        ));
    }
    if presented.signed_headers.iter().any(|name| name == "host") {
        return Ok(());
    }
    Err(Refusal::InvalidSignature(
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
    ))
}

fn check_signature(
    request: &Request<'_>,
    presented: &Presented,
    key: &Key,
    keys: &dyn Keys,
) -> Result<(), Refusal> {
    let signing_key = keys.signing_key(key, &presented.scope);
    let time = date::format(presented.time);
    let payload = request.payload.canonical(presented.content_sha256.as_deref());
    let canonical = Canonical::new(request, &presented.signed_headers, payload);
    let presigned = presented.expires_seconds.is_some();
    let queries = canonical::query_forms(request.query, |name| presigned && name == SIGNATURE_PARAM);
    let paths = canonical::path_forms(request.path);

    let mut first = None;
    for path in &paths {
        for query in &queries {
            let canonical_request = canonical.with(path, query);
            let string_to_sign = canonical::string_to_sign(&canonical_request, &time, &presented.scope);
            if same(&signing_key.sign(&string_to_sign), &presented.signature) {
                return Ok(());
            }
            first.get_or_insert((canonical_request, string_to_sign));
        }
    }
    let (canonical_request, string_to_sign) = first.expect("every path and query has at least one form");
    Err(mismatch(&canonical_request, &string_to_sign))
}

/// Compares without telling by its duration where the difference is.
fn same(ours: &str, theirs: &str) -> bool {
    verify_slices_are_equal(ours.as_bytes(), theirs.as_bytes()).is_ok()
}
