//! All APIs as immutable plans, found by id. Made by [`load`] from documents, kept current by [`follow`].

pub(crate) mod api;
pub(crate) mod follow;
mod load;
mod load_clients;
mod load_links;
pub(crate) mod place;
pub(crate) mod seen;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domains::Domains;
use crate::metrics::StageFigures;
use crate::{http_api, rest};

/// Whose an API is. Its id alone need not be unique: set-ups can choose ids, in several accounts and regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) api: String,
}

/// One API.
#[derive(Clone)]
pub(crate) enum Plan {
    Rest(Arc<rest::plan::Api>),
    Http(Arc<http_api::plan::Api>),
}

impl Plan {
    fn owner(&self) -> &Owner {
        match self {
            Self::Rest(api) => &api.owner,
            Self::Http(api) => &api.owner,
        }
    }
}

/// Every API, by its id. Cheap to clone: a change replaces one API's plan and shares the others.
#[derive(Clone, Default)]
pub(crate) struct Plans {
    apis: HashMap<Arc<str>, Arc<[Plan]>, RandomState>,
    pub(crate) domains: Arc<Domains>,
}

impl Plans {
    /// The API of this id; where several owners have one, that of the region, else the first.
    pub(crate) fn find(&self, api: &str, region: Option<&str>) -> Option<&Plan> {
        let plans = self.apis.get(api)?;
        let in_region = region.and_then(|region| plans.iter().find(|plan| plan.owner().region == region));
        in_region.or_else(|| plans.first())
    }

    fn of(&self, owner: &Owner) -> Option<&Plan> {
        self.apis.get(&*owner.api)?.iter().find(|plan| plan.owner() == owner)
    }

    /// Puts an owner's API in place of what it was before; `None` removes it.
    fn replace(&mut self, owner: &Owner, plan: Option<Plan>) {
        let others = self.apis.get(&*owner.api).into_iter().flat_map(|plans| plans.iter());
        let mut plans: Vec<Plan> = others.filter(|plan| plan.owner() != owner).cloned().chain(plan).collect();
        plans.sort_by(|a, b| {
            let place = |plan: &Plan| (plan.owner().account.clone(), plan.owner().region.clone());
            place(a).cmp(&place(b))
        });
        if plans.is_empty() {
            self.apis.remove(&*owner.api);
        } else {
            self.apis.insert(owner.api.as_str().into(), plans.into());
        }
    }

    pub(crate) fn figures(&self) -> Vec<StageFigures> {
        let mut figures = Vec::new();
        for plan in self.apis.values().flat_map(|plans| plans.iter()) {
            match plan {
                Plan::Rest(api) => api.figures(&mut figures),
                Plan::Http(api) => api.figures(&mut figures),
            }
        }
        figures.sort_by(|a, b| (&a.api, &a.stage, &a.of).cmp(&(&b.api, &b.stage, &b.of)));
        figures
    }
}
