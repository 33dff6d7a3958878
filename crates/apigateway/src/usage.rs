//! What keys used of their plans: `GetUsage`, `UpdateUsage`.
//!
//! The counters are those that the gateway keeps: [`stagedoor_state::rest::usage`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{GetUsageRequest, Op, QuotaSettings, UpdateUsageRequest, Usage, UsagePlan};
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::{Day, KeyUsage};
use stagedoor_state::{Cx, Result};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, usage_plan};

/// Days that one answer spans at most.
const DAYS_MAX: i64 = 90;

/// `GET /usageplans/{usageplanId}/usage`: per key and day the requests that counted and what was left of the quota
/// then; of a plan without a quota nothing is left to speak of, which is shown as 0.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html>
pub fn get_usage(cx: &mut Cx<'_>, input: GetUsageRequest) -> Result<Usage> {
    let plan = usage_plan::existing(cx, &input.usage_plan_id)?;
    let days = days(&input.start_date, &input.end_date)?;
    let keys = cx.list::<PlanKey>(&[&input.usage_plan_id])?.into_iter();
    let keys = keys.filter_map(|(ids, member)| Some((ids.into_iter().next()?, member.since())));
    let keys = keys.filter(|(key, _)| input.key_id.as_ref().is_none_or(|wanted| wanted == key)).collect();
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let page =
        listing::page(cx, &format!("usage {}", input.usage_plan_id), keys, |(key, _)| key.clone(), &wish)?;
    let mut items = BTreeMap::new();
    for (key, since) in page.items {
        let usage = cx.get::<KeyUsage>(&[&input.usage_plan_id, &key])?.unwrap_or_default();
        items.insert(key, days.iter().map(|day| entry(&plan, &usage, since, *day)).collect());
    }
    Ok(Usage {
        usage_plan_id: Some(input.usage_plan_id),
        start_date: Some(input.start_date),
        end_date: Some(input.end_date),
        items: Some(items),
        position: page.next,
    })
}

/// `PATCH /usageplans/{usageplanId}/keys/{keyId}/usage`: sets what is left of the current period's quota.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsage.html>
pub fn update_usage(cx: &mut Cx<'_>, input: UpdateUsageRequest) -> Result<Usage> {
    let ids = [input.usage_plan_id.as_str(), input.key_id.as_str()];
    let plan = usage_plan::existing(cx, &input.usage_plan_id)?;
    let since = cx.get::<PlanKey>(&ids)?.ok_or_else(messages::no_plan_key)?.since();
    let quota = plan.quota.clone().ok_or_else(messages::no_quota)?;
    let usage = cx.get::<KeyUsage>(&ids)?.unwrap_or_default();
    let today = Day::of(cx.now());
    let old = Metered { usage, quota, since, today };
    let new = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    cx.put(&ids, &new.usage)?;
    Ok(Usage {
        items: Some(BTreeMap::from([(input.key_id.clone(), vec![entry(&plan, &new.usage, since, today)])])),
        usage_plan_id: Some(input.usage_plan_id),
        start_date: Some(today.to_string()),
        end_date: Some(today.to_string()),
        position: None,
    })
}

/// All days from one to the other.
fn days(start: &str, end: &str) -> Result<Vec<Day>> {
    let (Some(start), Some(end)) = (Day::parse(start), Day::parse(end)) else {
        return Err(messages::bad_usage_dates());
    };
    if !(0..DAYS_MAX).contains(&end.since(start)) {
        return Err(messages::bad_usage_dates());
    }
    Ok(std::iter::successors(Some(start), |day| Some(day.next())).take_while(|day| *day <= end).collect())
}

/// What is shown of one day: used, remaining.
fn entry(plan: &UsagePlan, usage: &KeyUsage, since: Day, day: Day) -> Vec<i64> {
    let remaining = plan.quota.as_ref().map_or(0, |quota| usage.remaining(quota, since, day));
    vec![usage.on(day), remaining]
}

// === Patches ===

/// What a patch of usage changes, and what it must know.
#[derive(Clone)]
struct Metered {
    usage: KeyUsage,
    quota: QuotaSettings,
    /// When the key was added to the plan.
    since: Day,
    today: Day,
}

const PATCHES: Table<Metered> = Table {
    refuse: refuse_first_generation,
    rows: &[&[Row { path: "/remaining", ops: &[Op::Replace], apply: patch_remaining }]],
};

fn patch_remaining(metered: &mut Metered, change: &Change<'_>) -> Result<()> {
    let remaining = change.value.and_then(|value| value.parse().ok()).filter(|remaining| *remaining >= 0);
    let remaining = remaining.ok_or_else(|| messages::bad_setting(change.path, change.value))?;
    metered.usage.set_remaining(&metered.quota, metered.since, metered.today, remaining);
    Ok(())
}
