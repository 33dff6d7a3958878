//! API keys and usage plans of one account and region: who a key belongs to, which stages its plans open, and what is
//! left of their throttles and quotas.
//!
//! A snapshot that requests read without a lock; [`crate::plans`] makes a new one when a document changes. Buckets and
//! counters go on from one to the next.

pub(crate) mod usage;

use std::collections::HashMap;
use std::sync::Arc;

use stagedoor_api::apigateway as api;
use stagedoor_state::rest::usage::{Day, KeyUsage};

use crate::throttle::{Bucket, Limit};
use usage::Usage;

/// All keys and plans.
#[derive(Clone, Default)]
pub(crate) struct Clients {
    by_value: HashMap<Arc<str>, Arc<Client>>,
    by_id: HashMap<Arc<str>, Arc<Client>>,
    plans: HashMap<Arc<str>, Arc<Plan>>,
}

/// Who has an API key.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) enabled: bool,
    pub(crate) memberships: Vec<Membership>,
}

/// A key in a plan.
pub(crate) struct Membership {
    pub(crate) plan: Arc<Plan>,
    pub(crate) usage: Arc<Usage>,
    bucket: Arc<Bucket>,
    /// One for each of the plan's [`Plan::methods`].
    method_buckets: Vec<Arc<Bucket>>,
}

/// A usage plan.
pub(crate) struct Plan {
    pub(crate) id: String,
    /// Ids of APIs and names of stages.
    stages: Vec<(String, String)>,
    throttle: Option<Limit>,
    methods: Vec<PlanMethod>,
    pub(crate) quota: Option<api::QuotaSettings>,
}

/// The throttle of one method of one stage of a plan.
struct PlanMethod {
    api: String,
    stage: String,
    /// `/pets/{id}/GET`
    key: String,
    limit: Option<Limit>,
}

impl Clients {
    pub(crate) fn by_value(&self, value: &str) -> Option<&Arc<Client>> {
        self.by_value.get(value)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<Client>> {
        self.by_id.get(id)
    }

    pub(crate) fn plan(&self, id: &str) -> Option<Arc<Plan>> {
        self.plans.get(id).cloned()
    }

    pub(crate) fn plan_ids(&self) -> impl Iterator<Item = &str> {
        self.plans.keys().map(|id| &**id)
    }

    pub(crate) fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(|id| &**id)
    }

    /// Ids of the keys that belong to a plan.
    pub(crate) fn members_of(&self, plan: &str) -> Vec<String> {
        let belongs = |client: &&Arc<Client>| client.memberships.iter().any(|member| member.plan.id == plan);
        self.by_id.values().filter(belongs).map(|client| client.id.clone()).collect()
    }

    /// Puts a plan in place of what it was before; `None` removes it.
    pub(crate) fn put_plan(&mut self, id: &str, plan: Option<Arc<Plan>>) {
        match plan {
            Some(plan) => _ = self.plans.insert(id.into(), plan),
            None => _ = self.plans.remove(id),
        }
    }

    /// Puts a key in place of what it was before; `None` removes it.
    pub(crate) fn put_client(&mut self, id: &str, client: Option<Client>) {
        if let Some(before) = self.by_id.remove(id) {
            self.by_value.remove(before.value.as_str());
        }
        if let Some(client) = client.map(Arc::new) {
            self.by_value.insert(client.value.as_str().into(), Arc::clone(&client));
            self.by_id.insert(id.into(), client);
        }
    }

    /// Every key in every plan.
    pub(crate) fn memberships(&self) -> impl Iterator<Item = (&Client, &Membership)> {
        self.by_id.values().flat_map(|client| client.memberships.iter().map(|member| (&**client, member)))
    }
}

impl Client {
    /// A key that belongs to no plan.
    pub(crate) fn new(id: &str, key: &api::ApiKey) -> Self {
        Self {
            id: id.to_owned(),
            value: key.value.clone().unwrap_or_default(),
            enabled: key.enabled == Some(true),
            memberships: Vec::new(),
        }
    }

    /// The plan that opens a stage to this key. The control plane sees to it that there is one at most.
    pub(crate) fn membership(&self, api: &str, stage: &str) -> Option<&Membership> {
        self.memberships.iter().find(|member| member.plan.opens(api, stage))
    }
}

impl Plan {
    pub(crate) fn new(id: &str, document: &api::UsagePlan) -> Self {
        let limit = |throttle: &api::ThrottleSettings| Limit::new(throttle.rate_limit, throttle.burst_limit);
        let mut plan = Self {
            id: id.to_owned(),
            stages: Vec::new(),
            throttle: document.throttle.as_ref().and_then(limit),
            methods: Vec::new(),
            quota: document.quota.clone(),
        };
        for listed in document.api_stages.iter().flatten() {
            let api = listed.api_id.clone().unwrap_or_default();
            let stage = listed.stage.clone().unwrap_or_default();
            for (key, throttle) in listed.throttle.iter().flatten() {
                let (api, stage) = (api.clone(), stage.clone());
                plan.methods.push(PlanMethod { api, stage, key: key.clone(), limit: limit(throttle) });
            }
            plan.stages.push((api, stage));
        }
        plan
    }

    fn opens(&self, api: &str, stage: &str) -> bool {
        self.stages.iter().any(|(listed, name)| listed == api && name == stage)
    }
}

impl PlanMethod {
    /// How closely it names this method of this stage, the least being the closest; `None` if it is about others.
    fn distance(&self, (api, stage): (&str, &str), path: &str, verb: &str) -> Option<u8> {
        if (self.api.as_str(), self.stage.as_str()) != (api, stage) {
            return None;
        }
        match self.key.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) {
            Some(named) if named == verb => Some(0),
            Some("ANY") => Some(1),
            _ => (self.key == "*/*").then_some(2),
        }
    }
}

impl Membership {
    /// `usage` is what is stored of it. Buckets and counters are those that were `known`.
    pub(crate) fn new(
        plan: Arc<Plan>,
        since: Day,
        usage: KeyUsage,
        known: Option<&Self>,
        today: Day,
    ) -> Self {
        let counted = known.map(|known| Arc::clone(&known.usage)).unwrap_or_default();
        counted.take_over(usage, plan.quota.as_ref(), since, today);
        let method_bucket = |method: &PlanMethod| {
            let (known, same) = (known?, |other: &PlanMethod| {
                (&other.api, &other.stage, &other.key) == (&method.api, &method.stage, &method.key)
            });
            known.method_buckets.get(known.plan.methods.iter().position(same)?).cloned()
        };
        Self {
            method_buckets: plan
                .methods
                .iter()
                .map(|method| method_bucket(method).unwrap_or_default())
                .collect(),
            bucket: known.map(|known| Arc::clone(&known.bucket)).unwrap_or_default(),
            usage: counted,
            plan,
        }
    }

    /// Takes a token for this method, then one for the plan.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(crate) fn take(&self, stage: (&str, &str), path: &str, verb: &str, now: u64) -> Result<(), Limit> {
        let throttled = self.plan.methods.iter().zip(&self.method_buckets);
        let named = throttled.filter_map(|it| Some((it.0.distance(stage, path, verb)?, it)));
        let method = named.min_by_key(|(distance, _)| *distance).map(|(_, method)| method);
        let method = method.map(|(method, bucket)| (method.limit, bucket));
        for (limit, bucket) in method.into_iter().chain([(self.plan.throttle, &self.bucket)]) {
            if let Some(limit) = limit.filter(|limit| !bucket.take(*limit, now)) {
                return Err(limit);
            }
        }
        Ok(())
    }
}
