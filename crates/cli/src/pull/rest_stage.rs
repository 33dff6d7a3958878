//! A stage of a REST API: its deployment, settings, variables, throttles, logs.

use std::collections::{BTreeMap, BTreeSet};

use stagedoor_model::{Value, apigateway};

use super::Pull;
use super::document::{Entries, fitting, plain, set, text};
use super::report::Did;
use super::rest::{escaped, patch};
use crate::failure::Result;

const V1: &str = "apigateway";
const SCALARS: [&str; 6] = [
    "deploymentId",
    "description",
    "tracingEnabled",
    "cacheClusterEnabled",
    "cacheClusterSize",
    "documentationVersion",
];
/// Settings of methods, and how patch operations call them.
const SETTINGS: [(&str, &str); 10] = [
    ("metricsEnabled", "metrics/enabled"),
    ("loggingLevel", "logging/loglevel"),
    ("dataTraceEnabled", "logging/dataTrace"),
    ("throttlingBurstLimit", "throttling/burstLimit"),
    ("throttlingRateLimit", "throttling/rateLimit"),
    ("cachingEnabled", "caching/enabled"),
    ("cacheTtlInSeconds", "caching/ttlInSeconds"),
    ("cacheDataEncrypted", "caching/dataEncrypted"),
    ("requireAuthorizationForCacheControl", "caching/requireAuthorizationForCacheControl"),
    ("unauthorizedCacheControlHeaderStrategy", "caching/unauthorizedCacheControlHeaderStrategy"),
];

impl Pull {
    pub(super) async fn rest_stage(
        &mut self,
        api: &str,
        stage: &Value,
        deployments: &BTreeMap<String, String>,
    ) {
        let what = format!("REST API {api}, stage {}", text(stage, "stageName"));
        match self.put_rest_stage(api, stage, deployments, &what).await {
            Ok(did) => self.report.add(did, what, ""),
            Err(failure) => self.report.failed(what, &failure),
        }
    }

    async fn put_rest_stage(
        &mut self,
        api: &str,
        stage: &Value,
        deployments: &BTreeMap<String, String>,
        what: &str,
    ) -> Result<Did> {
        let name = text(stage, "stageName");
        let mut wanted: Entries = match stage {
            Value::Map(entries) => entries.clone(),
            _ => Vec::new(),
        };
        let deployment = text(stage, "deploymentId");
        set(&mut wanted, "deploymentId", deployments.get(deployment).map_or(deployment, String::as_str));
        let wanted = Value::Map(wanted);
        for (member, why) in [
            ("canarySettings", "the canary's deployment cannot be exported"),
            ("clientCertificateId", "the private key of a client certificate does not leave its account"),
            ("webAclArn", "web ACLs are no part of API Gateway"),
        ] {
            if stage.get(member).is_some_and(|value| !value.is_null()) {
                self.report.add(Did::Note, what, format!("{member} stays behind: {why}"));
            }
        }
        let known = self.to.find(V1, "GetStage", &[("restApiId", api), ("stageName", name)]).await?;
        let was_there = known.is_some();
        let there = match known {
            Some(there) => there,
            None => {
                let mut input = fitting(&apigateway::SERVICE, "CreateStage", &wanted);
                input.retain(|(member, _)| member != "canarySettings");
                set(&mut input, "restApiId", api);
                self.to.call(V1, "CreateStage", input).await?
            }
        };
        let patches = patches(&wanted, &there);
        let changes = !patches.is_empty();
        if changes {
            let mut input: Entries = Vec::new();
            set(&mut input, "restApiId", api);
            set(&mut input, "stageName", name);
            set(&mut input, "patchOperations", Value::List(patches));
            self.to.call(V1, "UpdateStage", input).await?;
        }
        let arn = format!("arn:aws:apigateway:{}::/restapis/{api}/stages/{name}", self.to.region());
        self.tags(V1, "resourceArn", &arn, stage.get("tags"), there.get("tags")).await?;
        Ok(match (was_there, changes) {
            (false, _) => Did::Created,
            (true, true) => Did::Updated,
            (true, false) => Did::Unchanged,
        })
    }
}

fn patches(wanted: &Value, there: &Value) -> Vec<Value> {
    let mut patches = Vec::new();
    let is = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    for name in SCALARS {
        let (new, old) = (wanted.get(name), there.get(name));
        if is(new) && new != old {
            patches.push(patch("replace", &format!("/{name}"), new.map(plain)));
        } else if !is(new) && is(old) {
            patches.push(patch("replace", &format!("/{name}"), Some(String::new())));
        }
    }
    for (name, new, old) in entries(wanted.get("variables"), there.get("variables")) {
        let path = format!("/variables/{}", escaped(&name));
        match new {
            Some(new) if Some(&new) != old.as_ref() => {
                patches.push(patch("replace", &path, Some(plain(&new))))
            }
            None => patches.push(patch("remove", &path, None)),
            Some(_) => {}
        }
    }
    let logs = |value: &Value| value.get("accessLogSettings").cloned().filter(|logs| !logs.is_null());
    match (logs(wanted), logs(there)) {
        (Some(new), old) if Some(&new) != old.as_ref() => {
            for name in ["destinationArn", "format"] {
                let path = format!("/accessLogSettings/{name}");
                patches.push(patch("replace", &path, Some(text(&new, name).to_owned())));
            }
        }
        (None, Some(_)) => patches.push(patch("remove", "/accessLogSettings", None)),
        _ => {}
    }
    for (method, new, old) in entries(wanted.get("methodSettings"), there.get("methodSettings")) {
        let Some(new) = new else {
            patches.push(patch("remove", &format!("/{method}"), None));
            continue;
        };
        let old = old.unwrap_or_default();
        for (member, path) in SETTINGS {
            if let Some(value) =
                new.get(member).filter(|value| !value.is_null() && Some(*value) != old.get(member))
            {
                patches.push(patch("replace", &format!("/{method}/{path}"), Some(plain(value))));
            }
        }
    }
    patches
}

/// All names of two maps with what each has there.
fn entries(new: Option<&Value>, old: Option<&Value>) -> Vec<(String, Option<Value>, Option<Value>)> {
    let keys = |map: Option<&Value>| match map {
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.clone().into_owned()).collect(),
        _ => BTreeSet::new(),
    };
    let of = |map: Option<&Value>, key: &str| map.and_then(|map| map.get(key)).cloned();
    let names: BTreeSet<String> = keys(new).union(&keys(old)).cloned().collect();
    names.into_iter().map(|key| (key.clone(), of(new, &key), of(old, &key))).collect()
}
