//! Stages.

use stagedoor_api::ivs_realtime::{
    self as api, CreateStageRequest, CreateStageResponse, DeleteStageRequest, DeleteStageResponse,
    GetStageRequest, GetStageResponse, ListStagesRequest, ListStagesResponse, ParticipantRecordingState,
    StageEndpoints, StageSummary, UpdateStageRequest, UpdateStageResponse,
};
use stagedoor_state::ivs::replication::{self, Which};
use stagedoor_state::ivs::{Stage, retention, session, stage};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{
    composition, ingest_configuration, messages, participant_token, quota, recording, resource, tag,
};

/// `POST /CreateStage`
///
/// A tag `stagedoor:id` chooses the id.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_CreateStage.html>
pub fn create_stage(cx: &mut Cx<'_>, input: CreateStageRequest) -> Result<CreateStageResponse> {
    let tags = tag::checked(input.tags)?;
    quota::check::<Stage>(cx, quota::STAGES)?;
    let (id, arn) = resource::name::<Stage>(cx, &tags)?;
    let stage = Stage {
        arn,
        name: input.name.unwrap_or_default(),
        tags,
        recording: recording::complete(cx, input.auto_participant_recording_configuration)?,
        created_micros: cx.now().as_micros(),
    };
    // An id that was chosen may have been another stage's before.
    retention::forget_sessions(cx, &id)?;
    cx.put(&[&id], &stage)?;
    let configurations = input.participant_token_configurations.unwrap_or_default();
    let tokens = configurations.into_iter().map(|wanted| participant_token::issue(cx, &id, &stage, wanted));
    let tokens = tokens.collect::<Result<_>>()?;
    Ok(CreateStageResponse { participant_tokens: Some(tokens), stage: Some(show(cx, &id, stage)?) })
}

/// `POST /GetStage`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetStage.html>
pub fn get_stage(cx: &mut Cx<'_>, input: GetStageRequest) -> Result<GetStageResponse> {
    let (id, stage) = resource::existing::<Stage>(cx, &input.arn)?;
    Ok(GetStageResponse { stage: Some(show(cx, &id, stage)?) })
}

/// `POST /ListStages`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListStages.html>
pub fn list_stages(cx: &mut Cx<'_>, input: ListStagesRequest) -> Result<ListStagesResponse> {
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let stages = cx.all::<Stage>(&[])?;
    let order = |stage: &Stage| newest_first(stage.created_micros, &stage.arn);
    let page = page(cx, &["ListStages"], &request, stages, order)?;
    let summaries = page.items.into_iter().map(|stage| summary(cx, stage)).collect::<Result<_>>()?;
    Ok(ListStagesResponse { stages: Some(summaries), next_token: page.next })
}

/// `POST /UpdateStage`
///
/// A recording configuration replaces the old one as a whole. It cannot be changed while somebody is recorded.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_UpdateStage.html>
pub fn update_stage(cx: &mut Cx<'_>, input: UpdateStageRequest) -> Result<UpdateStageResponse> {
    let (id, mut stage) = resource::existing::<Stage>(cx, &input.arn)?;
    if let Some(name) = input.name {
        stage.name = name;
    }
    if let Some(given) = input.auto_participant_recording_configuration {
        if is_recording(cx, &id)? {
            return Err(messages::recording_active(&stage.arn));
        }
        stage.recording = recording::complete(cx, Some(given))?;
    }
    cx.put(&[&id], &stage)?;
    Ok(UpdateStageResponse { stage: Some(show(cx, &id, stage)?) })
}

/// `POST /DeleteStage`: also while participants are connected, who are disconnected then.
///
/// Its sessions end and can still be looked at; EventBridge is told who stopped publishing. Ingest configurations that
/// publish to it are detached, its compositions fail, replications from and to it stop.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DeleteStage.html>
pub fn delete_stage(cx: &mut Cx<'_>, input: DeleteStageRequest) -> Result<DeleteStageResponse> {
    let (id, _) = resource::existing::<Stage>(cx, &input.arn)?;
    let concerned = |one: Which<'_>| one.source_stage_id == id || one.destination_stage_id == id;
    let now = cx.now();
    replication::stop_all(cx, concerned, now)?;
    // Before their participants stop: only those that publish are detached.
    ingest_configuration::detach(cx, &input.arn, None)?;
    stage::delete(cx, &id, now)?;
    composition::stage_deleted(cx, &input.arn)?;
    Ok(DeleteStageResponse::default())
}

/// Whether somebody in the open session is being recorded.
fn is_recording(cx: &mut Cx<'_>, stage_id: &str) -> Result<bool> {
    use ParticipantRecordingState::{Active, Starting, Stopping};
    let Some(session_id) = session::active_id(cx, stage_id)? else { return Ok(false) };
    let participants = cx.all::<api::Participant>(&[stage_id, &session_id])?;
    let mut states = participants.iter().filter_map(|participant| participant.recording_state);
    Ok(states.any(|state| matches!(state, Starting | Active | Stopping)))
}

// === Answers ===

fn show(cx: &mut Cx<'_>, id: &str, stage: Stage) -> Result<api::Stage> {
    let endpoints = cx.environment.endpoints;
    let endpoints = StageEndpoints {
        events: Some(endpoints.events()),
        rtmp: Some(endpoints.rtmp.clone()),
        rtmps: Some(endpoints.rtmps.clone()),
        whip: Some(endpoints.whip()),
    };
    Ok(api::Stage {
        active_session_id: session::active_id(cx, id)?,
        arn: Some(stage.arn),
        auto_participant_recording_configuration: Some(stage.recording),
        endpoints: Some(endpoints),
        name: Some(stage.name),
        tags: Some(stage.tags),
    })
}

fn summary(cx: &mut Cx<'_>, stage: Stage) -> Result<StageSummary> {
    let id = stage.arn.rsplit_once('/').map_or("", |(_, id)| id);
    Ok(StageSummary {
        active_session_id: session::active_id(cx, id)?,
        name: Some(stage.name),
        tags: Some(stage.tags),
        arn: Some(stage.arn),
    })
}
