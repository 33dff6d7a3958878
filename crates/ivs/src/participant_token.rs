//! Participant tokens. They are not stored: what is handed out cannot be had again.

use std::collections::BTreeMap;

use stagedoor_api::ivs_realtime::{
    CreateParticipantTokenRequest, CreateParticipantTokenResponse, ParticipantToken,
    ParticipantTokenCapability, ParticipantTokenConfiguration,
};
use stagedoor_state::ivs::Stage;
use stagedoor_state::ivs::token::{self, Grant};
use stagedoor_state::{Cx, Result};

use crate::{messages, resource};

/// How long a token lives if the request does not say: 12 hours.
const MINUTES_DEFAULT: i64 = 720;
/// Characters of a participant id.
const PARTICIPANT_ID_CHARS: usize = 12;

/// `POST /CreateParticipantToken`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_CreateParticipantToken.html>
pub fn create_participant_token(
    cx: &mut Cx<'_>,
    input: CreateParticipantTokenRequest,
) -> Result<CreateParticipantTokenResponse> {
    let (id, stage) = resource::existing::<Stage>(cx, &input.stage_arn)?;
    let wanted = ParticipantTokenConfiguration {
        attributes: input.attributes,
        capabilities: input.capabilities,
        duration: input.duration,
        user_id: input.user_id,
    };
    let token = issue(cx, &id, &stage, wanted)?;
    Ok(CreateParticipantTokenResponse { participant_token: Some(token) })
}

/// Issues a token for a new participant. Without `capabilities` it may do both; with an empty list neither.
///
/// # Errors
/// ValidationException if the attributes are too long.
pub(crate) fn issue(
    cx: &Cx<'_>,
    stage_id: &str,
    stage: &Stage,
    wanted: ParticipantTokenConfiguration,
) -> Result<ParticipantToken> {
    use ParticipantTokenCapability::{Publish, Subscribe};
    check_attributes(wanted.attributes.as_ref())?;
    let capabilities = wanted.capabilities.unwrap_or_else(|| vec![Publish, Subscribe]);
    let minutes = wanted.duration.unwrap_or(MINUTES_DEFAULT);
    let participant_id = new_participant_id(cx);
    let grant = Grant {
        participant_id: participant_id.clone(),
        user_id: wanted.user_id.clone(),
        attributes: wanted.attributes.clone(),
        may_publish: capabilities.contains(&Publish),
        may_subscribe: capabilities.contains(&Subscribe),
        minutes,
    };
    let issued = token::issue(cx.environment, stage_id, stage, grant)
        .map_err(|refusal| messages::token_refused(&refusal.to_string()))?;
    Ok(ParticipantToken {
        attributes: wanted.attributes,
        capabilities: Some(capabilities),
        duration: Some(minutes),
        expiration_time: Some(issued.expires),
        participant_id: Some(participant_id),
        token: Some(issued.token),
        user_id: wanted.user_id,
    })
}

/// A random id for a participant.
pub(crate) fn new_participant_id(cx: &Cx<'_>) -> String {
    cx.new_ivs_id(PARTICIPANT_ID_CHARS)
}

/// Attributes have at most 1 KB, names and values together.
pub(crate) fn check_attributes(attributes: Option<&BTreeMap<String, String>>) -> Result<()> {
    let bytes: usize = attributes.into_iter().flatten().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > token::ATTRIBUTES_MAX {
        Err(messages::attributes_too_long(token::ATTRIBUTES_MAX))
    } else {
        Ok(())
    }
}
