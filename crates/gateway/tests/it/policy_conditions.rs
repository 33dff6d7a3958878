//! What resource policies can ask of a request (rest-data C7).
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html>

use http::Method;
use serde_json::{Value, json};

use crate::build::{Integrated as _, mock, rest_api};
use crate::world::World;

/// Whether a request with these headers passes a policy with this condition.
async fn check(condition: &Value, headers: &[(&str, &str)], expected: bool) {
    let world = World::start().await;
    let statement = json!({
        "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*", "Condition": condition,
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let api = rest_api("abc").method("GET /", mock("{statusCode: 200}").answering("200", ""));
    world.store(api.change(|api| api.policy = Some(policy)).deployed_to("dev")).await;
    let named = headers.iter().any(|(name, _)| *name == "host");
    let target = if named { "/dev" } else { "/_aws/execute-api/abc/dev" };
    let seen = world.send(Method::GET, target, headers, "").await;
    assert_eq!(seen.status == 200, expected, "{condition} {headers:?} {seen:?}");
}

#[tokio::test]
async fn the_page_that_led_to_a_request() {
    let own = json!({"StringLike": {"aws:Referer": "https://own.example/*"}});
    check(&own, &[("referer", "https://own.example/page")], true).await;
    check(&own, &[("referer", "https://other.example/page")], false).await;
    check(&own, &[], false).await;
}

/// What a client says of itself in `X-Forwarded-For` is not believed.
#[tokio::test]
async fn addresses_are_the_connections() {
    let here = json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}});
    let there = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    check(&here, &[("x-forwarded-for", "192.0.2.1")], true).await;
    check(&there, &[("x-forwarded-for", "192.0.2.1")], false).await;
}

/// By a VPC endpoint, in all its names, the address has a key of its own.
#[tokio::test]
async fn vpc_endpoints_are_named_by_the_host() {
    let endpoint = json!({"StringEquals": {"aws:SourceVpce": "vpce-0a1b"}});
    let in_vpc = json!({"IpAddress": {"aws:VpcSourceIp": "127.0.0.0/8"}});
    let outside = json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}});
    let alias = ("host", "abc-vpce-0a1b.execute-api.eu-west-1.amazonaws.com");
    let own = ("host", "vpce-0a1b-xyz.execute-api.eu-west-1.vpce.amazonaws.com");
    for headers in [&[alias][..], &[own, ("x-apigw-api-id", "abc")]] {
        check(&endpoint, headers, true).await;
        check(&in_vpc, headers, true).await;
        check(&outside, headers, false).await;
    }
    let public = [("host", "abc.execute-api.eu-west-1.amazonaws.com"), ("x-apigw-api-id", "other")];
    check(&endpoint, &public, false).await;
    check(&in_vpc, &public, false).await;
    check(&outside, &public, true).await;
}
