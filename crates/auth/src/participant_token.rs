//! IVS Real-Time participant tokens: what lets somebody into a stage.
//!
//! Here is every check that needs nothing but the token, a key and the time. Whether the stage exists, the
//! participant was disconnected or the stage is full is for those who keep that state.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/getting-started-distribute-tokens.html>

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::es384::{KeyPair, PublicKey};
use crate::jwt;

/// Longest life of a token: 14 days, in seconds.
pub const LIFE_SECONDS_MAX: i64 = 14 * 24 * 60 * 60;
/// How far in the future `iat` may be, in seconds, for issuers whose clock is ahead.
pub const CLOCK_SKEW_SECONDS: i64 = 5 * 60;
/// Most characters of a `user_id`.
pub const USER_ID_CHARS_MAX: usize = 128;
/// Most bytes of all attribute names and values together.
pub const ATTRIBUTES_BYTES_MAX: usize = 1024;
/// Most characters of a participant id.
pub const JTI_CHARS_MAX: usize = 64;
/// The only version there is.
pub const VERSION: &str = "1.0";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// When the token ends, in seconds since 1970; counts at joining.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// The participant's id; 1 to 64 of `a-z A-Z 0-9 - _`.
    pub jti: String,
    /// ARN of the stage.
    pub resource: String,
    /// Id of the stage: the last part of its ARN.
    pub topic: String,
    /// The stage's endpoint for events.
    pub events_url: String,
    /// The stage's endpoint for media.
    pub whip_url: String,
    /// What the participant may do.
    pub capabilities: Capabilities,
    /// Always [`VERSION`].
    pub version: String,
    /// The application's name for the participant; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whatever the application wants others to see; at most 1 KB together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// What a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// May send audio and video.
    pub allow_publish: bool,
    /// May receive others'.
    pub allow_subscribe: bool,
}

/// Why a token does not let anybody in; a part of the IVS broadcast SDKs' join errors, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The token is not one, is not signed by a key we know, or breaks a rule; says which.
    Malformed(&'static str),
    /// The token has ended.
    Expired,
    /// The token is good, but not for this.
    NotAllowed,
    /// The stage has as many publishers or subscribers as it may have.
    StageAtCapacity,
    /// The stage is gone.
    StageDeleted,
    /// The participant was disconnected through the API and may not come back.
    ParticipantDisconnected,
}

impl TokenError {
    /// The SDKs' name for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "TOKEN_MALFORMED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotAllowed => "TOKEN_NOT_ALLOWED",
            Self::StageAtCapacity => "STAGE_AT_CAPACITY",
            Self::StageDeleted => "STAGE_DELETED",
            Self::ParticipantDisconnected => "PARTICIPANT_DISCONNECTED",
        }
    }

    /// The SDKs' number for it.
    pub fn code(&self) -> u16 {
        match self {
            Self::Malformed(_) => 1,
            Self::Expired => 2,
            Self::StageAtCapacity => 6,
            Self::NotAllowed => 8,
            Self::StageDeleted => 9,
            Self::ParticipantDisconnected => 10,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "{}: {why}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

impl std::error::Error for TokenError {}

impl From<jwt::Error> for TokenError {
    fn from(error: jwt::Error) -> Self {
        Self::Malformed(match error {
            jwt::Error::TooLong => "longer than 8 KB",
            jwt::Error::NotCompact => "not a JSON web token",
            jwt::Error::Header => "unreadable header",
            jwt::Error::Algorithm => "alg is not ES384",
            jwt::Error::SignatureLength | jwt::Error::Signature => "wrong signature",
            jwt::Error::UnknownKey => "kid names no known key",
        })
    }
}

/// Makes a token, signed by `key`, which verifiers know as `kid`.
///
/// # Errors
/// If the claims break a rule that [`verify`] checks, so that nobody is handed a token that does not work.
pub fn issue(claims: &Claims, key: &KeyPair, kid: &str) -> Result<String, TokenError> {
    check_claims(claims)?;
    check_kid(kid, claims)?;
    let payload = serde_json::to_vec(claims).expect("claims are text, numbers and maps by text");
    let token = jwt::sign(&payload, kid, key);
    if token.len() > jwt::TOKEN_BYTES_MAX {
        return Err(jwt::Error::TooLong.into());
    }
    Ok(token)
}

/// Reads a token, checks its signature with the key that `lookup` finds for its `kid`, then everything else
/// that can be told from the token and the time of joining.
///
/// # Errors
/// [`TokenError::Malformed`] or [`TokenError::Expired`].
pub fn verify(
    token: &str,
    lookup: impl FnOnce(&str) -> Option<PublicKey>,
    now: Timestamp,
) -> Result<Claims, TokenError> {
    let token = jwt::Unverified::parse(token)?;
    let kid = token.kid().to_owned();
    let key = lookup(&kid).ok_or(jwt::Error::UnknownKey)?;
    let payload = token.verified_by(&key)?;
    let claims: Claims = serde_json::from_slice(&payload)
        .map_err(|_| TokenError::Malformed("claims are missing or of the wrong type"))?;
    check_claims(&claims)?;
    check_kid(&kid, &claims)?;
    check_time(&claims, now)?;
    Ok(claims)
}

fn check_claims(claims: &Claims) -> Result<(), TokenError> {
    let stage_id = stage_id(&claims.resource);
    let rules = [
        (claims.version == VERSION, "version is not 1.0"),
        (is_jti(&claims.jti), "jti is not 1 to 64 of a-z, A-Z, 0-9, - and _"),
        (stage_id.is_some(), "resource is not the ARN of a stage"),
        (stage_id == Some(&claims.topic), "topic is not the id of the stage"),
        (claims.exp > claims.iat, "exp is not after iat"),
        (claims.exp.saturating_sub(claims.iat) <= LIFE_SECONDS_MAX, "exp is more than 14 days after iat"),
        (user_id_chars(claims) <= USER_ID_CHARS_MAX, "user_id has more than 128 characters"),
        (attributes_bytes(claims) <= ATTRIBUTES_BYTES_MAX, "attributes have more than 1 KB"),
    ];
    match rules.iter().find(|(kept, _)| !kept) {
        Some((_, broken)) => Err(TokenError::Malformed(broken)),
        None => Ok(()),
    }
}

/// A key that has an ARN is good for the stages of its account and region only.
fn check_kid(kid: &str, claims: &Claims) -> Result<(), TokenError> {
    let owner = |arn: &str| arn.splitn(6, ':').take(5).map(str::to_owned).collect::<Vec<_>>();
    if kid.starts_with("arn:") && owner(kid) != owner(&claims.resource) {
        return Err(TokenError::Malformed("the key is of another account or region than the stage"));
    }
    Ok(())
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    let now = now.as_second();
    if claims.exp <= now {
        return Err(TokenError::Expired);
    }
    if claims.iat.saturating_sub(CLOCK_SKEW_SECONDS) > now {
        return Err(TokenError::Malformed("iat is in the future"));
    }
    Ok(())
}

/// Whether a text can be a participant's id.
pub fn is_jti(text: &str) -> bool {
    (1..=JTI_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The id in `arn:aws:ivs:us-east-1:123456789012:stage/AbCdEf123456`, by the API's own pattern.
fn stage_id(arn: &str) -> Option<&str> {
    let [prefix, partition, service, region, account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let id = resource.strip_prefix("stage/")?;
    let of = |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    let valid = (prefix, partition, service) == ("arn", "aws", "ivs")
        && of(region, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && of(account, |byte| byte.is_ascii_digit())
        && of(id, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && arn.len() <= 128;
    valid.then_some(id)
}

fn user_id_chars(claims: &Claims) -> usize {
    claims.user_id.as_deref().map_or(0, |id| id.chars().count())
}

fn attributes_bytes(claims: &Claims) -> usize {
    claims.attributes.iter().flatten().map(|(name, value)| name.len() + value.len()).sum()
}
