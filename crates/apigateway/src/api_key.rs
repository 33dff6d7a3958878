//! API keys: `CreateApiKey`, `GetApiKey`, `GetApiKeys`, `UpdateApiKey`, `DeleteApiKey`, and `ImportApiKeys`.
//!
//! The file that keys are imported from is read by [`crate::api_key_file`]; plans that keys belong to stand in
//! [`crate::usage_plan_key`].

use stagedoor_api::apigateway::{
    ApiKey, ApiKeyIds, ApiKeys, CreateApiKeyRequest, DeleteApiKeyRequest, GetApiKeyRequest,
    GetApiKeysRequest, ImportApiKeysRequest, Op, Stage, StageKey, UpdateApiKeyRequest,
};
use stagedoor_model::Timestamp;
use stagedoor_state::page::newest_first;
use stagedoor_state::rest::KeyValue;
use stagedoor_state::{Cx, Result, ids};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{api_key_file, listing, messages, quota, tags, usage_plan, usage_plan_key};

/// Characters of a key's id.
const ID_LENGTH: usize = 10;
/// Characters of a value that nobody chose.
const VALUE_LENGTH: usize = 40;
const VALUE_LENGTH_MIN: usize = 20;
const VALUE_LENGTH_MAX: usize = 128;
const NAME_LENGTH_MAX: usize = 1024;
const DESCRIPTION_LENGTH_MAX: usize = 125_000;

/// `POST /apikeys`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateApiKey.html>
pub fn create_api_key(cx: &mut Cx<'_>, input: CreateApiKeyRequest) -> Result<ApiKey> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    let stage_keys = input.stage_keys.unwrap_or_default();
    let key = ApiKey {
        name: input.name,
        value: input.value,
        description: input.description,
        customer_id: input.customer_id,
        enabled: Some(input.enabled.unwrap_or_default()),
        stage_keys: Some(stage_keys.into_iter().map(stage_key).collect()),
        tags: input.tags.filter(|tags| !tags.is_empty()),
        ..ApiKey::default()
    };
    create(cx, key).map(dated)
}

/// `GET /apikeys/{api_Key}`; the value only if it is asked for.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKey.html>
pub fn get_api_key(cx: &mut Cx<'_>, input: GetApiKeyRequest) -> Result<ApiKey> {
    let key = existing(cx, &input.api_key)?;
    let value = key.value.clone().filter(|_| input.include_value == Some(true));
    Ok(ApiKey { value, ..answered(key) })
}

/// `GET /apikeys`, newest first; `name` is the beginning of names, case counts.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html>
pub fn get_api_keys(cx: &mut Cx<'_>, input: GetApiKeysRequest) -> Result<ApiKeys> {
    let mut keys = cx.all::<ApiKey>(&[])?;
    let start = input.name_query.unwrap_or_default();
    keys.retain(|key| key.name.as_deref().unwrap_or_default().starts_with(&start));
    if input.customer_id.is_some() {
        keys.retain(|key| key.customer_id == input.customer_id);
    }
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let page = listing::page(cx, "apikeys", keys, place, &wish)?;
    let shown = |key: ApiKey| match input.include_values {
        Some(true) => dated(key),
        _ => ApiKey { value: None, ..dated(key) },
    };
    let items = page.items.into_iter().map(shown).collect();
    Ok(ApiKeys { items: Some(items), position: page.next, warnings: None })
}

/// `POST /apikeys?mode=import`: the keys of a file, of which those that cannot be made are left out with a warning,
/// or with `failonwarnings` refuse the whole file.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_ImportApiKeys.html>
pub fn import_api_keys(cx: &mut Cx<'_>, input: ImportApiKeysRequest) -> Result<ApiKeyIds> {
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    for row in api_key_file::read(&input.body)? {
        match import_row(cx, &row) {
            Ok(id) => ids.push(id),
            Err(fault) if fault.is_server_error() => return Err(fault),
            Err(fault) => {
                warnings.push(format!("Unable to import API Key '{}': {}", row.name, fault.message))
            }
        }
    }
    if input.fail_on_warnings == Some(true) && !warnings.is_empty() {
        return Err(messages::bad_request(warnings.join("\n")));
    }
    Ok(ApiKeyIds { ids: Some(ids), warnings: Some(warnings).filter(|warnings| !warnings.is_empty()) })
}

/// `PATCH /apikeys/{api_Key}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateApiKey.html>
pub fn update_api_key(cx: &mut Cx<'_>, input: UpdateApiKeyRequest) -> Result<ApiKey> {
    let old = existing(cx, &input.api_key)?;
    let key = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    let key = ApiKey { last_updated_date: Some(cx.now()), ..settled(key)? };
    check_new_stages(cx, &old, &key)?;
    cx.put(&[&input.api_key], &key)?;
    Ok(answered(key))
}

/// `DELETE /apikeys/{api_Key}`; plans lose it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteApiKey.html>
pub fn delete_api_key(cx: &mut Cx<'_>, input: DeleteApiKeyRequest) -> Result<()> {
    let key = existing(cx, &input.api_key)?;
    usage_plan_key::forget_key(cx, &input.api_key)?;
    cx.delete::<KeyValue>(&[key.value.as_deref().unwrap_or_default()])?;
    cx.delete::<ApiKey>(&[&input.api_key])
}

pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<ApiKey> {
    cx.get(&[id])?.ok_or_else(messages::no_api_key)
}

fn place(key: &ApiKey) -> String {
    newest_first(key.created_date.unwrap_or_default().as_micros(), key.id.as_deref().unwrap_or_default())
}

/// Without the value, and with tags even where there are none.
fn answered(key: ApiKey) -> ApiKey {
    ApiKey { value: None, tags: Some(key.tags.clone().unwrap_or_default()), ..dated(key) }
}

/// As it is answered, to the second. What is stored is more exact, because keys are listed newest first.
fn dated(key: ApiKey) -> ApiKey {
    let created_date = key.created_date.map(Timestamp::whole_seconds);
    ApiKey { created_date, last_updated_date: key.last_updated_date.map(Timestamp::whole_seconds), ..key }
}

fn stage_key(key: StageKey) -> String {
    format!("{}/{}", key.rest_api_id.unwrap_or_default(), key.stage_name.unwrap_or_default())
}

// === Creating ===

/// Stores a key that has neither id nor dates yet, and makes up the value that nobody chose.
fn create(cx: &mut Cx<'_>, key: ApiKey) -> Result<ApiKey> {
    let key = settled(key)?;
    check_new_stages(cx, &ApiKey::default(), &key)?;
    quota::check::<ApiKey>(cx, &[], quota::API_KEYS)?;
    let id = cx.new_id(ID_LENGTH);
    let value = match key.value.filter(|value| !value.is_empty()) {
        Some(value) => value,
        None => ids::random(cx.environment.entropy, ids::BASE62, VALUE_LENGTH),
    };
    if cx.exists::<KeyValue>(&[&value])? {
        return Err(messages::api_key_exists());
    }
    cx.put(&[&value], &KeyValue { key: id.clone() })?;
    let now = Some(cx.now());
    let (created_date, last_updated_date) = (now, now);
    let key = ApiKey { id: Some(id.clone()), value: Some(value), created_date, last_updated_date, ..key };
    cx.put(&[&id], &key)?;
    Ok(key)
}

fn import_row(cx: &mut Cx<'_>, row: &api_key_file::Row) -> Result<String> {
    for plan in &row.usage_plan_ids {
        usage_plan::existing(cx, plan)?;
    }
    let key = ApiKey {
        name: Some(row.name.clone()),
        value: Some(row.key.clone()),
        description: row.description.clone(),
        enabled: Some(row.enabled),
        stage_keys: Some(Vec::new()),
        ..ApiKey::default()
    };
    let id = create(cx, key)?.id.unwrap_or_default();
    for plan in &row.usage_plan_ids {
        usage_plan_key::add(cx, plan, &id)?;
    }
    Ok(id)
}

/// The key in stored form, if it keeps all rules.
fn settled(mut key: ApiKey) -> Result<ApiKey> {
    let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    if length(&key.name) > NAME_LENGTH_MAX {
        return Err(messages::api_key_name_too_long());
    }
    match length(&key.value) {
        VALUE_LENGTH_MIN..=VALUE_LENGTH_MAX | 0 => {}
        0..VALUE_LENGTH_MIN => return Err(messages::api_key_value_too_short()),
        _ => return Err(messages::api_key_value_too_long()),
    }
    if length(&key.description) > DESCRIPTION_LENGTH_MAX {
        return Err(messages::bad_api_key_description());
    }
    key.name = key.name.filter(|name| !name.is_empty());
    key.description = key.description.filter(|description| !description.is_empty());
    key.customer_id = key.customer_id.filter(|customer| !customer.is_empty());
    Ok(key)
}

/// Refuses stages that are added and not there.
fn check_new_stages(cx: &mut Cx<'_>, old: &ApiKey, new: &ApiKey) -> Result<()> {
    for stage in new.stage_keys.iter().flatten() {
        let known = old.stage_keys.as_ref().is_some_and(|old| old.contains(stage));
        let (api, name) = stage.split_once('/').unwrap_or_default();
        if !known && !cx.exists::<Stage>(&[api, name])? {
            return Err(messages::no_stage());
        }
    }
    Ok(())
}

// === Patches ===

const PATCHES: Table<ApiKey> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<ApiKey>] = &[
    Row { path: "/customerId", ops: &[Op::Replace], apply: patch_customer_id },
    Row { path: "/description", ops: &[Op::Replace], apply: patch_description },
    Row { path: "/enabled", ops: &[Op::Replace], apply: patch_enabled },
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/labels", ops: &[Op::Add, Op::Remove], apply: patch_labels },
    Row { path: "/stages", ops: &[Op::Add, Op::Remove], apply: patch_stages },
];

fn patch_customer_id(key: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    key.customer_id = change.text();
    Ok(())
}

fn patch_description(key: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    key.description = change.text();
    Ok(())
}

fn patch_enabled(key: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    key.enabled = Some(change.flag());
    Ok(())
}

fn patch_name(key: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    key.name = change.text();
    Ok(())
}

/// Labels can be given and taken; no answer has a member that would show them.
fn patch_labels(_: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    match change.text() {
        Some(_) => Ok(()),
        None => Err(messages::bad_setting(change.path, change.value)),
    }
}

fn patch_stages(key: &mut ApiKey, change: &Change<'_>) -> Result<()> {
    let stages = key.stage_keys.get_or_insert_default();
    let named = change.value_or_empty();
    stages.retain(|stage| *stage != named);
    if change.op == Op::Add {
        stages.push(named);
    }
    Ok(())
}
