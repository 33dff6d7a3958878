//! Participant tokens that the server issues: the claims of one stage, signed with the server's own key.
//!
//! Tokens are not stored. Whether one is good is `stagedoor_auth::participant_token`'s to say.

use std::collections::BTreeMap;

use stagedoor_auth::participant_token::{self, ATTRIBUTES_BYTES_MAX, Capabilities, Claims, TokenError};
use stagedoor_model::Timestamp;

use super::Stage;
use crate::Environment;

/// Most bytes of a token's attribute names and values together.
pub const ATTRIBUTES_MAX: usize = ATTRIBUTES_BYTES_MAX;

/// What a token is to say of its participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub participant_id: String,
    pub user_id: Option<String>,
    pub attributes: Option<BTreeMap<String, String>>,
    pub may_publish: bool,
    pub may_subscribe: bool,
    /// How long the token can be used to join.
    pub minutes: i64,
}

/// A token and the end of its life, a whole second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub token: String,
    pub expires: Timestamp,
}

/// Issues a token for a stage.
///
/// # Errors
/// If the grant breaks a rule of tokens, e.g. lives longer than 14 days.
pub fn issue(
    environment: &Environment<'_>,
    stage_id: &str,
    stage: &Stage,
    grant: Grant,
) -> Result<Issued, TokenError> {
    let issued = environment.now.whole_seconds();
    let expires = issued.plus_seconds(grant.minutes.saturating_mul(60));
    let claims = Claims {
        exp: expires.as_seconds(),
        iat: issued.as_seconds(),
        jti: grant.participant_id,
        resource: stage.arn.clone(),
        topic: stage_id.to_owned(),
        events_url: environment.endpoints.events(),
        whip_url: environment.endpoints.whip(),
        capabilities: Capabilities { allow_publish: grant.may_publish, allow_subscribe: grant.may_subscribe },
        version: participant_token::VERSION.to_owned(),
        user_id: grant.user_id,
        attributes: grant.attributes,
    };
    let token = participant_token::issue(&claims, environment.token_key, environment.token_key_id)?;
    Ok(Issued { token, expires })
}
