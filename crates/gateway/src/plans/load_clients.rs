//! Reads the documents that API keys and usage plans are made of, and follows their changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use stagedoor_api::apigateway::{ApiKey, UsagePlan};
use stagedoor_state::document::{self, Key, Kind};
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::{Day, KeyUsage};
use stagedoor_store::{Result, Transaction};

use super::place::Places;
use crate::clients::{Client, Clients, Membership, Plan};

/// What has changed in one account and region.
#[derive(Clone, Debug, Default)]
struct Touched {
    plans: BTreeSet<String>,
    /// With the plans that each may belong to now.
    keys: BTreeMap<String, BTreeSet<String>>,
}

/// By account and region.
type AllTouched = BTreeMap<(String, String), Touched>;

/// What may have changed, told by the keys of documents.
#[derive(Debug, Default)]
pub(super) struct Concerned(AllTouched);

impl Concerned {
    pub(super) fn of<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut concerned = Self::default();
        keys.for_each(|key| concerned.add(key));
        concerned
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, key: &str) {
        if let Some(Key { account, region, ids }) = Key::parse::<UsagePlan>(key) {
            self.0.entry((account, region)).or_default().plans.extend(ids.into_iter().next());
        } else if let Some(Key { account, region, ids }) = Key::parse::<ApiKey>(key) {
            let keys = &mut self.0.entry((account, region)).or_default().keys;
            ids.into_iter().take(1).for_each(|key| _ = keys.entry(key).or_default());
        } else if let Some(Key { account, region, ids }) =
            Key::parse::<PlanKey>(key).or_else(|| Key::parse::<KeyUsage>(key))
            && let [plan, key] = ids.as_slice()
        {
            let keys = &mut self.0.entry((account, region)).or_default().keys;
            keys.entry(key.clone()).or_default().insert(plan.clone());
        }
    }
}

/// Reads all keys and plans.
pub(super) fn all(transaction: &mut Transaction, places: &Places, today: Day) -> Result<()> {
    let mut concerned = Concerned::default();
    for prefix in
        [document::prefix::<UsagePlan>(), document::prefix::<ApiKey>(), document::prefix::<PlanKey>()]
    {
        transaction.visit::<()>(&prefix, |key, _| {
            concerned.add(key);
            ControlFlow::Continue(())
        })?;
    }
    // What is known and no longer stored is looked for as well, and not found.
    for ((account, region), place) in places.all() {
        let clients = place.clients.load();
        let touched = concerned.0.entry((account, region)).or_default();
        touched.plans.extend(clients.plan_ids().map(str::to_owned));
        for key in clients.key_ids() {
            touched.keys.entry(key.to_owned()).or_default();
        }
    }
    apply(transaction, places, &concerned, today)
}

/// Takes over what has changed.
pub(super) fn apply(
    transaction: &mut Transaction,
    places: &Places,
    concerned: &Concerned,
    today: Day,
) -> Result<()> {
    for ((account, region), touched) in &concerned.0 {
        let place = places.of(account, region);
        let mut clients = Clients::clone(&place.clients.load());
        let reader = &mut Reader { transaction, account, region, today };
        reader.take(&mut clients, touched.clone())?;
        place.clients.store(Arc::new(clients));
    }
    Ok(())
}

struct Reader<'a> {
    transaction: &'a mut Transaction,
    account: &'a str,
    region: &'a str,
    today: Day,
}

impl Reader<'_> {
    fn take(&mut self, clients: &mut Clients, mut touched: Touched) -> Result<()> {
        for id in touched.plans {
            let document = self.get::<UsagePlan>(&[&id])?;
            clients.put_plan(&id, document.map(|document| Arc::new(Plan::new(&id, &document))));
            for member in clients.members_of(&id) {
                touched.keys.entry(member.to_owned()).or_default().insert(id.clone());
            }
        }
        for (id, plans) in touched.keys {
            let before = clients.by_id(&id).cloned();
            let client = self.client(clients, &id, plans, before.as_deref())?;
            clients.put_client(&id, client);
        }
        Ok(())
    }

    fn client(
        &mut self,
        clients: &Clients,
        id: &str,
        mut plans: BTreeSet<String>,
        before: Option<&Client>,
    ) -> Result<Option<Client>> {
        let Some(key) = self.get::<ApiKey>(&[id])? else { return Ok(None) };
        let memberships = before.map(|client| client.memberships.as_slice()).unwrap_or_default();
        plans.extend(memberships.iter().map(|membership| membership.plan.id.clone()));
        let mut client = Client::new(id, &key);
        for id in plans {
            let Some(plan) = clients.plan(&id) else { continue };
            let Some(member) = self.get::<PlanKey>(&[&id, &client.id])? else { continue };
            let usage = self.get::<KeyUsage>(&[&id, &client.id])?.unwrap_or_default();
            let known = memberships.iter().find(|known| known.plan.id == id);
            client.memberships.push(Membership::new(plan, member.since(), usage, known, self.today));
        }
        Ok(Some(client))
    }

    fn get<T: Kind>(&mut self, ids: &[&str]) -> Result<Option<T>> {
        let found = self.transaction.get(&document::key::<T>(self.account, self.region, ids))?;
        Ok(found.and_then(|document| document::decode(&document.bytes).ok()))
    }
}
