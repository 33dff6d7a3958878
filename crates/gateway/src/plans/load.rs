//! Reads the documents that an API's plan is made of. A document that cannot be read is logged and left out.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use stagedoor_api::{apigateway, apigatewayv2};
use stagedoor_state::document::{self, Key, Kind};
use stagedoor_state::{http, rest};
use stagedoor_store::{Result, Revision, Transaction};

use super::api::{Api, Canary, CanarySettings, Deployed, Known, Settings, Stage};
use super::place::Places;
use super::{Owner, Plan, Plans};
use crate::domains;
use crate::observe::Watched;

/// The service that an API belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Rest,
    Http,
}

/// Every API of the store. What has not changed since `before` is taken from there.
pub(super) fn all(transaction: &mut Transaction, places: &Places, before: &Plans) -> Result<Plans> {
    let mut plans = Plans { domains: Arc::new(domains::load::all(transaction)?), ..Plans::default() };
    for (service, prefix) in [
        (Service::Rest, document::prefix::<apigateway::RestApi>()),
        (Service::Http, document::prefix::<apigatewayv2::Api>()),
    ] {
        let mut owners = Vec::new();
        transaction.visit::<()>(&prefix, |key, _| {
            owners.extend(concerned(key).map(|(_, owner)| owner));
            ControlFlow::Continue(())
        })?;
        for owner in owners {
            let plan = one(transaction, service, &owner, places, before.of(&owner))?;
            plans.replace(&owner, plan);
        }
    }
    Ok(plans)
}

/// The API whose plan a change of this key may change.
pub(super) fn concerned(key: &str) -> Option<(Service, Owner)> {
    let owned = |service, key: Key| {
        let api = key.ids.into_iter().next()?;
        Some((service, Owner { account: key.account, region: key.region, api }))
    };
    let rest = Key::parse::<apigateway::RestApi>(key)
        .or_else(|| Key::parse::<apigateway::Stage>(key))
        .or_else(|| Key::parse::<rest::CacheEpoch>(key))
        .or_else(|| Key::parse::<rest::Snapshot>(key));
    if let Some(key) = rest {
        return owned(Service::Rest, key);
    }
    let http = Key::parse::<apigatewayv2::Api>(key)
        .or_else(|| Key::parse::<apigatewayv2::Stage>(key))
        .or_else(|| Key::parse::<http::Snapshot>(key))
        .or_else(|| Key::parse::<http::AuthorizerCacheEpoch>(key));
    owned(Service::Http, http?)
}

/// One API as it is now, `None` if it does not exist. What has not changed since `before` is taken from there.
pub(super) fn one(
    transaction: &mut Transaction,
    service: Service,
    owner: &Owner,
    places: &Places,
    before: Option<&Plan>,
) -> Result<Option<Plan>> {
    match service {
        Service::Rest => {
            let before = before.and_then(|plan| if let Plan::Rest(api) = plan { Some(&**api) } else { None });
            Ok(plan(transaction, owner, places, before)?.map(|api| Plan::Rest(Arc::new(api))))
        }
        Service::Http => {
            let before = before.and_then(|plan| if let Plan::Http(api) = plan { Some(&**api) } else { None });
            Ok(plan(transaction, owner, places, before)?.map(|api| Plan::Http(Arc::new(api))))
        }
    }
}

fn plan<D: Deployed>(
    transaction: &mut Transaction,
    owner: &Owner,
    places: &Places,
    before: Option<&Api<D>>,
) -> Result<Option<Api<D>>> {
    if get::<D::Api>(transaction, owner, &[])?.is_none() {
        return Ok(None);
    }
    let mut api = Api::new(owner.clone(), places.of(&owner.account, &owner.region));
    for document in stages::<D::Stage>(transaction, owner)? {
        if let Some(stage) = stage(transaction, &api, before, &document)? {
            api.stages.insert(stage.name.clone(), stage);
        }
    }
    Ok(Some(api))
}

/// A stage with its canary, `None` while nothing is deployed to it. Counters and buckets go on from where they were
/// `before`.
fn stage<D: Deployed>(
    transaction: &mut Transaction,
    api: &Api<D>,
    before: Option<&Api<D>>,
    document: &D::Stage,
) -> Result<Option<Stage<D>>> {
    let Settings { name: Some(name), deployment: Some(deployment), variables, canary, wanted } =
        D::settings(document)
    else {
        return Ok(None);
    };
    let Some((deployed, revision)) = deployed(transaction, api, before, &deployment)? else {
        return Ok(None);
    };
    let epoch = get::<rest::CacheEpoch>(transaction, &api.owner, &[&name])?
        .and_then(|(_, bytes)| document::decode(&bytes).ok())
        .unwrap_or_default();
    let flushes = flushes::<D>(transaction, &api.owner, &name)?;
    let known = before.and_then(|before| before.stages.get(&name));
    let answers = known.and_then(|stage| stage.answers(&deployment, revision, flushes)).unwrap_or_default();
    let counters = known.map(|stage| Arc::clone(&stage.counters)).unwrap_or_default();
    let tuned = Known { before: known.map(|stage| &stage.tuning), stage: None, epoch };
    let tuning = deployed.tune(document, &tuned);
    let observing = Watched::new(D::KIND, &api.owner, &name, false, wanted.clone());
    let mut stage = Stage {
        observing,
        name,
        deployment,
        variables,
        deployed,
        tuning,
        is_canary: canary.as_ref().map(|_| false),
        canary: None,
        revision,
        counters,
        answers,
        flushes,
    };
    if let Some(CanarySettings { deployment, percent, variables }) = canary
        && let Some((deployed, revision)) = self::deployed(transaction, api, before, &deployment)?
    {
        let known = known.and_then(|stage| stage.canary.as_ref());
        let tuned =
            Known { before: known.map(|canary| &canary.stage.tuning), stage: Some(&stage.tuning), epoch };
        let tuning = deployed.tune(document, &tuned);
        let answers = known.and_then(|canary| canary.stage.answers(&deployment, revision, flushes));
        let canary = Stage {
            observing: Watched::new(D::KIND, &api.owner, &stage.name, true, wanted),
            name: stage.name.clone(),
            deployment,
            variables,
            deployed,
            tuning,
            is_canary: Some(true),
            canary: None,
            revision,
            counters: Arc::clone(&stage.counters),
            answers: answers.unwrap_or_default(),
            flushes,
        };
        stage.canary = Some(Canary { percent, stage: Box::new(canary) });
    }
    Ok(Some(stage))
}

/// How often the answers of a stage's authorizers were flushed.
fn flushes<D: Deployed>(transaction: &mut Transaction, owner: &Owner, stage: &str) -> Result<u64> {
    let epoch = get::<D::Epoch>(transaction, owner, &[stage])?;
    let epoch = epoch.and_then(|(_, bytes)| document::decode(&bytes).ok());
    Ok(D::flushes(&epoch.unwrap_or_default()))
}

/// A deployment of the API, compiled, and the revision of its snapshot; `None` if there is none that can be read.
fn deployed<D: Deployed>(
    transaction: &mut Transaction,
    api: &Api<D>,
    before: Option<&Api<D>>,
    deployment: &str,
) -> Result<Option<(Arc<D>, Revision)>> {
    let Some((revision, bytes)) = get::<D::Snapshot>(transaction, &api.owner, &[deployment])? else {
        return Ok(None);
    };
    let known = before.and_then(|before| before.deployed(deployment, revision));
    let deployed = known.or_else(|| api.deployed(deployment, revision)).or_else(|| compile(&bytes));
    Ok(deployed.map(|deployed| (deployed, revision)))
}

fn compile<D: Deployed>(snapshot: &[u8]) -> Option<Arc<D>> {
    document::decode(snapshot).ok().map(|snapshot| Arc::new(D::compile(&snapshot)))
}

/// A document of the API and its revision, not decoded.
fn get<T: Kind>(
    transaction: &mut Transaction,
    owner: &Owner,
    ids: &[&str],
) -> Result<Option<(Revision, Arc<[u8]>)>> {
    let ids: Vec<&str> = std::iter::once(owner.api.as_str()).chain(ids.iter().copied()).collect();
    let found = transaction.get(&document::key::<T>(&owner.account, &owner.region, &ids))?;
    Ok(found.map(|document| (document.revision, document.bytes)))
}

fn stages<T: Kind>(transaction: &mut Transaction, owner: &Owner) -> Result<Vec<T>> {
    let prefix = document::key::<T>(&owner.account, &owner.region, &[&owner.api]) + "/";
    let mut stages = Vec::new();
    transaction.visit::<()>(&prefix, |_, document| {
        stages.extend(document::decode(&document.bytes).ok());
        ControlFlow::Continue(())
    })?;
    Ok(stages)
}

/// The APIs that these keys concern, each once.
pub(super) fn all_concerned<'k>(keys: impl Iterator<Item = &'k str>) -> BTreeSet<(Service, Owner)> {
    keys.filter_map(concerned).collect()
}
