//! First-class integrations of HTTP APIs with AWS services: what each `integrationSubtype` asks of its service.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>

mod request;
mod subtype;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};

use self::subtype::{REGION, Shape, Subtype};
use super::expression::{Expression, Invalid, Side, Values};
use crate::aws::ServiceCall;
use crate::fault::GatewayFault;

/// An integration with a service, read once.
#[derive(Debug)]
pub(crate) struct Service {
    subtype: &'static Subtype,
    parameters: BTreeMap<String, Expression>,
}

/// The values of one request, by name; those without a value are left out.
type Given = BTreeMap<&'static str, String>;

impl Service {
    /// Reads an integration.
    ///
    /// # Errors
    /// No such subtype, a parameter that it does not have or lacks, or an expression that is none.
    pub(crate) fn parse(subtype: &str, stored: &BTreeMap<String, String>) -> Result<Self, Invalid> {
        let subtype = Subtype::find(subtype)
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
            Shape::Json(version, target) => {
                Ok(request::json_call(empty, version, target, &request::members(given)))
            }
            Shape::Sqs(action) => request::sqs(empty, action, &given),
            Shape::EventBridge => request::event_bridge(empty, given),
            Shape::AppConfig => Ok(request::app_config(empty, &given)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;

    use serde_json::json;

    use super::request::TARGET;
    use super::*;

    const BODY: &str = r#"{"text": "a b&c", "when": "2020-01-02T03:04:05Z", "list": ["a", "b"]}"#;

    fn called(subtype: &str, pairs: &[(&str, &str)]) -> Result<String, GatewayFault> {
        let stored = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let service = Service::parse(subtype, &stored).expect("a valid integration");
        let values = Values {
            headers: &HeaderMap::new(),
            way: None,
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
