//! The errors of this service and their words.
//!
//! Codes and statuses are the model's. AWS does not publish its texts for this service, so these are ours, in
//! the manner of its neighbours, except where a comment names a source.

use stagedoor_state::Fault;
use stagedoor_state::tags::{ID_TAG, RESERVED_PREFIX, TAGS_MAX};

/// Also for what belongs to another account or region: whether it exists there is not told.
pub(crate) fn not_found(arn: &str) -> Fault {
    Fault::new("ResourceNotFoundException", 404, format!("Resource: {arn} not found"))
}

pub(crate) fn session_not_found(stage_arn: &str, session_id: &str) -> Fault {
    let message = format!("Session: {session_id} of stage: {stage_arn} not found");
    Fault::new("ResourceNotFoundException", 404, message)
}

pub(crate) fn participant_not_found(stage_arn: &str, participant_id: &str) -> Fault {
    let message = format!("Participant: {participant_id} of stage: {stage_arn} not found");
    Fault::new("ResourceNotFoundException", 404, message)
}

pub(crate) fn not_replicated(participant_id: &str, stage_arn: &str) -> Fault {
    let message = format!("Participant: {participant_id} is not being replicated to stage: {stage_arn}");
    Fault::new("ResourceNotFoundException", 404, message)
}

/// As for an operation that is not written: there is no error of AWS's that would be true.
pub(crate) fn replicas_not_carried() -> Fault {
    let message = "This version of Stagedoor cannot carry a participant's media to another stage";
    Fault::new("NotImplementedException", 501, message)
}

pub(crate) fn quota_exceeded(name: &str, max: usize) -> Fault {
    let message = format!("The maximum number of {name} is {max}");
    Fault::new("ServiceQuotaExceededException", 402, message)
}

pub(crate) fn id_taken(arn: &str) -> Fault {
    conflict(format!("Resource: {arn} already exists"))
}

pub(crate) fn recording_active(arn: &str) -> Fault {
    conflict(format!("The recording configuration of {arn} cannot be changed while recording is active"))
}

pub(crate) fn in_use(arn: &str, user: &str) -> Fault {
    conflict(format!("Resource: {arn} is in use by {user}"))
}

pub(crate) fn publishing(arn: &str) -> Fault {
    conflict(format!("Resource: {arn} is in use: somebody is publishing by it"))
}

pub(crate) fn idempotency_token_taken(arn: &str) -> Fault {
    conflict(format!("The idempotencyToken was used to start {arn} with other parameters"))
}

pub(crate) fn not_publishing(stage_arn: &str, participant_id: &str) -> Fault {
    conflict(format!("Participant: {participant_id} of stage: {stage_arn} is not publishing"))
}

pub(crate) fn already_replicated(participant_id: &str, stage_arn: &str) -> Fault {
    conflict(format!("Participant: {participant_id} is already being replicated to stage: {stage_arn}"))
}

pub(crate) fn participant_present(stage_arn: &str, participant_id: &str) -> Fault {
    conflict(format!("Stage: {stage_arn} already has a participant: {participant_id}"))
}

pub(crate) fn turned_out(stage_arn: &str, participant_id: &str) -> Fault {
    conflict(format!("Participant: {participant_id} was disconnected from stage: {stage_arn}"))
}

pub(crate) fn same_key(arn: &str) -> Fault {
    conflict(format!("The same public key has been imported as {arn}"))
}

fn conflict(message: String) -> Fault {
    Fault::new("ConflictException", 409, message)
}

pub(crate) fn malformed_chosen_id() -> Fault {
    validation(format!("The tag {ID_TAG} must be 1 to 40 letters and digits"))
}

/// AWS's wording for tags, common to its services.
pub(crate) fn reserved_tag_key() -> Fault {
    validation(format!("{RESERVED_PREFIX} prefixed tag key names are not allowed for external use."))
}

pub(crate) fn too_many_tags() -> Fault {
    validation(format!("A resource can have at most {TAGS_MAX} tags"))
}

pub(crate) fn invalid_next_token() -> Fault {
    validation("The nextToken is invalid".to_owned())
}

pub(crate) fn several_filters() -> Fault {
    validation("At most one filter can be used in a request".to_owned())
}

pub(crate) fn attributes_too_long(bytes_max: usize) -> Fault {
    validation(format!("The attributes of a participant token can have at most {bytes_max} bytes in total"))
}

pub(crate) fn no_public_key(why: &str) -> Fault {
    validation(format!("The publicKeyMaterial is not a public key for ES384: {why}"))
}

pub(crate) fn insecure_ingest_required() -> Fault {
    validation("The ingestProtocol RTMP requires insecureIngest to be true".to_owned())
}

pub(crate) fn destination_of_no_kind() -> Fault {
    validation("A destination must have either a channel or an S3 configuration".to_owned())
}

pub(crate) fn destinations_of_one_kind() -> Fault {
    validation("A composition can have at most one channel and one S3 destination".to_owned())
}

pub(crate) fn replication_to_itself() -> Fault {
    validation("The source and the destination of a replication must be different stages".to_owned())
}

pub(crate) fn two_layouts() -> Fault {
    validation("A layout must have either a grid or a pip configuration".to_owned())
}

pub(crate) fn odd_resolution() -> Fault {
    validation("The width and height of a video must be even".to_owned())
}

pub(crate) fn too_many_pixels(pixels_max: i64) -> Fault {
    validation(format!("The width and height of a video must not make more than {pixels_max} pixels"))
}

/// A rule of tokens that no other check covers; `why` names it.
pub(crate) fn token_refused(why: &str) -> Fault {
    validation(format!("The participant token cannot be issued: {why}"))
}

fn validation(message: String) -> Fault {
    Fault::new("ValidationException", 400, message)
}
