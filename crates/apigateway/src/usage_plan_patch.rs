//! What patches may change of a usage plan.

use stagedoor_api::apigateway::{ApiStage, Op, QuotaPeriodType, QuotaSettings, ThrottleSettings, UsagePlan};
use stagedoor_state::Result;

use crate::messages;
use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, refuse_first_generation};

pub const PATCHES: Table<UsagePlan> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ADD_REPLACE: &[Op] = &[Op::Add, Op::Replace];

const ROWS: &[Row<UsagePlan>] = &[
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/description", ops: &[Op::Replace], apply: patch_description },
    Row { path: "/productCode", ops: ADD_REPLACE_REMOVE, apply: patch_product_code },
    Row { path: "/apiStages", ops: &[Op::Add, Op::Remove], apply: patch_api_stages },
    Row { path: "/apiStages/{}/throttle", ops: ADD_REPLACE_REMOVE, apply: patch_throttles },
    Row { path: "/apiStages/{}/throttle/{}/{}", ops: &[Op::Remove], apply: remove_method_throttle },
    Row { path: "/apiStages/{}/throttle/{}/{}/rateLimit", ops: ADD_REPLACE, apply: patch_method_rate },
    Row { path: "/apiStages/{}/throttle/{}/{}/burstLimit", ops: ADD_REPLACE, apply: patch_method_burst },
    Row { path: "/throttle", ops: &[Op::Remove], apply: remove_throttle },
    Row { path: "/throttle/rateLimit", ops: ADD_REPLACE, apply: patch_rate },
    Row { path: "/throttle/burstLimit", ops: ADD_REPLACE, apply: patch_burst },
    Row { path: "/quota", ops: &[Op::Remove], apply: remove_quota },
    Row { path: "/quota/limit", ops: ADD_REPLACE, apply: patch_limit },
    Row { path: "/quota/offset", ops: ADD_REPLACE, apply: patch_offset },
    Row { path: "/quota/period", ops: ADD_REPLACE, apply: patch_period },
];

fn patch_name(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    plan.name = change.text();
    Ok(())
}

fn patch_description(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    plan.description = change.text();
    Ok(())
}

fn patch_product_code(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    plan.product_code = change.text().filter(|_| change.op != Op::Remove);
    Ok(())
}

// === Stages ===

/// The value is `{api}:{stage}`. A stage that is added again keeps the throttles of its methods.
fn patch_api_stages(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    let value = change.value_or_empty();
    let (api, stage) = value.split_once(':').ok_or_else(messages::bad_api_stage)?;
    let stages = plan.api_stages.get_or_insert_default();
    let position = stages.iter().position(|listed| is(listed, &value));
    match (change.op, position) {
        (Op::Remove, Some(position)) => drop(stages.remove(position)),
        (Op::Remove, None) => {
            return Err(messages::no_api_stage(api, stage, plan.id.as_deref().unwrap_or_default()));
        }
        (_, Some(_)) => {}
        (_, None) => stages.push(ApiStage {
            api_id: Some(api.to_owned()),
            stage: Some(stage.to_owned()),
            throttle: None,
        }),
    }
    Ok(())
}

fn is(listed: &ApiStage, named: &str) -> bool {
    let (api, stage) = (listed.api_id.as_deref(), listed.stage.as_deref());
    named.split_once(':') == Some((api.unwrap_or_default(), stage.unwrap_or_default()))
}

/// The stage that the path's first wild token names.
fn stage<'a>(plan: &'a mut UsagePlan, change: &Change<'_>) -> Result<&'a mut ApiStage> {
    let named = change.token(0);
    let found = plan.api_stages.iter_mut().flatten().find(|listed| is(listed, &named));
    found.ok_or_else(messages::bad_api_stage)
}

/// The value is a JSON object of all methods' throttles: `{"/pets/GET":{"rateLimit":1.5,"burstLimit":2}}`.
fn patch_throttles(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    stage(plan, change)?.throttle = match change.op {
        Op::Remove => None,
        _ => {
            let throttles = serde_json::from_str(change.value.unwrap_or_default());
            Some(throttles.map_err(|_| messages::bad_setting(change.path, change.value))?)
        }
    };
    Ok(())
}

/// The key of a method's throttle: `{path}/{VERB}`.
fn method(change: &Change<'_>) -> String {
    format!("{}/{}", change.token(1), change.token(2))
}

fn remove_method_throttle(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    let throttles = stage(plan, change)?.throttle.get_or_insert_default();
    match throttles.remove(&method(change)) {
        Some(_) => Ok(()),
        None => Err(messages::no_method_throttle()),
    }
}

fn method_throttle<'a>(plan: &'a mut UsagePlan, change: &Change<'_>) -> Result<&'a mut ThrottleSettings> {
    let throttles = stage(plan, change)?.throttle.get_or_insert_default();
    Ok(throttles.entry(method(change)).or_default())
}

fn patch_method_rate(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    method_throttle(plan, change)?.rate_limit = Some(number(change)?);
    Ok(())
}

fn patch_method_burst(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    method_throttle(plan, change)?.burst_limit = Some(number(change)?);
    Ok(())
}

// === Throttle and quota ===

fn remove_throttle(plan: &mut UsagePlan, _: &Change<'_>) -> Result<()> {
    plan.throttle = None;
    Ok(())
}

fn patch_rate(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    plan.throttle.get_or_insert_default().rate_limit = Some(number(change)?);
    Ok(())
}

fn patch_burst(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    plan.throttle.get_or_insert_default().burst_limit = Some(number(change)?);
    Ok(())
}

fn remove_quota(plan: &mut UsagePlan, _: &Change<'_>) -> Result<()> {
    plan.quota = None;
    Ok(())
}

fn patch_limit(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    quota(plan).limit = Some(number(change)?);
    Ok(())
}

fn patch_offset(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    quota(plan).offset = Some(number(change)?);
    Ok(())
}

fn patch_period(plan: &mut UsagePlan, change: &Change<'_>) -> Result<()> {
    let period = change.value.and_then(QuotaPeriodType::parse);
    quota(plan).period = Some(period.ok_or_else(|| messages::bad_option("period", "DAY,WEEK,MONTH"))?);
    Ok(())
}

fn quota(plan: &mut UsagePlan) -> &mut QuotaSettings {
    plan.quota.get_or_insert_default()
}

fn number<T: std::str::FromStr>(change: &Change<'_>) -> Result<T> {
    let number = change.value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| messages::bad_setting(change.path, change.value))
}
