//! Compositions: a stage mixed into one picture, which is sent to a channel or recorded.
//!
//! Starting and stopping stands here; whoever mixes says when one is active. A server whose media plane cannot
//! mix takes the request and lets the composition fail at once, with a tag that says why.

use stagedoor_api::ivs_realtime::{
    self as api, CompositionState, CompositionSummary, DestinationSummary, GetCompositionRequest,
    GetCompositionResponse, ListCompositionsRequest, ListCompositionsResponse, StartCompositionRequest,
    StartCompositionResponse, StopCompositionRequest, StopCompositionResponse,
};
use stagedoor_model::Timestamp;
use stagedoor_state::ivs::{Composition, Stage};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{composition_destination, composition_layout, messages, quota, resource, tag};

/// Items on a page when the request does not say.
const PAGE_DEFAULT: i64 = 100;
/// Why a composition fails on a server that cannot mix.
const NOT_CARRIED: &str = "this version of Stagedoor cannot mix a stage into one picture";

/// `POST /StartComposition`
///
/// A request with the `idempotencyToken` of an existing composition answers that one, or is refused if it asks
/// for something else.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_StartComposition.html>
pub fn start_composition(
    cx: &mut Cx<'_>,
    input: StartCompositionRequest,
) -> Result<StartCompositionResponse> {
    let others = remembered(cx)?;
    if let Some(same) = repeated(&others, &input)? {
        return Ok(StartCompositionResponse { composition: Some(show(same.clone())) });
    }
    let tags = tag::checked(input.tags.clone())?;
    let layout = composition_layout::complete(input.layout.clone())?;
    composition_destination::check_kinds(&input.destinations)?;
    let (stage_id, _) = resource::existing::<Stage>(cx, &input.stage_arn)?;
    composition_destination::check_uses(cx, &input.destinations, &others)?;
    check_quotas(cx, &input.stage_arn, &others)?;
    let (id, arn) = resource::name::<Composition>(cx, &tags)?;
    let started = Composition {
        arn,
        stage_arn: input.stage_arn.clone(),
        tags,
        layout,
        destinations: composition_destination::complete(cx, &stage_id, &id, &input.destinations),
        state: CompositionState::Starting,
        started_micros: cx.now().as_micros(),
        ended_micros: None,
        request: input,
    };
    let mut stored = started.clone();
    if !cx.environment.ivs.carries.compositions {
        stored.fail("InternalServerException", NOT_CARRIED, cx.now());
    }
    cx.put(&[&id], &stored)?;
    Ok(StartCompositionResponse { composition: Some(show(started)) })
}

/// `POST /GetComposition`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetComposition.html>
pub fn get_composition(cx: &mut Cx<'_>, input: GetCompositionRequest) -> Result<GetCompositionResponse> {
    let (_, composition) = resource::existing::<Composition>(cx, &input.arn)?;
    Ok(GetCompositionResponse { composition: Some(show(composition)) })
}

/// `POST /ListCompositions`: newest first. Both filters together show what passes both.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListCompositions.html>
pub fn list_compositions(
    cx: &mut Cx<'_>,
    input: ListCompositionsRequest,
) -> Result<ListCompositionsResponse> {
    let (stage, encoder) = (input.filter_by_stage_arn, input.filter_by_encoder_configuration_arn);
    let max_results = input.max_results.or(Some(PAGE_DEFAULT));
    let request = page::Request { token: input.next_token, max_results };
    let mut compositions = cx.all::<Composition>(&[])?;
    let now = cx.now();
    compositions.retain(|one| {
        !one.is_forgotten(now)
            && stage.as_ref().is_none_or(|stage| one.stage_arn == *stage)
            && encoder
                .as_ref()
                .is_none_or(|encoder| one.encoder_configuration_arns().any(|arn| arn == encoder))
    });
    let order = |one: &Composition| newest_first(one.started_micros, &one.arn);
    let list = ["ListCompositions", &format!("{stage:?}"), &format!("{encoder:?}")];
    let page = page(cx, &list, &request, compositions, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListCompositionsResponse { compositions: Some(summaries), next_token: page.next })
}

/// `POST /StopComposition`: one that has ended stays as it is.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_StopComposition.html>
pub fn stop_composition(cx: &mut Cx<'_>, input: StopCompositionRequest) -> Result<StopCompositionResponse> {
    let (id, mut composition) = resource::existing::<Composition>(cx, &input.arn)?;
    composition.stop(cx.now());
    cx.put(&[&id], &composition)?;
    Ok(StopCompositionResponse::default())
}

/// Ends the compositions of a stage that is being deleted.
pub(crate) fn stage_deleted(cx: &mut Cx<'_>, stage_arn: &str) -> Result<()> {
    for (ids, mut composition) in cx.list::<Composition>(&[])? {
        if composition.is_running() && composition.stage_arn == stage_arn {
            composition.fail("StageDeleted", "the stage was deleted", cx.now());
            cx.put(&[&ids.concat()], &composition)?;
        }
    }
    Ok(())
}

/// Fails if a running composition uses the resource `arn`, as `uses` says.
pub(crate) fn check_unused(cx: &mut Cx<'_>, arn: &str, uses: impl Fn(&Composition) -> bool) -> Result<()> {
    let compositions = cx.all::<Composition>(&[])?;
    match compositions.iter().find(|one| one.is_running() && uses(one)) {
        Some(user) => Err(messages::in_use(arn, &user.arn)),
        None => Ok(()),
    }
}

/// All compositions that exist. Deletes the documents of those that do not any more.
fn remembered(cx: &mut Cx<'_>) -> Result<Vec<Composition>> {
    let mut remembered = Vec::new();
    for (ids, composition) in cx.list::<Composition>(&[])? {
        if composition.is_forgotten(cx.now()) {
            cx.delete::<Composition>(&[&ids.concat()])?;
        } else {
            remembered.push(composition);
        }
    }
    Ok(remembered)
}

/// The composition that an earlier copy of this request has started.
fn repeated<'a>(
    others: &'a [Composition],
    input: &StartCompositionRequest,
) -> Result<Option<&'a Composition>> {
    let Some(token) = &input.idempotency_token else { return Ok(None) };
    let same = others.iter().find(|other| other.request.idempotency_token.as_ref() == Some(token));
    match same {
        Some(other) if other.request != *input => Err(messages::idempotency_token_taken(&other.arn)),
        same => Ok(same),
    }
}

fn check_quotas(cx: &Cx<'_>, stage_arn: &str, others: &[Composition]) -> Result<()> {
    let running = others.iter().filter(|other| other.is_running());
    quota::check_count(cx, quota::COMPOSITIONS, running.clone().count())?;
    let on_stage = running.filter(|other| other.stage_arn == stage_arn).count();
    quota::check_count(cx, quota::COMPOSITIONS_PER_STAGE, on_stage)
}

// === Answers ===

fn show(composition: Composition) -> api::Composition {
    api::Composition {
        arn: Some(composition.arn),
        destinations: Some(composition.destinations),
        end_time: composition.ended_micros.map(Timestamp::from_micros),
        layout: Some(composition.layout),
        stage_arn: Some(composition.stage_arn),
        start_time: Some(Timestamp::from_micros(composition.started_micros)),
        state: Some(composition.state),
        tags: Some(composition.tags),
    }
}

fn summary(composition: Composition) -> CompositionSummary {
    let destinations = composition.destinations.into_iter().map(destination_summary).collect();
    CompositionSummary {
        arn: Some(composition.arn),
        destinations: Some(destinations),
        end_time: composition.ended_micros.map(Timestamp::from_micros),
        stage_arn: Some(composition.stage_arn),
        start_time: Some(Timestamp::from_micros(composition.started_micros)),
        state: Some(composition.state),
        tags: Some(composition.tags),
    }
}

fn destination_summary(destination: api::Destination) -> DestinationSummary {
    let api::Destination { end_time, id, start_time, state, .. } = destination;
    DestinationSummary { end_time, id, start_time, state }
}
