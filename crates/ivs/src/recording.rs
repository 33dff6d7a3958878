//! The recording configuration of a stage: always stored complete.

use stagedoor_api::ivs_realtime::{
    AutoParticipantRecordingConfiguration, ParticipantRecordingHlsConfiguration,
    ParticipantRecordingMediaType, ParticipantThumbnailConfiguration, ThumbnailRecordingMode,
    ThumbnailStorageType,
};
use stagedoor_state::ivs::StorageConfiguration;
use stagedoor_state::{Cx, Result};

use crate::resource;

/// The whole configuration that a request means. Members that it leaves out get their defaults; without a
/// storage configuration nothing is recorded and all members get them.
///
/// # Errors
/// ResourceNotFoundException if the storage configuration does not exist in the stage's account and region.
pub(crate) fn complete(
    cx: &mut Cx<'_>,
    given: Option<AutoParticipantRecordingConfiguration>,
) -> Result<AutoParticipantRecordingConfiguration> {
    let given = given.unwrap_or_default();
    if given.storage_configuration_arn.is_empty() {
        return Ok(with_defaults(AutoParticipantRecordingConfiguration::default()));
    }
    resource::existing::<StorageConfiguration>(cx, &given.storage_configuration_arn)?;
    Ok(with_defaults(given))
}

/// Defaults as `get-stage` shows them for a stage that does not record.
fn with_defaults(given: AutoParticipantRecordingConfiguration) -> AutoParticipantRecordingConfiguration {
    let hls = given.hls_configuration.unwrap_or_default();
    let thumbnails = given.thumbnail_configuration.unwrap_or_default();
    AutoParticipantRecordingConfiguration {
        storage_configuration_arn: given.storage_configuration_arn,
        media_types: Some(or(given.media_types, ParticipantRecordingMediaType::AudioVideo)),
        thumbnail_configuration: Some(ParticipantThumbnailConfiguration {
            target_interval_seconds: thumbnails.target_interval_seconds.or(Some(60)),
            storage: Some(or(thumbnails.storage, ThumbnailStorageType::Sequential)),
            recording_mode: thumbnails.recording_mode.or(Some(ThumbnailRecordingMode::Disabled)),
        }),
        recording_reconnect_window_seconds: given.recording_reconnect_window_seconds.or(Some(0)),
        hls_configuration: Some(ParticipantRecordingHlsConfiguration {
            target_segment_duration_seconds: hls.target_segment_duration_seconds.or(Some(6)),
        }),
        record_participant_replicas: given.record_participant_replicas.or(Some(true)),
    }
}

fn or<T>(given: Option<Vec<T>>, default: T) -> Vec<T> {
    given.filter(|given| !given.is_empty()).unwrap_or_else(|| vec![default])
}
