//! `AWS` integrations of REST APIs with other services than Lambda (C12 of the specification of the data plane).

use std::collections::BTreeMap;

use http::Method;
use stagedoor_api::apigateway as api;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::{ANY_SERVICE, ServiceEndpoint};

use crate::backend::Backend;
use crate::build::{Integrated as _, http_custom, map, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

fn service(arn: &str) -> api::Integration {
    api::Integration {
        r#type: Some(api::IntegrationType::Aws),
        http_method: Some("POST".to_owned()),
        ..http_custom(&format!("arn:aws:apigateway:eu-west-1:{arn}"))
    }
}

async fn post(integration: api::Integration, target: &str, body: &str) -> Seen {
    let backend = Backend::start().await;
    let url = backend.url("").parse().expect("a URL");
    let endpoint = ServiceEndpoint { url, key: Key::long_term("AKID", "secret", "1") };
    let world = World::start_with(|config| {
        config.service_endpoints = BTreeMap::from([(ANY_SERVICE.to_owned(), endpoint)]);
    })
    .await;
    world.store(rest_api("abc").method("POST /{id}", integration).deployed_to("dev")).await;
    world.send(Method::POST, &format!("{BASE}{target}"), &[], body).await
}

#[tokio::test]
async fn paths_lead_to_the_services_endpoint() {
    let integration = api::Integration {
        request_templates: Some(map(&[(
            "application/json",
            "Action=SendMessage&MessageBody=$util.urlEncode($input.body)",
        )])),
        ..service("sqs:path/111122223333/{queue}")
            .mapping("path.queue", "method.request.path.id")
            .mapping("header.Content-Type", "'application/x-www-form-urlencoded'")
            .mapping("querystring.x", "'1'")
            .answering("200", "")
    };
    let answer = post(integration, "/orders", r#"{"a": 1}"#).await;
    assert_eq!(answer.uri(), "/111122223333/orders?x=1");
    assert_eq!(answer.json()["body"], "Action=SendMessage&MessageBody=%7B%22a%22%3A+1%7D");
    assert_eq!(answer.sent("content-type"), "application/x-www-form-urlencoded");
    let signature = answer.sent("authorization");
    assert!(
        signature.starts_with("AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/sqs/aws4_request"),
        "{signature}"
    );
    assert_eq!(answer.sent("x-amzn-apigateway-api-id"), "");
    assert!(answer.header("x-amzn-trace-id").starts_with("Root="), "{answer:?}");
}

#[tokio::test]
async fn actions_are_called_by_the_services_protocol() {
    let target = "#set($context.requestOverride.header.X-Amz-Target = 'AWSEvents.PutEvents')$input.body";
    for (arn, template, uri, sent, content_type) in [
        (
            "states:action/StartExecution",
            "{}",
            "/",
            "AWSStepFunctions.StartExecution",
            "application/x-amz-json-1.0",
        ),
        ("dynamodb:action/PutItem", "{}", "/", "DynamoDB_20120810.PutItem", "application/x-amz-json-1.0"),
        ("events:action/Other", target, "/", "AWSEvents.PutEvents", "application/x-amz-json-1.1"),
        ("ssm:action/GetParameter", "{}", "/?Action=GetParameter&Version=2014-11-06", "", "application/json"),
        (
            "comprehend:action/DetectSentiment",
            "{}",
            "/",
            "Comprehend_20171127.DetectSentiment",
            "application/x-amz-json-1.1",
        ),
        ("unheard-of:action/Do", "{}", "/?Action=Do", "", "application/json"),
    ] {
        let integration = api::Integration {
            request_templates: Some(map(&[("application/json", template)])),
            ..service(arn).answering("200", "")
        };
        let answer = post(integration, "/1", "{}").await;
        assert_eq!(
            (answer.uri(), answer.sent("x-amz-target"), answer.sent("content-type")),
            (uri.to_owned(), sent.to_owned(), content_type.to_owned()),
            "{arn}"
        );
    }
}

#[tokio::test]
async fn objects_are_stored_by_signed_bytes() {
    let integration = service("s3:path/{bucket}/{key}")
        .mapping("path.bucket", "'pics'")
        .mapping("path.key", "method.request.path.id")
        .answering("200", "");
    let put = api::Integration { http_method: Some("PUT".to_owned()), ..integration };
    let answer = post(put, "/a%20b.png", "bytes").await;
    assert_eq!((answer.uri(), answer.json()["method"].as_str()), ("/pics/a%20b.png".to_owned(), Some("PUT")));
    assert_eq!(answer.sent("x-amz-content-sha256").len(), 64);
}

#[tokio::test]
async fn a_services_status_selects_the_answer() {
    let integration = service("sqs:path/status/400")
        .answering("200", "")
        .answering("502", r"4\d{2}")
        .with_body("application/json", "refused");
    post(integration, "/1", "").await.is(502, "refused");
    let nowhere = service("nonsense").answering("200", "");
    post(nowhere, "/1", "").await.is(500, r#"{"message": "Internal server error"}"#);
}

/// C4: calls of AWS services have these headers of themselves.
#[tokio::test]
async fn headers_of_the_call_itself_cannot_be_mapped() {
    for name in ["Authorization", "connection", "Expect", "Proxy-Authenticate", "TE", "Content-Length"] {
        let integration =
            service("sqs:path/1/q").mapping(&format!("header.{name}"), "'x'").answering("200", "");
        let answer = post(integration, "/x", "").await;
        answer.is(500, r#"{"message": "Internal server error"}"#);
        assert_eq!(answer.header("x-amzn-errortype"), "InternalServerErrorException");
    }
}
