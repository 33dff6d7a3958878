//! How each service is asked: the parameters of an integration as a request of the service's protocol.

use http::{HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value, json};

use super::Given;
use crate::aws::ServiceCall;
use crate::fault::GatewayFault;
use crate::uri;

pub(super) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

fn unfit(name: &str, why: &str) -> GatewayFault {
    GatewayFault::Configuration(format!("the parameter {name} {why}").into())
}

/// Parameters as the members of a JSON request. Those of Step Functions begin with small letters.
pub(super) fn members(given: Given) -> Value {
    let small = given.contains_key("StateMachineArn") || given.contains_key("ExecutionArn");
    let name = |name: &str| if small { lower_first(name) } else { name.to_owned() };
    Value::Object(given.into_iter().map(|(key, value)| (name(key), Value::String(value))).collect())
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn json_call<'r>(
    mut call: ServiceCall<'r>,
    version: &'static str,
    target: &'static str,
    body: &Value,
) -> ServiceCall<'r> {
    let media_type = match version {
        "1.0" => HeaderValue::from_static("application/x-amz-json-1.0"),
        _ => HeaderValue::from_static("application/x-amz-json-1.1"),
    };
    call.headers.insert(header::CONTENT_TYPE, media_type);
    call.headers.insert(TARGET, HeaderValue::from_static(target));
    call.body = body.to_string().into();
    call
}

pub(super) fn event_bridge<'r>(
    call: ServiceCall<'r>,
    mut given: Given,
) -> Result<ServiceCall<'r>, GatewayFault> {
    let mut entry = Map::new();
    if let Some(resources) = given.remove("Resources") {
        entry.insert("Resources".to_owned(), list(&resources).into());
    }
    if let Some(time) = given.remove("Time") {
        let seconds = time
            .parse::<i64>()
            .ok()
            .or_else(|| time.parse::<jiff::Timestamp>().ok().map(|time| time.as_second()))
            .ok_or_else(|| unfit("Time", "is neither seconds nor a date"))?;
        entry.insert("Time".to_owned(), seconds.into());
    }
    entry.extend(given.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    Ok(json_call(call, "1.1", "AWSEvents.PutEvents", &json!({"Entries": [entry]})))
}

pub(super) fn app_config<'r>(mut call: ServiceCall<'r>, given: &Given) -> ServiceCall<'r> {
    let segment = |name: &str| uri::encode_query(given.get(name).map_or("", String::as_str)).into_owned();
    call.method = Method::GET;
    call.path = format!(
        "/applications/{}/environments/{}/configurations/{}",
        segment("Application"),
        segment("Environment"),
        segment("Configuration")
    );
    call.query = format!("client_id={}", segment("ClientId"));
    if given.contains_key("ClientConfigurationVersion") {
        call.query
            .push_str(&format!("&client_configuration_version={}", segment("ClientConfigurationVersion")));
    }
    call
}

/// The query protocol, whose XML answers are what clients of such routes know.
pub(super) fn sqs<'r>(
    mut call: ServiceCall<'r>,
    action: &'static str,
    given: &Given,
) -> Result<ServiceCall<'r>, GatewayFault> {
    let mut form =
        vec![("Action".to_owned(), action.to_owned()), ("Version".to_owned(), "2012-11-05".to_owned())];
    for (name, value) in given {
        match *name {
            "MessageAttributes" => attributes(&mut form, name, "MessageAttribute", value)?,
            "MessageSystemAttributes" => attributes(&mut form, name, "MessageSystemAttribute", value)?,
            "AttributeNames" => numbered(&mut form, "AttributeName", value),
            "MessageAttributeNames" => numbered(&mut form, "MessageAttributeName", value),
            _ => form.push(((*name).to_owned(), value.clone())),
        }
    }
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{}={}", uri::encode_query(name), uri::encode_query(value)))
        .collect::<Vec<_>>();
    call.path = queue_path(given.get("QueueUrl").map_or("", String::as_str));
    call.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
    );
    call.body = pairs.join("&").into();
    Ok(call)
}

/// The path of a queue's URL; the endpoint's host stands for the URL's.
fn queue_path(url: &str) -> String {
    let parsed = url.parse::<http::Uri>().ok().filter(|url| url.path().starts_with('/'));
    parsed.map_or_else(|| "/".to_owned(), |url| url.path().to_owned())
}

/// `{"name": {"DataType": "String", "StringValue": "…"}}` as `MessageAttribute.1.Name` and so on.
fn attributes(
    form: &mut Vec<(String, String)>,
    parameter: &str,
    prefix: &str,
    text: &str,
) -> Result<(), GatewayFault> {
    let parsed: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| unfit(parameter, "is no JSON object"))?;
    for (at, (name, value)) in (1..).zip(&parsed) {
        form.push((format!("{prefix}.{at}.Name"), name.clone()));
        let members =
            value.as_object().ok_or_else(|| unfit(parameter, "has an attribute that is no object"))?;
        for (member, value) in members {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form.push((format!("{prefix}.{at}.Value.{member}"), text));
        }
    }
    Ok(())
}

fn numbered(form: &mut Vec<(String, String)>, name: &str, text: &str) {
    form.extend((1..).zip(list(text)).map(|(at, item): (usize, String)| (format!("{name}.{at}"), item)));
}

/// A list from JSON, or from text with commas.
fn list(text: &str) -> Vec<String> {
    if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
        return list;
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
