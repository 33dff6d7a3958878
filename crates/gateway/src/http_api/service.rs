//! First-class integrations of HTTP APIs with AWS services: what each `integrationSubtype` asks of its service.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value, json};

use super::expression::{Expression, Invalid, Side, Values};
use crate::aws::ServiceCall;
use crate::fault::GatewayFault;
use crate::uri;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// An integration with a service, read once.
#[derive(Debug)]
pub(crate) struct Service {
    subtype: &'static Subtype,
    parameters: BTreeMap<String, Expression>,
}

/// One `integrationSubtype`.
#[derive(Debug)]
struct Subtype {
    name: &'static str,
    service: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    shape: Shape,
}

/// How the service takes its parameters.
#[derive(Debug)]
enum Shape {
    /// A JSON protocol: version and `X-Amz-Target`.
    Json(&'static str, &'static str),
    /// The query protocol of SQS: the action.
    Sqs(&'static str),
    EventBridge,
    AppConfig,
}

/// Where the service is, if not in the API's own region.
const REGION: &str = "Region";

const SUBTYPES: [Subtype; 10] = [
    Subtype {
        name: "EventBridge-PutEvents",
        service: "events",
        required: &["Detail", "DetailType", "Source"],
        optional: &["Time", "EventBusName", "Resources", REGION, "TraceHeader"],
        shape: Shape::EventBridge,
    },
    Subtype {
        name: "SQS-SendMessage",
        service: "sqs",
        required: &["QueueUrl", "MessageBody"],
        optional: &[
            "DelaySeconds",
            "MessageAttributes",
            "MessageDeduplicationId",
            "MessageGroupId",
            "MessageSystemAttributes",
            REGION,
        ],
        shape: Shape::Sqs("SendMessage"),
    },
    Subtype {
        name: "SQS-ReceiveMessage",
        service: "sqs",
        required: &["QueueUrl"],
        optional: &[
            "AttributeNames",
            "MaxNumberOfMessages",
            "MessageAttributeNames",
            "ReceiveRequestAttemptId",
            "VisibilityTimeout",
            "WaitTimeSeconds",
            REGION,
        ],
        shape: Shape::Sqs("ReceiveMessage"),
    },
    Subtype {
        name: "SQS-DeleteMessage",
        service: "sqs",
        required: &["QueueUrl", "ReceiptHandle"],
        optional: &[REGION],
        shape: Shape::Sqs("DeleteMessage"),
    },
    Subtype {
        name: "SQS-PurgeQueue",
        service: "sqs",
        required: &["QueueUrl"],
        optional: &[REGION],
        shape: Shape::Sqs("PurgeQueue"),
    },
    Subtype {
        name: "AppConfig-GetConfiguration",
        service: "appconfig",
        required: &["Application", "Environment", "Configuration", "ClientId"],
        optional: &["ClientConfigurationVersion", REGION],
        shape: Shape::AppConfig,
    },
    Subtype {
        name: "Kinesis-PutRecord",
        service: "kinesis",
        required: &["StreamName", "Data", "PartitionKey"],
        optional: &["SequenceNumberForOrdering", "ExplicitHashKey", REGION],
        shape: Shape::Json("1.1", "Kinesis_20131202.PutRecord"),
    },
    Subtype {
        name: "StepFunctions-StartExecution",
        service: "states",
        required: &["StateMachineArn"],
        optional: &["Name", "Input", REGION],
        shape: Shape::Json("1.0", "AWSStepFunctions.StartExecution"),
    },
    Subtype {
        name: "StepFunctions-StartSyncExecution",
        service: "sync-states",
        required: &["StateMachineArn"],
        optional: &["Name", "Input", REGION, "TraceHeader"],
        shape: Shape::Json("1.0", "AWSStepFunctions.StartSyncExecution"),
    },
    Subtype {
        name: "StepFunctions-StopExecution",
        service: "states",
        required: &["ExecutionArn"],
        optional: &["Cause", "Error", REGION],
        shape: Shape::Json("1.0", "AWSStepFunctions.StopExecution"),
    },
];

/// The values of one request, by name; those without a value are left out.
type Given = BTreeMap<&'static str, String>;

impl Service {
    /// Reads an integration.
    ///
    /// # Errors
    /// No such subtype, a parameter that it does not have or lacks, or an expression that is none.
    pub(crate) fn parse(subtype: &str, stored: &BTreeMap<String, String>) -> Result<Self, Invalid> {
        let subtype = SUBTYPES
            .iter()
            .find(|known| known.name == subtype)
            .ok_or_else(|| Invalid(format!("Invalid integration subtype specified: {subtype}")))?;
        if let Some(missing) = subtype.required.iter().find(|name| !stored.contains_key(**name)) {
            return Err(Invalid(format!("{} needs the parameter {missing}", subtype.name)));
        }
        if let Some(unknown) = stored.keys().find(|name| !subtype.names().any(|known| known == *name)) {
            return Err(Invalid(format!("{} has no parameter {unknown}", subtype.name)));
        }
        let parameters = stored
            .iter()
            .map(|(name, value)| Ok((name.clone(), Expression::parse(value, Side::Request)?)))
            .collect::<Result<_, Invalid>>()?;
        Ok(Self { subtype, parameters })
    }

    /// Whether [`Values::body`] must be there.
    pub(crate) fn reads_body(&self) -> bool {
        self.parameters.values().any(Expression::reads_body)
    }

    /// The call that a request becomes. `region` is the API's.
    ///
    /// # Errors
    /// When a value does not fit its parameter.
    pub(crate) fn call<'r>(
        &self,
        values: &Values<'_>,
        region: &'r mut String,
    ) -> Result<ServiceCall<'r>, GatewayFault> {
        let mut given: Given = Given::new();
        for name in self.subtype.names() {
            let value = self.parameters.get(name).and_then(|expression| expression.value(values));
            given.extend(value.map(|value| (name, value.into_owned())));
        }
        if let Some(other) = given.remove(REGION).filter(|other| !other.is_empty()) {
            *region = other;
        }
        let empty = ServiceCall {
            service: self.subtype.service,
            region,
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        match self.subtype.shape {
            Shape::Json(version, target) => Ok(json_call(empty, version, target, &members(given))),
            Shape::Sqs(action) => sqs(empty, action, &given),
            Shape::EventBridge => event_bridge(empty, given),
            Shape::AppConfig => Ok(app_config(empty, &given)),
        }
    }
}

impl Subtype {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

fn unfit(name: &str, why: &str) -> GatewayFault {
    GatewayFault::Configuration(format!("the parameter {name} {why}").into())
}

/// Parameters as the members of a JSON request. Those of Step Functions begin with small letters.
fn members(given: Given) -> Value {
    let small = given.contains_key("StateMachineArn") || given.contains_key("ExecutionArn");
    let name = |name: &str| if small { lower_first(name) } else { name.to_owned() };
    Value::Object(given.into_iter().map(|(key, value)| (name(key), Value::String(value))).collect())
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn json_call<'r>(
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

fn event_bridge<'r>(call: ServiceCall<'r>, mut given: Given) -> Result<ServiceCall<'r>, GatewayFault> {
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

fn app_config<'r>(mut call: ServiceCall<'r>, given: &Given) -> ServiceCall<'r> {
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
fn sqs<'r>(
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

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;

    use super::*;

    const BODY: &str = r#"{"text": "a b&c", "when": "2020-01-02T03:04:05Z", "list": ["a", "b"]}"#;

    fn called(subtype: &str, pairs: &[(&str, &str)]) -> Result<String, GatewayFault> {
        let stored = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let service = Service::parse(subtype, &stored).expect("a valid integration");
        let values = Values {
            headers: &HeaderMap::new(),
            query: "",
            path: "/",
            path_variables: &[],
            body: BODY.as_bytes(),
            stage_variables: &BTreeMap::new(),
            context: &|_| None,
            json: OnceCell::new(),
        };
        let mut region = "eu-west-1".to_owned();
        let call = service.call(&values, &mut region)?;
        let target = call.headers.get(TARGET).map_or("", |target| target.to_str().unwrap_or_default());
        let body = String::from_utf8_lossy(&call.body);
        Ok(format!(
            "{} {} {} {}?{} {target} {body}",
            call.service, call.region, call.method, call.path, call.query
        ))
    }

    fn check(subtype: &str, pairs: &[(&str, &str)], expected: &str) {
        assert_eq!(called(subtype, pairs).expect("values that fit"), expected, "{subtype}");
    }

    #[test]
    fn every_service_is_asked_in_its_own_way() {
        check(
            "EventBridge-PutEvents",
            &[
                ("Detail", "$request.body"),
                ("DetailType", "T"),
                ("Source", "s"),
                ("Resources", "$request.body.list"),
                ("Time", "$request.body.when"),
                ("Region", "us-east-1"),
            ],
            &format!(
                "events us-east-1 POST /? AWSEvents.PutEvents {}",
                json!({"Entries": [{
                    "Resources": ["a", "b"], "Time": 1_577_934_245, "Detail": BODY, "DetailType": "T", "Source": "s"
                }]})
            ),
        );
        check(
            "SQS-SendMessage",
            &[
                ("QueueUrl", "https://sqs.eu-west-1.amazonaws.com/1/q"),
                ("MessageBody", "$request.body.text"),
                ("MessageAttributes", r#"{"k": {"DataType": "String", "StringValue": "v"}}"#),
            ],
            "sqs eu-west-1 POST /1/q?  Action=SendMessage&Version=2012-11-05&MessageAttribute.1.Name=k\
             &MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v\
             &MessageBody=a%20b%26c&QueueUrl=https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F1%2Fq",
        );
        check(
            "SQS-ReceiveMessage",
            &[("QueueUrl", "/q"), ("AttributeNames", "All, SentTimestamp")],
            "sqs eu-west-1 POST /q?  Action=ReceiveMessage&Version=2012-11-05&AttributeName.1=All\
             &AttributeName.2=SentTimestamp&QueueUrl=%2Fq",
        );
        check(
            "AppConfig-GetConfiguration",
            &[
                ("Application", "a/b"),
                ("Environment", "e"),
                ("Configuration", "c"),
                ("ClientId", "$request.body.text"),
            ],
            "appconfig eu-west-1 GET /applications/a%2Fb/environments/e/configurations/c?client_id=a%20b%26c  ",
        );
        check(
            "Kinesis-PutRecord",
            &[("StreamName", "s"), ("Data", "SGk="), ("PartitionKey", "$request.body.none")],
            r#"kinesis eu-west-1 POST /? Kinesis_20131202.PutRecord {"Data":"SGk=","StreamName":"s"}"#,
        );
        check(
            "StepFunctions-StartSyncExecution",
            &[("StateMachineArn", "arn"), ("Input", "$request.body.list"), ("TraceHeader", "t")],
            concat!(
                "sync-states eu-west-1 POST /? AWSStepFunctions.StartSyncExecution ",
                r#"{"input":"[\"a\",\"b\"]","stateMachineArn":"arn","traceHeader":"t"}"#
            ),
        );
    }

    #[test]
    fn values_that_do_not_fit_are_errors() {
        let sqs = [("QueueUrl", "q"), ("MessageBody", "b"), ("MessageAttributes", "no json")];
        assert!(called("SQS-SendMessage", &sqs).is_err());
        let event = [("Detail", "{}"), ("DetailType", "T"), ("Source", "s"), ("Time", "noon")];
        assert!(called("EventBridge-PutEvents", &event).is_err());
    }

    #[test]
    fn integrations_that_cannot_be_are_refused() {
        let parse = |subtype: &str, names: &[&str]| {
            let stored = names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
            Service::parse(subtype, &stored).map(|_| ()).map_err(|invalid| invalid.0)
        };
        let refused = |text: &str| Err(text.to_owned());
        assert_eq!(parse("SQS-PurgeQueue", &["QueueUrl"]), Ok(()));
        assert_eq!(parse("SQS-Purge", &[]), refused("Invalid integration subtype specified: SQS-Purge"));
        assert_eq!(parse("SQS-PurgeQueue", &[]), refused("SQS-PurgeQueue needs the parameter QueueUrl"));
        assert_eq!(
            parse("SQS-PurgeQueue", &["QueueUrl", "MessageBody"]),
            refused("SQS-PurgeQueue has no parameter MessageBody")
        );
    }
}
