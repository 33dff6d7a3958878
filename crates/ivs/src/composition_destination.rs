//! Where compositions go: the rules of their destinations, and what requests leave out of them.

use stagedoor_api::ivs_realtime::{
    CompositionRecordingHlsConfiguration, CompositionThumbnailConfiguration, Destination,
    DestinationConfiguration, DestinationDetail, DestinationState, RecordingConfiguration,
    RecordingConfigurationFormat, S3DestinationConfiguration, S3Detail, ThumbnailStorageType,
};
use stagedoor_state::ivs::{Composition, EncoderConfiguration, StorageConfiguration};
use stagedoor_state::{Cx, Result};

use crate::{messages, resource};

/// Characters of a destination's id.
const ID_CHARS: usize = 12;
const SEGMENT_SECONDS_DEFAULT: i64 = 2;
const THUMBNAIL_SECONDS_DEFAULT: i64 = 60;

/// Each destination is of one kind, and there is at most one of each.
///
/// # Errors
/// ValidationException.
pub(crate) fn check_kinds(destinations: &[DestinationConfiguration]) -> Result<()> {
    if destinations.iter().any(|one| one.channel.is_some() == one.s3.is_some()) {
        return Err(messages::destination_of_no_kind());
    }
    let channels = destinations.iter().filter(|one| one.channel.is_some()).count();
    if channels > 1 || destinations.len() - channels > 1 {
        return Err(messages::destinations_of_one_kind());
    }
    Ok(())
}

/// What destinations refer to exists, and their channel is not in use by another composition.
///
/// Channels are no resources of this service: any of the caller's account and region is taken to exist.
///
/// # Errors
/// ResourceNotFoundException, ConflictException.
pub(crate) fn check_uses(
    cx: &mut Cx<'_>,
    destinations: &[DestinationConfiguration],
    others: &[Composition],
) -> Result<()> {
    for DestinationConfiguration { channel, s3, .. } in destinations {
        let mut encoders: Vec<&String> = s3.iter().flat_map(|s3| &s3.encoder_configuration_arns).collect();
        if let Some(channel) = channel {
            encoders.extend(&channel.encoder_configuration_arn);
            check_channel(cx, &channel.channel_arn, others)?;
        }
        if let Some(s3) = s3 {
            resource::existing::<StorageConfiguration>(cx, &s3.storage_configuration_arn)?;
        }
        for encoder in encoders {
            resource::existing::<EncoderConfiguration>(cx, encoder)?;
        }
    }
    Ok(())
}

fn check_channel(cx: &Cx<'_>, arn: &str, others: &[Composition]) -> Result<()> {
    if !resource::is_own(cx, "channel", arn) {
        return Err(messages::not_found(arn));
    }
    let mut running = others.iter().filter(|other| other.is_running());
    match running.find(|other| other.channel_arns().any(|taken| taken == arn)) {
        Some(user) => Err(messages::in_use(arn, &user.arn)),
        None => Ok(()),
    }
}

/// The destinations that a request means, with ids, about to start.
pub(crate) fn complete(
    cx: &Cx<'_>,
    stage_id: &str,
    composition_id: &str,
    given: &[DestinationConfiguration],
) -> Vec<Destination> {
    let complete = |given: &DestinationConfiguration| {
        let id = cx.new_ivs_id(ID_CHARS);
        let prefix = || format!("{stage_id}/{composition_id}/{id}/composite");
        let detail = given
            .s3
            .as_ref()
            .map(|_| DestinationDetail { s3: Some(S3Detail { recording_prefix: Some(prefix()) }) });
        let configuration = DestinationConfiguration {
            channel: given.channel.clone(),
            name: Some(given.name.clone().unwrap_or_default()),
            s3: given.s3.clone().map(with_defaults),
        };
        Destination {
            configuration: Some(configuration),
            detail,
            id: Some(id),
            state: Some(DestinationState::Starting),
            ..Destination::default()
        }
    };
    given.iter().map(complete).collect()
}

fn with_defaults(given: S3DestinationConfiguration) -> S3DestinationConfiguration {
    let recording = given.recording_configuration.unwrap_or_default();
    let hls = recording.hls_configuration.unwrap_or_default();
    let seconds = hls.target_segment_duration_seconds.unwrap_or(SEGMENT_SECONDS_DEFAULT);
    let thumbnails = |given: CompositionThumbnailConfiguration| CompositionThumbnailConfiguration {
        storage: given
            .storage
            .filter(|given| !given.is_empty())
            .or(Some(vec![ThumbnailStorageType::Sequential])),
        target_interval_seconds: given.target_interval_seconds.or(Some(THUMBNAIL_SECONDS_DEFAULT)),
    };
    S3DestinationConfiguration {
        recording_configuration: Some(RecordingConfiguration {
            format: Some(RecordingConfigurationFormat::Hls),
            hls_configuration: Some(CompositionRecordingHlsConfiguration {
                target_segment_duration_seconds: Some(seconds),
            }),
        }),
        thumbnail_configurations: given
            .thumbnail_configurations
            .map(|given| given.into_iter().map(thumbnails).collect()),
        ..given
    }
}
