//! A REST API as a whole: the API itself, what its stages have deployed, its working copy, its stages.

use std::collections::BTreeMap;

use stagedoor_model::{Value, apigateway};

use super::Pull;
use super::document::{Entries, fitting, plain, same, set, text};
use super::report::Did;
use super::side::Side;
use crate::failure::Result;

const V1: &str = "apigateway";
/// The tag by which a Stagedoor gives a new thing the id that it has elsewhere.
pub(super) const ID_TAG: &str = "stagedoor:id";
/// Members of an API that one patch operation each sets.
const SCALARS: [&str; 8] = [
    "name",
    "description",
    "apiKeySource",
    "disableExecuteApiEndpoint",
    "minimumCompressionSize",
    "policy",
    "securityPolicy",
    "endpointAccessMode",
];

impl Pull {
    pub(super) async fn rest_api(&mut self, id: &str) -> Result<()> {
        let what = format!("REST API {id}");
        let Some(source) = self.from.find(V1, "GetRestApi", &[("restApiId", id)]).await? else {
            self.report.add(Did::NotCopied, what, "the source has no such API");
            return Ok(());
        };
        if let Err(failure) = self.rest_api_parts(id, &source).await {
            self.report.failed(what, &failure);
        }
        Ok(())
    }

    async fn rest_api_parts(&mut self, id: &str, source: &Value) -> Result<()> {
        let what = format!("REST API {id}");
        let known = self.to.find(V1, "GetRestApi", &[("restApiId", id)]).await?;
        if known.is_none() {
            let mut input = fitting(&apigateway::SERVICE, "CreateRestApi", source);
            set(&mut input, "tags", tagged(source.get("tags"), id));
            let made = self.to.call(V1, "CreateRestApi", input).await?;
            let given = text(&made, "id");
            if given != id {
                // Only a Stagedoor gives ids that were chosen.
                let given = given.to_owned();
                self.to.ask(V1, "DeleteRestApi", &[("restApiId", given.as_str())]).await?;
                self.report.add(Did::NotCopied, what, "the target gives ids of its own: it is no Stagedoor");
                return Ok(());
            }
            self.report.add(Did::Created, what.clone(), text(source, "name"));
        }
        let stages = self.from.ask(V1, "GetStages", &[("restApiId", id)]).await?;
        let stages = stages.get("item").map(Value::items).unwrap_or_default().to_vec();
        let deployments = self.deployments(source, &stages).await?;
        self.definition(id).await?;
        let mut target = self.to.ask(V1, "GetRestApi", &[("restApiId", id)]).await?;
        let patches = patches(source, &target);
        if !patches.is_empty() {
            let mut input: Entries = Vec::new();
            set(&mut input, "restApiId", id);
            set(&mut input, "patchOperations", Value::List(patches));
            target = self.to.call(V1, "UpdateRestApi", input).await?;
            if known.is_some() {
                self.report.add(Did::Updated, what.clone(), "");
            }
        } else if known.is_some() {
            self.report.add(Did::Unchanged, what.clone(), "");
        }
        self.documentation_versions(id).await?;
        for stage in &stages {
            self.rest_stage(id, stage, &deployments).await;
        }
        let arn = |region: &str| format!("arn:aws:apigateway:{region}::/restapis/{id}");
        self.tags(V1, "resourceArn", &arn(self.to.region()), source.get("tags"), target.get("tags")).await
    }

    /// Deploys at the target what the source's stages have deployed: deployment there → deployment here.
    async fn deployments(&mut self, api: &Value, stages: &[Value]) -> Result<BTreeMap<String, String>> {
        let id = text(api, "id");
        let mut deployed = BTreeMap::new();
        for stage in stages {
            let (name, deployment) = (text(stage, "stageName"), text(stage, "deploymentId"));
            if deployed.contains_key(deployment) {
                continue;
            }
            let wanted = export(&self.from, id, name).await?;
            let there = [("restApiId", id), ("stageName", name)];
            if let Some(known) = self.to.find(V1, "GetStage", &there).await?
                && same_export(&wanted, &export(&self.to, id, name).await?)
            {
                deployed.insert(deployment.to_owned(), text(&known, "deploymentId").to_owned());
                continue;
            }
            let mut input: Entries = Vec::new();
            set(&mut input, "restApiId", id);
            set(&mut input, "mode", "overwrite");
            input.push(("body".into(), versioned(wanted, api)));
            self.to.call(V1, "PutRestApi", input).await?;
            let source = [("restApiId", id), ("deploymentId", deployment)];
            let source = self.from.find(V1, "GetDeployment", &source).await?.unwrap_or_default();
            let mut input: Entries = Vec::new();
            set(&mut input, "restApiId", id);
            set(&mut input, "description", text(&source, "description"));
            let made = self.to.call(V1, "CreateDeployment", input).await?;
            self.report.add(
                Did::Created,
                format!("REST API {id}, deployment of stage {name}"),
                format!("{deployment} is {} here", text(&made, "id")),
            );
            deployed.insert(deployment.to_owned(), text(&made, "id").to_owned());
        }
        Ok(deployed)
    }

    async fn documentation_versions(&mut self, id: &str) -> Result<()> {
        let versions = self.from.list_of(V1, "GetDocumentationVersions", &[("restApiId", id)]).await?;
        for version in &versions {
            let name = text(version, "version");
            let there = [("restApiId", id), ("documentationVersion", name)];
            if self.to.find(V1, "GetDocumentationVersion", &there).await?.is_some() {
                continue;
            }
            let mut input = fitting(&apigateway::SERVICE, "CreateDocumentationVersion", version);
            set(&mut input, "restApiId", id);
            set(&mut input, "documentationVersion", name);
            let what = format!("REST API {id}, documentation version {name}");
            if self.tried(what.clone(), "CreateDocumentationVersion", input).await.is_some() {
                self.report.add(Did::Created, what, "from the documentation parts as they are now");
            }
        }
        Ok(())
    }

    /// Makes the target's tags the source's. The tag that chose an id goes, unless the source has it too.
    pub(super) async fn tags(
        &mut self,
        service: &'static str,
        arn_member: &'static str,
        arn: &str,
        source: Option<&Value>,
        target: Option<&Value>,
    ) -> Result<()> {
        let tags_member = if service == "apigatewayv2" { "Tags" } else { "tags" };
        let keys_member = if service == "apigatewayv2" { "TagKeys" } else { "tagKeys" };
        let entries = |tags: Option<&Value>| match tags {
            Some(Value::Map(entries)) => entries.clone(),
            _ => Vec::new(),
        };
        let (source, target) = (entries(source), entries(target));
        let gone = target.iter().filter(|(key, _)| !source.iter().any(|(known, _)| known == key));
        let gone: Vec<Value> = gone.map(|(key, _)| Value::String(key.clone().into_owned())).collect();
        // What AWS itself tags cannot be set.
        let ours = |key: &str| !key.starts_with("aws:");
        let new = source.into_iter().filter(|entry| ours(&entry.0) && !target.contains(entry));
        let new: Entries = new.collect();
        if !new.is_empty() {
            let mut input: Entries = Vec::new();
            set(&mut input, arn_member, arn);
            input.push((tags_member.into(), Value::Map(new)));
            self.to.call(service, "TagResource", input).await?;
        }
        if !gone.is_empty() {
            let mut input: Entries = Vec::new();
            set(&mut input, arn_member, arn);
            input.push((keys_member.into(), Value::List(gone)));
            self.to.call(service, "UntagResource", input).await?;
        }
        Ok(())
    }
}

/// The tags of a new thing that is to have a certain id.
pub(super) fn tagged(tags: Option<&Value>, id: &str) -> Value {
    let mut entries = match tags {
        Some(Value::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    entries.retain(|(key, _)| key != ID_TAG && !key.starts_with("aws:"));
    set(&mut entries, ID_TAG, id);
    Value::Map(entries)
}

/// A stage's deployment with everything that API Gateway can say of it.
async fn export(side: &Side, id: &str, stage: &str) -> Result<Value> {
    let mut input: Entries = Vec::new();
    set(&mut input, "restApiId", id);
    set(&mut input, "stageName", stage);
    set(&mut input, "exportType", "oas30");
    set(&mut input, "accepts", "application/json");
    let extensions = vec![("extensions".into(), Value::String("apigateway".to_owned()))];
    input.push(("parameters".into(), Value::Map(extensions)));
    let answer = side.call(V1, "GetExport", input).await?;
    Ok(answer.get("body").cloned().unwrap_or_default())
}

/// Servers name the side that answers, the version of the API may be the time of the deployment.
fn same_export(one: &Value, other: &Value) -> bool {
    let read = |value: &Value| {
        let Value::Blob(bytes) = value else { return None };
        let mut document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let map = document.as_object_mut()?;
        map.shift_remove("servers");
        map.get_mut("info").and_then(|info| info.as_object_mut()).map(|info| info.shift_remove("version"));
        Some(document)
    };
    read(one).is_some() && read(one) == read(other)
}

/// An export says when it was deployed in place of a version that the API does not have, and an import would take
/// that over for good: a version cannot be changed by other means.
fn versioned(export: Value, api: &Value) -> Value {
    let changed = |bytes: &[u8]| {
        let mut document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let info = document.get_mut("info")?.as_object_mut()?;
        info.shift_remove("version");
        let version = text(api, "version");
        if !version.is_empty() {
            info.insert("version".to_owned(), version.into());
        }
        serde_json::to_vec(&document).ok()
    };
    match &export {
        Value::Blob(bytes) => changed(bytes).map_or(export.clone(), |bytes| Value::Blob(bytes.into())),
        _ => export,
    }
}

/// What makes the target's API say what the source's says.
fn patches(source: &Value, target: &Value) -> Vec<Value> {
    let mut patches = Vec::new();
    for name in SCALARS {
        let (wanted, there) = (source.get(name), target.get(name));
        let is = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
        match (is(wanted), is(there)) {
            (true, _) if wanted != there => {
                patches.push(patch("replace", &format!("/{name}"), wanted.map(plain)));
            }
            (false, true) if name == "policy" => {
                patches.push(patch("replace", "/policy", Some(String::new())))
            }
            (false, true) if name != "name" => {
                patches.push(patch("replace", &format!("/{name}"), Some(String::new())))
            }
            _ => {}
        }
    }
    let list = |value: &Value| value.get("binaryMediaTypes").map(Value::items).unwrap_or_default().to_vec();
    let (wanted, there) = (list(source), list(target));
    let path = |kind: &Value| format!("/binaryMediaTypes/{}", escaped(&plain(kind)));
    patches.extend(
        there.iter().filter(|kind| !wanted.contains(kind)).map(|kind| patch("remove", &path(kind), None)),
    );
    patches.extend(
        wanted.iter().filter(|kind| !there.contains(kind)).map(|kind| patch("add", &path(kind), None)),
    );
    let types = |value: &Value| {
        let configuration = value.get("endpointConfiguration").cloned().unwrap_or_default();
        configuration.get("types").and_then(|types| types.items().first().map(plain)).unwrap_or_default()
    };
    if !same(&Value::String(types(source)), &Value::String(types(target))) {
        let path = format!("/endpointConfiguration/types/{}", types(target));
        patches.push(patch("replace", &path, Some(types(source))));
    }
    patches
}

pub(super) fn patch(op: &str, path: &str, value: Option<String>) -> Value {
    let mut entries: Entries = Vec::new();
    set(&mut entries, "op", op);
    set(&mut entries, "path", path);
    if let Some(value) = value {
        set(&mut entries, "value", value);
    }
    Value::Map(entries)
}

/// A part of a path (RFC 6901 section 3).
pub(super) fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}
