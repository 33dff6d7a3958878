//! Writes what API keys used of their usage plans. Stages count in memory; the store gets each day's totals once a
//! second, before they are asked for, and when the server ends. A server that is killed loses the last second.

use std::time::Duration;

use stagedoor_gateway::{Gateway, UsedDay};
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::{Day, KeyUsage};
use stagedoor_state::transact::transact;
use stagedoor_state::{Documents, Result};
use stagedoor_store::{Store, Transaction};
use tokio::sync::watch;

use super::told;

/// How often is written what was counted.
const ROUND: Duration = Duration::from_secs(1);
/// Totals written in one transaction at most.
const BATCH_MAX: usize = 256;
/// How long days are kept. `GetUsage` shows ninety at a time.
const KEPT_DAYS: i64 = 400;

/// Operations that must see what was counted until now.
pub fn is_asked_by(service: &str, operation: &str) -> bool {
    service == "apigateway" && matches!(operation, "GetUsage" | "UpdateUsage")
}

/// Writes every second, until the server stops.
pub async fn run(store: Store, gateway: Gateway, stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = told(stopped.clone()) => return,
            () = tokio::time::sleep(ROUND) => flush(&store, &gateway).await,
        }
    }
}

/// Writes what is not written yet. What the store does not take is tried again the next time.
pub async fn flush(store: &Store, gateway: &Gateway) {
    let used = gateway.unwritten_usage();
    if used.is_empty() {
        return;
    }
    let (store, gateway) = (store.clone(), gateway.clone());
    let written = tokio::task::spawn_blocking(move || {
        used.chunks(BATCH_MAX).try_for_each(|batch| {
            transact(&store, |transaction| batch.iter().try_for_each(|used| write(transaction, used)))?;
            gateway.wrote_usage(batch);
            Ok::<_, stagedoor_state::Fault>(())
        })
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => tracing::warn!(%fault, "what API keys used waits to be written"),
        Err(error) => tracing::error!(%error, "what API keys used could not be written"),
    }
}

/// Nothing is written for a key that has left the plan meanwhile.
fn write(transaction: &mut Transaction, used: &UsedDay) -> Result<()> {
    let ids = [used.plan.as_str(), used.key.as_str()];
    let documents = &mut Documents::new(transaction, &used.account, &used.region);
    if !documents.exists::<PlanKey>(&ids)? {
        return Ok(());
    }
    let mut usage = documents.get::<KeyUsage>(&ids)?.unwrap_or_default();
    usage.requests.insert(used.day, used.requests);
    usage.forget_before(Day::from_number(used.day.number() - KEPT_DAYS));
    documents.put(&ids, &usage)
}
