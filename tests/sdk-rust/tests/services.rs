//! One scenario per service: a stage is made, found again, changed, and refused where it has to be.

use aws_sdk_apigateway::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use stagedoor_sdk_rust::{REGION, Server};

/// A client's configuration that differs from that for AWS in its endpoint only.
macro_rules! config {
    ($sdk:ident, $server:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&$server.http)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(Builder::new().build_http())
            .build()
    };
}

#[tokio::test]
async fn rest_apis() {
    use aws_sdk_apigateway::error::ProvideErrorMetadata as _;
    use aws_sdk_apigateway::types::{IntegrationType, Op, PatchOperation};

    let server = Server::start();
    let client = aws_sdk_apigateway::Client::from_conf(config!(aws_sdk_apigateway, server));
    let api = client.create_rest_api().name("pets").send().await.expect("an API is made");
    let (id, root) = (api.id().expect("an id"), api.root_resource_id().expect("a root"));
    assert_eq!(id.len(), 10);
    assert!(api.created_date().is_some());
    let method = client.put_method().rest_api_id(id).resource_id(root).http_method("GET");
    method.authorization_type("NONE").send().await.expect("a method is put");
    let integration = client.put_integration().rest_api_id(id).resource_id(root).http_method("GET");
    integration
        .r#type(IntegrationType::Mock)
        .request_templates("application/json", r#"{"statusCode": 200}"#)
        .send()
        .await
        .expect("an integration is put");
    let deployment =
        client.create_deployment().rest_api_id(id).stage_name("prod").send().await.expect("it is deployed");
    let stages = client.get_stages().rest_api_id(id).send().await.expect("stages are listed");
    let found: Vec<_> =
        stages.item().iter().map(|stage| (stage.stage_name(), stage.deployment_id())).collect();
    assert_eq!(found, [(Some("prod"), deployment.id())]);
    let variable = PatchOperation::builder().op(Op::Replace).path("/variables/colour").value("green").build();
    let update = client.update_stage().rest_api_id(id).stage_name("prod").patch_operations(variable);
    let updated = update.send().await.expect("the stage is patched");
    assert_eq!(updated.variables().and_then(|all| all.get("colour")).map(String::as_str), Some("green"));
    let pages = client.get_rest_apis().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.expect("APIs are listed");
    assert_eq!(listed.len(), 1);
    let refused = client.get_rest_api().rest_api_id("nosuchapi0").send().await.expect_err("there is none");
    let error = refused.into_service_error();
    assert!(error.is_not_found_exception(), "{error:?}");
    assert_eq!(error.message(), Some("Invalid API identifier specified 000000000000:nosuchapi0"));
}

#[tokio::test]
async fn http_apis() {
    use aws_sdk_apigatewayv2::types::ProtocolType;

    let server = Server::start();
    let client = aws_sdk_apigatewayv2::Client::from_conf(config!(aws_sdk_apigatewayv2, server));
    let create =
        client.create_api().name("shop").protocol_type(ProtocolType::Http).target("http://backend.example/");
    let api = create.send().await.expect("an API is made");
    let id = api.api_id().expect("an id");
    assert!(api.created_date().is_some());
    let stages = client.get_stages().api_id(id).send().await.expect("stages are listed");
    let found: Vec<_> =
        stages.items().iter().map(|stage| (stage.stage_name(), stage.auto_deploy())).collect();
    assert_eq!(found, [(Some("$default"), Some(true))]);
    let tags = client.update_stage().api_id(id).stage_name("$default").stage_variables("a", "1");
    let updated = tags.send().await.expect("the stage is updated");
    assert_eq!(updated.stage_variables().and_then(|all| all.get("a")).map(String::as_str), Some("1"));
    client.delete_api().api_id(id).send().await.expect("the API is deleted");
    let refused = client.get_api().api_id(id).send().await.expect_err("it is gone");
    assert!(refused.into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn real_time_stages() {
    let server = Server::start();
    let client = aws_sdk_ivsrealtime::Client::from_conf(config!(aws_sdk_ivsrealtime, server));
    let created = client.create_stage().name("meeting").tags("a", "1").send().await.expect("a stage is made");
    let stage = created.stage().expect("it is answered");
    let found = client.get_stage().arn(stage.arn()).send().await.expect("it is found");
    assert_eq!(found.stage(), Some(stage));
    let token = client.create_participant_token().stage_arn(stage.arn()).user_id("ada").send();
    let token = token.await.expect("a token is made");
    let token = token.participant_token().expect("it is answered");
    assert_eq!(token.token().map(|token| token.split('.').count()), Some(3));
    assert!(token.expiration_time().is_some());
    client.tag_resource().resource_arn(stage.arn()).tags("b c", "2/3").send().await.expect("it is tagged");
    client.untag_resource().resource_arn(stage.arn()).tag_keys("a").send().await.expect("it is untagged");
    let tags =
        client.list_tags_for_resource().resource_arn(stage.arn()).send().await.expect("tags are listed");
    assert_eq!(tags.tags().get("b c").map(String::as_str), Some("2/3"));
    assert_eq!(tags.tags().len(), 1);
    let missing = "arn:aws:ivs:us-east-1:000000000000:stage/nosuchstage1";
    let refused = client.get_stage().arn(missing).send().await.expect_err("there is none");
    assert!(refused.into_service_error().is_resource_not_found_exception());
}
