//! What is stored of compositions, which mix a stage into one picture, and how they begin and end.
//!
//! The control plane starts and stops them. Whoever mixes writes what becomes of them in between.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;
use stagedoor_api::ivs_realtime::{CompositionState, DestinationState};
use stagedoor_model::Timestamp;

use crate::document::Kind;

/// How long a composition is remembered after it has ended.
const KEPT_MICROS: i64 = 5 * 60 * 1_000_000;

/// On a composition that failed this tag says why: code and reason as AWS's event "Session Failure" has them,
/// since no member of an answer does.
pub const FAILURE_TAG: &str = "stagedoor:failure";

/// One composition. Ids: `[composition]`, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    pub arn: String,
    pub stage_arn: String,
    pub tags: BTreeMap<String, String>,
    /// Always complete: members that the client left out hold their defaults.
    pub layout: api::LayoutShown,
    /// Always complete, too.
    pub destinations: Vec<api::Destination>,
    pub state: CompositionState,
    pub started_micros: i64,
    pub ended_micros: Option<i64>,
    /// By which a repeated request is known.
    pub request: api::StartCompositionRequest,
}

impl Kind for Composition {
    const KIND: &'static str = "ivs-composition";
}

impl Composition {
    /// Whether it has not ended, so that it counts and what it uses is in use.
    pub fn is_running(&self) -> bool {
        self.ended_micros.is_none()
    }

    /// Whether it ended so long ago that it exists no more, whether or not its document was deleted.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.ended_micros.is_some_and(|ended| ended + KEPT_MICROS <= now.as_micros())
    }

    /// It is to stop. One that nobody has begun to mix has stopped at once; others stop when whoever mixes says
    /// so. One that has ended stays as it is.
    pub fn stop(&mut self, now: Timestamp) {
        match self.state {
            CompositionState::Starting => self.end(CompositionState::Stopped, DestinationState::Stopped, now),
            CompositionState::Active => {
                self.state = CompositionState::Stopping;
                for destination in self.running_destinations() {
                    destination.state = Some(DestinationState::Stopping);
                }
            }
            CompositionState::Stopping | CompositionState::Failed | CompositionState::Stopped => {}
        }
    }

    /// It has failed, unless it had already ended. `code` and `reason` are those of "Session Failure".
    pub fn fail(&mut self, code: &str, reason: &str, now: Timestamp) {
        if self.is_running() {
            self.end(CompositionState::Failed, DestinationState::Failed, now);
            self.tags.insert(FAILURE_TAG.to_owned(), format!("{code}: {reason}"));
        }
    }

    fn end(&mut self, state: CompositionState, destination_state: DestinationState, now: Timestamp) {
        for destination in self.running_destinations() {
            destination.state = Some(destination_state);
            destination.end_time = Some(now);
        }
        self.state = state;
        self.ended_micros = Some(now.as_micros());
    }

    fn running_destinations(&mut self) -> impl Iterator<Item = &mut api::Destination> {
        self.destinations.iter_mut().filter(|destination| destination.end_time.is_none())
    }

    /// The encoder configurations of all destinations.
    pub fn encoder_configuration_arns(&self) -> impl Iterator<Item = &str> {
        self.configurations().flat_map(|one| {
            let channel =
                one.channel.as_ref().and_then(|channel| channel.encoder_configuration_arn.as_deref());
            let s3 = one.s3.iter().flat_map(|s3| &s3.encoder_configuration_arns).map(String::as_str);
            channel.into_iter().chain(s3)
        })
    }

    pub fn storage_configuration_arns(&self) -> impl Iterator<Item = &str> {
        self.configurations().filter_map(|one| Some(one.s3.as_ref()?.storage_configuration_arn.as_str()))
    }

    pub fn channel_arns(&self) -> impl Iterator<Item = &str> {
        self.configurations().filter_map(|one| Some(one.channel.as_ref()?.channel_arn.as_str()))
    }

    fn configurations(&self) -> impl Iterator<Item = &api::DestinationConfiguration> {
        self.destinations.iter().filter_map(|destination| destination.configuration.as_ref())
    }
}
