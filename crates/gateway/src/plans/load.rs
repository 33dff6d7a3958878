//! Reads the documents that an API's plan is made of. A document that cannot be read is logged and left out.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use stagedoor_api::{apigateway, apigatewayv2};
use stagedoor_state::document::{self, Key, Kind};
use stagedoor_state::{http, rest};
use stagedoor_store::{Result, Revision, Transaction};

use super::api::{Api, Deployed, Settings};
use super::{Owner, Plan, Plans};

/// The service that an API belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Rest,
    Http,
}

/// Every API of the store.
pub(super) fn all(transaction: &mut Transaction) -> Result<Plans> {
    let mut plans = Plans::default();
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
            let plan = one(transaction, service, &owner, None)?;
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
        .or_else(|| Key::parse::<rest::Snapshot>(key));
    if let Some(key) = rest {
        return owned(Service::Rest, key);
    }
    let http = Key::parse::<apigatewayv2::Api>(key)
        .or_else(|| Key::parse::<apigatewayv2::Stage>(key))
        .or_else(|| Key::parse::<http::Snapshot>(key));
    owned(Service::Http, http?)
}

/// One API as it is now, `None` if it does not exist. What has not changed since `before` is taken from there.
pub(super) fn one(
    transaction: &mut Transaction,
    service: Service,
    owner: &Owner,
    before: Option<&Plan>,
) -> Result<Option<Plan>> {
    match service {
        Service::Rest => {
            let before = before.and_then(|plan| if let Plan::Rest(api) = plan { Some(&**api) } else { None });
            Ok(plan(transaction, owner, before)?.map(|api| Plan::Rest(Arc::new(api))))
        }
        Service::Http => {
            let before = before.and_then(|plan| if let Plan::Http(api) = plan { Some(&**api) } else { None });
            Ok(plan(transaction, owner, before)?.map(|api| Plan::Http(Arc::new(api))))
        }
    }
}

fn plan<D: Deployed>(
    transaction: &mut Transaction,
    owner: &Owner,
    before: Option<&Api<D>>,
) -> Result<Option<Api<D>>> {
    if get::<D::Api>(transaction, owner, &[])?.is_none() {
        return Ok(None);
    }
    let mut api = Api::new(owner.clone());
    for stage in stages::<D::Stage>(transaction, owner)? {
        let Settings { name: Some(name), deployment: Some(deployment), variables } = D::settings(stage)
        else {
            continue;
        };
        let Some((revision, bytes)) = get::<D::Snapshot>(transaction, owner, &[&deployment])? else {
            continue;
        };
        let known = before.and_then(|before| before.deployed(&deployment, revision));
        let Some(deployed) =
            known.or_else(|| api.deployed(&deployment, revision)).or_else(|| compile(&bytes))
        else {
            continue;
        };
        api.add((name, deployment), variables, (deployed, revision), before);
    }
    Ok(Some(api))
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
