//! One API as a plan: its stages, each with what is deployed to it. The same for REST and HTTP APIs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use stagedoor_state::document::Kind;
use stagedoor_state::rest::CacheEpoch;
use stagedoor_store::Revision;

use super::Owner;
use super::place::Place;
use crate::authorize::Answers;
use crate::ids::RequestId;
use crate::metrics::{Counters, StageFigures};
use crate::observe::{ApiKind, Wanted, Watched};

/// What a deployment deployed, compiled; shared by the stages that serve it.
pub(crate) trait Deployed {
    /// The documents that it comes from.
    type Api: Kind;
    type Stage: Kind;
    type Snapshot: Kind;
    /// What a stage's own settings say of this deployment's methods or routes: throttles, caching.
    type Tuning;
    /// How often a stage's caches were flushed.
    type Epoch: Kind + Default;

    const KIND: ApiKind;

    fn compile(snapshot: &Self::Snapshot) -> Self;

    /// What a plan takes over of a stage's document.
    fn settings(stage: &Self::Stage) -> Settings;

    /// The methods or routes with detailed metrics, by key.
    fn detailed(tuning: &Self::Tuning) -> impl Iterator<Item = (&str, &Counters)>;

    /// Finds the settings of each method or route.
    fn tune(&self, stage: &Self::Stage, known: &Known<'_, Self::Tuning>) -> Self::Tuning;

    /// How often the answers of a stage's authorizers were flushed.
    fn flushes(epoch: &Self::Epoch) -> u64;
}

/// A stage's own part.
pub(crate) struct Settings {
    pub(crate) name: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) canary: Option<CanarySettings>,
    pub(crate) wanted: Wanted,
}

/// The part of a stage that gets some of its traffic.
pub(crate) struct CanarySettings {
    pub(crate) deployment: String,
    /// Of 100.
    pub(crate) percent: f64,
    /// All variables: the stage's own, and the overrides on top.
    pub(crate) variables: BTreeMap<String, String>,
}

/// What a tuning goes on from.
pub(crate) struct Known<'a, T> {
    /// The same stage, or the same stage's canary, in the plan before.
    pub(crate) before: Option<&'a T>,
    /// The stage, if what is tuned is its canary.
    pub(crate) stage: Option<&'a T>,
    /// How often the stage's caches were flushed.
    pub(crate) epoch: CacheEpoch,
}

pub(crate) struct Api<D: Deployed> {
    pub(crate) owner: Owner,
    /// What it shares with all APIs of its account and region.
    pub(crate) place: Arc<Place>,
    /// Those with a deployment, by name.
    pub(crate) stages: HashMap<String, Stage<D>, RandomState>,
}

pub(crate) struct Stage<D: Deployed> {
    pub(crate) name: String,
    pub(crate) deployment: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) deployed: Arc<D>,
    pub(crate) tuning: D::Tuning,
    /// `$context.isCanaryRequest`, which only stages with a canary have.
    pub(crate) is_canary: Option<bool>,
    pub(crate) canary: Option<Canary<D>>,
    /// The revision of the snapshot that `deployed` was compiled from.
    pub(crate) revision: Revision,
    pub(crate) counters: Arc<Counters>,
    /// What is told of its requests.
    pub(crate) observing: Watched,
    /// What its authorizers said of its callers, as of `flushes`.
    pub(crate) answers: Arc<Answers>,
    pub(crate) flushes: u64,
}

/// What some of a stage's requests are served by.
pub(crate) struct Canary<D: Deployed> {
    /// Of 100.
    pub(crate) percent: f64,
    pub(crate) stage: Box<Stage<D>>,
}

impl<D: Deployed> Stage<D> {
    /// Its authorizers' answers, if they are still good for this deployment and were not flushed since.
    pub(crate) fn answers(&self, deployment: &str, revision: Revision, flushes: u64) -> Option<Arc<Answers>> {
        let same = (self.deployment.as_str(), self.revision, self.flushes) == (deployment, revision, flushes);
        same.then(|| Arc::clone(&self.answers))
    }

    /// The stage itself or its canary, as this request's lot falls.
    pub(crate) fn for_request(&self, id: RequestId) -> &Self {
        match &self.canary {
            Some(canary) if id.fraction() * 100.0 < canary.percent => &canary.stage,
            _ => self,
        }
    }
}

impl<D: Deployed> Api<D> {
    pub(crate) fn new(owner: Owner, place: Arc<Place>) -> Self {
        Self { owner, place, stages: HashMap::default() }
    }

    /// This deployment as a stage of this plan already serves it.
    pub(crate) fn deployed(&self, deployment: &str, revision: Revision) -> Option<Arc<D>> {
        let canaries = self.stages.values().filter_map(|stage| stage.canary.as_ref());
        let mut all = self.stages.values().chain(canaries.map(|canary| &*canary.stage));
        let same = |stage: &&Stage<D>| stage.deployment == deployment && stage.revision == revision;
        all.find(same).map(|stage| Arc::clone(&stage.deployed))
    }

    /// Adds a stage that is in no document, for a test.
    pub(crate) fn add_test_stage(&mut self, stage: &D::Stage, deployed: D) {
        let Settings { name, variables, wanted, .. } = D::settings(stage);
        let name = name.unwrap_or_default();
        let known = Known { before: None, stage: None, epoch: CacheEpoch::default() };
        let observing = Watched::new(D::KIND, &self.owner, &name, false, wanted);
        let stage = Stage {
            name: name.clone(),
            observing,
            deployment: String::new(),
            variables,
            tuning: deployed.tune(stage, &known),
            deployed: Arc::new(deployed),
            is_canary: None,
            canary: None,
            revision: Revision::ZERO,
            counters: Arc::default(),
            answers: Arc::default(),
            flushes: 0,
        };
        self.stages.insert(name, stage);
    }

    pub(crate) fn figures(&self, figures: &mut Vec<StageFigures>) {
        for stage in self.stages.values() {
            let of = |counters: &Counters, detail| counters.figures(&self.owner.api, &stage.name, detail);
            figures.push(of(&stage.counters, None));
            let detailed = D::detailed(&stage.tuning);
            figures.extend(detailed.map(|(key, counters)| of(counters, Some(D::KIND.detail(key)))));
        }
    }
}
