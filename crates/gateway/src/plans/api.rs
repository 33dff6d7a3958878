//! One API as a plan: its stages, each with what is deployed to it. The same for REST and HTTP APIs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use stagedoor_state::document::Kind;
use stagedoor_store::Revision;

use super::Owner;
use crate::metrics::{Counters, StageFigures};

/// What a deployment deployed, compiled; shared by the stages that serve it.
pub(crate) trait Deployed {
    /// The documents that it comes from.
    type Api: Kind;
    type Stage: Kind;
    type Snapshot: Kind;

    fn compile(snapshot: &Self::Snapshot) -> Self;

    /// What a plan takes over of a stage's document.
    fn settings(stage: Self::Stage) -> Settings;
}

/// A stage's own part.
pub(crate) struct Settings {
    pub(crate) name: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
}

pub(crate) struct Api<D> {
    pub(crate) owner: Owner,
    /// Those with a deployment, by name.
    pub(crate) stages: HashMap<String, Stage<D>>,
}

pub(crate) struct Stage<D> {
    pub(crate) name: String,
    pub(crate) deployment: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) deployed: Arc<D>,
    /// The revision of the snapshot that `deployed` was compiled from.
    revision: Revision,
    pub(crate) counters: Arc<Counters>,
}

impl<D: Deployed> Api<D> {
    pub(crate) fn new(owner: Owner) -> Self {
        Self { owner, stages: HashMap::new() }
    }

    /// This deployment as a stage of this plan already serves it.
    pub(crate) fn deployed(&self, deployment: &str, revision: Revision) -> Option<Arc<D>> {
        let same = |stage: &&Stage<D>| stage.deployment == deployment && stage.revision == revision;
        self.stages.values().find(same).map(|stage| Arc::clone(&stage.deployed))
    }

    /// Adds a stage, whose counters go on from where they were `before`.
    pub(crate) fn add(
        &mut self,
        (name, deployment): (String, String),
        variables: BTreeMap<String, String>,
        (deployed, revision): (Arc<D>, Revision),
        before: Option<&Self>,
    ) {
        let known = before.and_then(|api| api.stages.get(&name));
        let counters = known.map(|stage| Arc::clone(&stage.counters)).unwrap_or_default();
        let stage = Stage { name: name.clone(), deployment, variables, deployed, revision, counters };
        self.stages.insert(name, stage);
    }

    pub(crate) fn figures(&self, figures: &mut Vec<StageFigures>) {
        figures
            .extend(self.stages.values().map(|stage| stage.counters.figures(&self.owner.api, &stage.name)));
    }
}
