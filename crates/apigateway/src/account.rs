//! What is said of the whole account in a region: `GetAccount`, `UpdateAccount`.

use stagedoor_api::apigateway::{Account, GetAccountRequest, Op, ThrottleSettings, UpdateAccountRequest};
use stagedoor_state::arn::Arn;
use stagedoor_state::{Cx, Result};

use crate::messages;
use crate::patch::{Change, Row, Table, refuse_first_generation};

/// The feature that every account has and none can give up.
const USAGE_PLANS: &str = "UsagePlans";

/// `GET /account`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html>
pub fn get_account(cx: &mut Cx<'_>, _: GetAccountRequest) -> Result<Account> {
    Ok(cx.get(&[])?.unwrap_or_else(fresh))
}

/// `PATCH /account`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateAccount.html>
pub fn update_account(cx: &mut Cx<'_>, input: UpdateAccountRequest) -> Result<Account> {
    let old = cx.get(&[])?.unwrap_or_else(fresh);
    let account = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    cx.put(&[], &account)?;
    Ok(account)
}

/// An account that nobody has changed. The throttle is what AWS gives; it is not enforced.
fn fresh() -> Account {
    Account {
        throttle_settings: Some(ThrottleSettings { burst_limit: Some(5000), rate_limit: Some(10_000.0) }),
        features: Some(vec![USAGE_PLANS.to_owned()]),
        api_key_version: Some("4".to_owned()),
        cloudwatch_role_arn: None,
    }
}

// === Patches ===

const PATCHES: Table<Account> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<Account>] = &[
    Row { path: "/cloudwatchRoleArn", ops: &[Op::Replace], apply: patch_role },
    Row { path: "/features", ops: &[Op::Add, Op::Remove], apply: patch_features },
];

/// An empty value takes the role away.
fn patch_role(account: &mut Account, change: &Change<'_>) -> Result<()> {
    let role = |arn: &str| {
        Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
    };
    account.cloudwatch_role_arn = change.text();
    match account.cloudwatch_role_arn.as_deref().is_none_or(role) {
        true => Ok(()),
        false => Err(messages::bad_log_role()),
    }
}

fn patch_features(account: &mut Account, change: &Change<'_>) -> Result<()> {
    let feature = change.value_or_empty();
    match change.op {
        Op::Add if feature == USAGE_PLANS => Ok(()),
        Op::Remove if feature == USAGE_PLANS => Err(messages::usage_plans_stay()),
        _ => Err(messages::bad_setting(change.path, change.value)),
    }?;
    account.features = Some(vec![USAGE_PLANS.to_owned()]);
    Ok(())
}
