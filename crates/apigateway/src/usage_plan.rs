//! Usage plans: `CreateUsagePlan`, `GetUsagePlan`, `GetUsagePlans`, `UpdateUsagePlan`, `DeleteUsagePlan`.
//!
//! What patches may change stands in [`crate::usage_plan_patch`], keys of plans in [`crate::usage_plan_key`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    ApiStage, CreateUsagePlanRequest, DeleteUsagePlanRequest, GetUsagePlanRequest, GetUsagePlansRequest,
    QuotaPeriodType, QuotaSettings, Stage, ThrottleSettings, UpdateUsagePlanRequest, UsagePlan, UsagePlans,
};
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::KeyUsage;
use stagedoor_state::{Cx, Result};

use crate::{listing, messages, quota, tags, usage_plan_patch};

/// Characters of a plan's id.
const ID_LENGTH: usize = 6;

/// `POST /usageplans`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateUsagePlan.html>
pub fn create_usage_plan(cx: &mut Cx<'_>, input: CreateUsagePlanRequest) -> Result<UsagePlan> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    quota::check::<UsagePlan>(cx, &[], quota::USAGE_PLANS)?;
    let plan = UsagePlan {
        id: Some(cx.new_id(ID_LENGTH)),
        name: Some(input.name),
        description: input.description,
        api_stages: Some(input.api_stages.unwrap_or_default()),
        quota: input.quota,
        throttle: input.throttle,
        tags: input.tags.filter(|tags| !tags.is_empty()),
        product_code: None,
    };
    store(cx, &[], plan)
}

/// `GET /usageplans/{usageplanId}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlan.html>
pub fn get_usage_plan(cx: &mut Cx<'_>, input: GetUsagePlanRequest) -> Result<UsagePlan> {
    existing(cx, &input.usage_plan_id).map(answered)
}

/// `GET /usageplans`: all plans or those that a key belongs to, by id; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlans.html>
pub fn get_usage_plans(cx: &mut Cx<'_>, input: GetUsagePlansRequest) -> Result<UsagePlans> {
    let mut plans = Vec::new();
    for plan in cx.all::<UsagePlan>(&[])? {
        let id = plan.id.as_deref().unwrap_or_default();
        let listed = match &input.key_id {
            Some(key) => cx.exists::<PlanKey>(&[id, key])?,
            None => true,
        };
        plans.extend(Some(plan).filter(|_| listed));
    }
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |plan: &UsagePlan| plan.id.clone().unwrap_or_default();
    let page = listing::page(cx, "usageplans", plans, order, &wish)?;
    Ok(UsagePlans { items: Some(page.items), position: page.next })
}

/// `PATCH /usageplans/{usageplanId}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsagePlan.html>
pub fn update_usage_plan(cx: &mut Cx<'_>, input: UpdateUsagePlanRequest) -> Result<UsagePlan> {
    let old = existing(cx, &input.usage_plan_id)?;
    let plan = usage_plan_patch::PATCHES.apply(&old, input.patch_operations.as_deref())?;
    store(cx, &old.api_stages.unwrap_or_default(), plan).map(answered)
}

/// `DELETE /usageplans/{usageplanId}`, unless it still has stages.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteUsagePlan.html>
pub fn delete_usage_plan(cx: &mut Cx<'_>, input: DeleteUsagePlanRequest) -> Result<()> {
    let id = input.usage_plan_id.as_str();
    let plan = existing(cx, id)?;
    if plan.api_stages.is_some_and(|stages| !stages.is_empty()) {
        return Err(messages::usage_plan_in_use(id));
    }
    cx.delete_all::<PlanKey>(&[id])?;
    cx.delete_all::<KeyUsage>(&[id])?;
    cx.delete::<UsagePlan>(&[id])
}

pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<UsagePlan> {
    cx.get(&[id])?.ok_or_else(messages::no_usage_plan)
}

/// Takes a stage that is deleted, or all stages of an API that is, out of all plans.
pub fn forget_stages(cx: &mut Cx<'_>, api: &str, stage: Option<&str>) -> Result<()> {
    let doomed = |listed: &ApiStage| {
        listed.api_id.as_deref() == Some(api) && (stage.is_none() || listed.stage.as_deref() == stage)
    };
    for mut plan in cx.all::<UsagePlan>(&[])? {
        let stages = plan.api_stages.get_or_insert_default();
        let before = stages.len();
        stages.retain(|listed| !doomed(listed));
        if stages.len() < before {
            cx.put(&[plan.id.as_deref().unwrap_or_default()], &plan)?;
        }
    }
    Ok(())
}

/// Get and update answers show tags even where there are none; creating and listing do not.
fn answered(plan: UsagePlan) -> UsagePlan {
    UsagePlan { tags: Some(plan.tags.unwrap_or_default()), ..plan }
}

// === Rules that hold after every change ===

/// Stores the plan, if it keeps all rules. `old` are the stages that it had before.
fn store(cx: &mut Cx<'_>, old: &[ApiStage], mut plan: UsagePlan) -> Result<UsagePlan> {
    let id = plan.id.clone().unwrap_or_default();
    if plan.name.as_deref().unwrap_or_default().is_empty() {
        return Err(messages::usage_plan_name_empty());
    }
    plan.description = plan.description.filter(|description| !description.is_empty());
    for stage in plan.api_stages.iter_mut().flatten() {
        settle_stage(cx, &id, old, stage)?;
    }
    plan.quota.as_mut().map_or(Ok(()), settle_quota)?;
    plan.throttle.as_ref().map_or(Ok(()), check_throttle)?;
    cx.put(&[&id], &plan)?;
    Ok(plan)
}

fn settle_stage(cx: &mut Cx<'_>, plan: &str, old: &[ApiStage], listed: &mut ApiStage) -> Result<()> {
    let api = listed.api_id.as_deref().unwrap_or_default();
    let stage = listed.stage.as_deref().unwrap_or_default();
    let known = old.iter().any(|old| old.api_id == listed.api_id && old.stage == listed.stage);
    if !known && !cx.exists::<Stage>(&[api, stage])? {
        return Err(messages::no_api_stage(api, stage, plan));
    }
    listed.throttle = listed.throttle.take().filter(|throttle| !throttle.is_empty());
    let throttles = listed.throttle.as_ref().map_or(0, BTreeMap::len);
    quota::check_count(cx, quota::METHOD_THROTTLES, throttles.saturating_sub(1))?;
    listed.throttle.iter().flatten().try_for_each(|(_, throttle)| check_throttle(throttle))
}

fn settle_quota(quota: &mut QuotaSettings) -> Result<()> {
    let offset = *quota.offset.get_or_insert(0);
    let Some(period) = quota.period.filter(|_| quota.limit.unwrap_or_default() >= 0) else {
        return Err(messages::bad_quota());
    };
    // The offset is the day on which a period begins, counted from Sunday or from the first of the month.
    let (most, words) = match period {
        QuotaPeriodType::Day => (0, "zero in the DAY period"),
        QuotaPeriodType::Week => (6, "between zero and six inclusive in the WEEK period"),
        QuotaPeriodType::Month => (27, "between zero and 27 inclusive in the MONTH period"),
    };
    match (0..=most).contains(&offset) {
        true => Ok(()),
        false => Err(messages::bad_quota_offset(words)),
    }
}

/// A burst may be above the rate.
fn check_throttle(throttle: &ThrottleSettings) -> Result<()> {
    let burst = throttle.burst_limit.is_none_or(|burst| burst >= 0);
    let rate = throttle.rate_limit.is_none_or(|rate| rate.is_finite() && rate >= 0.0);
    if burst && rate { Ok(()) } else { Err(messages::bad_throttle()) }
}
