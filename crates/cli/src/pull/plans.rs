//! What stands beside REST APIs: the account's role, VPC links, API keys, usage plans.

use stagedoor_model::{Value, apigateway, apigatewayv2};

use super::Pull;
use super::document::{Entries, fitting, same, set, text, without};
use super::report::Did;
use super::rest::patch;
use crate::failure::Result;

const V1: &str = "apigateway";
const V2: &str = "apigatewayv2";

impl Pull {
    /// The role by which stages write logs, where the target has none.
    pub(super) async fn account(&mut self) -> Result<()> {
        let source = self.from.ask(V1, "GetAccount", &[]).await?;
        let target = self.to.ask(V1, "GetAccount", &[]).await?;
        let role = text(&source, "cloudwatchRoleArn");
        if role.is_empty() || role == text(&target, "cloudwatchRoleArn") {
            return Ok(());
        }
        let mut input: Entries = Vec::new();
        let patches = vec![patch("replace", "/cloudwatchRoleArn", Some(role.to_owned()))];
        set(&mut input, "patchOperations", Value::List(patches));
        match self.to.call(V1, "UpdateAccount", input).await {
            Ok(_) => self.report.add(Did::Updated, "account", role),
            Err(failure) => self.report.failed("account", &failure),
        }
        Ok(())
    }

    /// Links by their names; their ids change, and with them what integrations refer to.
    pub(super) async fn vpc_links(&mut self, tell: bool) -> Result<()> {
        let kinds = [
            (V1, "GetVpcLinks", "CreateVpcLink", "name", "id", &apigateway::SERVICE),
            (V2, "GetVpcLinks", "CreateVpcLink", "Name", "VpcLinkId", &apigatewayv2::SERVICE),
        ];
        for (service, list, create, name, id, table) in kinds {
            let target = self.to.list(service, list, vec![]).await?;
            for link in &self.from.list(service, list, vec![]).await? {
                let what = format!("VPC link {}", text(link, name));
                let there = match target.iter().find(|there| text(there, name) == text(link, name)) {
                    Some(there) => {
                        if tell {
                            self.report.add(Did::Unchanged, what, "");
                        }
                        there.clone()
                    }
                    None => match self.to.call(service, create, fitting(table, create, link)).await {
                        Ok(made) => {
                            let ids = format!("{} is {} here", text(link, id), text(&made, id));
                            self.report.add(Did::Created, what, ids);
                            made
                        }
                        Err(failure) => {
                            self.report.failed(what, &failure);
                            continue;
                        }
                    },
                };
                self.ids.insert(text(link, id).to_owned(), text(&there, id).to_owned());
            }
        }
        Ok(())
    }

    /// Usage plans of the copied APIs' stages with their keys, or all plans and keys.
    pub(super) async fn usage_plans(&mut self, apis: &[&String], all: bool) -> Result<()> {
        let plans = self.from.list(V1, "GetUsagePlans", vec![]).await?;
        let known = self.to.list(V1, "GetUsagePlans", vec![]).await?;
        let include = vec![("includeValues", Value::Bool(true))];
        let keys = self.from.list(V1, "GetApiKeys", include.clone()).await?;
        let mut known_keys = self.to.list(V1, "GetApiKeys", include).await?;
        if all {
            for key in &keys {
                self.api_key(key, &mut known_keys).await;
            }
        }
        for plan in &plans {
            let stages = plan.get("apiStages").map(Value::items).unwrap_or_default();
            let ours: Vec<Value> = stages
                .iter()
                .filter(|stage| apis.iter().any(|api| text(stage, "apiId") == *api))
                .cloned()
                .collect();
            if ours.is_empty() && !all {
                continue;
            }
            let what = format!("usage plan {}", text(plan, "name"));
            let there = known.iter().find(|there| text(there, "name") == text(plan, "name"));
            let Some(id) = self.usage_plan(plan, ours, there, what.clone()).await else { continue };
            let members =
                self.from.list_of(V1, "GetUsagePlanKeys", &[("usagePlanId", text(plan, "id"))]).await?;
            let there = self.to.list_of(V1, "GetUsagePlanKeys", &[("usagePlanId", &id)]).await?;
            for member in &members {
                let Some(key) = keys.iter().find(|key| text(key, "id") == text(member, "id")) else {
                    continue;
                };
                let Some(key) = self.api_key(key, &mut known_keys).await else { continue };
                if there.iter().any(|there| text(there, "id") == key) {
                    continue;
                }
                let input = [("usagePlanId", id.as_str()), ("keyId", key.as_str()), ("keyType", "API_KEY")];
                if let Err(failure) = self.to.ask(V1, "CreateUsagePlanKey", &input).await {
                    self.report.failed(format!("{what}, key {}", text(member, "name")), &failure);
                }
            }
        }
        Ok(())
    }

    /// The key's id at the target; keys are the same if their values are.
    async fn api_key(&mut self, key: &Value, known: &mut Vec<Value>) -> Option<String> {
        let what = format!("API key {}", text(key, "name"));
        if let Some(there) = known.iter().find(|there| text(there, "value") == text(key, "value")) {
            return Some(text(there, "id").to_owned());
        }
        let mut input = fitting(&apigateway::SERVICE, "CreateApiKey", key);
        input.retain(|(member, _)| member != "stageKeys");
        let made = self.tried(what.clone(), "CreateApiKey", input).await?;
        self.report.add(Did::Created, what, format!("{} is {} here", text(key, "id"), text(&made, "id")));
        let id = text(&made, "id").to_owned();
        known.push(made);
        Some(id)
    }

    async fn usage_plan(
        &mut self,
        plan: &Value,
        stages: Vec<Value>,
        there: Option<&Value>,
        what: String,
    ) -> Option<String> {
        let Some(there) = there else {
            let mut input = fitting(&apigateway::SERVICE, "CreateUsagePlan", plan);
            set(&mut input, "apiStages", Value::List(stages));
            let made = self.tried(what.clone(), "CreateUsagePlan", input).await?;
            self.report.add(
                Did::Created,
                what,
                format!("{} is {} here", text(plan, "id"), text(&made, "id")),
            );
            return Some(text(&made, "id").to_owned());
        };
        let id = text(there, "id").to_owned();
        let known = there.get("apiStages").map(Value::items).unwrap_or_default();
        let place = |stage: &Value| format!("{}:{}", text(stage, "apiId"), text(stage, "stage"));
        let missing = stages.iter().filter(|stage| !known.iter().any(|known| place(known) == place(stage)));
        let mut patches: Vec<Value> =
            missing.map(|stage| patch("add", "/apiStages", Some(place(stage)))).collect();
        patches.extend(limits(plan, there));
        if patches.is_empty() {
            let rest = ["id", "apiStages"];
            let did =
                if same(&without(plan, &rest), &without(there, &rest)) { Did::Unchanged } else { Did::Note };
            let why = if did == Did::Note {
                "tags or throttles of methods differ and stay as they are"
            } else {
                ""
            };
            self.report.add(did, what, why);
            return Some(id);
        }
        let mut input: Entries = Vec::new();
        set(&mut input, "usagePlanId", &id);
        set(&mut input, "patchOperations", Value::List(patches));
        self.tried(what.clone(), "UpdateUsagePlan", input).await?;
        self.report.add(Did::Updated, what, "");
        Some(id)
    }
}

/// Patches that give a plan the quota, throttle and description of another.
fn limits(plan: &Value, there: &Value) -> Vec<Value> {
    let places = [
        ("quota", "limit"),
        ("quota", "offset"),
        ("quota", "period"),
        ("throttle", "rateLimit"),
        ("throttle", "burstLimit"),
    ];
    let of =
        |plan: &Value, group: &str, name: &str| plan.get(group).and_then(|group| group.get(name)).cloned();
    let mut patches = Vec::new();
    for group in ["quota", "throttle"] {
        let is = |plan: &Value| plan.get(group).is_some_and(|group| !group.is_null());
        if !is(plan) && is(there) {
            patches.push(patch("remove", &format!("/{group}"), None));
        }
    }
    for (group, name) in places {
        let (wanted, known) = (of(plan, group, name), of(there, group, name));
        if let Some(value) = wanted.filter(|value| known.as_ref() != Some(value)) {
            patches.push(patch("replace", &format!("/{group}/{name}"), Some(super::document::plain(&value))));
        }
    }
    if text(plan, "description") != text(there, "description") {
        patches.push(patch("replace", "/description", Some(text(plan, "description").to_owned())));
    }
    patches
}
