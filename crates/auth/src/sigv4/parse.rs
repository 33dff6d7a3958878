//! Reads what a request says about its signature, from the `Authorization` header or a presigned query.
//!
//! Every size is bounded. Nothing here is believed: `verify` decides.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header};
use jiff::Timestamp;

use super::date;
use super::request::{CONTENT_SHA256, Request};
use super::{ALGORITHM, PRESIGNED_SECONDS_MAX, Refusal, Scope};
use crate::percent;

const AUTHORIZATION_BYTES_MAX: usize = 8 * 1024;
const QUERY_BYTES_MAX: usize = 64 * 1024;
const SIGNED_HEADERS_MAX: usize = 100;
/// Bounds each element of a credential; AWS's access key ids have at most 128 characters.
const SCOPE_ELEMENT_BYTES_MAX: usize = 128;

const AMZ_DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";
/// The query parameter that a presigned URL's own signature does not cover.
pub(super) const SIGNATURE_PARAM: &str = "X-Amz-Signature";

/// What a request claims, complete and well-formed, but not verified.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) scope: Scope,
    pub(super) terminator: String,
    /// In lower case, sorted, without repetition.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    pub(super) time: Timestamp,
    pub(super) security_token: Option<String>,
    /// What the client declared as the body's hash.
    pub(super) content_sha256: Option<String>,
    /// `Some` for a presigned URL.
    pub(super) expires_seconds: Option<u32>,
}

impl Presented {
    pub(super) fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let mut values = request.headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(incomplete("Only one Authorization header may be present.")),
            (Some(value), None) => {
                Self::from_header(&String::from_utf8_lossy(value.as_bytes()), request.headers)
            }
            (None, _) if is_presigned(request.query) => Self::from_query(request),
            (None, _) => Err(Refusal::MissingAuthenticationToken),
        }
    }

    fn from_header(authorization: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let params = Params::from_header(authorization)?;
        let named = [AMZ_DATE, header::DATE.as_str()];
        let date = named.iter().find_map(|name| header_text(headers, name));
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (&params.credential, &params.signature, &params.signed_headers, &date)
        else {
            return Err(params.lacking(date.is_some(), authorization));
        };
        params.check_algorithm()?;
        let (scope, terminator) = self::credential(credential)?;
        Ok(Self {
            scope,
            terminator: terminator.to_owned(),
            signed_headers: self::signed_headers(signed_headers)?,
            signature: signature.clone().into_owned(),
            time: date::parse_http(date).ok_or_else(|| bad_date(date))?,
            security_token: header_text(headers, SECURITY_TOKEN),
            content_sha256: header_text(headers, CONTENT_SHA256),
            expires_seconds: None,
        })
    }

    fn from_query(request: &Request<'_>) -> Result<Self, Refusal> {
        let params = Params::from_query(request.query)?;
        let (Some(credential), Some(signature), Some(signed_headers), Some(date), Some(expires)) =
            (&params.credential, &params.signature, &params.signed_headers, &params.date, &params.expires)
        else {
            return Err(params.lacking_in_query());
        };
        params.check_algorithm()?;
        let (scope, terminator) = self::credential(credential)?;
        Ok(Self {
            scope,
            terminator: terminator.to_owned(),
            signed_headers: self::signed_headers(signed_headers)?,
            signature: signature.clone().into_owned(),
            time: date::parse_basic(date).ok_or_else(|| bad_date(date))?,
            security_token: (params.security_token.as_deref().map(str::to_owned))
                .or_else(|| header_text(request.headers, SECURITY_TOKEN)),
            content_sha256: (params.content_sha256.as_deref().map(str::to_owned))
                .or_else(|| header_text(request.headers, CONTENT_SHA256)),
            expires_seconds: Some(self::expires(expires)?),
        })
    }
}

/// What is wrong with the form of an `Authorization` header; `None` if there is none, or it is a signature's.
pub fn malformed(headers: &HeaderMap) -> Option<Refusal> {
    let value = headers.get(header::AUTHORIZATION)?;
    Presented::from_header(&String::from_utf8_lossy(value.as_bytes()), headers).err()
}

/// Whether a query has the form of a presigned URL.
pub(super) fn is_presigned(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("X-Amz-Algorithm=") || pair.starts_with("X-Amz-Credential="))
}

/// The parameters of a signature, by name, as far as present.
#[derive(Debug, Default)]
pub(super) struct Params<'a> {
    pub(super) algorithm: Cow<'a, str>,
    pub(super) credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    security_token: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
}

impl<'a> Params<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; commas need no space.
    pub(super) fn from_header(authorization: &'a str) -> Result<Self, Refusal> {
        if authorization.len() > AUTHORIZATION_BYTES_MAX {
            return Err(incomplete("The Authorization header is too long."));
        }
        let text = authorization.trim();
        let (algorithm, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let mut params = Self { algorithm: Cow::Borrowed(algorithm), ..Self::default() };
        for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(Refusal::IncompleteSignature(format!(
                    "'{pair}' not a valid key=value pair (missing equal-sign) in Authorization header: \
                     '{authorization}'."
                )));
            };
            let place = match name {
                "Credential" => &mut params.credential,
                "SignedHeaders" => &mut params.signed_headers,
                "Signature" => &mut params.signature,
                _ => continue,
            };
            set_once(place, name, Cow::Borrowed(value))?;
        }
        Ok(params)
    }

    pub(super) fn from_query(query: &'a str) -> Result<Self, Refusal> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(incomplete("The query string is too long."));
        }
        let mut params = Self::default();
        let mut algorithm = None;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "X-Amz-Algorithm" => &mut algorithm,
                "X-Amz-Credential" => &mut params.credential,
                "X-Amz-SignedHeaders" => &mut params.signed_headers,
                SIGNATURE_PARAM => &mut params.signature,
                "X-Amz-Date" => &mut params.date,
                "X-Amz-Expires" => &mut params.expires,
                "X-Amz-Security-Token" => &mut params.security_token,
                _ if name.eq_ignore_ascii_case(CONTENT_SHA256) => &mut params.content_sha256,
                _ => continue,
            };
            let Some(value) = percent::decode_query(value) else {
                return Err(Refusal::IncompleteSignature(format!("'{name}' is not UTF-8.")));
            };
            set_once(place, name, value)?;
        }
        params.algorithm = algorithm.unwrap_or_default();
        Ok(params)
    }

    fn check_algorithm(&self) -> Result<(), Refusal> {
        if self.algorithm == ALGORITHM {
            return Ok(());
        }
        Err(Refusal::IncompleteSignature(format!("Unsupported AWS 'algorithm': '{}'.", self.algorithm)))
    }

    fn lacking(&self, date: bool, authorization: &str) -> Refusal {
        let requirements = [
            (self.credential.is_some(), "'Credential' parameter. "),
            (self.signature.is_some(), "'Signature' parameter. "),
            (self.signed_headers.is_some(), "'SignedHeaders' parameter. "),
            (date, "existence of either a 'X-Amz-Date' or a 'Date' header. "),
        ];
        let mut message = String::new();
        for (_, what) in requirements.iter().filter(|(present, _)| !present) {
            message.push_str("Authorization header requires ");
            message.push_str(what);
        }
        Refusal::IncompleteSignature(format!("{message}Authorization={authorization}"))
    }

    fn lacking_in_query(&self) -> Refusal {
        let requirements = [
            (!self.algorithm.is_empty(), "X-Amz-Algorithm"),
            (self.credential.is_some(), "X-Amz-Credential"),
            (self.signature.is_some(), SIGNATURE_PARAM),
            (self.signed_headers.is_some(), "X-Amz-SignedHeaders"),
            (self.date.is_some(), "X-Amz-Date"),
            (self.expires.is_some(), "X-Amz-Expires"),
        ];
        let mut message = String::new();
        for (_, name) in requirements.iter().filter(|(present, _)| !present) {
            message.push_str(&format!("AWS query-string parameters must include '{name}'. "));
        }
        Refusal::IncompleteSignature(format!("{message}Re-examine the query-string parameters."))
    }
}

/// Reads `AKID/20150830/us-east-1/service/aws4_request`; the last element is returned unchecked.
pub(super) fn credential(text: &str) -> Result<(Scope, &str), Refusal> {
    let elements: Vec<&str> = text.splitn(6, '/').collect();
    let [id, date, region, service, terminator] = elements[..] else {
        return Err(bad_credential(text));
    };
    if elements.iter().any(|element| element.is_empty() || element.len() > SCOPE_ELEMENT_BYTES_MAX) {
        return Err(bad_credential(text));
    }
    let scope = Scope {
        access_key_id: id.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    };
    Ok((scope, terminator))
}

fn bad_credential(text: &str) -> Refusal {
    Refusal::IncompleteSignature(format!(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
    ))
}

fn bad_date(text: &str) -> Refusal {
    Refusal::IncompleteSignature(format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    ))
}

fn signed_headers(text: &str) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for name in text.split(';').filter(|name| !name.is_empty()) {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(incomplete("SignedHeaders names something that is not a header."));
        };
        if names.len() == SIGNED_HEADERS_MAX {
            return Err(incomplete("SignedHeaders names more than 100 headers."));
        }
        names.push(name.as_str().to_owned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn expires(text: &str) -> Result<u32, Refusal> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(seconds) if digits && (1..=PRESIGNED_SECONDS_MAX).contains(&seconds) => Ok(seconds),
        _ => Err(Refusal::IncompleteSignature(format!(
            "X-Amz-Expires must be a number of seconds from 1 to {PRESIGNED_SECONDS_MAX}, got '{text}'"
        ))),
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn set_once<'a>(place: &mut Option<Cow<'a, str>>, name: &str, value: Cow<'a, str>) -> Result<(), Refusal> {
    if place.replace(value).is_some() {
        return Err(Refusal::IncompleteSignature(format!("'{name}' is given more than once.")));
    }
    Ok(())
}

fn incomplete(why: &str) -> Refusal {
    Refusal::IncompleteSignature(why.to_owned())
}
