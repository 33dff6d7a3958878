//! Ingest configurations: the stream keys by which RTMP encoders publish to stages.
//!
//! The media plane says which of them are active. The participant that a configuration stands for is the same
//! for all its life.

use stagedoor_api::ivs_realtime::{
    self as api, CreateIngestConfigurationRequest, CreateIngestConfigurationResponse,
    DeleteIngestConfigurationRequest, DeleteIngestConfigurationResponse, GetIngestConfigurationRequest,
    GetIngestConfigurationResponse, IngestConfigurationState, IngestConfigurationSummary, IngestProtocol,
    ListIngestConfigurationsRequest, ListIngestConfigurationsResponse, RedundantIngestCredential,
    UpdateIngestConfigurationRequest, UpdateIngestConfigurationResponse,
};
use stagedoor_state::ivs::ingest::Credential;
use stagedoor_state::ivs::{IngestConfiguration, Revocation, Stage};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{messages, participant, participant_token, quota, resource, tag};

/// Characters of the secret at the end of a stream key.
const SECRET_CHARS: usize = 30;
/// Encoders of redundant ingest.
const REDUNDANT_ENCODERS: usize = 2;

/// `POST /CreateIngestConfiguration`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_CreateIngestConfiguration.html>
pub fn create_ingest_configuration(
    cx: &mut Cx<'_>,
    input: CreateIngestConfigurationRequest,
) -> Result<CreateIngestConfigurationResponse> {
    let tags = tag::checked(input.tags)?;
    participant_token::check_attributes(input.attributes.as_ref())?;
    if input.ingest_protocol == IngestProtocol::Rtmp && input.insecure_ingest != Some(true) {
        return Err(messages::insecure_ingest_required());
    }
    let stage_arn = input.stage_arn.unwrap_or_default();
    check_stage(cx, &stage_arn)?;
    quota::check::<IngestConfiguration>(cx, quota::INGEST_CONFIGURATIONS)?;
    let (id, arn) = resource::name::<IngestConfiguration>(cx, &tags)?;
    let mut configuration = IngestConfiguration {
        arn,
        name: input.name.unwrap_or_default(),
        tags,
        protocol: input.ingest_protocol,
        insecure: input.insecure_ingest.unwrap_or(false),
        stage_arn,
        user_id: input.user_id.unwrap_or_default(),
        attributes: input.attributes.unwrap_or_default(),
        credential: new_credential(cx, &id),
        redundant: Vec::new(),
        state: IngestConfigurationState::Inactive,
        created_micros: cx.now().as_micros(),
    };
    make_redundant(cx, &id, &mut configuration, input.redundant_ingest.unwrap_or(false));
    cx.put(&[&id], &configuration)?;
    Ok(answer(configuration))
}

/// `POST /GetIngestConfiguration`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetIngestConfiguration.html>
pub fn get_ingest_configuration(
    cx: &mut Cx<'_>,
    input: GetIngestConfigurationRequest,
) -> Result<GetIngestConfigurationResponse> {
    let (_, configuration) = resource::existing::<IngestConfiguration>(cx, &input.arn)?;
    Ok(GetIngestConfigurationResponse { ingest_configuration: Some(show(configuration)) })
}

/// `POST /ListIngestConfigurations`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListIngestConfigurations.html>
pub fn list_ingest_configurations(
    cx: &mut Cx<'_>,
    input: ListIngestConfigurationsRequest,
) -> Result<ListIngestConfigurationsResponse> {
    let (stage, state) = (input.filter_by_stage_arn, input.filter_by_state);
    if stage.is_some() && state.is_some() {
        return Err(messages::several_filters());
    }
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let mut configurations = cx.all::<IngestConfiguration>(&[])?;
    configurations.retain(|one| {
        stage.as_ref().is_none_or(|stage| one.stage_arn == *stage)
            && state.is_none_or(|state| one.state == state)
    });
    let order = |one: &IngestConfiguration| newest_first(one.created_micros, &one.arn);
    let list = ["ListIngestConfigurations", &format!("{stage:?}"), &format!("{state:?}")];
    let page = page(cx, &list, &request, configurations, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListIngestConfigurationsResponse { ingest_configurations: Some(summaries), next_token: page.next })
}

/// `POST /UpdateIngestConfiguration`: not while somebody publishes by it.
///
/// Attaching it to a stage lets its participant in, also if `DisconnectParticipant` had turned it out there.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_UpdateIngestConfiguration.html>
pub fn update_ingest_configuration(
    cx: &mut Cx<'_>,
    input: UpdateIngestConfigurationRequest,
) -> Result<UpdateIngestConfigurationResponse> {
    let (id, mut configuration) = resource::existing::<IngestConfiguration>(cx, &input.arn)?;
    if configuration.is_active() {
        return Err(messages::publishing(&configuration.arn));
    }
    if let Some(redundant) = input.redundant_ingest {
        make_redundant(cx, &id, &mut configuration, redundant);
    }
    if let Some(stage_arn) = input.stage_arn {
        if let Some(stage_id) = check_stage(cx, &stage_arn)? {
            for participant_id in configuration.participant_ids() {
                cx.delete::<Revocation>(&[&stage_id, participant_id])?;
            }
        }
        configuration.stage_arn = stage_arn;
    }
    cx.put(&[&id], &configuration)?;
    Ok(answer(configuration))
}

/// `POST /DeleteIngestConfiguration`: while somebody publishes by it only with `force`, which disconnects them.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DeleteIngestConfiguration.html>
pub fn delete_ingest_configuration(
    cx: &mut Cx<'_>,
    input: DeleteIngestConfigurationRequest,
) -> Result<DeleteIngestConfigurationResponse> {
    let (id, configuration) = resource::existing::<IngestConfiguration>(cx, &input.arn)?;
    if configuration.is_active() {
        if input.force != Some(true) {
            return Err(messages::publishing(&configuration.arn));
        }
        if let Some((stage_id, _)) = resource::find::<Stage>(cx, &configuration.stage_arn)? {
            for participant_id in configuration.participant_ids() {
                let reason = "ingest configuration deleted".to_owned();
                participant::revoke(cx, &stage_id, participant_id, reason)?;
            }
        }
    }
    cx.delete::<IngestConfiguration>(&[&id])?;
    Ok(DeleteIngestConfigurationResponse::default())
}

/// Detaches from a stage the configurations that publish to it: that of one participant, or all.
pub(crate) fn detach(cx: &mut Cx<'_>, stage_arn: &str, participant_id: Option<&str>) -> Result<()> {
    for (ids, mut configuration) in cx.list::<IngestConfiguration>(&[])? {
        let meant =
            participant_id.is_none_or(|wanted| configuration.participant_ids().any(|id| id == wanted));
        if meant && configuration.is_active() && configuration.stage_arn == stage_arn {
            configuration.stage_arn.clear();
            // Of a stage that is gone nobody says any more who publishes to it.
            configuration.state = IngestConfigurationState::Inactive;
            cx.put(&[&ids.concat()], &configuration)?;
        }
    }
    Ok(())
}

/// The id of the stage that a configuration is attached to, if any.
///
/// # Errors
/// ResourceNotFoundException if the ARN is not empty and there is no such stage.
fn check_stage(cx: &mut Cx<'_>, stage_arn: &str) -> Result<Option<String>> {
    if stage_arn.is_empty() {
        return Ok(None);
    }
    resource::existing::<Stage>(cx, stage_arn).map(|(stage_id, _)| Some(stage_id))
}

/// Gives a configuration the credentials of redundant ingest, keeping those it has, or takes them away.
fn make_redundant(cx: &Cx<'_>, id: &str, configuration: &mut IngestConfiguration, redundant: bool) {
    let encoders = if redundant { REDUNDANT_ENCODERS } else { 0 };
    configuration.redundant.resize_with(encoders, || new_credential(cx, id));
}

fn new_credential(cx: &Cx<'_>, id: &str) -> Credential {
    let secret = cx.new_ivs_id(SECRET_CHARS);
    Credential {
        participant_id: participant_token::new_participant_id(cx),
        stream_key: format!("rt_{}_{}_{id}_{secret}", cx.account(), cx.region()),
    }
}

// === Answers ===

fn answer(configuration: IngestConfiguration) -> CreateIngestConfigurationResponse {
    CreateIngestConfigurationResponse {
        ingest_configuration: Some(show(configuration)),
        ..CreateIngestConfigurationResponse::default()
    }
}

fn show(configuration: IngestConfiguration) -> api::IngestConfiguration {
    let redundant: Vec<_> = configuration.redundant.into_iter().map(credential).collect();
    api::IngestConfiguration {
        arn: Some(configuration.arn),
        attributes: Some(configuration.attributes),
        ingest_protocol: Some(configuration.protocol),
        name: Some(configuration.name),
        participant_id: Some(configuration.credential.participant_id),
        redundant_ingest: Some(!redundant.is_empty()),
        redundant_ingest_credentials: (!redundant.is_empty()).then_some(redundant),
        stage_arn: Some(configuration.stage_arn),
        state: Some(configuration.state),
        stream_key: Some(configuration.credential.stream_key),
        tags: Some(configuration.tags),
        user_id: Some(configuration.user_id),
    }
}

fn credential(credential: Credential) -> RedundantIngestCredential {
    RedundantIngestCredential {
        participant_id: Some(credential.participant_id),
        stream_key: Some(credential.stream_key),
    }
}

fn summary(configuration: IngestConfiguration) -> IngestConfigurationSummary {
    let shown = show(configuration);
    IngestConfigurationSummary {
        arn: shown.arn,
        ingest_protocol: shown.ingest_protocol,
        name: shown.name,
        participant_id: shown.participant_id,
        redundant_ingest: shown.redundant_ingest,
        stage_arn: shown.stage_arn,
        state: shown.state,
        user_id: shown.user_id,
    }
}
