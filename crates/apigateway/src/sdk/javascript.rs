//! The JavaScript client: files that are the same for every API, and one with a table of the stage's methods.

use std::collections::HashSet;

use serde_json::{Value, json};
use stagedoor_api::apigateway::Method;
use stagedoor_state::rest::Snapshot;

use super::method_name;

const CLIENT: &str = include_str!("javascript/apigClient.js");

/// Paths in the archive and what the files hold.
const FIXED: &[(&str, &str)] = &[
    ("README.md", include_str!("javascript/README.md")),
    (
        "lib/apiGatewayCore/apiGatewayClient.js",
        include_str!("javascript/lib/apiGatewayCore/apiGatewayClient.js"),
    ),
    ("lib/apiGatewayCore/sigV4Client.js", include_str!("javascript/lib/apiGatewayCore/sigV4Client.js")),
    (
        "lib/apiGatewayCore/simpleHttpClient.js",
        include_str!("javascript/lib/apiGatewayCore/simpleHttpClient.js"),
    ),
    ("lib/apiGatewayCore/utils.js", include_str!("javascript/lib/apiGatewayCore/utils.js")),
];

/// The client of what was deployed.
pub fn files(snapshot: &Snapshot, invoke_url: &str, region: &str) -> Vec<(&'static str, String)> {
    let values = [
        ("__INVOKE_URL__", json!(invoke_url)),
        ("__REGION__", json!(region)),
        ("__METHODS__", methods(snapshot)),
    ];
    let mut client = CLIENT.to_owned();
    for (name, value) in values {
        // JSON is JavaScript, whatever names of paths and parameters hold.
        client = client.replacen(name, &format!("{value:#}").replace('\n', "\n  "), 1);
    }
    let fixed = FIXED.iter().map(|(path, text)| (*path, (*text).to_owned()));
    std::iter::once(("apigClient.js", client)).chain(fixed).collect()
}

/// What the client's table says of each method. Those for any verb have no function, as in AWS.
fn methods(snapshot: &Snapshot) -> Value {
    let mut all: Vec<_> = snapshot
        .resources
        .iter()
        .flat_map(|resource| {
            let path = resource.path.as_deref().unwrap_or_default();
            resource
                .resource_methods
                .iter()
                .flatten()
                .map(move |(verb, method)| (path, verb.as_str(), method))
        })
        .filter(|(_, verb, _)| *verb != "ANY")
        .collect();
    all.sort_by_key(|(path, verb, _)| (*path, *verb));
    let mut table: Vec<Value> = all.iter().map(|(path, verb, method)| row(path, verb, method)).collect();
    // An operation's name is a second name of its function, unless a function has it already.
    let mut taken: HashSet<String> = table.iter().map(|row| row["names"][0].to_string()).collect();
    for (row, (_, _, method)) in table.iter_mut().zip(&all) {
        let name = method.operation_name.as_deref().filter(|name| method_name::is_identifier(name));
        if let Some(name) = name.map(|name| json!(name)).filter(|name| taken.insert(name.to_string())) {
            row["names"] = json!([row["names"][0], name]);
        }
    }
    Value::from(table)
}

fn row(path: &str, verb: &str, method: &Method) -> Value {
    let parameters = |place: &str| -> Vec<&str> {
        let prefix = format!("method.request.{place}.");
        let all = method.request_parameters.iter().flatten();
        all.filter_map(|(key, _)| key.strip_prefix(&prefix)).collect()
    };
    let required = method.request_parameters.iter().flatten().filter(|(_, required)| **required);
    let mut required: Vec<&str> = required.filter_map(|(key, _)| key.splitn(4, '.').nth(3)).collect();
    required.extend(variables(path));
    required.sort_unstable();
    required.dedup();
    json!({
        "names": [method_name::of(path, verb)],
        "verb": verb,
        "path": path,
        "query": parameters("querystring"),
        "headers": parameters("header"),
        "required": required,
    })
}

/// The names of a path's variables, which every call must give, declared or not.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_suffix('+').unwrap_or(name))
    })
}
