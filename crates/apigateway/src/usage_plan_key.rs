//! API keys of usage plans: `CreateUsagePlanKey`, `GetUsagePlanKey`, `GetUsagePlanKeys`, `DeleteUsagePlanKey`.

use stagedoor_api::apigateway::{
    ApiKey, ApiStage, CreateUsagePlanKeyRequest, DeleteUsagePlanKeyRequest, GetUsagePlanKeyRequest,
    GetUsagePlanKeysRequest, UsagePlan, UsagePlanKey, UsagePlanKeys,
};
use stagedoor_state::page::newest_first;
use stagedoor_state::rest::PlanKey;
use stagedoor_state::rest::usage::KeyUsage;
use stagedoor_state::{Cx, Result};

use crate::{api_key, listing, messages, quota, usage_plan};

const KEY_TYPE: &str = "API_KEY";

/// `POST /usageplans/{usageplanId}/keys`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateUsagePlanKey.html>
pub fn create_usage_plan_key(cx: &mut Cx<'_>, input: CreateUsagePlanKeyRequest) -> Result<UsagePlanKey> {
    usage_plan::existing(cx, &input.usage_plan_id)?;
    if input.key_type != KEY_TYPE {
        return Err(messages::bad_key_type());
    }
    let key = api_key::existing(cx, &input.key_id)?;
    add(cx, &input.usage_plan_id, &input.key_id)?;
    Ok(shown(key))
}

/// `GET /usageplans/{usageplanId}/keys/{keyId}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlanKey.html>
pub fn get_usage_plan_key(cx: &mut Cx<'_>, input: GetUsagePlanKeyRequest) -> Result<UsagePlanKey> {
    usage_plan::existing(cx, &input.usage_plan_id)?;
    if !cx.exists::<PlanKey>(&[&input.usage_plan_id, &input.key_id])? {
        return Err(messages::no_plan_key());
    }
    api_key::existing(cx, &input.key_id).map(shown)
}

/// `GET /usageplans/{usageplanId}/keys`, newest first, with values; an unknown plan has none. `name` is the beginning
/// of names.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlanKeys.html>
pub fn get_usage_plan_keys(cx: &mut Cx<'_>, input: GetUsagePlanKeysRequest) -> Result<UsagePlanKeys> {
    let start = input.name_query.unwrap_or_default();
    let mut keys = Vec::new();
    for (ids, plan_key) in cx.list::<PlanKey>(&[&input.usage_plan_id])? {
        let key = shown(api_key::existing(cx, ids.first().map(String::as_str).unwrap_or_default())?);
        if key.name.as_deref().unwrap_or_default().starts_with(&start) {
            keys.push((plan_key.added_micros, key));
        }
    }
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order =
        |(added, key): &(i64, UsagePlanKey)| newest_first(*added, key.id.as_deref().unwrap_or_default());
    let page = listing::page(cx, &format!("usage plan keys {}", input.usage_plan_id), keys, order, &wish)?;
    let items = page.items.into_iter().map(|(_, key)| key).collect();
    Ok(UsagePlanKeys { items: Some(items), position: page.next })
}

/// `DELETE /usageplans/{usageplanId}/keys/{keyId}`: the key stays, what it used of the plan is forgotten.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteUsagePlanKey.html>
pub fn delete_usage_plan_key(cx: &mut Cx<'_>, input: DeleteUsagePlanKeyRequest) -> Result<()> {
    usage_plan::existing(cx, &input.usage_plan_id)?;
    let ids = [input.usage_plan_id.as_str(), input.key_id.as_str()];
    if !cx.exists::<PlanKey>(&ids)? {
        return Err(messages::no_plan_key());
    }
    cx.delete::<KeyUsage>(&ids)?;
    cx.delete::<PlanKey>(&ids)
}

/// Makes a key belong to a plan; both are there. No stage may be reached by two plans of one key.
pub fn add(cx: &mut Cx<'_>, plan: &str, key: &str) -> Result<()> {
    if cx.exists::<PlanKey>(&[plan, key])? {
        return Err(messages::plan_key_exists());
    }
    let stages = usage_plan::existing(cx, plan)?.api_stages.unwrap_or_default();
    let mut plans = 0;
    for (ids, _) in cx.list::<PlanKey>(&[])? {
        let [other, owner] = ids.as_slice() else { continue };
        if owner != key {
            continue;
        }
        plans += 1;
        let others = cx.get::<UsagePlan>(&[other])?.and_then(|plan| plan.api_stages).unwrap_or_default();
        let same = |a: &ApiStage, b: &ApiStage| a.api_id == b.api_id && a.stage == b.stage;
        if let Some(stage) = stages.iter().find(|stage| others.iter().any(|listed| same(stage, listed))) {
            let ApiStage { api_id, stage, .. } = stage.clone();
            return Err(messages::key_reaches_stage(
                &api_id.unwrap_or_default(),
                &stage.unwrap_or_default(),
                other,
            ));
        }
    }
    quota::check_count(cx, quota::PLANS_PER_KEY, plans)?;
    let added_micros = cx.now().as_micros();
    cx.put(&[plan, key], &PlanKey { added_micros })
}

/// Takes a key that is deleted out of all plans.
pub fn forget_key(cx: &mut Cx<'_>, key: &str) -> Result<()> {
    for plan in cx.all::<UsagePlan>(&[])? {
        let plan = plan.id.unwrap_or_default();
        cx.delete::<PlanKey>(&[&plan, key])?;
        cx.delete::<KeyUsage>(&[&plan, key])?;
    }
    Ok(())
}

fn shown(key: ApiKey) -> UsagePlanKey {
    UsagePlanKey { id: key.id, name: key.name, r#type: Some(KEY_TYPE.to_owned()), value: key.value }
}
